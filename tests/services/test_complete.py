"""Completing a task: the right person, once, with whole answers, or not at all."""

from uuid import uuid4

import pytest
import zstandard
from sqlalchemy import delete, select

from approval.domain.actors import VISITOR, Post
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, NotFound, NotSignedIn, Overtaken, Refusal
from approval.models import people as models
from approval.models.cases import Answers, Case
from approval.services import cases, people, tasks
from approval.services.tasks import Tab
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN, id_number


def check(by):
    return ("formal_check", by, ACCEPT[2])


@pytest.fixture
def number(office):
    return walks.file(office)


def refused(office, number, kind, step):
    before = walks.everything(office)
    with pytest.raises(kind) as refusal:
        walks.walk(office, number, step)
    assert type(refusal.value) is kind
    assert walks.everything(office) == before, "a refused completion leaves nothing behind"
    return refusal.value.facts


def test_the_wrong_role_in_the_right_department_is_not_allowed(office, number):
    walks.walk(office, number, ACCEPT)
    facts = refused(office, number, NotAllowed, ("document_review", "wu", REVIEW[2]))  # an inspector, of the SCJ too
    assert facts == {"task": "document_review", "department": "SCJ", "role": "examiner"}


def test_the_applicant_sees_the_task_and_may_not_do_it(office, number):
    refused(office, number, NotAllowed, check("chen"))


@pytest.mark.parametrize("stranger", ["lin", "huang", "su", "admin"])
def test_another_department_an_administrator_and_a_stranger_find_nothing(office, number, stranger):
    refused(office, number, NotFound, check(stranger))


def test_the_same_role_in_another_department_is_not_enough(office, number):
    walks.walk(office, number, ACCEPT)
    refused(office, number, NotFound, ("document_review", "su", REVIEW[2]))  # an examiner, of the XFJ


def test_a_visitor_signs_in_first_and_an_unknown_task_is_not_found(office, number):
    refused(office, number, NotSignedIn, check(VISITOR))
    with office.work(by=walks.signed_in(office, "wang")) as work, pytest.raises(NotFound):
        tasks.complete(work, uuid4(), {})


def test_a_post_that_was_taken_away_counts_no_more(office, number):
    with office.work() as work:
        work.session.execute(delete(models.Post).where(models.Post.role == "window"))
    refused(office, number, NotFound, check("wang"))


def test_invalid_answers_are_told_whole_and_leave_nothing(office, number):
    walks.walk(office, number, ACCEPT)
    nonsense = ("document_review", "huang", {"result": "maybe", "x": 1})
    facts = refused(office, number, AnswersInvalid, nonsense)
    assert {(missing.where, missing.why) for missing in facts["missing"]} == {
        ("answers.result", "not-a-choice"),
        ("answers.opinion", "required"),
        ("answers.x", "not-asked-for"),
    }


def test_a_task_done_twice_is_said_to_be_done(office, number):
    task = walks.open_task(office, number, "formal_check")
    walks.walk(office, number, ACCEPT)
    before = walks.everything(office)
    for who, kind in (("wang", AlreadyDone), ("zhao", Overtaken)):
        with office.work(by=walks.signed_in(office, who)) as work, pytest.raises(kind):
            tasks.complete(work, task, ACCEPT[2])
    assert walks.everything(office) == before


def test_a_second_sending_with_the_token_is_the_same_completion(office, number):
    task = walks.open_task(office, number, "formal_check")
    walks.complete(office, number, check("wang"), "click")
    before = walks.everything(office)
    with office.work(by=walks.signed_in(office, "wang")) as work:
        assert tasks.complete(work, task, ACCEPT[2], token="click").id == task
        with pytest.raises(AlreadyDone):
            tasks.complete(work, task, ACCEPT[2], token="another")
    with office.work(by=walks.signed_in(office, "zhao")) as work, pytest.raises(Overtaken):
        tasks.complete(work, task, ACCEPT[2], token="click")
    assert walks.everything(office) == before


def test_of_two_officers_at_once_one_wins_and_the_other_is_overtaken(office, number):
    task = walks.open_task(office, number, "formal_check")

    def complete(who, given):
        with office.work(by=who) as work:
            return tasks.complete(work, task, given).done_by

    wang, zhao = (walks.signed_in(office, code) for code in ("wang", "zhao"))
    decline = {"result": "not_required", "reason": "依法备案即可。"}
    results = races.at_once(lambda: complete(wang, ACCEPT[2]), lambda: complete(zhao, decline))
    assert [type(result) for result in results].count(Overtaken) == 1
    assert {wang.person, zhao.person} & set(results)
    assert walks.outcome(office, number)["trail"] == ["formal_check"]


