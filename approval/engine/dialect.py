"""What a drawing must satisfy before a case may run on it (流程校验): every rule that can be told without data."""

from collections.abc import Iterable, Mapping
from typing import Final

from approval.domain.errors import Fault
from approval.engine import moments
from approval.engine.diagrams import ERRANDS, GATEWAYS, HUMAN, NESTED, Node, Scope
from approval.expressions import feel
from approval.expressions.tables import Table

WRITERS: Final = HUMAN | ERRANDS | {"businessRuleTask", "callActivity", "intermediateCatchEvent", "boundaryEvent"}
WAITING: Final = HUMAN | ERRANDS | {"intermediateCatchEvent"}
CHOOSING: Final = {"exclusiveGateway", "inclusiveGateway"}


def faults(scopes: Mapping[str, Scope], tables: Mapping[str, Table], most: int) -> list[Fault]:
    """Return every fault (缺陷) of the scopes taken together; `most` is the number of elements allowed."""
    found = [fault for scope in scopes.values() for fault in _scope(scope)]
    nodes = [node for scope in scopes.values() for node in scope.nodes.values()]
    if len(nodes) > most:
        first = nodes[0]
        found.append(Fault(first.file, first.process, 0, f"there are more than {most} elements; split the procedure"))
    found += _names(nodes)
    found += [fault for node in nodes for fault in _node(node, scopes, tables)]
    return [*found, *_errors(scopes), *_circles(scopes)]


def _fault(node: Node, why: str) -> Fault:
    return Fault(node.file, node.id, node.line, why)


def _names(nodes: list[Node]) -> Iterable[Fault]:
    writers = [node for node in nodes if node.kind in WRITERS]
    owners: dict[str, Node] = {}
    for node in writers:
        if not node.id.isidentifier():
            yield _fault(node, "its outcome is read by this id; use letters, digits and underscores only")
        if node.id in owners:
            yield _fault(node, f"{owners[node.id].file} has an element of this id too; outcomes are kept by id")
        owners[node.id] = node
    for node in writers:
        if node.variable is not None and not node.variable.isidentifier():
            yield _fault(node, f"resultVariable {node.variable!r} must be letters, digits and underscores")
        if node.variable in owners and node.variable != node.id:
            yield _fault(node, f"resultVariable {node.variable!r} is the id of another element")


def _node(node: Node, scopes: Mapping[str, Scope], tables: Mapping[str, Table]) -> Iterable[Fault]:
    if node.kind == "businessRuleTask" and node.calls and node.calls not in tables:
        yield _fault(node, f"there is no decision {node.calls!r} among the tables")
    if node.kind == "callActivity" and node.calls:
        called = scopes.get(node.calls)
        if called is None or called.process != called.id:
            yield _fault(node, f"there is no process {node.calls!r} among the files")
    if node.event.timing:
        try:
            check_timing(node)
        except (ValueError, feel.ExpressionRefused) as problem:
            why = problem.facts["why"] if isinstance(problem, feel.ExpressionRefused) else problem
            yield _fault(node, f"its timer: {why}")


def check_timing(node: Node) -> None:
    """Refuse a timer (定时) that could never be due: ValueError for text, ExpressionRefused for FEEL."""
    timing = node.event.timing
    if timing is None or timing.countdown is not None:
        return
    if timing.text.startswith("="):
        expression = timing.text[1:].strip()
        feel.check(expression)
        if expression.startswith(("P1", "PT")) and expression.isalnum():
            raise ValueError(f'write {expression} without the equals sign, or in quotes: ="{expression}"')
    elif timing.kind == "timeDuration":
        moments.after(timing.text, moments.at("2000-01-01T00:00:00+00:00"))
    else:
        moments.at(timing.text)


def _scope(scope: Scope) -> Iterable[Fault]:
    for flow in scope.flows.values():
        lost = [name for name in (flow.source, flow.target) if name not in scope.nodes]
        if lost:
            yield Fault(scope.file, flow.id, flow.line, f"it points at {lost[0]!r}, which is not in {scope.id}")
        if flow.condition is not None:
            try:
                feel.check(flow.condition)
            except feel.ExpressionRefused as refusal:
                yield Fault(scope.file, flow.id, flow.line, f"its condition: {refusal.facts['why']}")
    starts = [node for node in scope.nodes.values() if node.kind == "startEvent"]
    if scope.nodes and len(starts) != 1:
        yield Fault(scope.file, scope.id, scope.line, f"it needs exactly one start event and has {len(starts)}")
    for node in scope.nodes.values():
        yield from _edges(scope, node)
    if starts:
        reached = reach(scope, starts[0].id)
        yield from (_fault(node, "no flow leads here") for node in scope.nodes.values() if node.id not in reached)


def reach(scope: Scope, start: str) -> set[str]:
    """Return every node a token can come to from `start` (可达节点), boundary events of what it stands on included."""
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        if here in reached:
            continue
        reached.add(here)
        ahead += [flow.target for flow in scope.leaving(here)]
        ahead += [node.id for node in scope.nodes.values() if node.attached == here]
    return reached


