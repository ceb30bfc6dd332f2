"""Answers (填报内容): reading form-js schemas, without any form library.

A schema is the JSON that the form editor writes. Only field types in `KINDS` are offered; a schema with
another is refused when its pack is deployed, so that nobody meets a form that cannot be checked.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple

from approval.domain.errors import Fault, PackRefused
from approval.domain.texts import LONGEST_CODE, unseen

TEXTS = frozenset({"textfield", "textarea"})
CHOICES = frozenset({"radio", "select"})
LISTS = frozenset({"checklist", "taglist"})
KINDS = TEXTS | CHOICES | LISTS | {"number", "checkbox", "datetime", "dynamiclist"}
CATALOGUE, PRESIDERS = "catalogue", "presiders"
_SOURCES = frozenset({CATALOGUE, PRESIDERS})
LONGEST_TEXT = 10_000
_DEEPEST = 10  # groups and lists within one another
_FARTHEST = 10**15  # as many digits as an answer may have
_LAYOUT = frozenset({"text", "separator", "spacer", "html"})
_SECTION = re.compile(r"[A-Za-z_][\w-]{0,79}", re.ASCII)
# The custom properties that hold the English; `en.<value>` is that of an option.
_ENGLISH: Mapping[str, str] = {"label": "en", "description": "en.help"}
# `stance.<value>` is what a choice says of granting.
_STANCE = "stance."
_TEXT, _NUMBER = (str,), (int, float)
_SHAPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("type", "id", "key", "path", "label", "description"), _TEXT),
    **dict.fromkeys(("validate", "conditional", "properties"), (dict,)),
    **dict.fromkeys(("components", "values"), (list,)),
    "decimalDigits": (int,),
}
_LIMITS: Mapping[str, tuple[type, ...]] = {
    "required": (bool,),
    "pattern": _TEXT,
    **dict.fromkeys(("minLength", "maxLength"), (int,)),
    **dict.fromkeys(("min", "max"), _NUMBER),
}
_RANGES: Mapping[str, tuple[int, int]] = {
    "minLength": (0, LONGEST_TEXT),
    "maxLength": (1, LONGEST_TEXT),
    "min": (-_FARTHEST, _FARTHEST),
    "max": (-_FARTHEST, _FARTHEST),
    "decimalDigits": (0, 6),
}


class Stance(StrEnum):
    """What a choice says of granting (意见倾向): for it, against it, or that what was against it is dealt with."""

    FOR = "for"
    AGAINST = "against"
    SETTLED = "settled"


class Option(NamedTuple):
    """One choice of a question (选项), and what it says of granting, if anything."""

    value: str
    label: str
    label_en: str
    stance: Stance | None = None


@dataclass(frozen=True)
class Field:
    """One question of a form (填报项); `limits` are the schema's own names, such as `maxLength`, `decimalDigits`.

    `source` names a list that the options come from instead of the schema: `catalogue`, the materials of the item and
    the questions of its filing form; `presiders`, who may preside over its hearings. `supersedes` names a form whose
    answer, given before by the same post, it takes the place of.
    """

    key: str
    kind: str
    label: str
    label_en: str
    help: str
    help_en: str
    required: bool
    limits: Mapping[str, Any] = field(hash=False)
    options: tuple[Option, ...]
    hidden_when: str
    fields: "tuple[Field, ...]" = ()
    source: str = ""
    supersedes: str = ""

    def offering(self, source: str, listed: tuple[Option, ...]) -> "Field":
        """Offer what a list has (按名录取选项) wherever that is asked for, in rows too."""
        fields = tuple(field.offering(source, listed) for field in self.fields)
        return replace(self, options=listed if self.source == source else self.options, fields=fields)


class Section(NamedTuple):
    """Questions that belong together (填报分组), shown on one page; `key` is part of its address."""

    key: str
    label: str
    label_en: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Form:
    """A form (表单): its sections in order; `fields` are the questions of all of them."""

    id: str
    sections: tuple[Section, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The questions of all sections (全部填报项)."""
        return tuple(question for section in self.sections for question in section.fields)

    @property
    def supersedes(self) -> frozenset[str]:
        """The forms whose answers of before this one takes the place of (取代的表单): its own, and those it names."""
        return frozenset({self.id, *(question.supersedes for question in self.fields if question.supersedes)})

    def stance(self, content: Mapping[str, Any]) -> Stance | None:
        """Say what answers say of granting (意见倾向); None where no choice among them says anything."""
        chosen = ((option, content.get(question.key)) for question in self.fields for option in question.options)
        return next((option.stance for option, value in chosen if option.stance and option.value == value), None)

    def offering(self, source: str, listed: tuple[Option, ...]) -> "Form":
        """Offer what a list has (按名录取选项); a form that asks for none stays the same."""
        sections = (
            section._replace(fields=tuple(field.offering(source, listed) for field in section.fields))
            for section in self.sections
        )
        return Form(self.id, tuple(sections))


