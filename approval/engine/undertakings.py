# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""Activities (活动): what is done in a procedure, by people, machines, formulas and inner procedures."""

from typing import Any

from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import Refusal
from approval.engine.diagrams import HUMAN, Node
from approval.engine.steps import NoWayOn, Step, asked
from approval.expressions import formulas


class Undertaking(Step):
    """What every activity does: sees its inputs, is guarded by boundary events, leaves outputs, can be undone."""

    def _update_hook(self, token: Any) -> bool:
        run, kept = token.workflow, token.internal_data
        if self.node.takes > 1 and not self._gathered(token):
            return False
        if self.node.inputs:
            kept["locals"] = asked(self.node.inputs, run.visible())
        if self.node.assignment:
            kept["for"] = asked(self.node.assignment, run.seen(token))
        for guard in self.guards:
            if token.id in run.tasks and guard.waits:
                run.enter(guard, host=str(token.id))
        return token.id in run.tasks

    def _gathered(self, token: Any) -> bool:
        """Wait for as many tokens as this activity takes; the last of them stands for all."""
        token._set_state(TaskState.WAITING)
        waiting = [
            other
            for other in token.workflow.tasks.values()
            if other.task_spec is self and other.has_state(TaskState.WAITING)
        ]
        if len(waiting) < self.node.takes:
            return False
        for other in waiting:
            if other is not token:
                token.workflow.drop(other)
        return True

    def _on_cancel(self, token: Any) -> None:
        token.workflow.drop_guards(token)
        super()._on_cancel(token)

    def go_on(self, token: Any) -> None:
        """Leave the outputs, remember how this is undone, and go on; an undoing goes back to who asked for it."""
        run = token.workflow
        run.drop_guards(token)
        for name, formula in self.node.outputs:
            run.write(name, formulas.evaluate(formula, self.left(token)))
        if undoing := token.internal_data.get("undoes"):
            run.top_workflow.undone(undoing)
            return
        self._remember(token)
        super().go_on(token)

    def left(self, token: Any) -> dict[str, Any]:
        """Return what outputs are made of."""
        run = token.workflow
        seen: dict[str, Any] = run.seen(token)
        outcome = seen.get(self.node.id)
        return {**seen, **outcome} if isinstance(outcome, dict) else seen

    def _remember(self, token: Any) -> None:
        """Note what would undo this: its own handler, else what undoes the things done inside."""
        handlers = [guard.node.handler for guard in self.guards if guard.node.handler]
        if handlers:
            token.workflow.done.append([self.node.id, None, handlers[0], []])
        else:
            token.workflow.done += [[self.node.id, *each] for each in token.internal_data.pop("undo", [])]


class Turn(Undertaking):
    """Somebody's turn, a person's or a machine's: it stays ready until it is completed from outside."""

    def __init__(self, procedure: Any, node: Node) -> None:
        super().__init__(procedure, node, manual=True)

    def awaited(self, token: Any) -> str | None:
        """Say whose turn it is; nobody's while more tokens must come first."""
        if not token.has_state(TaskState.READY):
            return None
        return "task" if self.node.kind in HUMAN else "errand"


class Ruling(Undertaking):
    """A business rule task: its decision is asked when the token passes."""

    def _run_hook(self, token: Any) -> bool:
        token.workflow.top_workflow.rule(token)
        return True


class Scripted(Undertaking):
    """A script task: what it assigns becomes variables; what it raises is an error that may be caught."""

    effort = 24  # what a script costs beside a step; loops of 2,000 rounds stay within `runs.STEPS`

    def _run_hook(self, token: Any) -> bool:
        script, run = self.node.script, token.workflow
        if script is None:
            return True
        try:
            if script.language == "feel":
                run.write(self.node.variable or self.node.id, formulas.evaluate(script, run.seen(token)))
            else:
                assigned = formulas.run(script, run.seen(token))
                if self.node.variable and len(assigned) == 1 and self.node.variable not in assigned:
                    assigned = {self.node.variable: next(iter(assigned.values()))}
                for name, value in assigned.items():
                    run.write(name, value)
        except Refusal as refusal:
            raised = refusal.facts.get("raised")
            if raised is None or not run.catch("error", token, raised):
                raise
        return True


class Nested(Undertaking):
    """A sub-process or a call activity; its token stands while something runs inside."""

    noted = "last"

    def _run_hook(self, token: Any) -> None:
        called = self.node.kind == "callActivity"
        starter = token.internal_data.pop("starter", None)
        token.workflow.top_workflow.open(
            self.node.calls if called else self.node.id,
            token,
            ledger="called" if called else "shared",
            names=token.internal_data.get("locals", {}),
            starter=starter,
        )

    def returned(self, token: Any, inner: Any) -> None:
        """Take back what an inner run made, and go on."""
        token.internal_data["undo"] = inner.undoable()
        if self.node.kind == "callActivity":
            token.workflow.record(self.node.id, inner.outcomes)
            if not self.node.outputs:
                # Where one process is called by several elements, the first record tells their outcomes apart.
                for name, value in inner.outcomes.items():
                    token.workflow.record(name, value)
        if token.id in token.workflow.tasks:
            token.complete()


