"""One uploaded file while it is read (读图页): its names, its formulas, and every fault found in it."""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from approval.domain.errors import Fault
from approval.engine.diagrams import NODES
from approval.engine.dialects import BPMN, CLASSIC, LENIENT, SPIFF, dialect
from approval.expressions import feel, formulas, markup
from approval.expressions.formulas import Formula

ROOTED: Final = ("message", "signal", "error", "escalation")
# A formula that was refused still is one, so that nothing is faulted for want of it as well.
REFUSED: Final = Formula("null")
# What an author can see and click; an event definition or a loop marker is only a part of that.
_DRAWN: Final = NODES | {"complexGateway", "sequenceFlow", "lane", "process"}
_JUEL: Final = re.compile(r"[$#]\{(?:[^{}'\"]|'[^']*'|\"[^\"]*\")*\}")


class Page:
    """A file and what is noted about it; reading never stops at the first fault.

    `names` is the administrator's table of errands: topic, job type, class, bean or element id → errand name.
    """

    def __init__(self, file: str, root: Any, names: Mapping[str, str]) -> None:
        self.file = file
        self.root = root
        self.names = names
        self.faults: list[Fault] = []
        self.forms: dict[str, dict[str, Any]] = {}
        self.language = _declared(root)
        self.lenient = not LENIENT.isdisjoint(root.nsmap.values())
        self.quartz = any(dialect(f"{{{uri}}}") == CLASSIC for uri in root.nsmap.values())
        self.definitions: dict[str, Any] = {}
        self._named: dict[str, dict[str, Any]] = {kind: {} for kind in ROOTED}
        for node in root.iterchildren(f"{BPMN}*"):
            kind = markup.local(node)
            if kind in self._named:
                self._named[kind][node.get("id", "")] = node
            elif kind.endswith("EventDefinition"):
                self.definitions[node.get("id", "")] = node

    def fault(self, node: Any, why: str, level: str = "error") -> None:
        """Note what is wrong at an element (记缺陷)."""
        around = [each for each in (node, *node.iterancestors()) if each.get("id")]
        owner = next((each for each in around if markup.local(each) in _DRAWN), around[0] if around else node)
        self.faults.append(
            Fault(self.file, owner.get("id", ""), node.sourceline or 0, why, owner.get("name", "").strip(), level)
        )

    def warn(self, node: Any, why: str) -> None:
        """Note what runs and is worth a look (记提醒)."""
        self.fault(node, why, "warning")

    def named(self, kind: str, reference: str) -> Any:
        """Return the message, signal, error or escalation a reference means (被引用者), with or without a prefix."""
        shelf = self._named[kind]
        return shelf.get(reference, shelf.get(reference.partition(":")[2]))

    def formula(self, node: Any, text: str, what: str, language: str | None = None) -> Formula | None:
        """Read what an author wrote (读公式); what cannot be evaluated here is noted at the element."""
        try:
            return formulas.read(text.strip(), language or (None if text.startswith("=") else self.language))
        except feel.ExpressionRefused as refusal:
            self.fault(node, f"its {what}: {refusal.facts['why']}")
            return None

    def script(self, node: Any, text: str, language: str) -> Formula | None:
        """Read the text of a script (读脚本文本); what cannot run here is noted at the element."""
        try:
            return formulas.read_script(text, language)
        except feel.ExpressionRefused as refusal:
            self.fault(node, f"its script: {refusal.facts['why']}")
            return None

    def expression(self, node: Any, what: str) -> Formula | None:
        """Read a BPMN expression element (表达式元素) with the language it declares; none when it is empty."""
        text = text_of(node)
        if not text:
            self.fault(node, f"its {what} is empty")
            return None
        return self.formula(node, text, what, node.get("language") or None)

    def value(self, node: Any, text: str, what: str) -> Formula | None:
        """Read a vendor's value (方言取值): FEEL after `=`, text with `${}` in it, or a constant."""
        return self.formula(node, text, what) if text.startswith("=") or _JUEL.search(text) else literal(text)

    def items(self, node: Any, text: str, what: str) -> Formula | None:
        """Read a list of names (名单): `a, b` is a list of constants, one expression is what it gives."""
        if text.startswith("=") or _JUEL.fullmatch(text):
            return self.value(node, text, what)
        read = [self.value(node, part.strip(), what) for part in text.split(",") if part.strip()]
        return Formula(f"[{', '.join(each.text for each in read if each)}]")

    def variable(self, node: Any, text: str, what: str) -> Formula | None:
        """Read the name of a variable, or an expression in its place (变量或表达式)."""
        if text.isidentifier():
            return Formula(text)
        return self.formula(node, text, what)


def text_of(node: Any) -> str:
    """Return the whole text of an element (元素文本), whatever comments stand in it."""
    return str(node.xpath("string()")).strip()


def literal(text: str) -> Formula:
    """Return a text as a constant (常量) of FEEL."""
    return Formula(orjson.dumps(text).decode())


def number(text: str) -> int | None:
    """Return a whole number written as one (整数), else None."""
    try:
        return int(text.strip())
    except ValueError:
        return None


def _declared(root: Any) -> str | None:
    """Return the language of all expressions in a file; XPath is what BPMN says when nobody says anything."""
    declared = root.get("expressionLanguage", "").lower()
    if "feel" in declared or "python" in declared:
        return "feel" if "feel" in declared else "python"
    return "python" if any(dialect(f"{{{uri}}}") == SPIFF for uri in root.nsmap.values()) else None