def read_form(file: str, source: bytes) -> Form:
    """Read a form-js schema (读取表单) from the bytes of a `.json` file.

    Raises `PackRefused` with every fault at once: not JSON, no components, parts of another kind than form-js
    writes, unknown types, keys missing or twice, limits that no answer could keep, nesting deeper than 10.
    """
    try:
        schema = json.loads(source)
        components = schema["components"]
        form_id = schema["id"]
    except (ValueError, KeyError, TypeError, RecursionError) as reason:
        raise PackRefused(faults=[Fault(file, "", 1, f"not a form-js schema: {reason}")]) from None
    if not isinstance(form_id, str) or not isinstance(components, list):
        raise PackRefused(faults=[Fault(file, "", 1, "not a form-js schema: `id` is a text, `components` a list")])
    faults: list[Fault] = []
    if not 0 < len(form_id) <= LONGEST_CODE or unseen(form_id, lines=False):
        faults.append(Fault(file, "id", 0, f"must be from 1 to {LONGEST_CODE} characters that can be seen"))
    form = Form(form_id, tuple(_sections(file, components, faults)))
    faults += _twice(file, form.fields)
    if len({section.key for section in form.sections}) < len(form.sections):
        faults.append(Fault(file, "id", 0, "two groups have the same id"))
    if faults:
        raise PackRefused(faults=faults)
    return form


def _sections(file: str, components: list[Any], faults: list[Fault]) -> Iterator[Section]:
    """Read every group at the top as a section, and what stands beside groups as sections of their own."""
    for grouped, together in groupby(components, key=_is_group):
        parts: list[Any] = list(together)
        for group, inside in ((part, [part]) for part in parts) if grouped else [({}, parts)]:
            fields = tuple(_fields(file, inside, "", faults))
            if fields:
                label, label_en = _both(group, "label", "")
                key: str = group.get("id") or fields[0].key
                if not _SECTION.fullmatch(key):
                    faults.append(Fault(file, key, 0, "a group's id must be of letters, digits, `_` and `-`"))
                yield Section(key, label or fields[0].label, label_en or fields[0].label_en, fields)


def _is_group(component: Any) -> bool:
    return isinstance(component, dict) and component.get("type") == "group"


def _both(component: Any, part: str, otherwise: str) -> tuple[str, str]:
    """Read a text and its English, which form-js keeps among the custom properties."""
    text: str = component.get(part) or otherwise
    return text, component.get("properties", {}).get(_ENGLISH[part], text)


def _twice(file: str, fields: tuple[Field, ...]) -> Iterator[Fault]:
    uses = Counter(question.key for question in fields)
    yield from (Fault(file, key, 0, "this key is used twice") for key in sorted(uses) if uses[key] > 1)
    for question in fields:
        yield from _twice(file, question.fields)


