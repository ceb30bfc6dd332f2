"""BPMN 2.0 files of every dialect read into diagrams (读图).

Whatever is neither read nor known to be without effect is a fault, because an element that is silently ignored
is a procedure that silently does something else.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from approval.domain.errors import Fault
from approval.domain.texts import LONGEST_CODE
from approval.engine import dialects, fillings, loops, scripts, triggers, vendors
from approval.engine.diagrams import (
    ACTIVITIES,
    EMBEDDED,
    ERRANDS,
    EVENTS,
    HUMAN,
    NODES,
    AdHoc,
    Event,
    Flow,
    Node,
    Scope,
)
from approval.engine.dialects import BPMN, extension, extensions
from approval.engine.pages import REFUSED, Page, number, text_of
from approval.engine.scripts import Deed
from approval.expressions import markup

GLOBAL: Final = {
    "globalTask": "task", "globalUserTask": "userTask", "globalManualTask": "manualTask",
    "globalScriptTask": "scriptTask", "globalBusinessRuleTask": "businessRuleTask",
}  # fmt: skip
SILENT: Final = {
    "documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group", "category", "property",
    "dataObject", "dataObjectReference", "dataStoreReference", "incoming", "outgoing", "sequenceFlow", "auditing",
    "monitoring", "ioSpecification", "dataInputAssociation", "dataOutputAssociation", "resourceRole", "supports",
    "correlationSubscription", "supportedInterfaceRef", "ioBinding", "artifact",
}  # fmt: skip
INNER: Final = SILENT | {
    "standardLoopCharacteristics", "multiInstanceLoopCharacteristics", "script", "eventDefinitionRef", "performer",
    "humanPerformer", "potentialOwner", "completionCondition", "rendering", "dataInput", "dataOutput", "inputSet",
    "outputSet", "operationRef",
}  # fmt: skip
ADVICE: Final = {
    "complexGateway": "complex gateways are not run; use exclusive, parallel or inclusive gateways",
    "callConversation": "conversations are not run; draw the messages",
    "implicitThrowEvent": "use an intermediate throw event",
    "subChoreography": "choreographies are not run; draw processes",
    "choreographyTask": "choreographies are not run; draw processes",
}
INTERRUPTING: Final = {"boundaryEvent": "cancelActivity"}
YES: Final = {"true", "1"}
CONDITIONAL: Final = ACTIVITIES | {"exclusiveGateway", "inclusiveGateway"}
MOST_TOKENS: Final = 100


class Reader:
    """One pass over one file that collects `scopes` and `faults`; it never stops at the first fault.

    `names` is the administrator's table of errands. `forms` are form-js schemas the file carries in itself,
    `partners` the processes of its pools, in the order they are drawn.
    """

    def __init__(self, file: str, root: Any, names: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.page = Page(file, root, names or {})
        self.scopes: dict[str, Scope] = {}
        self.partners = [each.get("processRef", "").rpartition(":")[2] for each in root.iter(f"{BPMN}participant")]

    @property
    def faults(self) -> list[Fault]:
        """What was found wrong so far."""
        return self.page.faults

    @property
    def forms(self) -> dict[str, dict[str, Any]]:
        """The forms that the file carries in itself, by name."""
        return self.page.forms

    def read(self) -> None:
        """Read every process and global task of the file."""
        self._check_ids()
        for node, level, why in dialects.notes(self.root):
            self.page.fault(node, why, level)
        for each in self.root.iter(f"{BPMN}correlationProperty"):
            self.page.warn(each, "correlation properties are not compared; give the message a zeebe:subscription key")
        for child in self.root.iterchildren(f"{BPMN}*"):
            if markup.local(child) == "process":
                lanes = self._lanes(child)
                fillings.embedded(self.page, child)
                self._scope(child, child.get("id", ""), lanes, None)
            elif markup.local(child) in GLOBAL:
                self._global(child)

    def _check_ids(self) -> None:
        seen: set[str] = set()
        for node in self.root.iter(f"{BPMN}*"):
            name = node.get("id", "")
            if name in seen:
                self.page.fault(node, "this id is used twice in the file; give each element an id of its own")
            if name.startswith("."):
                self.page.fault(node, "an id does not begin with a full stop; begin it with a letter")
            if len(name) > LONGEST_CODE:
                self.page.fault(node, f"this id is longer than {LONGEST_CODE} characters; shorten it")
            if name:
                seen.add(name)

    def _global(self, child: Any) -> None:
        if not child.get("id"):
            self.page.fault(child, "this has no id; give it one of its own")
        scope = Scope(child.get("id", ""), self.page.file, child.sourceline, child.get("id", ""), False)
        self.scopes[scope.id] = scope
        node = self._node(scope, child, GLOBAL[markup.local(child)], None)
        # Its own id belongs to the scope, as the id of a process does.
        scope.nodes[f"{node.id}_task"] = replace(node, id=f"{node.id}_task")

    def _scope(self, node: Any, process: str, lanes: dict[str, str], lane: str | None) -> None:
        if not node.get("id"):
            self.page.fault(node, f"this {markup.local(node)} needs an id")
        scope = Scope(
            node.get("id", ""), self.page.file, node.sourceline, process,
            node.get("isExecutable") in YES, node.get("name", ""),
        )  # fmt: skip
        self.scopes[scope.id] = scope
        allowed = INNER if markup.local(node) in EMBEDDED else SILENT
        for child in node.iterchildren(f"{BPMN}*"):
            kind = markup.local(child)
            if kind in NODES:
                self._drawn(scope, child, lanes, lane)
            elif kind not in allowed:
                self.page.fault(child, ADVICE.get(kind, f"{kind} is not supported; remove it or draw it otherwise"))
                if kind in ADVICE:
                    # It stays in the drawing, so that what is joined to it is not called lost as well.
                    name = child.get("id", "")
                    scope.nodes[name] = Node(name, kind, "", self.page.file, child.sourceline, process, lane)
        for child in node.iterchildren(f"{BPMN}sequenceFlow"):
            self._flow(scope, child)
        for child in node.iterchildren(*(f"{BPMN}{kind}" for kind in ACTIVITIES)):
            scripts.beside(self.page, scope, child)
        self._handlers(scope, node)

    def _drawn(self, scope: Scope, child: Any, lanes: dict[str, str], lane: str | None) -> None:
        kind = markup.local(child)
        if not child.get("id"):
            self.page.fault(child, f"this {kind} needs an id")
        read = self._node(scope, child, kind, lanes.get(child.get("id", ""), lane))
        scope.nodes[read.id] = read
        if kind in EMBEDDED:
            self._scope(child, scope.process, lanes, read.lane)

    def _flow(self, scope: Scope, node: Any) -> None:
        if not node.get("id"):
            self.page.fault(node, "this sequenceFlow needs an id")
        source = scope.nodes.get(node.get("sourceRef", ""))
        condition = node.find(f"{BPMN}conditionExpression")
        formula = None
        refused = source is not None and source.kind in ADVICE
        if condition is not None and text_of(condition) and not refused:
            if source is not None and source.kind not in CONDITIONAL:
                self.page.warn(node, f"this condition is never asked, as it leaves a {source.kind}; remove it")
            elif source is not None and source.default == node.get("id"):
                self.page.warn(node, "this condition is never asked, as it is the default flow; remove it")
            else:
                formula = self.page.expression(condition, "condition") or REFUSED
        flow = Flow(node.get("id", ""), node.get("sourceRef", ""), node.get("targetRef", ""), formula, node.sourceline)
        scope.flows[flow.id] = flow

    def _node(self, scope: Scope, node: Any, kind: str, lane: str | None) -> Node:
        self._children(node, kind)
        events: tuple[Event, ...] = ()
        definitions = triggers.defined(self.page, node) if kind in EVENTS else []
        told = next((each for each in definitions if "message" in each.tag), node)
        deed = self._deed(node, kind, told)
        if kind in {"receiveTask", "sendTask"} and not deed.calls:
            events = self._message(node, kind)
        elif deed.kind in EVENTS:
            events = triggers.events(self.page, node, kind, definitions)
        human, triggered = kind in HUMAN, node.get("triggeredByEvent") in YES
        inputs, outputs = fillings.values(self.page, node, told)
        adhoc = node.find(f"{BPMN}completionCondition") if kind == "adHocSubProcess" else None
        return Node(
            id=node.get("id", ""),
            kind=deed.kind,
            name=node.get("name", "").strip(),
            file=self.page.file,
            line=node.sourceline,
            process=scope.process,
            lane=lane or (vendors.lane(node) if human else None),
            form=fillings.form(self.page, node) if human or kind == "startEvent" else None,
            calls=deed.calls,
            variable=deed.variable,
            properties=vendors.properties(node),
            events=events,
            all_events=node.get("parallelMultiple") in YES,
            attached=node.get("attachedToRef", "").rpartition(":")[2] if kind == "boundaryEvent" else None,
            interrupting=node.get(INTERRUPTING.get(kind, "isInterrupting"), "true") in YES,
            default=node.get("default") or None,
            script=deed.script,
            loop=loops.loop(self.page, node) if kind in ACTIVITIES else None,
            ad_hoc=AdHoc(
                sequential=node.get("ordering", "Parallel") == "Sequential",
                condition=None if adhoc is None else self.page.expression(adhoc, "completion condition"),
                cancels=node.get("cancelRemainingInstances", "true") in YES,
            ) if kind == "adHocSubProcess" else None,
            inputs=inputs,
            outputs=outputs,
            assignment=vendors.assignment(self.page, node) if human else (),
            triggered=kind in EMBEDDED and triggered,
            compensates=node.get("isForCompensation") in YES and not triggered,
            instantiates=node.get("instantiate") in YES,
            takes=self._quantity(node, "startQuantity"),
            gives=self._quantity(node, "completionQuantity"),
        )  # fmt: skip

    def _deed(self, node: Any, kind: str, told: Any) -> Deed:
        """Return what an element does here, which need not be as drawn: a rule done by a job is an errand."""
        throws = kind in {"intermediateThrowEvent", "endEvent"} and told is not node
        if kind in ERRANDS | {"businessRuleTask", "scriptTask"} or throws:
            found = vendors.deed(self.page, node, kind, told)
            if found is not None:
                return found
        if kind == "scriptTask":
            return scripts.script(self.page, node)
        if kind == "callActivity":
            called = extension(node, "calledElement", "processId") or node.get("calledElement", "").strip()
            if not called or called.startswith("=") or "${" in called or "#{" in called:
                self.page.fault(node, "it must name the process it calls as plain text (calledElement)")
            return Deed(kind, called.rpartition(":")[2] or None)
        if kind == "serviceTask":
            self.page.fault(node, "it must name its errand: topic, zeebe:taskDefinition type or serviceTaskOperator")
        if kind == "businessRuleTask":
            self.page.fault(node, "it must name its decision: decisionRef, zeebe:calledDecision or calledDecisionId")
        return Deed(kind)

    def _message(self, node: Any, kind: str) -> tuple[Event, ...]:
        if node.get("messageRef"):
            return (triggers.referred(self.page, node, "message", catching=kind == "receiveTask"),)
        if kind == "sendTask":
            self.page.fault(node, "it must name its message (messageRef) or its errand")
            return ()
        self.page.warn(node, f"it names no message and waits for one called {node.get('id')!r}; give it a messageRef")
        return (Event("message", node.get("id", "")),)

    def _quantity(self, node: Any, attr: str) -> int:
        found = number(node.get(attr, "1"))
        if found is None or not 1 <= found <= MOST_TOKENS:
            self.page.fault(
                node, f"its {attr} is {node.get(attr)!r}; it must be a whole number from 1 to {MOST_TOKENS}"
            )
            return 1
        return found

    def _children(self, node: Any, kind: str) -> None:
        """Refuse what stands inside an element and is not known."""
        if node.get("eventGatewayType", "Exclusive") != "Exclusive":
            self.page.fault(node, "it waits for all its events; use a parallel gateway and one event behind each flow")
        for each in extensions(node, "adHoc"):
            if each.get("activeElementsCollection") or each.get("outputCollection"):
                self.page.fault(node, "all activities of an ad-hoc sub-process are offered; remove its collections")
        if kind in EMBEDDED | {"callActivity", "receiveTask"} and extensions(node, "taskDefinition"):
            self.page.fault(node, f"no job does the work of a {kind}; use a serviceTask or remove the taskDefinition")
        for association in node.iterchildren(f"{BPMN}dataInputAssociation", f"{BPMN}dataOutputAssociation"):
            if any(markup.local(child) in {"transformation", "assignment"} for child in association):
                self.page.warn(node, "data associations are documentation; map the values with inputs and outputs")
        for child in node.iterchildren(f"{BPMN}*") if kind not in EMBEDDED else ():
            name = markup.local(child)
            if name not in INNER and not (name.endswith("EventDefinition") and kind in EVENTS):
                self.page.fault(child, f"{name} is not supported here; remove it or draw it otherwise")

    def _handlers(self, scope: Scope, node: Any) -> None:
        """Join compensation events to their handlers by the associations drawn between them."""
        for arrow in node.iterchildren(f"{BPMN}association"):
            for here, there in ((arrow.get("sourceRef"), arrow.get("targetRef")),
                                (arrow.get("targetRef"), arrow.get("sourceRef"))):  # fmt: skip
                guard, handler = scope.nodes.get(here or ""), scope.nodes.get(there or "")
                if guard and handler and guard.kind == "boundaryEvent" and handler.compensates:
                    scope.nodes[guard.id] = replace(guard, handler=handler.id)

    def _lanes(self, process: Any) -> dict[str, str]:
        """Map each element to the name of its innermost lane (document order visits outer lanes first)."""
        known = {node.get("id") for node in process.iter(f"{BPMN}*")}
        lanes: dict[str, str] = {}
        for lane in process.iter(f"{BPMN}lane"):
            name = lane.get("name", "").strip()
            if not name:
                self.page.warn(lane, "this lane has no name, so its id stands for it; name the department that acts")
            for reference in lane.iterchildren(f"{BPMN}flowNodeRef"):
                element = text_of(reference)
                if element not in known:
                    self.page.fault(lane, f"this lane names {element!r}, which is not in the process; remove it")
                lanes[element] = name or lane.get("id", "")
        return lanes
