"""The yearly notice of holidays (放假通知): how a year's days enter the working-day calendar."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from approval.domain.errors import NoticeUnreadable
from approval.domain.workdays import Calendar

_LONGEST_HOLIDAY = 60
_KINDS = {"rest": "rest", "放假": "rest", "休": "rest", "work": "work", "上班": "work", "班": "work"}


@dataclass(frozen=True)
class Holidays:
    """What a notice says of one year (放假安排): days of rest, weekend days that are worked, and its own number."""

    year: int
    rest: frozenset[date]
    work: frozenset[date]
    basis: str


def read(source: str, *, table: bool, basis: str = "") -> Holidays:
    """Read a notice (读取放假通知): TOML, or with `table` CSV of the columns `day` and `kind` (放假 or 上班).

    TOML says `year`, `basis`, `rest` as days or as spans `{ from, until }`, and `work` as days; `basis` as given goes
    before it. Raises `NoticeUnreadable` for what cannot be read, is of another year, rests and works on one day, makes
    up on a day that is no weekend, or has no basis.
    """
    try:
        notice = _from_table(source, basis) if table else _from_toml(source, basis)
    except (ValueError, KeyError, TypeError, OverflowError) as reason:
        raise NoticeUnreadable(why=str(reason)) from None
    strange = sorted(day for day in notice.rest | notice.work if not _of(day, notice.year))
    twice = sorted(notice.rest & notice.work)
    idle = sorted(day for day in notice.work if day.isoweekday() <= 5)  # noqa: PLR2004 -- Friday
    if strange or twice or idle or not notice.basis.strip():
        told = {"of another year": strange, "both": twice, "worked anyway": idle}
        facts = {why: [day.isoformat() for day in days] for why, days in told.items() if days}
        raise NoticeUnreadable(why=str(facts) if facts else "no basis")
    return notice


def enter(calendar: Calendar, notice: Holidays) -> Calendar:
    """Enter a notice into a calendar (并入工作日历): its year is as the notice says, every other as it was.

    But for days of the December before, which a New Year's holiday may reach into. Raises `NoticeUnreadable` for a
    year that would leave a gap.
    """
    first, last, day = date(notice.year, 1, 1), date(notice.year, 12, 31), timedelta(days=1)
    if first > calendar.covers_until + day or last < calendar.covers_from - day:
        raise NoticeUnreadable(why=f"the calendar covers {calendar.covers_from} to {calendar.covers_until}")
    return replace(
        calendar,
        rest=_others(calendar.rest - notice.work, notice.year) | notice.rest,
        work=_others(calendar.work - notice.rest, notice.year) | notice.work,
        covers_from=min(calendar.covers_from, first),
        covers_until=max(calendar.covers_until, last),
        notices={**calendar.notices, notice.year: notice.basis},
    )


def _of(day: date, year: int) -> bool:
    return day.year == year or (day.year, day.month) == (year - 1, 12)


def _others(days: frozenset[date], year: int) -> frozenset[date]:
    return frozenset(day for day in days if day.year != year)


def _from_toml(source: str, basis: str) -> Holidays:
    data = tomllib.loads(source)
    rest = frozenset(day for span in data["rest"] for day in _span(span))
    work = frozenset(day for span in data.get("work", ()) for day in _span(span))
    return Holidays(int(data["year"]), rest, work, basis or str(data["basis"]))


def _span(value: Any) -> Iterator[date]:
    first, last = (value["from"], value["until"]) if isinstance(value, Mapping) else (value, value)
    length = (last - first).days
    if not 0 <= length < _LONGEST_HOLIDAY:
        raise ValueError(f"{first} to {last} is no holiday")
    yield from (first + timedelta(days=n) for n in range(length + 1))


def _from_table(source: str, basis: str) -> Holidays:
    days: dict[str, set[date]] = {"rest": set(), "work": set()}
    for row in csv.DictReader(source.removeprefix("\ufeff").splitlines()):
        days[_KINDS[row["kind"].strip()]].add(date.fromisoformat(row["day"].strip()))
    year = max(days["rest"]).year
    return Holidays(year, frozenset(days["rest"]), frozenset(days["work"]), basis)