class Repeated(Undertaking):
    """An activity with a marker: done again and again, or once for each of many."""

    noted = "inside"

    def __init__(self, procedure: Any, node: Node) -> None:
        super().__init__(procedure, node)
        assert node.loop is not None
        self.loop = node.loop

    def _run_hook(self, token: Any) -> bool | None:
        kept = token.internal_data
        if self.loop.kind == "standard":
            kept["round"] = 0
            if self.loop.most == 0 or (self.loop.before and not self._again(token, token.workflow.seen(token))):
                return True
            self._open(token, 0)
            return None
        items = self._items(token)
        kept["items"], kept["results"], kept["done"] = items, [None] * len(items), 0
        kept["made"] = [None] * len(items) if self.loop.output else None
        if not items:
            self._keep(token)
            return True
        for index in range(len(items) if self.loop.kind == "parallel" else 1):
            if token.id in token.workflow.tasks:
                self._open(token, index)
        return None

    def _items(self, token: Any) -> list[Any]:
        seen = token.workflow.seen(token)
        if self.loop.collection is not None:
            found = formulas.evaluate(self.loop.collection, seen)
            if not isinstance(found, list):
                raise NoWayOn(element=self.node.id, why="its collection is not a list")
            items = found
        else:
            assert self.loop.cardinality is not None
            number = formulas.evaluate(self.loop.cardinality, seen)
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise NoWayOn(element=self.node.id, why="its cardinality is not a whole number from 0 on")
            items = [None] * min(number, token.workflow.top_workflow.MOST_INSTANCES + 1)
        if len(items) > token.workflow.top_workflow.MOST_INSTANCES:
            raise NoWayOn(element=self.node.id, why="it would be done more often than a case may do anything at once")
        return items

    def _open(self, token: Any, index: int) -> None:
        names: dict[str, Any] = {**token.internal_data.get("locals", {}), "loopCounter": index + 1}
        if self.loop.item is not None:
            names[self.loop.item] = token.internal_data["items"][index]
        ledger = "shared" if self.loop.kind == "standard" else "instance"
        token.workflow.top_workflow.open(f".Each {self.node.id}", token, ledger=ledger, names=names, index=index)

    def returned(self, token: Any, inner: Any) -> None:
        """Count an instance that is done, and decide whether that was the last."""
        kept = token.internal_data
        kept.setdefault("undo", []).extend(inner.undoable())
        if self.loop.kind == "standard":
            kept["round"] += 1
            if self._again(token, token.workflow.seen(token)):
                self._open(token, kept["round"])
            else:
                token.complete()
            return
        kept["results"][inner.index] = inner.result(self.node)
        if self.loop.output is not None:
            kept["made"][inner.index] = formulas.evaluate(self.loop.output, inner.visible())
        kept["done"] += 1
        self._throw(token)
        if token.id not in token.workflow.tasks:
            return
        if kept["done"] == len(kept["items"]) or self._enough(token):
            token.workflow.top_workflow.close_inside(token)
            self._keep(token)
            token.complete()
        elif self.loop.kind == "sequential":
            self._open(token, inner.index + 1)

    def _again(self, token: Any, seen: dict[str, Any]) -> bool:
        rounds = token.internal_data["round"]
        if self.loop.most is not None and rounds >= self.loop.most:
            return False
        return self.loop.condition is None or formulas.holds(self.loop.condition, {**seen, "loopCounter": rounds + 1})

    def _enough(self, token: Any) -> bool:
        if self.loop.condition is None:
            return False
        return formulas.holds(self.loop.condition, {**token.workflow.seen(token), **self._counts(token)})

    def _counts(self, token: Any) -> dict[str, Any]:
        """Return what a completion condition may ask: the counts under every dialect's names, the results so far."""
        kept = token.internal_data
        number, done = len(kept["items"]), kept["done"]
        active = number - done if self.loop.kind == "parallel" else min(1, number - done)
        counts = {"Instances": number, "ActiveInstances": active, "CompletedInstances": done, "TerminatedInstances": 0}
        found: dict[str, Any] = {f"{prefix}{name}": n for prefix in ("nrOf", "numberOf") for name, n in counts.items()}
        found[self.node.id] = [result for result in kept["results"] if result is not None]
        if self.loop.collected is not None:
            made = kept["results"] if kept["made"] is None else kept["made"]
            found[self.loop.collected] = [value for value in made if value is not None]
        return found

    def _throw(self, token: Any) -> None:
        """Throw what this marker throws as an instance completes.

        It is news of the activity and not against it: its own boundary events let a token go and leave it alone.
        """
        run = token.workflow
        for event in self.loop.throws if self.loop.when == "none" or token.internal_data["done"] == 1 else ():
            own = [guard for guard in self.guards if (event.kind, event.name) in guard.known]
            for guard in own:
                run.enter(guard, rung=True)
            run.top_workflow.throw(token, event, but=own)

    def _keep(self, token: Any) -> None:
        kept = token.internal_data
        token.workflow.record(self.node.id, kept["results"])
        if self.loop.collected is not None:
            token.workflow.write(self.loop.collected, kept["results"] if kept["made"] is None else kept["made"])
