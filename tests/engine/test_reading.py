import time

import pytest

from approval.engine.diagrams import AdHoc, Event
from approval.expressions.formulas import Formula
from tests.engine.drawing import bpmn, el, els, errand, guard, path, timer
from tests.engine.reading import drawn, errors, judged, node, read

ROOTS = (
    '<message id="M" name="paid"/><signal id="S" name="stop"/><error id="E" errorCode="refused"/>'
    '<escalation id="X" escalationCode="late"/><signalEventDefinition id="shared" signalRef="S"/>'
)
COMPLEX = (
    "<complexBehaviorDefinition><condition>= votes > 2</condition><event>"
    '<signalEventDefinition id="d" signalRef="S"/></event></complexBehaviorDefinition>'
)
START = (els("s", "s"), els("e", "e"), path("s t e"))


def one(inner):
    return drawn(*START, inner, also=ROOTS)


@pytest.mark.parametrize(
    ("definition", "event"),
    [
        ('<messageEventDefinition messageRef="M"/>', Event("message", "paid")),
        ('<signalEventDefinition signalRef="S"/>', Event("signal", "stop")),
        ("<eventDefinitionRef>shared</eventDefinitionRef>", Event("signal", "stop")),
        ('<escalationEventDefinition escalationRef="X"/>', Event("escalation", "late")),
        ("<escalationEventDefinition/>", Event("escalation")),
        ('<linkEventDefinition name="on"/>', Event("link", "on")),
        ('<compensateEventDefinition activityRef="a" waitForCompletion="false"/>',
         Event("compensation", target="a")),
        ("", Event()),
    ],
)  # fmt: skip
def test_what_an_event_throws_is_read(definition, event):
    assert node(one(el("intermediateThrowEvent", "t", definition))).event == event


@pytest.mark.parametrize(
    ("text", "kind"),
    [("PT1.5S", "timeDuration"), ("2026-03-01T09:00:00Z", "timeDate"), ("R3/PT10S", "timeCycle"),
     ("0 0 9-17 * * MON-FRI", "timeCycle"), ("@daily", "timeCycle"), ('="PT1H"', "timeDuration"),
     ("R2/2026-03-01T09:00:00Z/P1D", "timeCycle")],
)  # fmt: skip
def test_timers_are_iso_8601_cron_or_feel(text, kind):
    source = one(el("intermediateCatchEvent", "t", timer(text, kind)))
    timing = node(source).event.timing
    assert (timing.kind, timing.text, timing.countdown, errors(source)) == (kind, text, None, [])


def test_several_definitions_are_any_or_all_of_them():
    two = '<messageEventDefinition messageRef="M"/><signalEventDefinition signalRef="S"/>'
    found = node(one(el("intermediateCatchEvent", "t", two, parallelMultiple="true")))
    assert ([event.kind for event in found.events], found.all_events) == (["message", "signal"], True)
    assert not node(one(el("intermediateCatchEvent", "t", two))).all_events


def test_an_error_without_a_reference_catches_any():
    found = drawn(*START, els("u", "t"), guard("b", "t", "<errorEventDefinition/>"), path("b e"))
    assert node(found, "b").event == Event("error")


def test_event_subprocesses_are_triggered_and_interrupt_or_not():
    inner = el("startEvent", "i", timer("P1D"), isInterrupting="false") + els("e", "x") + path("i x")
    source = drawn(*START, els("u", "t"), el("subProcess", "sub", inner, triggeredByEvent="true"))
    assert errors(source) == []
    assert node(source, "sub").triggered
    assert not node(source, "i").interrupting


def test_compensation_events_know_their_handlers():
    undo = el("userTask", "undo", isForCompensation="true")
    join = '<association id="as" sourceRef="b" targetRef="undo"/>'
    throw = el("intermediateThrowEvent", "c", "<compensateEventDefinition/>")
    source = drawn(
        els("s", "s"), els("u", "t"), guard("b", "t", "<compensateEventDefinition/>"), undo, join, throw,
        els("e", "e"), path("s t c e"),
    )  # fmt: skip
    assert judged(source) == []
    assert node(source, "b").handler == "undo"
    assert node(source, "undo").compensates


def test_transactions_are_cancelled_from_inside():
    inner = els("s", "i") + el("endEvent", "x", "<cancelEventDefinition/>") + path("i x")
    cancelled = guard("b", "t", "<cancelEventDefinition/>")
    assert errors(drawn(*START, el("transaction", "t", inner), cancelled, path("b e"))) == []