def _edges(scope: Scope, node: Node) -> Iterable[Fault]:
    leaving, entering = scope.leaving(node.id), scope.entering(node.id)
    if node.kind in {"startEvent", "boundaryEvent"} and entering:
        yield _fault(node, "no flow may lead into it")
    if node.kind == "endEvent" and leaving:
        yield _fault(node, "no flow may leave it")
    if node.kind != "endEvent" and not leaving:
        yield _fault(node, "no flow leaves it; lead it on or to an end event")
    if node.kind not in GATEWAYS and len(leaving) > 1:
        yield _fault(node, "several flows leave it; say with a gateway whether all of them or one of them")
    if len({flow.target for flow in leaving}) < len(leaving):
        yield _fault(node, "two flows lead to the same element; join their conditions with or")
    if node.kind == "boundaryEvent":
        yield from _boundary(scope, node)
    if node.kind == "eventBasedGateway":
        for flow in leaving:
            target = scope.nodes.get(flow.target)
            if target and (target.kind != "intermediateCatchEvent" or len(scope.entering(target.id)) > 1):
                yield _fault(node, f"only an event of its own may follow it, and {flow.target} is not one")
    yield from _choices(scope, node)


def _boundary(scope: Scope, node: Node) -> Iterable[Fault]:
    host = scope.nodes.get(node.attached or "")
    if host is None or host.kind not in HUMAN | ERRANDS | NESTED:
        yield _fault(node, "attach it to a task that waits, a sub-process or a call activity")
    elif node.event.kind == "error" and host.kind not in NESTED:
        yield _fault(node, "errors come out of sub-processes and call activities only; attach it to one")
    if node.event.kind == "error" and not node.interrupting:
        yield _fault(node, "an error always interrupts; remove cancelActivity=false")


def _choices(scope: Scope, node: Node) -> Iterable[Fault]:
    leaving = scope.leaving(node.id)
    chooses = node.kind in CHOOSING and len(leaving) > 1
    if node.default is not None and node.default not in {flow.id for flow in leaving}:
        yield _fault(node, f"its default flow {node.default!r} does not leave it")
    for flow in leaving:
        if flow.condition is not None and (not chooses or flow.id == node.default):
            why = "this condition would never be asked; remove it or put it behind a choosing gateway"
            yield Fault(scope.file, flow.id, flow.line, why)
        if flow.condition is None and chooses and flow.id != node.default:
            why = f"it leaves {node.id} and needs a condition, or must be the default"
            yield Fault(scope.file, flow.id, flow.line, why)


def _sites(scopes: Mapping[str, Scope], target: Scope) -> list[tuple[Scope, Node]]:
    """Return where a scope is embedded or called."""
    return [
        (scope, node)
        for scope in scopes.values()
        for node in scope.nodes.values()
        if (node.kind == "subProcess" and node.id == target.id)
        or (node.kind == "callActivity" and node.calls == target.id)
    ]


def _errors(scopes: Mapping[str, Scope]) -> Iterable[Fault]:
    return [
        _fault(node, f"nobody catches the error {node.event.name!r}; put an error boundary event around it")
        for scope in scopes.values()
        for node in scope.nodes.values()
        if node.kind == "endEvent" and node.event.kind == "error" and not _caught(scopes, scope, node.event.name, ())
    ]


def _caught(scopes: Mapping[str, Scope], scope: Scope, code: str | None, above: tuple[str, ...]) -> bool:
    sites = [] if scope.id in above else _sites(scopes, scope)
    return bool(sites) and all(
        any(
            other.attached == node.id and other.event.kind == "error" and other.event.name in {None, code}
            for other in outer.nodes.values()
        )
        or _caught(scopes, outer, code, (*above, scope.id))
        for outer, node in sites
    )


def _circles(scopes: Mapping[str, Scope]) -> list[Fault]:
    """Refuse loops in which nobody and nothing is ever waited for, and processes that call themselves."""
    found = []
    for scope in scopes.values():
        passing = {node.id for node in scope.nodes.values() if node.kind not in WAITING | NESTED}
        steps = {name: [flow.target for flow in scope.leaving(name) if flow.target in passing] for name in passing}
        found += [_fault(scope.nodes[name], "this loop waits for nobody; put a task in it") for name in _looping(steps)]
    calls = {
        scope.id: [node.calls or node.id for node in scope.nodes.values() if node.kind in NESTED]
        for scope in scopes.values()
    }
    for name in _looping({key: [each for each in called if each in calls] for key, called in calls.items()}):
        scope = scopes[name]
        found.append(Fault(scope.file, scope.id, scope.line, "this process calls itself, and would for ever"))
    return found


def _looping(steps: Mapping[str, list[str]]) -> list[str]:
    """Return the names on loops, by taking away whatever leads nowhere until nothing more can go."""
    left = dict(steps)
    while True:
        ends = [name for name, nexts in left.items() if not any(each in left for each in nexts)]
        ends += [name for name in left if not any(name in nexts for nexts in left.values())]
        if not ends:
            return sorted(left)
        for name in set(ends):
            del left[name]
