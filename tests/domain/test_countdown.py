"""Due days derive from the ledger and the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain.countdown import Entry, EntryType, expiry, legal_day, reckon
from approval.domain.errors import IllegalStep
from tests.domain.samples import CALENDAR, DAYS

SHANGHAI = ZoneInfo("Asia/Shanghai")


def start(day, days, kind=EntryType.START):
    return Entry(kind, day, days, "示例依据")


def stop(day):
    return Entry(EntryType.STOP, day, 0, "示例依据")


@pytest.mark.parametrize(
    ("event", "days", "due"),
    [
        pytest.param(date(2026, 9, 21), 20, date(2026, 10, 22), id="V1 accepted, the holiday rests"),
        pytest.param(date(2026, 9, 21), 5, date(2026, 9, 26), id="V4 acceptance ends on a Saturday that is worked"),
        pytest.param(date(2026, 10, 3), 5, date(2026, 10, 13), id="V8 event on a rest day"),
    ],
)
@pytest.mark.article("行政许可法#82")
def test_the_due_day_follows_the_law(event, days, due):
    assert reckon([start(event, days)], CALENDAR).day == due


def test_silence_counts_from_the_day_of_receipt():
    due = reckon([start(date(2026, 9, 21), 20, EntryType.DEEMED)], CALENDAR)
    assert (due.started_on, due.day) == (date(2026, 9, 21), date(2026, 10, 22))


def test_a_full_reply_begins_the_period_anew():
    ledger = [start(date(2026, 9, 21), 5), stop(date(2026, 9, 22)), start(date(2026, 9, 24), 5)]
    due = reckon(ledger, CALENDAR)
    assert (due.started_on, due.stopped_on, due.day) == (date(2026, 9, 24), None, date(2026, 9, 30))


def test_what_stopped_says_when_and_keeps_its_due_day():
    ledger = [start(date(2026, 9, 21), 5), stop(date(2026, 9, 22))]
    due = reckon(ledger, CALENDAR)
    assert (due.stopped_on, due.day) == (date(2026, 9, 22), date(2026, 9, 26))


@pytest.mark.parametrize("ledger", [[], [stop(date(2026, 9, 21))]])
def test_a_ledger_that_never_starts_is_refused(ledger):
    with pytest.raises(IllegalStep) as refused:
        reckon(ledger, CALENDAR)
    assert refused.value.facts == {"countdown": "not started"}


def test_a_count_beyond_the_published_calendar_is_provisional():
    assert not reckon([start(date(2026, 12, 28), 3)], CALENDAR).provisional
    assert reckon([start(date(2026, 12, 28), 4)], CALENDAR).provisional


@given(DAYS, st.integers(1, 60), st.integers(0, 60))
def test_more_days_are_never_due_earlier_and_every_due_day_is_worked(day, days, more):
    short, long = (reckon([start(day, n)], CALENDAR).day for n in (days, days + more))
    assert short <= long
    assert CALENDAR.is_workday(long)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 9, 21, 15, 59, 59, tzinfo=UTC), date(2026, 9, 21)),
        (datetime(2026, 9, 21, 16, tzinfo=UTC), date(2026, 9, 22)),
        (datetime(2026, 9, 21, 23, tzinfo=timezone(timedelta(hours=-5))), date(2026, 9, 22)),
    ],
)
def test_a_day_is_the_day_of_the_legal_zone(instant, day):
    assert legal_day(instant, SHANGHAI) == day


def test_a_period_runs_out_at_midnight_and_not_before():
    out = expiry(date(2026, 9, 26), SHANGHAI)
    assert out == datetime(2026, 9, 26, 16, tzinfo=UTC)
    assert legal_day(out - timedelta(microseconds=1), SHANGHAI) == date(2026, 9, 26)


def test_the_day_that_a_zone_lengthens_still_ends_at_its_midnight():
    assert expiry(date(2026, 11, 1), ZoneInfo("America/New_York")) == datetime(2026, 11, 2, 5, tzinfo=UTC)
