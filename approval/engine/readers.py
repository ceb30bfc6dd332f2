"""BPMN 2.0 files read into diagrams (读图): plain BPMN with the Zeebe extension elements.

Whatever is not read here is a fault, because an element that is silently ignored is a procedure that silently
does something else.
"""

import re
from typing import Any, Final

from approval.domain.errors import Fault
from approval.domain.texts import LONGEST_CODE
from approval.engine.diagrams import ERRANDS, EVENTS, NODES, Event, Flow, Node, Scope, Timing
from approval.expressions import markup

BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE: Final = "{http://camunda.org/schema/zeebe/1.0}"
KNOWN: Final = {
    "formDefinition", "taskDefinition", "calledDecision", "calledElement", "properties", "userTask", "versionTag",
}  # fmt: skip
SILENT: Final = {
    "documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group", "category",
    "dataObject", "dataObjectReference", "dataStoreReference", "incoming", "outgoing", "sequenceFlow",
}  # fmt: skip
ADVICE: Final = {
    "scriptTask": "scripts are not run; use a businessRuleTask, a FEEL condition or a serviceTask",
    "receiveTask": "use an intermediate message catch event",
    "complexGateway": "use exclusive, parallel or inclusive gateways",
    "transaction": "transactions and compensation are not supported; use a subProcess with an error boundary",
    "adHocSubProcess": "use a subProcess whose order is drawn",
    "multiInstanceLoopCharacteristics": "multi-instance is not supported; draw one branch for each department",
    "standardLoopCharacteristics": "loop markers are not supported; draw the loop with an exclusive gateway",
    "ioSpecification": "data mappings have no effect here; conditions read facts and outcomes by name",
    "ioMapping": "data mappings have no effect here; conditions read facts and outcomes by name",
    "dataInputAssociation": "data associations have no effect here; remove the arrow",
    "dataOutputAssociation": "data associations have no effect here; remove the arrow",
    "assignmentDefinition": "who may do this follows from its lane and its zeebe:property role",
}
_COUNTDOWN: Final = re.compile(r'=\s*countdown\(\s*"([^"]+)"\s*\)\s*')