def test_standard_loops():
    inner = "<loopCondition>= again</loopCondition>"
    loop = el("standardLoopCharacteristics", "l", inner, testBefore="true", loopMaximum="3")
    found = node(one(el("userTask", "t", loop))).loop
    assert (found.kind, found.condition, found.before, found.most) == ("standard", Formula("again"), True, 3)


@pytest.mark.parametrize(
    ("behavior", "when", "throws"),
    [
        ('behavior="None" noneBehaviorEventRef="shared"', "none", (Event("signal", "stop"),)),
        ('behavior="One" oneBehaviorEventRef="shared"', "one", (Event("signal", "stop"),)),
        ('behavior="All"', "all", ()),
    ],
)  # fmt: skip
def test_instances_throw_events_as_they_complete(behavior, when, throws):
    inside = "<loopCardinality>3</loopCardinality><completionCondition>= done</completionCondition>"
    marker = f"<multiInstanceLoopCharacteristics {behavior}>{inside}</multiInstanceLoopCharacteristics>"
    loop = node(one(el("userTask", "t", marker))).loop
    assert (loop.when, loop.throws, loop.condition, loop.cardinality) == (when, throws, Formula("done"), Formula("3"))


def test_ad_hoc_subprocesses_need_no_order():
    inner = els("u", "a b") + "<completionCondition>= enough</completionCondition>"
    source = one(el("adHocSubProcess", "t", inner, ordering="Sequential", cancelRemainingInstances="false"))
    assert errors(source) == []
    assert node(source).ad_hoc == AdHoc(sequential=True, condition=Formula("enough"), cancels=False)


def test_receive_and_send_tasks_carry_their_message():
    assert node(one(el("receiveTask", "t", messageRef="M"))).events == (Event("message", "paid"),)
    assert node(one(el("sendTask", "t", messageRef="M"))).events == (Event("message", "paid"),)
    assert node(one(el("receiveTask", "t"))).events == (Event("message", "t"),)


def test_what_starts_a_process_may_be_a_receive_task_or_a_race():
    source = drawn(el("receiveTask", "t", messageRef="M", instantiate="true"), els("e", "e"), path("t e"), also=ROOTS)
    assert errors(source) == []
    assert [each.id for each in read(source).scopes["p"].starters()] == ["t"]
    caught = el("intermediateCatchEvent", "c", '<messageEventDefinition messageRef="M"/>')
    race = el("eventBasedGateway", "t", instantiate="true")
    assert errors(drawn(race, caught, els("e", "e"), path("t c e"), also=ROOTS)) == []


def test_global_tasks_are_processes_of_one_task():
    source = drawn(*START, el("callActivity", "t", calledElement="g"), also=el("globalUserTask", "g", name="复核"))
    assert errors(source) == []
    (task,) = read(source).scopes["g"].nodes.values()
    assert (task.id, task.kind, task.name) == ("g_task", "userTask", "复核")


def test_lanes_are_inherited_and_the_innermost_counts():
    lanes = (
        '<laneSet id="ls"><lane id="l1" name="city"><flowNodeRef>t</flowNodeRef><flowNodeRef>sub</flowNodeRef>'
        '<childLaneSet id="cl"><lane id="l2" name="fire"><flowNodeRef>t</flowNodeRef></lane></childLaneSet>'
        "</lane></laneSet>"
    )
    inner = els("s", "i") + els("u", "a") + path("i a")
    source = drawn(els("s", "s"), lanes, els("u", "t"), el("subProcess", "sub", inner), path("s t sub"))
    assert errors(source) == []
    assert [node(source, name).lane for name in ("t", "a")] == ["fire", "city"]


def test_token_quantities():
    found = node(one(el("userTask", "t", startQuantity="2", completionQuantity="3")))
    assert (found.takes, found.gives) == (2, 3)


