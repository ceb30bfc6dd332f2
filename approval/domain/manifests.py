"""Manifests (事项包清单): what an `item.toml` says, checked as a whole.

Everything the law or the city may change stands in the manifest as data with a basis; nothing of it in code.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar, cast

from approval.domain.errors import Fault, PackRefused
from approval.domain.materials import MEDIA_TYPES
from approval.domain.texts import LONGEST_CODE, unseen

FILE = "item.toml"
APPLICANT = "applicant"
STRICT = "strict"

_MOST_DAYS = 2000  # eight years of working days: more is a slip of the pen
_MOST_YEARS = 100
_SLUG = re.compile(r"[a-z0-9-]+")  # part of the address of the item's page
_LICENCE_TYPE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_LICENCE_ACTS = frozenset({"issue", "change", "renew", "reissue"})
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


class Extension(NamedTuple):
    """By how many working days a limit may be extended once (延期), by whom, and why; no department: the item's own."""

    days: int
    role: str
    department: str
    basis: str


class Limit(NamedTuple):
    """A time limit (时限) in working days, and why."""

    days: int
    basis: str
    extension: Extension | None = None


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
    `licences` are the types of licence (GB/T 36904 type codes) that answer it: the applicant's own is attached.
    """

    code: str
    name: Words
    need: str
    when: str
    source: str
    level: str
    formats: tuple[str, ...]
    basis: str
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class LicenceRule:
    """What licence comes out (结果证照): type code, number pattern, validity in years, fields as FEEL and their names.

    `act` is `issue`, or `change`, `renew`, `reissue`: then `of` is FEEL for the number of the licence meant.
    `renew_days` are the calendar days before its last day until which a renewal is in time, where not as the law says.
    """

    code: str
    type: str
    name: Words
    template: str
    number: str
    validity_years: int
    fields: Mapping[str, str]
    public: tuple[str, ...]
    basis: str
    shared: tuple[str, ...] = ()
    act: str = "issue"
    of: str = ""
    labels: Mapping[str, Words] = field(default_factory=dict)
    renew_days: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The checked contents of an `item.toml` (事项实施清单); `notice_word` stands in numbers of notices (文号)."""

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
    exclusions: Mapping[str, str]
    legal_basis: tuple[LegalBasis, ...]
    conditions: tuple[Words, ...]
    materials: tuple[MaterialRequirement, ...]
    filing_form: str
    licence: LicenceRule | None
    service: Mapping[str, str]
    cites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    law: str = ""
    """`strict` makes a citation that the library does not know a fault instead of a warning."""
    notice_word: str = ""


