"""Who catches what is thrown (事件捕获): errors and escalations climb outwards, signals and messages go to all.

What was done is undone (补偿) here too: the handlers of what was completed run one after the other, the latest first.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from SpiffWorkflow.util.task import TaskState

from approval.engine.diagrams import Event
from approval.expressions import formulas


class Thrown(NamedTuple):
    """What the procedure told the world outside (对外事件): a message, signal or escalation, and its correlation."""

    kind: str
    name: str | None
    key: Any
    element: str


class Catchers:
    """What a run does with errors and escalations thrown inside it."""

    def catch(self, kind: str, token: Any, code: str | None) -> bool:
        """Let the nearest catcher around a token take an error or escalation; say whether there was one.

        A catcher that names the code comes before one that takes any. An event sub-process does not catch what
        comes out of itself.
        """
        while True:
            guards = token.task_spec.guards
            run = token.workflow
            if guard := _nearest(guards, kind, code):
                if guard.node.interrupting:
                    token.cancel()
                run.record(guard.node.id, {"code": code})
                run.enter(guard, rung=True)
                return True
            others = [each for each in run.spec.listeners if each.inner is not token.task_spec]
            if listener := _nearest(others, kind, code):
                run.record(listener.node.id, {"code": code})
                listener.begin(run)
                return True
            if run.host is None:
                return False
            token = run.host

    def fail(self, code: str | None) -> None:
        """End the whole process, because nobody caught an error in it."""
        run: Any = self
        while run.host is not None:
            run = run.host.workflow
        if run is run.top_workflow:  # a partner's end is its own
            run.failed = code or "error"
        run.cancel()


def _nearest(catchers: Iterable[Any], kind: str, code: str | None) -> Any:
    found = [
        (event.name is None, catcher)
        for catcher in catchers
        for event in catcher.node.events
        if event.kind == kind and event.name in {None, code}
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


class Tellers:
    """What a case does with what its procedure tells others, and with what is to be undone."""

    def throw(self: Any, token: Any, event: Event, *, but: Iterable[Any] = ()) -> None:
        """Throw an event from where a token stands; what nobody in the case catches is told outside.

        The steps in `but` have heard of it already.
        """
        run, key = token.workflow, None
        if event.kind == "error":
            if not run.catch("error", token, event.name):
                run.fail(event.name)
            return
        if event.kind == "escalation":
            caught = run.catch("escalation", token, event.name)
        else:
            key = None if event.key is None else formulas.evaluate(event.key, run.visible())
            caught = self.ring(event.kind, event.name, key, but=but) or bool(but)
        # A signal is for everybody, also outside; a message that was taken has arrived.
        if event.kind == "signal" or not caught:
            self.thrown.append(Thrown(event.kind, event.name, key, token.task_spec.node.id))

    def ring(
        self: Any,
        kind: str,
        name: str | None,
        key: Any = None,
        payload: dict[str, Any] | None = None,
        *,
        but: Iterable[Any] = (),
    ) -> bool:
        """Ring every event of this kind and name that waits, and start the partner that begins with it."""
        rung = False
        for token, event in self.waiting(kind):
            run = token.workflow
            waits_for = token.internal_data.get("key")
            if event.name != name or waits_for not in (None, key) or token.task_spec in but:
                continue
            # Whoever was rung before may have sent this one home.
            if token.id in run.tasks and token.has_state(TaskState.WAITING):
                rung = True
                run.record(token.task_spec.node.id, payload or {})
                token.task_spec.ring(token, event)
        for process, starter in self.partners.get((kind, name), ()):
            rung = True
            self.open(process, None, ledger="called", names={}, starter=starter)
        return rung

    def undo(self: Any, token: Any, target: str | None) -> bool:
        """Begin to undo what was done in a token's scope, or one activity of it; say whether there was anything."""
        base = _base(token, target)
        taken = [record for record in base.done if target is None or record[0] == target]
        base.done = [record for record in base.done if record not in taken]
        token.internal_data["plan"] = [rest for _, *rest in reversed(taken)]
        token.internal_data["target"] = target
        if not taken:
            return False
        self.undone(str(token.id))
        return True

    def undone(self: Any, name: str) -> None:
        """Undo the next thing for the token that asked for it, or let it go on when that was the last."""
        token = next((each for each in self.tokens() if each.id == UUID(name)), None)
        if token is None:
            return
        plan = token.internal_data["plan"]
        if not plan:
            token.task_spec.undone(token)
            return
        scope, element, done = plan.pop(0)
        if scope is None:
            base = _base(token, token.internal_data["target"])
            base.enter(base.spec.task_specs[element], undoes=name)
            return
        inner = self.inside(scope, token, ledger="shared", names={})
        inner.done = done
        step = inner.spec.task_specs[element]
        starts = [each.node.id for each in inner.spec.listeners if each.inner is step]
        inner.enter(step, **({"starter": starts[0]} if starts else {}))


def _base(token: Any, target: str | None) -> Any:
    """Return the run whose doings a token undoes: its own, or the one around the event sub-process it stands in."""
    run = token.workflow
    while run.host is not None and (
        run.host.task_spec.node.triggered or (target is not None and target not in run.spec.scope.nodes)
    ):
        run = run.host.workflow
    return run
