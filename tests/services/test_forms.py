"""Answers are checked against their form: every fault a code at its place, nothing crashes, nothing is guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain.answers import read_form
from approval.paths import WORKFLOWS
from approval.services import forms, packs
from tests.kit.samples import ITEM, RESTAURANT, RETAIL

FORMS = packs.read(packs.from_folder(WORKFLOWS / ITEM)).forms
ROW = {"what": "materials.layout_plan", "problem": "没有标明贮存区。", "how": "补画。"}
CODES = {
    "required", "wrong-form", "too-long", "too-short", "out-of-range", "not-a-number", "not-a-choice", "not-a-date",
    "too-many", "not-asked-for",
}  # fmt: skip


def faults(answers, form="filing"):
    return {(missing.where, missing.why) for missing in forms.check(FORMS[form], answers)[1]}


def test_whole_answers_come_back_clean():
    cleaned, missing = forms.check(FORMS["filing"], RESTAURANT | {"representative": "  陈示例 ", "dining_area": 180.5})
    assert missing == []
    assert (cleaned["representative"], cleaned["dining_area"], cleaned["seats"]) == ("陈示例", 180.5, 60)
    assert (cleaned["open_flame"], cleaned["near_school"]) == (True, False)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"staff": "many"}, "not-a-number"),
        ({"staff": "NaN"}, "not-a-number"),
        ({"staff": "sNaN"}, "not-a-number"),
        ({"staff": "Infinity"}, "not-a-number"),
        ({"staff": "1e400"}, "not-a-number"),
        ({"staff": "1e999999999"}, "not-a-number"),
        ({"staff": True}, "not-a-number"),
        ({"staff": "２"}, None),
        ({"staff": 2.5}, "not-a-number"),
        ({"staff": [2]}, "wrong-form"),
        ({"staff": 10_001}, "out-of-range"),
        ({"staff": None}, "required"),
        ({"business_form": ["1", "2"]}, "wrong-form"),
        ({"business_form": "4"}, "not-a-choice"),
        ({"activities": ["bulk", "weapons"]}, "not-a-choice"),
        ({"activities": [{"bulk": 1}]}, "wrong-form"),
        ({"activities": []}, "required"),
        ({"representative": {"a": 1}}, "wrong-form"),
        ({"representative": "陈\0示例"}, "wrong-form"),
        ({"representative": "\ud800"}, "wrong-form"),
        ({"representative": "陈\n示例"}, "wrong-form"),
        ({"representative": "长" * 51}, "too-long"),
        ({"contact_phone": "0595"}, "wrong-form"),
        ({"representative": " \u3000 "}, "required"),
    ],
)
def test_what_is_wrong_is_told_by_a_code_at_its_place(change, fault):
    (key,) = change
    assert faults(RETAIL | change) == ({(f"answers.{key}", fault)} if fault else set())


@pytest.mark.article("行政许可法#31")
def test_article_31_only_what_the_catalogue_and_the_form_ask_for_can_be_asked_for():
    (what,) = [row for rows in FORMS["formal-check"].fields for row in rows.fields if row.key == "what"]
    offered = {option.value: option.label for option in what.options}
    assert offered["materials.safety_rules"] == "保证食品安全的规章制度"
    assert offered["answers.premises"] == "经营场所"
    assert len(offered) == 5 + len(FORMS["filing"].fields)


def test_rows_are_judged_one_by_one():
    rows = [ROW, {**ROW, "how": ""}, {**ROW, "what": "一份目录以外的材料"}]
    assert faults({"result": "incomplete", "missing": rows}, "formal-check") == {
        ("answers.missing[2].how", "required"),
        ("answers.missing[3].what", "not-a-choice"),
    }


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([ROW] * 101, "too-many"),
        ([ROW, 5], "wrong-form"),
        ([{**ROW, "secret": 1}], "wrong-form"),
        (ROW, "wrong-form"),
        ("x", "wrong-form"),
        ([], "required"),
    ],
)
def test_no_row_is_lost_in_silence(rows, fault):
    assert faults({"result": "incomplete", "missing": rows}, "formal-check") == {("answers.missing", fault)}


def test_no_row_within_a_row_is_lost_in_silence():
    parts = {"type": "dynamiclist", "path": "parts", "components": [{"type": "textfield", "key": "name"}]}
    rooms = {"type": "dynamiclist", "path": "rooms", "components": [parts]}
    form = read_form("x.json", json.dumps({"id": "x", "components": [rooms]}).encode())

    def answers(rows):
        return {"rooms": [{"parts": [{"name": "灶台"}] * rows}]}

    cleaned, missing = forms.check(form, answers(100))
    assert (len(cleaned["rooms"][0]["parts"]), missing) == (100, [])
    _, missing = forms.check(form, answers(101))
    assert [(fault.where, fault.why) for fault in missing] == [("answers.rooms", "too-many")]


def test_only_choices_numbers_and_yes_or_no_reach_the_procedure():
    form = FORMS["formal-check"]
    cleaned, _ = forms.check(form, {"result": "incomplete", "missing": [ROW]})
    assert cleaned["missing"] == [{**ROW, "basis": ""}]
    assert forms.choices(form, cleaned) == {"result": "incomplete"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*RETAIL, "seats", "open_flame", "x"]), _JSON))
def test_no_json_in_the_world_crashes_a_form(change):
    cleaned, missing = forms.check(FORMS["filing"], RETAIL | change)
    assert {fault.why for fault in missing} <= CODES
    assert missing or set(cleaned) >= {"representative", "staff"}
