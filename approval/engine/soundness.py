"""Whether a token may be left waiting for ever (死锁检查): all ways through a scope are walked, without data.

A marking is how many tokens stand on each flow. Where a parallel join has some of its tokens and nothing can
move any more, a case would hang without anybody being told; the drawing is refused instead. Scopes with
inclusive gateways are passed over: those wait only for what can still come.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

from approval.domain.errors import Fault
from approval.engine.diagrams import Node, Scope

ENOUGH: Final = 5_000

Marking = frozenset[tuple[str, int]]


def faults(scope: Scope) -> list[Fault]:
    """Return a fault for each parallel join of a scope that can wait for ever (死锁)."""
    if any(node.kind == "inclusiveGateway" for node in scope.nodes.values()):
        return []
    start = next(node for node in scope.nodes.values() if node.kind == "startEvent")
    first: Marking = frozenset((flow.id, 1) for flow in scope.leaving(start.id))
    seen, ahead = {first}, [first]
    stuck: set[str] = set()
    while ahead and len(seen) < ENOUGH:
        marking = ahead.pop()
        following = set(_following(scope, marking))
        if not following:
            stuck |= {scope.flows[flow].target for flow, _ in marking}
        ahead += [each for each in following if each not in seen]
        seen |= following
    why = "a case may wait here for ever: not every way leads a token to each of its flows; match it with a split"
    return [Fault(scope.file, name, scope.nodes[name].line, why) for name in sorted(stuck)]


def _following(scope: Scope, marking: Marking) -> Iterator[Marking]:
    """Return what one element that can move makes of a marking.

    One is enough: every flow has a single taker, so what one element does never hinders another, and a marking
    in which nothing can move is reached in any order.
    """
    tokens = dict(marking)
    for name in sorted({scope.flows[flow].target for flow in tokens}):
        node = scope.nodes[name]
        entering = [flow.id for flow in scope.entering(name)]
        if node.kind == "endEvent" and node.event.kind != "none":
            yield frozenset()
            return
        if node.kind != "parallelGateway":
            arrived = next(flow for flow in entering if flow in tokens)
            yield from (_moved(tokens, [arrived], leaving) for leaving in _ways(scope, node))
            return
        if all(flow in tokens for flow in entering):
            yield _moved(tokens, entering, [flow.id for flow in scope.leaving(name)])
            return


def _ways(scope: Scope, node: Node) -> Iterator[list[str]]:
    """Return the alternatives of flows on which tokens may leave an element that has taken one."""
    flows = [flow.id for flow in scope.leaving(node.id)]
    guards = [other for other in scope.nodes.values() if other.attached == node.id]
    if node.kind in {"exclusiveGateway", "eventBasedGateway"}:
        yield from ([flow] for flow in flows)
        return
    asides = [[flow.id for flow in scope.leaving(guard.id)] for guard in guards if not guard.interrupting]
    for taken in product((False, True), repeat=len(asides)):
        extra = [flow for aside, rung in zip(asides, taken, strict=True) if rung for flow in aside]
        yield flows + extra
        for guard in guards:
            if guard.interrupting:
                yield [flow.id for flow in scope.leaving(guard.id)] + extra


def _moved(tokens: dict[str, int], taken: list[str], given: list[str]) -> Marking:
    after = dict(tokens)
    for flow in taken:
        after[flow] -= 1
    for flow in given:
        after[flow] = min(after.get(flow, 0) + 1, 3)
    return frozenset((flow, count) for flow, count in after.items() if count)
