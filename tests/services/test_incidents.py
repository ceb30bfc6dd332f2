"""Incidents: nothing fails silently, nothing is tried for ever, and an administrator finds all of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from approval import engine
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, Objected, Unavailable
from approval.models.incidents import Incident
from approval.models.tasks import Errand, ErrandProgress
from approval.services import errands, incidents, operations, workers
from tests.kit import drills, races, walks
from tests.kit.drills import CHECK

REASON = "对方系统已经恢复。"


@pytest.fixture
def number(office, register):
    drills.deploy(office)
    return walks.walk(office, drills.file(office), CHECK)


def waiting(office):
    with office.work(by=walks.signed_in(office, "admin"), read_only=True) as work:
        return [(one.case.number, one.kind, one.name, one.reason, one.attempts) for one in incidents.listed(work)]


def the_incident(office):
    with office.work(read_only=True) as work:
        return work.session.scalars(select(Incident.id).where(Incident.closed_at.is_(None))).one()


def retry(office, who="admin", **more):
    with office.work(by=walks.signed_in(office, who)) as work:
        operations.retry(work, the_incident(office), REASON, **more)


def journal(office, number):
    return walks.outcome(office, number)["journal"]


class Queue:
    """A carrier that remembers what it promised."""

    def __init__(self):
        self.promised = []

    def enqueue(self, _session, _errand, retry=0, delay=0):
        self.promised.append((retry, delay))

    def close(self):
        pass


def test_an_errand_that_fails_is_tried_later_and_later_and_then_waits_for_a_person(office, number, register):
    office.carrier = queue = Queue()
    register.failures = [Unavailable(connector="register", status=503)] * 10
    errand = drills.errand(office, number)
    for _ in range(10):
        assert workers.carry(office, errand) is False
    assert queue.promised == [(n, 2**n) for n in range(1, 10)]
    assert waiting(office) == [(number, "errand", "call:register", "unavailable", 10)]
    assert workers.carry(office, errand) is False
    assert len(register.asked) == 10, "what waits for a person is not tried"
    assert journal(office, number)[-1] == "errand:incident"


def test_an_errand_that_takes_its_worker_with_it_every_time_is_an_incident(office, number, monkeypatch):
    def die(_office, _call):
        raise SystemExit  # as SIGKILL: nobody notes anything

    call = errands.FAMILIES["call"]
    monkeypatch.setitem(errands.FAMILIES, "call", lambda name: replace(call(name), make=die))
    errand = drills.errand(office, number)
    for _ in range(office.settings.errand_attempts):
        with pytest.raises(SystemExit):
            workers.carry(office, errand)
    assert waiting(office) == []
    assert workers.carry(office, errand) is False
    assert waiting(office) == [(number, "errand", "call:register", "worker-lost", 10)]


def test_what_is_refused_is_not_asked_for_ever(office, number, register):
    register.failures = [engine.NoWayOn(element="ask", why="示例")] * 10
    errand = drills.errand(office, number)
    for _ in range(5):
        workers.carry(office, errand)
    assert len(register.asked) == 3
    assert waiting(office)[0][3] == "no-way-on"


def test_a_retried_errand_goes_on_from_where_it_was_and_the_incident_is_closed(office, number, register):
    register.failures = [Unavailable(connector="register")] * 10
    errand = drills.errand(office, number)
    for _ in range(10):
        workers.carry(office, errand)
    retry(office)
    assert waiting(office) == []
    assert workers.carry(office, errand) is True
    assert set(register.asked) == {str(errand)}, "the other side sees one key, however often it is asked"
    assert "errand:retried" in journal(office, number)
    with office.work(read_only=True) as work:
        assert walks.case(work, number).incidents == 0
        closed = work.session.scalars(select(Incident)).one()
        assert closed.closed_by == str(walks.signed_in(office, "admin").person)


def test_only_an_administrator_sees_and_retries_and_only_with_a_reason(office, number, register):
    register.failures = [engine.NoWayOn()] * 3
    for _ in range(3):
        workers.carry(office, drills.errand(office, number))
    with pytest.raises(NotAllowed):
        retry(office, "huang")
    with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, "wang")) as work:
        incidents.listed(work)
    incident = the_incident(office)
    with pytest.raises(AnswersInvalid), office.work(by=walks.signed_in(office, "admin")) as work:
        operations.retry(work, incident, "  ")


def test_a_double_click_retries_once_and_a_second_administrator_is_told(office, number, register):
    register.failures = [engine.NoWayOn()] * 3
    for _ in range(3):
        workers.carry(office, drills.errand(office, number))
    incident, admin = the_incident(office), walks.signed_in(office, "admin")

    def click(token):
        with office.work(by=admin) as work:
            return operations.retry(work, incident, REASON, token=token).id

    assert races.at_once(lambda: click("one"), lambda: click("one")) == [incident, incident]
    assert journal(office, number).count("errand:retried") == 1
    with pytest.raises(AlreadyDone):
        click("other")


def test_two_reports_at_once_are_one_incident(office, number, register):
    register.failures = [engine.NoWayOn()] * 10
    errand = drills.errand(office, number)
    races.at_once(*[lambda: [workers.carry(office, errand) for _ in range(4)]] * 2)
    assert len(waiting(office)) == 1


def test_an_error_that_nobody_catches_is_an_incident_too(office, number, register):
    register.failures = [Objected(error="unknown-applicant")] * 3
    for _ in range(3):
        workers.carry(office, drills.errand(office, number))
    assert waiting(office)[0][3] == "no-way-on"


def test_a_timer_that_cannot_fire_waits_longer_each_time_and_then_for_a_person(office, number, clock, monkeypatch):
    workers.carry(office, drills.errand(office, number))
    tries = []

    def broken(*_args, **_more):
        tries.append(clock.now)
        raise engine.NoWayOn(element="pause", why="示例")

    began = clock.now
    with monkeypatch.context() as patch:
        patch.setattr(engine, "catch_up", broken)
        for second in range(1, 60):
            clock.now = began + timedelta(seconds=second)
            assert workers.sweep(office) == 0
    assert [int((tried - began).total_seconds()) for tried in tries] == [1, 3, 7], "a bounded number of tries"
    assert waiting(office) == [(number, "timer", "pause", "no-way-on", 3)]
    retry(office)
    assert workers.sweep(office) == 1
    assert drills.open_tasks(office, number) == {"review"}
    assert journal(office, number).count("timer:incident") == 1


def test_a_fault_of_the_procedure_is_told_to_the_clerk_and_to_the_administrator(office, register, monkeypatch):
    drills.deploy(office)
    number = drills.file(office)

    def bomb(_work, _case):
        raise engine.NoWayOn(element="accept_case", why="示例")

    with monkeypatch.context() as patch:
        patch.setitem(errands.ACTS, "accept", bomb)
        for _ in range(2):
            with pytest.raises(engine.NoWayOn):
                walks.walk(office, number, CHECK)
    assert waiting(office) == [(number, "task", "formal_check", "no-way-on", 1)]
    assert drills.open_tasks(office, number) == {"formal_check"}, "and nothing was done by halves"
    walks.walk(office, number, CHECK)
    assert waiting(office) == [], "what was done after all is no incident any more"


def test_wrong_answers_are_no_incident(office, number):
    with pytest.raises(AnswersInvalid):
        walks.walk(office, drills.file(office), ("formal_check", "wang", {}))
    assert waiting(office) == []


def test_incidents_of_what_is_dropped_are_closed_with_it(office, number, register):
    register.failures = [engine.NoWayOn()] * 3
    for _ in range(3):
        workers.carry(office, drills.errand(office, number))
    with office.work(by=walks.signed_in(office, "admin")) as work:
        operations.terminate(work, number, "无法继续办理。")
    assert waiting(office) == []
    assert walks.waiting(office, Errand, ErrandProgress.DROPPED)
