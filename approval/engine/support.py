"""What of BPMN runs here (支持范围), element by element and dialect by dialect, printed as docs/bpmn.md.

`python -m approval.engine.support > docs/bpmn.md` prints it from the tables that the reader itself obeys.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from approval.engine.diagrams import EVENTS
from approval.engine.dialects import ATTRIBUTES, CLASSIC, ELEMENTS, NAMESPACES, SPIFF, UNKNOWN, ZEEBE, Word
from approval.engine.readers import GLOBAL, INNER, SILENT
from approval.engine.scripts import FEEL, PYTHON

NODES: Final = {
    "userTask": "a task for a person, with lane, form, assignment, due date and priority",
    "manualTask": "a task for a person, like a userTask",
    "task": "a task for a person, like a userTask",
    "serviceTask": "an errand, named by topic, job type, operator, class, bean or element id through the errand table",
    "sendTask": "an errand, or a message when it has a messageRef",
    "receiveTask": "waits for a message; without a messageRef for one named by its own id; may start a process",
    "scriptTask": "runs FEEL or Python; a job type makes it an errand",
    "businessRuleTask": "asks a DMN decision; a topic or job type makes it an errand",
    "callActivity": "runs another process or global task, named as plain text and known when uploaded",
    "subProcess": "embedded; with triggeredByEvent an event sub-process, interrupting or not",
    "transaction": "embedded, and may be cancelled from inside",
    "adHocSubProcess": "its activities in parallel or one after the other, until its completion condition holds",
    "exclusiveGateway": "the first flow whose condition holds, else the default flow",
    "parallelGateway": "all flows; as a join it waits for every flow; conditions behind it are never asked",
    "inclusiveGateway": "each flow whose condition holds; as a join it waits for what can still come",
    "eventBasedGateway": "the first of the events and receive tasks behind it; may start a process",
    "startEvent": "where a case begins, or what starts a process or an event sub-process",
    "endEvent": "ends a token, or throws",
    "intermediateCatchEvent": "waits",
    "intermediateThrowEvent": "throws and goes on",
    "boundaryEvent": "interrupts an activity, or runs beside it (cancelActivity=false)",
}
PARTS: Final = {
    "sequenceFlow": "conditions and default flows also behind activities: each whose condition holds is taken",
    "several flows out of an activity": "all of them (implicit split)",
    "several flows into an activity": "it is done once for each token (implicit merge)",
    "no start or end event": "begins at what no flow leads to; ends where no flow leads on",
    "several event definitions": "any of them; with parallelMultiple all of them; eventDefinitionRef too",
    "standardLoopCharacteristics": "loopCondition, testBefore, loopMaximum",
    "multiInstanceLoopCharacteristics": "in sequence or parallel, by collection or cardinality, completionCondition, "
    "collected output, and behavior None, One or All",
    "startQuantity, completionQuantity": "tokens taken and given, from 1 to 100",
    "lane": "the department that acts; the innermost counts",
    "participant, several processes": "a choice: the only executable one not called by another, else the first pool",
    "message with a correlation key": "goes to who waits for that name and key; correlation properties are ignored",
    "association to a compensation handler": "what undoes an activity",
    "timers": "ISO 8601 durations, moments with offset, R3/PT10S with start or end, cron, FEEL, and legal limits: "
    '`=countdown("acceptance")`',
}
LANGUAGES: Final = {
    "FEEL": "after `=`, or with the language FEEL",
    "JUEL": "`${…}` and `#{…}` without method calls, translated into FEEL",
    "comparisons": "`amount > 3`, when no language is declared",
    "Python": f"in files of {SPIFF} and where the language is Python; runs in an interpreter of its own",
    "other languages": "refused, groovy and javascript among them",
}
REFUSED: Final = (
    "complex gateways, scripts in other languages, script and class listeners, classes and beans without an errand",
    "references to what is not there: messages, signals, errors, decisions, processes, flow ends, hosts, lanes",
    "ids used twice, flows across the border of a process or sub-process, elements that nothing leads to",
    "processes that call themselves, loops in which nothing can change, ways that never lead to an end",
    "joins that may wait for ever, such as an exclusive split into a parallel join, and tasks behind them",
    "gateways without a way out, timers that are never due, token quantities and loop counts below one",
    "a DOCTYPE, a namespace that is not BPMN 2.0, files over the limits of size and depth",
)
_USED: Final = {
    "standardLoopCharacteristics", "multiInstanceLoopCharacteristics", "script", "eventDefinitionRef", "performer",
    "humanPerformer", "potentialOwner", "completionCondition", "sequenceFlow", "laneSet", "association",
    "extensionElements", "incoming", "outgoing",
}  # fmt: skip
EFFECTS: Final = {"read": "read", "harmless": "no effect", "warned": "no effect, with a warning", "refused": "refused"}


def page() -> str:
    """Return docs/bpmn.md (支持范围一览) as a text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What of BPMN runs here"
    yield ""
    yield "Printed by `python -m approval.engine.support > docs/bpmn.md` from the tables the reader obeys; do not edit."
    yield "Every file is translated at upload into one model. What cannot run is refused with element id, name, line"
    yield "and advice, all of it at once; what runs and is worth a look is a warning."
    yield from _table("Elements", ("element", "here"), NODES)
    yield from _table("Markers, flows and containers", ("part", "here"), PARTS)
    kinds = {name: ", ".join(sorted(EVENTS[name])) for name in EVENTS}
    yield from _table("Events", ("event", "kinds"), kinds)
    yield ""
    yield f"Global tasks that a call activity may call: {', '.join(GLOBAL)}."
    yield from _table("Expressions", ("language", "where"), LANGUAGES)
    yield ""
    yield f"Script formats: {', '.join(sorted(PYTHON | FEEL))}. Without one a script is Python."
    yield from _table(
        "Documentation only", ("element", "here"), {", ".join(sorted((SILENT | INNER) - _USED)): "ignored"}
    )
    for name in (CLASSIC, ZEEBE, SPIFF):
        yield from _dialect(name)
    yield ""
    yield "## Other namespaces"
    yield ""
    yield "Those of drawing tools (colours, layout, modelers' own notes) change nothing about a case and are ignored."
    yield ""
    yield "## Refused at upload"
    yield ""
    yield from (f"- {each}" for each in REFUSED)


def _dialect(name: str) -> Iterator[str]:
    yield ""
    yield f"## {name}"
    yield ""
    yield f"Namespaces: {', '.join(uri for uri, vendor in NAMESPACES.items() if vendor == name)}"
    for kind, words in (("elements", ELEMENTS[name]), ("attributes", ATTRIBUTES[name])):
        yield ""
        yield f"| {kind} | effect | |"
        yield "|---|---|---|"
        grouped: dict[Word, list[str]] = {}
        for each, word in words.items():
            grouped.setdefault(word, []).append(each)
        yield from (f"| {', '.join(each)} | {EFFECTS[word.effect]} | {word.words} |" for word, each in grouped.items())
    yield ""
    yield f"An element that is not listed: {EFFECTS[UNKNOWN[name].effect]}. An attribute: {EFFECTS['warned']}."


def _table(title: str, heads: tuple[str, str], rows: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| {heads[0]} | {heads[1]} |"
    yield "|---|---|"
    yield from (f"| {name} | {words} |" for name, words in rows.items())


if __name__ == "__main__":
    sys.stdout.write(page())
