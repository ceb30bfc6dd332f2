"""What goes into an activity and comes out of it (填写): forms, fields, parameters and variable mappings."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from approval.engine.dialects import attribute, extension, extensions
from approval.engine.pages import REFUSED, Page, literal, text_of
from approval.engine.scripts import spoken
from approval.expressions import markup
from approval.expressions.formulas import Formula

_PREFIX: Final = re.compile(r"^(?:(?:embedded|camunda-forms|app|deployment|bpmn):)+")
_SUFFIX: Final = re.compile(r"(?:-schema)?\.(?:html|form|json)$")
FIELD_TYPES: Final = {
    "string": "textfield", "long": "number", "integer": "number", "int": "number", "double": "number",
    "boolean": "checkbox", "enum": "select", "date": "datetime",
}  # fmt: skip

Values = tuple[tuple[str, Formula], ...]


def form(page: Page, node: Any) -> str | None:
    """Return the name of a task's form (读表单); fields drawn into the task make a form of the task's own id."""
    for attr in ("formId", "formKey", "externalReference"):
        if found := extension(node, "formDefinition", attr):
            return _name(page, node, found)
    if extensions(node, "formDefinition"):
        page.fault(node, "its formDefinition needs a formId")
    if found := attribute(node, "formRef") or attribute(node, "formKey"):
        return _name(page, node, found)
    for group in extensions(node, "properties"):
        for each in group.iterchildren("*"):
            if each.get("name") == "formJsonSchemaFilename" and each.get("value"):
                return _name(page, node, each.get("value"))
    fields = [
        *(each for group in extensions(node, "formData") for each in group.iterchildren("*")),
        *extensions(node, "formProperty"),
    ]
    if not fields:
        return None
    page.forms[node.get("id")] = {
        "type": "default",
        "components": [part for each in fields for part in _field(page, node, each)],
    }
    return str(node.get("id"))


def embedded(page: Page, process: Any) -> None:
    """Keep the forms that a process carries in itself (内嵌表单), under their ids."""
    for each in extensions(process, "userTaskForm"):
        try:
            schema = orjson.loads(text_of(each))
        except orjson.JSONDecodeError:
            schema = None
        if isinstance(schema, dict):
            page.forms[each.get("id", "")] = schema
        else:
            page.fault(each, f"the form {each.get('id')!r} is not a form-js schema; save it again in the form editor")


def _name(page: Page, node: Any, written: str) -> str | None:
    if written.startswith("=") or "${" in written or "#{" in written:
        page.fault(node, f"write the form's name as plain text: {written!r} is an expression")
        return None
    return _SUFFIX.sub("", _PREFIX.sub("", written).rpartition("/")[2])


def _field(page: Page, node: Any, field: Any) -> Iterator[dict[str, Any]]:
    if field.get("readable") == "false":
        return
    kind = field.get("type", "string")
    if kind not in FIELD_TYPES:
        page.warn(node, f"form fields of type {kind} are shown as text")
    key = field.get("id", "")
    rules = {each.get("name"): each.get("config") for each in field.iter("{*}constraint")}
    required = "required" in rules or field.get("required") == "true"
    part: dict[str, Any] = {
        "type": FIELD_TYPES.get(kind, "textfield"),
        "key": key,
        "label": field.get("label") or field.get("name") or key,
        "validate": {"required": True} if required else {},
    }
    if "readonly" in rules or field.get("writable") == "false":
        part["readonly"] = True
    if kind == "date":
        part["subtype"] = "date"
    if kind == "enum":
        options = [each for each in field.iterchildren("*") if markup.local(each) == "value"]
        part["values"] = [
            {"value": each.get("id", ""), "label": each.get("name") or each.get("id", "")} for each in options
        ]
    for name in ("min", "max", "minlength", "maxlength"):
        if (rules.get(name) or "").isdecimal():
            part["validate"][name.replace("length", "Length")] = int(rules[name])
    if default := field.get("defaultValue") or field.get("default"):
        part["defaultValue"] = default
    yield part


def fields(node: Any) -> Iterable[tuple[str, str]]:
    """Yield the name and text of each field injected into a service (注入字段)."""
    for each in extensions(node, "field"):
        inner = next(
            (text_of(child) for child in each.iterchildren("*") if markup.local(child) in {"string", "expression"}), ""
        )
        text = each.get("stringValue") or each.get("expression") or inner
        yield each.get("name", ""), text.strip()


def values(page: Page, node: Any, told: Any) -> tuple[Values, Values]:
    """Return an activity's values in and values out (输入输出), in the order they are written."""
    inputs: list[tuple[str, Formula | None]] = []
    outputs: list[tuple[str, Formula | None]] = []
    for group in extensions(node, "ioMapping"):
        for each in group.iterchildren("*"):
            into = inputs if markup.local(each) == "input" else outputs
            source = each.get("source", "")
            into.append((each.get("target", ""), page.value(node, source, f"mapping to {each.get('target')}")))
    connectors = [
        part
        for each in extensions(told, "connector")
        for part in each.iterchildren("*")
        if markup.local(part) == "inputOutput"
    ]
    for group in (*extensions(node, "inputOutput"), *connectors):
        for each in group.iterchildren("*"):
            into = inputs if markup.local(each) == "inputParameter" else outputs
            into.append((each.get("name", ""), parameter(page, node, each)))
    for each in extensions(node, "in"):
        inputs += _mapped(page, node, each)
    for each in extensions(node, "out"):
        outputs += _mapped(page, node, each)
    if attribute(told, "type") != "dmn":
        inputs += [(name, page.value(node, text, f"field {name}")) for name, text in fields(told)]
    for operator in extensions(node, "serviceTaskOperator"):
        for each in operator.iter("{*}parameter"):
            inputs.append(
                (
                    each.get("id") or each.get("name", ""),
                    page.formula(node, each.get("value", "") or "None", "parameter", "python"),
                )
            )
    return _gathered(page, node, inputs, merged=False), _gathered(page, node, outputs, merged=True)


