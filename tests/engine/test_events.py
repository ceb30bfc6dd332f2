from datetime import timedelta

import pytest

from approval import engine
from approval.domain.errors import NotFound, OutOfTurn
from tests.engine.drawing import NOW, Walk, bpmn, define, el, els, errand, guard, path, process, timer

NAMED = (
    '<message id="M" name="paid"/><signal id="S" name="stop"/><error id="E" errorCode="refused"/>'
    '<escalation id="C" escalationCode="late"/>'
)
PAID = '<messageEventDefinition messageRef="M"/>'
STOP = '<signalEventDefinition signalRef="S"/>'
REFUSED = '<errorEventDefinition errorRef="E"/>'
LATE = '<escalationEventDefinition escalationRef="C"/>'
TRUE_NOW = "<conditionalEventDefinition><condition>=a.ok = true</condition></conditionalEventDefinition>"
UNDO = "<compensateEventDefinition/>"


def beside(definition, *, interrupting=True, name="ev", task="h"):
    """Draw an event sub-process with one task."""
    start = el("startEvent", f"{name}_s", definition, isInterrupting=str(interrupting).lower())
    inner = start + els("u", task) + els("e", f"{name}_e") + path(f"{name}_s {task} {name}_e")
    return el("subProcess", name, inner, triggeredByEvent="true")


def scope(*inner, also="", after=""):
    """Draw a sub-process `sp` with two parallel tasks a and b, then a task z."""
    inside = els("s", "s2") + els("p", "f2") + els("u", "a b") + els("e", "e2 e3")
    inside += path("s2 f2 a e2") + path("f2 b e3") + "".join(inner)
    return define(
        els("s", "s"), el("subProcess", "sp", inside), els("u", "z"), els("e", "e"), path("s sp z e"), after,
        also=NAMED + also,
    )  # fmt: skip


@pytest.mark.parametrize("interrupting", [True, False])
@pytest.mark.parametrize(("what", "definition"), [("paid", PAID), ("stop", STOP)])
def test_an_event_sub_process_runs_when_it_is_told(what, definition, interrupting):
    walk = Walk(scope(beside(definition, interrupting=interrupting)))
    assert walk.open == ["a", "b"]
    walk.tell(what, n=1)
    assert walk.open == (["h"] if interrupting else ["a", "b", "h"])
    assert walk.now.data["ev_s"] == {"n": 1}
    if interrupting:
        with pytest.raises(NotFound):
            walk.tell(what)
    else:
        assert walk.tell(what).open == ["a", "b", "h", "h"]
        walk.do("h").do("a").do("b")
    walk.do("h")
    assert walk.open == ["z"]
    with pytest.raises(NotFound):
        walk.tell(what)
    assert walk.do("z").now.finished


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_runs_when_its_time_comes(interrupting):
    walk = Walk(scope(beside(timer("P1D"), interrupting=interrupting)))
    (waits,) = walk.now.timers
    assert (waits.element, waits.due_at, waits.interrupting) == ("ev_s", NOW + timedelta(days=1), interrupting)
    walk.fire("ev_s")
    assert walk.now.timers == ()
    assert walk.open == (["h"] if interrupting else ["a", "b", "h"])


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_runs_when_its_condition_comes_to_hold(interrupting):
    walk = Walk(scope(beside(TRUE_NOW, interrupting=interrupting)))
    assert walk.open == ["a", "b"]
    assert walk.do("a", ok=True).open == (["h"] if interrupting else ["b", "h"])


