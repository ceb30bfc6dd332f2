"""Licence types (证照类型): what a kind of licence says, of whom, for how long, and who may see which field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from approval.domain.errors import Missing
from approval.domain.manifests import Manifest
from approval.domain.texts import Words

KINDS = ("text", "number", "date")
HOLDERS = ("person", "organization")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PLACE = re.compile(r"\{([a-z_]+)\}")
# What the number takes from elsewhere than the fields.
_GIVEN = frozenset({"year", "region", "check"})
_MOST_FIELDS = 60
_MOST_YEARS = 100
_LONGEST = 200


class TypeField(NamedTuple):
    """One thing that a licence of a type says (证照字段): its kind, and who may see it besides the holder."""

    name: str
    kind: str
    label: Words
    public: bool
    shared: bool


@dataclass(frozen=True)
class TypeDefinition:
    """A type of licence as the catalogue has it (证照类型定义), elements after GB/T 36902-2018 and 36903-2018.

    `holders` are `person` and `organization`; no `validity_years` means long-term (长期). `number` is the pattern of
    its numbers, whose parts are fields. `annual_check` says that it is inspected each year (年检).
    """

    code: str
    name: Words
    holders: frozenset[str]
    department: str
    number: str
    validity_years: int | None
    annual_check: bool
    basis: str
    fields: tuple[TypeField, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """Read the type that a pack brings (事项包所带证照类型); None for one without licences."""
        rule = manifest.licence
        if rule is None:
            return None
        fields = tuple(
            TypeField(name, "text", rule.labels.get(name, Words(name, name)), name in rule.public, name in rule.shared)
            for name in rule.fields
        )
        return cls(
            code=rule.type,
            name=rule.name,
            holders=manifest.serves & frozenset(HOLDERS),
            department=manifest.department,
            number=rule.number,
            validity_years=rule.validity_years,
            annual_check=False,
            basis=rule.basis,
            fields=fields,
        )

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Read a definition as it was kept (读取证照类型)."""
        fields = tuple(
            TypeField(row["name"], row["kind"], Words(*row["label"]), row["public"], row["shared"])
            for row in data["fields"]
        )
        given = {**data, "name": Words(*data["name"]), "holders": frozenset(data["holders"]), "fields": fields}
        return cls(**given)

    def data(self) -> dict[str, Any]:
        """Say it as JSON values (证照类型数据), as `read` takes them."""
        rows = [{**field._asdict(), "label": list(field.label)} for field in self.fields]
        return {**vars(self), "name": list(self.name), "holders": sorted(self.holders), "fields": rows}

    @property
    def public(self) -> tuple[str, ...]:
        """The fields that anyone may see (公开字段)."""
        return tuple(field.name for field in self.fields if field.public)

    @property
    def shared(self) -> tuple[str, ...]:
        """The fields that other departments may see (共享字段)."""
        return tuple(field.name for field in self.fields if field.shared)

    def faults(self) -> Iterator[Missing]:
        """Find what is wrong with it by itself (校验证照类型): codes, labels, validity, the number's parts."""
        texts = {"name_zh": self.name.zh, "name_en": self.name.en, "basis": self.basis}
        for where, text in texts.items():
            if not text or len(text) > _LONGEST or not text.isprintable():
                yield Missing(f"answers.{where}", "required")
        if not self.holders or not self.holders <= set(HOLDERS):
            yield Missing("answers.holders", "required")
        if self.validity_years is not None and not 1 <= self.validity_years <= _MOST_YEARS:
            yield Missing("answers.validity_years", "out-of-range")
        names = [field.name for field in self.fields]
        if not names or len(names) > _MOST_FIELDS or len(set(names)) < len(names):
            yield Missing("answers.fields", "required")
        for row, field in enumerate(self.fields, start=1):
            if not _NAME.fullmatch(field.name) or field.kind not in KINDS or not all(map(_shown, field.label)):
                yield Missing("answers.fields", "wrong-type", str(row))
        if set(_PLACE.findall(self.number)) - set(names) - _GIVEN:
            yield Missing("answers.number", "wrong-type")


def _shown(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable()
