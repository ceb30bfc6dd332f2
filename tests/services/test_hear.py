"""Hearings: the right is told, the day announced in time, minutes kept, and the decision follows them."""

import pytest

from approval.domain.errors import AnswersInvalid, IllegalStep, NotAllowed, Unheard
from approval.models.people import Post
from approval.models.tasks import Task
from approval.services import (
    announcements,
    answers,
    countdowns,
    decisions,
    hearings,
    issuances,
    journal,
    people,
    suspensions,
    tasks,
    workers,
)
from tests.kit import blocks, walks
from tests.kit.blocks import GRANT, REFUSE
from tests.kit.samples import at

ASK = ("hearing_request", "chen", {"result": "ask", "matters": "活动规模。"})
WAIVE = ("hearing_request", "chen", {"result": "waive"})
MINUTES = ("hold_hearing", "fang", {"minutes": "申请人陈述申辩，审查人员出示证据。", "signatures": "陈示例、黄审查"})


def schedule(held_on):
    told = {"hour": "09:30", "place": "示例路1号听证室", "presider": "方听证", "examiner": "黄审查"}
    return ("hearing_schedule", "huang", {"held_on": held_on, **told})


def kinds(office, number):
    with office.work(read_only=True) as work:
        return [formal.kind for formal in issuances.of_case(work, walks.case(work, number))]


def due(office, number, kind="decision"):
    with office.work(read_only=True) as work:
        return countdowns.due(work, walks.case(work, number), kind).day.isoformat()


@pytest.fixture
def accepted(office):
    return blocks.accepted(office, "hearing_procedure")


@pytest.mark.article("行政许可法#47")
def test_article_47_the_right_to_a_hearing_is_told_with_the_days_there_are_to_ask(office, accepted):
    with office.work(read_only=True) as work:
        formals = issuances.of_case(work, walks.case(work, accepted))
        (told,) = [issuances.facts_of(formal) for formal in formals if formal.kind == "hearing-rights"]
    assert told["ask_days"] == 5
    assert due(office, accepted, "hearing_request") == "2026-09-26"


@pytest.mark.article("行政许可法#47")
def test_article_47_who_does_not_ask_in_time_has_waived_it(office, clock, accepted):
    clock.now = at("2026-09-27 00:01")
    workers.sweep(office)
    assert walks.open_elements(office, accepted) == {"decision"}
    walks.complete(office, accepted, GRANT)
    assert walks.outcome(office, accepted)["decision"] == "granted"


@pytest.mark.article("行政许可法#48.1.1")
def test_article_48_the_day_is_told_seven_working_days_ahead_and_held_within_twenty(office, accepted):
    walks.complete(office, accepted, ASK)
    # 2026-09-21 plus seven working days is 09-29; twenty end on 10-22; 10-01 is a day of rest.
    for wrong in ("2026-09-28", "2026-10-01", "2026-10-23", "2026-09-20"):
        with pytest.raises(AnswersInvalid) as refused:
            walks.complete(office, accepted, schedule(wrong))
        assert refused.value.facts["missing"][0].where == "answers.held_on"
    assert "hearing" not in kinds(office, accepted)
    walks.complete(office, accepted, schedule("2026-09-29"))
    assert "hearing" in kinds(office, accepted)


@pytest.mark.article("行政许可法#45")
def test_article_45_the_days_until_a_hearing_is_over_do_not_count(office, clock, accepted):
    before = due(office, accepted)
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    # 09-22 to 09-25, 09-26 (a make-up Saturday), 09-28 and 09-29 are seven working days.
    assert (before, due(office, accepted)) == ("2026-10-22", "2026-11-02")
    with office.work(read_only=True) as work:
        covering = suspensions.covering(work, walks.case(work, accepted))
    assert (covering.cause.code, covering.last.isoformat()) == ("hearing", "2026-09-29")
    clock.now = at("2026-09-29 11:00")
    walks.complete(office, accepted, MINUTES)
    assert due(office, accepted) == "2026-11-02"


@pytest.mark.article("行政许可法#48.2")
def test_article_48_a_decision_follows_the_minutes_and_names_them(office, clock, accepted):
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    clock.now = at("2026-09-29 11:00")
    walks.walk(office, accepted, MINUTES, REFUSE)
    with office.work(read_only=True) as work:
        formals = {each.kind: each for each in issuances.of_case(work, walks.case(work, accepted))}
        refusal, minutes = issuances.facts_of(formals["refusal"]), issuances.facts_of(formals["hearing-minutes"])
    assert refusal["minutes"] == formals["hearing-minutes"].number
    assert (minutes["presider"], minutes["held_on"]) == ("方听证", "2026-09-29")


@pytest.mark.article("行政许可法#48.2")
def test_article_48_nothing_is_decided_between_the_notice_and_the_minutes(office, accepted):
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    # As a procedure drawn without waiting for its hearing would.
    with office.work() as work, pytest.raises(Unheard):
        decisions.grant(work, walks.case(work, accepted))
    with office.work(read_only=True) as work:
        assert journal.count(work, walks.case(work, accepted), "case:granted") == 0