def test_an_error_is_caught_by_the_event_sub_process_of_its_scope():
    bad = el("endEvent", "bad", REFUSED) + els("u", "c") + path("c bad") + path("f2 c")
    walk = Walk(scope(beside(REFUSED), bad)).do("c")
    assert walk.open == ["h"]
    assert walk.now.data["ev_s"] == {"code": "refused"}
    assert walk.do("h").open == ["z"]


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_caught_near_and_the_thrower_goes_on(interrupting):
    throws = el("intermediateThrowEvent", "up", LATE) + els("u", "c d") + els("e", "e4")
    throws += path("f2 c up d e4")
    walk = Walk(scope(beside(LATE, interrupting=interrupting), throws)).do("c")
    assert walk.open == (["h"] if interrupting else ["a", "b", "d", "h"])


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_climbs_to_the_boundary(interrupting):
    throws = el("endEvent", "up", LATE) + els("u", "c") + path("f2 c up")
    after = guard("g", "sp", LATE, interrupting=interrupting) + els("u", "h") + els("e", "eh") + path("g h eh")
    walk = Walk(scope(throws, after=after)).do("c")
    assert walk.open == (["h"] if interrupting else ["a", "b", "h"])
    assert walk.now.thrown == ()


def test_an_escalation_nobody_catches_is_told_outside():
    walk = Walk(scope(el("endEvent", "up", LATE) + els("u", "c") + path("f2 c up"))).do("c")
    assert walk.open == ["a", "b"]
    assert [(each.kind, each.name, each.element) for each in walk.now.thrown] == [("escalation", "late", "up")]


def test_an_event_sub_process_is_never_started_with_its_scope():
    definition = define(
        els("s", "s"), els("u", "a"), els("e", "e"), path("s a e"), beside(PAID), beside(timer("P1D"), name="ev2",
        task="h2"), also=NAMED,
    )  # fmt: skip
    walk = Walk(definition)
    assert walk.open == ["a"]
    assert walk.do("a").now.finished


def test_an_event_sub_process_does_not_catch_its_own_error():
    start = el("startEvent", "ev_s", REFUSED)
    inner = start + els("u", "h") + el("endEvent", "again", REFUSED) + path("ev_s h again")
    esp = el("subProcess", "ev", inner, triggeredByEvent="true")
    bad = el("endEvent", "bad", REFUSED) + els("u", "c") + path("c bad") + path("f2 c")
    after = guard("g", "sp", REFUSED) + els("u", "outer") + els("e", "eo") + path("g outer eo")
    walk = Walk(scope(esp, bad, after=after)).do("c").do("h")
    assert walk.open == ["outer"]


def test_an_error_nobody_catches_ends_the_case():
    definition = define(
        els("s", "s"), els("p", "f"), els("u", "a b"), el("endEvent", "bad", REFUSED), els("e", "e"),
        path("s f a bad"), path("f b e"), also=NAMED,
    )  # fmt: skip
    assert [fault.element for fault in definition.warnings] == ["bad"]
    walk = Walk(definition).do("a")
    assert (walk.now.finished, walk.now.failed, walk.open) == (True, "refused", [])


def test_an_errand_may_fail_and_be_caught():
    definition = define(
        els("s", "s"), errand("n"), guard("g", "n", REFUSED), els("u", "h"), els("e", "e eh"),
        path("s n e"), path("g h eh"), also=NAMED,
    )  # fmt: skip
    walk = Walk(definition)
    with pytest.raises(engine.NoWayOn, match="unknown"):
        engine.fail(definition, walk.now.state, walk.item("n"), "unknown", now=NOW)
    walk.take(engine.fail(definition, walk.now.state, walk.item("n"), "refused", now=NOW))
    assert (walk.open, walk.now.data["g"]) == (["h"], {"code": "refused"})


def test_a_script_that_raises_is_an_error_that_may_be_caught():
    script = el("scriptTask", "n", "<script>raise ValueError('x')</script>", scriptFormat="python")
    definition = define(
        els("s", "s"), script, guard("g", "n", "<errorEventDefinition/>"), els("u", "h"), els("e", "e eh"),
        path("s n e"), path("g h eh"),
    )  # fmt: skip
    walk = Walk(definition)
    assert (walk.open, walk.now.data["g"]) == (["h"], {"code": "ValueError"})


