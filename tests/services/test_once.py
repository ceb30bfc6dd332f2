"""Once: one transaction a transition, a loser that is told so, and a second sending that finds the first."""

import pytest
from sqlalchemy import select, update

from approval.domain.actors import VISITOR
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotFound, Overtaken
from approval.models.cases import Case, JournalEntry
from approval.services import access, cases, journal, tasks
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ASK

REASON = "不再经营。"


@pytest.fixture
def number(office):
    return walks.file(office)


def withdraw(office, number, token=None, who="chen"):
    with office.work(by=walks.signed_in(office, who)) as work:
        return cases.withdraw(work, number, REASON, token=token).number


def test_a_withdrawal_sent_twice_is_one(office, number):
    assert races.at_once(*[lambda: withdraw(office, number, "click")] * 2) == [number] * 2
    assert walks.outcome(office, number)["journal"].count("case:withdrawn") == 1
    assert withdraw(office, number, "click") == number


def test_a_token_spent_on_one_thing_is_good_for_no_other(office, number):
    withdraw(office, number, "click")
    other = walks.file(office)
    with pytest.raises(AlreadyDone):
        withdraw(office, other, "click")
    assert walks.outcome(office, other)["status"] == "filed"
    assert withdraw(office, other, "another click") == other


def test_a_token_is_ones_own(office, number):
    withdraw(office, number, "click")
    lin = walks.signed_in(office, "lin")
    theirs = walks.file(office, by=lin)
    assert withdraw(office, theirs, "click", "lin") == theirs


def test_a_refused_withdrawal_spends_no_token(office, number):
    with pytest.raises(NotFound):
        withdraw(office, "350500000000000000000000", "click")
    assert withdraw(office, number, "click") == number


def test_a_case_that_was_read_before_it_was_waited_for_is_taken_as_it_is_then(office, number):
    with office.work() as work:
        seen = access.case(work, number)
        lines = seen.lines
        another = update(Case).where(Case.number == number).values(lines=lines + 1)
        work.session.execute(another, execution_options={"synchronize_session": False})
        assert access.case(work, number, lock=True).lines == lines + 1


def test_a_correction_sent_twice_is_one(office, number):
    walks.walk(office, number, ASK)
    races.at_once(*[lambda: walks.correct(office, number, token="click")] * 2)
    walks.correct(office, number, token="click")
    assert walks.outcome(office, number)["journal"].count("case:corrected") == 1


def test_a_claim_sent_twice_is_one(office, number):
    task, wang = walks.open_task(office, number, "formal_check"), walks.signed_in(office, "wang")

    def claim():
        with office.work(by=wang) as work:
            return tasks.claim(work, task).element

    assert races.at_once(claim, claim) == ["formal_check"] * 2
    assert walks.outcome(office, number)["journal"].count("task:claimed") == 1


@pytest.mark.parametrize("clicks", [2, 5])
def test_a_completion_sent_many_times_at_once_is_one_and_every_sender_hears_the_same(office, number, clicks):
    task, wang = walks.open_task(office, number, "formal_check"), walks.signed_in(office, "wang")

    def click():
        with office.work(by=wang) as work:
            return tasks.complete(work, task, ACCEPT[2], token="click").element

    assert races.at_once(*[click] * clicks) == ["formal_check"] * clicks
    stands = walks.outcome(office, number)
    assert stands["trail"] == ["formal_check"]
    assert stands["journal"].count("case:accepted") == 1
    assert sequence(office, number) == list(range(1, len(stands["journal"]) + 1))


def sequence(office, number):
    with office.work(read_only=True) as work:
        lines = select(JournalEntry.sequence).join(Case).where(Case.number == number)
        return list(work.session.scalars(lines.order_by(JournalEntry.sequence)))


def test_what_a_conflict_undid_is_done_once_more_on_what_is_there_then(office, number):
    tries = []

    def act(work):
        case = walks.case(work, number)
        tries.append(case.version)
        if len(tries) == 1:
            # Somebody else changes the case after it was read and before it is written.
            work.session.connection().exec_driver_sql("UPDATE cases SET version = version + 1")
        case.decision_reason = "示例"
        return case.version

    done = office.do(act)
    assert len(tries) == 2
    assert done == tries[1]


def test_a_second_conflict_is_told(office, number):
    def act(work):
        case = walks.case(work, number)
        work.session.connection().exec_driver_sql("UPDATE cases SET version = version + 1")
        case.decision_reason = "示例"

    with pytest.raises(Overtaken):
        office.do(act)


def test_a_refusal_that_only_looks_like_a_conflict_is_not_tried_again(office):
    tries = []

    def act(_work):
        tries.append(1)
        raise Overtaken

    with pytest.raises(Overtaken):
        office.do(act)
    assert len(tries) == 1


def test_what_must_be_known_of_an_undone_work_is_written_down_after_it(office, number):
    def note(work):
        journal.write(work, walks.case(work, number), "case:urged", tasks=[])

    def act(work):
        journal.write(work, walks.case(work, number), "case:held")
        work.acting_as(VISITOR).if_undone.append(note)
        raise NotFound

    with pytest.raises(NotFound):
        office.do(act)
    assert walks.outcome(office, number)["journal"][-1] == "case:urged"


def test_a_note_that_fails_hides_nothing(office, caplog):
    def note(_work):
        raise KeyError

    def act(work):
        work.if_undone.append(note)
        raise NotFound

    with pytest.raises(NotFound):
        office.do(act)
    assert "could not be written down" in caplog.text


def test_a_work_that_is_kept_writes_no_notes(office):
    with office.work() as work:
        work.if_undone.append(lambda _work: pytest.fail("nothing was undone"))


def test_a_page_that_is_shown_again_for_its_faults_has_spent_no_token(office, number):
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(AnswersInvalid):
        cases.withdraw(work, number, " ", token="click")
        # The view shows the fault, and its Work is kept.
    assert withdraw(office, number, "click") == number
    assert walks.outcome(office, number)["status"] == "withdrawn"
