"""Decisions of DMN 1.1 to 1.5 (决策模型): loaded whole or refused, then asked; every answer cites its rules.

A decision is a decision table (决策表), a FEEL expression or a boxed one, and may require others. The file is read
by dmn.py into plain data, which feel.decisions.mjs evaluates in one call, whatever a decision requires.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from approval.domain.errors import Fault, NotFound, PackRefused, Refusal
from approval.expressions import dmn, feel, markup, meters

_BATCH: Final = 50
_PARSING: Final = 5.0  # seconds for all texts of a file together


class DecisionRefused(Refusal):
    """The decision has no answer to this."""


class Rule(NamedTuple):
    """A rule that matched (命中规则): its id, its annotations, which a notice may cite, and whose rule it is.

    `decision` is the id of the decision, or of the business knowledge model (业务知识模型), that holds the table.
    """

    id: str
    annotation: str
    decision: str = ""


class Decided(NamedTuple):
    """What a decision answers (决策结果), and by which rules: its own first, then those of what it required.

    A table of one output answers with its value, one of several with `{name: value}`. RULE ORDER, OUTPUT
    ORDER and COLLECT without an aggregator answer with a list, which may be empty.
    """

    result: Any
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One decision (决策) in whatever form, or decision service (决策服务); threads may share it."""

    id: str
    name: str
    required: bool
    digest: str
    source: str = field(repr=False)

    def decide(self, context: Mapping[str, Any]) -> Decided:
        """Ask the decision (决策), and first whatever it requires: one call into FEEL.

        Raises DecisionRefused when no rule matches and no default is given, when rules of a UNIQUE table
        overlap or those of an ANY table disagree, and when an input is outside its allowed values or type;
        ExpressionRefused when a cell cannot be evaluated.
        """
        answer = _ask(self.id, "decide", self.digest, self.source, self.id, feel.dump(context))
        if "refused" in answer:
            raise DecisionRefused(**answer["refused"])
        return Decided(answer["value"], tuple(Rule(**row) for row in answer["rows"]))


def recognised(root: Any) -> bool:
    """Say whether a root element is DMN of a version that is read here (识别 DMN)."""
    return dmn.recognised(root)


def load(file: str, source: bytes, limits: markup.Limits = markup.LIMITS) -> dict[str, Table]:
    """Read every decision and decision service of a DMN file (加载决策模型), keyed by its id.

    Raises PackRefused with all faults at once, each with its element and line.
    """
    reading, decisions = _read(file, source, limits)
    if reading.faults:
        raise PackRefused(faults=_sorted(fault for _, fault in reading.faults))
    return decisions


def pick(file: str, source: bytes, name: str | None = None) -> Table:
    """Read one decision of a DMN file (选取决策) by its id or name; None takes the only one that no other requires.

    Only its own faults and those of what it requires count: raises PackRefused with them, and NotFound, with the
    decisions there are, when none or several could be meant.
    """
    reading, decisions = _read(file, source, markup.LIMITS)
    if name is None:
        tables = [each for each in decisions.values() if each.id in reading.model["decisions"]]
        found = [each for each in tables if not each.required]
    else:
        found = [each for each in decisions.values() if each.id == name]
        found = found or [each for each in decisions.values() if each.name == name]
    if not decisions:
        raise PackRefused(faults=_sorted(fault for _, fault in reading.faults))
    if len(found) != 1:
        choices = sorted(f"{each.id} {each.name}".strip() for each in decisions.values())
        raise NotFound(decision=name or "", choices=choices)
    counted = dmn.reach(reading.needs(), [found[0].id]) | {""}
    faults = _sorted(fault for owner, fault in reading.faults if owner in counted)
    if faults:
        raise PackRefused(faults=faults)
    return found[0]


def _read(file: str, source: bytes, limits: markup.Limits) -> tuple[dmn.Reading, dict[str, Table]]:
    reading = dmn.Reading(file, markup.read(file, source, limits))
    model = orjson.dumps({**reading.model, "names": list(reading.names.items())})
    digest = hashlib.sha256(model).hexdigest()
    _judge(reading, digest, model.decode())
    required = {
        name
        for id_, wanted in reading.needs().items()
        if id_ in reading.model["decisions"] or id_ in reading.model["knowledge"]
        for name in wanted
    }
    asked = {**reading.model["decisions"], **reading.model["services"]}
    decisions = {id_: Table(id_, each["label"], id_ in required, digest, model.decode()) for id_, each in asked.items()}
    return reading, decisions


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.line)


def _judge(reading: dmn.Reading, digest: str, model: str) -> None:
    """Have FEEL parse every text of the model, a batch at a time, so that no call lasts beyond its limit."""
    texts: dict[tuple[str, str], list[tuple[Any, str]]] = {}
    for kind, text, node, owner in reading.texts:
        texts.setdefault((kind, text), []).append((node, owner))
    pairs = list(texts)
    began = meters.read().seconds
    for batch in (pairs[start : start + _BATCH] for start in range(0, len(pairs), _BATCH)):
        if meters.read().seconds - began > _PARSING:
            node, owner = texts[batch[0]][0]
            reading.fault_of(owner, node, f"what comes before takes longer than {_PARSING:g} s to read; split the file")
            return
        for pair, why in zip(batch, _inspected(batch, digest, model), strict=True):
            for node, owner in texts[pair] if why else ():
                reading.fault_of(owner, node, f"{pair[1][:200]}: {why}")


def _inspected(batch: list[tuple[str, str]], digest: str, model: str) -> list[str | None]:
    try:
        for _, text in batch:
            feel.within(text)
        whys: list[str | None] = _ask(digest, "inspect", digest, model, orjson.dumps(batch).decode())
    except feel.ExpressionRefused as refusal:
        if len(batch) == 1:
            return [refusal.facts["why"]]
        # One of them is too much for a call; the others are not to blame.
        return [_inspected([pair], digest, model)[0] for pair in batch]
    return whys


def _ask(asked: str, name: str, digest: str, model: str, *arguments: str) -> Any:
    """Call a function of the model, teaching it first to an engine that does not know it."""
    answer = feel.ask(asked, name, digest, *arguments)
    if answer is None:
        feel.ask(asked, "learn", digest, model)
        answer = feel.ask(asked, name, digest, *arguments)
    return answer
