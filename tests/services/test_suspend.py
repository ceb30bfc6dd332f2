"""Suspending, resuming and extending: by whom the law says, told in the same Work, and proved day by day."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    ExtendedAlready,
    Held,
    IllegalStep,
    NotAllowed,
    NotFound,
    SheetUnreadable,
    SuspensionBackdated,
    TimePassed,
)
from approval.models.cases import CountdownEntry
from approval.models.people import Person, Post
from approval.services import countdowns, issuances, journal, operations, packs, sheets, suspensions, workers
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, RESTAURANT, REVIEW, SIGN, at, uploads

REASON = "委托检测机构检测（示例）。"


@pytest.fixture
def accepted(office):
    return walks.walk(office, walks.file(office), ACCEPT)


def suspend(office, number, days=7, cause="testing", by="huang", **more):
    with office.work(by=walks.signed_in(office, by)) as work:
        suspensions.suspend(work, number, cause, days, REASON, **more)


def resume(office, number, notice, by="huang", **more):
    with office.work(by=walks.signed_in(office, by)) as work:
        suspensions.resume(work, number, notice, **more)


def extend(office, number, by="cai", **more):
    with office.work(by=walks.signed_in(office, by)) as work:
        suspensions.extend(work, number, REASON, **more)


def due(office, number, kind="decision"):
    with office.work(read_only=True) as work:
        return countdowns.due(work, walks.case(work, number), kind).day.isoformat()


def sheet(office, number, kind="decision"):
    with office.work(read_only=True) as work:
        return sheets.of_case(work, walks.case(work, number), kind)


def tags(office, number):
    with office.work(read_only=True) as work:
        return [(line.tag, line.facts) for line in journal.read(work, walks.case(work, number))]


@pytest.mark.article("行政许可法#45")
def test_article_45_a_suspension_moves_both_limits_and_is_told_with_its_notice(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted)
    assert (due(office, accepted), due(office, accepted, "promised")) == ("2026-11-02", "2026-10-19")
    (told,) = walks.told(office, "suspended")
    assert told == {
        "number": accepted,
        "notice": "泉市监食特〔2026〕1号",
        "cause": "检测",
        "days": 7,
        "since": "2026-09-28",
        "basis": "行政许可法第四十五条",
        "reason": REASON,
        "decision_due": "2026-11-02",
        "promised_due": "2026-10-19",
        "planned_days": 7,
        "effect": "自2026-09-28起7个工作日不计入办理期限，期限届满日相应顺延。",
    }
    facts = {name: told[name] for name in ("notice", "days", "since", "basis", "decision_due", "promised_due")}
    facts |= {"cause": "testing"}
    assert tags(office, accepted)[-1] == ("case:suspended", facts), "no free text in the journal"
    with office.work(read_only=True) as work:
        assert walks.case(work, accepted).due_on == date(2026, 11, 2)
        formal = {each.kind: each.number for each in issuances.of_case(work, walks.case(work, accepted))}
    assert formal["special-procedure"] == told["notice"]


def test_two_at_once_are_excluded_once(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted)
    suspend(office, accepted, 5, "expert_review", since=date(2026, 10, 9))
    assert due(office, accepted) == "2026-11-04"


@pytest.mark.article("行政许可法#42")
def test_article_42_the_signer_extends_once_with_reasons(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted)
    extend(office, accepted)
    assert due(office, accepted) == "2026-11-16"
    assert due(office, accepted, "promised") == "2026-10-19", "the office's own promise is not extended"
    (told,) = walks.told(office, "extended")
    assert (told["days"], told["reason"], told["decision_due"]) == (10, REASON, "2026-11-16")
    with pytest.raises(ExtendedAlready):
        extend(office, accepted)
    with office.work(read_only=True) as work:
        formal = {each.kind: each.number for each in issuances.of_case(work, walks.case(work, accepted))}
    assert formal["extension"] == told["notice"]


def extendable(office, by):
    with office.work(by=walks.signed_in(office, by), read_only=True) as work:
        return [case.number for case in suspensions.extendable(work)]


@pytest.mark.article("行政许可法#42.2")
def test_article_42_who_is_above_the_departments_extends_without_a_task_in_the_case(office, pack, clock):
    manifest = pack.files["item.toml"].replace(
        b'days = 10\nrole = "signer"', b'days = 15\ndepartment = "XFJ"\nrole = "examiner"'
    )
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": manifest}))
    number = walks.walk(office, walks.file(office), ACCEPT)
    with pytest.raises(NotAllowed):
        extend(office, number, by="cai")
    assert extendable(office, "su") == [], "it is not due soon"
    clock.now = at("2026-10-14 09:00")
    assert (extendable(office, "su"), extendable(office, "cai"), extendable(office, "qiu")) == ([number], [], [])
    extend(office, number, by="su")
    assert due(office, number) == "2026-11-12"
    clock.now = at("2026-11-05 09:00")
    assert extendable(office, "su") == [], "it was extended, and may be once"


def test_article_45_only_the_promise_stands_still_while_the_applicant_supplements(office, clock, accepted):
    suspend(office, accepted, 3, "applicant_supplement")
    assert (due(office, accepted), due(office, accepted, "promised")) == ("2026-10-22", "2026-10-12")


def test_what_ends_early_counts_again_from_the_next_day(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted)
    notice = walks.told(office, "suspended")[0]["notice"]
    clock.now = at("2026-09-29 16:00")
    resume(office, accepted, notice)
    assert due(office, accepted) == "2026-10-26"
    assert walks.told(office, "resumed")[0]["decision_due"] == "2026-10-26"
    with pytest.raises(NotFound):
        resume(office, accepted, notice)


def test_a_suspension_ends_by_itself_and_is_not_ended_afterwards(office, clock, accepted):
    suspend(office, accepted, 1)
    clock.now = at("2026-09-22 09:00")
    with pytest.raises(NotFound):
        resume(office, accepted, walks.told(office, "suspended")[0]["notice"])


def test_a_page_that_is_sent_twice_suspends_resumes_and_extends_once(office, accepted):
    for _ in range(2):
        suspend(office, accepted, token="one")
        extend(office, accepted, token="two")
    notice = walks.told(office, "suspended")[0]["notice"]
    for _ in range(2):
        resume(office, accepted, notice, token="three")
    assert [tag for tag, _ in tags(office, accepted)].count("case:resumed") == 1
    assert len(walks.told(office, "suspended")) == len(walks.told(office, "extended")) == 1
    with pytest.raises(AlreadyDone):
        suspend(office, accepted, token="three")


@pytest.mark.parametrize("by", ["xu", "wu"])
def test_other_posts_of_the_department_neither_suspend_nor_extend(office, accepted, by):
    before = walks.everything(office)
    for act in (suspend, extend):
        with pytest.raises(NotAllowed):
            act(office, accepted, by=by)
    assert walks.everything(office) == before


def test_an_examiner_suspends_and_does_not_extend(office, accepted):
    with pytest.raises(NotAllowed):
        extend(office, accepted, by="huang")
    suspend(office, accepted, by="huang")


@pytest.mark.parametrize("act", [suspend, extend])
def test_strangers_do_not_learn_that_there_is_a_case(office, accepted, act):
    for by in ("lin", "su"):
        with pytest.raises(NotFound):
            act(office, accepted, by=by)
    with pytest.raises(NotFound):
        act(office, "350500102202609212999991", by="cai")


def test_the_window_reads_the_case_and_suspends_nothing(office, accepted):
    with pytest.raises(NotAllowed):
        suspend(office, accepted, by="wang")


def test_nobody_suspends_or_extends_in_an_own_matter(office):
    with office.work() as work:
        chen = work.session.scalars(select(Person).where(Person.code == "chen")).one()
        chen.posts += [Post(department_code="SCJ", role=role) for role in ("examiner", "signer")]
    number = walks.walk(office, walks.file(office), ACCEPT)
    for act in (suspend, extend):
        with pytest.raises(NotAllowed) as refused:
            act(office, number, by="chen")
        assert refused.value.facts["recused"] is True


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (("lunch", 0, " "), {"cause": "not-a-choice", "days": "out-of-range", "reason": "required"}),
        (("testing", 251, "x"), {"days": "out-of-range"}),
        (("public_notice", 5, "x"), {"cause": "not-a-choice"}),
    ],
)
def test_everything_that_is_missing_is_told_at_once(office, accepted, given, wrong):
    with office.work(by=walks.signed_in(office, "huang")) as work, pytest.raises(AnswersInvalid) as refused:
        suspensions.suspend(work, accepted, *given)
    told = {missing.where: missing.why for missing in refused.value.facts["missing"]}
    assert told == {f"answers.{name}": why for name, why in wrong.items()}


def test_a_starred_cause_needs_a_basis_of_the_item(office, pack):
    manifest = pack.files["item.toml"].replace(
        b"[limits.acceptance]", '[exclusions]\npublic_notice = "某条例第九条（示例）"\n\n[limits.acceptance]'.encode()
    )
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": manifest}))
    number = walks.walk(office, walks.file(office), ACCEPT)
    suspend(office, number, cause="public_notice")
    assert walks.told(office, "suspended")[0]["basis"] == "某条例第九条（示例）"


def test_a_suspension_cannot_be_back_dated_and_nothing_is_suspended_once_due(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    before = walks.everything(office)
    with pytest.raises(SuspensionBackdated):
        suspend(office, accepted, since=date(2026, 9, 27))
    clock.now = at("2026-10-23 00:00")
    for act in (suspend, extend):
        with pytest.raises(TimePassed):
            act(office, accepted)
    assert walks.everything(office) == before


def test_a_promise_that_was_missed_hinders_no_special_procedure(office, clock, accepted):
    clock.now = at("2026-10-15 09:00")
    suspend(office, accepted, 2)
    assert (due(office, accepted), due(office, accepted, "promised")) == ("2026-10-26", "2026-10-09")


def test_a_special_procedure_that_would_begin_after_the_last_day_is_refused(office, accepted):
    with pytest.raises(TimePassed):
        suspend(office, accepted, since=date(2026, 10, 23))


def test_nothing_is_suspended_before_acceptance_or_after_the_decision(office):
    number = walks.file(office)
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    for act in (suspend, extend):
        with pytest.raises(IllegalStep):
            act(office, number)


def test_a_case_that_is_held_is_not_suspended(office, accepted):
    with office.work(by=walks.signed_in(office, "admin")) as work:
        operations.hold(work, accepted, "核查数据（示例）。")
    with pytest.raises(Held):
        suspend(office, accepted)


def test_silence_waits_for_whatever_the_ledger_says(office, clock, pack):
    files = dict(pack.files)
    files["process.bpmn"] = files["process.bpmn"].replace(b'countdown("fire_opinion")', b'countdown("decision")')
    with office.work() as work:
        packs.deploy(work, packs.read(files))
    agent = walks.signed_in(office, "lin", "restaurant")
    codes = ("business_licence", "layout_plan", "safety_rules", "health_certificates", "authorisation")
    number = walks.walk(office, walks.file(office, RESTAURANT, uploads(*codes), by=agent), ACCEPT)
    clock.now = at("2026-09-28 09:00")
    suspend(office, number)
    clock.now = at("2026-11-02 23:59")
    assert workers.sweep(office) == 0
    clock.now = at("2026-11-03 00:00")
    assert workers.sweep(office) > 0
    assert "case:urged" in walks.outcome(office, number)["journal"]


def test_a_corrected_calendar_moves_what_is_suspended_by_a_new_line(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted)
    with office.work() as work:
        known = countdowns.calendar(work).data()
        countdowns.import_calendar(work, known | {"rest": [*known["rest"], "2026-10-08"]})
    with office.work(read_only=True) as work:
        rows = work.session.scalars(select(CountdownEntry).where(CountdownEntry.kind == "decision")).all()
        assert [row.type for row in sorted(rows, key=lambda row: row.ordinal)] == ["start", "suspend", "recount"]
    assert due(office, accepted) == "2026-11-03"


def test_a_district_counts_by_its_own_days(office, accepted):
    with office.work() as work:
        own = {"350500": {"rest": ["2026-09-22"], "work": [], "basis": "区县通知（示例）"}}
        moved = countdowns.import_calendar(work, countdowns.calendar(work).data() | {"districts": own})
        assert moved == 2
    assert due(office, accepted) == "2026-10-23"
    assert sheet(office, accepted)["days"][1] == {
        "day": "2026-09-22",
        "counted": 0,
        "why": "holiday",
        "basis": "区县通知（示例）",
    }


def test_the_decision_names_the_sheet_and_a_later_calendar_does_not_change_it(office, clock, accepted):
    clock.now = at("2026-09-28 09:00")
    suspend(office, accepted, 2)
    clock.now = at("2026-09-30 09:00")
    walks.walk(office, accepted, REVIEW, ADVISE, SIGN)
    named = walks.told(office, "granted")[0]["sheet"]
    assert dict(tags(office, accepted))["case:granted"]["sheet"] == named
    document = sheets.canonical(sheet(office, accepted))
    verdict = sheets.verify(document, named)
    assert (verdict.holds, verdict.digest, verdict.due) == (True, named, "2026-10-26")
    clock.now = at("2026-10-01 09:00")
    with office.work() as work:
        known = countdowns.calendar(work).data()
        countdowns.import_calendar(work, known | {"rest": [*known["rest"], "2026-09-23"]})
    assert sheets.canonical(sheet(office, accepted)) == document


def test_a_ledger_of_an_earlier_release_is_counted_by_the_calendar_of_its_time(office, clock, accepted):
    walks.walk(office, accepted, REVIEW, ADVISE, SIGN)
    before = sheet(office, accepted)
    with office.work() as work:
        for row in work.session.scalars(select(CountdownEntry)):
            row.due = {name: value for name, value in row.due.items() if name != "calendar"}
    clock.now = at("2026-10-01 09:00")
    with office.work() as work:
        known = countdowns.calendar(work).data()
        countdowns.import_calendar(work, known | {"rest": [*known["rest"], "2026-09-23"]})
    assert sheet(office, accepted) == before


def test_a_refusal_and_a_decline_name_their_sheets_too(office):
    declined = walks.file(office)
    walks.walk(office, declined, ("formal_check", "wang", {"result": "not_required", "reason": "备案。"}))
    told = walks.told(office, "declined")[0]
    assert sheets.digest(sheet(office, declined, "acceptance")) == told["sheet"]


def test_a_sheet_that_was_tampered_with_does_not_add_up(office, accepted):
    found = sheet(office, accepted)
    whole = sheets.canonical(found)
    assert sheets.verify(whole).holds
    moved = sheets.verify(sheets.canonical(found | {"due": "2026-10-23"}))
    assert (moved.holds, moved.due, moved.faults) == (False, "2026-10-22", ["due"])
    assert sheets.verify(json.dumps(found, ensure_ascii=False).encode()).faults == ["canonical"]
    assert sheets.verify(whole, "0" * 64).faults == ["sha256"]
    for nonsense in (b"[]", b"\xff", b"[" * 100_000, b'{"format": 1}'):
        with pytest.raises(SheetUnreadable):
            sheets.verify(nonsense)


def test_only_who_may_see_the_case_reads_its_sheets(office, accepted):
    for by, inside in (("chen", False), ("huang", True)):
        with office.work(by=walks.signed_in(office, by), read_only=True) as work:
            assert sheets.read(work, accepted, "decision", inside=inside)["case"] == accepted
            with pytest.raises(NotFound):
                sheets.read(work, accepted, "delivery", inside=inside)
    with office.work(by=walks.signed_in(office, "lin"), read_only=True) as work, pytest.raises(NotFound):
        sheets.read(work, accepted, "decision")
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work, pytest.raises(NotAllowed):
        sheets.read(work, accepted, "decision", inside=True)


def test_what_is_offered_is_what_would_be_done(office, clock, accepted):
    def offered(by):
        with office.work(by=walks.signed_in(office, by), read_only=True) as work:
            found = suspensions.offer(work, walks.case(work, accepted))
            return [cause.code for cause, _ in found.causes], len(found.open), found.extension and found.extension.days

    causes, *_ = offered("huang")
    assert {"hearing", "testing", "applicant_supplement"} <= set(causes)
    assert "public_notice" not in causes
    assert (offered("huang")[1:], offered("cai")[1:], offered("wang")) == ((0, None), (0, 10), ([], 0, None))
    suspend(office, accepted)
    extend(office, accepted)
    assert offered("cai")[1:] == (1, None)
    clock.now = at("2027-03-01 09:00")
    assert offered("cai")[0] == []
