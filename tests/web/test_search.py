import re

import pytest
from sqlalchemy import update

from approval.models.items import ServiceItem
from tests.kit.pages import tokenless
from tests.web.conftest import ITEM

CARD = f'href="/items/{ITEM}"'


def _search(client, text="", **asked):
    return client.get("/search", query_string={"q": text, **asked})


@pytest.mark.parametrize("text", ["食品", "市场监督", "FOOD", "营业执照", ITEM, "  食品  许可 "])
def test_an_item_is_found_by_its_words(client, text):
    page = _search(client, text).text
    assert CARD in page
    assert "共 1 个事项" in page


def test_a_card_tells_the_four_facts_in_short(client):
    page = _search(client, "食品").text
    for told in ("10 个工作日办结", "不用跑现场", "不收取费用", "3 份材料", "泉州市市场监督管理局"):
        assert told in page


def test_nothing_found_says_what_to_do(client):
    page = _search(client, "飞船").text
    assert "共 0 个事项" in page
    assert "没有找到符合的事项。" in page
    assert 'href="/">查看全部事项' in page


def test_what_was_searched_for_stays_in_the_form_and_is_never_markup(client):
    page = _search(client, '"><script>alert(1)</script>', serves="person", department="SCJ").text
    assert 'value="&#34;&gt;&lt;script&gt;' in page
    assert "<script>" not in page
    assert '<option value="person" selected>' in page
    assert '<option value="SCJ" selected>' in page


@pytest.mark.parametrize("text", ["%", "_", "%%%", "'", "[", "\\", "食" * 10_000, "a" * 10_000, "\ud7ff\uffff", "（"])
def test_odd_searches_are_harmless(signed_in, client, text):
    for visitor in (client, signed_in("chen")):
        assert _search(visitor, text).status_code == 200


def test_half_characters_and_nul_are_harmless(signed_in):
    chen = signed_in("chen")
    assert chen.get("/search?q=%ed%a0%80%ff").status_code == 200
    assert chen.get("/search?q=%00").status_code == 400


@pytest.mark.parametrize("page", ["-1", "0", "x", "999999999999999999999"])
def test_a_page_beyond_the_list_is_harmless(client, page):
    assert _search(client, page=page).status_code == 200


def test_the_catalogue_is_filtered_by_whom_it_serves(client):
    assert CARD in client.get("/?serves=person").text
    assert CARD in client.get("/?serves=organization&department=SCJ").text
    assert CARD not in client.get("/?department=XFJ").text
    assert CARD not in client.get("/?serves=nobody").text


def test_the_switch_in_the_header_keeps_what_was_searched_for(client):
    page = _search(client, "食品", serves="person").text
    assert 'href="/search?serves=organization&amp;q=' in page
    assert re.search(r'href="/search\?serves=person[^"]*" aria-current="true"', page)


def test_only_departments_that_offer_something_can_be_chosen(client):
    assert re.findall(r'<option value="([A-Z]+)"', client.get("/").text) == ["SCJ"]


def test_an_empty_catalogue_says_so(client, office):
    with office.work() as work:
        work.session.execute(update(ServiceItem).values(version_id=None))
    page = client.get("/").text
    assert "目前没有可以申请的事项。" in page
    assert "查看全部事项" not in page


def test_a_closed_item_says_so_and_cannot_be_begun(client, office):
    with office.work() as work:
        work.session.get_one(ServiceItem, ITEM).closed_at = work.now
    assert "目前不接收新的申请" in client.get("/").text
    guide = client.get(f"/items/{ITEM}").text
    assert "目前不接收新的申请" in guide
    assert "我要办" not in guide


def test_whoever_enters_the_number_of_their_case_is_led_to_it(signed_in, city):
    reply = _search(signed_in("chen"), f" {city.filed} ")
    assert (reply.status_code, reply.location) == (303, f"/my/cases/{city.filed}")


def test_nobody_learns_of_anothers_case_by_searching(signed_in, client, city):
    def seen(visitor, number):
        page = _search(visitor, number)
        assert page.status_code == 200
        return tokenless(page.text).replace(number, "N")

    for visitor in (client, signed_in("lin")):
        assert seen(visitor, city.filed) == seen(visitor, "350500102202600000000000")


def test_nobody_is_led_away_while_typing(signed_in, city):
    live = signed_in("chen").get(f"/search?q={city.filed}", headers={"HX-Request": "true"})
    assert live.status_code == 200
    for part in ('id="results"', 'id="count"'):
        assert part in live.text


def test_a_process_without_cases_leads_to_none(open_app, signed_in, city):
    assert _search(open_app(doors="public").test_client(), city.filed).status_code == 200
