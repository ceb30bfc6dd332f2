# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""The drawing as SpiffWorkflow specs (流程规格): where ours differ from the stock ones, they say why.

Data never travels along the flows: task data stays empty, and facts and outcomes live in the ledgers of
`runs.py`, each outcome under its own key. So a join has nothing to merge and no branch can lose a vote.
"""

from collections.abc import Mapping
from typing import Any, Final

from SpiffWorkflow.bpmn.specs import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit, BpmnStartTask, SimpleBpmnTask
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, ExclusiveGateway, SubWorkflowTask, UserTask
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.mixins import BpmnSpecMixin, InclusiveGatewayMixin
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import OutOfTurn
from approval.engine.diagrams import ERRANDS, HUMAN, NESTED, Event, Node, Scope

OPEN: Final = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class NoWayOn(OutOfTurn):
    """The procedure has no way on from here."""


def is_token(task: Any) -> bool:
    """Say whether a task is where the case stands (当前位置), rather than where it was or may come to."""
    if task.has_state(OPEN):
        return True
    return bool(
        task.has_state(TaskState.FUTURE) and task.parent is not None and task.parent.has_state(TaskState.COMPLETED)
    )


class Occasion(EventDefinition):
    """What a catching event waits for. It fires when it is rung, never because a clock was read."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.name)
        self.event = event

    def update_task(self, my_task: Any) -> None:
        """Note when a timer is due at the moment it starts to wait."""
        if self.event.timing is not None and "due" not in my_task.internal_data:
            my_task.internal_data["due"] = my_task.workflow.top_workflow.due(my_task, self.event.timing)


class Gathering(TaskSpec):
    """A join: takes one token from each incoming flow and leaves the rest waiting, as BPMN says.

    The stock joins look through the history for finished parents, which miscounts in a loop and forbids
    forgetting; ours looks at waiting arrivals only.
    """

    def _update_hook(self, my_task: Any) -> bool:
        my_task._inherit_data()
        others = [
            task
            for task in my_task.workflow.tasks.values()
            if task.task_spec is self and task is not my_task and task.has_state(TaskState.WAITING)
        ]
        arrivals = {task.parent.task_spec.name: task for task in reversed([my_task, *others])}
        if not self._complete(my_task, set(arrivals)):
            my_task._set_state(TaskState.WAITING)
            return False
        for task in arrivals.values():
            if task is not my_task:
                task.cancel()
        return True

    def _run_hook(self, _: Any) -> bool:
        return True

    def _complete(self, _: Any, arrived: set[str]) -> bool:
        return arrived == set(self._inputs)


class ParallelGateway(Gathering, BpmnSpecMixin):
    """Waits for every incoming flow, then takes every outgoing one."""


