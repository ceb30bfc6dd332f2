"""The officers' desk: handing over, countersigning, memos, standing in."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, NotFound, NotSignedIn, Overtaken, Unanswered
from approval.models.people import Person
from approval.services import countersigns, handovers, journal, memos, people, posts, tasks
from approval.services.tasks import Tab
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, REVIEW

WHY = "下午出差。"


@pytest.fixture
def person(office):
    def id_of(code):
        with office.work(read_only=True) as work:
            return work.session.scalars(select(Person.id).where(Person.code == code)).one()

    return id_of


@pytest.fixture
def second(office, person):
    """A second examiner of SCJ."""
    with office.work(by=walks.signed_in(office, "admin")) as work:
        for post in people.actor_by_code(work, "huang").posts:
            posts.give(work, person("zhao"), post)
    return person("zhao")


@pytest.fixture
def review(office):
    """A case whose document review huang has claimed."""
    number = walks.walk(office, walks.file(office), ACCEPT)
    task = walks.open_task(office, number, "document_review")
    with office.work(by=walks.signed_in(office, "huang")) as work:
        tasks.claim(work, task)
    return number, task


def by(office, who):
    return office.work(by=walks.signed_in(office, who))


def tags(office, number):
    with office.work(read_only=True) as work:
        return [line.tag for line in journal.read(work, walks.case(work, number))]


def test_a_task_is_passed_on_to_a_colleague_of_the_same_post(office, review, second):
    number, task = review
    with by(office, "huang") as work:
        found = tasks.of_case(work, walks.case(work, number))[-1]
        others = {one.id for one in handovers.colleagues(work, found)}
        assert second in others
        assert work.actor.person not in others
        handovers.pass_on(work, task, second, WHY)
    with by(office, "zhao") as work:
        assert [one.id for one in tasks.queue(work, Tab.MINE)] == [task]
        (line,) = [one for one in journal.read(work, walks.case(work, number)) if one.tag == "task:passed-on"]
        assert (line.facts["to"], line.facts["reason"]) == (str(second), WHY)
        tasks.complete(work, task, REVIEW[2])


@pytest.mark.parametrize("to", ["wang", "chen", "admin"])
def test_nobody_without_the_post_is_passed_a_task(office, review, person, to):
    with by(office, "huang") as work, pytest.raises(AnswersInvalid):
        handovers.pass_on(work, review[1], person(to), WHY)


def test_whoever_must_keep_away_is_not_passed_a_task(office, person):
    """行政许可法第三十四条: an officer is not given their own matter, whoever hands out."""
    with by(office, "admin") as work:
        huang = people.actor_by_code(work, "huang").posts
        for post in huang:
            posts.give(work, person("chen"), post)
    number = walks.walk(office, walks.file(office), ACCEPT)
    task = walks.open_task(office, number, "document_review")
    with by(office, "huang") as work:
        tasks.claim(work, task)
    with by(office, "huang") as work, pytest.raises(NotAllowed):
        handovers.pass_on(work, task, person("chen"), WHY)
    with by(office, "huang") as work:
        assert [one.id for one in tasks.queue(work, Tab.MINE)] == [task], "nothing is half done"


def test_a_signer_of_the_department_takes_back_what_an_absent_colleague_holds(office, review, second):
    number, task = review
    with by(office, "zhao") as work, pytest.raises(Overtaken):
        handovers.take_back(work, task, WHY)
    with by(office, "cai") as work:
        handovers.take_back(work, task, WHY)
    with by(office, "cai") as work, pytest.raises(AlreadyDone):
        handovers.take_back(work, task, WHY)
    with by(office, "cai") as work:
        handovers.pass_on(work, task, second, WHY)
    assert {"task:taken-back", "task:passed-on"} <= set(tags(office, number))


@pytest.mark.parametrize("reason", ["", " ", "x" * 2001])
def test_handing_over_says_why(office, review, second, reason):
    with by(office, "huang") as work, pytest.raises(AnswersInvalid):
        handovers.pass_on(work, review[1], second, reason)


def test_a_task_waits_for_those_who_were_asked_to_sign_and_a_no_never_goes_away(office, review, person):
    number, task = review
    with by(office, "huang") as work:
        found = tasks.of_case(work, walks.case(work, number))[-1]
        asked = {one.code for one in countersigns.may_be_asked(work, found)}
        assert {"wang", "cai", "xu"} <= asked
        assert not {"chen", "huang", "admin"} & asked
        mine = {
            one.asked: one.id for one in countersigns.ask(work, task, [person("xu"), person("cai")], "是否符合条件？")
        }
    with by(office, "huang") as work, pytest.raises(Unanswered):
        tasks.complete(work, task, REVIEW[2])
    with by(office, "xu") as work:
        (one,) = countersigns.mine(work)
        with pytest.raises(AnswersInvalid):
            countersigns.answer(work, one.id, agrees=False, opinion=" ")
        countersigns.answer(work, one.id, agrees=False, opinion="面积不足。")
    with by(office, "cai") as work:
        countersigns.answer(work, mine[person("cai")], agrees=True, opinion="")
        with pytest.raises(AlreadyDone):
            countersigns.answer(work, mine[person("cai")], agrees=False, opinion="改主意")
    with by(office, "huang") as work:
        tasks.complete(work, task, REVIEW[2])
    with by(office, "huang") as work:
        said = countersigns.of_case(work, walks.case(work, number))
        assert sorted((one.agrees, one.opinion) for one in said) == [(False, "面积不足。"), (True, "")]
    assert tags(office, number).count("countersign:answered") == 2


def test_who_was_asked_is_not_asked_twice_and_a_question_can_be_withdrawn(office, review, person):
    number, task = review
    with by(office, "huang") as work:
        asked = countersigns.ask(work, task, [person("cai")], "请会签。")[0].id
        assert countersigns.ask(work, task, [person("cai")], "请会签。") == []
    with by(office, "xu") as work, pytest.raises(NotFound):
        countersigns.withdraw(work, asked)
    with by(office, "huang") as work:
        countersigns.withdraw(work, asked)
        countersigns.withdraw(work, asked)
    with by(office, "cai") as work:
        assert countersigns.mine(work) == []
        with pytest.raises(AlreadyDone):
            countersigns.answer(work, asked, agrees=True, opinion="")
    with by(office, "huang") as work:
        tasks.complete(work, task, REVIEW[2])
    assert tags(office, number).count("countersign:withdrawn") == 1


@pytest.mark.parametrize("who", ["zhao", "cai"])
def test_a_question_of_one_who_left_is_withdrawn_by_who_holds_the_task_or_hands_it_out(
    office, review, second, person, who
):
    number, task = review
    with by(office, "huang") as work:
        asked = countersigns.ask(work, task, [person("xu")], "请会签。")[0].id
    with by(office, "cai") as work:
        handovers.pass_on(work, task, second, WHY)
    with by(office, who) as work:
        countersigns.withdraw(work, asked)
    with by(office, "zhao") as work:
        tasks.complete(work, task, REVIEW[2])
    assert "countersign:withdrawn" in tags(office, number)


@pytest.mark.parametrize(("whom", "question"), [([], "?"), (["chen"], "?"), (["cai"], " "), (["admin"], "?")])
def test_nobody_unfit_is_asked_and_nobody_without_a_question(office, review, person, whom, question):
    with by(office, "huang") as work, pytest.raises(AnswersInvalid):
        countersigns.ask(work, review[1], [person(code) for code in whom], question)


def test_only_who_was_asked_answers(office, review, person):
    with by(office, "huang") as work:
        asked = countersigns.ask(work, review[1], [person("cai")], "请会签。")[0].id
    for who in ("xu", "chen", "huang"):
        with by(office, who) as work, pytest.raises(NotFound):
            countersigns.answer(work, asked, agrees=True, opinion="")
    with office.work(by=VISITOR) as work, pytest.raises(NotSignedIn):
        countersigns.answer(work, asked, agrees=True, opinion="")


def test_of_an_answer_and_a_withdrawal_at_once_one_counts(office, review, person):
    with by(office, "huang") as work:
        asked = countersigns.ask(work, review[1], [person("cai")], "请会签。")[0].id

    def answer():
        with by(office, "cai") as work:
            countersigns.answer(work, asked, agrees=True, opinion="")

    def withdraw():
        with by(office, "huang") as work:
            countersigns.withdraw(work, asked)

    results = races.at_once(answer, withdraw)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyDone", "NoneType"]


def test_memos_stay_among_officers_and_copies_and_urges_reach_whom_they_are_for(office, review, person, clock):
    number, task = review
    with by(office, "wang") as work:
        memos.note(work, number, "申请人来过电话。")
        memos.copy_to(work, task, person("cai"), "请知悉。")
        memos.urge(work, task, "请尽快办理。")
        with pytest.raises(AlreadyDone):
            memos.urge(work, task, "再催一次。")
    with by(office, "cai") as work:
        ((memo, who, case),) = memos.told_me(work)
        assert (memo.kind, who, case) == ("copy", "王窗口", number)
        memos.read(work, memo.id)
        assert memos.waiting(work) == 0
    with by(office, "huang") as work:
        assert [memo.kind for memo, _, _ in memos.told_me(work)] == ["urge"]
        assert len(memos.of_case(work, walks.case(work, number))) == 3
    clock.now += timedelta(days=1, minutes=1)
    with by(office, "wang") as work:
        memos.urge(work, task, "再催一次。")
    with by(office, "chen") as work, pytest.raises(NotAllowed):
        memos.note(work, number, "x")
    with by(office, "lin") as work, pytest.raises(NotFound):
        memos.note(work, number, "x")


def test_nobody_marks_anothers_memo_as_read(office, review, person):
    with by(office, "wang") as work:
        memo = memos.copy_to(work, review[1], person("cai"), "请知悉。").id
    with by(office, "huang") as work:
        memos.read(work, memo)
    with by(office, "cai") as work:
        assert memos.waiting(work) == 1


def test_who_stands_in_has_the_posts_of_the_absent_for_those_days_and_their_own_name(office, review, person, clock):
    task = review[1]
    with by(office, "huang") as work:
        today = work.today
        tasks.release(work, task)
        cover = handovers.stand_in(work, person("huang"), person("cai"), today, today + timedelta(days=1))
        assert [one.id for one in handovers.covers(work)] == [cover.id]
    with by(office, "cai") as work:
        assert work.actor.holds("SCJ", "examiner")
        tasks.claim(work, task)
        assert tasks.complete(work, task, REVIEW[2]).done_by == person("cai")
    clock.now += timedelta(days=2)
    with by(office, "cai") as work:
        assert not work.actor.holds("SCJ", "examiner")


def test_standing_in_ends_early_by_either_of_the_two(office, person):
    with by(office, "huang") as work:
        cover = handovers.stand_in(work, person("huang"), person("cai"), work.today, work.today).id
    with by(office, "wang") as work, pytest.raises(NotFound):
        handovers.end_cover(work, cover)
    with by(office, "cai") as work:
        handovers.end_cover(work, cover)
    with by(office, "cai") as work:
        assert not work.actor.holds("SCJ", "examiner")
        assert handovers.covers(work) == []


def test_nobody_appoints_a_stand_in_for_another_or_from_elsewhere_or_for_days_that_passed(office, person):
    with by(office, "xu") as work, pytest.raises(NotAllowed):
        handovers.stand_in(work, person("huang"), person("cai"), work.today, work.today)
    with by(office, "huang") as work:
        for by_, since, until in (
            ("wang", work.today, work.today),
            ("huang", work.today, work.today),
            ("cai", work.today, work.today - timedelta(days=1)),
            ("cai", work.today + timedelta(days=2), work.today),
            ("cai", work.today, date(2099, 1, 1)),
        ):
            with pytest.raises(AnswersInvalid):
                handovers.stand_in(work, person("huang"), person(by_), since, until)


def test_an_administrator_s_posts_are_never_stood_in_for(office, person):
    with by(office, "admin") as work:
        for post in people.actor_by_code(work, "cai").posts:
            posts.give(work, person("admin"), post)
    with by(office, "admin") as work:
        handovers.stand_in(work, person("admin"), person("cai"), work.today, work.today)
    with by(office, "cai") as work:
        assert not work.actor.administers
