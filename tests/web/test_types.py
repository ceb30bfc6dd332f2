"""Licence types on pages: an administrator adds and changes them without code; a signer reissues what is valid."""

import re
from datetime import timedelta
from html import unescape

import pytest

from approval.services import people, types, workers
from tests.web.conftest import PASSWORD, send

FOOD = "11100000000013338W032"
FORM = "/admin/types/new?code=" + FOOD
WHY = {"reason": "证照样式调整。", "basis": "第二十九条"}


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


@pytest.fixture
def cai(clock, office, signed_in):
    clock.now += timedelta(hours=2)  # the licence is there by then
    with office.work() as work:
        people.set_password(work, "cai", PASSWORD)
    return signed_in("cai")


def typed(page):
    """Read a form as a browser would send it."""
    fields = dict(re.findall(r'<input class="form-control"[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page))
    fields |= dict(re.findall(r'name="((?:zh|en|name)-\d+)" value="([^"]*)"', page))
    for name, options in re.findall(
        r'<select class="form-select"[^>]* name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'<option value="([^"]*)" ?selected', options)
        fields[name] = chosen[1] if chosen else ""
    checked = re.findall(r'type="checkbox" name="([^"]+)" value="([^"]+)" checked', page)
    several = [value for name, value in checked if name == "holders"]
    template = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]
    said = {name: unescape(value) for name, value in fields.items()} | dict(checked) | {"holders": several}
    return said | {"template": unescape(template).removeprefix("\n")}


def test_the_catalogue_lists_what_packs_brought(admin):
    page = admin.get("/admin/types").text
    assert f"/admin/types/{FOOD}" in page
    shown = admin.get(f"/admin/types/{FOOD}").text
    for said in ("食品经营许可证", "经营者名称", "第 1 版", "5 年", "随事项包"):
        assert said in shown
    template = admin.get(f"/admin/types/{FOOD}/1/template.html")
    assert template.content_type.startswith("text/plain")
    assert "<html" in template.text
    assert admin.get(f"/admin/types/{FOOD}/9/template.html").status_code == 404
    assert admin.get("/admin/types/nothing").status_code == 404


def test_a_form_sent_back_as_it_came_is_the_same_type(admin, office):
    reply = send(admin, "/admin/types", form=FORM, **typed(admin.get(FORM).text))
    assert reply.location == f"/admin/types/{FOOD}?published=2"
    with office.work(read_only=True) as work:
        new, old = types.versions(work, FOOD)
        assert (new.definition, new.template) == (old.definition, old.template)
    assert "已发布第 2 版" in admin.get(reply.location).text


def test_an_administrator_adds_a_type_and_a_field(admin, office):
    given = typed(admin.get(FORM).text) | {
        "code": "11100000000013338W999",
        "name_zh": "示例备案证明",
        "validity_years": "",
    }
    given |= {"name-10": "seats", "zh-10": "座位数", "en-10": "Seats", "kind-10": "number", "public-10": "1"}
    assert send(admin, "/admin/types", form=FORM, **given).status_code == 303
    with office.work(read_only=True) as work:
        definition, _ = types.newest(work, "11100000000013338W999")
        assert (definition.name.zh, definition.validity_years, definition.fields[-1].name) == (
            "示例备案证明",
            None,
            "seats",
        )
        assert (definition.fields[-1].kind, definition.fields[-1].public, definition.fields[-1].shared) == (
            "number",
            True,
            False,
        )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"validity_years": "five"}, "有效期（年）"),
        ({"name-1": "Operator!"}, "证照字段"),
        ({"template": "{{ licence.fields.nothing }}"}, "试制没有成功"),
        ({"name-11": "seats", "zh-11": "座位", "en-11": "Seats"}, "没有填写这个字段"),
        ({"holders": []}, "持证主体"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(admin, office, wrong, said):
    given = typed(admin.get(FORM).text) | wrong
    reply = send(admin, "/admin/types", form=FORM, **given)
    assert reply.status_code == 422
    assert said in reply.text
    again = typed(reply.text)
    assert again["basis"] == given["basis"]
    assert again["template"] == given["template"]
    with office.work(read_only=True) as work:
        assert len(types.versions(work, FOOD)) == 1


def test_a_signer_reissues_all_of_a_type_and_sees_how_far_it_is(cai, office, city):
    listed = cai.get("/window/reissues").text
    assert "1 张有效" in listed
    what = re.search(r'<option value="([^"]+)"', listed)[1]
    assert send(cai, "/window/reissues", form="/window/reissues", what=what).status_code == 422
    begun = send(cai, "/window/reissues", form="/window/reissues", what=what, **WHY)
    assert begun.status_code == 303
    assert "进行中" in cai.get(begun.location).text
    send(cai, begun.location, form=begun.location, act="halt")
    assert "已暂停" in cai.get(begun.location).text
    send(cai, begun.location, form=begun.location, act="go_on")
    workers.reissue(office)
    page = cai.get(begun.location).text
    assert "已完成" in page
    assert "1 / 1" in page
    assert "版本" in cai.get(f"/window/licences/{city.number}").text


def test_one_licence_is_reissued_at_the_window(cai, office, city):
    at = f"/window/licences/{city.number}"
    assert '<option value="reissue"' in cai.get(at).text
    reply = send(cai, at, form=at, deed="reissue", page_token="t", **WHY)
    assert reply.status_code == 303
    assert "第 2 版" in cai.get(at).text
    # Whoever holds up the old print is told why, and on which day as the law reckons days.
    assert "2026年9月25日</time> 证照样式调整。 (第二十九条)" in cai.get(f"/verify/{city.token}").text
