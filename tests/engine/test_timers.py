import ast
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from approval import engine
from approval.engine import moments
from approval.expressions.feel import ExpressionRefused
from tests.engine.drawing import NOW, Walk, call, define, el, els, errand, guard, path, process, timer


def waiting(text, kind="timeDuration"):
    catch = el("intermediateCatchEvent", "t", timer(text, kind))
    return define(els("s", "s"), catch, els("u", "a"), els("e", "e"), path("s t a e"))


@pytest.mark.parametrize(
    ("text", "kind", "due"),
    [
        ("P5D", "timeDuration", NOW + timedelta(days=5)),
        ("PT1H30M", "timeDuration", NOW + timedelta(minutes=90)),
        ('="P1M"', "timeDuration", datetime(2026, 4, 1, 1, tzinfo=UTC)),
        ("=wait", "timeDuration", NOW + timedelta(weeks=2)),
        ('=duration("P1D")', "timeDuration", NOW + timedelta(days=1)),
        ("2026-05-01T09:00:00+08:00", "timeDate", datetime(2026, 5, 1, 1, tzinfo=UTC)),
        ("=until", "timeDate", datetime(2026, 6, 1, tzinfo=UTC)),
    ],
)
def test_a_timer_is_due_from_the_moment_it_starts_to_wait(text, kind, due):
    (waits,) = Walk(waiting(text, kind), wait="P2W", until="2026-06-01T00:00:00Z").now.timers
    assert (waits.due_at, waits.countdown, waits.task, waits.element) == (due, None, None, "t")


def test_a_legal_limit_is_named_and_not_reckoned():
    definition = define(
        els("s", "s"), els("u", "a b"), guard("t", "a", timer('=countdown("acceptance")'), interrupting=False),
        els("e", "e e2"), path("s a e"), path("t b e2"),
    )  # fmt: skip
    assert definition.countdowns == {"acceptance"}
    walk = Walk(definition)
    (limit,) = walk.now.timers
    assert (limit.due_at, limit.countdown, limit.interrupting) == (None, "acceptance", False)
    assert limit.task == walk.item("a")
    assert walk.fire("t").open == ["a", "b"]
    assert walk.now.timers == ()


def test_an_interrupting_timer_takes_the_task_away():
    definition = define(
        els("s", "s"),
        errand("a"),
        els("u", "b"),
        guard("t", "a", timer("P1D")),
        els("e", "e e2"),
        path("s a e"),
        path("t b e2"),
    )
    walk = Walk(definition)
    assert walk.now.timers[0].task == walk.item("a")
    assert walk.fire("t").open == ["b"]
    assert walk.do("b").now.finished


def test_a_timer_around_a_call_takes_everything_inside_away():
    called = process(
        "q",
        els("s", "s"),
        els("u", "inside"),
        guard("t2", "inside", timer("P2D")),
        els("e", "e e2"),
        path("s inside e"),
        path("t2 e2"),
    )
    outer = process(
        "p",
        els("s", "s"),
        call("c", "q"),
        els("u", "b"),
        guard("t", "c", timer("P1D")),
        els("e", "e e2"),
        path("s c e"),
        path("t b e2"),
    )
    walk = Walk(define(outer, called))
    assert [(each.element, each.task is None) for each in walk.now.timers] == [("t", True), ("t2", False)]
    assert walk.fire("t", "t2").open == ["b"]
    assert walk.now.timers == ()
    assert walk.do("b").now.finished


def test_only_the_named_timers_fire_and_late_names_are_passed_over():
    definition = define(
        els("s", "s"), els("u", "a b c"), guard("t1", "a", timer("P1D"), interrupting=False),
        guard("t2", "a", timer("P2D"), interrupting=False),
        els("e", "e e1 e2"), path("s a e"), path("t1 b e1"), path("t2 c e2"),
    )  # fmt: skip
    walk = Walk(definition)
    first = walk.item("t1")
    assert walk.fire("t2").open == ["a", "c"]
    again = engine.catch_up(definition, walk.now.state, ["nonsense", walk.item("t1"), walk.item("t1")], now=NOW)
    assert sorted(task.element for task in again.tasks) == ["a", "b", "c"]
    walk.do("a").take(engine.catch_up(definition, walk.now.state, [first], now=NOW))
    assert walk.open == ["c"]


def test_finishing_the_task_takes_its_timers_away():
    definition = define(
        els("s", "s"), els("u", "a b"), guard("t", "a", timer("P1D")), els("e", "e"), path("s a b e"), path("t e")
    )
    walk = Walk(definition)
    assert walk.do("a").now.timers == ()
    assert walk.do("b").now.finished


def test_a_timer_is_reckoned_once():
    definition = define(
        els("s", "s"), els("p", "f j"), els("u", "a b"), guard("t", "a", timer("P1D")), els("x", "m"), els("e", "e"),
        path("s f a m j e"), path("t m"), path("f b j"),
    )  # fmt: skip
    walk = Walk(definition)
    due = walk.now.timers[0].due_at
    later = engine.complete(definition, walk.now.state, walk.item("b"), {}, now=NOW + timedelta(days=9))
    assert later.timers[0].due_at == due


@pytest.mark.parametrize("facts", [{}, {"wait": "soon"}, {"wait": 5}, {"wait": None}])
def test_a_timer_that_comes_to_nothing_is_refused(facts):
    with pytest.raises((engine.NoWayOn, ExpressionRefused), match="t"):
        Walk(waiting("=wait"), **facts)


def test_the_wall_clock_changes_nothing(monkeypatch):
    def walk():
        definition = define(
            els("s", "s"),
            els("u", "a b"),
            guard("t", "a", timer("P1D"), interrupting=False),
            els("e", "e e2"),
            path("s a e"),
            path("t b e2"),
        )
        then = Walk(definition)
        due = then.now.timers[0].due_at
        return due, then.do("a").now.finished, Walk(definition).fire("t").open

    honest = walk()
    for clock in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda clock=clock: clock)
        assert walk() == honest


def test_nothing_in_these_rooms_asks_for_the_time_of_day():
    clocks = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
    for room in ("engine", "expressions"):
        for file in (Path(engine.__file__).parents[1] / room).glob("*.py"):
            tree = ast.parse(file.read_text("utf-8"))
            imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            asked = {
                (node.value.id, node.attr)
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            }
            assert "time" not in imported, file
            assert not asked & clocks, file


@pytest.mark.parametrize(
    ("duration", "start", "due"),
    [
        ("P1M", datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("P1Y", datetime(2028, 2, 29, tzinfo=UTC), datetime(2029, 2, 28, tzinfo=UTC)),
        ("P1Y2M3W4DT5H6M7S", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 3, 26, 5, 6, 7, tzinfo=UTC)),
    ],
)
def test_durations_follow_the_calendar(duration, start, due):
    assert moments.after(duration, start) == due


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1D", "P-1D", "P1DT", "p1d", "P1.5D", "P1D ", "P9999999999D"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"duration|too long"):
        moments.after(text, NOW)