@pytest.mark.parametrize(
    "parts",
    [
        # Conditions, splits and merges without gateways; starts and ends that are not drawn.
        (els("s", "s"), els("u", "a b c"), els("e", "e"), path("s a b e"), path("a c e")),
        (els("s", "s"), els("u", "t a b"), els("e", "e"), path("s t {x > 1} a e"), path("t b e")),
        (els("u", "a b"), path("a b")),
        (els("s", "s s2"), els("u", "a"), path("s a"), path("s2 a")),
        (els("s", "s"), els("x", "g h"), els("u", "a"), path("s g a h {x} g"), path("h {y} b"), els("e", "b")),
        (els("s", "s"), els("p", "f"), els("i", "j"), els("u", "a b"), els("e", "e"), path("s f a j e"), path("f b j")),
        (els("s", "s"), els("x", "g"), els("i", "j"), els("u", "a b"), els("e", "e"),
         path("s g {x} a j e"), path("g {y} b j")),
        (els("s", "s"), els("i", "g j"), els("u", "a b c"), els("e", "e"),
         path("s g {x} a j e"), path("g {y} b j"), path("g {z} c j")),
        (els("s", "s"), errand("a"), els("u", "b"), guard("t", "a", "<errorEventDefinition/>"), els("e", "e"),
         path("s a e"), path("t b e")),
        (els("s", "s"), el("intermediateThrowEvent", "t", '<linkEventDefinition name="x"/>'),
         el("intermediateCatchEvent", "c", '<linkEventDefinition name="x"/>'), els("u", "a"), path("s t"), path("c a")),
        (els("s", "s"), el("userTask", "a", completionQuantity="2"), el("userTask", "b", startQuantity="2"),
         path("s a b")),
        (els("s", "s"), el("subProcess", "t", els("s", "i") + els("u", "r") + path("i r r")), els("e", "e"),
         guard("b", "t", timer("P1D")), path("s t e"), path("b e")),
        (els("s", "s"), els("p", "f"), els("u", "a b"), el("endEvent", "e", "<terminateEventDefinition/>"),
         path("s f a e"), path("f b a")),
    ],
)  # fmt: skip
def test_what_bpmn_allows_is_allowed(parts):
    assert errors(drawn(*parts)) == []


def test_a_race_into_a_join_is_left_to_its_author():
    catches = "".join(
        el("intermediateCatchEvent", name, f'<messageEventDefinition messageRef="{ref}"/>')
        for name, ref in (("c", "M"), ("d", "N"))
    )
    also = f'{ROOTS}<message id="N" name="other"/>'
    gateways = (els("s", "s"), els("p", "f j"), els("b", "g"), els("u", "a"), els("e", "e x"))
    found = judged(drawn(*gateways, catches, path("s f g c j e"), path("f a j"), path("g d x"), also=also))
    assert [(fault.element, fault.level) for fault in found] == [("j", "warning")]
    both = (els("s", "s"), els("b", "g"), catches, els("p", "q"), els("e", "e"), path("s g c q e"), path("g d q"))
    assert [(fault.element, fault.level) for fault in judged(drawn(*both, also=also))] == [("q", "error")]


def test_a_task_behind_a_join_that_never_opens_is_named():
    parts = (els("s", "s"), els("x", "g"), els("p", "j"), els("u", "a b c"), els("e", "e"),
             path("s g {x} a j c e"), path("g {y} b j"))  # fmt: skip
    found = errors(drawn(*parts))
    assert [(fault.element, "ever reach" in fault.why) for fault in found] == [("j", False), ("c", True)]


def test_a_task_behind_a_condition_that_is_false_is_named():
    parts = (
        els("s", "s"),
        els("x", "g"),
        els("u", "a b"),
        els("e", "e"),
        path("s g {false} a e"),
        path("g {x > 1} b e"),
    )
    assert [(fault.element, "ever reach" in fault.why) for fault in errors(drawn(*parts))] == [("a", True)]


def test_the_walk_is_quick_and_bounded():
    wide = [f"t{number}" for number in range(60)]
    tasks = "".join(el("userTask", name) + guard(f"g{name}", name, timer("P1D"), interrupting=False) for name in wide)
    branches = (
        "".join(path(f"f {{x > 1}} {name} j") + path(f"g{name} k") for name in wide) + path("s f") + path("j k e")
    )
    chain = " ".join(f"u{number}" for number in range(170))
    begin = time.perf_counter()
    assert errors(drawn(els("s", "s"), els("i", "f j k"), tasks, els("e", "e"), branches)) == []
    assert errors(drawn(els("s", "s"), els("u", chain), els("e", "e"), path(f"s {chain} e"))) == []
    assert time.perf_counter() - begin < 3


def test_the_default_prefix_of_a_file_does_not_matter():
    source = bpmn(*START, els("u", "t")).replace(b"xmlns=", b"xmlns:bpmn2=")
    for tag in (b"definitions", b"process", b"startEvent", b"endEvent", b"userTask", b"sequenceFlow"):
        source = source.replace(b"<" + tag, b"<bpmn2:" + tag).replace(b"</" + tag, b"</bpmn2:" + tag)
    assert errors(source) == []
