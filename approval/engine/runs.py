# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""One case while it moves (流程运行): SpiffWorkflow's tree kept as a handful of tokens, and ledgers beside it.

A run is made fresh from the state's bytes for every transition and thrown away afterwards. Lookups are flat
scans, because the stock walks stop after 1000 steps and cost the whole history.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.util.task import BpmnTaskFilter
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import NotFound
from approval.engine import moments, specs
from approval.engine.diagrams import Node, Timing
from approval.expressions import feel
from approval.expressions.tables import Table

STEPS: Final = 2_000


class Conditions:
    """SpiffWorkflow's script engine, which here can do nothing but ask a FEEL condition."""

    def evaluate(self, my_task: Any, expression: str, external_context: object = None) -> bool:
        """Say whether a condition holds in the run of a task; there are no data objects."""
        del external_context
        return feel.holds(expression, my_task.workflow.visible())


class Flat:
    """What a run and its inner runs share: flat scans, ledgers and endings."""

    tasks: dict[Any, Any]
    completed: bool
    outcomes: dict[str, Any]

    def get_tasks_iterator(self, first_task: Any = None, **wanted: Any) -> Iterator[Any]:
        """Scan the tasks of this run, in the order they came to be."""
        for each in ("end_at_spec", "max_depth", "depth_first", "skip_subprocesses"):
            wanted.pop(each, None)
        task_filter = wanted.pop("task_filter", None) or BpmnTaskFilter(**wanted)
        among = list(self.tasks.values()) if first_task is None else [first_task]
        return (task for task in among if task_filter.matches(task))

    def update_waiting_tasks(self) -> None:
        """Ask every waiting task again; one that was meanwhile sent home is left alone."""
        for task in list(self.tasks.values()):
            if task.has_state(TaskState.WAITING):
                task.task_spec._update(task)

    def cancel(self, *_: Any) -> None:
        """End this run and whatever is open in it."""
        self.completed = True
        for task in list(self.tasks.values()):
            if task.id in self.tasks and task.has_state(TaskState.NOT_FINISHED_MASK):
                task.cancel()


class InnerRun(Flat, BpmnSubWorkflow):
    """A sub-process, which shares its host's ledger, or a called process, which has one of its own."""

    def __init__(self, spec: Any, parent_task_id: Any, top_workflow: Any, *, called: bool, **kwargs: Any) -> None:
        self.called = called
        self.outcomes = {}
        super().__init__(spec, parent_task_id, top_workflow, **kwargs)

    def visible(self) -> dict[str, Any]:
        """Return what conditions here see: the caller's data under our own outcomes."""
        seen: dict[str, Any] = self.parent_workflow.visible()
        return {**seen, **self.outcomes}

    def record(self, key: str, outcome: Any) -> None:
        """Keep an outcome under its key."""
        if self.called:
            self.outcomes[key] = outcome
        else:
            self.parent_workflow.record(key, outcome)

    def hand_back(self, element: str) -> None:
        """Give a called process's outcomes to its caller, together under the call's id and each under its own.

        Where one process is called by several elements, the first is what tells their outcomes apart.
        """
        if self.called:
            self.parent_workflow.record(element, self.outcomes)
            for key, outcome in self.outcomes.items():
                self.parent_workflow.record(key, outcome)

    def fail(self, code: str | None) -> None:
        """Ring the nearest error boundary around this run, one that names the code before one that does not."""
        site = self.top_workflow.get_task_from_id(self.parent_task_id)
        guards = [
            task
            for task in site.parent.children
            if isinstance(task.task_spec, BoundaryEvent)
            and task.has_state(TaskState.WAITING)
            and task.task_spec.event_definition.event.kind == "error"
            and task.task_spec.event_definition.event.name in {None, code}
        ]
        guards.sort(key=lambda task: task.task_spec.event_definition.event.name is None)
        if guards:
            ring(guards[0])
            self.top_workflow.step(guards[0])
        else:
            site.workflow.fail(code)


