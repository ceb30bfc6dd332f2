"""Correction: everything is asked once, the clock stops, and begins anew at the full reply."""

import pytest

import tests.services.test_accept as acceptance
from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    AskedOnce,
    IllegalStep,
    Incomplete,
    NotAllowed,
    NotFound,
)
from approval.services import cards, cases, corrections, countdowns, journal, tasks, workers
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ASK, RETAIL, at, uploads


@pytest.fixture
def asked(office, clock):
    number = walks.file(office)
    clock.now = at("2026-09-22 10:00")
    return walks.walk(office, number, ASK)


def due(office, kind):
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        (case,) = cases.mine(work)
        return countdowns.due(work, case, kind)


def test_what_is_asked_is_told_to_the_applicant_whole(office, asked):
    (facts,) = walks.told(office, "correction")
    named = {"what": "经营场所设备设施布局图和操作流程", "where": "materials.layout_plan"}
    assert facts["missing"] == [{**ASK[2]["missing"][0], **named, "basis": "食品经营许可和备案管理办法 [K]"}]


def test_the_acceptance_clock_stops_and_the_applicants_begins(office, asked):
    assert walks.outcome(office, asked)["status"] == "correcting"
    assert due(office, "acceptance").stopped_on.isoformat() == "2026-09-22"
    assert due(office, "correction").day.isoformat() == "2026-11-06"
    assert walks.open_elements(office, asked) == {"correct", "correction_expired"}


def test_while_the_applicant_corrects_silence_accepts_nothing(office, clock, asked):
    clock.now = at("2026-10-20 00:00")
    assert workers.sweep(office) == 0
    assert walks.outcome(office, asked)["status"] == "correcting"


def test_asking_needs_at_least_one_thing_to_ask_for(office):
    number = walks.file(office)
    with pytest.raises(AnswersInvalid) as refused:
        walks.walk(office, number, ("formal_check", "wang", {"result": "incomplete", "missing": []}))
    assert [missing.where for missing in refused.value.facts["missing"]] == ["answers.missing"]
    assert walks.outcome(office, number)["status"] == "filed"


def test_the_clock_begins_anew_at_the_full_reply(office, clock, asked):
    clock.now = at("2026-09-24 10:00")
    walks.correct(office, asked)
    stands = walks.outcome(office, asked)
    assert stands["status"] == "filed"
    assert stands["acceptance_due"].isoformat() == "2026-09-30"
    assert acceptance.ledger(office, "acceptance")[-1] == ("start", "2026-09-24", 5, "2026-09-30")
    assert walks.open_elements(office, asked) == {"formal_check", "acceptance_expired"}


def test_what_was_handed_in_before_need_not_be_handed_in_again(office, asked):
    walks.correct(office, asked)
    assert walks.walk(office, asked, ACCEPT)


def test_a_reply_that_is_not_full_is_told_whole_and_changes_nothing(office, asked):
    before = walks.everything(office)
    with pytest.raises(Incomplete) as refused, office.work(by=walks.signed_in(office, "chen")) as work:
        cases.correct(work, asked, RETAIL | {"premises": ""}, uploads("layout_plan", content=b"MZ"))
    assert {missing.where for missing in refused.value.facts["missing"]} == {
        "answers.premises",
        "materials.layout_plan",
    }
    assert walks.everything(office) == before


def test_another_persons_case_is_not_found_and_an_officer_corrects_nothing(office, asked):
    with pytest.raises(NotFound):
        walks.correct(office, asked, by="lin")
    with pytest.raises(NotAllowed):
        walks.correct(office, asked, by="wang")


def test_nothing_is_corrected_that_nobody_asked_for_or_twice(office, asked):
    walks.correct(office, asked)
    with pytest.raises(AlreadyDone):
        walks.correct(office, asked)


def test_two_replies_at_once_with_one_token_are_one(office, asked):
    results = races.at_once(*[lambda: walks.correct(office, asked, token="click")] * 2)
    assert results == [None, None]
    assert walks.outcome(office, asked)["journal"].count("case:corrected") == 1


