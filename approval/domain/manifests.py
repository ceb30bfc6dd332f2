"""Manifests (事项包清单): what an `item.toml` says, checked as a whole.

Everything the law or the city may change stands in the manifest as data with a basis; nothing of it in code.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from approval.domain.errors import Fault, PackRefused
from approval.domain.materials import MEDIA_TYPES
from approval.domain.readers import Reader
from approval.domain.texts import Words

FILE = "item.toml"
APPLICANT = "applicant"
STRICT = "strict"

_MOST_DAYS = 2000  # eight years of working days: more is a slip of the pen
_MOST_YEARS = 100
_SLUG = re.compile(r"[a-z0-9-]+")  # part of the address of the item's page
_LICENCE_TYPE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_LICENCE_ACTS = frozenset({"issue", "change", "renew", "reissue"})
_NEEDS = frozenset({"required", "optional", "when"})


class CaseKind(StrEnum):
    """What kind of case an item makes (办件类型)."""

    INSTANT = "instant"  # 即办件: decided on the spot, or within a day
    PROMISED = "promised"  # 承诺件
    JOINT = "joint"  # 联办件: the lead decides once every joint department has answered
    FORWARDED = "forwarded"  # 上报件: a lower tier examines, an upper one decides


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
    `deferral` says why it may be handed in after acceptance (容缺受理), where it may.
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
    deferral: str = ""


class Commitment(NamedTuple):
    """What an applicant may promise instead of proving it (告知承诺), why, and when: `when` is FEEL over the answers.

    `replaces` are the materials that need not be handed in then; `obligations` and `consequences` are told first.
    """

    when: str
    replaces: tuple[str, ...]
    obligations: Words
    consequences: Words
    basis: str


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
    commitment: Commitment | None = None
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
    reader = _Reader(FILE, data)
    reader.look()
    manifest = reader.manifest()
    if reader.faults:
        raise PackRefused(faults=reader.faults)
    return manifest


class _Reader(Reader):
    """Reads a manifest and collects what is wrong, so that an author learns everything at once."""

    def manifest(self) -> Manifest:
        if "facts" not in self.data:
            self.data = {**self.data, "facts": {}}
        return Manifest(
            code=self._slug(),
            item_number=self.get(str, "item_number"),
            item_number_pattern=self.get(str, "item_number_pattern"),
            kind=self.get(str, "kind"),
            case_kind=self.get(str, "case_kind"),
            name=self.words("name."),
            department=self.code("department.code"),
            joint=self.texts("department.joint"),
            serves=frozenset(self.texts("serves")),
            visits=self.get(int, "visits"),
            fee=self.get(str, "fee.amount"),
            fee_basis=self.get(str, "fee.basis"),
            facts=self.table("facts"),
            lanes={name: self._lane(name, lane) for name, lane in self.get(dict, "lanes").items()},
            apart=tuple(
                Apart(frozenset(self.texts("tasks", row, at)), self.get(str, "basis", row, at))
                for at, row in self.rows("apart")
            ),
            limits={name: self._limit(name, limit) for name, limit in self.get(dict, "limits").items()},
            exclusions=self.table("exclusions") if "exclusions" in self.data else {},
            legal_basis=tuple(
                LegalBasis(
                    self.get(str, "law", row, at),
                    self.get(str, "article", row, at),
                    self.get(str, "text", row, at),
                    self.get(date, "valid_from", row, at),
                )
                for at, row in self.rows("legal_basis")
            ),
            conditions=tuple(self.words("", row, at) for at, row in self.rows("conditions")),
            materials=self._materials(),
            filing_form=self.code("forms.filing"),
            licence=self._licence() if "licence" in self.data else None,
            service=self.table("service"),
            cites={key: self.texts(f"cites.{key}") for key in self.get(dict, "cites")} if "cites" in self.data else {},
            commitment=self._commitment() if "commitment" in self.data else None,
            law=self._law() if "law" in self.data else "",
            notice_word=self.code("notice_word") if "notice_word" in self.data else "",
        )

    def _law(self) -> str:
        before = len(self.faults)
        law = self.get(str, "law")
        if len(self.faults) == before and law != STRICT:
            self.faults.append(Fault(FILE, "law", 0, f"must be {STRICT!r}, or not there"))
        return law

    def _slug(self) -> str:
        before = len(self.faults)
        code = self.code("code")
        if len(self.faults) == before and not _SLUG.fullmatch(code):
            self.faults.append(Fault(FILE, "code", 0, "must be lower-case letters, digits and hyphens"))
        return code

    def _limit(self, name: str, limit: Any) -> Limit:
        path = f"limits.{name}."
        self.short(name, path)
        extension = None
        if isinstance(limit, Mapping) and "extension" in limit:
            extension = self._extension(name, limit["extension"], f"{path}extension.")
        return Limit(self.between(1, _MOST_DAYS, "days", limit, path), self.get(str, "basis", limit, path), extension)

    def _extension(self, name: str, row: Any, path: str) -> Extension:
        if name == "promised":
            self.faults.append(Fault(FILE, path[:-1], 0, "the office's own promise is not extended"))
        elsewhere = isinstance(row, Mapping) and "department" in row
        return Extension(
            days=self.between(1, _MOST_DAYS, "days", row, path),
            role=self.code("role", row, path),
            department=self.code("department", row, path) if elsewhere else "",
            basis=self.get(str, "basis", row, path),
        )

    def _lane(self, name: str, lane: Any) -> Lane:
        path = f"lanes.{name}."
        role = self.code("role", lane, path)
        return Lane("" if role == APPLICANT else self.code("department", lane, path), role)

    def _materials(self) -> tuple[MaterialRequirement, ...]:
        materials = tuple(self._material(at, row) for at, row in self.rows("materials"))
        seen: set[str] = set()
        for number, material in enumerate(materials, start=1):
            if material.code and material.code in seen:
                self.faults.append(Fault(FILE, f"materials[{number}].code", 0, "a material before it has this code"))
            seen.add(material.code)
        return materials

    def _material(self, at: str, row: Any) -> MaterialRequirement:
        need = self.get(str, "need", row, at)
        if need not in _NEEDS:
            self.faults.append(Fault(FILE, at + "need", 0, f"must be one of {', '.join(sorted(_NEEDS))}"))
        formats = self.texts("formats", row, at)
        if isinstance(row, Mapping) and row.get("formats") is not None and not set() < set(formats) <= set(MEDIA_TYPES):
            self.faults.append(Fault(FILE, at + "formats", 0, f"must be some of {', '.join(sorted(MEDIA_TYPES))}"))
        return MaterialRequirement(
            code=self.code("code", row, at),
            name=self.words("", row, at),
            need=need,
            when=self.get(str, "when", row, at) if need == "when" else "",
            source=self.get(str, "source", row, at),
            level=self.get(str, "level", row, at),
            formats=formats,
            basis=self.get(str, "basis", row, at),
            licences=self._licence_types(row, at, formats),
            deferral=self.get(str, "deferral", row, at) if isinstance(row, Mapping) and "deferral" in row else "",
        )

    def _commitment(self) -> Commitment:
        replaces = self.texts("commitment.replaces")
        rows = [row for row in self.get(list, "materials") if isinstance(row, Mapping)]
        known = {code for row in rows if isinstance(code := row.get("code"), str)}
        if strange := sorted(set(replaces) - known):
            self.faults.append(Fault(FILE, "commitment.replaces", 0, f"no material is called {', '.join(strange)}"))
        return Commitment(
            when=self.get(str, "commitment.when"),
            replaces=replaces,
            obligations=self.words("commitment.obligations."),
            consequences=self.words("commitment.consequences."),
            basis=self.get(str, "commitment.basis"),
        )

    def _labelled(self) -> list[str]:
        if "labels" not in self.get(dict, "licence"):
            return []
        named = list(self.get(dict, "licence.labels"))
        if strange := sorted(set(named) - self.get(dict, "licence.fields").keys()):
            self.faults.append(Fault(FILE, "licence.labels", 0, f"no field is called {', '.join(strange)}"))
        return named

    def _licence_types(self, row: Any, at: str, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(row, Mapping) or "licences" not in row:
            return ()
        types = self.texts("licences", row, at)
        if not types or not all(_LICENCE_TYPE.fullmatch(each) for each in types):
            self.faults.append(Fault(FILE, at + "licences", 0, "must be type codes: a credit code and three digits"))
        if formats and "pdf" not in formats:
            self.faults.append(Fault(FILE, at + "licences", 0, "a licence is a PDF, which formats must allow"))
        return types

    def _renew_days(self) -> int | None:
        given = "renew_days" in self.get(dict, "licence")
        return self.between(0, _MOST_DAYS, "licence.renew_days") if given else None

    def _licence(self) -> LicenceRule:
        act = self.get(str, "licence.act") if "act" in self.get(dict, "licence") else "issue"
        if act not in _LICENCE_ACTS:
            self.faults.append(Fault(FILE, "licence.act", 0, f"must be one of {', '.join(sorted(_LICENCE_ACTS))}"))
        return LicenceRule(
            code=self.get(str, "licence.code"),
            type=self.get(str, "licence.type"),
            name=self.words("licence.name."),
            template=self.get(str, "licence.template"),
            number=self.get(str, "licence.number"),
            validity_years=self.between(1, _MOST_YEARS, "licence.validity_years"),
            fields=self.table("licence.fields"),
            public=self.texts("licence.public"),
            basis=self.get(str, "licence.basis"),
            shared=self.texts("licence.shared") if "shared" in self.get(dict, "licence") else (),
            act=act,
            of=self.get(str, "licence.of") if act != "issue" else "",
            labels={name: self.words(f"licence.labels.{name}.") for name in self._labelled()},
            renew_days=self._renew_days(),
        )