def _fields(file: str, components: list[Any], hidden: str, faults: list[Fault], depth: int = 1) -> Iterator[Field]:
    if components and depth > _DEEPEST:
        faults.append(Fault(file, _name(components[0]), 0, f"nested deeper than {_DEEPEST}"))
        return
    for component in components:
        if wrong := sorted(_misshapen(component)):
            faults.append(Fault(file, _name(component), 0, f"not as form-js writes it: {', '.join(wrong)}"))
            continue
        kind = component.get("type", "")
        conditional = component.get("conditional") or {}
        hidden_when = conditional.get("hide", "").removeprefix("=").strip() or hidden
        if kind in _LAYOUT:
            continue
        if kind == "group":
            yield from _fields(file, component.get("components", []), hidden_when, faults, depth + 1)
            continue
        key = component.get("path" if kind == "dynamiclist" else "key", "")
        if kind not in KINDS:
            faults.append(Fault(file, key, 0, f"field type {kind!r} is not offered here"))
        elif not key:
            faults.append(Fault(file, component.get("id", ""), 0, "a field without a key"))
        else:
            validate = component.get("validate", {})
            limits = {name: value for name, value in validate.items() if name != "required"}
            limits |= {name: component[name] for name in ("decimalDigits",) if name in component}
            faults += [Fault(file, key, 0, why) for why in _unkeepable(limits)]
            source = component.get("properties", {}).get("source", "")
            if source and (kind not in CHOICES or source not in _SOURCES):
                known = " or ".join(sorted(_SOURCES))
                faults.append(Fault(file, key, 0, f"options come from {known}, and for a choice of one"))
            label, label_en = _both(component, "label", key)
            help_, help_en = _both(component, "description", "")
            yield Field(
                key=key,
                kind=kind,
                label=label,
                label_en=label_en,
                help=help_,
                help_en=help_en,
                required=bool(validate.get("required")),
                limits=limits,
                options=tuple(_options(component)),
                hidden_when=hidden_when,
                fields=tuple(_fields(file, component.get("components", []), "", faults, depth + 1)),
                source=source,
                supersedes=component.get("properties", {}).get("supersedes", ""),
            )


def _options(component: Any) -> Iterator[Option]:
    properties = component.get("properties", {})
    for option in component.get("values", []):
        value, label = option["value"], option["label"]
        stance = properties.get(f"{_STANCE}{value}")
        yield Option(
            value, label, properties.get(f"{_ENGLISH['label']}.{value}", label), Stance(stance) if stance else None
        )


def _unkeepable(limits: Mapping[str, Any]) -> Iterator[str]:
    """Name the limits that no answer could keep; NaN is in no range."""
    for name, (least, most) in _RANGES.items():
        if name in limits and not least <= limits[name] <= most:
            yield f"{name} must be from {least} to {most}"
    for low, high in (("minLength", "maxLength"), ("min", "max")):
        if low in limits and high in limits and limits[low] > limits[high]:
            yield f"{low} is more than {high}"


def _misshapen(component: Any) -> Iterator[str]:
    """Name the parts of a component that are of another kind than form-js writes."""
    if not isinstance(component, dict):
        yield "the component"
        return
    yield from _unlike(component, _SHAPES)
    yield from (name for name, text in component.items() if isinstance(text, str) and unseen(text, lines=True))
    yield from _unlike(component.get("validate"), _LIMITS)
    yield from _unlike(component.get("conditional"), {"hide": _TEXT})
    properties = component.get("properties")
    yield from _unlike(properties, dict.fromkeys(properties, _TEXT) if isinstance(properties, dict) else {})
    values = component.get("values")
    options = values if isinstance(values, list) else []
    offered = {f"{_STANCE}{option.get('value')}" for option in options if isinstance(option, dict)}
    for name, stance in properties.items() if isinstance(properties, dict) else ():
        known = isinstance(stance, str) and stance in set(Stance) and name in offered
        if name.startswith(_STANCE) and not known:
            yield name
    for option in options:
        said = [option.get(name) for name in ("value", "label")] if isinstance(option, dict) else [None]
        if not all(isinstance(text, str) and not unseen(text, lines=False) for text in said):
            yield "values"


def _unlike(part: Any, shapes: Mapping[str, tuple[type, ...]]) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (name for name, kinds in shapes.items() if name in part and not isinstance(part[name], kinds))


def _name(component: Any) -> str:
    named = component if isinstance(component, dict) else {}
    return next((named[part] for part in ("key", "path", "id") if isinstance(named.get(part), str)), "")
