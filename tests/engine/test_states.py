import threading
from datetime import timedelta
from pathlib import Path

import pytest

from approval import engine
from approval.domain.errors import PackRefused
from approval.engine.states import CODEC
from tests.engine.drawing import NOW, Walk, bpmn, call, define, el, els, guard, path, process, timer

GOLDEN = Path(__file__).with_name("golden")
LINE = (els("s", "s"), els("u", "a b"), els("e", "e"), path("s a b e"))
LOOP = (
    els("s", "s"), els("x", "m"), els("u", "a"), el("exclusiveGateway", "g", default="g__e"), els("e", "e"),
    path("s m a g e"), path("g {a.again = true} m"),
)  # fmt: skip


def golden_definition():
    return engine.load({file.name: file.read_bytes() for file in sorted(GOLDEN.glob("*.bpmn"))})


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.state")), ids=lambda file: file.stem)
def test_a_state_of_an_earlier_day_still_walks_on(file):
    definition = golden_definition()
    now = engine.catch_up(definition, file.read_bytes(), [], now=NOW)
    assert [task.element for task in now.tasks] == ["visit", "opinion"]
    assert [(each.element, each.countdown) for each in now.timers] == [("late", "site_visit")]
    assert now.data == {"seats": 40, "accept": {"result": "accepted"}, "check": {"result": "complete"}}
    walk = Walk(definition, seats=40).take(now)
    walk.tell("fire_reply", agrees=True).do("visit", passed=True).do("opinion", text="同意")
    assert walk.open == ["sign"]
    assert walk.do("sign").now.finished
    assert walk.now.data["called"] == {"opinion": {"text": "同意"}}


def test_a_state_of_another_definition_is_refused():
    state = Walk(define(*LINE)).now.state
    with pytest.raises(engine.StateRefused, match="another definition"):
        engine.catch_up(define(*LOOP), state, [], now=NOW)


@pytest.mark.parametrize(
    "harm",
    [
        lambda state: bytes([CODEC + 1]) + state[1:],
        lambda _: b"",
        lambda state: state[:-5],
        lambda state: state[:1] + b"rubbish",
    ],
)
def test_a_state_that_cannot_be_read_is_refused(harm):
    definition = define(*LINE)
    with pytest.raises(engine.StateRefused):
        engine.catch_up(definition, harm(Walk(definition).now.state), [], now=NOW)


def test_an_old_state_can_be_walked_again_and_again():
    definition = define(*LINE)
    first = engine.start(definition, {}, now=NOW)
    ends = [
        engine.complete(definition, first.state, first.tasks[0].id, {"n": n}, now=NOW).data["a"]["n"] for n in (1, 2)
    ]
    assert ends == [1, 2]


def test_a_case_of_1100_rounds_is_still_open_and_no_larger():
    walk = Walk(define(*LOOP))
    sizes = []
    for number in range(1100):
        walk.do("a", again=True, number=number)
        sizes.append(len(walk.now.state))
        assert walk.open == ["a"]
    assert not walk.now.finished
    assert max(sizes) - min(sizes) < 100
    assert walk.do("a", again=False).now.finished


def test_a_branch_may_go_round_1100_times_beside_another():
    definition = define(
        els("s", "s"), els("p", "f j"), els("x", "m"), els("u", "a b"),
        el("exclusiveGateway", "g", default="g__j"), els("e", "e"),
        path("s f m a g j e"), path("g {a.again = true} m"), path("f b j"),
    )  # fmt: skip
    walk = Walk(definition)
    for _ in range(1100):
        walk.do("a", again=True)
    assert walk.do("a", again=False).open == ["b"]
    assert len(walk.now.state) < 2000
    assert walk.do("b").now.finished


def test_going_round_without_waiting_is_refused(patient):
    called = process(
        "q",
        els("s", "s"),
        el("exclusiveGateway", "g", default="g__e"),
        els("u", "never"),
        els("e", "e"),
        path("s g e"),
        path("g {n = 0} never e"),
    )
    outer = process(
        "p",
        els("s", "s"),
        els("x", "m"),
        call("c", "q"),
        el("exclusiveGateway", "h", default="h__e"),
        els("e", "e"),
        path("s m c h e"),
        path("h {n = 1} m"),
    )
    with pytest.raises(engine.NoWayOn, match="for ever"):
        Walk(define(outer, called), n=1)


def test_eight_threads_share_one_definition():
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "a b c"), guard("t", "a", timer("P1D")), els("x", "m"), els("e", "e"),
        path("s f a m j c e"), path("t m"), path("f b j"),
    )  # fmt: skip
    finished, broken = [], []

    def work(number):
        try:
            for turn in range(5):
                walk = Walk(definition, number=number).do("b", turn=turn)
                (walk.do("a") if turn % 2 else walk.fire("t")).do("c")
                finished.append(walk.now.finished and walk.now.data["number"] == number)
        except Exception as problem:  # noqa: BLE001 -- a thread's failure must reach the test
            broken.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
    assert finished == [True] * 40


