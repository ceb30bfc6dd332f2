"""The doors of the engine (流程引擎接口): values in, values out, and nothing shared is ever changed.

Each call reads the state's bytes into a run of its own, moves it, and returns the new bytes; when anything
raises, the old bytes are as good as before. `now` is an aware datetime; cron timers follow the clock of its zone.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import NotFound, OutOfTurn
from approval.engine import states
from approval.engine.definitions import Definition
from approval.engine.diagrams import ACTIVITIES, ERRANDS, HUMAN
from approval.engine.progress import Errand, Progress, Task, Timer
from approval.engine.runs import Run
from approval.engine.steps import STANDING, Joining, NoWayOn
from approval.expressions import feel


def start(definition: Definition, facts: dict[str, Any], *, now: datetime, event: str | None = None) -> Progress:
    """Start a case (启动流程) on its facts and go to the first turns of people and machines.

    `event` names the message or signal that starts it, where the process has no plain start or another is meant.
    Raises PackRefused when a fact hides an outcome's key, NotFound for an event that starts nothing, and whatever
    conditions and decisions refuse: ExpressionRefused, DecisionRefused, NoWayOn.
    """
    run = definition.run(now, _plain(facts))
    for process in definition.beside:
        run.open(process, None, ledger="called", names={})
    starters = run.spec.scope.starters()
    named = [node for node in starters if event is None or event in {each.name for each in node.events}]
    if event is not None and not named:
        raise NotFound(event=event)
    if event is None and run.spec.entries:
        run.begin(run.spec.entries)
    else:
        run.begin([run.spec.task_specs[node.id] for node in named[:1]], rung=True)
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
    token = run.find(item, HUMAN | ERRANDS)
    token.workflow.record(token.task_spec.node.id, _plain(outcome))
    run.step(token)
    return _settle(definition, run)


def fail(definition: Definition, state: bytes, item: str, code: str, *, now: datetime) -> Progress:
    """Let an open errand or task end in an error (办理出错), for the nearest error event that catches the code.

    Raises NotFound for an item that is not open, NoWayOn where nobody catches it, and what `start` raises.
    """
    run = _resume(definition, state, now, None)
    token = run.find(item, HUMAN | ERRANDS)
    run.trail.append(token.task_spec.node.id)
    if not token.workflow.catch("error", token, code):
        raise NoWayOn(element=token.task_spec.node.id, why=f"nobody catches the error {code!r}")
    return _settle(definition, run)


def catch_up(definition: Definition, state: bytes, due: Collection[str], *, now: datetime) -> Progress:
    """Fire exactly the named timers (计时到期), in order; one that no longer waits is passed over.

    What is due is the caller's knowledge: the engine compares no times.
    """
    run = _resume(definition, state, now, None)
    for item in due:
        for token, event in run.waiting("timer"):
            if str(token.id) == item:
                token.task_spec.ring(token, event)
                run.advance()
                break
    return _settle(definition, run)


def deliver(
    definition: Definition,
    state: bytes,
    message: str,
    payload: dict[str, Any],
    *,
    now: datetime,
    key: Any = None,
) -> Progress:
    """Deliver a message or signal (消息送达) to every event that waits for its name.

    A message that is waited for with a correlation value arrives only with the same `key`. The payload is kept
    under the event's id. Raises NotFound when nothing waits for it.
    """
    run = _resume(definition, state, now, None)
    given = _plain(payload)
    heard = [run.ring(kind, message, key, given) for kind in ("message", "signal")]
    if True not in heard:
        raise NotFound(message=message)
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
        raise OutOfTurn(task=here.task_spec.node.id, target=target, why="only an earlier task of the same process")
    section = _section(home.spec, target)
    for token in list(home.tasks.values()):
        came_by = home.spec.sources.get(token.internal_data.get("via"))
        if token is here or {token.task_spec.name, came_by} & section:
            token.cancel()
    home.enter(home.spec.task_specs[target])
    return _settle(definition, run)


def place(definition: Definition, state: bytes, item: str, target: str, *, now: datetime) -> Progress:
    """Put an open task or errand onto another activity of the same process (人工跳转), forwards or backwards.

    Nothing else moves: whoever does this has looked at the diagram. Raises NotFound for an item that is not open,
    OutOfTurn for a target that is no activity beside it.
    """
    run = _resume(definition, state, now, None)
    here = run.find(item, HUMAN | ERRANDS)
    home = here.workflow
    step = home.spec.task_specs.get(target)
    if step is None or step.node.kind not in ACTIVITIES or step.node.triggered or step.node.compensates:
        raise OutOfTurn(task=here.task_spec.node.id, target=target, why="only an activity of the same process")
    here.cancel()
    home.enter(step)
    return _settle(definition, run)


def settle(definition: Definition, run: Run) -> Progress:
    """Tell where a run stands (流程进展) after going on as far as it can."""
    return _settle(definition, run)


def _section(procedure: Any, start: str) -> set[str]:
    """Return the steps a token from `start` can come to without passing a join."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = procedure.task_specs[ahead.pop()]
        joins = isinstance(here, Joining) and len(here.entering) > 1
        if here.name not in found and not joins:
            found.add(here.name)
            ahead += here._outputs  # noqa: SLF001 -- the stock graph, which has boundary events and links in it
    return found


