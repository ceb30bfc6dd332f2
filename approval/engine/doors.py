# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""The doors of the engine (流程引擎接口): values in, values out, and nothing shared is ever changed.

Each call reads the state's bytes into a run of its own, moves it, and returns the new bytes; when anything
raises, the old bytes are as good as before. `now` is an aware UTC datetime.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import NotFound, OutOfTurn
from approval.engine import specs, states
from approval.engine.definitions import Definition
from approval.engine.diagrams import ERRANDS, HUMAN
from approval.engine.progress import Errand, Progress, Task, Timer
from approval.engine.runs import Run, ring, withdraw
from approval.expressions import feel


def start(definition: Definition, facts: dict[str, Any], *, now: datetime) -> Progress:
    """Start a case (启动流程) on its facts and go to the first turns of people and machines.

    Raises PackRefused when a fact hides an outcome's key, and whatever conditions and decisions refuse:
    ExpressionRefused, DecisionRefused, NoWayOn.
    """
    run = definition.run(now, _plain(facts))
    return _settle(definition, run)


def complete(
    definition: Definition,
    state: bytes,
    item: str,
    outcome: dict[str, Any],
    *,
    now: datetime,
    facts: dict[str, Any] | None = None,
) -> Progress:
    """Complete an open task or errand (办结待办), keeping its outcome under its element's id.

    `facts` replaces top-level facts of the same names first, as after a correction. Raises NotFound for an
    item that is not open (the state does not remember closed ones), and what `start` raises.
    """
    run = _resume(definition, state, now, facts)
    task = run.find(item, HUMAN | ERRANDS)
    task.workflow.record(task.task_spec.name, _plain(outcome))
    run.step(task)
    return _settle(definition, run)


def catch_up(definition: Definition, state: bytes, due: Collection[str], *, now: datetime) -> Progress:
    """Fire exactly the named timers (计时到期), in order; one that no longer waits is passed over.

    What is due is the caller's knowledge: the engine compares no times.
    """
    run = _resume(definition, state, now, None)
    for item in due:
        for task in _waiting(run):
            if str(task.id) == item and task.task_spec.event_definition.event.kind == "timer":
                ring(task)
                run.advance()
    return _settle(definition, run)


def deliver(definition: Definition, state: bytes, message: str, payload: dict[str, Any], *, now: datetime) -> Progress:
    """Deliver a message or signal (消息送达) to every event that waits for its name.

    The payload is kept under the event's id. Raises NotFound when nothing waits for it.
    """
    run = _resume(definition, state, now, None)
    events = [
        task
        for task in _waiting(run)
        if task.task_spec.event_definition.event.kind in {"message", "signal"}
        and task.task_spec.event_definition.event.name == message
    ]
    if not events:
        raise NotFound(message=message)
    for task in events:
        if task.has_state(TaskState.WAITING) and not task.workflow.completed:
            task.workflow.record(task.task_spec.name, _plain(payload))
            ring(task)
            run.advance()
    return _settle(definition, run)


def move(definition: Definition, state: bytes, task: str, target: str, *, now: datetime) -> Progress:
    """Return an open human task to an earlier one of its process (退回), and withdraw what ran beside it.

    Withdrawn are the tokens that stand between the target and the next join. Earlier outcomes stay until they
    are given anew. Raises NotFound for a task that is not open, OutOfTurn for a target that is no human task
    of the same process, or one that was never done.
    """
    run = _resume(definition, state, now, None)
    here = run.find(task, HUMAN)
    home = here.workflow
    if target not in home.spec.task_specs or target not in definition.tasks or target not in home.visible():
        raise OutOfTurn(task=here.task_spec.name, target=target, why="only an earlier task of the same process")
    entry = specs.entry(home.spec, target)
    section = _section(home.spec, entry.name)
    for token in list(home.tasks.values()):
        came_by = token.parent.task_spec.name if token.parent is not None else None
        if token is here or (token.has_state(specs.OPEN) and {token.task_spec.name, came_by} & section):
            withdraw(token)
    child = home.task_tree._add_child(entry, TaskState.FUTURE)
    child.triggered = True
    entry._predict(child, mask=TaskState.NOT_FINISHED_MASK)
    entry._update(child)
    return _settle(definition, run)