def test_a_signal_reaches_everybody_who_waits_and_the_world():
    catch = el("intermediateCatchEvent", "c1", STOP) + el("intermediateCatchEvent", "c2", STOP)
    definition = define(
        els("s", "s"), els("p", "f"), catch, els("u", "a x y"), el("intermediateThrowEvent", "t", STOP),
        els("e", "e e1 e2"), path("s f a t e"), path("f c1 x e1"), path("f c2 y e2"), also=NAMED,
    )  # fmt: skip
    walk = Walk(definition).do("a")
    assert walk.open == ["x", "y"]
    assert [(each.kind, each.name) for each in walk.now.thrown] == [("signal", "stop")]


def test_a_message_is_told_outside_only_when_nobody_here_waits():
    caught = el("intermediateCatchEvent", "c1", PAID)
    sends = el("intermediateThrowEvent", "t", PAID)
    both = define(
        els("s", "s"), els("p", "f"), caught, els("u", "a x"), sends, els("e", "e e1"), path("s f a t e"),
        path("f c1 x e1"), also=NAMED,
    )  # fmt: skip
    walk = Walk(both).do("a")
    assert (walk.open, walk.now.thrown) == (["x"], ())
    alone = define(els("s", "s"), els("u", "a"), sends, els("e", "e"), path("s a t e"), also=NAMED)
    assert [(each.kind, each.name) for each in Walk(alone).do("a").now.thrown] == [("message", "paid")]


def test_a_message_finds_the_one_who_waits_for_its_key():
    keyed = NAMED.replace(
        '<message id="M" name="paid"/>',
        '<message id="M" name="paid"><extensionElements><zeebe:subscription correlationKey="=bill"/>'
        "</extensionElements>"
        "</message>",
    )
    definition = define(
        els("s", "s"), el("receiveTask", "r", messageRef="M"), els("u", "a"), els("e", "e"), path("s r a e"), also=keyed
    )
    walk = Walk(definition, bill="B-7")
    for key in (None, "B-8"):
        with pytest.raises(NotFound):
            engine.deliver(definition, walk.now.state, "paid", {}, now=NOW, key=key)
    walk.take(engine.deliver(definition, walk.now.state, "paid", {"fen": 100}, now=NOW, key="B-7"))
    assert (walk.open, walk.now.data["r"]) == (["a"], {"fen": 100})


def test_a_receive_task_has_limits_like_any_other():
    definition = define(
        els("s", "s"), el("receiveTask", "r", messageRef="M"), guard("t", "r", timer("P1D")), els("u", "a b"),
        els("e", "e"), path("s r a e"), path("t b e"), also=NAMED,
    )  # fmt: skip
    assert Walk(definition).fire("t").open == ["b"]
    walk = Walk(definition).tell("paid")
    assert (walk.open, walk.now.timers) == (["a"], ())


def test_a_link_leads_on_where_its_name_is_caught():
    name = '<linkEventDefinition name="next page"/>'
    definition = define(
        els("s", "s"), els("u", "a b"), el("intermediateThrowEvent", "out", name),
        el("intermediateCatchEvent", "into", name), els("e", "e"), path("s a out"), path("into b e"),
    )  # fmt: skip
    walk = Walk(definition).do("a")
    assert (walk.open, walk.now.trail) == (["b"], ("a", "out", "into"))


def test_either_of_two_events_is_enough_unless_both_are_asked_for():
    def both(**attributes):
        catch = el("intermediateCatchEvent", "c", PAID + STOP, **attributes)
        return define(els("s", "s"), catch, els("u", "a"), els("e", "e"), path("s c a e"), also=NAMED)

    assert Walk(both()).tell("stop").open == ["a"]
    walk = Walk(both(parallelMultiple="true")).tell("stop")
    assert walk.open == []
    assert walk.tell("stop").open == []
    assert walk.tell("paid").open == ["a"]


def test_a_conditional_event_waits_until_it_holds():
    catch = el("intermediateCatchEvent", "c", TRUE_NOW)
    definition = define(
        els("s", "s"), els("p", "f"), els("u", "a b"), catch, els("e", "e e1"), path("s f a e"), path("f c b e1")
    )
    assert Walk(definition).do("a", ok=False).open == []
    assert Walk(definition).do("a", ok=True).open == ["b"]