class Reader:
    """One pass over one file that collects scopes and faults; it never stops at the first fault."""

    def __init__(self, file: str, root: Any) -> None:
        self.file = file
        self.root = root
        self.faults: list[Fault] = []
        self.scopes: dict[str, Scope] = {}
        self._named = {
            tag: {node.get("id"): node for node in root.iterchildren(f"{BPMN}{tag}")}
            for tag in ("message", "signal", "error")
        }

    def read(self) -> None:
        """Read every process of the file."""
        seen: set[str] = set()
        for node in self.root.iter(f"{BPMN}*"):
            name = node.get("id")
            if name in seen:
                self.fault(node, "this id is used twice in the file")
            if len(name or "") > LONGEST_CODE:
                self.fault(node, f"this id is longer than {LONGEST_CODE} characters")
            seen.add(name or "")
        for process in self.root.iterchildren(f"{BPMN}process"):
            self._scope(process, process.get("id", ""), self._lanes(process), None)

    def fault(self, node: Any, why: str) -> None:
        """Note what is wrong at an element."""
        owner = next((each for each in (node, *node.iterancestors()) if each.get("id")), node)
        self.faults.append(Fault(self.file, owner.get("id", ""), node.sourceline, why))

    def _scope(self, node: Any, process: str, lanes: dict[str, str], lane: str | None) -> None:
        if not node.get("id"):
            self.fault(node, f"this {markup.local(node)} needs an id")
        scope = Scope(node.get("id", ""), self.file, node.sourceline, process, node.get("isExecutable") == "true")
        self.scopes[scope.id] = scope
        self._foreign(node)
        for child in node.iterchildren(tag="*"):
            self._child(scope, child, lanes, lane)

    def _child(self, scope: Scope, child: Any, lanes: dict[str, str], lane: str | None) -> None:
        kind = markup.local(child)
        if not child.tag.startswith(BPMN):
            self.fault(child, f"{kind} is not a BPMN 2.0 element")
        elif kind == "sequenceFlow":
            self._flow(scope, child)
        elif kind in NODES:
            if not child.get("id"):
                self.fault(child, f"this {kind} needs an id")
            node = self._node(scope, child, kind, lanes.get(child.get("id", ""), lane))
            scope.nodes[node.id] = node
            if kind == "subProcess":
                self._scope(child, scope.process, lanes, node.lane)
        elif kind not in SILENT:
            self.fault(child, ADVICE.get(kind, f"{kind} is not supported"))

    def _flow(self, scope: Scope, node: Any) -> None:
        if not node.get("id"):
            self.fault(node, "this sequenceFlow needs an id")
        condition = node.find(f"{BPMN}conditionExpression")
        text = None
        if condition is not None:
            written = (condition.text or "").strip()
            text = written.removeprefix("=").strip()
            if not written.startswith("=") or not text:
                self.fault(node, f"write the condition {written!r} as FEEL after an equals sign: = seats > 3")
            if "feel" not in condition.get("language", "feel").lower():
                self.fault(node, f"conditions in {condition.get('language')} are not run; write FEEL")
        flow = Flow(node.get("id", ""), node.get("sourceRef", ""), node.get("targetRef", ""), text, node.sourceline)
        scope.flows[flow.id] = flow
        self._foreign(node)

    def _node(self, scope: Scope, node: Any, kind: str, lane: str | None) -> Node:
        extensions = self._extensions(node)
        if "formDefinition" in extensions and not _first(extensions, "formDefinition", "formId"):
            self.fault(node, "a zeebe:formDefinition needs a formId")
        for flag, unless in (("isForCompensation", "false"), ("triggeredByEvent", "false"), ("instantiate", "false"),
                             ("parallelMultiple", "false"), ("eventGatewayType", "Exclusive")):  # fmt: skip
            if node.get(flag, unless) != unless:
                self.fault(node, f"{flag}={node.get(flag)!r} is not supported")
        return Node(
            id=node.get("id", ""),
            kind=kind,
            name=node.get("name", ""),
            file=self.file,
            line=node.sourceline,
            process=scope.process,
            lane=lane,
            form=_first(extensions, "formDefinition", "formId"),
            calls=self._calls(node, kind, extensions),
            variable=_first(extensions, "calledDecision", "resultVariable"),
            properties={
                each.get("name", ""): each.get("value", "")
                for group in extensions.get("properties", [])
                for each in group.iterchildren(f"{ZEEBE}property")
            },
            event=self._event(node, kind) if kind in EVENTS else Event(),
            attached=node.get("attachedToRef") if kind == "boundaryEvent" else None,
            interrupting=node.get("cancelActivity", "true") == "true",
            default=node.get("default"),
        )

    def _calls(self, node: Any, kind: str, extensions: dict[str, list[Any]]) -> str | None:
        """Return the errand's name, the decision's or the called process's id."""
        if kind in ERRANDS:
            found, advice = _first(extensions, "taskDefinition", "type"), "zeebe:taskDefinition type"
        elif kind == "businessRuleTask":
            found, advice = _first(extensions, "calledDecision", "decisionId"), "zeebe:calledDecision decisionId"
        elif kind == "callActivity":
            called = _first(extensions, "calledElement", "processId")
            found, advice = called or node.get("calledElement"), "zeebe:calledElement processId"
        else:
            return None
        if not found or found.startswith("="):
            self.fault(node, f"this {kind} must name what it calls in {advice}, as plain text")
        return found

    def _event(self, node: Any, kind: str) -> Event:
        definitions = [
            child for child in node.iterchildren(f"{BPMN}*") if markup.local(child).endswith("EventDefinition")
        ]
        if len(definitions) > 1:
            self.fault(node, "an event may have one definition only")
        definition = definitions[0] if definitions else None
        what = "none" if definition is None else markup.local(definition).removesuffix("EventDefinition")
        if what not in EVENTS[kind]:
            allowed = ", ".join(sorted(EVENTS[kind]))
            self.fault(node, f"a {kind} of kind {what} is not supported; it may be: {allowed}")
            return Event()
        if what == "timer":
            return Event("timer", timing=self._timing(definition))
        if what in self._named:
            return Event(what, self._reference(definition, what, anonymous=kind == "boundaryEvent" and what == "error"))
        return Event(what)

    def _reference(self, definition: Any, what: str, *, anonymous: bool) -> str | None:
        reference = definition.get(f"{what}Ref")
        if reference is None and anonymous:
            return None
        target = self._named[what].get(reference)
        found: str | None = None if target is None else target.get("errorCode" if what == "error" else "name")
        if not found:
            self.fault(definition, f"{what}Ref must point at a {what} with a {'code' if what == 'error' else 'name'}")
        return found

    def _timing(self, definition: Any) -> Timing | None:
        kinds = {markup.local(child): child for child in definition.iterchildren(f"{BPMN}*")}
        if set(kinds) not in ({"timeDuration"}, {"timeDate"}):
            self.fault(definition, "a timer needs either a timeDuration or a timeDate; cycles are not supported")
            return None
        kind, node = kinds.popitem()
        text = (node.text or "").strip()
        countdown = _COUNTDOWN.fullmatch(text)
        return Timing(kind, text, countdown[1] if countdown else None)

    def _extensions(self, node: Any) -> dict[str, list[Any]]:
        self._foreign(node)
        for child in node.iterchildren(f"{BPMN}*") if markup.local(node) != "subProcess" else ():
            kind = markup.local(child)
            if kind not in SILENT and not (kind.endswith("EventDefinition") and markup.local(node) in EVENTS):
                self.fault(child, ADVICE.get(kind, f"{kind} is not supported"))
        found: dict[str, list[Any]] = {}
        for each in node.findall(f"{BPMN}extensionElements/*"):
            found.setdefault(markup.local(each), []).append(each)
        return found

    def _foreign(self, node: Any) -> None:
        """Refuse what another engine would read here, and what Zeebe would and we do not."""
        for child in node.findall(f"{BPMN}extensionElements/*"):
            kind = markup.local(child)
            if child.tag.startswith(ZEEBE):
                if kind not in KNOWN:
                    self.fault(child, ADVICE.get(kind, f"zeebe:{kind} is not supported"))
            elif "camunda.org/schema/modeler" not in child.tag:
                self.fault(child, f"the extension {child.tag} is not understood; use the Zeebe elements")
        for name in node.attrib:
            if name.startswith("{") and not any(part in name for part in ("modeler", "XMLSchema-instance")):
                self.fault(node, f"the attribute {name} is not understood; use the Zeebe elements")

    def _lanes(self, process: Any) -> dict[str, str]:
        """Map each element to the name of its innermost lane (document order visits outer lanes first)."""
        lanes: dict[str, str] = {}
        for lane in process.iter(f"{BPMN}lane"):
            if not lane.get("name"):
                self.fault(lane, "a lane needs a name: it says which department acts")
            for reference in lane.iterchildren(f"{BPMN}flowNodeRef"):
                lanes[(reference.text or "").strip()] = lane.get("name", "")
        return lanes


def _first(extensions: dict[str, list[Any]], kind: str, attribute: str) -> str | None:
    found = extensions.get(kind)
    value: str | None = found[0].get(attribute) if found else None
    return value
