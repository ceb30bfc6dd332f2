"""What elements must find elsewhere (关联校验): who catches an error, what is compensated, which process is called."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from approval.domain.errors import Fault
from approval.engine.diagrams import EMBEDDED, GATEWAYS, NESTED, Node, Scope

# Elements that change no data: a circle of nothing else would be walked for ever.
IDLE: Final = GATEWAYS | {"intermediateThrowEvent"}


def faults(scopes: Mapping[str, Scope]) -> list[Fault]:
    """Return what is missing between scopes (关联缺陷)."""
    found = [fault for scope in scopes.values() for node in scope.nodes.values() for fault in _called(scopes, node)]
    found += _uncaught(scopes)
    found += _compensated(scopes)
    return [*found, *_circles(scopes)]


def _fault(node: Node, why: str, level: str = "error") -> Fault:
    return Fault(node.file, node.id, node.line, why, node.name, level)


def _called(scopes: Mapping[str, Scope], node: Node) -> Iterator[Fault]:
    if node.kind != "callActivity" or not node.calls:
        return
    called = scopes.get(node.calls)
    if called is None or called.process != called.id:
        yield _fault(node, f"there is no process {node.calls!r} among the files; add its file or correct the reference")
    elif not called.entries():
        yield _fault(node, f"{node.calls!r} has no plain start event, so it cannot be called; add one")


def _sites(scopes: Mapping[str, Scope], target: Scope) -> list[tuple[Scope, Node]]:
    """Return where a scope is embedded or called."""
    return [
        (scope, node)
        for scope in scopes.values()
        for node in scope.nodes.values()
        if (node.kind in EMBEDDED and node.id == target.id) or (node.kind == "callActivity" and node.calls == target.id)
    ]


def _uncaught(scopes: Mapping[str, Scope]) -> Iterator[Fault]:
    known: dict[tuple[str, str, str | None], bool] = {}
    for scope in scopes.values():
        for node in scope.nodes.values():
            for event in node.events:
                throws = node.kind in {"endEvent", "intermediateThrowEvent"} and event.kind in {"error", "escalation"}
                if throws and not _caught(scopes, scope, event.kind, event.name, known):
                    ends = "and it ends the process" if event.kind == "error" else "and nothing comes of it"
                    why = f"nobody catches the {event.kind} {event.name!r}, {ends}; put a boundary event around it"
                    yield _fault(node, why, "warning")


def _caught(
    scopes: Mapping[str, Scope],
    scope: Scope,
    kind: str,
    code: str | None,
    known: dict[tuple[str, str, str | None], bool],
) -> bool:
    """Say whether everybody who runs a scope catches what comes out of it; `known` are the answers so far."""
    key = (scope.id, kind, code)
    if key not in known:
        known[key] = False  # for a scope that runs itself
        sites = _sites(scopes, scope)
        known[key] = any(_catches(start, kind, code) for start in _triggers(scopes, scope)) or (
            bool(sites)
            and all(
                any(_catches(guard, kind, code) for guard in outer.guards(node.id))
                or _caught(scopes, outer, kind, code, known)
                for outer, node in sites
            )
        )
    return known[key]


def _triggers(scopes: Mapping[str, Scope], scope: Scope) -> list[Node]:
    """Return the start events of a scope's event sub-processes."""
    inner = [scopes[node.id] for node in scope.nodes.values() if node.triggered and node.id in scopes]
    return [node for each in inner for node in each.nodes.values() if node.kind == "startEvent"]


def _catches(node: Node, kind: str, code: str | None) -> bool:
    return any(event.kind == kind and event.name in {None, code} for event in node.events)


def _compensated(scopes: Mapping[str, Scope]) -> Iterator[Fault]:
    undone: dict[str, set[str]] = {}
    handlers: dict[str, set[str]] = {}
    for scope in scopes.values():
        process = undone.setdefault(scope.process, set())
        for node in scope.nodes.values():
            if node.kind == "boundaryEvent" and node.handler:
                process.add(node.attached or "")
                handlers.setdefault(scope.id, set()).add(node.handler)
            if node.kind == "startEvent" and node.event.kind == "compensation":
                process.add(scope.id)
    for scope in scopes.values():
        for node in scope.nodes.values():
            if node.compensates and node.id not in handlers.get(scope.id, set()):
                yield _fault(node, "no compensation event leads to it; join one to it with an association")
            for event in node.events if node.kind in {"endEvent", "intermediateThrowEvent"} else ():
                if event.kind == "compensation":
                    yield from _undoes(scopes, node, event.target, undone[scope.process])


def _undoes(scopes: Mapping[str, Scope], node: Node, target: str | None, undone: set[str]) -> Iterator[Fault]:
    if target and not any(target in scope.nodes for scope in scopes.values()):
        yield _fault(node, f"there is no activity {target!r} to compensate; correct the activityRef")
    elif not undone or (target and not ({target, *_inside(scopes, target)} & undone)):
        what = repr(target) if target else "anything"
        yield _fault(node, f"nothing says how {what} is undone; give it a compensation event with a handler")


def _inside(scopes: Mapping[str, Scope], target: str) -> Iterator[str]:
    """Yield everything inside an embedded sub-process, which undoes itself by what it holds."""
    for name, node in scopes[target].nodes.items() if target in scopes else ():
        yield name
        if node.kind in EMBEDDED:
            yield from _inside(scopes, name)


def _circles(scopes: Mapping[str, Scope]) -> Iterable[Fault]:
    """Refuse circles in which nothing can ever change, and processes that call themselves."""
    found = []
    for scope in scopes.values():
        idle = {node.id for node in scope.nodes.values() if node.kind in IDLE}
        steps = {name: [flow.target for flow in scope.leaving(name) if flow.target in idle] for name in idle}
        why = "this loop waits for nobody and changes nothing; put a task in it"
        found += [_fault(scope.nodes[name], why) for name in looping(steps)]
    calls = {
        scope.id: [node.calls or node.id for node in scope.nodes.values() if node.kind in NESTED]
        for scope in scopes.values()
    }
    for name in looping({key: [each for each in called if each in calls] for key, called in calls.items()}):
        scope = scopes[name]
        why = "this process calls itself, and would for ever; break the circle of calls"
        found.append(Fault(scope.file, scope.id, scope.line, why, scope.name))
    return found


def looping(steps: Mapping[str, list[str]]) -> list[str]:
    """Return the names on circles (环), by taking away whatever leads nowhere until nothing more can go."""
    left = dict(steps)
    while True:
        targets = {each for nexts in left.values() for each in nexts}
        ends = {name for name, nexts in left.items() if name not in targets or not any(each in left for each in nexts)}
        if not ends:
            return sorted(left)
        for name in ends:
            del left[name]