def test_a_correction_is_not_completed_as_a_task_without_its_materials(office, asked):
    task = walks.open_task(office, asked, "correct")
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(NotAllowed):
        tasks.complete(work, task, {})
    with office.work(by=walks.signed_in(office, "wang")) as work, pytest.raises(NotFound):
        tasks.complete(work, task, {})


def test_a_correction_that_does_not_come_terminates_the_case(office, clock, asked):
    clock.now = at("2026-11-06 23:59:59")
    assert workers.sweep(office) == 0
    clock.now = at("2026-11-07 00:00")
    assert workers.sweep(office) == 1
    assert walks.outcome(office, asked)["status"] == "terminated"
    assert walks.told(office, "terminated") == [{"number": asked}]
    assert walks.open_elements(office, asked) == set()
    with pytest.raises(AlreadyDone):
        walks.correct(office, asked)


REASON = "首次告知后发现平面图与实际场所不符（示例）。"


def allow(office, number, by="cai", reason=REASON, token=None):
    with office.work(by=walks.signed_in(office, by)) as work:
        corrections.allow_again(work, number, reason, token=token)


@pytest.mark.article("行政许可法#32.1.4")
def test_article_32_a_second_round_is_refused_until_a_signer_answers_for_it(office, asked):
    walks.correct(office, asked)
    before = walks.everything(office)
    with pytest.raises(AskedOnce):
        walks.walk(office, asked, ASK)
    assert walks.everything(office) == before
    allow(office, asked)
    walks.walk(office, asked, ASK)
    assert walks.outcome(office, asked)["status"] == "correcting"
    assert len(walks.told(office, "correction")) == 2
    walks.correct(office, asked)
    with pytest.raises(AskedOnce):
        walks.walk(office, asked, ASK)
    assert walks.walk(office, asked, ACCEPT)


def test_who_allowed_a_second_round_and_why_stands_in_the_journal_once(office, asked):
    walks.correct(office, asked)
    races.at_once(*[lambda: allow(office, asked, token="click")] * 2)
    with office.work(read_only=True) as work:
        lines = journal.read(work, walks.case(work, asked))
        (line,) = [each for each in lines if each.tag == "case:correction-allowed"]
    assert (line.actor, line.facts) == (walks.signed_in(office, "cai").label, {"reason": REASON})


def test_a_second_round_is_allowed_by_a_signer_with_a_reason_and_only_when_one_is_needed(office, asked):
    with pytest.raises(IllegalStep):  # the applicant is still at the first
        allow(office, asked)
    walks.correct(office, asked)
    for by, refusal in (("wang", NotAllowed), ("su", NotFound), ("huang", NotFound), ("chen", NotAllowed)):
        with pytest.raises(refusal):
            allow(office, asked, by=by)
    with pytest.raises(AnswersInvalid):
        allow(office, asked, reason=" ")
    allow(office, asked)
    with pytest.raises(IllegalStep):
        allow(office, asked)


@pytest.mark.article("行政许可法#32.1.4")
def test_article_32_a_second_round_gives_a_yellow_card_and_silence_a_red_one(office, clock, asked):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.correct(work, asked, RETAIL, uploads("layout_plan"))
    with office.work(by=walks.signed_in(office, "cai")) as work:
        corrections.allow_again(work, asked, "图纸仍有一处缺漏。")
    clock.now = at("2026-09-30 09:00")
    workers.sweep(office)
    with office.work(read_only=True) as work:
        case = walks.case(work, asked)
        given = [(card.code, card.signal, card.department_code) for card in cards.of_case(work, case)]
        lines = {line.sequence: line.tag for line in journal.read(work, case)}
        pointed = [lines[card.line] for card in cards.of_case(work, case)]
    assert given == [("P2", "yellow", "SCJ"), ("T4", "red", "SCJ")]
    assert pointed == ["case:correction-allowed", "case:deemed-accepted"]