def _resume(definition: Definition, state: bytes, now: datetime, facts: dict[str, Any] | None) -> Run:
    return states.load(definition, state, now, facts=_plain(facts) if facts else None)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that is plain JSON, so that nobody outside holds a part of it."""
    copy: dict[str, Any] = orjson.loads(feel.dump(values))
    return copy


def _settle(definition: Definition, run: Run) -> Progress:
    run.advance()
    tasks, errands, timers = [], [], []
    for each in run.runs():
        written = b""
        for token in each.tasks.values():
            node, kind = token.task_spec.node, token.task_spec.awaited(token)
            if kind == "timer":
                timers.append(_timer(each, token))
            elif kind is not None:
                common = (str(token.id), node.id, node.name)
                own = token.internal_data.get("locals")
                written = written or orjson.dumps(each.visible())
                seen = orjson.dumps({**each.visible(), **own}) if own else written
                if kind == "task":
                    meant = token.internal_data.get("for", {})
                    tasks.append(
                        Task(*common, node.lane, node.form, node.process, dict(node.properties), seen, _plain(meant))
                    )
                else:
                    errands.append(Errand(*common, node.calls or "", node.process, dict(node.properties), seen))
    finished = run.completed and not run.subprocesses
    if not (finished or tasks or errands or timers or run.waiting("message", "signal", "conditional")):
        stuck = next((token.task_spec.node.id for token in run.tokens() if token.has_state(TaskState.WAITING)), "")
        raise NoWayOn(element=stuck, why="the case would wait here for ever: nothing that is open leads here")
    return Progress(
        state=states.dump(definition, run),
        before=run.before,
        tasks=tuple(tasks),
        errands=tuple(errands),
        timers=tuple(timers),
        awaits={event.name or "": token.task_spec.node.id for token, event in run.waiting("message", "signal")},
        finished=finished,
        known=orjson.dumps(run.merged()),
        trail=tuple(run.trail),
        thrown=tuple(run.thrown),
        failed=run.failed,
    )


def _timer(run: Any, token: Any) -> Timer:
    node, kept = token.task_spec.node, token.internal_data
    host: Any = run.standing(kept["host"]) if "host" in kept else None
    timing = next(event.timing for event in node.events if event.timing is not None)
    guards_somebody = host is not None and host.task_spec.manual and host.has_state(STANDING)
    return Timer(
        id=str(token.id),
        element=node.id,
        task=str(host.id) if guards_somebody else None,
        due_at=None if kept["due"] is None else datetime.fromisoformat(kept["due"]),
        countdown=timing.countdown,
        interrupting=node.interrupting,
    )