class InclusiveGateway(Gathering, InclusiveGatewayMixin, BpmnSpecMixin):
    """Waits for every token that can still come to an empty incoming flow, then takes the flows that hold."""

    def _complete(self, my_task: Any, arrived: set[str]) -> bool:
        empty = [name for name in self._inputs if name not in arrived]
        tokens = {
            task.task_spec.name
            for task in my_task.workflow.tasks.values()
            if is_token(task) and task.task_spec is not self
        }
        coming = {name for name in tokens if any(name in self._before(each) for each in empty)}
        return not any(all(name not in self._before(each) for each in arrived) for name in coming)

    def _before(self, name: str) -> set[str]:
        """Return the specs from which a token can come to one of our inputs without passing us."""
        found: set[str] = set()
        ahead = [name]
        while ahead:
            here = ahead.pop()
            if here not in found and here != self.name:
                found.add(here)
                ahead += self._wf_spec.task_specs[here]._inputs
        return found

    def _run_hook(self, my_task: Any) -> bool:
        matches, defaults = self._get_matching_outputs(my_task)
        chosen = matches or defaults
        if not chosen:
            raise NoWayOn(element=self.name, why="no condition holds and there is no default flow")
        my_task._sync_children(chosen, TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True


class Choosing(ExclusiveGateway):
    """An exclusive gateway whose dead end is a refusal of ours."""

    def _run_hook(self, my_task: Any) -> Any:
        try:
            return super()._run_hook(my_task)
        except WorkflowException:
            raise NoWayOn(element=self.name, why="no condition holds and there is no default flow") from None


class Ending(Gathering, SimpleBpmnTask):
    """The end of a scope: reached when its last token has come to an end event."""

    def _update_hook(self, my_task: Any) -> bool:
        my_task._inherit_data()
        tasks = list(my_task.workflow.tasks.values())
        if any(is_token(task) and task.task_spec is not self for task in tasks):
            my_task._set_state(TaskState.WAITING)
            return False
        for task in tasks:
            if task.task_spec is self and task is not my_task and task.has_state(TaskState.WAITING):
                task.cancel()
        return True


class Passage(BpmnSpecMixin):
    """An element that a token merely passes: start, milestone, plain end."""


class Race(BpmnSpecMixin):
    """An event-based gateway: its events wait side by side, and the first to fire sends the others home."""


class Catching(CatchingEvent, BpmnSpecMixin):
    """An intermediate event that waits to be rung."""

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        if isinstance(my_task.parent.task_spec, Race):
            for rival in my_task.parent.children:
                if rival is not my_task:
                    rival.cancel()


class Ruling(BpmnSpecMixin):
    """A business rule task: its decision is asked when the token passes."""

    def _run_hook(self, my_task: Any) -> bool:
        my_task.workflow.top_workflow.rule(my_task)
        return True


class Nested(SubWorkflowTask):
    """A sub-process or a call activity; `spec` names the scope that runs inside."""

    def start_workflow(self, my_task: Any) -> None:
        """Open the inner run and let it start; it reads the outer ledger, so nothing is copied."""
        my_task.workflow.top_workflow.create_subprocess(my_task, self.spec).task_tree.run()

    def _on_subworkflow_completed(self, subworkflow: Any, my_task: Any) -> None:
        # An inner run that was ended by an error or a timer must not bring its cancelled host back to life.
        if my_task.has_state(TaskState.STARTED):
            subworkflow.hand_back(self.name)
            my_task._set_state(TaskState.READY)


class Terminating(BpmnSpecMixin):
    """A terminate end: everything else in this scope ends with it."""

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        my_task.workflow.cancel()
        my_task.workflow._mark_complete(my_task)


class Failing(BpmnSpecMixin):
    """An error end: rings the nearest error boundary around this scope, innermost first.

    The stock event looks for any error boundary of the outer process, so it may hit a neighbour's.
    """

    def __init__(self, wf_spec: Any, bpmn_id: str, code: str | None, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.code = code

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        my_task.workflow.fail(self.code)


class Closing(SimpleBpmnTask):
    """The very last step of a scope."""

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        my_task.workflow._mark_complete(my_task)


class Procedure(BpmnProcessSpec):
    """A scope as a spec, with a start and an end of our own.

    The stock end trusts a walk of 1000 steps, and the stock names would collide with elements called Start
    or End; ours begin with a dot, as no XML id can.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.task_specs.clear()
        self.start: Any = BpmnStartTask(self, ".Start")
        self.end: Any = Ending(self, ".Ending")
        self.end.connect(Closing(self, ".Closing"))


SIMPLE: Final = {
    "exclusiveGateway": Choosing,
    "parallelGateway": ParallelGateway,
    "inclusiveGateway": InclusiveGateway,
    "eventBasedGateway": Race,
    "businessRuleTask": Ruling,
}


def build(scopes: Mapping[str, Scope]) -> dict[str, Procedure]:
    """Build a spec for every scope (构建流程); the scopes have passed `dialect.faults`."""
    return {name: _procedure(scope) for name, scope in scopes.items()}


def entry(procedure: Any, element: str) -> Any:
    """Return the spec a token enters an element by (入口): its boundary split where it has boundary events."""
    return procedure.task_specs.get(f".Boundary {element}") or procedure.task_specs[element]


def _procedure(scope: Scope) -> Procedure:
    procedure = Procedure(scope.id)
    for node in scope.nodes.values():
        _spec(procedure, node)
    for node in scope.nodes.values():
        guards = [other for other in scope.nodes.values() if other.attached == node.id]
        if guards:
            _guard(procedure, node, guards)
    for node in scope.nodes.values():
        spec = procedure.task_specs[node.id]
        if node.kind == "startEvent":
            procedure.start.connect(spec)
        if node.kind == "endEvent":
            spec.connect(procedure.end)
        for flow in scope.leaving(node.id):
            target = entry(procedure, flow.target)
            if flow.condition is None:
                spec.connect(target)
            else:
                spec.connect_outgoing_if(flow.condition, target)
    return procedure


def _guard(procedure: Procedure, node: Node, guards: list[Node]) -> None:
    split = BoundaryEventSplit(procedure, f".Boundary {node.id}")
    join = BoundaryEventJoin(procedure, f".BoundaryEnd {node.id}", split_task=split.name, cancel=True)
    for each in (node, *guards):
        split.connect(procedure.task_specs[each.id])
        procedure.task_specs[each.id].connect(join)


def _spec(procedure: Procedure, node: Node) -> None:
    if node.kind in HUMAN | ERRANDS:
        UserTask(procedure, node.id)
    elif node.kind in NESTED:
        Nested(procedure, node.id, node.calls or node.id)
    elif node.kind == "intermediateCatchEvent":
        Catching(procedure, node.id, event_definition=Occasion(node.event))
    elif node.kind == "boundaryEvent":
        BoundaryEvent(procedure, node.id, Occasion(node.event), node.interrupting)
    elif node.event.kind == "error":
        Failing(procedure, node.id, node.event.name)
    elif node.event.kind == "terminate":
        Terminating(procedure, node.id)
    else:
        SIMPLE.get(node.kind, Passage)(procedure, node.id)
