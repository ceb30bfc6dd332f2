"""What strangers' models may cost and where they end: found by somebody who meant ill, and bounded since."""

import pytest

from approval import engine
from approval.domain.errors import PackRefused, Refusal
from approval.engine import runs
from approval.expressions import feel, juel, meters
from tests.engine.drawing import NOW, Walk, bpmn, define, el, els, path, process, timer


def script(name, text):
    return el("scriptTask", name, f"<script>{text}</script>", scriptFormat="python")


def test_scripts_that_take_too_long_together_end_as_no_way_on(monkeypatch):
    monkeypatch.setattr(runs, "SECONDS", 0.0)
    definition = define(els("s", "s"), script("a", "x = 1"), script("b", "y = 2"), els("e", "e"), path("s a b e"))
    with pytest.raises(engine.NoWayOn, match="longer than") as stopped:
        Walk(definition)
    assert stopped.value.facts["element"] == "a"


def test_scripts_that_make_too_much_end_as_no_way_on(monkeypatch):
    monkeypatch.setattr(runs, "MADE", 1000)
    definition = define(els("s", "s"), script("a", "x = 'a' * 2000"), els("u", "b"), els("e", "e"), path("s a b e"))
    with pytest.raises(engine.NoWayOn, match="bytes") as stopped:
        Walk(definition)
    assert stopped.value.facts["element"] == "a"


def test_a_meter_counts_what_fails_too():
    before = meters.read()
    with pytest.raises(Refusal):
        feel.evaluate("for i in 1..100000000 return i", {})
    assert meters.read().seconds - before.seconds > 0.1


def test_what_fails_in_a_script_names_its_element():
    definition = define(els("s", "s"), els("u", "a"), script("b", "x = missing"), els("e", "e"), path("s a b e"))
    walk = Walk(definition)
    with pytest.raises(Refusal) as refused:
        walk.do("a")
    assert refused.value.facts["element"] == "b"


def test_two_inclusive_joins_upstream_of_each_other_are_refused():
    with pytest.raises(PackRefused) as refused:
        define(
            els("s", "s"), els("p", "F"), els("u", "A B C D"), els("i", "J1 J2"), els("e", "e f"),
            el("exclusiveGateway", "X1", default="X1__e"), el("exclusiveGateway", "X2", default="X2__f"),
            path("s F A J1 X1 e"), path("F B J2 X2 f"), path("X1 {again = true} C J2"), path("X2 {again = true} D J1"),
        )  # fmt: skip
    assert {fault.element for fault in refused.value.facts["faults"]} >= {"J1", "J2"}


def test_a_case_that_nothing_can_move_any_more_is_told_at_once():
    # The timer lets three tokens go, and the join behind it waits for as many from the other side.
    again = el("intermediateCatchEvent", "t", timer("R3/PT10S", "timeCycle"))
    definition = define(
        els("s", "s"), els("p", "f"), els("u", "A"), again, els("p", "j"), els("e", "e"),
        path("s f A j e"), path("f t j"),
    )  # fmt: skip
    walk = Walk(definition).do("A").fire("t").fire("t")
    with pytest.raises(engine.NoWayOn, match="for ever") as stopped:
        walk.fire("t")
    assert stopped.value.facts["element"] == "j"


def test_a_signal_that_starts_who_throws_it_ends_soon():
    ring = '<signalEventDefinition signalRef="S"/>'
    sender = (els("s", "s"), el("intermediateThrowEvent", "t", ring), els("e", "e"), path("s t e"))
    answer = el("startEvent", "qs", ring) + el("intermediateThrowEvent", "qt", ring) + path("qs qt qe") + els("e", "qe")
    source = bpmn(*sender, also='<signal id="S" name="go"/>' + process("q", answer))
    with pytest.raises(engine.NoWayOn, match="steps at once"):
        engine.start(engine.load({"p.bpmn": source}, "p"), {}, now=NOW)


@pytest.mark.parametrize("number", ["1e3", "2E2 + 1", "1.5e-3 > 1", "[1e1]"])
def test_a_number_with_an_exponent_is_refused_and_not_cut(number):
    with pytest.raises(feel.ExpressionRefused, match="exponent"):
        feel.check(number)


def test_half_a_character_is_refused():
    with pytest.raises(feel.ValueRefused):
        feel.evaluate('substring("😀", 1, 1) + "\\uD83D"', {})


@pytest.mark.parametrize(("index", "found"), [(-1, 3), (0, 1), (2, 3), (-3, 1)])
def test_an_index_counts_as_python_does(index, found):
    condition = juel.translate("xs[i] == wanted", python=True)
    assert feel.holds(condition, {"xs": [1, 2, 3], "i": index, "wanted": found})


def test_an_id_that_begins_with_a_full_stop_is_refused():
    with pytest.raises(PackRefused) as refused:
        define(els("s", "s"), el("userTask", ".Listen X"), els("e", "e"), path("s e"))
    assert any("full stop" in fault.why for fault in refused.value.facts["faults"])


def test_an_element_of_many_attributes_is_refused():
    many = {f"a{number}": "x" for number in range(501)}
    with pytest.raises(PackRefused) as refused:
        define(els("s", "s"), el("userTask", "a", **many), els("e", "e"), path("s a e"))
    assert any("attributes" in fault.why for fault in refused.value.facts["faults"])


def test_two_plain_starts_are_a_warning():
    definition = define(els("s", "s1 s2"), els("u", "a b"), els("e", "e f"), path("s1 a e"), path("s2 b f"))
    assert ("s2", "warning") in {(fault.element, fault.level) for fault in definition.warnings}


def test_a_compensation_that_would_not_wait_is_a_warning():
    undo = '<compensateEventDefinition waitForCompletion="false"/>'
    with pytest.raises(PackRefused) as refused:
        define(els("s", "s"), els("u", "a"), el("intermediateThrowEvent", "t", undo), els("e", "e"), path("s a t e"))
    told = {fault.level: fault.why for fault in refused.value.facts["faults"]}
    assert "waitForCompletion" in told["warning"]
