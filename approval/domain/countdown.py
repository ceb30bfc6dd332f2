"""Countdowns (办理时限): when a step is due under the law, derived and never typed in.

A countdown is a ledger of entries; the due day follows from the entries and the calendar, so that anyone
who holds both can recompute it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from approval.domain.errors import ExtendedAlready, IllegalStep, SuspensionBackdated, TimePassed
from approval.domain.workdays import Calendar


class EntryType(StrEnum):
    """What happened to a countdown (时限事项): it began, stood still, went on, grew, ended, or silence began it."""

    START = "start"
    DEEMED = "deemed"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    STOP = "stop"
    RECOUNT = "recount"  # the calendar was corrected: nothing happened, but the due day is another


_BEGIN = frozenset({EntryType.START, EntryType.DEEMED})


@dataclass(frozen=True)
class Entry:
    """One line of the countdown ledger (时限台账): never edited, only followed by another.

    `day` is the legal day it counts from; `days` are working days: of the limit, of an extension, or as planned for a
    suspension. `notice` is the number of the notice that told the applicant of it, and names the suspension that a
    `resume` ends.
    """

    type: EntryType
    day: date
    days: int
    basis: str
    cause: str = ""
    notice: str = ""


class Suspension(NamedTuple):
    """Days that are not counted (除外期间), from the first to the last, and the notice that said so."""

    cause: str
    first: date
    last: date
    basis: str
    notice: str

    def covers(self, day: date) -> bool:
        """Tell whether a day lies within (是否在除外期间)."""
        return self.first <= day <= self.last


class Day(NamedTuple):
    """One calendar day of a count (逐日计算): the how manieth counted day it is, or 0 and why it does not count.

    `why` is `event`, `suspended` or what the day is in the calendar.
    """

    day: date
    counted: int
    why: str
    basis: str
    notice: str = ""


@dataclass(frozen=True)
class Due:
    """When a countdown ends (到期日): the last day that is still in time.

    `days` are those of the limit, `extended` those added once; `provisional` says that the count ran past the days a
    published calendar covers.
    """

    started_on: date
    days: int
    day: date
    provisional: bool
    stopped_on: date | None
    extended: int = 0


def reckon(entries: Iterable[Entry], calendar: Calendar) -> Due:
    """Reckon the due day (推算到期日) from a ledger, in working days.

    The day of the event is not counted, unless the calendar says so; the period ends with the nth working day after
    it, at 24:00 of the legal zone (行政许可法第八十二条: periods are working days without statutory holidays). A later
    start or deemed entry replaces the earlier one: the acceptance countdown begins anew at a full correction. A
    working day that any suspension covers is not counted, once (第四十五条); an extension adds its days (第四十二条).
    Raises `IllegalStep` for a ledger that never starts.
    """
    ledger = tuple(entries)
    began, stopped_on = _standing(ledger)
    extended = sum(entry.days for entry in _extensions(ledger, began))
    *_, last = count(ledger, calendar)
    return Due(began.day, began.days, last.day, not calendar.knows(last.day), stopped_on, extended)


def count(entries: Iterable[Entry], calendar: Calendar) -> Iterator[Day]:
    """Count day by day (逐日计算) from the day of the event to the due day; every calendar day is told, and why.

    Raises as `reckon`.
    """
    ledger = tuple(entries)
    began, _ = _standing(ledger)
    left = began.days + sum(entry.days for entry in _extensions(ledger, began))
    excluded = suspensions(ledger, calendar)
    counted = 0
    for day in calendar.days_from(began.day):
        kind = calendar.kind(day)
        covering = next((each for each in excluded if each.covers(day)), None)
        if day == began.day and not calendar.counting.event_day:
            yield Day(day, 0, "event", began.basis)
        elif not calendar.is_workday(day):
            yield Day(day, 0, kind, calendar.basis_of(day))
        elif covering:
            yield Day(day, 0, "suspended", covering.basis, covering.notice)
        else:
            counted += 1
            yield Day(day, counted, kind, calendar.basis_of(day))
        if counted == left:
            return


def suspensions(entries: Iterable[Entry], calendar: Calendar) -> list[Suspension]:
    """List the suspensions of a ledger (除外期间), by their first day.

    Each lasts as many working days as the applicant was told, its first day among them, or until the day it was ended
    earlier: what was not told is counted. Both days are excluded. Suspending again takes a new notice.
    """
    ledger = tuple(entries)
    ended: dict[str, date] = {}
    for entry in ledger:
        if entry.type is EntryType.RESUME:
            ended[entry.notice] = min(entry.day, ended.get(entry.notice, entry.day))
    found = [
        Suspension(
            entry.cause,
            entry.day,
            min(calendar.nth_from(entry.day, entry.days), ended.get(entry.notice, date.max)),
            entry.basis,
            entry.notice,
        )
        for entry in ledger
        if entry.type is EntryType.SUSPEND
    ]
    return sorted(found, key=lambda each: (each.first, each.last, each.notice))


def require_suspendable(entries: Iterable[Entry], calendar: Calendar, since: date, today: date) -> None:
    """Require that a countdown may be suspended from a day on (可否除外): it runs, is not over, and the day is ahead.

    Raises `SuspensionBackdated` for a day that has passed (行政许可法第四十五条: the time needed is told, beforehand),
    `TimePassed` for a day after it is due, `IllegalStep` once it has stopped.
    """
    if since < today:
        raise SuspensionBackdated(since=since.isoformat(), today=today.isoformat())
    _require_open(reckon(entries, calendar), since)


def require_extendable(entries: Iterable[Entry], calendar: Calendar, today: date) -> None:
    """Require that a countdown may be extended (可否延期): it runs, is not over, and never was extended before.

    Raises `ExtendedAlready` (行政许可法第四十二条), `TimePassed` once it was due, `IllegalStep` once it has stopped.
    """
    ledger = tuple(entries)
    due = reckon(ledger, calendar)
    if due.extended:
        raise ExtendedAlready(days=due.extended)
    _require_open(due, today)


def legal_day(instant: datetime, zone: tzinfo) -> date:
    """Find the calendar day of an instant in the legal zone (法定日期)."""
    return instant.astimezone(zone).date()


def expiry(day: date, zone: tzinfo) -> datetime:
    """Find the instant, in UTC, at which a period ending on a day has run out (期限届满): 24:00 of that day."""
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)


def _standing(ledger: Sequence[Entry]) -> tuple[Entry, date | None]:
    """Find what a ledger counts from now, and the day it was stopped."""
    began: Entry | None = None
    stopped_on: date | None = None
    for entry in ledger:
        if entry.type in _BEGIN:
            began, stopped_on = entry, None
        elif entry.type is EntryType.STOP:
            stopped_on = entry.day
    if began is None:
        raise IllegalStep(countdown="not started")
    return began, stopped_on


def _extensions(ledger: Sequence[Entry], began: Entry) -> list[Entry]:
    return [entry for entry in ledger if entry.type is EntryType.EXTEND and entry.day >= began.day]


def _require_open(due: Due, day: date) -> None:
    if due.stopped_on is not None:
        raise IllegalStep(stopped_on=due.stopped_on.isoformat())
    if day > due.day:
        raise TimePassed(due=due.day.isoformat())
