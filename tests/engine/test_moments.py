from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from approval.engine import moments

SET = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def times(text, start=SET, most=4):
    found, last = [], None
    while len(found) < most:
        last = moments.due(text, start, len(found), last)
        if last is None:
            break
        found.append(last)
    return found


def test_a_cycle_is_due_as_often_as_it_says():
    assert times("R3/PT10S") == [SET + timedelta(seconds=10 * number) for number in (1, 2, 3)]
    assert len(times("R/P1D")) == 4


def test_months_are_counted_from_the_start_and_not_from_each_other():
    assert [moment.day for moment in times("R3/P1M")] == [28, 31, 30]


def test_a_cycle_with_a_start_begins_there_and_one_with_an_end_stops():
    assert times("R2/2026-03-01T09:00:00Z/P1D") == [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (1, 2)]
    assert len(times("R/P1D/2026-02-02T10:00:00Z")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 9-17 * * MON-FRI", ["2026-02-02 09:00", "2026-02-02 10:00", "2026-02-02 11:00", "2026-02-02 12:00"]),
        ("*/20 * * * *", ["2026-01-31 17:40", "2026-01-31 18:00", "2026-01-31 18:20", "2026-01-31 18:40"]),
        ("@monthly", ["2026-02-01 00:00", "2026-03-01 00:00", "2026-04-01 00:00", "2026-05-01 00:00"]),
        ("0 0 0 29 2 ?", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00", "2040-02-29 00:00"]),
        ("0 30 17 31 1 ? 2026,2027", ["2027-01-31 17:30"]),
        ("0 0 8 ? * SUN", ["2026-02-01 08:00", "2026-02-08 08:00", "2026-02-15 08:00", "2026-02-22 08:00"]),
        ("0 0 8 * * FRI-MON/3", ["2026-02-02 08:00", "2026-02-06 08:00", "2026-02-09 08:00", "2026-02-13 08:00"]),
    ],
)
def test_cron_is_reckoned_on_the_clock_of_its_zone(text, expected):
    start = SET.astimezone(SHANGHAI)
    assert [moment.strftime("%Y-%m-%d %H:%M") for moment in times(text, start)] == expected


@pytest.mark.parametrize("text", ["R3", "R3/1 day", "* * *", "0 0 0 L * ?", "60 * * * * *", "x * * * *", "*/0 * * * *"])
def test_what_is_no_cycle_is_refused(text):
    with pytest.raises(ValueError, match=r"cron|interval|duration"):
        moments.check("timeCycle", text)


@pytest.mark.parametrize(
    ("text", "following"),
    [
        ("R/2020-01-01T00:00:00Z/PT1S", SET + timedelta(seconds=1)),
        ("R/0001-01-01T00:00:00Z/P1D", datetime(2026, 2, 1, tzinfo=UTC)),
        ("R/2020-01-31T00:00:00Z/P1M", datetime(2026, 2, 28, tzinfo=UTC)),
        ("R/PT0.000001S", SET + timedelta(microseconds=1)),
        ("R5/2020-01-01T00:00:00Z/P1D", None),
        ("R/9999-12-31T23:59:59Z/P1Y", None),
        ("30 0 * * *", datetime(2026, 2, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_rounds_that_were_missed_are_reckoned_away(text, following):
    assert moments.next_due(text, SET - timedelta(days=3), 1, SET)[1] == following


@pytest.mark.parametrize("text", ["R/PT7S", "R4/PT7S", "R/2026-01-31T09:29:58Z/PT7S", "R9/2026-01-31T09:00:00Z/PT10M"])
@pytest.mark.parametrize("fired", [1, 3])
def test_reckoned_away_is_where_going_through_leads(text, fired):
    start, number = SET - timedelta(seconds=26), fired
    last = moments.due(text, start, number)
    while last is not None and last <= SET:
        number += 1
        last = moments.due(text, start, number)
    assert moments.next_due(text, start, fired, SET)[1] == last