def migrate(old: Definition, new: Definition, state: bytes, *, now: datetime) -> Progress:
    """Continue a case on another version of its procedure (流程迁移), where the new one has the same places.

    Ids of open items, outcomes and due times stay. Raises StateRefused when the state is not of `old`,
    CannotMigrate naming the elements that are gone, or are something else now.
    """
    body = states.read(state)
    if body["definition"] != old.digest:
        raise states.StateRefused(why="it belongs to another definition", given=old.digest)
    standing = {name for part in body["runs"] for _, _, name, _, _ in part["tokens"]}
    changed = sorted(name for name in standing if name in old.nodes and _place(old, name) != _place(new, name))
    if changed or (old.process != new.process and not body["finished"]):
        raise states.CannotMigrate(elements=changed or [old.process])
    run = states.load(new, state, now, migrating=True)
    return _settle(new, run)


def _place(definition: Definition, name: str) -> Any:
    """Return what must stay the same about an element for a token on it to live on."""
    node = definition.nodes.get(name)
    if node is None:
        return None
    guards = sorted(other.id for other in definition.nodes.values() if other.attached == name)
    return node.kind, node.process, node.calls if node.kind == "callActivity" else None, node.attached, guards


def _section(procedure: Any, start: str) -> set[str]:
    """Return the specs a token from `start` can come to without passing a join."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = procedure.task_specs[ahead.pop()]
        joins = isinstance(here, specs.Gathering) and len(here._inputs) > 1
        if here.name not in found and not joins:
            found.add(here.name)
            ahead += here._outputs
    return found


def _resume(definition: Definition, state: bytes, now: datetime, facts: dict[str, Any] | None) -> Run:
    return states.load(definition, state, now, facts=_plain(facts or {}))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that is plain JSON, so that nobody outside holds a part of it."""
    copy: dict[str, Any] = orjson.loads(feel.dump(values))
    return copy


def _waiting(run: Run) -> list[Any]:
    return [
        task
        for each in run.runs()
        for task in each.tasks.values()
        if task.has_state(TaskState.WAITING) and isinstance(task.task_spec, CatchingEvent)
    ]


def _settle(definition: Definition, run: Run) -> Progress:
    run.advance()
    tasks, errands, timers = [], [], []
    for each in [] if run.completed else run.runs():
        for token in each.tasks.values():
            node = definition.nodes.get(token.task_spec.name)
            if node is None or not token.has_state(specs.OPEN):
                continue
            common = (str(token.id), node.id, node.name)
            if node.kind in HUMAN:
                seen = _plain(each.visible())
                tasks.append(Task(*common, node.lane, node.form, node.process, dict(node.properties), seen))
            elif node.kind in ERRANDS:
                seen = _plain(each.visible())
                errands.append(Errand(*common, node.calls or "", node.process, dict(node.properties), seen))
            elif node.event.timing is not None:
                timers.append(_timer(definition, token))
    return Progress(
        state=states.dump(definition, run),
        tasks=tuple(tasks),
        errands=tuple(errands),
        timers=tuple(timers),
        finished=run.completed,
        data=_plain(run.merged()),
        trail=tuple(run.trail),
    )


def _timer(definition: Definition, token: Any) -> Timer:
    node = definition.nodes[token.task_spec.name]
    due = token.internal_data["due"]
    guarded = None
    if isinstance(token.parent.task_spec, BoundaryEventSplit):
        host = next(each for each in token.parent.children if each.task_spec.name == node.attached)
        if definition.nodes[host.task_spec.name].kind in HUMAN | ERRANDS:
            guarded = str(host.id)
    return Timer(
        id=str(token.id),
        element=node.id,
        task=guarded,
        due_at=None if due is None else datetime.fromisoformat(due),
        countdown=node.event.timing.countdown if node.event.timing else None,
        interrupting=node.interrupting,
    )
