"""Decision tables of DMN 1.3 (决策表): loaded whole or refused, then asked; every answer cites its rules."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from approval.domain.errors import Fault, PackRefused, Refusal
from approval.expressions import feel, markup

DMN: Final = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
FEEL: Final = {"", "feel", "https://www.omg.org/spec/DMN/20191111/FEEL/"}
POLICIES: Final = {"UNIQUE", "FIRST", "ANY", "PRIORITY", "RULE ORDER", "OUTPUT ORDER", "COLLECT"}
RANKED: Final = {"PRIORITY", "OUTPUT ORDER"}
AGGREGATORS: Final[dict[str, Callable[[list[Any]], Any]]] = {"SUM": sum, "MIN": min, "MAX": max, "COUNT": len}


class DecisionRefused(Refusal):
    """The decision table has no answer to this."""


class Rule(NamedTuple):
    """A rule that matched (命中规则): its id and its annotations, which a notice of refusal may cite."""

    id: str
    annotation: str


class Decided(NamedTuple):
    """What a table answers (决策结果), and by which rules.

    A table of one output answers with its value, one of several with `{name: value}`. RULE ORDER, OUTPUT
    ORDER and COLLECT without an aggregator answer with a list, which may be empty.
    """

    result: Any
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One decision table (决策表), checked at loading and safe to share between threads."""

    id: str
    name: str
    policy: str
    aggregator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    rules: tuple[Rule, ...]
    defaults: tuple[str, ...]
    ranks: tuple[tuple[Any, ...], ...]
    source: str
    digest: str

    def decide(self, context: Mapping[str, Any]) -> Decided:
        """Ask the table (决策): one call into FEEL, whatever its size.

        Raises DecisionRefused when no rule matches and no default is given, when rules of a UNIQUE table
        overlap or those of an ANY table disagree, and when an input is outside its allowed values;
        ExpressionRefused when a cell cannot be evaluated.
        """
        machine = feel.machine()
        if self.digest not in machine.learnt:
            feel.ask(self.id, "learn", self.digest, self.source)
            machine.learnt.add(self.digest)
        answer = feel.ask(self.id, "decide", self.digest, feel.dump(context))
        asked = dict(zip(self.inputs, answer["asked"], strict=True))
        if answer["outside"]:
            outside = [self.inputs[index] for index in answer["outside"]]
            raise DecisionRefused(
                decision=self.id, why="an input is outside its allowed values", asked=asked, inputs=outside
            )
        hits = [(self.rules[hit["rule"]], self._shaped(hit["outputs"])) for hit in answer["matched"]]
        if self.policy in RANKED:
            hits.sort(key=lambda hit: self._rank(hit[1]))
        return self._settle(hits, asked, answer["defaults"])

    def _settle(self, hits: list[tuple[Rule, Any]], asked: dict[str, Any], defaults: list[Any]) -> Decided:
        rules = tuple(rule for rule, _ in hits)
        results = [result for _, result in hits]
        if self.policy in {"RULE ORDER", "OUTPUT ORDER"} or (self.policy == "COLLECT" and not self.aggregator):
            return Decided(results, rules)
        if self.aggregator == "COUNT":
            return Decided(len(results), rules)
        if not hits:
            if defaults:
                return Decided(self._shaped(defaults), ())
            raise DecisionRefused(decision=self.id, why="no rule matches", asked=asked)
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DecisionRefused(decision=self.id, why="rules overlap", asked=asked, rules=[rule.id for rule in rules])
        if self.policy == "ANY" and any(result != results[0] for result in results):
            raise DecisionRefused(
                decision=self.id, why="rules disagree", asked=asked, rules=[rule.id for rule in rules]
            )
        if self.policy == "COLLECT":
            return Decided(self._aggregated(results, asked), rules)
        return Decided(results[0], rules if self.policy == "ANY" else rules[:1])

    def _aggregated(self, results: list[Any], asked: dict[str, Any]) -> Any:
        if any(isinstance(result, bool) or not isinstance(result, int | float) for result in results):
            raise DecisionRefused(decision=self.id, why=f"{self.aggregator} needs numbers", asked=asked)
        return AGGREGATORS[self.aggregator](results)

    def _shaped(self, outputs: list[Any]) -> Any:
        return outputs[0] if len(self.outputs) == 1 else dict(zip(self.outputs, outputs, strict=True))

    def _rank(self, result: Any) -> tuple[int, ...]:
        values = [result] if len(self.outputs) == 1 else list(result.values())
        return tuple(
            ranks.index(value) if value in ranks else len(ranks)
            for ranks, value in zip(self.ranks, values, strict=True)
        )


def load(file: str, source: bytes) -> dict[str, Table]:
    """Read every decision of a DMN 1.3 file (加载决策表), keyed by its id.

    Raises PackRefused with all faults at once, each with its element and line.
    """
    root = markup.read(file, source)
    if root.tag != f"{DMN}definitions":
        why = f"this is not DMN 1.3: its root must be definitions of {DMN[1:-1]}"
        raise PackRefused(faults=[Fault(file, "", root.sourceline, why)])
    reading = _Reading(file)
    tables = [reading.decision(node) for node in root.iterchildren(f"{DMN}decision")]
    reading.others(root)
    if not tables:
        reading.fault(root, "there is no decision in this file")
    ids = [table.id for table in tables if table]
    for twin in sorted({name for name in ids if ids.count(name) > 1}):
        reading.faults.append(Fault(file, twin, root.sourceline, "two decisions have this id"))
    if reading.faults:
        raise PackRefused(faults=reading.faults)
    return {table.id: table for table in tables if table}


