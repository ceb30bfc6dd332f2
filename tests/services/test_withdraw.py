"""Withdrawal: by the applicant, until the decision; what was open is dropped."""

import pytest
from sqlalchemy import select

from approval.domain.errors import IllegalStep, NotAllowed, NotFound
from approval.models.tasks import Progress, Task, Timer
from approval.services import cases, workers
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, FIRE, MATERIALS, RESTAURANT, REVIEW, SIGN, uploads


def withdraw(office, number, by="chen", organization=None):
    with office.work(by=walks.signed_in(office, by, organization)) as work:
        return cases.withdraw(work, number, "不再经营。").number


@pytest.mark.parametrize("steps", [(), (ASK,), (ACCEPT,), (ACCEPT, REVIEW), (ACCEPT, REVIEW, ADVISE)])
def test_a_case_is_withdrawn_wherever_it_stands_before_the_decision(office, steps):
    number = walks.walk(office, walks.file(office), *steps)
    withdraw(office, number)
    stands = walks.outcome(office, number)
    assert (stands["status"], stands["journal"][-1]) == ("withdrawn", "case:withdrawn")
    assert walks.open_elements(office, number) == set()
    assert walks.told(office, "withdrawn") == [{"number": number, "reason": "不再经营。"}]


def test_what_was_open_is_dropped_and_what_was_done_stays_done(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT)
    withdraw(office, number, "lin", "restaurant")
    with office.work(read_only=True) as work:
        for kind, progress in ((Task, Progress.DONE), (Timer, Progress.DROPPED)):
            rows = {row.element: row.progress for row in work.session.scalars(select(kind))}
            assert set(rows.values()) == {progress, Progress.DROPPED}
        assert all(row.closed_at for row in work.session.scalars(select(Task)))


def test_no_timer_wakes_a_withdrawn_case(office, clock):
    number = walks.file(office)
    withdraw(office, number)
    clock.now = clock.now.replace(year=2027)
    assert workers.sweep(office) == 0
    assert walks.outcome(office, number)["status"] == "withdrawn"


def test_after_the_decision_it_is_too_late(office, quick):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    before = walks.everything(office)
    with pytest.raises(IllegalStep):
        withdraw(office, number)
    assert walks.everything(office) == before, "the errand still waits for the worker"
    walks.run_errands(office)
    with pytest.raises(IllegalStep):
        withdraw(office, number)


def test_twice_is_told(office):
    number = walks.file(office)
    withdraw(office, number)
    with pytest.raises(IllegalStep):
        withdraw(office, number)


def test_nobody_withdraws_what_is_anothers(office):
    number = walks.file(office)
    for who, kind in (("lin", NotFound), ("huang", NotFound), ("wang", NotAllowed)):
        with pytest.raises(kind):
            withdraw(office, number, who)
    assert walks.outcome(office, number)["status"] == "filed"


def test_an_agent_needs_to_act_for_the_organization_to_withdraw_its_case(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT, REVIEW, FIRE)
    with pytest.raises(NotFound):
        withdraw(office, number, "lin")
    assert withdraw(office, number, "lin", "restaurant") == number
