"""Whether a case may wait for ever, or a task for nobody (死锁检查): all ways through a scope are walked, without data.

A marking is how many tokens stand on each flow. Where a join has some of its tokens and nothing can move any
more, a case would hang without anybody being told; the drawing is refused instead. The walk is bounded: past
`ENOUGH` markings, or `MOST_TOKENS` in them, what was found until then is told, and nothing of what was not reached.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import Final

from approval.domain.errors import Fault
from approval.engine.diagrams import ACTIVITIES, HUMAN, Node, Scope
from approval.engine.grammar import landings
from approval.expressions.formulas import Formula

ENOUGH: Final = 2_500
MOST_TOKENS: Final = 100_000
FEW: Final = 4
ENDING: Final = {"terminate", "error", "cancel"}
NEVER: Final = Formula("false")
JOINS: Final = {"parallelGateway", "inclusiveGateway"}

Marking = frozenset[tuple[str, int]]


def faults(scope: Scope) -> list[Fault]:
    """Return a fault for each element of a scope where a case can hang, turn for ever or never come (死锁)."""
    walk = _Walk(scope)
    by_chance: set[str] = set()
    for choice in _races(scope) if walk.stuck else ():
        by_chance |= walk.stuck - _Walk(scope, choice).stuck
    found = [_stuck(scope.nodes[name], name in by_chance) for name in sorted(walk.stuck)]
    if walk.whole:
        found += [
            _fault(node, "no case can ever reach this task, whatever is decided; check the joins before it")
            for node in scope.nodes.values()
            if node.kind in HUMAN and node.id not in walk.visited and _on_the_way(node)
        ]
    return found + _turning(scope, walk)


def _stuck(node: Node, by_chance: bool) -> Fault:
    """Say that a token may be left waiting at an element.

    It is a warning where a join waits for what an event-based gateway may never bring, since which event comes
    first can depend on the other branch, and where an activity asks for several tokens.
    """
    if node.kind not in JOINS:
        return _fault(
            node, "a case may wait here for ever: fewer tokens come than its startQuantity asks for", "warning"
        )
    why = "a case may wait here for ever: not every way leads a token to each of its flows; match it with a split"
    return _fault(node, why, "warning" if by_chance else "error")


def _races(scope: Scope) -> range:
    """Return how many ways the event-based gateways can be decided, where each always decides the same way."""
    races = [len(scope.leaving(node.id)) for node in scope.nodes.values() if node.kind == "eventBasedGateway"]
    return range(max(races, default=0))


def _fault(node: Node, why: str, level: str = "error") -> Fault:
    return Fault(node.file, node.id, node.line, why, node.name, level)


def _ends(node: Node) -> bool:
    return node.kind == "endEvent" and node.event.kind in ENDING


def _on_the_way(node: Node) -> bool:
    return not (node.compensates or node.triggered)


def _turning(scope: Scope, walk: "_Walk") -> list[Fault]:
    """Refuse what leads round for ever: from there no end can be reached, and nothing else ends the scope."""
    # What is embedded may be ended from outside, by an event at its border.
    sudden = scope.id != scope.process or any(node.triggered or _ends(node) for node in scope.nodes.values())
    back: dict[str, list[str]] = {}
    ends = []
    for node in scope.nodes.values():
        nexts = [walk.target[place] for way in walk.ways[node.id] for place in way]
        if any(not way for way in walk.ways[node.id]):
            ends.append(node.id)
        for name in nexts:
            back.setdefault(name, []).append(node.id)
    leading: set[str] = set()
    while ends:
        here = ends.pop()
        if here not in leading:
            leading.add(here)
            ends += back.get(here, [])
    lost = [node for node in scope.nodes.values() if node.id in walk.visited and node.id not in leading]
    if sudden or not lost:
        return []
    return [_fault(lost[0], "from here no way leads to an end, so a case would never be over; draw a way out")]


class _Walk:
    """The markings of one scope, walked from every way it can begin."""

    def __init__(self, scope: Scope, choice: int | None = None) -> None:
        self.scope = scope
        self.choice = choice
        self.target: dict[str, str] = {flow.id: flow.target for flow in scope.flows.values()}
        self.entering: dict[str, list[str]] = {name: [] for name in scope.nodes}
        self.leaving: dict[str, list[str]] = {name: [] for name in scope.nodes}
        for flow in scope.flows.values():
            self.entering[flow.target].append(flow.id)
            self.leaving[flow.source].append(flow.id)
        for name in scope.nodes:  # where a token stands that no flow has brought
            self.target[f"+{name}"] = name
        self.guards: dict[str, list[Node]] = {}
        for node in scope.nodes.values():
            if node.attached and node.event.kind != "compensation":
                self.guards.setdefault(node.attached, []).append(node)
        self.ways = {node.id: [tuple(way) for way in self._ways(node)] for node in scope.nodes.values()}
        self.back: dict[str, set[str]] = {}
        for name, ways in self.ways.items():
            for place in {place for way in ways for place in way}:
                self.back.setdefault(place, set()).add(name)
        # For each flow into an inclusive join, from where a token can come onto it without passing that join.
        self.before = {
            node.id: {flow: self._upstream(flow, node.id) for flow in self.entering[node.id]}
            for node in scope.nodes.values()
            if node.kind == "inclusiveGateway" and len(self.entering[node.id]) > 1
        }
        self.most = max([3, *(node.takes for node in scope.nodes.values())])
        self.visited: set[str] = set()
        self.stuck: set[str] = set()
        self.whole = True
        self._go()

    def _go(self) -> None:
        """Walk until everything has been seen, or enough."""
        plain = self.scope.entries()
        begins = [plain] if plain else []
        begins += [[node] for node in self.scope.starters()]
        seen = {frozenset((f"+{node.id}", 1) for node in begin) for begin in begins}
        ahead = list(seen)
        tokens = 0
        while ahead:
            if len(seen) > ENOUGH or tokens > MOST_TOKENS:
                self.whole = False
                return
            marking = ahead.pop()
            moved = False
            for following in self._following(marking):
                moved = True
                fresh = following - seen
                seen |= fresh
                ahead += fresh
                tokens += sum(map(len, fresh))
                # One element is enough, since what one does never hinders another; but where it only goes round
                # in a circle, the others must have their turn.
                if fresh:
                    break
            if not moved and marking:
                self.stuck |= {self.target[place] for place, _ in marking}

    def _following(self, marking: Marking) -> Iterator[set[Marking]]:
        """Yield, for each element that can move, what it makes of a marking; what ends everything comes last."""
        tokens = dict(marking)
        ending = False
        for name in sorted({self.target[place] for place in tokens}):
            node = self.scope.nodes[name]
            taken = self._taken(node, tokens)
            if taken is None or (name in self.before and self._awaits(name, tokens)):
                continue
            self.visited.add(name)
            if _ends(node):
                ending = True
                continue
            yield {self._moved(tokens, taken, way, node.gives) for way in self.ways[name]}
        if ending:
            yield {frozenset()}

    def _taken(self, node: Node, tokens: dict[str, int]) -> list[str] | None:
        """Return the flows that an element takes a token from, or None while it has to wait."""
        arrived = [place for place in (*self.entering[node.id], f"+{node.id}") if place in tokens]
        if node.kind in JOINS and not any(place.startswith("+") for place in arrived):
            everywhere = len(arrived) == len(self.entering[node.id])
            return arrived if everywhere or node.kind == "inclusiveGateway" else None
        if node.takes == 1:
            return arrived[:1]
        there = [place for place in arrived for _ in range(tokens[place])]
        return there[: node.takes] if len(there) >= node.takes else None

    def _awaits(self, name: str, tokens: dict[str, int]) -> bool:
        """Say whether an inclusive join still waits, by the rule that `steps.Inclusive` runs by."""
        before = self.before[name]
        arrived = [flow for flow in before if flow in tokens]
        for here in {self.target[place] for place in tokens} - {name}:
            onto = [flow for flow in before if here in before[flow]]
            if onto and not any(flow in arrived for flow in onto):
                return True
        return False

    def _upstream(self, flow: str, name: str) -> set[str]:
        """Return the elements from which a token can come onto a flow without passing the element `name`."""
        found: set[str] = set()
        ahead = [*self.back.get(flow, ())]
        while ahead:
            here = ahead.pop()
            if here not in found and here != name:
                found.add(here)
                ahead += [each for place in (*self.entering[here], f"+{here}") for each in self.back.get(place, ())]
        return found

    def _ways(self, node: Node) -> Iterator[list[str]]:
        """Yield the alternatives of flows on which tokens leave an element."""
        own = list(self._splits(node))
        guards = self.guards.get(node.id, [])
        asides = [[f"+{guard.id}"] for guard in guards if not guard.interrupting]
        choices = product((False, True), repeat=len(asides)) if len(asides) <= FEW else [
            [place == chosen for place in range(len(asides))] for chosen in range(-1, len(asides))
        ]  # fmt: skip
        for taken in choices:
            extra = [place for aside, rung in zip(asides, taken, strict=True) if rung for place in aside]
            yield from (way + extra for way in own)
            yield from ([f"+{guard.id}", *extra] for guard in guards if guard.interrupting)

    def _splits(self, node: Node) -> Iterable[list[str]]:
        drawn = self.scope.flows
        flows = [flow for flow in self.leaving[node.id] if drawn[flow].condition != NEVER]
        if node.kind == "intermediateThrowEvent" and node.event.kind == "link":
            return [[f"+{each.id}" for each in landings(self.scope, node)]]
        if node.kind == "eventBasedGateway" and self.choice is not None:
            return [[flow] for flow in flows[: self.choice + 1][-1:]]
        if node.kind in {"exclusiveGateway", "eventBasedGateway"}:
            return [[flow] for flow in flows]
        inclusive = node.kind == "inclusiveGateway" and len(flows) > 1
        asked = [flow for flow in flows if drawn[flow].condition is not None or (inclusive and flow != node.default)]
        asked = [flow for flow in asked if flow != node.default]
        if not asked or node.kind not in ACTIVITIES | {"inclusiveGateway"}:
            return [flows]
        always = [flow for flow in flows if flow not in asked and flow != node.default]
        sizes = range(1, len(asked) + 1) if len(asked) <= FEW else (1, len(asked) - 1, len(asked))
        found = [[*always, *chosen] for size in sizes for chosen in combinations(asked, size)]
        if node.default in flows:
            found.append([*always, node.default])
        elif always:
            found.append(always)
        return found

    def _moved(self, tokens: dict[str, int], taken: list[str], given: tuple[str, ...], each: int) -> Marking:
        after = dict(tokens)
        for place in taken:
            after[place] -= 1
        for place in given:
            after[place] = min(after.get(place, 0) + each, self.most)
        return frozenset((place, count) for place, count in after.items() if count)