def cycle(text, *, interrupting=False):
    return define(
        els("s", "s"), els("u", "a b"), guard("t", "a", timer(text, "timeCycle"), interrupting=interrupting),
        els("e", "e e2"), path("s a e"), path("t b e2"),
    )  # fmt: skip


def test_a_reminder_comes_as_often_as_it_says():
    walk = Walk(cycle("R3/P1D"))
    for number in (1, 2, 3):
        due = walk.now.timers[0].due_at
        assert due == NOW + timedelta(days=number)
        walk.take(engine.catch_up(walk.definition, walk.now.state, [walk.item("t")], now=due))
        assert walk.open == ["a", *["b"] * number]
    assert walk.now.timers == ()


def test_reminders_that_were_missed_are_not_made_up_for():
    walk = Walk(cycle("R/PT1H"))
    late = NOW + timedelta(hours=5, minutes=30)
    walk.take(engine.catch_up(walk.definition, walk.now.state, [walk.item("t")], now=late))
    assert walk.open == ["a", "b"]
    assert walk.now.timers[0].due_at == NOW + timedelta(hours=6)


def undoable(*, end="", after=""):
    inner = els("s", "s2") + els("u", "book pay") + els("e", "e2")
    inner += path("s2 book pay e2")
    inner += guard("ub", "book", UNDO) + el("userTask", "unbook", isForCompensation="true")
    inner += guard("up", "pay", UNDO) + el("userTask", "repay", isForCompensation="true")
    inner += '<association id="x1" sourceRef="ub" targetRef="unbook"/><association id="x2" sourceRef="up" '
    inner += 'targetRef="repay"/>'
    return inner + end + after


def test_what_was_done_is_undone_latest_first():
    definition = define(
        els("s", "s"), el("subProcess", "sp", undoable()), els("u", "a z"), el("intermediateThrowEvent", "undo", UNDO),
        els("e", "e"), path("s sp a undo z e"),
    )  # fmt: skip
    walk = Walk(definition).do("book").do("pay").do("a")
    assert walk.open == ["repay"]
    assert walk.do("repay").open == ["unbook"]
    assert walk.do("unbook").open == ["z"]
    assert walk.do("z").now.finished


def test_what_was_never_done_is_not_undone():
    inner = undoable(end=el("endEvent", "bad", REFUSED), after=els("u", "x") + els("p", "f") + path("x bad")).replace(
        'sourceRef="s2" targetRef="book"', 'sourceRef="s2" targetRef="f"'
    )
    inner += path("f book") + path("f x")
    undo = el("intermediateThrowEvent", "undo", UNDO)
    definition = define(
        els("s", "s"), el("subProcess", "sp", inner), guard("g", "sp", REFUSED), undo, els("u", "z"), els("e", "e e9"),
        path("s sp e9"), path("g undo z e"), also=NAMED,
    )  # fmt: skip
    assert Walk(definition).do("book").do("x").open == ["z"]


def test_a_cancelled_transaction_is_undone_and_left_by_its_boundary():
    inner = undoable(end=el("endEvent", "cancel", "<cancelEventDefinition/>"), after=els("u", "x") + path("x cancel"))
    inner = inner.replace('sourceRef="book" targetRef="pay"', 'sourceRef="book" targetRef="x"')
    inner = inner.replace('id="book__pay"', 'id="book__x"') + els("p", "q") + path("q pay")
    inner = inner.replace('sourceRef="s2" targetRef="book"', 'sourceRef="s2" targetRef="q"') + path("q book")
    definition = define(
        els("s", "s"), el("transaction", "sp", inner), guard("g", "sp", "<cancelEventDefinition/>"), els("u", "h"),
        els("e", "e e9"), path("s sp e9"), path("g h e"),
    )  # fmt: skip
    walk = Walk(definition).do("book").do("x")
    assert walk.open == ["unbook"]
    assert walk.do("unbook").open == ["h"]
    assert walk.do("h").now.finished


