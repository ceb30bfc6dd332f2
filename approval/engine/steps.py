# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""Steps (环节): SpiffWorkflow's task specs as we use them, and the tokens that stand on them.

A token is a SpiffWorkflow task. It is there only while the case stands on it: its step brings it from FUTURE to
READY or WAITING, runs it, and when it is complete takes it away and puts new ones where the flows lead. Nothing
ahead is predicted and nothing behind is kept, so a case costs what it has open, however long it has been.
"""

from typing import Any, Final

from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import OutOfTurn
from approval.engine.diagrams import Flow, Node
from approval.expressions import formulas

STANDING: Final = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class NoWayOn(OutOfTurn):
    """The procedure has no way on from here."""


class Token(Task):
    """One place where a case stands (令牌)."""

    def _set_state(self, value: int) -> None:
        # The stock method gathers at every change what it would log, whether or not anybody listens.
        self._state = value


class Step(TaskSpec):
    """What every element does: take a token, run, and pass it on along the flows that are chosen."""

    # When the element is noted on the trail: as it begins, as it ends, or by what is done inside it.
    noted = "first"
    # What running it counts for against the steps of one transition; a script takes as long as many of the others.
    effort = 1

    def __init__(self, procedure: Any, node: Node, name: str | None = None, *, manual: bool = False) -> None:
        super().__init__(procedure, name or node.id, manual=manual)
        self.node = node
        self.guards: list[Any] = []
        self.leaving: list[tuple[Flow, Step]] = []

    def lead(self, flow: Flow, step: "Step") -> None:
        """Lead a flow from here to another step."""
        self.connect(step)
        self.leaving.append((flow, step))

    def test(self) -> None:
        """Ask nothing at run time: what a drawing must satisfy was asked when it was uploaded."""

    def awaited(self, token: Any) -> str | None:
        """Say what kind of thing a token waits for outside the engine (task, errand, timer); None for nothing."""
        due = "due" in token.internal_data and token.has_state(TaskState.WAITING)
        return "timer" if due else None

    def _predict(self, *_: Any, **__: Any) -> None:
        """Predict nothing; what lies ahead is known from the definition."""

    def _update_hook(self, token: Any) -> bool:
        del token
        return True

    def _on_ready(self, token: Any) -> None:
        if not self.manual:
            token.workflow.top_workflow.queue.append(token)

    def _run_hook(self, _: Any) -> bool | None:
        return True

    def _on_complete(self, token: Any) -> None:
        # What a step does may have taken its own token away: an error it threw, an end it brought about.
        run = token.workflow
        if token.id in run.tasks:
            if self.noted == "last":
                run.top_workflow.trail.append(self.node.id)
            run.drop(token)
            self.go_on(token)
            run.settle()

    def _on_cancel(self, token: Any) -> None:
        token.workflow.top_workflow.close_inside(token)
        token.workflow.drop(token)

    def go_on(self, token: Any) -> None:
        """Put a token at the end of every chosen flow."""
        run = token.workflow
        for flow, step in self.chosen(run):
            for _ in range(self.node.gives):
                run.enter(step, via=flow.id)

    def chosen(self, run: Any) -> list[tuple[Flow, "Step"]]:
        """Choose flows: all without a condition, all whose condition holds, and the default where none does.

        Raises NoWayOn where every flow has a condition and none holds.
        """
        found = [
            (flow, step)
            for flow, step in self.leaving
            if flow.id != self.node.default and (flow.condition is None or run.holds(flow.condition))
        ]
        conditional = any(flow.condition is not None for flow, _ in found)
        return found if conditional or (found and self.node.default is None) else found + self._otherwise()

    def _otherwise(self) -> list[tuple[Flow, "Step"]]:
        default = [(flow, step) for flow, step in self.leaving if flow.id == self.node.default]
        if self.leaving and not default:
            raise NoWayOn(element=self.node.id, why="no condition holds and there is no default flow")
        return default


class Passing(Step):
    """An element that a token merely passes: start, milestone, plain end."""


class Choosing(Step):
    """An exclusive gateway: the first flow whose condition holds, else the default."""

    def chosen(self, run: Any) -> list[tuple[Flow, Step]]:
        """Choose one flow."""
        for flow, step in self.leaving:
            if flow.id != self.node.default and (flow.condition is None or run.holds(flow.condition)):
                return [(flow, step)]
        return self._otherwise()


class Joining(Step):
    """A gateway that waits for tokens from its other flows and makes one of them."""

    eager = True

    def __init__(self, procedure: Any, node: Node) -> None:
        super().__init__(procedure, node)
        self.entering: set[str] = set()

    def _update_hook(self, token: Any) -> bool:
        if len(self.entering) < 2:  # noqa: PLR2004 -- nothing to wait for
            return True
        token._set_state(TaskState.WAITING)
        return self.eager and self.joined(token)

    def joined(self, token: Any) -> bool:
        """Say whether the join is complete; then `token` goes on and one token of each other flow is taken."""
        arrived = self._arrived(token.workflow)
        if not self._complete(token.workflow, set(arrived)):
            return False
        arrived[token.internal_data["via"]] = token
        for other in arrived.values():
            if other is not token:
                token.workflow.drop(other)
        return True

    def _arrived(self, run: Any) -> dict[str, Any]:
        arrived: dict[str, Any] = {}
        for token in run.tasks.values():
            if token.task_spec is self and token.has_state(TaskState.WAITING):
                arrived.setdefault(token.internal_data["via"], token)
        return arrived

    def _complete(self, run: Any, arrived: set[str]) -> bool:
        del run
        return arrived == self.entering


class Parallel(Joining):
    """A parallel gateway: waits for every incoming flow, then takes every outgoing one, conditions or not."""

    def chosen(self, run: Any) -> list[tuple[Flow, Step]]:
        """Choose every flow."""
        del run
        return self.leaving


class Inclusive(Joining):
    """An inclusive gateway: waits for every token that can still come, then takes the flows that hold.

    It is asked when nothing else can move: while something does, more may come.
    """

    eager = False

    def __init__(self, procedure: Any, node: Node) -> None:
        super().__init__(procedure, node)
        self._upstream: dict[str, frozenset[str]] = {}

    def _complete(self, run: Any, arrived: set[str]) -> bool:
        standing = {token.task_spec.name for token in run.tasks.values() if token.task_spec is not self}
        empty = [flow for flow in self.entering if flow not in arrived]
        coming = {name for name in standing if any(name in self._before(flow) for flow in empty)}
        return not any(all(name not in self._before(flow) for flow in arrived) for name in coming)

    def _before(self, flow: str) -> frozenset[str]:
        """Return the steps from which a token can come onto one of our flows without passing us."""
        if flow not in self._upstream:
            found: set[str] = set()
            ahead = [self._wf_spec.sources[flow]]
            while ahead:
                here = ahead.pop()
                if here not in found and here != self.name:
                    found.add(here)
                    ahead += self._wf_spec.task_specs[here]._inputs
            self._upstream[flow] = frozenset(found)
        return self._upstream[flow]


class Racing(Step):
    """An event-based gateway: what follows waits side by side, and the first to fire sends the others home."""

    def go_on(self, token: Any) -> None:
        """Let every event wait, knowing its rivals by the race they run in."""
        for flow, step in self.leaving:
            # One that fires at once, because its condition holds already, has won before the others start.
            entered = token.workflow.enter(step, via=flow.id, race=str(token.id))
            if not entered.has_state(TaskState.WAITING):
                return


def asked(pairs: tuple[tuple[str, formulas.Formula], ...], seen: dict[str, Any]) -> dict[str, Any]:
    """Evaluate named formulas (逐项求值)."""
    return {name: formulas.evaluate(formula, seen) for name, formula in pairs}
