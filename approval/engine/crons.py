"""Cron (定时表达式) as engines write it: six or seven fields from the second to the year, or five from the minute."""

import calendar
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

MACROS: Final = {
    "@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *", "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *", "@hourly": "0 0 * * * *",
}  # fmt: skip
MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS: Final = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}
FIELDS: Final[tuple[tuple[str, int, int, dict[str, int]], ...]] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 7, DAYS),
    ("year", 1970, 2199, {}),
)
YEARS: Final = 30


def following(text: str, moment: datetime) -> datetime | None:
    """Return the first moment after `moment` that a cron (下次触发) names, on the clock of its zone; None if none is.

    Raises ValueError for text that is no cron, and for one that names no day in the next thirty years.
    """
    fields = _fields(text)
    start = (moment + timedelta(seconds=1)).replace(microsecond=0)
    for day in _days(fields, start):
        first = (start.hour, start.minute, start.second) if day.date() == start.date() else (0, 0, 0)
        for hour in sorted(fields["hour"]):
            for minute in sorted(fields["minute"]):
                for second in sorted(fields["second"]):
                    if (hour, minute, second) >= first:
                        return day.replace(hour=hour, minute=minute, second=second)
    if max(fields["year"]) <= start.year:
        return None
    raise ValueError(f"the cron {text!r} names no day that will come")


def _days(fields: dict[str, set[int]], start: datetime) -> Iterator[datetime]:
    """Yield the days from `start` on that a cron names; where it names both days, either will do."""
    either = len(fields["day"]) < 31 and len(fields["weekday"] - {7}) < 7  # noqa: PLR2004 -- a month, a week
    day = start.replace(hour=0, minute=0, second=0)
    while day.year <= start.year + YEARS:
        if day.month not in fields["month"] or day.year not in fields["year"]:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            continue
        fits = day.day in fields["day"], (day.weekday() + 1) % 7 in fields["weekday"]
        if any(fits) if either else all(fits):
            yield day
        day += timedelta(days=1)


def _fields(text: str) -> dict[str, set[int]]:
    parts = MACROS.get(text.strip().lower(), text).upper().split()
    if len(parts) == 5:  # noqa: PLR2004 -- as crontab writes it, without seconds
        parts = ["0", *parts]
    if len(parts) not in {6, 7}:
        raise ValueError(
            f"{text!r} is neither a repeating interval such as R3/PT10S nor a cron such as 0 0 9 * * MON-FRI"
        )
    parts = [*parts, "*"][:7]
    found = {}
    for (name, low, high, words), part in zip(FIELDS, parts, strict=True):
        numbers = {number for piece in part.split(",") for number in _range(text, piece, low, high, words)}
        found[name] = {number % 7 for number in numbers} if name == "weekday" else numbers
    return found


def _range(text: str, piece: str, low: int, high: int, words: dict[str, int]) -> range:
    span, _, step = piece.partition("/")
    first, dash, last = span.partition("-")
    try:
        if span in {"*", "?"}:
            begin, end = low, high
        else:
            begin = words[first] if first in words else int(first)
            end = (words[last] if last in words else int(last)) if dash else (high if step else begin)
        wraps = 7 if end < begin and words is DAYS else 0  # FRI-MON
        numbers = range(begin, end + wraps + 1, int(step or 1))
    except ValueError:
        raise ValueError(f"{piece!r} in the cron {text!r} is not understood; use numbers, names, * , - and /") from None
    if not numbers or begin < low or end > high:
        raise ValueError(f"{piece!r} in the cron {text!r} lies outside {low} to {high}")
    return numbers
