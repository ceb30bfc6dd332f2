"""Form schemas: what cannot be checked is refused when its pack is deployed, all faults at once."""

import json

import pytest

from approval.domain.answers import Option, read_form
from approval.domain.errors import PackRefused

FILE = "forms/x.json"


def form(*components, **rest):
    return json.dumps({"id": "x", "components": components, **rest}).encode()


def refused(source):
    with pytest.raises(PackRefused) as refusal:
        read_form(FILE, source)
    faults = refusal.value.facts["faults"]
    assert {fault.file for fault in faults} == {FILE}
    return [(fault.element, fault.why) for fault in faults]


def test_questions_are_read_in_order_out_of_their_groups():
    title = {"type": "text", "text": "标题"}
    inner = {"type": "textfield", "key": "name", "label": "姓名", "validate": {"required": True, "maxLength": 9}}
    last = {"type": "radio", "key": "kind", "label": "类型", "values": [{"value": "1", "label": "一"}]}
    group = {"type": "group", "components": [inner], "conditional": {"hide": "=kind = null"}}
    name, kind = read_form(FILE, form(title, group, last)).fields
    assert (name.key, name.required, name.limits, name.hidden_when) == ("name", True, {"maxLength": 9}, "kind = null")
    assert (kind.key, kind.required, kind.options, kind.hidden_when) == ("kind", False, (Option("1", "一", "一"),), "")


def test_a_choice_says_what_it_means_for_granting():
    values = [{"value": value, "label": value} for value in ("pass", "fail", "return")]
    question = {"type": "radio", "key": "result", "values": values}
    read = read_form(FILE, form(question | {"properties": {"stance.pass": "for", "stance.fail": "against"}}))
    stances = [read.stance({"result": value}) for value in ("pass", "fail", "return", None)]
    assert stances == ["for", "against", None, None]
    for wrong in ("perhaps", [], {}, 1):
        ((where, why),) = refused(form(question | {"properties": {"stance.pass": wrong}}))
        assert (where, "stance.pass" in why) == ("result", True)
    ((_, why),) = refused(form(question | {"properties": {"stance.perhaps": "for"}}))
    assert "stance.perhaps" in why, "no choice has this value"


def test_a_condition_of_its_own_counts_before_that_of_the_group():
    inner = {"type": "textfield", "key": "name", "conditional": {"hide": "=b"}}
    (name,) = read_form(FILE, form({"type": "group", "components": [inner], "conditional": {"hide": "=a"}})).fields
    assert name.hidden_when == "b"


def test_all_faults_of_a_schema_are_told_at_once():
    faults = refused(
        form(
            {"type": "script", "key": "evil"},
            {"type": "textfield", "id": "nameless"},
            {"type": "number", "key": "twice"},
            {"type": "number", "key": "twice"},
            {"type": "dynamiclist", "path": "rows", "components": [{"type": "file", "key": "inner"}]},
        )
    )
    assert faults == [
        ("evil", "field type 'script' is not offered here"),
        ("nameless", "a field without a key"),
        ("inner", "field type 'file' is not offered here"),
        ("twice", "this key is used twice"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b'{"id": "x"}',
        b'{"components": []}',
        b'{"id": ["x"], "components": []}',
        b'{"id": "x", "components": {}}',
        b'{"id": "x", "components": ["a"]}',
        b'{"id": "x", "components": [null]}',
        b'{"id": "x", "components": [{"type": ["textfield"], "key": "a"}]}',
        b'{"id": "x", "components": [{"type": "textfield", "key": ["a"]}]}',
        b'{"id": "x", "components": [{"type": "textfield", "key": "a", "validate": []}]}',
        b'{"id": "x", "components": [{"type": "textfield", "key": "a", "conditional": {"hide": 7}}]}',
        b'{"id": "x", "components": [{"type": "radio", "key": "a", "values": [{"label": "b"}]}]}',
        b'{"id": "x", "components": [{"type": "radio", "key": "a", "values": "b"}]}',
        b'{"id": "x", "components": [{"type": "group", "components": "b"}]}',
        b"[" * 100_000,
    ],
    ids=lambda source: source[:70].decode("latin-1"),
)
def test_what_is_no_schema_is_refused_and_never_a_crash(source):
    assert refused(source)


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("textfield", {"maxLength": -1}),
        ("textfield", {"maxLength": 0}),
        ("textfield", {"minLength": -1}),
        ("textfield", {"maxLength": 10_001}),
        ("textfield", {"minLength": 3, "maxLength": 2}),
        ("number", {"min": float("nan")}),
        ("number", {"max": float("inf")}),
        ("number", {"max": 10**400}),
        ("number", {"min": 3, "max": 2}),
    ],
)
def test_a_limit_that_no_answer_could_keep_is_refused(kind, limits):
    assert [where for where, _ in refused(form({"type": kind, "key": "a", "validate": limits}))] == ["a"]


@pytest.mark.parametrize("digits", [-1, 7, 10**9])
def test_digits_behind_the_point_are_few(digits):
    assert refused(form({"type": "number", "key": "a", "decimalDigits": digits}))


@pytest.mark.parametrize("kind", ["group", "dynamiclist"])
def test_a_schema_is_nested_as_deep_as_people_can_follow(kind):
    def nested(depth):
        component = {"type": "textfield", "key": "a"}
        for _ in range(depth):
            component = {"type": kind, "path": "p", "components": [component]}
        return form(component)

    assert read_form(FILE, nested(9))
    ((_, why),) = refused(nested(300))
    assert why == "nested deeper than 10"


def test_a_key_twice_in_a_row_is_refused():
    twice = {"type": "dynamiclist", "path": "rows", "components": [{"type": "number", "key": "a"}] * 2}
    assert refused(form(twice)) == [("a", "this key is used twice")]


@pytest.mark.parametrize("form_id", ["", "a" * 81, "a\0"])
def test_the_id_of_a_form_fits_its_column(form_id):
    assert [where for where, _ in refused(json.dumps({"id": form_id, "components": []}).encode())] == ["id"]


@pytest.mark.parametrize(
    "component",
    [
        {"type": "number", "key": "a\0"},
        {"type": "number", "key": "a", "label": "\ud800"},
        {"type": "radio", "key": "a", "values": [{"value": "\0", "label": "b"}]},
    ],
)
def test_what_nobody_sees_is_refused(component):
    assert refused(form(component))
