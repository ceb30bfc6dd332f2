"""Manifests (事项包清单): what an `item.toml` says, checked as a whole.

Everything the law or the city may change stands in the manifest as data with a basis; nothing of it in code.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeVar, cast

from approval.domain.errors import Fault, PackRefused

FILE = "item.toml"
APPLICANT = "applicant"

_MOST_DAYS = 2000  # eight years of working days: more is a slip of the pen
_NEEDS = frozenset({"required", "optional", "when"})
_KINDS = {str: "a text", int: "a whole number", list: "a list", dict: "a table", date: "a date"}
_EMPTY: Mapping[type, Any] = {str: "", int: 0, list: [], dict: {}, date: date.min}
_T = TypeVar("_T", str, int, list[Any], dict[str, Any], date)


class Words(NamedTuple):
    """One thing said in both languages (双语文字)."""

    zh: str
    en: str


class Lane(NamedTuple):
    """Who works a lane of the diagram (泳道): a role in a department, or the applicant."""

    department: str
    role: str


class Apart(NamedTuple):
    """Tasks that nobody may do two of on one case (职责分离), and why."""

    tasks: frozenset[str]
    basis: str


class Limit(NamedTuple):
    """A time limit (时限) in working days, and why."""

    days: int
    basis: str


class LegalBasis(NamedTuple):
    """An article that founds the item (设定依据)."""

    law: str
    article: str
    text: str
    valid_from: date


@dataclass(frozen=True)
class MaterialRequirement:
    """A material that the item asks for (申请材料要求).

    `need` is `required`, `optional` or `when`; `when` then holds a FEEL condition over answers and applicant.
    """

    code: str
    name: Words
    need: str
    when: str
    source: str
    level: str
    formats: tuple[str, ...]
    basis: str


@dataclass(frozen=True)
class LicenceRule:
    """What licence comes out (结果证照): type code, number pattern, validity in years, fields as FEEL."""

    code: str
    type: str
    name: Words
    template: str
    number: str
    validity_years: int
    fields: Mapping[str, str]
    public: tuple[str, ...]
    basis: str


@dataclass(frozen=True)
class Manifest:
    """The checked contents of an `item.toml` (事项实施清单)."""

    code: str
    item_number: str
    item_number_pattern: str
    kind: str
    case_kind: str
    name: Words
    department: str
    joint: tuple[str, ...]
    serves: frozenset[str]
    visits: int
    fee: str
    fee_basis: str
    facts: Mapping[str, str]
    lanes: Mapping[str, Lane]
    apart: tuple[Apart, ...]
    limits: Mapping[str, Limit]
    legal_basis: tuple[LegalBasis, ...]
    conditions: tuple[Words, ...]
    materials: tuple[MaterialRequirement, ...]
    filing_form: str
    licence: LicenceRule | None
    service: Mapping[str, str]


def read(source: bytes) -> Manifest:
    """Read and check a manifest (读取事项包清单) from the bytes of `item.toml`.

    Raises `PackRefused` with every fault at once, each named by its key (`limits.acceptance.days`).
    """
    try:
        data = tomllib.loads(source.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise PackRefused(faults=[Fault(FILE, "", 0, str(reason))]) from None
    reader = _Reader(data)
    manifest = reader.manifest()
    if reader.faults:
        raise PackRefused(faults=reader.faults)
    return manifest


class _Reader:
    """Reads keys by type and collects what is wrong, so that an author learns everything at once."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.faults: list[Fault] = []

    def _get(self, kind: type[_T], where: str, source: Any = None, path: str = "") -> _T:
        value = self.data if source is None else source
        for key in where.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            why = "is missing" if value is None else f"must be {_KINDS[kind]}"
            self.faults.append(Fault(FILE, path + where, 0, why))
            return cast("_T", _EMPTY[kind])
        return value

    def _words(self, where: str, source: Any = None, path: str = "") -> Words:
        return Words(
            self._get(str, f"{where}zh", source, path),
            self._get(str, f"{where}en", source, path),
        )

    def _texts(self, where: str, source: Any = None, path: str = "") -> tuple[str, ...]:
        texts = self._get(list, where, source, path)
        if not all(isinstance(text, str) for text in texts):
            self.faults.append(Fault(FILE, path + where, 0, "must be a list of texts"))
        return tuple(texts)

    def _table(self, where: str, source: Any = None, path: str = "") -> dict[str, str]:
        table = self._get(dict, where, source, path)
        for key, text in table.items():
            if not isinstance(text, str):
                self.faults.append(Fault(FILE, f"{path}{where}.{key}", 0, "must be a text"))
        return table

    def _rows(self, where: str) -> Iterator[tuple[str, Any]]:
        for number, row in enumerate(self._get(list, where), start=1):
            yield f"{where}[{number}].", row

    def manifest(self) -> Manifest:
        if "facts" not in self.data:
            self.data = {**self.data, "facts": {}}
        return Manifest(
            code=self._get(str, "code"),
            item_number=self._get(str, "item_number"),
            item_number_pattern=self._get(str, "item_number_pattern"),
            kind=self._get(str, "kind"),
            case_kind=self._get(str, "case_kind"),
            name=self._words("name."),
            department=self._get(str, "department.code"),
            joint=self._texts("department.joint"),
            serves=frozenset(self._texts("serves")),
            visits=self._get(int, "visits"),
            fee=self._get(str, "fee.amount"),
            fee_basis=self._get(str, "fee.basis"),
            facts=self._table("facts"),
            lanes={name: self._lane(name, lane) for name, lane in self._get(dict, "lanes").items()},
            apart=tuple(
                Apart(frozenset(self._texts("tasks", row, at)), self._get(str, "basis", row, at))
                for at, row in self._rows("apart")
            ),
            limits={name: self._limit(f"limits.{name}.", limit) for name, limit in self._get(dict, "limits").items()},
            legal_basis=tuple(
                LegalBasis(
                    self._get(str, "law", row, at),
                    self._get(str, "article", row, at),
                    self._get(str, "text", row, at),
                    self._get(date, "valid_from", row, at),
                )
                for at, row in self._rows("legal_basis")
            ),
            conditions=tuple(self._words("", row, at) for at, row in self._rows("conditions")),
            materials=tuple(self._material(at, row) for at, row in self._rows("materials")),
            filing_form=self._get(str, "forms.filing"),
            licence=self._licence() if "licence" in self.data else None,
            service=self._table("service"),
        )

    def _limit(self, path: str, limit: Any) -> Limit:
        days = self._get(int, "days", limit, path)
        if not 0 < days <= _MOST_DAYS and isinstance(limit, Mapping) and limit.get("days") == days:
            self.faults.append(Fault(FILE, path + "days", 0, f"must be from 1 to {_MOST_DAYS}"))
        return Limit(days, self._get(str, "basis", limit, path))

    def _lane(self, name: str, lane: Any) -> Lane:
        path = f"lanes.{name}."
        role = self._get(str, "role", lane, path)
        return Lane("" if role == APPLICANT else self._get(str, "department", lane, path), role)

    def _material(self, at: str, row: Any) -> MaterialRequirement:
        need = self._get(str, "need", row, at)
        if need not in _NEEDS:
            self.faults.append(Fault(FILE, at + "need", 0, f"must be one of {', '.join(sorted(_NEEDS))}"))
        return MaterialRequirement(
            code=self._get(str, "code", row, at),
            name=self._words("", row, at),
            need=need,
            when=self._get(str, "when", row, at) if need == "when" else "",
            source=self._get(str, "source", row, at),
            level=self._get(str, "level", row, at),
            formats=self._texts("formats", row, at),
            basis=self._get(str, "basis", row, at),
        )

    def _licence(self) -> LicenceRule:
        return LicenceRule(
            code=self._get(str, "licence.code"),
            type=self._get(str, "licence.type"),
            name=self._words("licence.name."),
            template=self._get(str, "licence.template"),
            number=self._get(str, "licence.number"),
            validity_years=self._get(int, "licence.validity_years"),
            fields=self._table("licence.fields"),
            public=self._texts("licence.public"),
            basis=self._get(str, "licence.basis"),
        )
