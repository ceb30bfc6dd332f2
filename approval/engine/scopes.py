# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""Open scopes (流程作用域): what a case and the runs inside its activities share, and those inner runs themselves.

Lookups are flat scans over what is open, because the stock walks stop after 1000 steps and cost the whole history.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.util.task import TaskState

from approval.engine import moments
from approval.engine.catching import Catchers
from approval.engine.diagrams import AdHoc, Node, Timing
from approval.engine.happenings import Listener
from approval.engine.steps import NoWayOn, Step, Token
from approval.expressions import feel, formulas

if TYPE_CHECKING:
    from datetime import datetime


class Flat(Catchers):
    """What a run and its inner runs share: tokens, ledgers and endings."""

    spec: Any
    tasks: dict[UUID, Any]
    top_workflow: Any
    completed: bool
    host: Any
    ledger: str
    outcomes: dict[str, Any]
    names: dict[str, Any]
    done: list[list[Any]]
    begun: int
    interrupted = False

    def begin(self, entries: list[Step], **internal: Any) -> None:
        """Let the event sub-processes listen, then put a token at each entry."""
        for listener in self.spec.listeners:
            if listener.waits and not self.interrupted:
                self.enter(listener)
        for step in entries:
            # A condition that holds from the first may have taken the place of all this.
            if not self.completed and not self.interrupted:
                self.begun += 1
                self.enter(step, **internal)
        if not self._stands() and not self.completed:
            self.finish()

    def enter(self, step: Step, **internal: Any) -> Any:
        """Put a token on a step."""
        token = Token(self, step, None, TaskState.FUTURE)
        token.internal_data = internal
        step._update(token)
        return token

    def drop(self, token: Any) -> None:
        """Take a token off the drawing."""
        self.tasks.pop(token.id, None)

    def drop_guards(self, host: Any) -> None:
        """Take the boundary events of an activity off with it."""
        if host.task_spec.guards:
            name = str(host.id)
            for token in list(self.tasks.values()):
                if token.internal_data.get("host") == name:
                    self.drop(token)

    def standing(self, name: str) -> Any:
        """Return the token of an id."""
        return self.tasks[UUID(name)]

    def clear(self, but: Any = None) -> None:
        """Withdraw every token of this scope, its listeners too."""
        for token in list(self.tasks.values()):
            if token is not but and token.id in self.tasks:
                token.cancel()

    def cancel(self, *_: Any) -> None:
        """End this run and whatever is open in it."""
        self.completed = True
        self.clear()

    def settle(self) -> None:
        """End this run when nothing stands in it any more; one without drawn order first begins what is next."""
        if self.completed:
            return
        if self.spec.ad_hoc is not None:
            self._go_on_ad_hoc(self.spec.ad_hoc)
        if not self._stands():
            self.finish()

    def _go_on_ad_hoc(self, rule: AdHoc) -> None:
        if rule.condition is not None and formulas.happens(rule.condition, self.visible()):
            if rule.cancels:
                self.clear()
            self.begun = len(self.spec.entries)
        if rule.sequential and not self._stands() and self.begun < len(self.spec.entries):
            self.begun += 1
            self.enter(self.spec.entries[self.begun - 1])

    def _stands(self) -> bool:
        return any(not isinstance(token.task_spec, Listener) for token in self.tasks.values())

    def finish(self) -> None:
        """End this run, and hand on what it was for."""
        self.completed = True
        self.tasks.clear()

    def seen(self, token: Any) -> dict[str, Any]:
        """Return what a token sees: the names of its run, and those given to its activity alone."""
        own = token.internal_data.get("locals")
        visible: dict[str, Any] = self.visible()
        return {**visible, **own} if own else visible

    @abstractmethod
    def visible(self) -> dict[str, Any]:
        """Return what conditions here see."""

    def holds(self, condition: formulas.Formula) -> bool:
        """Say whether a condition holds here."""
        return formulas.holds(condition, self.visible())

    def timing_text(self, node: Node, timing: Timing) -> str:
        """Return what a timer says, evaluated."""
        text = timing.text
        if text.startswith("="):
            text = feel.evaluate(text[1:], self.visible())
        if not isinstance(text, str):
            raise NoWayOn(element=node.id, why=f"its timer: {text!r} is no time")
        return text

    def due(self, node: Node, timing: Timing) -> str | None:
        """Return the moment a timer that starts to wait now is due, None where a countdown's ledger knows."""
        if timing.countdown is not None:
            return None
        text, now = self.timing_text(node, timing), self.top_workflow.now
        try:
            if timing.kind == "timeDuration":
                due: datetime | None = moments.after(text, now)
            elif timing.kind == "timeDate":
                due = moments.at(text)
            else:
                due = moments.due(text, now)
        except ValueError as problem:
            raise NoWayOn(element=node.id, why=f"its timer: {problem}") from None
        if due is None:
            raise NoWayOn(element=node.id, why=f"its timer: {text!r} is over before it begins")
        return due.isoformat()

    def undoable(self) -> list[list[Any]]:
        """Return what undoes this scope once it is done: scope, element and what had been done in the scope."""
        own = [each.inner.name for each in self.spec.listeners if each.node.event.kind == "compensation"]
        if own:
            return [[self.spec.name, own[0], self.done]]
        return [[scope or self.spec.name, element, done] for _, scope, element, done in self.done]


class InnerRun(Flat, BpmnSubWorkflow):
    """What runs inside an activity.

    An embedded sub-process shares its host's ledger; a called process has one of its own that its caller gets
    back; an instance has one that nobody else writes, so that no instance loses what it found to another.
    """

    def __init__(self, spec: Any, host: Any, top: Any, *, ledger: str, names: dict[str, Any], index: int = 0) -> None:
        self.host = host
        self.outer = top if host is None else host.workflow
        self.ledger = ledger
        self.names = names
        self.index = index
        self.outcomes = {}
        self.done = []
        self.begun = 0
        self.key = uuid4()
        super().__init__(spec, None if host is None else host.id, top, deserializing=True)

    @property
    def parent_workflow(self) -> Any:
        """The run around this one."""
        return self.outer

    def finish(self) -> None:
        """End this run; its host goes on."""
        super().finish()
        self.top_workflow.subprocesses.pop(self.key, None)
        if self.host is None:
            for name, outcome in self.outcomes.items():
                self.outer.record(name, outcome)
        elif self.host.id in self.outer.tasks:
            self.host.task_spec.returned(self.host, self)

    def cancel(self, *_: Any) -> None:
        """End this run and whatever is open in it."""
        super().cancel()
        self.top_workflow.subprocesses.pop(self.key, None)

    def visible(self) -> dict[str, Any]:
        """Return what conditions here see: what is seen around it under our own names and outcomes."""
        around: dict[str, Any] = self.outer.visible()
        return {**around, **self.names, **self.outcomes} if self.names or self.outcomes else around

    def record(self, key: str, outcome: Any) -> None:
        """Keep an outcome under its key."""
        if self.ledger == "shared":
            self.outer.record(key, outcome)
        else:
            self.outcomes[key] = outcome
            self.top_workflow.changed = True

    def write(self, name: str, value: Any) -> None:
        """Set a variable where its name is known, else in the nearest ledger."""
        if name in self.names:
            self.names[name] = value
            self.top_workflow.changed = True
        elif self.ledger == "shared":
            self.outer.write(name, value)
        else:
            self.record(name, value)

    def result(self, node: Node) -> Any:
        """Return what one instance of an activity came to: its outcome, or all that was found inside."""
        return self.outcomes.get(node.id, self.outcomes)
