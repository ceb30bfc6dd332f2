"""What stops the count (除外事由): the closed list of the law, as data with basis and days of validity."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self


@dataclass(frozen=True)
class Exclusion:
    """A cause whose time is not counted (除外事由), and the notice that must tell the applicant of it.

    `of_item` causes need a basis of the item itself, in its pack; `kinds` are the countdowns that it may suspend.
    """

    code: str
    zh: str
    en: str
    basis: str
    notice: str
    of_item: bool
    kinds: tuple[str, ...]
    valid_from: date
    valid_until: date | None

    @classmethod
    def from_data(cls, row: Mapping[str, Any]) -> Self:
        """Read one cause (读取除外事由) from the parsed TOML of the list."""
        return cls(
            code=row["code"],
            zh=row["zh"],
            en=row["en"],
            basis=row["basis"],
            notice=row["notice"],
            of_item=row.get("of_item", False),
            kinds=tuple(row["kinds"]),
            valid_from=row["valid_from"],
            valid_until=row.get("valid_until"),
        )

    def in_force(self, day: date) -> bool:
        """Tell whether the cause counts on a day (是否有效)."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


def usable(known: Iterable[Exclusion], of_item: Mapping[str, str], day: date) -> Iterator[tuple[Exclusion, str]]:
    """List the causes that may be used on a day (可用除外事由), each with its basis.

    `of_item` holds the item's own bases by cause: one that needs such a basis and has none cannot be used.
    """
    for cause in known:
        basis = of_item.get(cause.code, "" if cause.of_item else cause.basis)
        if basis and cause.in_force(day):
            yield cause, basis
