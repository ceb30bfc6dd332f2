"""Boxed expressions and decision tables of DMN (盒式表达式与决策表), read into plain data for feel.decisions.mjs."""

from typing import Any, Final

from approval.domain.errors import Fault
from approval.expressions import markup

POLICIES: Final = {"UNIQUE", "FIRST", "ANY", "PRIORITY", "RULE ORDER", "OUTPUT ORDER", "COLLECT"}
RANKED: Final = {"PRIORITY", "OUTPUT ORDER"}
MANY: Final = {"RULE ORDER", "OUTPUT ORDER"}
AGGREGATORS: Final = {"SUM", "MIN", "MAX", "COUNT"}
# What modelers write for "nothing here" in an input cell.
EMPTY: Final = {"", "-"}


def feel(language: str | None) -> bool:
    """Say whether a declared expression language is FEEL (识别 FEEL), whatever version of DMN declares it."""
    declared = (language or "").strip().lower()
    return declared in {"", "feel"} or ("omg.org/spec/" in declared and "/feel" in declared)


class Boxes:
    """What a file holds inside its elements (盒式表达式), and every fault found on the way."""

    def __init__(self, file: str, root: Any) -> None:
        self.file = file
        self.space = root.tag.partition("}")[0] + "}"
        self.language = root.get("expressionLanguage")
        self.faults: list[tuple[str, Fault]] = []
        # Every text with its kind, its element and the outermost element it belongs to, for the parser to judge.
        self.texts: list[tuple[str, str, Any, str]] = []
        self.names: dict[str, Any] = {}
        self.owner = ""

    def fault(self, node: Any, why: str) -> None:
        """Note a fault (缺陷) of an element, under the decision it belongs to."""
        self.fault_of(self.owner, node, why)

    def fault_of(self, owner: str, node: Any, why: str) -> None:
        """Note a fault (缺陷) that is found after its decision was read."""
        named = next((each for each in (node, *node.iterancestors()) if each.get("id")), node)
        fault = Fault(self.file, named.get("id", ""), node.sourceline, why, named.get("name") or "")
        self.faults.append((owner, fault))

    def _all(self, node: Any, *names: str) -> list[Any]:
        return [each for each in node.iterchildren(tag=f"{self.space}*") if markup.local(each) in names]

    def _one(self, node: Any, *names: str) -> Any:
        return next(iter(self._all(node, *names)), None)

    def _named(self, name: str, type_: str | None) -> str:
        self.names.setdefault(name, type_)
        return name

    def _held(self, node: Any) -> Any:
        """Return the boxed expression of an element, which carries no name of its own."""
        return next((each for each in node.iterchildren(tag=f"{self.space}*") if markup.local(each) in _LOGIC), None)

    def _logic(self, owner: Any, node: Any) -> dict[str, Any]:
        if node is None:
            self.fault(owner, "its expression is missing; write a decision table or a FEEL expression")
            return {"kind": "literal", "text": "null"}
        return self._logic_of(node)

    def _logic_of(self, node: Any) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self, _LOGIC[markup.local(node)])(node)
        return found

    def _literal(self, node: Any) -> dict[str, Any]:
        return {"kind": "literal", "text": self._expression(node, node)}

    def _context(self, node: Any) -> dict[str, Any]:
        entries = []
        for entry in self._all(node, "contextEntry"):
            variable = self._one(entry, "variable")
            declared = {} if variable is None else variable.attrib
            name = None if variable is None else self._named(declared.get("name", ""), declared.get("typeRef"))
            logic = self._logic(entry, self._held(entry))
            entries.append({"name": name, "type": declared.get("typeRef"), "logic": logic})
        return {"kind": "context", "entries": entries}

    def _list(self, node: Any) -> dict[str, Any]:
        return {"kind": "list", "items": [self._logic_of(each) for each in self._all(node, *_LOGIC)]}

    def _relation(self, node: Any) -> dict[str, Any]:
        columns = [self._named(each.get("name", ""), None) for each in self._all(node, "column")]
        rows = [[self._logic_of(cell) for cell in self._all(row, *_LOGIC)] for row in self._all(node, "row")]
        if any(len(row) != len(columns) for row in rows):
            self.fault(node, "each row needs as many cells as there are columns")
        return {"kind": "relation", "columns": columns, "rows": rows}

    def _invocation(self, node: Any) -> dict[str, Any]:
        bindings = []
        for binding in self._all(node, "binding"):
            parameter = self._one(binding, "parameter")
            name = "" if parameter is None else parameter.get("name", "")
            bindings.append({"name": name, "logic": self._logic(binding, self._held(binding))})
        return {"kind": "invocation", "called": self._logic(node, self._held(node)), "bindings": bindings}

    def _function(self, node: Any) -> dict[str, Any]:
        if node.get("kind", "FEEL").upper() != "FEEL":
            self.fault(node, f"a function of {node.get('kind')} is not called here; write it in FEEL")
        parameters = [
            {"name": self._named(each.get("name", ""), each.get("typeRef")), "type": each.get("typeRef")}
            for each in self._all(node, "formalParameter")
        ]
        return {"kind": "function", "parameters": parameters, "body": self._logic(node, self._held(node))}

    def _conditional(self, node: Any) -> dict[str, Any]:
        return {"kind": "if", **{part: self._part(node, part) for part in ("if", "then", "else")}}

    def _loop(self, node: Any) -> dict[str, Any]:
        kind = markup.local(node)
        body = {"for": "return", "filter": "match"}.get(kind, "satisfies")
        variable = self._named(node.get("iteratorVariable", "item"), None)
        among, each = self._part(node, "in"), self._part(node, body)
        return {"kind": kind, "variable": variable, "among": among, "body": each}

    def _part(self, node: Any, name: str) -> dict[str, Any]:
        part = self._one(node, name)
        return self._logic(node, None if part is None else self._held(part))

    def _table(self, node: Any) -> dict[str, Any]:
        policy, aggregator = node.get("hitPolicy", "UNIQUE"), node.get("aggregation", "")
        outputs = [self._output(output, policy) for output in self._all(node, "output")]
        names = [output["name"] for output in outputs]
        if policy not in POLICIES:
            self.fault(node, f"hit policy {policy} is not known; use one of {', '.join(sorted(POLICIES))}")
        if aggregator and (aggregator not in AGGREGATORS or policy != "COLLECT" or len(outputs) != 1):
            self.fault(node, f"aggregation {aggregator} needs COLLECT, one output, and SUM, MIN, MAX or COUNT")
        if not outputs or (len(outputs) > 1 and ("" in names or len(set(names)) < len(names))):
            self.fault(node, "a table needs an output, and several outputs need a name each")
        if policy in RANKED and outputs and not any(output["values"] for output in outputs):
            self.fault(node, "this hit policy ranks by outputValues; list them, the weightiest first")
        if len({output["default"] is None for output in outputs}) > 1:
            self.fault(node, "give a default for every output or for none")
        inputs = [self._input(each) for each in self._all(node, "input")]
        rules = [
            self._rule(rule, number, len(inputs), len(outputs))
            for number, rule in enumerate(self._all(node, "rule"), start=1)
        ]
        if not rules:
            self.fault(node, "the table has no rules")
        return {
            "kind": "table",
            "owner": self.owner,
            "policy": policy,
            "aggregator": aggregator,
            "many": policy in MANY or (policy == "COLLECT" and not aggregator),
            "inputs": inputs,
            "outputs": outputs,
            "rules": rules,
        }

    def _input(self, node: Any) -> dict[str, Any]:
        entry = self._one(node, "inputExpression")
        declared = None if entry is None else entry.get("typeRef")
        return {
            "text": self._expression(node, entry),
            "type": declared,
            "allowed": self._tests(self._one(node, "inputValues")),
        }

    def _output(self, node: Any, policy: str) -> dict[str, Any]:
        values, default = self._one(node, "outputValues"), self._one(node, "defaultOutputEntry")
        text = None
        if policy in RANKED and self._text(values):
            text = self._text(values)
            self._judged("evaluate", f"[{text}]", values)
        return {
            "name": node.get("name") or "",
            "values": text,
            "default": None if default is None else self._expression(node, default),
        }

    def _rule(self, node: Any, number: int, width: int, breadth: int) -> dict[str, Any]:
        tests, cells = self._all(node, "inputEntry"), self._all(node, "outputEntry")
        if (len(tests), len(cells)) != (width, breadth):
            self.fault(node, f"this rule needs {width} input and {breadth} output cells")
        notes = [self._text(entry) for entry in self._all(node, "annotationEntry")]
        notes += [(each.text or "").strip() for each in self._all(node, "description")]
        return {
            "id": node.get("id") or f"rule-{number}",
            "annotation": "；".join(filter(None, notes)),
            "tests": [self._tests(cell) for cell in tests],
            "outputs": [self._expression(cell, cell) for cell in cells],
        }

    def _text(self, node: Any) -> str:
        texts = [] if node is None else self._all(node, "text")
        return "".join((each.text or "") for each in texts).strip()

    def _expression(self, owner: Any, node: Any) -> str:
        text = self._text(node)
        if not text:
            self.fault(owner, "a FEEL expression is missing here")
            return "null"
        return self._judged("evaluate", text, node)

    def _tests(self, node: Any) -> str | None:
        text = self._text(node)
        return None if text in EMPTY else self._judged("unaryTest", text, node)

    def _judged(self, kind: str, text: str, node: Any) -> str:
        language = node.get("expressionLanguage") or self.language
        if feel(language):
            self.texts.append((kind, text, node, self.owner))
        else:
            self.fault(node, f"{language} is not evaluated here; write FEEL")
        return text


_LOGIC: Final = {
    "decisionTable": "_table",
    "literalExpression": "_literal",
    "context": "_context",
    "list": "_list",
    "relation": "_relation",
    "invocation": "_invocation",
    "functionDefinition": "_function",
    "encapsulatedLogic": "_function",
    "conditional": "_conditional",
    "for": "_loop",
    "filter": "_loop",
    "some": "_loop",
    "every": "_loop",
}
