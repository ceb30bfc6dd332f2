"""A procedure as drawn (流程图), in plain values: scopes, the nodes in them, and the flows between those."""

from dataclasses import dataclass, field
from typing import Final

HUMAN: Final = {"userTask", "manualTask", "task"}
ERRANDS: Final = {"serviceTask", "sendTask"}
GATEWAYS: Final = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
NESTED: Final = {"subProcess", "callActivity"}
EVENTS: Final = {
    "startEvent": {"none"},
    "endEvent": {"none", "error", "terminate"},
    "intermediateCatchEvent": {"timer", "message", "signal"},
    "intermediateThrowEvent": {"none"},
    "boundaryEvent": {"timer", "message", "signal", "error"},
}
NODES: Final = HUMAN | ERRANDS | GATEWAYS | NESTED | {"businessRuleTask"} | set(EVENTS)


@dataclass(frozen=True, slots=True)
class Timing:
    """When a timer is due: `countdown` names a legal limit, otherwise `text` is ISO 8601 or FEEL after `=`."""

    kind: str
    text: str
    countdown: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """What an event is about: `name` is the message's or signal's name, or the error's code."""

    kind: str = "none"
    name: str | None = None
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One drawn element that a case can stand on."""

    id: str
    kind: str
    name: str
    file: str
    line: int
    process: str
    lane: str | None
    form: str | None = None
    calls: str | None = None
    variable: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    event: Event = Event()
    attached: str | None = None
    interrupting: bool = True
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow; its condition is FEEL without the leading `=`."""

    id: str
    source: str
    target: str
    condition: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Scope:
    """A process or an embedded sub-process: what is drawn directly inside it."""

    id: str
    file: str
    line: int
    process: str
    executable: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def leaving(self, node: str) -> list[Flow]:
        """Return the flows out of a node, in the order they are drawn."""
        return [flow for flow in self.flows.values() if flow.source == node]

    def entering(self, node: str) -> list[Flow]:
        """Return the flows into a node."""
        return [flow for flow in self.flows.values() if flow.target == node]