class Run(Flat, BpmnWorkflow):
    """A whole case for the time of one transition."""

    def __init__(
        self,
        process: str,
        procedures: Mapping[str, Any],
        *,
        nodes: Mapping[str, Node],
        tables: Mapping[str, Table],
        now: datetime,
        facts: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        self.nodes = nodes
        self.tables = tables
        self.now = now
        self.facts = facts
        self.outcomes = {}
        self.trail: list[str] = []
        super().__init__(procedures[process], procedures, script_engine=Conditions(), **kwargs)

    def create_subprocess(self, my_task: Any, spec_name: str, **kwargs: Any) -> InnerRun:
        """Open the inner run of a sub-process or call activity."""
        called = self.nodes[my_task.task_spec.name].kind == "callActivity"
        inner = InnerRun(self.subprocess_specs[spec_name], my_task.id, self, called=called, **kwargs)
        inner.completed_event.connect(my_task.task_spec._on_subworkflow_completed, my_task)
        self.subprocesses[my_task.id] = inner
        return inner

    def runs(self) -> list[Any]:
        """Return this run and its open inner runs, outer before inner."""
        inner = [run for run in self.subprocesses.values() if not run.completed]
        return [self, *sorted(inner, key=lambda run: run.depth)]

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

    def rule(self, my_task: Any) -> None:
        """Ask a decision and keep its result with the rules that made it, so that a refusal can cite them."""
        node = self.nodes[my_task.task_spec.name]
        decided = self.tables[node.calls or ""].decide(my_task.workflow.visible())
        rules = [rule._asdict() for rule in decided.rules]
        my_task.workflow.record(node.variable or node.id, {"result": decided.result, "rules": rules})

    def due(self, my_task: Any, timing: Timing) -> str | None:
        """Return the moment a timer that starts to wait now is due, None where a countdown's ledger knows."""
        if timing.countdown is not None:
            return None
        text = timing.text
        if text.startswith("="):
            text = feel.evaluate(text[1:], my_task.workflow.visible())
        try:
            due = moments.after(str(text), self.now) if timing.kind == "timeDuration" else moments.at(str(text))
        except ValueError as problem:
            raise specs.NoWayOn(element=my_task.task_spec.name, why=f"its timer: {problem}") from None
        return due.isoformat()

    def fail(self, code: str | None) -> None:
        """Refuse an error that nobody around the case's own process can catch."""
        raise specs.NoWayOn(element=self.spec.name, why=f"nobody catches the error {code!r}")

    def find(self, item: str, kinds: set[str]) -> Any:
        """Return the open task of an id, if its element is of one of the kinds; NotFound for any other."""
        for run in self.runs():
            for task in run.tasks.values():
                node = self.nodes.get(task.task_spec.name)
                if str(task.id) == item and task.has_state(specs.OPEN) and node is not None and node.kind in kinds:
                    return task
        raise NotFound(item=item)

    def step(self, my_task: Any) -> None:
        """Run one task and note it on the trail."""
        if my_task.task_spec.bpmn_id is not None:
            self.trail.append(my_task.task_spec.bpmn_id)
        if len(self.trail) > STEPS:
            raise specs.NoWayOn(element=my_task.task_spec.name, why="this goes round for ever without waiting")
        my_task.run()

    def advance(self) -> None:
        """Go on until everything open waits for somebody, something or some time."""
        while (ready := self._ready()) is not None:
            self.step(ready)

    def _ready(self) -> Any:
        for run in reversed(self.runs()):
            for task in run.tasks.values():
                if task.has_state(TaskState.READY) and not task.task_spec.manual:
                    return task
        return None


def ring(my_task: Any) -> None:
    """Let a waiting event fire (触发事件)."""
    my_task.internal_data["event_fired"] = True
    my_task.task_spec._update(my_task)


def withdraw(my_task: Any) -> None:
    """Take a token off the drawing (撤下令牌), with the boundary events that guard it."""
    host = my_task.parent
    together = host.children if isinstance(host.task_spec, BoundaryEventSplit) else [my_task]
    for task in together:
        if task.id in task.workflow.tasks:
            task.cancel()


def forget(run: Any) -> None:
    """Drop every task that no token stands on or needs (剪枝), and hang the rest under the root.

    What a token needs: the element it came by (joins tell their flows apart by it), and a boundary split with
    all its children for as long as one of them is open.
    """
    root = run.task_tree
    kept = {root.id}
    for task in run.tasks.values():
        if task.has_state(specs.OPEN) and task is not root:
            kept |= {task.id, task.parent.id}
            split = task.parent if not isinstance(task.task_spec, BoundaryEventJoin) else task.parent.parent
            if split is not None and isinstance(split.task_spec, BoundaryEventSplit):
                kept |= {split.id, *split._children}
    before = run.tasks
    run.tasks = {key: task for key, task in before.items() if key in kept}
    for task in run.tasks.values():
        task._children = []
    for task in run.tasks.values():
        if task is not root:
            if task._parent not in kept:
                task._parent = root.id
            run.tasks[task._parent]._children.append(task.id)
