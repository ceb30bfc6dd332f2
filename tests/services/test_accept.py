"""Acceptance: by the window, or by silence at the end of the fifth working day, never before."""

import pytest
from sqlalchemy import select

from approval.domain.errors import TimePassed
from approval.models.cases import Case, CountdownEntry
from approval.services import cases, countdowns, workers
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, OPENING, RESTAURANT, REVIEW, SIGN, at, uploads


def ledger(office, kind):
    with office.work(read_only=True) as work:
        rows = select(CountdownEntry).where(CountdownEntry.kind == kind).order_by(CountdownEntry.ordinal)
        return [(row.type, row.entry["day"], row.entry["days"], row.due["day"]) for row in work.session.scalars(rows)]


def accepted(office):
    with office.work(read_only=True) as work:
        case = work.session.scalars(select(Case)).one()
        return case.accepted_at, case.deemed_accepted


@pytest.mark.article("行政许可法#32.1.5", "行政许可法#42.1")
def test_acceptance_stops_one_countdown_and_starts_the_other(office, clock):
    number = walks.file(office)
    clock.now = at("2026-09-22 10:00")
    walks.walk(office, number, ACCEPT)
    assert walks.outcome(office, number)["status"] == "accepted"
    assert ledger(office, "acceptance") == [
        ("start", "2026-09-21", 5, "2026-09-26"),
        ("stop", "2026-09-22", 0, "2026-09-26"),
    ]
    assert ledger(office, "decision") == [("start", "2026-09-22", 20, "2026-10-23")]
    assert "acceptance_expired" not in walks.open_elements(office, number)
    assert accepted(office) == (clock.now, False)


def test_every_line_of_a_ledger_names_its_basis(office):
    walks.walk(office, walks.file(office), ACCEPT)
    with office.work(read_only=True) as work:
        rows = work.session.scalars(select(CountdownEntry)).all()
        assert all(row.entry["basis"].startswith("行政许可法") for row in rows if row.kind != "promised")
        (promised,) = (row.entry["basis"] for row in rows if row.kind == "promised")
        assert promised == "泉州市实施清单（示例数据）[K]"


@pytest.mark.article("行政许可法#32.1.4")
def test_silence_accepts_at_the_end_of_the_fifth_working_day_and_not_before(office, clock):
    number = walks.file(office)
    clock.now = at("2026-09-26 23:59:59.999999")
    assert workers.sweep(office) == 0
    assert walks.outcome(office, number)["status"] == "filed"
    clock.now = at("2026-09-27 00:00")
    assert workers.sweep(office) == 1
    stands = walks.outcome(office, number)
    assert (stands["status"], stands["deemed_accepted"]) == ("accepted", True)
    assert "case:deemed-accepted" in stands["journal"]


@pytest.mark.parametrize("swept", ["2026-09-27 00:00", "2026-10-20 09:00"])
@pytest.mark.article("行政许可法#32.1.4")
def test_silence_accepts_as_of_the_day_of_receipt_however_late_the_sweep(office, clock, swept):
    number = walks.file(office)
    clock.now = at(swept)
    workers.sweep(office)
    assert ledger(office, "decision") == [("deemed", "2026-09-21", 20, "2026-10-22")]
    assert accepted(office) == (OPENING, True)
    assert walks.open_elements(office, number) == {"document_review"}


def test_after_a_correction_silence_counts_from_the_full_reply(office, clock):
    number = walks.walk(office, walks.file(office), ASK)
    clock.now = at("2026-09-24 10:00")
    walks.correct(office, number)
    clock.now = at("2026-09-30 23:59:59")
    assert workers.sweep(office) == 0
    clock.now = at("2026-10-01 00:00")
    assert workers.sweep(office) == 1
    assert accepted(office) == (at("2026-09-24 10:00"), True)
    assert ledger(office, "decision")[-1][:2] == ("deemed", "2026-09-24")


@pytest.mark.parametrize(
    "step", [ACCEPT, ASK, ("formal_check", "wang", {"result": "not_required", "reason": "备案。"})]
)
def test_no_officer_undoes_silence_because_the_worker_slept(office, clock, step):
    number = walks.file(office)
    clock.now = at("2026-09-27 00:00")
    with pytest.raises(TimePassed):
        walks.walk(office, number, step)
    workers.sweep(office)
    assert walks.outcome(office, number)["deemed_accepted"] is True


def test_no_applicant_corrects_after_the_limit_because_the_worker_slept(office, clock):
    number = walks.walk(office, walks.file(office), ASK)
    clock.now = at("2026-12-01 00:00")
    with pytest.raises(TimePassed):
        walks.correct(office, number)
    workers.sweep(office)
    assert walks.outcome(office, number)["status"] == "terminated"


def test_a_late_opinion_still_counts_though_nobody_urged_yet(office, clock):
    agent = walks.signed_in(office, "lin", "restaurant")
    materials = uploads("business_licence", "layout_plan", "safety_rules", "health_certificates", "authorisation")
    number = walks.file(office, RESTAURANT, materials, by=agent)
    walks.walk(office, number, ACCEPT, REVIEW)
    clock.now = at("2026-09-25 09:00")
    walks.walk(office, number, ("fire_opinion", "su", {"result": "agree"}))
    assert "site_visit" in walks.open_elements(office, number)


def test_the_applicant_is_told_of_acceptance_with_the_day_of_the_decision(office):
    number = walks.walk(office, walks.file(office), ACCEPT)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        (case,) = cases.mine(work)
        assert case.number == number
    assert walks.told(office, "receipt") == [{"number": number, "acceptance_due": "2026-09-26"}]
    due = {"decision_due": "2026-10-22", "promised_due": "2026-10-09"}
    assert walks.told(office, "accepted") == [{"number": number, **due}]


def test_the_promise_counts_beside_the_law_and_stops_with_the_decision(office, clock):
    number = walks.walk(office, walks.file(office), ACCEPT)
    assert ledger(office, "promised") == [("start", "2026-09-21", 10, "2026-10-09")]
    clock.now = at("2026-09-25 10:00")
    walks.walk(office, number, REVIEW, ADVISE, SIGN)
    assert ledger(office, "promised")[-1] == ("stop", "2026-09-25", 0, "2026-10-09")


def test_silence_begins_the_promise_too_as_of_the_day_of_receipt(office, clock):
    walks.file(office)
    clock.now = at("2026-09-27 00:00")
    workers.sweep(office)
    assert ledger(office, "promised") == [("deemed", "2026-09-21", 10, "2026-10-09")]


@pytest.mark.parametrize(
    ("received", "counted"), [("2026-09-21 17:30", "2026-09-21"), ("2026-09-21 18:00", "2026-09-22")]
)
def test_what_is_received_after_hours_counts_from_the_next_day_where_the_office_says_so(
    office, clock, received, counted
):
    with office.work() as work:
        hours = countdowns.calendar(work).data() | {"counting": {"closes": "17:30:00"}}
        countdowns.import_calendar(work, hours)
    clock.now = at(received)
    walks.file(office)
    assert ledger(office, "acceptance")[0][1] == counted
    clock.now = at("2026-10-20 09:00")
    workers.sweep(office)
    assert ledger(office, "decision")[0][:2] == ("deemed", counted)
