"""Special procedures in a procedure: testing, expert review and public notice suspend and resume by themselves."""

import pytest

from approval.domain.errors import AnswersInvalid, Refusal
from approval.services import (
    announcements,
    answers,
    cases,
    countdowns,
    errands,
    issuances,
    journal,
    workers,
)
from tests.kit import blocks, walks
from tests.kit.samples import at

BEGIN = ("special_begin", "huang", {"cause": "testing", "days": 7, "reason": "委托检测机构检测（示例）。"})
RESULT = ("special_result", "huang", {"result": "pass", "findings": "检测合格。"})
REVIEW = {
    "result": "pass",
    "experts": [{"name": "甲专家（示例大学）"}, {"name": "乙专家（示例研究院）"}],
    "opinion": "方案可行。",
}
REVIEW |= {"interests": "专家与申请人没有利害关系。", "signature": "甲专家、乙专家"}
NOTICE = ("public_notice_begin", "huang", {"matter": "拟准予在示例广场举办活动。", "reason": "示例条例第三条"})
BASIS = '\n[exclusions]\npublic_notice = "示例条例第三条：公示时间不计算在内"\n'


def due(office, number):
    with office.work(read_only=True) as work:
        return countdowns.due(work, walks.case(work, number), "decision").day.isoformat()


def tags(office, number):
    with office.work(read_only=True) as work:
        return [line.tag for line in journal.read(work, walks.case(work, number))]


@pytest.mark.article("行政许可法#45")
def test_article_45_testing_suspends_as_long_as_was_told_and_counts_on_after_its_result(office, clock):
    number = blocks.accepted(office, "special")
    clock.now = at("2026-09-28 09:00")
    walks.complete(office, number, BEGIN)
    assert due(office, number) == "2026-11-02"
    clock.now = at("2026-09-30 16:00")  # three of the seven days were needed
    walks.complete(office, number, RESULT)
    assert due(office, number) == "2026-10-27"
    assert [tag for tag in tags(office, number) if "suspend" in tag or "resume" in tag] == [
        "case:suspended",
        "case:resumed",
    ]


@pytest.mark.article("行政许可法#45")
def test_article_45_a_result_after_the_days_that_were_told_excludes_no_more_than_them(office, clock):
    number = blocks.accepted(office, "special")
    clock.now = at("2026-09-28 09:00")
    walks.complete(office, number, BEGIN)
    clock.now = at("2026-10-20 16:00")
    walks.complete(office, number, RESULT)
    assert due(office, number) == "2026-11-02"
    assert "case:resumed" not in tags(office, number)


@pytest.mark.article("行政许可法#45")
def test_article_45_an_expert_review_ends_in_an_opinion_with_its_statement_on_interests(office, clock):
    number = blocks.accepted(office, "expert_review_procedure")
    clock.now = at("2026-09-28 09:00")
    walks.complete(office, number, ("expert_review_begin", "huang", {"days": 3, "reason": "安全方案评审。"}))
    clock.now = at("2026-09-30 16:00")
    walks.complete(office, number, ("expert_review", "huang", REVIEW))
    with office.work(read_only=True) as work:
        formals = issuances.of_case(work, walks.case(work, number))
        (opinion,) = [issuances.facts_of(formal) for formal in formals if formal.kind == "expert-opinion"]
    assert opinion["experts"] == ["甲专家（示例大学）", "乙专家（示例研究院）"]
    assert opinion["interests"] == "专家与申请人没有利害关系。"
    assert due(office, number) == "2026-10-27"


@pytest.mark.article("行政许可法#45")
def test_article_45_a_public_notice_is_up_for_its_days_which_count_not_where_the_item_says_so(office, clock):
    number = blocks.accepted(office, "public_notice_procedure", more=BASIS)
    before = due(office, number)
    walks.complete(office, number, NOTICE)
    with office.work(read_only=True) as work:
        (up,) = announcements.up(work)
        assert (up.matter, up.from_on.isoformat(), up.until_on.isoformat()) == (
            "拟准予在示例广场举办活动。",
            "2026-09-21",
            "2026-09-26",
        )
    assert (before, due(office, number)) == ("2026-10-22", "2026-10-29")
    workers.sweep(office)
    assert walks.open_elements(office, number) == {"public_notice_over"}
    clock.now = at("2026-09-27 00:01")
    workers.sweep(office)
    walks.complete(office, number, ("public_notice_result", "huang", {"result": "none", "summary": "没有收到意见。"}))
    with office.work(read_only=True) as work:
        assert announcements.up(work) == []
    assert walks.open_elements(office, number) == {"decision"}


