"""Which days count: weekends rest unless a notice says otherwise."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import CALENDAR, DAYS

COUNTS = st.integers(1, 60)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (date(2026, 9, 21), True),  # a Monday
        (date(2026, 9, 20), False),  # a Sunday
        (date(2026, 9, 26), True),  # a Saturday that is worked
        (date(2026, 10, 1), False),  # a Thursday that rests
        (date(2026, 10, 3), False),  # a Saturday within the holiday
    ],
)
def test_a_notice_moves_days_both_ways(day, counts):
    assert CALENDAR.is_workday(day) is counts


def test_rest_wins_when_a_notice_names_a_day_twice():
    day = date(2026, 9, 26)
    assert not replace(CALENDAR, rest=CALENDAR.rest | {day}).is_workday(day)


def test_the_calendar_knows_its_first_and_its_last_day_and_none_beyond():
    first, last, day = CALENDAR.covers_from, CALENDAR.covers_until, timedelta(days=1)
    assert [CALENDAR.knows(one) for one in (first - day, first, last, last + day)] == [False, True, True, False]


@given(DAYS, COUNTS)
def test_the_nth_working_day_is_a_working_day_after_the_event(day, count):
    due = CALENDAR.nth_after(day, count)
    assert CALENDAR.is_workday(due)
    assert due > day
    assert CALENDAR.between(day, due) == count


@given(DAYS, COUNTS)
def test_more_days_are_always_later(day, count):
    assert CALENDAR.nth_after(day, count) < CALENDAR.nth_after(day, count + 1)


@given(DAYS, DAYS, COUNTS)
def test_a_later_event_is_never_due_earlier(one, other, count):
    early, late = sorted((one, other))
    assert CALENDAR.nth_after(early, count) <= CALENDAR.nth_after(late, count)


@given(DAYS, COUNTS)
def test_an_event_on_a_rest_day_counts_like_one_on_the_working_day_before(day, count):
    before = day
    while not CALENDAR.is_workday(before):
        before -= timedelta(days=1)
    assert CALENDAR.nth_after(day, count) == CALENDAR.nth_after(before, count)


@given(DAYS, COUNTS, DAYS)
def test_one_more_rest_day_never_makes_a_period_shorter(day, count, rests):
    longer = replace(CALENDAR, rest=CALENDAR.rest | {rests})
    assert longer.nth_after(day, count) >= CALENDAR.nth_after(day, count)


@given(DAYS, DAYS)
def test_days_left_turn_negative_once_the_day_has_passed(one, other):
    assert CALENDAR.between(one, other) == -CALENDAR.between(other, one)
    assert CALENDAR.between(one, one) == 0