def read(source: bytes) -> Manifest:
    """Read and check a manifest (读取事项包清单) from the bytes of `item.toml`.

    Raises `PackRefused` with every fault at once, each named by its key (`limits.acceptance.days`).
    """
    try:
        data = tomllib.loads(source.decode())
    except (ValueError, RecursionError) as reason:  # numbers of 5000 digits and brackets of that depth too
        raise PackRefused(faults=[Fault(FILE, "", 0, str(reason))]) from None
    reader = _Reader(data)
    reader.look()
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

    def _code(self, where: str, source: Any = None, path: str = "") -> str:
        before = len(self.faults)
        code = self._get(str, where, source, path)
        if len(self.faults) == before:
            self._short(code, path + where)
        return code

    def _short(self, code: str, where: str) -> None:
        if not 0 < len(code) <= LONGEST_CODE:
            self.faults.append(Fault(FILE, where[:LONGEST_CODE], 0, f"must be of 1 to {LONGEST_CODE} characters"))

    def _between(self, least: int, most: int, where: str, source: Any = None, path: str = "") -> int:
        before = len(self.faults)
        number = self._get(int, where, source, path)
        if len(self.faults) == before and not least <= number <= most:
            self.faults.append(Fault(FILE, path + where, 0, f"must be from {least} to {most}"))
        return number

    def _words(self, where: str, source: Any = None, path: str = "") -> Words:
        return Words(
            self._get(str, f"{where}zh", source, path),
            self._get(str, f"{where}en", source, path),
        )

    def _texts(self, where: str, source: Any = None, path: str = "") -> tuple[str, ...]:
        texts = self._get(list, where, source, path)
        if not all(isinstance(text, str) for text in texts):
            self.faults.append(Fault(FILE, path + where, 0, "must be a list of texts"))
        return tuple(text for text in texts if isinstance(text, str))

    def _table(self, where: str, source: Any = None, path: str = "") -> dict[str, str]:
        table = self._get(dict, where, source, path)
        for key, text in table.items():
            if not isinstance(text, str):
                self.faults.append(Fault(FILE, f"{path}{where}.{key}", 0, "must be a text"))
        return table

    def _rows(self, where: str) -> Iterator[tuple[str, Any]]:
        for number, row in enumerate(self._get(list, where), start=1):
            yield f"{where}[{number}].", row

    def look(self) -> None:
        """Find texts and keys with characters that nobody sees and no column keeps."""
        ahead: list[tuple[str, Any]] = [("", self.data)]
        while ahead:
            where, value = ahead.pop()
            if isinstance(value, str) and unseen(value, lines=True):
                self.faults.append(Fault(FILE, where, 0, "holds characters that cannot be seen"))
            elif isinstance(value, list):
                ahead += [(where, entry) for entry in value]
            elif isinstance(value, dict):
                ahead += [(f"{where}.{key}".lstrip(".")[:LONGEST_CODE], entry) for key, entry in value.items()]
                ahead += [(where, key) for key in value]

    def manifest(self) -> Manifest:
        if "facts" not in self.data:
            self.data = {**self.data, "facts": {}}
        return Manifest(
            code=self._slug(),
            item_number=self._get(str, "item_number"),
            item_number_pattern=self._get(str, "item_number_pattern"),
            kind=self._get(str, "kind"),
            case_kind=self._get(str, "case_kind"),
            name=self._words("name."),
            department=self._code("department.code"),
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
            limits={name: self._limit(name, limit) for name, limit in self._get(dict, "limits").items()},
            exclusions=self._table("exclusions") if "exclusions" in self.data else {},
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
            materials=self._materials(),
            filing_form=self._code("forms.filing"),
            licence=self._licence() if "licence" in self.data else None,
            service=self._table("service"),
            cites={key: self._texts(f"cites.{key}") for key in self._get(dict, "cites")}
            if "cites" in self.data
            else {},
            law=self._law() if "law" in self.data else "",
            notice_word=self._code("notice_word") if "notice_word" in self.data else "",
        )

    def _law(self) -> str:
        before = len(self.faults)
        law = self._get(str, "law")
        if len(self.faults) == before and law != STRICT:
            self.faults.append(Fault(FILE, "law", 0, f"must be {STRICT!r}, or not there"))
        return law

    def _slug(self) -> str:
        before = len(self.faults)
        code = self._code("code")
        if len(self.faults) == before and not _SLUG.fullmatch(code):
            self.faults.append(Fault(FILE, "code", 0, "must be lower-case letters, digits and hyphens"))
        return code

    def _limit(self, name: str, limit: Any) -> Limit:
        path = f"limits.{name}."
        self._short(name, path)
        extension = None
        if isinstance(limit, Mapping) and "extension" in limit:
            extension = self._extension(name, limit["extension"], f"{path}extension.")
        return Limit(self._between(1, _MOST_DAYS, "days", limit, path), self._get(str, "basis", limit, path), extension)

    def _extension(self, name: str, row: Any, path: str) -> Extension:
        if name == "promised":
            self.faults.append(Fault(FILE, path[:-1], 0, "the office's own promise is not extended"))
        elsewhere = isinstance(row, Mapping) and "department" in row
        return Extension(
            days=self._between(1, _MOST_DAYS, "days", row, path),
            role=self._code("role", row, path),
            department=self._code("department", row, path) if elsewhere else "",
            basis=self._get(str, "basis", row, path),
        )

    def _lane(self, name: str, lane: Any) -> Lane:
        path = f"lanes.{name}."
        role = self._code("role", lane, path)
        return Lane("" if role == APPLICANT else self._code("department", lane, path), role)

    def _materials(self) -> tuple[MaterialRequirement, ...]:
        materials = tuple(self._material(at, row) for at, row in self._rows("materials"))
        seen: set[str] = set()
        for number, material in enumerate(materials, start=1):
            if material.code and material.code in seen:
                self.faults.append(Fault(FILE, f"materials[{number}].code", 0, "a material before it has this code"))
            seen.add(material.code)
        return materials

    def _material(self, at: str, row: Any) -> MaterialRequirement:
        need = self._get(str, "need", row, at)
        if need not in _NEEDS:
            self.faults.append(Fault(FILE, at + "need", 0, f"must be one of {', '.join(sorted(_NEEDS))}"))
        formats = self._texts("formats", row, at)
        if isinstance(row, Mapping) and row.get("formats") is not None and not set() < set(formats) <= set(MEDIA_TYPES):
            self.faults.append(Fault(FILE, at + "formats", 0, f"must be some of {', '.join(sorted(MEDIA_TYPES))}"))
        return MaterialRequirement(
            code=self._code("code", row, at),
            name=self._words("", row, at),
            need=need,
            when=self._get(str, "when", row, at) if need == "when" else "",
            source=self._get(str, "source", row, at),
            level=self._get(str, "level", row, at),
            formats=formats,
            basis=self._get(str, "basis", row, at),
            licences=self._licence_types(row, at, formats),
        )

    def _labelled(self) -> list[str]:
        if "labels" not in self._get(dict, "licence"):
            return []
        named = list(self._get(dict, "licence.labels"))
        if strange := sorted(set(named) - self._get(dict, "licence.fields").keys()):
            self.faults.append(Fault(FILE, "licence.labels", 0, f"no field is called {', '.join(strange)}"))
        return named

    def _licence_types(self, row: Any, at: str, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(row, Mapping) or "licences" not in row:
            return ()
        types = self._texts("licences", row, at)
        if not types or not all(_LICENCE_TYPE.fullmatch(each) for each in types):
            self.faults.append(Fault(FILE, at + "licences", 0, "must be type codes: a credit code and three digits"))
        if formats and "pdf" not in formats:
            self.faults.append(Fault(FILE, at + "licences", 0, "a licence is a PDF, which formats must allow"))
        return types

    def _renew_days(self) -> int | None:
        given = "renew_days" in self._get(dict, "licence")
        return self._between(0, _MOST_DAYS, "licence.renew_days") if given else None

    def _licence(self) -> LicenceRule:
        act = self._get(str, "licence.act") if "act" in self._get(dict, "licence") else "issue"
        if act not in _LICENCE_ACTS:
            self.faults.append(Fault(FILE, "licence.act", 0, f"must be one of {', '.join(sorted(_LICENCE_ACTS))}"))
        return LicenceRule(
            code=self._get(str, "licence.code"),
            type=self._get(str, "licence.type"),
            name=self._words("licence.name."),
            template=self._get(str, "licence.template"),
            number=self._get(str, "licence.number"),
            validity_years=self._between(1, _MOST_YEARS, "licence.validity_years"),
            fields=self._table("licence.fields"),
            public=self._texts("licence.public"),
            basis=self._get(str, "licence.basis"),
            shared=self._texts("licence.shared") if "shared" in self._get(dict, "licence") else (),
            act=act,
            of=self._get(str, "licence.of") if act != "issue" else "",
            labels={name: self._words(f"licence.labels.{name}.") for name in self._labelled()},
            renew_days=self._renew_days(),
        )
