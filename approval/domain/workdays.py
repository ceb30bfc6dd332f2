"""The working-day calendar (工作日历): which days count, as data.

Weekends rest unless a notice says otherwise; the yearly notice of the State Council moves days both ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

_SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """Which days count as working days (工作日历), between two days that the notices cover.

    `rest` are weekdays that rest (放假), `work` weekend days that are worked (调休上班).
    """

    rest: frozenset[date]
    work: frozenset[date]
    covers_from: date
    covers_until: date
    basis: str

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read a calendar (读取工作日历) from the parsed TOML of `calendar.toml`."""
        return cls(
            rest=frozenset(data["rest"]),
            work=frozenset(data["work"]),
            covers_from=data["covers"]["from"],
            covers_until=data["covers"]["until"],
            basis=data["basis"],
        )

    def is_workday(self, day: date) -> bool:
        """Tell whether a day counts (是否工作日)."""
        if day in self.rest:
            return False
        return day in self.work or day.weekday() < _SATURDAY

    def knows(self, day: date) -> bool:
        """Tell whether a notice covers this day (日历是否已公布); beyond it a count is provisional."""
        return self.covers_from <= day <= self.covers_until

    def nth_after(self, day: date, count: int) -> date:
        """Find the nth working day after a day (第 n 个工作日); the day itself never counts."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Count the working days after `first` up to and with `last` (剩余工作日); negative when `last` lies before."""
        if last < first:
            return -self.between(last, first)
        days = (last - first).days
        return sum(self.is_workday(first + timedelta(days=n)) for n in range(1, days + 1))
