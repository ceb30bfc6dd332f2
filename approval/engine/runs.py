# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""One case while it moves (流程运行): SpiffWorkflow's workflows kept as a handful of tokens, and ledgers beside them.

A run is made fresh from the state's bytes for every transition and thrown away afterwards.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import NotFound, Refusal
from approval.engine.catching import Tellers, Thrown
from approval.engine.happenings import Catching
from approval.engine.scopes import Flat, InnerRun
from approval.engine.steps import Inclusive, NoWayOn
from approval.expressions import formulas, meters
from approval.expressions.tables import Table

# A loop of two thousand rounds that waits for nobody is somebody's procedure; one of this many steps is a mistake.
STEPS: Final = 50_000
# What scripts, conditions and decisions of one transition may take and make, while others wait for the case.
SECONDS: Final = 5.0
MADE: Final = 32 * 2**20
_SEEN_A_STEP: Final = 50


class Run(Flat, Tellers, BpmnWorkflow):
    """A whole case for the time of one transition."""

    ledger = "case"
    host = None
    # Two hundred departments at once are possible; more instances than this are a mistake in the data.
    MOST_INSTANCES = 10_000

    def __init__(
        self,
        process: str,
        procedures: Mapping[str, Any],
        *,
        tables: Mapping[str, Table],
        partners: Mapping[tuple[str, str | None], list[tuple[str, str]]],
        now: datetime,
        facts: dict[str, Any],
    ) -> None:
        self.procedures = procedures
        self.tables = tables
        self.partners = partners
        self.now = now
        self.facts = facts
        self.outcomes = {}
        self.names = {}
        self.done = []
        self.begun = 0
        self.trail: list[str] = []
        self.thrown: list[Thrown] = []
        self.failed: str | None = None
        self.queue: deque[Any] = deque()
        self.changed = False
        self.effort = 0
        self.began = meters.read()
        self.before: dict[str, str] = {}
        super().__init__(procedures[process], procedures, script_engine=self, deserializing=True)

    def open(
        self,
        procedure: str,
        host: Any,
        *,
        ledger: str,
        names: dict[str, Any],
        index: int = 0,
        starter: str | None = None,
    ) -> None:
        """Let a procedure run inside a token's activity, or beside the case where there is no host."""
        inner = self.inside(procedure, host, ledger=ledger, names=names, index=index)
        if starter is not None:
            inner.begin([inner.spec.task_specs[starter]], rung=True)
        elif inner.spec.ad_hoc is not None and inner.spec.ad_hoc.sequential:
            inner.begin(inner.spec.entries[:1])
        else:
            inner.begin(inner.spec.entries)

    def inside(self, procedure: str, host: Any, *, ledger: str, names: dict[str, Any], index: int = 0) -> InnerRun:
        """Make an inner run with nothing in it yet; NoWayOn when far too many are open already."""
        # Each activity has its limit, but one inside the other would multiply.
        if len(self.subprocesses) > self.MOST_INSTANCES:
            raise NoWayOn(element=procedure, why="more would run at once than a case may do")
        inner = InnerRun(self.procedures[procedure], host, self, ledger=ledger, names=names, index=index)
        self.subprocesses[inner.key] = inner
        return inner

    def close_inside(self, token: Any) -> None:
        """End what runs inside a token's activity."""
        for inner in list(self.subprocesses.values()):
            if inner.host is token:
                inner.cancel()

    def runs(self) -> list[Any]:
        """Return this run and its open inner runs, outer before inner."""
        return [self, *self.subprocesses.values()]

    def tokens(self) -> Iterator[Any]:
        """Go over every token of the case, which among very many is work too."""
        runs = self.runs()
        self.effort += sum(len(run.tasks) for run in runs) // _SEEN_A_STEP
        for run in runs:
            yield from list(run.tasks.values())

    def visible(self) -> dict[str, Any]:
        """Return what conditions of the outermost process see."""
        return {**self.facts, **self.outcomes}

    def merged(self) -> dict[str, Any]:
        """Return everything known: facts and outcomes, those of open inner runs included."""
        known = dict(self.facts)
        for run in self.runs():
            known.update(run.outcomes)
        return known

    def record(self, key: str, outcome: Any) -> None:
        """Keep an outcome under its key."""
        self.outcomes[key] = outcome
        self.changed = True

    def write(self, name: str, value: Any) -> None:
        """Set a variable of the case."""
        (self.outcomes if name in self.outcomes else self.facts)[name] = value
        self.changed = True

    def rule(self, token: Any) -> None:
        """Ask a decision and keep its result with the rules that made it, so that a refusal can cite them."""
        node, run = token.task_spec.node, token.workflow
        decided = self.tables[node.calls or ""].decide(run.seen(token))
        rules = [rule._asdict() for rule in decided.rules]
        run.record(node.variable or node.id, {"result": decided.result, "rules": rules})

    def find(self, item: str, kinds: set[str]) -> Any:
        """Return the open token of an id, if its element is of one of the kinds; NotFound for any other."""
        for token in self.tokens():
            if str(token.id) == item and token.task_spec.node.kind in kinds and token.task_spec.manual:
                if token.has_state(TaskState.READY):
                    return token
                break
        raise NotFound(item=item)

    def step(self, token: Any) -> None:
        """Run one token and note it on the trail."""
        if token.task_spec.noted == "first":
            self.trail.append(token.task_spec.node.id)
        self.effort += token.task_spec.effort
        try:
            token.run()
        except Refusal as refusal:
            refusal.facts.setdefault("element", token.task_spec.node.id)
            raise
        if self.changed:
            self.changed = False
            self.ask_conditions()
        if why := self._excess():
            raise NoWayOn(element=token.task_spec.node.id, why=why)

    def _excess(self) -> str:
        """Say which bound of one transition is passed, if one is."""
        used = meters.read()
        if self.effort > STEPS:
            return "too many steps at once: this goes round for ever"
        if used.seconds - self.began.seconds > SECONDS:
            return f"scripts, conditions and decisions took longer than {SECONDS:g} s; let the case wait in between"
        if used.made - self.began.made > MADE:
            return f"scripts and decisions made more than {MADE} bytes"
        return ""

    def advance(self) -> None:
        """Go on until everything open waits for somebody, something or some time."""
        while True:
            while self.queue:
                token = self.queue.popleft()
                if token.id in token.workflow.tasks and token.has_state(TaskState.READY):
                    self.step(token)
            if not self._ask_joins():
                return

    def _ask_joins(self) -> bool:
        for token in self.tokens():
            spec = token.task_spec
            if isinstance(spec, Inclusive) and token.has_state(TaskState.WAITING) and spec.joined(token):
                token._ready()
                return True
        return False

    def ask_conditions(self) -> None:
        """Ask the conditions of every conditional event that waits, after something has changed."""
        for token in self.tokens():
            if token.id in token.workflow.tasks and isinstance(token.task_spec, Catching):
                self.ask_condition(token)

    def ask_condition(self, token: Any) -> None:
        """Ring a conditional event when its condition has come to hold."""
        for event in token.task_spec.node.events:
            if event.condition is not None and token.has_state(TaskState.WAITING):
                before = token.internal_data.get("held", False)
                now = formulas.happens(event.condition, token.workflow.visible())
                token.internal_data["held"] = now
                if now and not before:
                    token.task_spec.ring(token, event)

    def note_before(self) -> None:
        """Note what is open before anything moves."""
        self.before = {str(token.id): kind for token in self.tokens() if (kind := token.task_spec.awaited(token))}

    def waiting(self, *kinds: str) -> list[tuple[Any, Any]]:
        """Return the tokens that wait for an event of one of these kinds, with that event."""
        return [
            (token, event)
            for token in self.tokens()
            if isinstance(token.task_spec, Catching) and token.has_state(TaskState.WAITING)
            for event in token.task_spec.node.events
            if event.kind in kinds
        ]