def test_a_public_notice_without_a_basis_of_the_item_stops_no_countdown(office):
    number = blocks.accepted(office, "public_notice_procedure")
    before = due(office, number)
    walks.complete(office, number, NOTICE)
    assert due(office, number) == before
    assert "case:suspended" not in tags(office, number)


def test_a_suspension_that_the_law_has_no_cause_for_is_told_to_whoever_wrote_it(office):
    number = blocks.accepted(office, "special")
    with pytest.raises(AnswersInvalid):
        walks.complete(office, number, ("special_begin", "huang", {**BEGIN[2], "cause": "holiday"}))
    assert walks.open_elements(office, number) == {"special_begin"}


@pytest.mark.parametrize(
    ("block", "steps"),
    [("special", (BEGIN, RESULT)), ("public_notice_procedure", (NOTICE,))],
)
def test_a_procedure_that_is_late_goes_on_without_suspending_anything(office, clock, block, steps):
    number = blocks.accepted(office, block, more=BASIS)
    clock.now = at("2026-11-20 09:00")
    walks.walk(office, number, *steps)
    assert "case:not-suspended" in tags(office, number)
    assert "case:suspended" not in tags(office, number)


def test_a_step_that_is_returned_to_ends_what_it_had_suspended(office, clock):
    number = blocks.accepted(office, "special")
    clock.now = at("2026-09-28 09:00")
    walks.complete(office, number, (*BEGIN[:2], {**BEGIN[2], "days": 30}))
    clock.now = at("2026-09-29 09:00")
    walks.return_to(office, number, ("special_result", "huang"), "special_begin")
    walks.complete(office, number, (*BEGIN[:2], {**BEGIN[2], "cause": "appraisal", "days": 2}))
    # 09-28 and 09-29 for the first, 09-29 and 09-30 for the second: three working days do not count.
    assert due(office, number) == "2026-10-27"


def test_what_a_withdrawn_case_announced_is_taken_down(office):
    number = blocks.accepted(office, "public_notice_procedure")
    walks.complete(office, number, NOTICE)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不办了。")
    with office.work(read_only=True) as work:
        assert announcements.up(work) == []


def test_the_countdown_of_a_notice_ends_with_it(office, clock):
    number = blocks.accepted(office, "public_notice_procedure")
    walks.complete(office, number, NOTICE)
    clock.now = at("2026-09-27 00:01")
    workers.sweep(office)
    with office.work(read_only=True) as work:
        assert not countdowns.going(work, walks.case(work, number), "public_notice")


@pytest.mark.parametrize("days", ["七天", ["7"], 1.5, True, None])
def test_days_that_are_no_number_are_told(office, days):
    number = blocks.accepted(office, "special")
    with office.work(by=walks.signed_in(office, "huang")) as work:
        case = walks.case(work, number)
        answers.keep(work, case, "special_begin", {"cause": "testing", "days": days, "reason": "检测。"})
        with pytest.raises(AnswersInvalid):
            errands.act_of("suspend")(work, case, {})


@pytest.mark.parametrize("experts", ["甲专家", ["甲专家", "乙专家"]])
def test_experts_are_listed_in_whatever_way_a_form_asks_for_them(office, experts):
    number = blocks.accepted(office, "expert_review_procedure")
    with office.work(by=walks.signed_in(office, "huang")) as work:
        case = walks.case(work, number)
        answers.keep(work, case, "expert_review", {**REVIEW, "experts": experts})
        errands.act_of("issue:expert-opinion")(work, case, {})
        facts = issuances.facts_of(issuances.of_case(work, case)[-1])
    assert facts["experts"][0] == "甲专家"


def test_acts_in_the_wrong_place_refuse_and_do_not_break(office):
    number = blocks.accepted(office)
    for act in ("announce", "announce_hearing", "keep_minutes", "record_joint_visit", "suspend:testing"):
        with office.work(by=walks.signed_in(office, "huang")) as work, pytest.raises(Refusal):
            errands.act_of(act)(work, walks.case(work, number), {})
