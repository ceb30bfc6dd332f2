"""What a drawing must satisfy before a case may run on it (流程校验): every rule that can be told without data.

Rules about what stands beside what are here; `connections` has those about errors, compensation and calls.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from approval.domain.errors import Fault
from approval.engine import connections, moments
from approval.engine.diagrams import ACTIVITIES, EMBEDDED, ERRANDS, GATEWAYS, HUMAN, Node, Scope, Timing
from approval.expressions import feel

WRITERS: Final = (
    HUMAN | ERRANDS | {"businessRuleTask", "callActivity", "receiveTask", "intermediateCatchEvent", "boundaryEvent"}
)
CHOOSING: Final = {"exclusiveGateway", "inclusiveGateway"}
CAUGHT: Final = {"timer", "message", "signal", "conditional"}
INSIDE: Final = CAUGHT | {"error", "escalation", "compensation"}
SUDDEN: Final = {"error", "cancel"}


def faults(scopes: Mapping[str, Scope], tables: Mapping[str, Any], most: int) -> list[Fault]:
    """Return every fault (缺陷) of the scopes taken together; `most` is the number of elements allowed.

    `tables` are the decisions by id. A fault of level warning does not stop a case from running.
    """
    nodes = [node for scope in scopes.values() for node in scope.nodes.values()]
    if len(nodes) > most:
        first = nodes[0]
        return [Fault(first.file, first.process, 0, f"there are more than {most} elements; split the procedure")]
    sites = {node.id: node for node in nodes if node.kind in EMBEDDED}
    found: list[Fault] = []
    for scope in scopes.values():
        found += _scope(scope, sites.get(scope.id), scopes)
    found += _names(nodes)
    found += [fault for node in nodes for fault in _timers(node)]
    found += [
        fault_of(node, f"there is no decision {node.calls!r} among the tables; add its DMN file")
        for node in nodes
        if node.kind == "businessRuleTask" and node.calls and node.calls not in tables
    ]
    return found + connections.faults(scopes)


def fault_of(node: Node, why: str, level: str = "error") -> Fault:
    """Return a fault at a node (节点缺陷)."""
    return Fault(node.file, node.id, node.line, why, node.name, level)


def _names(nodes: list[Node]) -> Iterator[Fault]:
    owners: dict[str, Node] = {}
    writers = [node for node in nodes if node.kind in WRITERS]
    for node in writers:
        if node.id in owners and owners[node.id].file != node.file:
            yield fault_of(node, f"{owners[node.id].file} has an element of this id too; outcomes are kept by id")
        owners[node.id] = node
    for node in writers:
        if node.variable is not None and not node.variable.isidentifier():
            yield fault_of(node, f"its result variable {node.variable!r} must be letters, digits and underscores")
        if node.variable in owners and node.variable != node.id:
            yield fault_of(node, f"its result variable {node.variable!r} is the id of another element; rename it")


def _timers(node: Node) -> Iterator[Fault]:
    for event in node.events:
        if event.timing is not None and event.timing.countdown is None:
            try:
                _timing(event.timing)
            except ValueError as problem:
                yield fault_of(node, f"its timer: {problem}")
            except feel.ExpressionRefused as refusal:
                yield fault_of(node, f"its timer: {refusal.facts['why']}")


def _timing(timing: Timing) -> None:
    if not timing.text.startswith("="):
        moments.check(timing.kind, timing.text)
        return
    expression = timing.text[1:].strip()
    feel.check(expression)
    try:
        moments.check(timing.kind, expression)
    except ValueError:
        return
    # FEEL reads PT1H as the name of a fact, and R3/PT1H as a division.
    raise ValueError(f'write {expression} without the equals sign, or in quotes: ="{expression}"')


def _scope(scope: Scope, site: Node | None, scopes: Mapping[str, Scope]) -> Iterator[Fault]:
    whole = True
    for flow in scope.flows.values():
        for name in (flow.source, flow.target):
            if name not in scope.nodes:
                whole = False
                elsewhere = next((each.id for each in scopes.values() if name in each.nodes), None)
                why = f"it leads across a border, to {name!r} in {elsewhere!r}; a flow stays inside one process"
                lost = f"it points at {name!r}, which is not in the file; draw it again"
                yield Fault(scope.file, flow.id, flow.line, why if elsewhere else lost)
    for node in scope.nodes.values():
        yield from _flows(scope, node)
        yield from _event(scope, node, site)
        if node.kind == "boundaryEvent":
            yield from _boundary(scope, node)
        if node.kind == "eventBasedGateway":
            yield from _race(scope, node)
        if node.kind in CHOOSING | ACTIVITIES:
            yield from _choices(scope, node)
    yield from _begins(scope, site)
    if whole and scope.nodes:
        reached = reach(scope)
        why = "no flow leads here; lead one here or remove it"
        yield from (fault_of(node, why) for node in scope.nodes.values() if node.id not in reached)


def _begins(scope: Scope, site: Node | None) -> Iterator[Fault]:
    if site is not None and site.triggered:
        starts = [node for node in scope.nodes.values() if node.kind == "startEvent"]
        if len(starts) != 1 or not starts[0].events:
            yield fault_of(site, "an event sub-process needs exactly one start event, with the event that starts it")
        for start in starts:
            if start.event.kind == "error" and not start.interrupting:
                yield fault_of(start, "an error always interrupts; remove isInterrupting=false")
        return
    if site is not None and site.kind != "adHocSubProcess" and scope.starters():
        yield from (fault_of(node, "only an event sub-process may start on an event") for node in scope.starters())
    for other in [node for node in scope.entries() if node.kind == "startEvent"][1:]:
        why = "this start begins in every case, beside the first; BPMN means one or the other: give each an event"
        yield fault_of(other, why, "warning")
    if scope.nodes and not scope.entries() and not scope.starters():
        yield Fault(scope.file, scope.id, scope.line, "nothing can begin here; add a start event", scope.name)


def reach(scope: Scope) -> set[str]:
    """Return every node that a token can come to (可达节点), boundary events and compensation included."""
    leading: dict[str, list[str]] = {}
    for flow in scope.flows.values():
        leading.setdefault(flow.source, []).append(flow.target)
    for node in scope.nodes.values():
        if node.attached:
            leading.setdefault(node.attached, []).append(node.id)
        if node.handler:
            leading.setdefault(node.id, []).append(node.handler)
        if node.kind == "intermediateThrowEvent" and node.event.kind == "link":
            leading.setdefault(node.id, []).extend(each.id for each in landings(scope, node))
    reached: set[str] = set()
    ahead = [node.id for node in (*scope.entries(), *scope.starters())]
    ahead += [node.id for node in scope.nodes.values() if node.triggered]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += leading.get(here, [])
    return reached


def landings(scope: Scope, throw: Node) -> list[Node]:
    """Return the link catch events that a link throw event leads to (链接终点)."""
    return [
        node
        for node in scope.nodes.values()
        if node.kind == "intermediateCatchEvent" and node.event.kind == "link" and node.event.name == throw.event.name
    ]


def _flows(scope: Scope, node: Node) -> Iterator[Fault]:
    leaving, entering = scope.leaving(node.id), scope.entering(node.id)
    link = node.event.kind == "link"
    if entering and (node.kind in {"startEvent", "boundaryEvent"} or (link and node.kind == "intermediateCatchEvent")):
        yield fault_of(node, "no flow may lead into it")
    if leaving and (node.kind == "endEvent" or (link and node.kind == "intermediateThrowEvent")):
        yield fault_of(node, "no flow may leave it")
    if node.kind in GATEWAYS and not leaving:
        yield fault_of(node, "no flow leaves this gateway; lead it on or to an end event")
    if (node.triggered or node.compensates) and (leaving or entering):
        what = "an event sub-process" if node.triggered else "a compensation handler"
        yield fault_of(node, f"{what} is not reached by flows; remove the flows into and out of it")
    if node.instantiates and entering:
        yield fault_of(node, "what starts a process (instantiate) has no flow into it; remove the flow or the mark")
    if node.default is not None and node.default not in {flow.id for flow in leaving}:
        yield fault_of(node, f"its default flow {node.default!r} does not leave it; choose one that does")


def _event(scope: Scope, node: Node, site: Node | None) -> Iterator[Fault]:
    kinds = {event.kind for event in node.events}
    if node.kind == "startEvent" and kinds & (INSIDE - CAUGHT) and not (site and site.triggered):
        yield fault_of(node, f"only an event sub-process starts on {', '.join(sorted(kinds))}; use a plain start event")
    if node.kind == "endEvent" and "cancel" in kinds and (site is None or site.kind != "transaction"):
        yield fault_of(node, "only a transaction can be cancelled; put it inside one or use an error end event")
    if "link" not in kinds:
        return
    if len(node.events) > 1:
        yield fault_of(node, "a link event has no other definition beside it")
    found = landings(scope, node)
    if node.kind == "intermediateThrowEvent" and not found:
        yield fault_of(node, f"no link catch event is named {node.event.name!r} here; name one so")
    if node.kind == "intermediateCatchEvent" and found[0] is not node:
        yield fault_of(node, f"{found[0].id} is a link catch event of this name too; give each a name of its own")


def _boundary(scope: Scope, node: Node) -> Iterator[Fault]:
    host = scope.nodes.get(node.attached or "")
    kinds = {event.kind for event in node.events}
    if host is None or host.kind not in ACTIVITIES or host.triggered:
        yield fault_of(
            node, f"it is attached to {node.attached!r}, which is no task or sub-process beside it; attach it"
        )
    elif "cancel" in kinds and host.kind != "transaction":
        yield fault_of(node, "only a transaction can be cancelled; attach it to one")
    if kinds & SUDDEN and not node.interrupting:
        yield fault_of(node, f"{' and '.join(sorted(kinds & SUDDEN))} always interrupts; remove cancelActivity=false")
    if "compensation" in kinds:
        handler = scope.nodes.get(node.handler or "")
        if handler is None:
            yield fault_of(node, "no compensation handler is joined to it; draw an association to one")
        if scope.leaving(node.id):
            yield fault_of(node, "no flow leaves a compensation event; join it to its handler with an association")


def _race(scope: Scope, node: Node) -> Iterator[Fault]:
    for flow in scope.leaving(node.id):
        target = scope.nodes.get(flow.target)
        if target is None:
            continue
        catches = target.kind == "receiveTask" or (
            target.kind == "intermediateCatchEvent" and {event.kind for event in target.events} <= CAUGHT
        )
        if not catches or len(scope.entering(target.id)) > 1:
            yield fault_of(
                node, f"only events and receive tasks of its own may follow it, and {flow.target} is not one"
            )


def _choices(scope: Scope, node: Node) -> Iterator[Fault]:
    leaving = scope.leaving(node.id)
    conditions = [flow.condition for flow in leaving if flow.condition is not None]
    for flow in leaving:
        if flow.condition is None and node.kind in CHOOSING and len(leaving) > 1 and flow.id != node.default:
            why = f"it leaves {node.id} and needs a condition, or must be the default"
            yield Fault(scope.file, flow.id, flow.line, why, "")
    if not leaving or len(conditions) < len(leaving):
        return
    if all(condition.text.strip().lower() == "false" for condition in conditions):
        yield fault_of(node, "no condition can ever hold and there is no default flow; there is no way out")
    else:
        yield fault_of(node, "a case stops here with an incident if no condition holds; add a default flow", "warning")