def test_two_clicks_at_once_are_one_completion(office, number):
    task, wang = walks.open_task(office, number, "formal_check"), walks.signed_in(office, "wang")

    def click():
        with office.work(by=wang) as work:
            return tasks.complete(work, task, ACCEPT[2], token="click").element

    assert races.at_once(click, click) == ["formal_check"] * 2
    assert walks.outcome(office, number)["journal"].count("case:accepted") == 1


def test_a_claimed_task_is_its_claimants_until_it_is_given_back(office, number):
    task = walks.open_task(office, number, "formal_check")
    wang, zhao = walks.signed_in(office, "wang"), walks.signed_in(office, "zhao")
    with office.work(by=wang) as work:
        tasks.claim(work, task)
        tasks.claim(work, task)
    refused(office, number, Overtaken, check("zhao"))
    with office.work(by=zhao) as work:
        assert tasks.queue(work, Tab.FREE) == []
        for verb in (tasks.claim, tasks.release):
            with pytest.raises(Overtaken):
                verb(work, task)
    with office.work(by=wang) as work:
        tasks.release(work, task)
    walks.walk(office, number, check("zhao"))


def test_of_two_claims_at_once_one_wins(office, number):
    task = walks.open_task(office, number, "formal_check")

    def claim(who):
        with office.work(by=who) as work:
            return tasks.claim(work, task).claimed_by

    one, other = (walks.signed_in(office, code) for code in ("wang", "zhao"))
    results = races.at_once(lambda: claim(one), lambda: claim(other))
    assert [type(result) for result in results].count(Overtaken) == 1
    assert {one.person, other.person} & set(results)


def test_nobody_claims_what_they_may_not_do(office, number):
    task = walks.open_task(office, number, "formal_check")
    for who, kind in (("chen", NotAllowed), ("huang", NotFound)):
        with office.work(by=walks.signed_in(office, who)) as work, pytest.raises(kind):
            tasks.claim(work, task)


def test_after_withdrawal_nothing_is_completed(office, number):
    task = walks.open_task(office, number, "formal_check")
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不再经营。")
    before = walks.everything(office)
    with office.work(by=walks.signed_in(office, "wang")) as work, pytest.raises(Overtaken):
        tasks.complete(work, task, ACCEPT[2])
    assert walks.everything(office) == before


def test_completing_and_withdrawing_at_once_never_leaves_both(office, number):
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE)
    chen = walks.signed_in(office, "chen")

    def withdraw():
        with office.work(by=chen) as work:
            cases.withdraw(work, number, "不再经营。")

    signed, withdrawn = races.at_once(lambda: walks.walk(office, number, SIGN), withdraw)
    status = walks.outcome(office, number)["status"]
    if isinstance(withdrawn, Refusal):
        assert (signed, status) == (number, "granted")
    else:
        assert isinstance(signed, Exception)
        assert status == "withdrawn"


def test_who_did_one_part_does_not_do_the_part_kept_apart(office, number):
    with office.work() as work:
        both = (Post("SPJ", "window"), Post("SCJ", "examiner"), Post("SCJ", "reviewer"))
        people.enrol(work, "many", "多岗示例", id_number(1), posts=both)
    walks.walk(office, number, ("formal_check", "many", ACCEPT[2]))
    facts = refused(office, number, NotAllowed, ("document_review", "many", REVIEW[2]))
    assert facts["done"] == ["formal_check"]
    assert facts["basis"].startswith("受办分离")
    walks.walk(office, number, REVIEW)
    refused(office, number, NotAllowed, ("decision_review", "many", ADVISE[2]))


def test_answers_are_kept_beside_the_state_with_who_and_when(office, clock, number):
    huang = walks.signed_in(office, "huang")
    walks.walk(office, number, ACCEPT, REVIEW)
    with office.work(read_only=True) as work:
        filing, check, review = work.session.scalars(select(Answers).order_by(Answers.ordinal))
        assert [row.element for row in (filing, check, review)] == ["filing", "formal_check", "document_review"]
        assert review.content == REVIEW[2]
        assert review.answered_by == str(huang.person)
        assert review.answered_at == clock.now


def test_free_text_never_enters_the_engine(office, number):
    walks.walk(office, number, ACCEPT, REVIEW)
    with office.work(read_only=True) as work:
        state = zstandard.decompress(work.session.scalars(select(Case.state)).one()[1:]).decode()
    assert '"pass"' in state
    for said in (REVIEW[2]["opinion"], "陈示例", "0595-00000018"):
        assert said not in state
