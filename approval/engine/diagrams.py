"""A procedure as drawn (流程图), in plain values: scopes, the nodes in them, and the flows between those.

Whatever dialect a file was written in, this is what it is read into: one vocabulary, conditions as `Formula`,
references resolved, nothing left of the vendor.
"""

from dataclasses import dataclass, field
from typing import Final

from approval.expressions.formulas import Formula

HUMAN: Final = {"userTask", "manualTask", "task"}
ERRANDS: Final = {"serviceTask", "sendTask"}
GATEWAYS: Final = {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
EMBEDDED: Final = {"subProcess", "transaction", "adHocSubProcess"}
NESTED: Final = EMBEDDED | {"callActivity"}
PASSING: Final = {"scriptTask", "businessRuleTask"}
ACTIVITIES: Final = HUMAN | ERRANDS | NESTED | PASSING | {"receiveTask"}
EVENTS: Final = {
    "startEvent": {"none", "timer", "message", "signal", "conditional", "error", "escalation", "compensation"},
    "endEvent": {"none", "error", "terminate", "message", "signal", "escalation", "compensation", "cancel"},
    "intermediateCatchEvent": {"timer", "message", "signal", "conditional", "link"},
    "intermediateThrowEvent": {"none", "message", "signal", "escalation", "compensation", "link"},
    "boundaryEvent": {
        "timer", "message", "signal", "conditional", "error", "escalation", "compensation", "cancel",
    },
}  # fmt: skip
NODES: Final = ACTIVITIES | GATEWAYS | set(EVENTS)


@dataclass(frozen=True, slots=True)
class Timing:
    """When a timer is due: `countdown` names a legal limit, otherwise `text` is ISO 8601, cron or FEEL after `=`.

    `kind` is the BPMN element it was written in: timeDuration, timeDate or timeCycle.
    """

    kind: str
    text: str
    countdown: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event definition: `name` is the message's, signal's or link's name, the error's or escalation's code.

    `name` None on a catching error or escalation takes any code. `key` is the correlation value a message is
    sent with or waited for, `condition` that of a conditional event; of a compensation, `target` is the one
    activity it undoes (None: all of the scope).
    """

    kind: str = "none"
    name: str | None = None
    timing: Timing | None = None
    condition: Formula | None = None
    key: Formula | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """How often an activity is done: `kind` is standard, parallel or sequential.

    Standard: again while `condition` holds (asked `before` the first time too), at most `most` times. The other
    two: once for each item of `collection`, known as `item`, or `cardinality` times; done early as soon as
    `condition` holds. `output` of each instance goes into the list `collected`. `throws` are events thrown as
    instances complete (`when` none: each; one: the first).
    """

    kind: str
    condition: Formula | None = None
    before: bool = False
    most: int | None = None
    cardinality: Formula | None = None
    collection: Formula | None = None
    item: str | None = None
    collected: str | None = None
    output: Formula | None = None
    when: str = "all"
    throws: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class AdHoc:
    """A sub-process without drawn order: all at once or one after the other, until `condition` holds or all is done."""

    sequential: bool = False
    condition: Formula | None = None
    cancels: bool = True


@dataclass(frozen=True, slots=True)
class Node:
    """One drawn element that a case can stand on.

    `calls` is the name of an errand, a decision or a called process; `inputs` are values an activity alone sees,
    `outputs` values it leaves to its scope, both as (name, formula). `assignment` says who a human task is meant
    for where a dialect writes it at the task: (assignee | groups | due | follow_up | priority, formula).
    `triggered` marks an event sub-process, `compensates` a compensation handler; `handler` is the handler of a
    compensation boundary event. `takes` and `gives` are the token quantities of an activity.
    """

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
    events: tuple[Event, ...] = ()
    all_events: bool = False
    attached: str | None = None
    interrupting: bool = True
    default: str | None = None
    script: Formula | None = None
    loop: Loop | None = None
    ad_hoc: AdHoc | None = None
    inputs: tuple[tuple[str, Formula], ...] = ()
    outputs: tuple[tuple[str, Formula], ...] = ()
    assignment: tuple[tuple[str, Formula], ...] = ()
    triggered: bool = False
    compensates: bool = False
    handler: str | None = None
    instantiates: bool = False
    takes: int = 1
    gives: int = 1

    @property
    def event(self) -> Event:
        """The only event definition of most events; none where there is none."""
        return self.events[0] if self.events else Event()


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow with its condition."""

    id: str
    source: str
    target: str
    condition: Formula | None
    line: int


@dataclass(frozen=True, slots=True)
class Scope:
    """A process or an embedded sub-process: what is drawn directly inside it."""

    id: str
    file: str
    line: int
    process: str
    executable: bool
    name: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def leaving(self, node: str) -> list[Flow]:
        """Return the flows out of a node, in the order they are drawn."""
        return [flow for flow in self.flows.values() if flow.source == node]

    def entering(self, node: str) -> list[Flow]:
        """Return the flows into a node."""
        return [flow for flow in self.flows.values() if flow.target == node]

    def guards(self, node: str) -> list[Node]:
        """Return the boundary events of an activity, in the order they are drawn."""
        return [other for other in self.nodes.values() if other.attached == node]

    def entries(self) -> list[Node]:
        """Return where tokens begin (入口): the plain start events, else what no flow leads into, as BPMN says.

        Events a process may be started by instead (`starters`), event sub-processes and compensation handlers
        are entered otherwise.
        """
        plain = [node for node in self.nodes.values() if node.kind == "startEvent" and not node.events]
        if plain or any(node.kind == "startEvent" for node in self.nodes.values()):
            return plain
        targets = {flow.target for flow in self.flows.values()}
        return [
            node
            for node in self.nodes.values()
            if node.id not in targets
            and node.kind != "boundaryEvent"
            and not (node.triggered or node.compensates or node.instantiates)
            and not (node.kind == "intermediateCatchEvent" and node.event.kind == "link")
        ]

    def starters(self) -> list[Node]:
        """Return the elements an event from outside starts this process with (事件启动)."""
        return [
            node for node in self.nodes.values() if (node.kind == "startEvent" and node.events) or node.instantiates
        ]
