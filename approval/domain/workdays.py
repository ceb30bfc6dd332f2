"""The working-day calendar (工作日历): which days count, as data.

Weekends rest unless a notice says otherwise; the yearly notice of the State Council moves days both ways, and a
district may have days of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self

_SATURDAY = 5


class Kind(StrEnum):
    """What a day is in the calendar (日期类型)."""

    WORKDAY = "workday"
    MADE_UP = "made-up"  # 调休上班
    WEEKEND = "weekend"
    HOLIDAY = "holiday"  # 放假


class Counting(NamedTuple):
    """How days are counted (计算规则): whether the day of the event counts, and when the office closes for receipts.

    Where `closes` is given, what is received later, or on a day of rest, counts as received on the next working day.
    """

    event_day: bool = False
    closes: time | None = None


_PLAIN = Counting()


class District(NamedTuple):
    """What a district has otherwise (区县特例): days that rest or are worked there, and why."""

    rest: frozenset[date]
    work: frozenset[date]
    basis: str


@dataclass(frozen=True)
class Calendar:
    """Which days count as working days (工作日历), between two days that the notices cover.

    `rest` are weekdays that rest (放假), `work` weekend days that are worked (调休上班); `notices` say which notice a
    day stands on where it is not `basis`, by year; `districts` are known by their division codes (GB/T 2260).
    """

    rest: frozenset[date]
    work: frozenset[date]
    covers_from: date
    covers_until: date
    basis: str
    counting: Counting = _PLAIN
    notices: Mapping[int, str] = field(default_factory=dict)
    districts: Mapping[str, District] = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read a calendar (读取工作日历) from the parsed TOML of `calendar.toml`, or as `data` writes it."""
        counting = data.get("counting", {})
        closes = counting.get("closes")
        return cls(
            rest=_days(data["rest"]),
            work=_days(data["work"]),
            covers_from=_day(data["covers"]["from"]),
            covers_until=_day(data["covers"]["until"]),
            basis=data["basis"],
            counting=Counting(
                event_day=counting.get("event_day", False),
                closes=time.fromisoformat(closes) if isinstance(closes, str) else closes,
            ),
            notices={int(year): basis for year, basis in data.get("notices", {}).items()},
            districts={
                code: District(_days(own.get("rest", ())), _days(own.get("work", ())), own["basis"])
                for code, own in data.get("districts", {}).items()
            },
        )

    def data(self) -> dict[str, Any]:
        """Write the calendar as JSON values (工作日历数据), in one manner; `from_data` reads them."""
        return {
            "basis": self.basis,
            "covers": {"from": self.covers_from.isoformat(), "until": self.covers_until.isoformat()},
            "rest": _texts(self.rest),
            "work": _texts(self.work),
            "counting": {
                "event_day": self.counting.event_day,
                **({"closes": self.counting.closes.isoformat()} if self.counting.closes else {}),
            },
            "notices": {str(year): basis for year, basis in sorted(self.notices.items())},
            "districts": {
                code: {"rest": _texts(own.rest), "work": _texts(own.work), "basis": own.basis}
                for code, own in sorted(self.districts.items())
            },
        }

    def of_district(self, code: str) -> Self:
        """Bring the calendar as it holds in a district (区县日历): its own days win over those of the notice."""
        own = self.districts.get(code)
        if own is None:
            return replace(self, districts={}) if self.districts else self
        return replace(
            self,
            rest=self.rest - own.work | own.rest,
            work=self.work - own.rest | own.work,
            districts={code: own},
        )

    def excerpt(self, first: date, last: date) -> Self:
        """Keep what the calendar says of the days from `first` to `last` (日历摘录), and nothing else."""
        kept = {day for day in self.rest | self.work if first <= day <= last}
        years = range(first.year, last.year + 1)
        return replace(
            self,
            rest=self.rest & kept,
            work=self.work & kept,
            notices={year: basis for year, basis in self.notices.items() if year in years},
            districts={
                code: District(own.rest & kept, own.work & kept, own.basis) for code, own in self.districts.items()
            },
        )

    def kind(self, day: date) -> Kind:
        """Tell what a day is (日期类型); rest wins where a notice names a day twice."""
        if day in self.rest:
            return Kind.HOLIDAY
        if day.weekday() < _SATURDAY:
            return Kind.WORKDAY
        return Kind.MADE_UP if day in self.work else Kind.WEEKEND

    def basis_of(self, day: date) -> str:
        """Tell what notice says so of a day (日期依据)."""
        for own in self.districts.values():
            if day in own.rest | own.work:
                return own.basis
        return self.notices.get(day.year, self.basis)

    def is_workday(self, day: date) -> bool:
        """Tell whether a day counts (是否工作日)."""
        return self.kind(day) in {Kind.WORKDAY, Kind.MADE_UP}

    def knows(self, day: date) -> bool:
        """Tell whether a notice covers this day (日历是否已公布); beyond it a count is provisional."""
        return self.covers_from <= day <= self.covers_until

    def days_from(self, day: date) -> Iterator[date]:
        """Go through the days from a day on (逐日), without an end."""
        while True:
            yield day
            day += timedelta(days=1)

    def nth_after(self, day: date, count: int) -> date:
        """Find the nth working day after a day (第 n 个工作日); the day itself never counts."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def nth_from(self, day: date, count: int) -> date:
        """Find the nth working day from a day on (自当日起第 n 个工作日); the day itself counts if it is worked."""
        return self.nth_after(day - timedelta(days=1), count)

    def received_on(self, day: date, at: time) -> date:
        """Tell the day that something counts as received on (收到之日), handed in on a day at a time of the legal zone.

        That day itself, unless the office's hours count: see `Counting`.
        """
        closes = self.counting.closes
        if closes is None or (self.is_workday(day) and at <= closes):
            return day
        return self.nth_after(day, 1)

    def between(self, first: date, last: date) -> int:
        """Count the working days after `first` up to and with `last` (剩余工作日); negative when `last` lies before."""
        if last < first:
            return -self.between(last, first)
        days = (last - first).days
        return sum(self.is_workday(first + timedelta(days=n)) for n in range(1, days + 1))


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _days(values: Any) -> frozenset[date]:
    return frozenset(map(_day, values))


def _texts(days: frozenset[date]) -> list[str]:
    return [day.isoformat() for day in sorted(days)]
