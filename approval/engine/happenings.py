# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""Happenings (事件): what a token waits for, what it tells others, and how one ends what others do.

An event fires when it is rung, never because a clock was read.
"""

from datetime import datetime
from typing import Any, Final

from SpiffWorkflow.util.task import TaskState

from approval.engine import moments
from approval.engine.diagrams import Event, Node
from approval.engine.steps import NoWayOn, Step
from approval.engine.undertakings import Undertaking
from approval.expressions import formulas

# Errors, escalations and the like are not waited for: whoever throws one looks for its catcher.
WAITED_FOR: Final = {"timer", "message", "signal", "conditional"}


class Catching(Step):
    """An event that waits to be rung: by its name, by a time that has come, or by its condition."""

    @property
    def waits(self) -> bool:
        """Whether a token stands here at all."""
        return any(event.kind in WAITED_FOR for event in self.node.events)

    @property
    def known(self) -> set[tuple[str, str | None]]:
        """What rings here, as pairs of kind and name."""
        return {(event.kind, event.name) for event in self.node.events}

    def _update_hook(self, token: Any) -> bool:
        if token.internal_data.pop("rung", False):
            return True
        token._set_state(TaskState.WAITING)
        run, kept = token.workflow, token.internal_data
        for event in self.node.events:
            if event.timing is not None:
                kept["due"] = run.due(self.node, event.timing)
                if event.timing.kind == "timeCycle":
                    kept["set"], kept["fired"] = run.top_workflow.now.isoformat(), 0
            if event.key is not None:
                kept["key"] = formulas.evaluate(event.key, run.visible())
        run.top_workflow.ask_condition(token)
        # A condition that holds already has made it ready by itself.
        return False

    def ring(self, token: Any, event: Event) -> None:
        """Let one of the events happen; with all of them asked for, the last one fires."""
        kept = token.internal_data
        if self.node.all_events:
            seen = sorted({*kept.get("seen", []), self.node.events.index(event)})
            kept["seen"] = seen
            if len(seen) < len(self.node.events):
                return
        spent = event.timing is not None and not self._wind(token, event)
        self.fire(token, event, spent=spent)

    def _wind(self, token: Any, event: Event) -> bool:
        """Set a timer that repeats to its next time; periods missed meanwhile are not caught up on."""
        kept, now = token.internal_data, token.workflow.top_workflow.now
        timing = event.timing
        if timing is None or timing.kind != "timeCycle":
            return False
        text, start = token.workflow.timing_text(self.node, timing), datetime.fromisoformat(kept["set"])
        # The first of these is set off by whoever knows that it is due, whatever this clock says.
        last = max(now, datetime.fromisoformat(kept["due"]))
        try:
            kept["fired"], following = moments.next_due(text, start, kept["fired"] + 1, last)
        except ValueError as problem:  # what it is reckoned from may have become something else since
            raise NoWayOn(element=self.node.id, why=str(problem)) from None
        if following is None:
            return False
        kept["due"] = following.isoformat()
        return True

    def fire(self, token: Any, event: Event, *, spent: bool) -> None:
        """Go on from here; a timer that counts its rounds lets a token go at each of them."""
        run = token.workflow
        race = token.internal_data.get("race")
        for rival in list(run.tasks.values()) if race else ():
            if rival is not token and rival.internal_data.get("race") == race:
                rival.cancel()
        if event.timing is not None and not spent and race is None and self._counted(event):
            run.enter(self, rung=True)
        else:
            token._ready()

    def _counted(self, event: Event) -> bool:
        text = event.timing.text if event.timing else ""
        return text.startswith("R") and not text.startswith("R/")


class Receiving(Undertaking, Catching):
    """A receive task: an activity that waits for a message."""

    def _update_hook(self, token: Any) -> bool:
        return Undertaking._update_hook(self, token) and Catching._update_hook(self, token)


class Boundary(Catching):
    """An event on the edge of an activity, which it takes away when it interrupts."""

    def fire(self, token: Any, event: Event, *, spent: bool) -> None:
        """Go on beside the activity, or in its place."""
        run = token.workflow
        host = run.standing(token.internal_data["host"])
        if self.node.interrupting:
            host.cancel()
        elif spent:
            run.drop(token)
        run.enter(self, rung=True)
        del event


class Listener(Catching):
    """The start of an event sub-process, which listens while its scope runs."""

    def __init__(self, procedure: Any, start: Node, inner: Any) -> None:
        super().__init__(procedure, start, f".Listen {inner.name}")
        self.inner = inner

    def fire(self, token: Any, event: Event, *, spent: bool) -> None:
        """Run the event sub-process, beside the rest of its scope or in its place."""
        del event
        if spent and self.node.interrupting is False:
            token.workflow.drop(token)
        self.begin(token.workflow)

    def begin(self, run: Any) -> None:
        """Start the event sub-process in a scope."""
        if self.node.interrupting:
            run.clear()
            run.interrupted = True
        run.enter(self.inner, starter=self.node.id)


class Throwing(Step):
    """An event that tells others; an end event that tells is one too."""

    def _run_hook(self, token: Any) -> bool | None:
        for event in self.node.events:
            if event.kind == "compensation":
                if not token.workflow.top_workflow.undo(token, event.target):
                    continue
                return None
            token.workflow.top_workflow.throw(token, event)
            if token.id not in token.workflow.tasks:
                break
        return True

    def undone(self, token: Any) -> None:
        """Go on after what had to be undone is undone."""
        token.complete()

    def returned(self, token: Any, inner: Any) -> None:
        """Count what was undone inside a scope that had ended before."""
        del inner
        token.workflow.top_workflow.undone(str(token.id))


class Sending(Undertaking, Throwing):
    """A send task that sends a message by itself, without an errand."""

    def _run_hook(self, token: Any) -> bool | None:
        return Throwing._run_hook(self, token)

    def go_on(self, token: Any) -> None:
        """Go on as an activity does."""
        Undertaking.go_on(self, token)


class Failing(Step):
    """An error end."""

    def _run_hook(self, token: Any) -> bool:
        if not token.workflow.catch("error", token, self.node.event.name):
            token.workflow.fail(self.node.event.name)
        return True


class Terminating(Step):
    """A terminate end: everything else in this scope ends with it."""

    def _run_hook(self, token: Any) -> bool:
        token.workflow.clear(but=token)
        return True


class Cancelling(Throwing):
    """A cancel end: what the transaction did is undone, then its cancel boundary goes on."""

    def _run_hook(self, token: Any) -> bool | None:
        token.workflow.clear(but=token)
        if token.workflow.top_workflow.undo(token, None):
            return None
        self.undone(token)
        return True

    def undone(self, token: Any) -> None:
        """Leave the transaction by its cancel boundary."""
        host = token.workflow.host
        guards = [] if host is None else [each for each in host.task_spec.guards if each.node.event.kind == "cancel"]
        if not guards:
            raise NoWayOn(element=self.node.id, why="the transaction around it has no cancel boundary event")
        outer = host.workflow
        host.cancel()
        outer.enter(guards[0], rung=True)


class Linking(Step):
    """A link throw: goes on at the catch of its name, wherever that is drawn."""

    target: Step

    def go_on(self, token: Any) -> None:
        """Jump."""
        token.workflow.enter(self.target, rung=True)