@pytest.mark.article("行政许可法#48")
def test_article_48_who_examined_presides_over_no_hearing(office, accepted):
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    with office.work() as work:  # somebody holds both posts
        huang = people.actor_by_code(work, "huang")
        work.session.add(Post(person_id=huang.person, department_code="SCJ", role="presider"))
    with pytest.raises(NotAllowed) as refused:
        walks.complete(office, accepted, ("hold_hearing", "huang", MINUTES[2]))
    assert refused.value.facts["basis"] == "行政许可法第四十八条第一款第三项"
    assert refused.value.facts["done"] == ["hearing_schedule"]


@pytest.mark.article("行政许可法#48.1.3")
def test_article_48_the_presider_is_chosen_among_those_who_have_not_examined_and_keeps_the_minutes(office, accepted):
    walks.complete(office, accepted, ASK)
    with office.work() as work:  # zhao may preside too, and huang holds both posts
        for code in ("zhao", "huang"):
            person = people.actor_by_code(work, code).person
            work.session.add(Post(person_id=person, department_code="SCJ", role="presider"))
    task = walks.open_task(office, accepted, "hearing_schedule")
    with office.work(by=walks.signed_in(office, "huang"), read_only=True) as work:
        asked = tasks.form(work, work.session.get_one(Task, task))
        (question,) = [each for each in asked.fields if each.key == "presider"]
    assert [option.value for option in question.options] == ["方听证", "赵窗口", "黄审查"], "nobody has examined yet"
    walks.complete(office, accepted, schedule("2026-09-29"))
    with office.work(read_only=True) as work:
        assert hearings.presiders(work, walks.case(work, accepted)) == ["方听证", "赵窗口"]
    with office.work(by=walks.signed_in(office, "zhao")) as work, pytest.raises(NotAllowed) as refused:
        tasks.claim(work, walks.open_task(office, accepted, "hold_hearing"))
    assert refused.value.facts["basis"] == "行政许可法第四十八条第一款第三项"


@pytest.mark.article("行政许可法#47")
def test_article_47_an_office_that_is_late_holds_the_hearing_all_the_same(office, clock, accepted):
    walks.complete(office, accepted, ASK)
    clock.now = at("2026-10-22 09:00")  # the last of the twenty days, and the last for the decision
    with pytest.raises(AnswersInvalid):
        walks.complete(office, accepted, schedule("2027-03-01"))
    walks.complete(office, accepted, schedule("2026-11-02"))
    clock.now = at("2026-11-02 11:00")
    walks.walk(office, accepted, MINUTES, REFUSE)
    assert walks.outcome(office, accepted)["decision"] == "refused"


@pytest.mark.article("行政许可法#48.2")
def test_article_48_minutes_are_of_a_hearing_that_was_held(office, accepted):
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    with pytest.raises(IllegalStep):
        walks.complete(office, accepted, MINUTES)


@pytest.mark.article("行政许可法#48.1.1")
def test_article_48_a_hearing_that_is_put_off_is_called_off_and_told_anew(office, clock, accepted):
    walks.walk(office, accepted, ASK, schedule("2026-09-29"))
    clock.now = at("2026-09-23 09:00")
    walks.return_to(office, accepted, ("hold_hearing", "fang"), "hearing_schedule")
    assert len(walks.told(office, "hearing-called-off")) == 1
    with office.work(read_only=True) as work:
        assert suspensions.covering(work, walks.case(work, accepted)) is None
    clock.now = at("2026-09-24 09:00")
    walks.complete(office, accepted, schedule("2026-10-13"))
    clock.now = at("2026-10-13 11:00")
    walks.walk(office, accepted, MINUTES, GRANT)
    assert walks.outcome(office, accepted)["decision"] == "granted"


@pytest.mark.parametrize("told", [{"held_on": "明天"}, {"held_on": "9999-12-31"}, {}, {"presider": "黄审查"}])
def test_what_a_schedule_lacks_is_told_whatever_form_it_came_from(office, accepted, told):
    walks.complete(office, accepted, ASK)
    whole = schedule("2026-09-29")[2]
    with office.work(by=walks.signed_in(office, "huang")) as work:
        case = walks.case(work, accepted)
        answers.keep(work, case, "hearing_schedule", whole | told if told else {})
        with pytest.raises(AnswersInvalid):
            hearings.announce(work, case)


@pytest.mark.article("行政许可法#46")
def test_article_46_a_hearing_of_the_authority_s_own_motion_is_announced_to_everybody(office, clock):
    number = blocks.accepted(office, "hearing_held")
    assert walks.open_elements(office, number) == {"hearing_schedule", "hearing_schedule_late"}
    element, by, given = schedule("2026-09-29")
    walks.complete(office, number, (element, by, given | {"public": True}))
    with office.work(read_only=True) as work:
        (up,) = announcements.up(work)
    assert up.until_on.isoformat() == "2026-09-29"
    assert "2026-09-29 09:30，示例路1号听证室" in up.matter
    assert "hearing-announcement" in kinds(office, number)
    with office.work() as work, pytest.raises(Unheard):  # nobody asked for it, and it is owed all the same
        decisions.grant(work, walks.case(work, number))
    clock.now = at("2026-09-29 11:00")
    walks.walk(office, number, MINUTES, GRANT)
