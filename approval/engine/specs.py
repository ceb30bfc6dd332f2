"""Procedures as SpiffWorkflow specs (流程构建): one for every scope, and one for every activity done repeatedly."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec

from approval.engine import happenings, steps, undertakings
from approval.engine.diagrams import ERRANDS, HUMAN, NESTED, AdHoc, Node, Scope
from approval.engine.steps import Step

STEPS: Final[dict[str, type[Step]]] = {
    "exclusiveGateway": steps.Choosing,
    "parallelGateway": steps.Parallel,
    "inclusiveGateway": steps.Inclusive,
    "eventBasedGateway": steps.Racing,
    "businessRuleTask": undertakings.Ruling,
    "scriptTask": undertakings.Scripted,
    "receiveTask": happenings.Receiving,
    "boundaryEvent": happenings.Boundary,
    "startEvent": steps.Passing,
    **dict.fromkeys(HUMAN | ERRANDS, undertakings.Turn),
    **dict.fromkeys(NESTED, undertakings.Nested),
}
ENDS: Final[dict[str, type[Step]]] = {
    "none": steps.Passing,
    "error": happenings.Failing,
    "terminate": happenings.Terminating,
    "cancel": happenings.Cancelling,
}


class Procedure(BpmnProcessSpec):
    """A scope as a spec: its steps by the ids of their elements, and where tokens come in.

    The stock start and end are taken away: an XML id may be called Start or End, and ours needs neither.
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope.id)
        self.task_specs.clear()
        self.scope = scope
        self.sources = {flow.id: flow.source for flow in scope.flows.values()}
        self.entries: list[Step] = []
        self.listeners: list[Any] = []
        self.ad_hoc: AdHoc | None = None


def build(scopes: Mapping[str, Scope]) -> dict[str, Procedure]:
    """Build a spec for every scope (构建流程); the scopes have passed the checks of an upload."""
    built = {name: _procedure(scope) for name, scope in scopes.items()}
    for scope in scopes.values():
        for node in scope.nodes.values():
            if node.kind == "adHocSubProcess":
                built[node.id].ad_hoc = node.ad_hoc
            if node.triggered:
                start = next(each for each in scopes[node.id].nodes.values() if each.kind == "startEvent")
                inner = built[scope.id].task_specs[node.id]
                built[scope.id].listeners.append(happenings.Listener(built[scope.id], start, inner))
            if node.loop is not None:
                built[f".Each {node.id}"] = _each(scope, node)
    return built


def _procedure(scope: Scope) -> Procedure:
    procedure = Procedure(scope)
    made = {node.id: _step(procedure, node) for node in scope.nodes.values()}
    for flow in scope.flows.values():
        source, target = made[flow.source], made[flow.target]
        source.lead(flow, target)
        if isinstance(target, steps.Joining):
            target.entering.add(flow.id)
    for node in scope.nodes.values():
        if node.attached is not None:
            host = made[node.attached]
            host.guards.append(made[node.id])
            host.connect(made[node.id])
        if isinstance(thrower := made[node.id], happenings.Linking):
            thrower.target = next(
                made[other.id]
                for other in scope.nodes.values()
                if other.kind == "intermediateCatchEvent"
                and other.event.kind == "link"
                and other.event.name == node.event.name
            )
            thrower.connect(thrower.target)
    procedure.entries = [made[node.id] for node in scope.entries()]
    return procedure


def _each(scope: Scope, node: Node) -> Procedure:
    """Build the scope of one instance of a repeated activity: the activity alone, what is written outside left off."""
    once = replace(node, loop=None, attached=None, default=None, inputs=(), outputs=(), takes=1, gives=1)
    name = f".Each {node.id}"
    return _procedure(Scope(name, scope.file, node.line, scope.process, executable=False, nodes={node.id: once}))


def _step(procedure: Procedure, node: Node) -> Step:
    made: type[Step]
    if node.loop is not None:
        made = undertakings.Repeated
    elif node.kind == "sendTask" and node.events:
        made = happenings.Sending
    elif node.kind == "intermediateThrowEvent" and node.event.kind == "link":
        made = happenings.Linking
    elif node.kind == "intermediateThrowEvent":
        made = happenings.Throwing if node.events else steps.Passing
    elif node.kind == "endEvent":
        made = ENDS.get(node.event.kind, happenings.Throwing)
    elif node.kind == "intermediateCatchEvent":
        made = happenings.Catching if node.event.kind != "link" else steps.Passing
    else:
        made = STEPS[node.kind]
    return made(procedure, node)
