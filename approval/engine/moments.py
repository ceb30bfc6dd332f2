"""ISO 8601 durations and moments (时长与时刻) as timers write them."""

import calendar
import re
from datetime import datetime, timedelta
from typing import Final

_DURATION: Final = re.compile(
    r"P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


def after(duration: str, start: datetime) -> datetime:
    """Return the moment a duration (时长) after `start`; a month later than 31 January is its last day.

    Raises ValueError when it is not a whole, positive ISO 8601 duration.
    """
    found = _DURATION.fullmatch(duration)
    if not found:
        raise ValueError(f"{duration!r} is not an ISO 8601 duration such as P5D or PT1H30M")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = start.year * 12 + start.month - 1 + years * 12 + months
    year, month = divmod(total, 12)
    try:
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        moved = start.replace(year=year, month=month + 1, day=day)
        return moved + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (OverflowError, ValueError):
        raise ValueError(f"{duration!r} is too long") from None


def at(moment: str) -> datetime:
    """Read a moment (时刻) with its offset; raise ValueError for anything else."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        raise ValueError(f"{moment!r} is not an ISO 8601 moment such as 2026-03-01T09:00:00+08:00") from None
    if read.tzinfo is None:
        raise ValueError(f"{moment!r} needs an offset such as +08:00")
    return read
