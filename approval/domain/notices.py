"""Formal notices (文书): the kinds that the law knows, what each must say, its number, and the last days of remedies.

What a kind is called, says and rests on is data (`workflows/_notices/<kind>/kind.toml`); here is how it is read and
what follows from it.
"""

import calendar as months
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from approval.domain.errors import Missing
from approval.domain.texts import Words
from approval.domain.workdays import Calendar

FILE = "kind.toml"
PATTERN = "{department}{item}{kind}〔{year}〕{serial}号"
"""How a department writes its numbers that has said nothing else (文号)."""

_PLACE = re.compile(r"\{([a-z]+)\}")
_PLACES = frozenset({"department", "item", "kind", "year", "serial"})
_SERIAL = "{serial}"
_SHAPES = frozenset({"text", "day", "number", "list", "rows"})


class Way(StrEnum):
    """How a notice reaches whom it is for (送达方式)."""

    PORTAL = "portal"  # 电子送达: opened on the portal
    EMAIL = "email"
    SMS = "sms"
    POST = "post"  # 邮寄送达
    HAND = "hand"  # 当面送达
    ANNOUNCEMENT = "announcement"  # 公告送达


CHOSEN = (Way.EMAIL, Way.SMS, Way.POST)
"""The ways an applicant may choose beside the portal (送达地址确认)."""
RECORDED = (Way.HAND, Way.POST, Way.ANNOUNCEMENT)
"""The ways an officer writes down (送达登记)."""


class Fact(NamedTuple):
    """One thing that a kind of notice says (文书要素), and the article that wants it.

    `type` is text, day (ISO 8601), number, list (of texts) or rows; each row then fills the columns `each`.
    `instead` names another fact that will do as well; `optional` ones are said where they are known.
    """

    name: str
    label: Words
    type: str
    article: str
    each: Mapping[str, Words]
    optional: bool
    instead: str


@dataclass(frozen=True)
class Kind:
    """A kind of formal notice (文书种类), as the data says.

    `word` stands in its number; `events` are the codes under which an applicant is told something that wants it;
    `roles` may issue it by hand; `to_parties` ones go to the interested parties of a case too; without `template` it is
    kept elsewhere and never drawn here.
    """

    code: str
    title: Words
    word: str
    basis: str
    events: frozenset[str]
    roles: frozenset[str]
    to_parties: bool
    facts: tuple[Fact, ...]
    valid_from: date
    valid_until: date | None
    template: bool

    def in_force(self, day: date) -> bool:
        """Tell whether the kind is prescribed on a day (是否有效)."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Period(NamedTuple):
    """A period that begins with a delivery (自送达起算的期间): calendar days or months, and its article."""

    code: str
    days: int
    months: int
    basis: str
    valid_from: date
    valid_until: date | None


def read(code: str, source: bytes, *, template: bool) -> Kind:
    """Read a kind of notice (读取文书种类) from the bytes of its `kind.toml`; raises ValueError for what is no kind."""
    data = tomllib.loads(source.decode())
    try:
        kind = Kind(
            code=code,
            title=Words(**data["title"]),
            word=data["word"],
            basis=data["basis"],
            events=frozenset(data.get("events", ())),
            roles=frozenset(data.get("roles", ())),
            to_parties=data.get("to_parties", False),
            facts=tuple(_fact(row) for row in data.get("facts", ())),
            valid_from=data["valid_from"],
            valid_until=data.get("valid_until"),
            template=template,
        )
    except (KeyError, TypeError) as reason:
        raise ValueError(f"{code}: {reason!r}") from None
    if strange := {fact.type for fact in kind.facts} - _SHAPES:
        raise ValueError(f"{code}: no fact is of the type {', '.join(sorted(strange))}")
    return kind


def read_periods(source: bytes) -> tuple[Period, ...]:
    """Read the periods that begin with a delivery (读取期间) from the bytes of `periods.toml`."""
    rows = tomllib.loads(source.decode())["periods"]
    return tuple(
        Period(
            row["code"],
            row.get("days", 0),
            row.get("months", 0),
            row["basis"],
            row["valid_from"],
            row.get("valid_until"),
        )
        for row in rows
    )


def missing(kind: Kind, facts: Mapping[str, Any]) -> list[Missing]:
    """Tell everything that a notice of this kind must say and does not (文书要素核对), all at once.

    行政许可法第三十八条第二款 for a refusal, 第三十二条第一款第四项 for a correction; the kind names each article.
    """
    lacking = []
    for fact in kind.facts:
        value = facts.get(fact.name)
        if fact.type == "rows" and value:
            lacking += [
                Missing(f"notice.{fact.name}[{number}].{column}", "required", f"{fact.label.zh} {number}：{label.zh}")
                for number, row in enumerate(value, start=1)
                for column, label in fact.each.items()
                if not _said(row.get(column))
            ]
        elif not _said(value) and not fact.optional and not _said(facts.get(fact.instead)):
            lacking.append(Missing(f"notice.{fact.name}", "required", fact.label.zh))
    return lacking


def sound(pattern: str) -> bool:
    """Tell whether a pattern of numbers is one (文号规则): known places, the year and the serial once each."""
    places = _PLACE.findall(pattern)
    rest = _PLACE.sub("", pattern)
    once = places.count("serial") == places.count("year") == 1
    return once and "kind" in places and set(places) <= _PLACES and not {"{", "}"} & set(rest)


def series(pattern: str, *, department: str, item: str, kind: str, year: int) -> str:
    """Name the series that a number is counted in (文号序列): the pattern with everything filled in but the serial."""
    parts = {"department": department, "item": item, "kind": kind, "year": str(year), "serial": _SERIAL}
    return _PLACE.sub(lambda place: parts[place[1]], pattern)


def number(series: str, serial: int) -> str:
    """Write the number of a notice (文号), such as 泉市监食受〔2026〕12号."""
    return series.replace(_SERIAL, str(serial))


def last_day(period: Period, received: date, workdays: Calendar) -> date:
    """Find the last day of a period (期间届满日) that begins with a delivery; the day itself is not counted.

    A month ends with the day of the same number, or its own last one; a last day that rests gives way to the next
    working day (民法典第二百零一条、民法典第二百零二条、民法典第二百零三条).
    """
    month = received.month - 1 + period.months
    year, month = received.year + month // 12, month % 12 + 1
    day = date(year, month, min(received.day, months.monthrange(year, month)[1])) + timedelta(days=period.days)
    return day if workdays.is_workday(day) else workdays.nth_after(day, 1)


def _fact(row: Mapping[str, Any]) -> Fact:
    return Fact(
        row["name"],
        Words(row["zh"], row["en"]),
        row.get("type", "text"),
        row.get("article", ""),
        {column: Words(**words) for column, words in row.get("each", {}).items()},
        row.get("optional", False),
        row.get("instead", ""),
    )


def _said(value: Any) -> bool:
    return value is not None and value not in ([], {}) and (not isinstance(value, str) or bool(value.strip()))
