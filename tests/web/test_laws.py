"""The library of laws on pages: anyone reads it, an administrator adds to it and sees first what that touches."""

import re
from datetime import date
from html import unescape

import pytest

from approval.domain.laws import Citation
from approval.services import laws
from tests.web.conftest import ITEM, send

NEW = "/admin/laws/licensing/articles/new?number=32.1.4"
CHECK = "/admin/laws/licensing/articles/check"
PUBLISH = "/admin/laws/licensing/articles"
GIVEN = {"number": "32.1.4", "text": "三日内一次告知。", "valid_from": "2026-12-01", "document": "示例修正"}
ACT = {
    "code": "sample",
    "short": "示例法",
    "zh": "中华人民共和国示例法",
    "en": "Sample Law",
    "issuer": "示例机关",
    "document": "主席令第一号",
    "aliases": "示例令第1号",
}


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


def hidden(page):
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def said(office, day):
    with office.work(read_only=True) as work:
        return laws.text(work, Citation("行政许可法", "32.1.4"), on=day).text


def everything(office):
    with office.work(read_only=True) as work:
        return [(act.code, laws.count(work, act.code)) for act in laws.acts(work)]


def test_anyone_reads_acts_articles_their_history_and_who_cites_them(client):
    listed = client.get("/laws").text
    assert "中华人民共和国行政许可法" in listed
    act = client.get("/laws/licensing").text
    assert "行政许可法第三十二条第一款第四项" in act
    assert "主席令第二十九号" in act
    article = client.get("/laws/licensing/32.1.4").text
    for told in ("逾期不告知的", "内容提要", "行政许可法#32.1.4", f"/items/{ITEM}"):
        assert told in article
    assert client.get("/laws/licensing/31").text.count("<blockquote") == 3
    client.get("/language/en")
    assert "Administrative Licensing Law" in client.get("/laws").text


@pytest.mark.parametrize(
    "path", ["/laws/nothing", "/laws/licensing/99", "/laws/licensing/x", "/laws/licensing/1.0.0.0"]
)
def test_what_the_library_does_not_have_is_not_found(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.article("食品安全法#35")
def test_the_guide_leads_from_its_legal_basis_to_the_library(client):
    page = client.get(f"/items/{ITEM}").text
    for path in ("/laws/food-safety/35", "/laws/food-business-rules", "/laws/licensing/42.1", "/laws/food-safety/45"):
        assert f'href="{path}"' in page
        assert client.get(path).status_code == 200


def test_an_officer_reads_on_the_case_what_was_in_force_that_day(signed_in, city):
    page = signed_in("wang").get(f"/window/cases/{city.accepted}").text
    grounds = re.findall(r'<details class="grounds">.*?</details>', page, re.DOTALL)
    assert any("行政许可法第三十二条第一款第五项" in each and "应当受理" in each for each in grounds)
    assert any("行政许可法第四十二条第一款" in each for each in grounds)


def test_an_administrator_sees_what_a_new_text_touches_and_then_publishes_it(admin, office, city):
    before = everything(office)
    assert "逾期不告知的" in admin.get(NEW).text
    checked = send(admin, CHECK, form=NEW, **GIVEN)
    assert checked.status_code == 200
    for told in (GIVEN["text"], "逾期不告知的", "limits.acceptance", city.filed, city.accepted):
        assert told in checked.text
    assert everything(office) == before
    reply = admin.post(PUBLISH, data=hidden(checked.text))
    assert reply.status_code == 303
    assert "已发布第 3 版" in admin.get(reply.location).text
    assert said(office, date(2026, 12, 1)) == GIVEN["text"]
    assert said(office, date(2026, 11, 30)) != GIVEN["text"]
    # The same page sent once more is the same version.
    assert admin.post(PUBLISH, data=hidden(checked.text)).location == reply.location


def test_whoever_looked_before_another_published_looks_again(admin, office):
    early = hidden(send(admin, CHECK, form=NEW, **GIVEN).text)
    late = hidden(send(admin, CHECK, form=NEW, **GIVEN | {"text": "二日内一次告知。"}).text)
    assert admin.post(PUBLISH, data=early).status_code == 303
    assert admin.post(PUBLISH, data=late).status_code == 409
    assert said(office, date(2026, 12, 1)) == GIVEN["text"]


@pytest.mark.parametrize(
    ("wrong", "label"),
    [
        ({"number": "x"}, "条款项"),
        ({"number": "1'; DROP TABLE law_acts; --"}, "条款项"),
        ({"text": " "}, "条文"),
        ({"text": "x" * 20_001}, "条文"),
        ({"valid_from": ""}, "施行日期"),
        ({"valid_from": "2026-02-30"}, "施行日期"),
        ({"valid_until": "2026-11-30"}, "失效日期"),
        ({"valid_until": "never"}, "失效日期"),
        ({"document": "\u202e"}, "文号"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(admin, office, wrong, label):
    before = everything(office)
    for path in (CHECK, PUBLISH):
        reply = send(admin, path, form=NEW, **GIVEN | wrong)
        assert reply.status_code == 422
        assert f"{label}：" in reply.text
        assert f'value="{(GIVEN | wrong)["number"].replace(chr(39), "&#39;")}"' in reply.text
    assert everything(office) == before


def test_hostile_words_are_shown_as_words(admin):
    reply = send(admin, CHECK, form=NEW, **GIVEN | {"text": "<script>alert(1)</script>", "document": "<b>令</b>"})
    assert "<script>alert" not in reply.text
    assert "<b>令</b>" not in reply.text
    assert "&lt;script&gt;alert" in reply.text


def test_an_administrator_adds_an_act_and_its_first_article(admin, office):
    assert send(admin, "/admin/laws", form="/admin/laws/new", **ACT).location == "/admin/laws/sample"
    at = "/admin/laws/sample/articles"
    checked = send(admin, f"{at}/check", form=f"{at}/new", **GIVEN | {"number": "1", "valid_from": "2026-01-01"})
    assert "没有事项和在办件引用这一条" in checked.text
    assert admin.post(at, data=hidden(checked.text)).status_code == 303
    assert GIVEN["text"] in admin.get("/laws/sample/1").text
    with office.work(read_only=True) as work:
        assert laws.library(work).known("示例令第1号第一条") == [Citation("示例法", "1")]


@pytest.mark.parametrize(
    ("wrong", "label"),
    [({"code": "new"}, "代码"), ({"code": "licensing"}, "代码"), ({"short": "行政许可法"}, "引用名称"),
     ({"zh": ""}, "法规名称"), ({"aliases": "a#b"}, "其他引用名称")],
)  # fmt: skip
def test_an_act_that_cannot_be_taken_in_is_told_why(admin, office, wrong, label):
    before = everything(office)
    reply = send(admin, "/admin/laws", form="/admin/laws/new", **ACT | wrong)
    assert reply.status_code == 422
    assert f"{label}：" in reply.text
    assert everything(office) == before


def test_the_pages_of_an_act_that_is_not_there_are_not_found(admin):
    for path in ("/admin/laws/nothing", "/admin/laws/nothing/articles/new"):
        assert admin.get(path).status_code == 404
    for path in ("/admin/laws/nothing/articles/check", "/admin/laws/nothing/articles"):
        assert send(admin, path, form=NEW, **GIVEN).status_code == 404
