import itertools

import pytest

from approval import engine
from approval.domain.errors import NotFound, OutOfTurn
from approval.expressions.feel import ExpressionRefused
from tests.engine.drawing import (
    NOW,
    Walk,
    bpmn,
    call,
    define,
    el,
    els,
    errand,
    extension,
    guard,
    path,
    process,
    rule,
    timer,
)

MESSAGE = '<message id="M" name="paid"/><signal id="S" name="stop"/><error id="E" errorCode="refused"/>'
PAID = '<messageEventDefinition messageRef="M"/>'
STOP = '<signalEventDefinition signalRef="S"/>'
REFUSED = '<errorEventDefinition errorRef="E"/>'
TABLE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
<decision id="visit"><decisionTable id="t"><input id="i"><inputExpression><text>area</text></inputExpression></input>
<output id="o" name="needed"/><rule id="r1"><inputEntry><text>> 100</text></inputEntry>
<outputEntry><text>true</text></outputEntry><annotationEntry><text>大于一百平方米</text></annotationEntry></rule>
<rule id="r2"><inputEntry><text>&lt;= 100</text></inputEntry><outputEntry><text>false</text></outputEntry></rule>
</decisionTable></decision></definitions>""".replace("<text>> 100", "<text>&gt; 100").encode()


def test_a_case_goes_from_start_to_end():
    walk = Walk(define(els("s", "s"), els("u", "a"), els("m", "b"), els("e", "e"), path("s a b e")), seats=3)
    assert walk.open == ["a"]
    assert walk.do("a", ok=True).open == ["b"]
    assert walk.do("b").now.finished
    assert walk.trail == [("s",), ("a",), ("b", "e")]
    assert walk.now.data == {"seats": 3, "a": {"ok": True}, "b": {}}


def test_a_task_tells_who_acts_on_what():
    form = extension(
        '<zeebe:formDefinition formId="intake"/>'
        '<zeebe:properties><zeebe:property name="role" value="window"/></zeebe:properties><zeebe:userTask/>'
    )
    lanes = (
        '<laneSet id="ls"><lane id="l1" name="行政审批局"><flowNodeRef>a</flowNodeRef><childLaneSet id="c">'
        '<lane id="l2" name="综合窗口"><flowNodeRef>a</flowNodeRef></lane></childLaneSet></lane></laneSet>'
    )
    definition = define(lanes, els("s", "s"), el("userTask", "a", form, name="受理"), els("e", "e"), path("s a e"))
    (task,) = Walk(definition, seats=3).now.tasks
    assert (task.name, task.lane, task.form, task.process) == ("受理", "综合窗口", "intake", "p")
    assert (task.properties, task.data) == ({"role": "window"}, {"seats": 3})
    assert definition.tasks == {"a": ("受理", "综合窗口", "intake", {"role": "window"})}
    assert (definition.lanes, definition.forms, definition.process) == ({"综合窗口"}, {"intake"}, "p")


def test_a_service_task_comes_out_as_an_errand_and_waits():
    definition = define(els("s", "s"), errand("n", "notify"), els("e", "e"), path("s n e"))
    walk = Walk(definition)
    assert [(each.element, each.errand) for each in walk.now.errands] == [("n", "notify")]
    assert definition.errands == {"n": "notify"}
    assert walk.do("n", sent=1).now.data == {"n": {"sent": 1}}
    assert walk.now.finished


@pytest.mark.parametrize(("seats", "way"), [(1, "small"), (5, "large"), (50, "huge")])
def test_one_way_is_chosen(seats, way):
    definition = define(
        els("s", "s"), el("exclusiveGateway", "g", default="g__small"), els("u", "small large huge"), els("e", "e"),
        path("s g small e"), path("g {seats > 10} huge e"), path("g {seats > 3} large e"),
    )  # fmt: skip
    assert Walk(definition, seats=seats).open == [way]


def test_no_way_on_is_refused_and_nothing_moves():
    definition = define(
        els("s", "s"), els("u", "a b c"), els("x", "g"), els("e", "e"),
        path("s a g"), path("g {a.n > 1} b e"), path("g {a.n < 0} c e"),
    )  # fmt: skip
    walk = Walk(definition)
    before = walk.now.state
    with pytest.raises(engine.NoWayOn, match="'g'"):
        walk.do("a", n=1)
    with pytest.raises(ExpressionRefused, match=r"a\.n > 1"):
        walk.do("a", m=3)
    assert walk.now.state == before
    assert walk.do("a", n=-1).open == ["c"]


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_three_branches_keep_all_their_votes_in_every_order(order):
    votes = {"a": "agree", "b": "reject", "c": "agree"}
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "a b c d"), els("e", "e"),
        path("s f a j d e"), path("f b j"), path("f c j"),
    )  # fmt: skip
    walk = Walk(definition, shared={"list": [1]})
    for name in order:
        assert "d" not in walk.open
        walk.do(name, vote=votes[name], shared=walk.now.tasks[0].data["shared"])
    assert walk.open == ["d"]
    assert {name: walk.now.data[name]["vote"] for name in "abc"} == votes
    assert walk.now.data["shared"] == {"list": [1]}


def test_what_a_caller_changes_in_its_hands_stays_there():
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "a b"), els("e", "e"), path("s f a j e"), path("f b j")
    )
    facts, outcome = {"x": [1]}, {"y": [1]}
    first = engine.start(definition, facts, now=NOW)
    facts["x"].append(2)
    first.tasks[0].data["x"].append(3)
    assert first.tasks[1].data == {"x": [1]}
    second = engine.complete(definition, first.state, first.tasks[0].id, outcome, now=NOW)
    outcome["y"].append(2)
    assert second.data == {"x": [1], "a": {"y": [1]}}


def test_a_parallel_join_in_a_loop_waits_for_both_each_time():
    definition = define(
        els("s", "s"), els("x", "m"), els("p", "f j o oj"), els("u", "a b other"), els("e", "e"),
        el("exclusiveGateway", "g", default="g__oj"),
        path("s o m f a j g oj e"), path("f b j"), path("g {a.again = true} m"), path("o other oj"),
    )  # fmt: skip
    walk = Walk(definition)
    for first, second in (("a", "b"), ("b", "a"), ("a", "b")):
        assert walk.do(first, again=True).open == sorted(["other", second])
        assert walk.do(second, again=True).open == ["a", "b", "other"]
    walk.do("a", again=False).do("b")
    assert walk.open == ["other"]
    assert walk.do("other").now.finished


@pytest.mark.parametrize(("wanted", "open_"), [((1, 0), ["a"]), ((0, 1), ["b"]), ((1, 1), ["a", "b"]), ((0, 0), ["c"])])
def test_an_inclusive_gateway_waits_for_what_it_started(wanted, open_):
    definition = define(
        els("s", "s"), el("inclusiveGateway", "f", default="f__c"), els("i", "j"), els("u", "a b c d"), els("e", "e"),
        path("s f {wa = 1} a j d e"), path("f {wb = 1} b j"), path("f c j"),
    )  # fmt: skip
    walk = Walk(definition, wa=wanted[0], wb=wanted[1])
    assert walk.open == open_
    for name in open_:
        assert "d" not in walk.open
        walk.do(name)
    assert walk.open == ["d"]
    assert walk.do("d").now.finished


def test_an_inclusive_join_waits_for_a_token_that_is_still_far_away():
    definition = define(
        els("s", "s"), els("p", "f"), els("i", "j"), els("u", "a b1 b2 d"), els("e", "e"),
        path("s f a j d e"), path("f b1 b2 j"),
    )  # fmt: skip
    walk = Walk(definition).do("a")
    assert walk.open == ["b1"]
    assert walk.do("b1").open == ["b2"]
    assert walk.do("b2").open == ["d"]


def test_a_decision_is_kept_with_its_rules():
    definition = define(
        els("s", "s"), rule("r", "visit", "visit_needed"), els("u", "a b"), els("e", "e"),
        el("exclusiveGateway", "g", default="g__b"),
        path("s r g"), path("g {visit_needed.result = true} a e"), path("g b e"), **{"v.dmn": TABLE},
    )  # fmt: skip
    assert definition.decisions == {"visit"}
    walk = Walk(definition, area=120)
    assert walk.open == ["a"]
    cited = {"id": "r1", "annotation": "大于一百平方米", "decision": "visit"}
    assert walk.now.data["visit_needed"] == {"result": True, "rules": [cited]}
    assert Walk(definition, area=20).open == ["b"]


CALLED = process("opinion", els("s", "s"), els("u", "ask"), els("e", "e"), path("s ask e"))


def test_a_called_process_sees_and_hands_back():
    definition = define(
        process("p", els("s", "s"), els("u", "a z"), call("c", "opinion"), els("e", "e"), path("s a c z e")), CALLED
    )
    walk = Walk(definition, seats=3).do("a", n=1)
    (task,) = walk.now.tasks
    assert (task.element, task.process, task.data) == ("ask", "opinion", {"seats": 3, "a": {"n": 1}})
    walk.do("ask", vote="agree")
    assert walk.now.data == {"seats": 3, "a": {"n": 1}, "ask": {"vote": "agree"}, "c": {"ask": {"vote": "agree"}}}
    assert walk.now.trail == ("ask", "e", "c")
    assert walk.do("z").now.finished


def test_one_process_called_three_times_at_once_keeps_three_opinions():
    definition = define(
        process(
            "p", els("s", "s"), els("p", "f j"), call("c1", "opinion"), call("c2", "opinion"), call("c3", "opinion"),
            els("u", "z"), els("e", "e"), path("s f c1 j z e"), path("f c2 j"), path("f c3 j"),
        ),
        CALLED,
    )  # fmt: skip
    walk = Walk(definition)
    for number, vote in enumerate(["agree", "reject", "agree"]):
        walk.do("ask", vote=vote, number=number)
    assert [walk.now.data[name]["ask"]["vote"] for name in ("c1", "c2", "c3")] == ["agree", "reject", "agree"]
    assert walk.open == ["z"]


def test_a_sub_process_shares_its_hosts_names():
    inner = (
        els("s", "s2") + els("u", "a") + el("exclusiveGateway", "g", default="g__b") + els("u", "b c") + els("e", "e2")
    )
    inner += path("s2 a g") + path("g {a.x = n} c e2") + path("g b e2")
    walk = Walk(
        define(els("s", "s"), el("subProcess", "sp", inner), els("u", "z"), els("e", "e"), path("s sp z e")), n=4
    )
    walk.do("a", x=4)
    assert walk.open == ["c"]
    assert walk.do("c").now.data == {"n": 4, "a": {"x": 4}, "c": {}}
    assert walk.open == ["z"]


@pytest.mark.parametrize(("chosen", "boundary", "handler"), [(0, "b1", "h1"), (1, "b2", "h2")])
def test_an_error_end_rings_its_own_boundary_only(chosen, boundary, handler):
    failing = process(
        "check", els("s", "s"), els("u", "look"), el("exclusiveGateway", "g", default="g__e"), els("e", "e"),
        el("endEvent", "bad", REFUSED), path("s look g e"), path("g {look.ok = false} bad"),
    )  # fmt: skip
    outer = process(
        "p", els("s", "s"), els("p", "f j"), call("c1", "check"), call("c2", "check"), els("x", "m1 m2"),
        els("u", "z h1 h2"), els("e", "e"), guard("b1", "c1", REFUSED), guard("b2", "c2", "<errorEventDefinition/>"),
        path("s f c1 m1 j z e"), path("f c2 m2 j"), path("b1 h1 m1"), path("b2 h2 m2"),
    )  # fmt: skip
    definition = define(outer, failing, also=MESSAGE)
    walk = Walk(definition)
    item = walk.now.tasks[chosen].id
    walk.take(engine.complete(definition, walk.now.state, item, {"ok": False}, now=NOW))
    assert walk.open == sorted(["look", handler])
    assert walk.now.trail == ("look", "g", "bad", boundary)
    assert walk.do(handler).do("look", ok=True).open == ["z"]


def test_an_error_climbs_to_the_nearest_boundary_that_knows_it():
    inner = process("in", els("s", "s"), els("u", "a"), el("endEvent", "bad", REFUSED), path("s a bad"))
    middle = process("mid", els("s", "s"), call("c2", "in"), els("e", "e"), path("s c2 e"))
    outer = process(
        "p",
        els("s", "s"),
        call("c1", "mid"),
        guard("b", "c1", REFUSED),
        els("u", "z"),
        els("e", "e e2"),
        path("s c1 e"),
        path("b z e2"),
    )
    walk = Walk(define(outer, middle, inner, also=MESSAGE))
    assert walk.do("a").open == ["z"]
    assert walk.now.trail == ("a", "bad", "b")
    assert walk.do("z").now.finished


def test_a_terminate_end_ends_its_scope_only():
    inner = (
        els("s", "s2")
        + els("p", "f")
        + els("u", "a b")
        + el("endEvent", "t", "<terminateEventDefinition/>")
        + els("e", "e2")
    )
    inner += path("s2 f a t") + path("f b e2")
    walk = Walk(define(els("s", "s"), el("subProcess", "sp", inner), els("u", "z"), els("e", "e"), path("s sp z e")))
    assert walk.do("a").open == ["z"]
    assert walk.do("z").now.finished


def test_a_terminate_end_ends_the_case():
    definition = define(
        els("s", "s"),
        els("p", "f"),
        els("u", "a b"),
        el("endEvent", "t", "<terminateEventDefinition/>"),
        els("e", "e"),
        path("s f a t"),
        path("f b e"),
    )
    walk = Walk(definition).do("a")
    assert (walk.now.finished, walk.open) == (True, [])


def test_the_end_waits_for_the_last_token():
    walk = Walk(
        define(els("s", "s"), els("p", "f"), els("u", "a b"), els("e", "e1 e2"), path("s f a e1"), path("f b e2"))
    )
    assert not walk.do("a").now.finished
    assert walk.do("b").now.finished


def test_the_first_event_sends_its_rivals_home():
    definition = define(
        els("s", "s"), els("b", "g"), el("intermediateCatchEvent", "paid", PAID),
        el("intermediateCatchEvent", "late", timer("P3D")),
        els("u", "a b"), els("e", "e"), path("s g paid a e"), path("g late b e"), also=MESSAGE,
    )  # fmt: skip
    walk = Walk(definition)
    assert [each.element for each in walk.now.timers] == ["late"]
    late = walk.item("late")
    assert walk.tell("paid", fee=10).open == ["a"]
    assert walk.now.timers == ()
    assert walk.now.data["paid"] == {"fee": 10}
    again = engine.catch_up(definition, walk.now.state, [late], now=NOW)
    assert [task.element for task in again.tasks] == ["a"]
    assert Walk(definition).fire("late").open == ["b"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_message_on_a_boundary(interrupting):
    definition = define(
        els("s", "s"), els("u", "a b z"), guard("m", "a", STOP, interrupting=interrupting), els("e", "e e2"),
        path("s a z e"), path("m b e2"), also=MESSAGE,
    )  # fmt: skip
    walk = Walk(definition).tell("stop", why="withdrawn")
    assert walk.open == (["b"] if interrupting else ["a", "b"])
    if interrupting:
        with pytest.raises(NotFound):
            walk.tell("stop")
    else:
        assert walk.tell("stop").open == ["a", "b", "b"]


def test_a_message_nobody_waits_for_is_refused():
    with pytest.raises(NotFound, match="paid"):
        Walk(define(els("s", "s"), els("u", "a"), els("e", "e"), path("s a e"))).tell("paid")


def test_an_unknown_or_closed_item_is_refused():
    guarded = guard("t", "b", timer("P1D"))
    definition = define(els("s", "s"), els("u", "a b"), guarded, els("e", "e e2"), path("s a b e"), path("t e2"))
    walk = Walk(definition)
    closed = walk.item("a")
    waiting = walk.do("a").item("t")
    for item in (closed, "nonsense", "", waiting):
        with pytest.raises(NotFound):
            engine.complete(definition, walk.now.state, item, {}, now=NOW)


def test_newer_facts_replace_older_ones():
    definition = define(
        els("s", "s"), els("u", "a b c"), el("exclusiveGateway", "g", default="g__c"), els("e", "e"),
        path("s a g"), path("g {seats > 3} b e"), path("g c e"),
    )  # fmt: skip
    first = engine.start(definition, {"seats": 1, "name": "甲"}, now=NOW)
    then = engine.complete(definition, first.state, first.tasks[0].id, {}, now=NOW, facts={"seats": 9})
    assert [task.element for task in then.tasks] == ["b"]
    assert then.data == {"seats": 9, "name": "甲", "a": {}}


def test_a_task_can_be_given_back_to_an_earlier_one():
    definition = define(els("s", "s"), els("u", "a b c"), els("e", "e"), path("s a b c e"))
    walk = Walk(definition).do("a", n=1).do("b", n=1).back("c", "a")
    assert walk.open == ["a"]
    assert walk.now.data["b"] == {"n": 1}
    assert walk.do("a", n=2).do("b", n=2).do("c").now.finished
    assert walk.now.data["a"] == {"n": 2}


def test_giving_back_before_a_split_withdraws_the_other_branches():
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "a b1 b2 c z"), els("e", "e"), guard("t", "c", timer("P1D"),
        interrupting=False),
        els("u", "late"), els("e", "e2"),
        path("s a f b1 b2 j z e"), path("f c j"), path("t late e2"),
    )  # fmt: skip
    walk = Walk(definition).do("a").do("b1").fire("t")
    assert walk.open == ["b2", "c", "late"]
    walk.do("late").back("b2", "a")
    assert (walk.open, walk.now.timers) == (["a"], ())
    walk.do("a").do("c")
    assert walk.back("b1", "a").do("a").do("b1").do("b2").open == ["c"]
    assert walk.do("c").open == ["z"]
    assert walk.do("z").now.finished


def test_giving_back_inside_a_branch_leaves_the_others_alone():
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "b1 b2 c"), els("e", "e"), path("s f b1 b2 j e"), path("f c j")
    )
    walk = Walk(definition).do("b1").do("c").back("b2", "b1")
    assert walk.open == ["b1"]
    assert walk.do("b1").do("b2").now.finished


@pytest.mark.parametrize("target", ["c", "g", "nowhere", "s"])
def test_giving_back_to_anything_else_is_refused(target):
    walk = Walk(define(els("s", "s"), els("u", "a b c"), els("x", "g"), els("e", "e"), path("s a g b c e"))).do("a")
    with pytest.raises(OutOfTurn):
        walk.back("b", target)


def test_a_long_straight_procedure_fits():
    names = " ".join(f"t{number}" for number in range(390))
    walk = Walk(engine.load({"p.bpmn": bpmn(els("s", "s"), els("u", names), els("e", "e"), path(f"s {names} e"))}))
    assert walk.do("t0").open == ["t1"]


def test_elements_may_be_called_start_and_end():
    walk = Walk(define(els("s", "Start"), els("u", "a"), els("e", "End"), path("Start a End")))
    assert walk.do("a").now.finished
    assert walk.trail == [("Start",), ("a", "End")]
