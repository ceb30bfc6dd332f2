"""The law's own lists and figures (法定清单): shipped as data in `workflows/_rules/`, read once a process."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from approval.domain.exclusions import Exclusion
from approval.paths import WORKFLOWS

_FILE = WORKFLOWS / "_rules" / "licensing.toml"


class Separation(NamedTuple):
    """What the law keeps apart in every item (法定职责分离): who did one of a side does none of the other, and why."""

    sides: tuple[frozenset[str], ...]
    of_roles: bool
    basis: str
    valid_from: date

    def apart_from(self, own: str) -> frozenset[str]:
        """Name what whoever does `own` must not have done (与之分离的一方): roles or tasks, none for another rule."""
        others = [side for side in self.sides if own not in side]
        return frozenset().union(*others) if len(others) < len(self.sides) else frozenset()


class HearingNotice(NamedTuple):
    """How many working days before a hearing it is told (听证通知期限), and why."""

    notice_days: int
    basis: str
    valid_from: date


class CardRule(NamedTuple):
    """What gives a card (亮牌规则): `signal` is yellow or red."""

    code: str
    signal: str
    zh: str
    en: str
    basis: str
    valid_from: date


class Period(NamedTuple):
    """A period that the law itself sets (法定期间), in days of one kind or the other, and why."""

    days: int
    basis: str
    valid_from: date


@cache
def exclusions() -> tuple[Exclusion, ...]:
    """Bring the closed list of causes whose time is not counted (除外事由清单), 行政许可法第四十五条."""
    return tuple(Exclusion.from_data(row) for row in _licensing()["exclusions"])


@cache
def renewal() -> Period:
    """Bring how long before its last day a licence's renewal is applied for (延续申请期), in calendar days.

    行政许可法第五十条.
    """
    return Period(**_licensing()["renewal"])


@cache
def statement() -> Period:
    """Bring how long an interested party has to speak or to ask for a hearing (陈述意见期限), in working days.

    行政许可法第三十六条、第四十七条; an item may give longer by `[limits.statement]`.
    """
    return Period(**_licensing()["statement"])


@cache
def hearing() -> HearingNotice:
    """Bring what the law says of the notice of a hearing (听证通知的规定), 行政许可法第四十八条第一款第一项."""
    return HearingNotice(**_licensing()["hearing"])


@cache
def separations() -> tuple[Separation, ...]:
    """Bring what the law keeps apart whatever an item says (法定职责分离), 行政许可法第三十四条、第四十八条."""
    return tuple(
        Separation(
            (frozenset(row["roles"]), frozenset(row["others"]))
            if "roles" in row
            else tuple(frozenset({task}) for task in row["tasks"]),
            "roles" in row,
            row["basis"],
            row["valid_from"],
        )
        for row in _licensing()["apart"]
    )


@cache
def cards() -> Mapping[str, CardRule]:
    """Bring the rules of supervision that acts themselves give cards by (亮牌规则), by code."""
    rows = tomllib.loads((_FILE.parent / "cards.toml").read_text(encoding="utf-8"))["cards"]
    return {row["code"]: CardRule(**row) for row in rows}


@cache
def _licensing() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
