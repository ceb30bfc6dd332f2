"""Timers: each fires once, none is held up by another's trouble, and a legal one follows its ledger."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from approval.domain.actors import SYSTEM
from approval.domain.manifests import Limit
from approval.models.cases import Case
from approval.models.tasks import Progress, Timer
from approval.services import countdowns, packs, tasks, timers, workers
from tests.kit import drills, races, walks
from tests.kit.samples import ACCEPT, FIRE, MATERIALS, RESTAURANT, REVIEW, at, uploads


@pytest.fixture
def number(office):
    return walks.file(office)


def due(office):
    with office.work(read_only=True) as work:
        open_ones = select(Timer.element, Timer.due_at).where(Timer.progress == Progress.OPEN)
        return dict(work.session.execute(open_ones).all())


def test_a_legal_timer_is_due_when_its_day_has_run_out(office, number):
    assert due(office) == {"acceptance_expired": at("2026-09-27 00:00")}


def test_a_timer_fires_once_though_two_sweeps_race(office, number, clock, caplog):
    clock.now = at("2026-09-27 00:00")
    fired = races.at_once(*[lambda: workers.sweep(office)] * 2)
    assert sum(fired) == 1
    assert caplog.text == "", "whoever comes second finds nothing to do"
    assert workers.sweep(office) == 0
    assert walks.outcome(office, number)["journal"].count("timer:fired") == 1


def test_sweeping_and_completing_at_once_do_one_of_both(office, number, clock):
    task = walks.open_task(office, number, "formal_check")
    wang = walks.signed_in(office, "wang")
    clock.now = at("2026-09-27 00:00")

    def complete():
        with office.work(by=wang) as work:
            tasks.complete(work, task, ACCEPT[2])

    races.at_once(lambda: workers.sweep(office), complete)
    workers.sweep(office)
    stands = walks.outcome(office, number)
    assert (stands["deemed_accepted"], stands["trail"]) == (True, [])


def test_one_broken_case_does_not_hold_up_the_others(office, number, clock, caplog):
    clock.now += timedelta(minutes=1)
    sound = walks.file(office)
    with office.work() as work:
        work.session.execute(update(Case).where(Case.number == number).values(state=b"\x01rubbish"))
    clock.now = at("2026-09-27 00:00")
    assert workers.sweep(office) == 1
    assert walks.outcome(office, sound)["status"] == "accepted"
    assert walks.outcome(office, number)["status"] == "filed", "nothing half-done"
    assert "could not fire" in caplog.text
    assert list(due(office)) == ["acceptance_expired"], "it is tried again"


def test_a_countdowns_timer_moves_when_its_ledger_changes(office, number, clock):
    clock.now = at("2026-09-23 09:00")
    with office.work() as work:
        case = walks.case(work, number)
        countdowns.begin(work, case, "acceptance", Limit(5, "示例依据"), since=work.now)
    assert due(office) == {"acceptance_expired": at("2026-09-30 00:00")}
    clock.now = at("2026-09-29 23:59")
    assert workers.sweep(office) == 0


def test_the_due_cases_come_most_overdue_first(office, number, clock):
    clock.now = at("2026-09-22 09:00")
    later = walks.file(office)
    clock.now = at("2026-10-20 09:00")
    with office.work() as work:
        found = timers.claim(work)
        assert found.number == number
        assert timers.fire_all(work, found) == ["acceptance_expired"]
        assert timers.claim(work).number == later
    with office.work(by=SYSTEM) as work:
        assert timers.fire(work, walks.case(work, later).id) == ["acceptance_expired"]
        assert timers.fire(work, walks.case(work, later).id) == []


def test_several_workers_share_what_is_due_and_none_waits_for_a_case_in_use(office, number, clock):
    clock.now = at("2026-09-22 09:00")
    later = walks.file(office)
    clock.now = at("2026-10-20 09:00")
    if office.engine.dialect.name == "sqlite":  # where one Work writes at a time
        assert sum(races.at_once(*[lambda: workers.sweep(office)] * 3)) == 2
        return
    with office.work() as one, office.work() as two, office.work() as three:
        assert [timers.claim(one).number, timers.claim(two).number, timers.claim(three)] == [number, later, None]


def test_a_late_department_is_urged_once_and_nothing_is_taken_as_agreed(office, clock):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT, REVIEW)
    assert due(office) == {"fire_opinion_late": at("2026-09-25 00:00")}
    clock.now = at("2026-10-20 00:00")
    assert [workers.sweep(office), workers.sweep(office)] == [1, 0]
    stands = walks.outcome(office, number)
    assert stands["journal"].count("case:urged") == 1
    assert walks.open_elements(office, number) == {"fire_opinion"}
    walks.walk(office, number, FIRE)
    assert "site_visit" in walks.open_elements(office, number)


def test_a_clock_time_is_that_of_the_legal_zone(office, clock):
    files = drills.files()
    written = re.sub(
        rb"<bpmn:timeDuration(.*?)>.*?</bpmn:timeDuration>",
        rb"<bpmn:timeCycle\1>0 0 9 * * *</bpmn:timeCycle>",
        files["process.bpmn"],
    )
    with office.work() as work:
        packs.deploy(work, packs.read({**files, "process.bpmn": written}))
    clock.now = at("2026-09-21 08:00")
    number = drills.file(office)
    walks.complete(office, number, drills.CHECK)
    assert due(office)["pause"] == at("2026-09-21 09:00")
