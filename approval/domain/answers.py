"""Answers (填报内容): reading form-js schemas, without any form library.

A schema is the JSON that the form editor writes. Only field types in `KINDS` are offered; a schema with
another is refused when its pack is deployed, so that nobody meets a form that cannot be checked.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from approval.domain.errors import Fault, PackRefused

TEXTS = frozenset({"textfield", "textarea"})
CHOICES = frozenset({"radio", "select"})
LISTS = frozenset({"checklist", "taglist"})
KINDS = TEXTS | CHOICES | LISTS | {"number", "checkbox", "datetime", "dynamiclist"}
_LAYOUT = frozenset({"text", "separator", "spacer", "html"})
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


@dataclass(frozen=True)
class Field:
    """One question of a form (填报项); `limits` are the schema's own names, such as `maxLength`, `decimalDigits`."""

    key: str
    kind: str
    label: str
    label_en: str
    help: str
    required: bool
    limits: Mapping[str, Any] = field(hash=False)
    options: tuple[tuple[str, str], ...]
    hidden_when: str
    fields: "tuple[Field, ...]" = ()


@dataclass(frozen=True)
class Form:
    """A form (表单): its questions in order."""

    id: str
    fields: tuple[Field, ...]


def read_form(file: str, source: bytes) -> Form:
    """Read a form-js schema (读取表单) from the bytes of a `.json` file.

    Raises `PackRefused` with every fault at once: not JSON, no components, parts of another kind than form-js
    writes, unknown types, keys missing or twice.
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
    fields = tuple(_fields(file, components, "", faults))
    keys = [question.key for question in fields]
    faults += [Fault(file, key, 0, "this key is used twice") for key in sorted(set(keys)) if keys.count(key) > 1]
    if faults:
        raise PackRefused(faults=faults)
    return Form(form_id, fields)


def _fields(file: str, components: list[Any], hidden: str, faults: list[Fault]) -> Iterator[Field]:
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
            yield from _fields(file, component.get("components", []), hidden_when, faults)
            continue
        key = component.get("path" if kind == "dynamiclist" else "key", "")
        if kind not in KINDS:
            faults.append(Fault(file, key, 0, f"field type {kind!r} is not offered here"))
        elif not key:
            faults.append(Fault(file, component.get("id", ""), 0, "a field without a key"))
        else:
            validate = component.get("validate", {})
            yield Field(
                key=key,
                kind=kind,
                label=component.get("label", key),
                label_en=component.get("properties", {}).get("en", component.get("label", key)),
                help=component.get("description", ""),
                required=bool(validate.get("required")),
                limits={name: value for name, value in validate.items() if name != "required"}
                | {name: component[name] for name in ("decimalDigits",) if name in component},
                options=tuple((option["value"], option["label"]) for option in component.get("values", [])),
                hidden_when=hidden_when,
                fields=tuple(_fields(file, component.get("components", []), "", faults)),
            )


def _misshapen(component: Any) -> Iterator[str]:
    """Name the parts of a component that are of another kind than form-js writes."""
    if not isinstance(component, dict):
        yield "the component"
        return
    yield from _unlike(component, _SHAPES)
    yield from _unlike(component.get("validate"), _LIMITS)
    yield from _unlike(component.get("conditional"), {"hide": _TEXT})
    yield from _unlike(component.get("properties"), {"en": _TEXT})
    options = component.get("values")
    for option in options if isinstance(options, list) else ():
        if not isinstance(option, dict) or not all(isinstance(option.get(name), str) for name in ("value", "label")):
            yield "values"


def _unlike(part: Any, shapes: Mapping[str, tuple[type, ...]]) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (name for name, kinds in shapes.items() if name in part and not isinstance(part[name], kinds))


def _name(component: Any) -> str:
    named = component if isinstance(component, dict) else {}
    return next((named[part] for part in ("key", "path", "id") if isinstance(named.get(part), str)), "")
