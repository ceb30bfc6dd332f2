"""Countdowns (办理时限): when a step is due under the law, derived and never typed in.

A countdown is a ledger of entries; the due day follows from the entries and the calendar, so that anyone
who holds both can recompute it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from approval.domain.errors import IllegalStep
from approval.domain.workdays import Calendar


class EntryType(StrEnum):
    """What happened to a countdown (时限事项): it began, it ended, or the law let silence begin it."""

    START = "start"
    DEEMED = "deemed"
    STOP = "stop"
    RECOUNT = "recount"  # the calendar was corrected: nothing happened, but the due day is another


@dataclass(frozen=True)
class Entry:
    """One line of the countdown ledger (时限台账): never edited, only followed by another."""

    type: EntryType
    day: date
    days: int
    basis: str


@dataclass(frozen=True)
class Due:
    """When a countdown ends (到期日): the last day that is still in time.

    `provisional` says that the count ran past the days a published calendar covers.
    """

    started_on: date
    days: int
    day: date
    provisional: bool
    stopped_on: date | None


def reckon(entries: Iterable[Entry], calendar: Calendar) -> Due:
    """Reckon the due day (推算到期日) from a ledger, in working days.

    The day of the event is not counted; the period ends with the nth working day after it, at 24:00 of
    the legal zone (行政许可法第八十二条: periods are working days without statutory holidays). A later start or
    deemed entry replaces the earlier one: the acceptance countdown begins anew at a full correction.
    Raises `IllegalStep` for a ledger that never starts.
    """
    began: Entry | None = None
    stopped_on: date | None = None
    for entry in entries:
        if entry.type is EntryType.STOP:
            stopped_on = entry.day
        elif entry.type is not EntryType.RECOUNT:
            began, stopped_on = entry, None
    if began is None:
        raise IllegalStep(countdown="not started")
    day = calendar.nth_after(began.day, began.days)
    return Due(began.day, began.days, day, not calendar.knows(day), stopped_on)


def legal_day(instant: datetime, zone: tzinfo) -> date:
    """Find the calendar day of an instant in the legal zone (法定日期)."""
    return instant.astimezone(zone).date()


def expiry(day: date, zone: tzinfo) -> datetime:
    """Find the instant, in UTC, at which a period ending on a day has run out (期限届满): 24:00 of that day."""
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
