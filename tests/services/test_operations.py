"""What an administrator may do to a procedure: each verb once, with a reason, and nothing that decides."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    Held,
    IllegalStep,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OutOfTurn,
)
from approval.models.cases import JournalEntry
from approval.models.tasks import Errand, ErrandProgress
from approval.services import cases, operations, tasks, timers, workers
from tests.kit import drills, races, walks
from tests.kit.drills import CHECK, REVIEW, Register
from tests.kit.samples import ASK

REASON = "示例：对方系统故障。"


@pytest.fixture
def number(office, register):
    drills.deploy(office)
    return walks.walk(office, drills.file(office), CHECK)


def operate(office, verb, *given, by="admin", **more):
    with office.work(by=walks.signed_in(office, by)) as work:
        return verb(work, *given, **more).number


def lines(office, number, tag):
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        said = select(JournalEntry).where(JournalEntry.case_id == case.id, JournalEntry.tag == tag)
        return [(line.actor, line.facts) for line in work.session.scalars(said)]


def finish(office, number, clock):
    for errand in walks.waiting(office, Errand, ErrandProgress.OPEN):
        workers.carry(office, errand)
    clock.now += timedelta(seconds=2)
    workers.sweep(office)


NOBODY = UUID(int=0)
VERBS = [
    lambda work, number: operations.hold(work, number, REASON),
    lambda work, number: operations.release(work, number, REASON),
    lambda work, number: operations.terminate(work, number, REASON),
    lambda work, number: operations.skip(work, number, NOBODY, REASON),
    lambda work, number: operations.move(work, number, NOBODY, "review", REASON),
    lambda work, number: operations.deliver(work, number, "示例", {}, REASON),
]


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_but_an_administrator_operates(office, number, verb):
    before = walks.everything(office)
    for who, kind in ((VISITOR, NotSignedIn), ("wang", NotAllowed), ("chen", NotAllowed)):
        with pytest.raises(kind), office.work(by=walks.signed_in(office, who) if who != VISITOR else who) as work:
            verb(work, number)
    for unknown in ("350500000000000000000000", "\0"):
        with pytest.raises(NotFound):
            operate(office, verb, unknown)
    assert walks.everything(office) == before


def test_a_held_case_stands_still_and_goes_on_where_it_stood(office, number, register, clock):
    errand = drills.errand(office, number)
    operate(office, operations.hold, number, REASON)
    clock.now += timedelta(hours=1)
    assert workers.sweep(office) == 0
    assert workers.carry(office, errand) is False
    assert register.asked == []
    with office.work() as work:
        assert timers.fire(work, walks.case(work, number).id) == []
    operate(office, operations.release, number, REASON)
    assert workers.sweep(office) == 1
    assert workers.carry(office, errand) is True
    walks.walk(office, number, REVIEW)
    assert walks.outcome(office, number)["status"] == "concluded"
    admin = str(walks.signed_in(office, "admin").person)
    assert lines(office, number, "case:held") == [(admin, {"reason": REASON})]
    assert lines(office, number, "case:released") == [(admin, {"reason": REASON})]


def test_nobody_completes_or_claims_on_a_held_case_but_its_applicant_may_withdraw(office, number):
    number = drills.file(office)
    operate(office, operations.hold, number, REASON)
    task, wang = walks.open_task(office, number, "formal_check"), walks.signed_in(office, "wang")
    for verb in (tasks.claim, lambda work, task: tasks.complete(work, task, CHECK[2])):
        with pytest.raises(Held), office.work(by=wang) as work:
            verb(work, task)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不办了。")
    assert walks.outcome(office, number)["status"] == "withdrawn"


def test_nothing_is_corrected_on_a_held_case(office):
    number = walks.walk(office, walks.file(office), ASK)
    operate(office, operations.hold, number, REASON)
    with pytest.raises(Held):
        walks.correct(office, number)


def test_holding_twice_releasing_twice_and_holding_what_ended_are_refused(office, number):
    operate(office, operations.hold, number, REASON)
    with pytest.raises(AlreadyDone):
        operate(office, operations.hold, number, REASON)
    operate(office, operations.release, number, REASON)
    with pytest.raises(AlreadyDone):
        operate(office, operations.release, number, REASON)
    operate(office, operations.terminate, number, REASON)
    with pytest.raises(OutOfTurn):
        operate(office, operations.hold, number, REASON)


def test_an_errand_that_was_being_made_when_the_case_was_held_is_kept_by_nobody(office, number, register):
    errand = drills.errand(office, number)

    class Holding(Register):
        def call(self, key, body):
            operate(office, operations.hold, number, REASON)
            return super().call(key, body)

    office.outside = {"register": Holding()}
    assert workers.carry(office, errand) is False
    operate(office, operations.release, number, REASON)
    office.outside = {"register": register}
    assert workers.carry(office, errand) is True


def test_a_skipped_errand_lets_the_procedure_go_on_and_is_not_run_any_more(office, number, register, clock):
    errand = drills.errand(office, number)
    operate(office, operations.skip, number, errand, REASON)
    assert workers.carry(office, errand) is False
    assert register.asked == []
    finish(office, number, clock)
    walks.walk(office, number, REVIEW)
    assert walks.outcome(office, number)["status"] == "concluded"
    assert lines(office, number, "errand:skipped")[0][1] == {"errand": "call:register", "reason": REASON}


def test_a_skipped_task_was_done_by_nobody(office, number, clock):
    finish(office, number, clock)
    operate(office, operations.skip, number, walks.open_task(office, number, "review"), REASON)
    assert walks.outcome(office, number)["trail"] == ["formal_check"]
    assert ("review", "dropped") in drills.tasks_of(office, number)
    assert walks.outcome(office, number)["status"] == "concluded"


def test_an_applicants_task_is_not_skipped(office):
    number = walks.walk(office, walks.file(office), ASK)
    with pytest.raises(OutOfTurn):
        operate(office, operations.skip, number, walks.open_task(office, number, "correct"), REASON)


def test_a_task_is_moved_back_by_an_administrator(office, register, clock):
    drills.deploy(office, more=("second_review",))
    number = walks.walk(office, drills.file(office), CHECK)
    finish(office, number, clock)
    walks.walk(office, number, REVIEW)
    operate(office, operations.move, number, walks.open_task(office, number, "second_review"), "review", REASON)
    assert drills.open_tasks(office, number) == {"review"}
    assert lines(office, number, "task:moved")[0][1]["reason"] == REASON
    walks.walk(office, number, REVIEW, ("second_review", *REVIEW[1:]))
    assert walks.outcome(office, number)["status"] == "concluded"


def test_a_task_is_moved_forth_by_an_administrator(office, register, clock):
    drills.deploy(office, more=("second_review",))
    number = walks.walk(office, drills.file(office), CHECK)
    finish(office, number, clock)
    operate(office, operations.move, number, walks.open_task(office, number, "review"), "second_review", REASON)
    assert drills.open_tasks(office, number) == {"second_review"}
    with pytest.raises(OutOfTurn):
        operate(office, operations.move, number, walks.open_task(office, number, "second_review"), "ended", REASON)


def test_a_terminated_case_is_told_to_its_applicant_and_waits_for_nothing(office, number):
    operate(office, operations.terminate, number, REASON)
    assert walks.outcome(office, number)["status"] == "terminated"
    assert walks.open_elements(office, number) == set()
    assert walks.told(office, "stopped") == [{"number": number, "reason": REASON}]


def test_the_law_decides_what_may_be_terminated(office, register):
    drills.deploy(office)
    with pytest.raises(IllegalStep):
        operate(office, operations.terminate, drills.file(office), REASON)


def test_a_message_that_nobody_waits_for_is_not_lost_in_silence(office, number):
    with pytest.raises(NotFound):
        operate(office, operations.deliver, number, "示例", {}, REASON)
    assert lines(office, number, "procedure:message") == []


@pytest.mark.parametrize("reason", ["", " \n", "x" * 2001])
def test_every_operation_needs_a_reason(office, number, reason):
    before = walks.everything(office)
    for verb in (operations.hold, operations.terminate):
        with pytest.raises(AnswersInvalid):
            operate(office, verb, number, reason)
    with pytest.raises(AnswersInvalid):
        operate(office, operations.skip, number, drills.errand(office, number), reason)
    assert walks.everything(office) == before


def test_a_page_sent_twice_operates_once(office, number):
    for verb, tag in ((operations.hold, "case:held"), (operations.release, "case:released")):
        sent = [lambda verb=verb: operate(office, verb, number, REASON, token=verb.__name__)] * 2
        assert races.at_once(*sent) == [number, number]
        assert len(lines(office, number, tag)) == 1
    errand = drills.errand(office, number)
    sent = [lambda: operate(office, operations.skip, number, errand, REASON, token="skip")] * 2
    assert races.at_once(*sent) == [number, number]
    sent = [lambda: operate(office, operations.terminate, number, REASON, token="end")] * 2
    assert races.at_once(*sent) == [number, number]
    with pytest.raises(AlreadyDone):
        operate(office, operations.hold, number, REASON, token="end")
