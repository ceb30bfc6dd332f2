"""Suspensions, extensions and proof sheets: Appendix B of the clock, written here a second time as dates."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain import sheets
from approval.domain.countdown import (
    Entry,
    EntryType,
    count,
    reckon,
    require_extendable,
    require_suspendable,
    suspensions,
)
from approval.domain.errors import ExtendedAlready, IllegalStep, SheetUnreadable, SuspensionBackdated, TimePassed
from approval.domain.workdays import Calendar, Counting, District
from tests.domain.samples import CALENDAR, DAYS

ABOUT = {"case": "350500102202609212000014", "item": "食品经营许可（新办）", "kind": "decision", "department": "SCJ"}
ACCEPTED = date(2026, 9, 21)
BEGUN = Entry(EntryType.START, ACCEPTED, 20, "行政许可法第四十二条第一款")


def suspended(first, days, notice="一号", cause="testing"):
    return Entry(EntryType.SUSPEND, first, days, "行政许可法第四十五条", cause, notice)


def resumed(day, notice="一号"):
    return Entry(EntryType.RESUME, day, 0, "行政许可法第四十五条", notice=notice)


def extended(days, day=date(2026, 9, 28)):
    return Entry(EntryType.EXTEND, day, days, "行政许可法第四十二条第一款", notice="二号")


def joint(*more):
    return [Entry(EntryType.START, ACCEPTED, 45, "行政许可法第四十二条第二款"), *more]


V2 = suspended(date(2026, 9, 28), 7)


@pytest.mark.parametrize(
    ("ledger", "due"),
    [
        pytest.param([BEGUN], date(2026, 10, 22), id="V1"),
        pytest.param([BEGUN, V2], date(2026, 11, 2), id="V2"),
        pytest.param([BEGUN, V2, extended(10)], date(2026, 11, 16), id="V3"),
        pytest.param([replace(BEGUN, days=5)], date(2026, 9, 26), id="V4 acceptance"),
        pytest.param([replace(BEGUN, type=EntryType.DEEMED)], date(2026, 10, 22), id="V4 deemed"),
        pytest.param(joint(), date(2026, 11, 26), id="V5 joint"),
        pytest.param(joint(extended(15)), date(2026, 12, 17), id="V5 joint, extended"),
        pytest.param([BEGUN, V2, suspended(date(2026, 10, 9), 5, "三号")], date(2026, 11, 4), id="V6 union"),
        pytest.param(
            [BEGUN, suspended(date(2026, 10, 17), 3), resumed(date(2026, 10, 18))], date(2026, 10, 22), id="V7 weekend"
        ),
        pytest.param([Entry(EntryType.START, date(2026, 10, 3), 5, "示例依据")], date(2026, 10, 13), id="V8"),
    ],
)
def test_the_vectors_of_the_clock_come_out(ledger, due):
    assert reckon(ledger, CALENDAR).day == due


def test_v2_lasts_from_its_first_day_to_the_last_that_was_told():
    (found,) = suspensions([BEGUN, V2], CALENDAR)
    assert (found.first, found.last) == (date(2026, 9, 28), date(2026, 10, 12))


def test_article_45_what_was_not_told_is_counted_and_what_ends_early_counts_from_the_next_day():
    early = reckon([BEGUN, V2, resumed(date(2026, 9, 29))], CALENDAR).day
    assert early == reckon([BEGUN, suspended(date(2026, 9, 28), 2)], CALENDAR).day == date(2026, 10, 26)
    late = [BEGUN, V2, resumed(date(2026, 10, 20))]
    assert reckon(late, CALENDAR).day == reckon([BEGUN, V2], CALENDAR).day


def test_a_suspension_that_was_called_off_before_it_began_excludes_nothing():
    ledger = [BEGUN, suspended(date(2026, 10, 15), 5), resumed(date(2026, 10, 9))]
    assert reckon(ledger, CALENDAR).day == date(2026, 10, 22)


TYPES = st.one_of(
    st.builds(suspended, DAYS, st.integers(1, 30), st.sampled_from("甲乙丙")),
    st.builds(resumed, DAYS, st.sampled_from("甲乙丙")),
    st.builds(extended, st.integers(1, 15), st.dates(ACCEPTED, date(2026, 12, 31))),
)


@given(st.lists(TYPES, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(entries, chance):
    shuffled = [BEGUN, *entries]
    chance.shuffle(shuffled)
    assert reckon(shuffled, CALENDAR) == reckon([BEGUN, *entries], CALENDAR)


@given(st.lists(TYPES, max_size=4), DAYS, st.integers(1, 60))
def test_one_more_suspension_never_makes_a_period_shorter(entries, first, days):
    more = [BEGUN, *entries, suspended(first, days, "另")]
    assert reckon(more, CALENDAR).day >= reckon([BEGUN, *entries], CALENDAR).day


@given(DAYS, st.integers(1, 30), DAYS, st.integers(1, 30))
def test_days_that_two_suspensions_cover_are_excluded_once(first, days, other, more):
    ledger = [BEGUN, suspended(first, days), suspended(other, more, "三号")]
    covered = {
        day.day
        for each in suspensions(ledger, CALENDAR)
        for day in count(ledger, CALENDAR)
        if each.covers(day.day) and CALENDAR.is_workday(day.day) and day.day > ACCEPTED
    }
    due = reckon(ledger, CALENDAR).day
    assert CALENDAR.between(ACCEPTED, due) == 20 + len(covered)


@given(st.lists(TYPES, max_size=4))
def test_every_calendar_day_is_told_once_and_the_last_one_is_the_due_day(entries):
    days = list(count([BEGUN, *entries], CALENDAR))
    assert [day.day for day in days] == [ACCEPTED + timedelta(days=n) for n in range(len(days))]
    due = reckon([BEGUN, *entries], CALENDAR)
    counted = [day.counted for day in days if day.counted]
    assert counted == list(range(1, due.days + due.extended + 1))
    assert days[-1].day == due.day
    assert all(day.basis for day in days)


def test_a_suspension_begins_today_or_later_and_never_in_the_past():
    today = date(2026, 9, 28)
    require_suspendable([BEGUN], CALENDAR, today, today)
    with pytest.raises(SuspensionBackdated):
        require_suspendable([BEGUN], CALENDAR, today - timedelta(days=1), today)


@pytest.mark.parametrize("require", [require_extendable, lambda *_: require_suspendable(*_, _[-1])])
def test_what_is_over_or_has_stopped_is_neither_suspended_nor_extended(require):
    require([BEGUN], CALENDAR, date(2026, 10, 22))
    with pytest.raises(TimePassed):
        require([BEGUN], CALENDAR, date(2026, 10, 23))
    with pytest.raises(IllegalStep):
        require([BEGUN, Entry(EntryType.STOP, ACCEPTED, 0, "示例依据")], CALENDAR, ACCEPTED)


def test_article_42_extends_once():
    require_extendable([BEGUN], CALENDAR, ACCEPTED)
    with pytest.raises(ExtendedAlready) as refused:
        require_extendable([BEGUN, extended(10)], CALENDAR, date(2026, 9, 29))
    assert refused.value.facts == {"days": 10}


def test_the_day_of_the_event_counts_where_the_rule_says_so():
    counting = replace(CALENDAR, counting=Counting(event_day=True))
    assert reckon([replace(BEGUN, days=5)], counting).day == date(2026, 9, 25)
    assert reckon([Entry(EntryType.START, date(2026, 10, 3), 5, "示例")], counting).day == date(2026, 10, 13)


def test_what_comes_after_hours_is_received_on_the_next_working_day_where_the_office_says_so():
    friday, hours = date(2026, 9, 25), Counting(closes=time(17, 30))
    open_ = replace(CALENDAR, counting=hours)
    assert CALENDAR.received_on(friday, time(23)) == friday
    assert open_.received_on(friday, time(17, 30)) == friday
    assert open_.received_on(friday, time(17, 31)) == date(2026, 9, 26), "the Saturday is worked"
    assert open_.received_on(date(2026, 10, 3), time(9)) == date(2026, 10, 8)


def test_a_district_has_days_of_its_own_with_their_own_basis():
    own = District(frozenset({date(2026, 9, 22)}), frozenset({date(2026, 10, 1)}), "鲤城区通知（示例数据）")
    city = replace(CALENDAR, districts={"350502": own})
    district = city.of_district("350502")
    assert (district.is_workday(date(2026, 9, 22)), district.is_workday(date(2026, 10, 1))) == (False, True)
    assert district.basis_of(date(2026, 9, 22)) == own.basis
    assert city.of_district("350503").is_workday(date(2026, 9, 22))
    assert city.is_workday(date(2026, 9, 22))
    assert Calendar.from_data(city.data()) == city


@given(st.lists(TYPES, max_size=4))
def test_a_sheet_counted_again_says_the_same(entries):
    sheet = sheets.compose(ABOUT, [BEGUN, *entries], CALENDAR)
    assert sheets.recompute(sheet) == sheet


def test_a_sheet_says_how_it_ended():
    def ended(day):
        return sheets.compose(ABOUT, [BEGUN, Entry(EntryType.STOP, day, 0, "示例")], CALENDAR)["result"]

    assert sheets.compose(ABOUT, [BEGUN], CALENDAR)["result"] == "running"
    assert (ended(date(2026, 10, 22)), ended(date(2026, 10, 23))) == ("in-time", "late")


@pytest.mark.parametrize(
    ("name", "value"),
    [("due", "2026-10-23"), ("result", "in-time"), ("days", []), ("limit", 21), ("extended", 1), ("stopped", "x")],
)
def test_a_sheet_that_was_changed_does_not_come_out_the_same(name, value):
    sheet = sheets.compose(ABOUT, [BEGUN, V2], CALENDAR)
    assert sheets.recompute(sheet | {name: value})[name] != value


@pytest.mark.parametrize(
    "sheet",
    [
        [],
        {},
        {"format": "another"},
        {**sheets.compose(ABOUT, [BEGUN], CALENDAR), "ledger": [{"type": "start", "day": "x"}]},
        {
            **sheets.compose(ABOUT, [BEGUN], CALENDAR),
            "ledger": [{"type": "start", "day": "2026-09-21", "days": 10**9, "basis": ""}],
        },
    ],
)
def test_what_is_no_sheet_is_refused(sheet):
    with pytest.raises(SheetUnreadable):
        sheets.recompute(sheet)