def test_a_case_migrates_where_the_new_version_has_the_same_place():
    old = define(*LINE, els("e", "e9"), guard("t", "a", timer("P1D")), path("t e9"))
    new = define(
        *(part.replace('"b"', '"c"').replace("__b", "__c").replace("b__", "c__") for part in LINE),
        els("e", "e9"),
        guard("t", "a", timer("P1D")),
        path("t e9"),
    )
    walk = Walk(old, seats=1)
    moved = engine.migrate(old, new, walk.now.state, now=NOW + timedelta(days=3))
    assert (moved.tasks, moved.timers, moved.data) == (walk.now.tasks, walk.now.timers, {"seats": 1})
    after = engine.complete(new, moved.state, moved.tasks[0].id, {}, now=NOW)
    assert [task.element for task in after.tasks] == ["c"]
    with pytest.raises(engine.CannotMigrate, match="b"):
        engine.migrate(old, new, walk.do("a").now.state, now=NOW)


def test_a_case_inside_a_called_process_migrates_too():
    def version(name):
        called = process("q", els("s", "s"), els("u", "inside"), els("e", "e"), path("s inside e"))
        return define(
            process("p", els("s", "s"), call("c", "q"), els("u", name), els("e", "e"), path(f"s c {name} e")), called
        )

    old, new = version("b"), version("d")
    moved = engine.migrate(old, new, Walk(old).now.state, now=NOW)
    after = engine.complete(new, moved.state, moved.tasks[0].id, {}, now=NOW)
    assert [task.element for task in after.tasks] == ["d"]


def test_limits_that_the_new_version_adds_begin_and_those_it_drops_end():
    old, new = define(*LINE), define(*LINE, els("e", "e9"), guard("t", "a", timer("P1D")), path("t e9"))
    state, later = Walk(old).now.state, NOW + timedelta(days=3)
    assert engine.survey(old, new, state) == engine.Survey(("a",), (), (), ("t",), (), ())
    moved = engine.migrate(old, new, state, now=later)
    assert [(each.element, each.task, each.due_at) for each in moved.timers] == [
        ("t", moved.tasks[0].id, later + timedelta(days=1))
    ]
    assert engine.survey(new, old, moved.state).ends == ("t",)
    assert engine.migrate(new, old, moved.state, now=later).timers == ()
    with pytest.raises(engine.StateRefused):
        engine.migrate(new, old, state, now=NOW)


def test_a_mapping_gives_elements_their_new_ids():
    old = define(*LINE, els("e", "e9"), guard("t", "b", timer("P1D")), path("t e9"))
    new = define(els("s", "s"), els("u", "x y"), els("e", "e e9"), guard("late", "y", timer("P9D")), path("s x y e"),
                 path("late e9"))  # fmt: skip
    walk = Walk(old).do("a", n=1)
    found = engine.survey(old, new, walk.now.state)
    assert found.lost == (("b", "the new version has no such element there"),)
    assert found.unread == ("a",)
    mapping = {"a": "x", "b": "y", "t": "late"}
    found = engine.survey(old, new, walk.now.state, mapping=mapping)
    assert found == engine.Survey(("y",), (), ("late",), (), (), ())
    moved = engine.migrate(old, new, walk.now.state, now=NOW, mapping=mapping)
    assert [(task.element, task.id) for task in moved.tasks] == [("y", walk.item("b"))]
    assert [(each.element, each.due_at) for each in moved.timers] == [("late", NOW + timedelta(days=1))]
    assert moved.data == {"x": {"n": 1}}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (els("m", "b"), "manualTask"),
        (el("userTask", "b", '<standardLoopCharacteristics loopMaximum="2"/>'), "how often"),
    ],
)
def test_a_task_that_is_something_else_now_is_no_place_to_go_on(changed, why):
    old, new = define(*LINE), define(els("s", "s"), els("u", "a"), changed, els("e", "e"), path("s a b e"))
    with pytest.raises(engine.CannotMigrate, match=why):
        engine.migrate(old, new, Walk(old).do("a").now.state, now=NOW)


def test_files_are_judged_in_a_child():
    engine.check({"p.bpmn": bpmn(*LINE)})
    with pytest.raises(PackRefused, match="not XML") as caught:
        engine.check({"p.bpmn": bpmn(*LINE)[:-30]})
    assert caught.value.facts["faults"][0].line > 0


@pytest.mark.parametrize("limits", [{"seconds": 0.05}, {"megabytes": 30}])
def test_a_child_over_its_limits_is_killed(limits):
    heavy = bpmn(*LOOP, also=f"<!--{'x' * 1_900_000}-->")
    with pytest.raises(PackRefused, match="took more than"):
        engine.check({"p.bpmn": heavy}, **limits)