@pytest.mark.parametrize(("ordering", "open_"), [("Parallel", ["a", "b", "c"]), ("Sequential", ["a"])])
def test_an_ad_hoc_sub_process_has_no_drawn_order(ordering, open_):
    inner = els("u", "a b c") + "<completionCondition>=count([a, b, c][item != null]) = 2</completionCondition>"
    definition = define(
        els("s", "s"), el("adHocSubProcess", "ad", inner, ordering=ordering), els("u", "z"), els("e", "e"),
        path("s ad z e"),
    )  # fmt: skip
    walk = Walk(definition)
    assert walk.open == open_
    walk.do("a")
    assert "z" not in walk.open
    assert walk.do("b").open == ["z"]


def test_a_partner_pool_starts_with_the_message_it_waits_for():
    main = process("p", els("s", "s"), els("u", "a"), el("intermediateThrowEvent", "t", PAID), els("e", "e"),
                   path("s a t e"))  # fmt: skip
    other = process("q", el("startEvent", "s2", PAID), els("u", "b"), els("e", "e2"), path("s2 b e2"))
    definition = engine.load({"p.bpmn": bpmn(main, also=other + NAMED)})
    assert [fault.level for fault in definition.warnings] == ["warning"]
    walk = Walk(definition).do("a")
    assert (walk.open, walk.now.finished) == (["b"], False)
    walk.do("b", n=1)
    assert (walk.now.finished, walk.now.data["b"]) == (True, {"n": 1})


def test_a_process_may_be_started_by_a_message():
    start = el("startEvent", "s1", PAID) + els("s", "s")
    definition = define(start, els("u", "a b"), els("e", "e"), path("s a e"), path("s1 b e"), also=NAMED)
    assert Walk(definition).open == ["a"]
    assert [task.element for task in engine.start(definition, {}, now=NOW, event="paid").tasks] == ["b"]
    with pytest.raises(NotFound):
        engine.start(definition, {}, now=NOW, event="unpaid")


def test_an_operator_may_put_an_open_task_anywhere_in_its_process():
    definition = define(els("s", "s"), els("u", "a b"), errand("n"), els("e", "e"), path("s a b n e"))
    walk = Walk(definition)
    walk.take(engine.place(definition, walk.now.state, walk.item("a"), "n", now=NOW))
    assert walk.open == ["n"]
    walk.take(engine.place(definition, walk.now.state, walk.item("n"), "a", now=NOW))
    assert walk.open == ["a"]
    for target in ("e", "nowhere"):
        with pytest.raises(OutOfTurn):
            engine.place(definition, walk.now.state, walk.item("a"), target, now=NOW)


def test_conditions_on_the_flows_of_a_task_split_it():
    definition = define(
        els("s", "s"), el("userTask", "a", default="a__d"), els("u", "b c d"), els("e", "e"),
        path("s a {a.n > 1} b e"), path("a {a.n > 2} c e"), path("a d e"),
    )  # fmt: skip
    assert Walk(definition).do("a", n=3).open == ["b", "c"]
    assert Walk(definition).do("a", n=0).open == ["d"]


def test_an_event_sub_process_catches_what_comes_out_of_another_and_not_of_itself():
    also = '<signal id="S" name="go"/><error id="E" errorCode="broken"/>'
    error = '<errorEventDefinition errorRef="E"/>'
    starts = el("startEvent", "vs", '<signalEventDefinition signalRef="S"/>', isInterrupting="false")
    throws = el("subProcess", "V", starts + el("endEvent", "ve", error) + path("vs ve"), triggeredByEvent="true")
    caught = el("startEvent", "ws", error) + els("u", "w") + el("endEvent", "we", error) + path("ws w we")
    catches = el("subProcess", "W", caught, triggeredByEvent="true")
    definition = define(els("s", "s"), els("u", "a"), els("e", "e"), path("s a e"), throws, catches, also=also)
    walk = Walk(definition).tell("go")
    assert walk.open == ["w"]
    assert walk.do("w").now.failed == "broken"
