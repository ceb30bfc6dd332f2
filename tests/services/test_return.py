"""Returning to an earlier step: the procedure stands as it stood then, and the record keeps what was done since."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, NotFound, OutOfTurn
from approval.models.cases import Answers
from approval.models.snapshots import Snapshot
from approval.models.tasks import Errand, ErrandProgress, Timer
from approval.services import operations, snapshots, tasks, workers
from tests.kit import drills, races, walks
from tests.kit.drills import CHECK, REVIEW, Register
from tests.kit.samples import ACCEPT, ADVISE, ASK
from tests.kit.samples import REVIEW as REVIEWED

REASON = "审查意见与现场情况不符，请重新审查。"
SECOND = ("second_review", *REVIEW[1:])
THIRD = ("third_review", *REVIEW[1:])


@pytest.fixture
def register(office):
    register = Register()
    office.outside = {"register": register}
    return register


@pytest.fixture
def number(office, register, clock):
    """A case that stands at the third of three reviews."""
    drills.deploy(office, more=("second_review", "third_review"))
    number = walks.walk(office, drills.file(office), CHECK)
    settle(office, clock)
    return walks.walk(office, number, REVIEW, SECOND)


def settle(office, clock):
    for errand in walks.waiting(office, Errand, ErrandProgress.OPEN):
        workers.carry(office, errand)
    clock.now += timedelta(seconds=2)
    workers.sweep(office)


def return_to(office, number, here, target, *, by="huang", reason=REASON, **more):
    task = walks.open_task(office, number, here)
    with office.work(by=walks.signed_in(office, by)) as work:
        return tasks.return_to(work, task, target, reason, **more).element


def steps(office, number):
    with office.work(read_only=True) as work:
        return [task.element for task in snapshots.steps(work, walks.case(work, number))]


def test_a_case_is_led_back_to_a_step_and_walks_on_from_there(office, number):
    return_to(office, number, "third_review", "review")
    assert drills.open_tasks(office, number) == {"review"}
    walks.walk(office, number, REVIEW, SECOND, THIRD)
    stands = walks.outcome(office, number)
    assert stands["status"] == "concluded"
    assert stands["trail"] == ["formal_check", "review", "second_review", "review", "second_review", "third_review"]


def test_what_was_done_stays_as_it_was_done_and_is_done_again_beside_it(office, number):
    with office.work(read_only=True) as work:
        before = {task.id: (task.done_by, task.closed_at) for task in tasks.of_case(work, walks.case(work, number))}
    return_to(office, number, "third_review", "review")
    assert sorted(drills.tasks_of(office, number)) == [
        ("formal_check", "done"),
        ("review", "done"),
        ("review", "open"),
        ("second_review", "done"),
        ("third_review", "dropped"),
    ]
    with office.work(read_only=True) as work:
        after = {task.id: (task.done_by, task.closed_at) for task in tasks.of_case(work, walks.case(work, number))}
        said = work.session.scalar(select(func.count()).select_from(Answers).where(Answers.element == "second_review"))
    assert {id_: after[id_] for id_, (by, _at) in before.items() if by} == {
        id_: done for id_, done in before.items() if done[0]
    }
    assert said == 1, "what was answered stays answered"


def test_a_late_second_sending_of_a_completion_finds_the_first_though_the_step_was_returned_to(office, number):
    return_to(office, number, "third_review", "second_review")
    huang = walks.signed_in(office, "huang")
    task = walks.open_task(office, number, "second_review")
    with office.work(by=huang) as work:
        tasks.complete(work, task, REVIEW[2], token="click")
    return_to(office, number, "third_review", "second_review")
    with office.work(by=huang) as work:
        assert tasks.complete(work, task, REVIEW[2], token="click").id == task
    assert drills.open_tasks(office, number) == {"second_review"}, "and completes nothing a second time"


def test_only_steps_before_the_present_one_can_be_returned_to(office, number):
    assert steps(office, number) == ["second_review", "review"]
    return_to(office, number, "third_review", "review")
    assert steps(office, number) == [], "what came after it never was, and the law has accepted since"
    for target in ("second_review", "review", "formal_check", "nothing"):
        with pytest.raises(OutOfTurn):
            return_to(office, number, "review", target)


def test_a_step_before_a_legal_act_is_not_returned_to(office, number):
    with pytest.raises(OutOfTurn):
        return_to(office, number, "third_review", "formal_check")


def test_a_step_before_a_correction_is_not_returned_to(office):
    number = walks.walk(office, walks.file(office), ASK)
    walks.correct(office, number)
    assert steps(office, number) == []
    walks.walk(office, number, ACCEPT, REVIEWED, ADVISE)
    assert steps(office, number) == ["decision_review", "document_review"]


def test_whoever_cannot_do_the_task_cannot_return_it(office, number):
    for who, kind in (("wu", NotAllowed), ("su", NotFound), ("chen", NotAllowed), ("admin", NotFound)):
        with pytest.raises(kind):
            return_to(office, number, "third_review", "review", by=who)


def test_a_return_needs_a_reason_and_stands_in_the_journal(office, number):
    before = walks.everything(office)
    with pytest.raises(AnswersInvalid):
        return_to(office, number, "third_review", "review", reason=" ")
    assert walks.everything(office) == before
    return_to(office, number, "third_review", "review")
    assert walks.outcome(office, number)["journal"][-1] == "task:returned"


def test_a_page_sent_twice_returns_once(office, number):
    task, huang = walks.open_task(office, number, "third_review"), walks.signed_in(office, "huang")

    def click(token="click"):
        with office.work(by=huang) as work:
            return tasks.return_to(work, task, "review", REASON, token=token).element

    assert races.at_once(click, click) == ["third_review"] * 2
    assert walks.outcome(office, number)["journal"].count("task:returned") == 1
    walks.walk(office, number, REVIEW)
    assert click() == "third_review", "the same page once more is the same return"
    assert drills.open_tasks(office, number) == {"second_review"}


def test_completing_and_returning_at_once_do_one_of_both(office, number):
    task, huang = walks.open_task(office, number, "third_review"), walks.signed_in(office, "huang")

    def complete():
        with office.work(by=huang) as work:
            tasks.complete(work, task, REVIEW[2])

    def back():
        with office.work(by=huang) as work:
            tasks.return_to(work, task, "review", REASON)

    results = races.at_once(complete, back)
    assert sum(result is None or isinstance(result, str) for result in results) == 1
    assert walks.outcome(office, number)["status"] in {"accepted", "concluded"}


def test_what_ran_beside_the_step_is_done_again_too_and_the_other_side_is_asked_under_the_same_key(
    office, register, clock
):
    drills.deploy(office, wait="PT1H", more=("second_review",))
    number = walks.walk(office, drills.file(office), CHECK)
    # The examiner's snapshot is made while both branches are over; that of the check, before them, is the law's.
    settle(office, clock)
    clock.now += timedelta(hours=1)
    workers.sweep(office)
    walks.walk(office, number, REVIEW)
    return_to(office, number, "second_review", "review")
    walks.walk(office, number, REVIEW, SECOND)
    assert len(register.effects) == 1


def test_timers_of_a_step_that_is_returned_to_count_anew_where_they_are_over(office, clock):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEWED)
    clock.now += timedelta(days=1)
    return_to(office, number, "decision_review", "document_review", by="xu")
    with office.work(read_only=True) as work:
        waiting = work.session.scalars(select(Timer).where(Timer.closed_at.is_(None))).all()
        assert all(timer.due_at > work.now for timer in waiting)
    walks.walk(office, number, REVIEWED)


def test_snapshots_are_one_for_each_step_and_forgotten_after_the_end(office, number, clock):
    with office.work(read_only=True) as work:
        kept = work.session.scalars(select(Snapshot)).all()
        assert sorted(each.element for each in kept) == ["formal_check", "review", "second_review"]
        assert max(len(each.state) for each in kept) < 3000
    return_to(office, number, "third_review", "second_review")
    walks.walk(office, number, SECOND, THIRD)
    clock.now += timedelta(days=office.settings.snapshot_days, minutes=-1)
    workers.tidy(office)
    assert count(office) == 4
    clock.now += timedelta(minutes=2)
    workers.tidy(office)
    assert count(office) == 0


def count(office):
    with office.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Snapshot))


def test_nothing_is_returned_on_a_held_case(office, number):
    with office.work(by=walks.signed_in(office, "admin")) as work:
        operations.hold(work, number, REASON)
    with pytest.raises(OutOfTurn):
        return_to(office, number, "third_review", "review")


def test_a_task_that_is_done_cannot_be_returned(office, number):
    task = walks.open_task(office, number, "third_review")
    walks.walk(office, number, THIRD)
    with office.work(by=walks.signed_in(office, "huang")) as work, pytest.raises(AlreadyDone):
        tasks.return_to(work, task, "review", REASON)