def parameter(page: Page, node: Any, written: Any) -> Formula | None:
    """Read an input or output parameter (参数): text, a list, a map, or a script in FEEL or Python."""
    if markup.local(written) in {"list", "map", "script"}:
        inner = written
    else:
        inner = next(iter(written.iterchildren("{*}list", "{*}map", "{*}script")), written)
    kind = markup.local(inner)
    if kind == "script":
        language = spoken(page, node, inner.get("scriptFormat", ""), text_of(inner))
        return page.formula(node, text_of(inner), "script", language) if language else None
    if kind == "list":
        items = [_part(page, node, each) for each in inner.iterchildren("*")]
        return Formula(f"[{', '.join(items)}]")
    if kind == "map":
        entries = [
            f"{literal(each.get('key', '')).text}: {_part(page, node, each)}" for each in inner.iterchildren("*")
        ]
        return Formula(f"{{{', '.join(entries)}}}")
    return page.value(node, text_of(written), "parameter")


def _part(page: Page, node: Any, written: Any) -> str:
    """Return the FEEL of one item of a list or entry of a map."""
    read = parameter(page, node, written) or REFUSED
    if read.language != "feel":
        page.fault(node, "a script inside a list or map must be FEEL; compute it in a scriptTask before")
    return read.text


def _mapped(page: Page, node: Any, each: Any) -> Iterator[tuple[str, Formula | None]]:
    """Read an in or out element of a call activity; what it shares as a whole needs no word here."""
    target = each.get("target")
    if not target:
        return
    if source := each.get("source"):
        yield target, page.variable(node, source, f"mapping to {target}")
    else:
        yield target, page.value(node, each.get("sourceExpression", ""), f"mapping to {target}")


def _gathered(page: Page, node: Any, pairs: list[tuple[str, Formula | None]], *, merged: bool) -> Values:
    """Put values for parts of a name, `order.id`, together; what goes out keeps the rest of what was there."""
    found: dict[str, Formula] = {}
    for name, formula in pairs:
        if formula is None:
            continue
        head, *path = name.split(".")
        if not all(part.isidentifier() for part in (head, *path)):
            page.fault(node, f"the name {name!r} of a mapped value must be letters, digits and underscores")
            continue
        if not path:
            found[head] = formula
            continue
        if formula.language != "feel":
            page.fault(node, f"map {name!r} in FEEL: only whole names are mapped from Python")
            continue
        text = formula.text
        for depth, part in reversed(list(enumerate(path))):
            here = ".".join((head, *path[:depth]))
            text = f"{{{part}: {text}}}"
            if merged and depth:
                text = f"if {here} = null then {text} else context merge([{here}, {text}])"
        before = found.get(head) or (Formula(head) if merged else None)
        if before is not None:
            base = f"if {before.text} = null then {{}} else {before.text}" if before.text == head else before.text
            text = f"context merge([{base}, {text}])"
        found[head] = Formula(text)
    return tuple(found.items())