class _Reading:
    """One pass over a file that collects every fault instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, node: Any, why: str) -> None:
        owner = next((each for each in (node, *node.iterancestors()) if each.get("id")), node)
        self.faults.append(Fault(self.file, owner.get("id", ""), node.sourceline, why))

    def others(self, root: Any) -> None:
        for node in root.iterchildren(tag=f"{DMN}*"):
            if markup.local(node) in {"businessKnowledgeModel", "decisionService", "import"}:
                self.fault(node, f"{markup.local(node)} is not supported; write one decision table instead")

    def decision(self, node: Any) -> Table | None:
        if not node.get("id"):
            self.fault(node, "a decision needs an id")
        if node.find(f".//{DMN}requiredDecision") is not None:
            self.fault(node, "required decisions are not supported; ask for their inputs in this table")
        if node.find(f".//{DMN}requiredKnowledge") is not None:
            self.fault(node, "knowledge requirements are not supported; write the rule into this table")
        table = node.find(f"{DMN}decisionTable")
        if table is None:
            self.fault(node, "only decision tables are supported, no literal expressions or contexts")
            return None
        before = len(self.faults)
        read = self.table(node, table)
        return read if len(self.faults) == before else None

    def table(self, node: Any, table: Any) -> Table:
        policy = table.get("hitPolicy", "UNIQUE")
        aggregator = table.get("aggregation", "")
        inputs, outputs = table.findall(f"{DMN}input"), table.findall(f"{DMN}output")
        names = tuple(output.get("name") or "" for output in outputs)
        if policy not in POLICIES:
            self.fault(table, f"hit policy {policy} is not known; use one of {', '.join(sorted(POLICIES))}")
        if aggregator and (aggregator not in AGGREGATORS or policy != "COLLECT" or len(outputs) != 1):
            self.fault(table, f"aggregation {aggregator} needs COLLECT, one output, and SUM, MIN, MAX or COUNT")
        if not outputs or (len(outputs) > 1 and ("" in names or len(set(names)) < len(names))):
            self.fault(table, "a table needs an output, and several outputs need a name each")
        columns = [
            {
                "expression": self.expression(entry, entry.find(f"{DMN}inputExpression")),
                "allowed": self.tests(entry.find(f"{DMN}inputValues")),
            }
            for entry in inputs
        ]
        defaults = [self.default(output) for output in outputs]
        if any(defaults) and not all(defaults):
            self.fault(table, "give a default for every output or for none")
        rows, rules = self.rules(table, len(inputs), len(outputs))
        source = orjson.dumps({"inputs": columns, "rules": rows, "defaults": defaults if all(defaults) else []})
        return Table(
            id=node.get("id", ""),
            name=node.get("name", ""),
            policy=policy,
            aggregator=aggregator,
            inputs=tuple(column["expression"] or "" for column in columns),
            outputs=names,
            rules=rules,
            defaults=tuple(defaults),
            ranks=tuple(self.ranks(output) for output in outputs) if policy in RANKED else (),
            source=source.decode(),
            digest=hashlib.sha256(source).hexdigest(),
        )

    def rules(self, table: Any, width: int, breadth: int) -> tuple[list[dict[str, Any]], tuple[Rule, ...]]:
        rows, rules = [], []
        for number, node in enumerate(table.iterchildren(f"{DMN}rule"), start=1):
            tests, cells = node.findall(f"{DMN}inputEntry"), node.findall(f"{DMN}outputEntry")
            if (len(tests), len(cells)) != (width, breadth):
                self.fault(node, f"this rule needs {width} input and {breadth} output cells")
            rows.append(
                {
                    "tests": [self.tests(cell) for cell in tests],
                    "outputs": [self.expression(cell, cell) for cell in cells],
                }
            )
            notes = [_text(entry) for entry in node.findall(f"{DMN}annotationEntry")]
            notes += [(node.findtext(f"{DMN}description") or "").strip()]
            rules.append(Rule(node.get("id") or f"rule-{number}", "；".join(filter(None, notes))))
        if not rules:
            self.fault(table, "the table has no rules")
        return rows, tuple(rules)

    def ranks(self, output: Any) -> tuple[Any, ...]:
        values = output.find(f"{DMN}outputValues")
        if values is None:
            self.fault(output, "this hit policy ranks by outputValues; list them, the weightiest first")
            return ()
        try:
            return tuple(feel.evaluate(f"[{_text(values)}]", {}))
        except feel.ExpressionRefused as refusal:
            self.fault(values, f"outputValues: {refusal.facts['why']}")
            return ()

    def default(self, output: Any) -> str:
        entry = output.find(f"{DMN}defaultOutputEntry")
        return "" if entry is None else self.expression(output, entry)

    def expression(self, owner: Any, node: Any) -> str:
        text = _text(node)
        if not text:
            self.fault(owner, "a FEEL expression is missing here")
        else:
            self._check(node, text, feel.check)
        return text

    def tests(self, node: Any) -> str | None:
        text = _text(node)
        if text in {"", "-"}:
            return None
        self._check(node, text, feel.check_tests)
        return text

    def _check(self, node: Any, text: str, check: Any) -> None:
        if node.get("expressionLanguage", "").lower() not in {each.lower() for each in FEEL}:
            self.fault(node, f"{node.get('expressionLanguage')} is not supported; write FEEL")
            return
        try:
            check(text)
        except feel.ExpressionRefused as refusal:
            self.fault(node, f"{text}: {refusal.facts['why']}")


def _text(node: Any) -> str:
    return "" if node is None else (node.findtext(f"{DMN}text") or "").strip()
