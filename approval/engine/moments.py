"""What timers write (定时文本): ISO 8601 durations, moments and repeating intervals, and cron."""

import calendar
import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from approval.engine import crons

_DURATION: Final = re.compile(
    r"P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d{1,6})?)S)?)?"
)
_REPEATED: Final = re.compile(r"R(\d*)/(?:([^/P][^/]*)/)?(P[^/]+)(?:/([^/P][^/]*))?")


class TooLateError(ValueError):
    """A moment later than any calendar goes (过晚)."""


class Cycle(NamedTuple):
    """A repeating interval (重复间隔): `times` None is for ever; `begins` None is when the timer is set."""

    times: int | None
    begins: datetime | None
    every: str
    ends: datetime | None


def after(duration: str, start: datetime, times: int = 1) -> datetime:
    """Return the moment `times` durations (时长) after `start`; a month later than 31 January is its last day.

    Raises ValueError when it is not a positive ISO 8601 duration.
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError(f"{duration!r} is not an ISO 8601 duration such as P5D or PT1H30M")
    years, months, weeks, days, hours, minutes = (int(part or 0) * times for part in found.groups()[:6])
    seconds = float((found[7] or "0").replace(",", ".")) * times
    total = start.year * 12 + start.month - 1 + years * 12 + months
    year, month = divmod(total, 12)
    try:
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        moved = start.replace(year=year, month=month + 1, day=day)
        return moved + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (OverflowError, ValueError):
        raise TooLateError(f"{duration!r} is too long") from None


def at(moment: str) -> datetime:
    """Read a moment (时刻) with its offset; raise ValueError for anything else."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"{moment!r} is not an ISO 8601 moment such as 2026-03-01T09:00:00+08:00") from None
    if read.tzinfo is None:
        raise ValueError(f"{moment!r} needs an offset such as +08:00")
    return read


def repeated(text: str) -> Cycle:
    """Read a repeating interval (重复间隔) such as R3/PT10S, R/2026-03-01T09:00:00Z/P1D; raise ValueError otherwise."""
    found = _REPEATED.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a repeating interval such as R3/PT10S, and no cron either")
    cycle = Cycle(
        times=int(found[1]) if found[1] else None,
        begins=at(found[2]) if found[2] else None,
        every=found[3],
        ends=at(found[4]) if found[4] else None,
    )
    origin = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    if after(cycle.every, origin) == origin:
        raise ValueError(f"{text!r} repeats without a pause")
    if cycle.times == 0:
        raise ValueError(f"{text!r} is never due; write how often")
    return cycle


def due(text: str, start: datetime, fired: int = 0, last: datetime | None = None) -> datetime | None:
    """Return when a timeCycle is due next (下次到期), or None when it is over.

    `start` is when the timer was set, `fired` how often it has been due and `last` when it last was; cron is
    reckoned on the clock of the zone that `start` is in. Raises ValueError for text that is no cycle.
    """
    if not text.startswith("R"):
        return crons.following(text, last or start)
    cycle = repeated(text)
    if cycle.times is not None and fired >= cycle.times:
        return None
    # With a start given, the first time is the start itself.
    moment = after(cycle.every, cycle.begins, fired) if cycle.begins else after(cycle.every, start, fired + 1)
    return None if cycle.ends and moment > cycle.ends else moment


def next_due(text: str, start: datetime, fired: int, last: datetime) -> tuple[int, datetime | None]:
    """Return when a timeCycle is due after `last` (下一次到期), and how often it will have been due before.

    Rounds that were missed are reckoned away and not gone through one by one. Raises as `due`.
    """
    if text.startswith("R"):
        cycle = repeated(text)
        round_ = _steady(cycle.every)
        if round_:
            first = cycle.begins or start + round_
            fired = max(fired, (last - first) // round_ + 1)
    try:
        following = due(text, start, fired, last)
        while following is not None and following <= last:
            fired += 1
            following = due(text, start, fired, last)
    except TooLateError:
        return fired, None
    return fired, following


def _steady(duration: str) -> timedelta | None:
    """Return how long a duration is, unless months and years make that a matter of the calendar."""
    found = _DURATION.fullmatch(duration)
    if not found or int(found[1] or 0) or int(found[2] or 0):
        return None
    origin = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return after(duration, origin) - origin


def check(kind: str, text: str) -> None:
    """Refuse a timer's text (校验定时) that can never be due; `kind` is its BPMN element. Raises ValueError."""
    origin = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    if kind == "timeDuration":
        after(text, origin)
    elif kind == "timeDate":
        at(text)
    else:
        due(text, origin)
