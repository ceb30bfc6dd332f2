"""The law's own lists and figures (法定清单): shipped as data in `workflows/_rules/`, read once a process."""

import tomllib
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from approval.domain.exclusions import Exclusion
from approval.paths import WORKFLOWS

_FILE = WORKFLOWS / "_rules" / "licensing.toml"


class Renewal(NamedTuple):
    """How long before its last day a licence's renewal is applied for (延续申请期), in calendar days, and why."""

    days: int
    basis: str
    valid_from: date


@cache
def exclusions() -> tuple[Exclusion, ...]:
    """Bring the closed list of causes whose time is not counted (除外事由清单), 行政许可法第四十五条."""
    return tuple(Exclusion.from_data(row) for row in _licensing()["exclusions"])


@cache
def renewal() -> Renewal:
    """Bring what the law says of renewals (延续的规定), 行政许可法第五十条."""
    return Renewal(**_licensing()["renewal"])


@cache
def _licensing() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
