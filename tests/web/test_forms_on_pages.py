"""Forms of packs on pages: every kind of question drawn and read, rows added and dropped, faults beside their field."""

import json
import re
from html import unescape

import pytest
from sqlalchemy import select

from approval.models.drafts import Draft
from approval.paths import WORKFLOWS
from approval.services import packs
from approval.web.forms import anchor
from tests.kit.pages import form_token
from tests.kit.samples import ITEM
from tests.web.conftest import send

ENGLISH = {"Accept-Language": "en"}


def question(kind, key, label, english, **more):
    required = {"validate": {"required": True, **more.pop("validate", {})}}
    return {"type": kind, "id": key, "key": key, "label": label, "properties": {"en": english}, **required, **more}


CHOICES = [{"label": "甲", "value": "a"}, {"label": "乙", "value": "b"}]
EVERYTHING = {
    "type": "default",
    "id": "filing",
    "components": [
        {
            "type": "group",
            "id": "check",
            "label": "各种问题",
            "properties": {"en": "All kinds"},
            "components": [
                question("select", "grade", "等级", "Grade", values=CHOICES),
                question("checklist", "parts", "部分", "Parts", values=CHOICES),
                question("datetime", "opened_on", "开业日期", "Opened on", subtype="date"),
                question("textarea", "story", "说明", "Story", conditional={"hide": '=grade != "b"'}),
                {
                    "type": "dynamiclist",
                    "id": "cooks",
                    "path": "cooks",
                    "label": "厨师",
                    "properties": {"en": "Cooks"},
                    "components": [question("textfield", "name", "姓名", "Name", validate={"maxLength": 5})],
                },
            ],
        }
    ],
}


@pytest.fixture
def page(office, signed_in):
    """A section with every kind of question, its key the same as a page's own word."""
    with office.work() as work:
        files = packs.from_folder(WORKFLOWS / ITEM)
        toml = re.sub(rb"(?ms)^\[facts\].*?(?=^\[lanes\])", b"", files["item.toml"])
        toml = toml.replace(b'when = "answers.staff > 0"', b'when = "answers.grade = \\"b\\""')
        files = {path: content for path, content in files.items() if not path.startswith("scenarios/")}
        kept = {**files, "item.toml": toml, "forms/filing.json": json.dumps(EVERYTHING).encode()}
        packs.deploy(work, packs.read(kept))
    client = signed_in("chen")
    draft = send(client, f"/items/{ITEM}/begin", form="/my/cases").location
    return client, f"{draft}/answers/check"


SHOWN = ["grade", "parts", "opened_on", "cooks"]


def post(page, *, do="", shown=SHOWN, **answers):
    client, path = page
    fields = {f"answers.{name.replace('__', '-')}": value for name, value in answers.items()}
    return send(client, path, form=path, shown=shown, do=do, **fields)


def rows(text):
    return re.findall(r'name="answers\.cooks-\d+-name" value="([^"]*)"', unescape(text))


def kept(office):
    with office.work(read_only=True) as work:
        (answers,) = work.session.scalars(select(Draft.answers))
    return answers


def test_every_kind_of_question_is_drawn_with_its_label(page):
    client, path = page
    text = client.get(path).text
    for field in ('<select class="form-select" id="answers.grade"', 'type="checkbox"', 'type="date"', "增加一项"):
        assert field in text
    english = client.get(path, headers=ENGLISH).text
    for label in ("All kinds", "Grade", "Parts", "Opened on", "Cooks"):
        assert label in english
    assert "answers.story" not in text


def test_answers_come_back_into_their_fields(page, office):
    reply = post(page, grade="a", parts=["a", "b"], opened_on="2026-09-01", cooks__0__name="陈")
    assert reply.status_code == 303
    assert kept(office) == {"grade": "a", "parts": ["a", "b"], "opened_on": "2026-09-01", "cooks": [{"name": "陈"}]}
    client, path = page
    text = client.get(path).text
    assert '<option value="a" selected>' in text
    assert text.count("checked") == 2
    assert 'value="2026-09-01"' in text
    assert rows(text) == ["陈"]
    check = client.get(path.replace("answers/check", "check")).text
    for told in ("甲", "乙", "2026-09-01", "姓名 陈"):
        assert told in check


def test_rows_are_added_and_dropped_without_losing_what_was_typed(page, office):
    reply = post(page, do="add:cooks", cooks__0__name="陈", grade="a")
    assert (reply.status_code, rows(reply.text)) == (200, ["陈", ""])
    assert 'class="problem"' not in reply.text, "nobody is told off for asking for another row"
    reply = post(page, do="drop:cooks:0", cooks__0__name="陈", cooks__1__name="林", grade="a")
    assert (reply.status_code, rows(reply.text)) == (200, ["林"])
    assert kept(office)["cooks"] == [{"name": "林"}]


@pytest.mark.parametrize("do", ["drop:cooks:9", "drop:cooks:-1", "drop:cooks:x", "drop:grade:0", "add:nothing", "add:"])
def test_nonsense_about_rows_changes_none(page, do):
    reply = post(page, do=do, cooks__0__name="陈")
    assert (reply.status_code, rows(reply.text)) == (200, ["陈"])


def test_a_question_that_an_answer_brings_up_is_asked_before_going_on(page):
    reply = post(page, grade="b", parts="a", opened_on="2026-09-01")
    assert reply.status_code == 200
    assert 'id="answers.story"' in reply.text
    assert 'class="problem"' not in reply.text
    shown = [*SHOWN, "story"]
    reply = post(page, shown=shown, grade="b", parts="a", opened_on="2026-09-01")
    assert reply.status_code == 422
    assert 'href="#answers.story"' in reply.text
    assert post(page, shown=shown, grade="b", parts="a", opened_on="2026-09-01", story="有").status_code == 303


def test_what_is_wrong_in_a_row_is_told_with_its_number_and_field(page):
    reply = post(page, grade="a", parts="a", opened_on="soon", cooks__0__name="陈", cooks__1__name="很长很长很长")
    assert reply.status_code == 422
    text = reply.text
    for told in (
        'href="#answers.cooks-1-name"',
        'id="answers.cooks-1-name"',
        "厨师 · 第 2 项 · 姓名：太长了",
        "请填写日期",
    ):
        assert told in text
    client, path = page
    token = form_token(text)
    fields = {"csrf_token": token, "shown": SHOWN, "answers.cooks-0-name": "", "answers.grade": "a"}
    problem = re.search(
        r'<div class="problem".*?</div>', client.post(path, data=fields, headers=ENGLISH).text, re.DOTALL
    )
    assert "Cooks · " in problem[0]
    assert not re.search("[\u4e00-\u9fff]", problem[0])


def test_five_thousand_rows_are_too_many_and_break_nothing(page):
    client, path = page
    more = {f"answers.cooks-{number}-name": "x" for number in range(5000)}
    reply = send(client, path, form=path, shown=SHOWN, **more, **{"answers.grade": "a"})
    assert reply.status_code == 422
    assert "太多了" in reply.text
    assert client.get(path).status_code == 200
    assert client.get(path.replace("/answers/check", "/check")).status_code == 200


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("answers.staff", "answers.staff"),
        ("answers.rows[1].name", "answers.rows-0-name"),
        ("answers.rows[12]", "answers.rows-11"),
        ("answers.rows[2].parts[1].name", "answers.rows-1-parts-0-name"),
    ],
)
def test_a_fault_points_at_the_id_of_its_field(where, place):
    assert anchor(where) == place
