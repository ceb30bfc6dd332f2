"""Procedures of cases (办理流程): moving the engine on, and writing down what it then waits for.

Every door of the engine is used here and nowhere else; what comes back becomes rows in the same Work.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import select

from approval import engine
from approval.domain.cases import Status
from approval.domain.errors import NotFound, Unavailable
from approval.domain.manifests import Lane
from approval.models import saving
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, Progress, Task, Timer
from approval.office import Work
from approval.services import countdowns, errands, incidents, items, journal
from approval.services.packs import Pack

_MOST_AT_ONCE: Final = 100
_WRITTEN: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"(?:, )?)*\]')
_STOPPED: Final = frozenset({Status.DECLINED, Status.WITHDRAWN, Status.TERMINATED})
_Row = TypeVar("_Row", Task, Errand, Timer)
_Waiting = TypeVar("_Waiting", engine.Task, engine.Errand, engine.Timer)


def start(work: Work, case: Case, facts: dict[str, Any]) -> None:
    """Start the procedure of a new case (启动流程) with the facts its pack names."""
    pack = items.pack_of(work, case)
    _follow(work, case, pack, engine.start(pack.definition, facts, now=_now(work)))


def complete(work: Work, case: Case, item: UUID, outcome: dict[str, Any], facts: dict[str, Any] | None = None) -> None:
    """Complete an open task or errand of a case (推进流程); `facts` replaces what a correction changed."""
    pack = items.pack_of(work, case)
    progress = engine.complete(pack.definition, case.state, str(item), outcome, now=_now(work), facts=facts)
    _follow(work, case, pack, progress, done=item)


def catch_up(work: Work, case: Case, due: Iterable[UUID]) -> None:
    """Fire the timers of a case that are due (触发到期定时), in the order given."""
    pack = items.pack_of(work, case)
    fired = [str(timer) for timer in due]
    _follow(work, case, pack, engine.catch_up(pack.definition, case.state, fired, now=_now(work)))


def deliver(work: Work, case: Case, message: str, payload: dict[str, Any]) -> None:
    """Deliver a message to every event of a case that waits for it (消息送达); raises `NotFound` when none does."""
    pack = items.pack_of(work, case)
    _follow(work, case, pack, engine.deliver(pack.definition, case.state, message, payload, now=_now(work)))


def awaits(work: Work, case: Case, message: str) -> bool:
    """Tell whether a case waits for a message (是否等待消息); nothing is moved."""
    pack = items.pack_of(work, case)
    try:
        engine.deliver(pack.definition, case.state, message, {}, now=_now(work))
    except NotFound:
        return False
    return True


def move(work: Work, case: Case, item: UUID, target: str) -> None:
    """Move an open task or errand to any activity of its process (调整环节), back or forth; raises `OutOfTurn`."""
    pack = items.pack_of(work, case)
    _follow(work, case, pack, engine.place(pack.definition, case.state, str(item), target, now=_now(work)))


def restore(work: Work, case: Case, state: bytes, version: ItemVersion) -> None:
    """Lead a case back to a state it was in (恢复流程状态): what happened since is gone from the procedure.

    What is to be done again has a new row, and the old one stays as it was done. A snapshot of another version is
    taken over to the case's own; raises `CannotMigrate` when it has no like place.
    """
    pack = items.pack_of(work, case)
    if version.id != case.item_version_id:
        old = items.pack(work, version)
        state = engine.migrate(old.definition, pack.definition, state, now=_now(work)).state
    # The rows are those of where the case stood, which this state knows nothing of: all of them are compared.
    _follow(work, case, pack, engine.catch_up(pack.definition, state, (), now=_now(work)), compare=True)


def standing(work: Work, version: ItemVersion, state: bytes) -> engine.Progress:
    """Tell where a state stands under a version (流程位置), without moving it."""
    return engine.catch_up(items.pack(work, version).definition, state, (), now=_now(work))


def survey(work: Work, case: Case, version: ItemVersion, mapping: Mapping[str, str]) -> engine.Survey:
    """Tell what of a case would survive under another version (迁移检查), and what would not and why."""
    old, new = items.pack_of(work, case), items.pack(work, version)
    return engine.survey(old.definition, new.definition, case.state, mapping=mapping)


def foresee(work: Work, case: Case, version: ItemVersion, mapping: Mapping[str, str]) -> engine.Progress:
    """Tell where a case would stand under another version (迁移推演); raises `CannotMigrate` when it cannot."""
    old, new = items.pack_of(work, case), items.pack(work, version)
    return engine.migrate(old.definition, new.definition, case.state, now=_now(work), mapping=mapping)


def rehouse(work: Work, case: Case, version: ItemVersion, progress: engine.Progress) -> None:
    """Let a case go on under another version (换版), from where `progress` says it stands there.

    Open work keeps its rows, and is called what the new version calls it.
    """
    pack = items.pack(work, version)
    case.item_version = version
    work.session.flush()
    _rename(work, case, pack, progress)
    _follow(work, case, pack, progress, compare=True)


def fail(work: Work, case: Case, errand: Errand, code: str) -> None:
    """End an errand in an error that its procedure may catch (以错误结束); raises `NoWayOn` when nobody does."""
    pack = items.pack_of(work, case)
    _follow(work, case, pack, engine.fail(pack.definition, case.state, str(errand.item), code, now=_now(work)))


def stop(work: Work, case: Case) -> None:
    """Stop a procedure for good (停止流程): everything open is dropped; the state stays as it was, to be read."""
    _new(work, case, Task, ())
    _new(work, case, Errand, ())
    _new(work, case, Timer, ())
    incidents.settle(work, case)


def open_rows(work: Work, case: Case, kind: type[_Row]) -> list[_Row]:
    """List what a case waits for (在办工作), by kind: tasks, errands or timers."""
    return list(work.session.scalars(select(kind).where(kind.case_id == case.id, kind.closed_at.is_(None))))


def _follow(
    work: Work,
    case: Case,
    pack: Pack,
    progress: engine.Progress,
    *,
    done: UUID | None = None,
    compare: bool = False,
) -> None:
    """Do every act the procedure asks for, until only people, workers and time can move it on; write it down.

    What is new and what is gone the engine tells from the state before; `compare` asks the rows instead. `done` is
    the item whose completion led here, and whose row its caller closes.
    """
    before = progress.before
    acts = 0
    while asked := next(((each, act) for each in progress.errands if (act := errands.act_of(each.errand))), None):
        errand, act = asked
        acts += 1
        if acts > _MOST_AT_ONCE:
            raise engine.NoWayOn(element=errand.element, why="acts follow on acts without an end")
        _tell(work, case, progress)
        case.state = progress.state
        outcome = act(work, case, errand.data)
        progress = engine.complete(pack.definition, progress.state, errand.id, outcome, now=_now(work))
    _tell(work, case, progress)
    case.state = progress.state
    if len(progress.tasks) > _MOST_AT_ONCE:
        raise engine.NoWayOn(element=progress.tasks[-1].element, why="it would wait for too many people at once")
    rows = _Rows(work, case, None if compare else before, progress, done)
    _record_tasks(work, case, pack, rows, progress.tasks)
    _record_errands(work, case, rows, progress.errands)
    _record_timers(work, case, pack, rows, progress)
    if compare or pack.definition.countdowns - countdowns.BEGUN_BY_LAW:
        countdowns.stop_answered(work, case)
    if compare or countdowns.moved(work, case) or any(timer.countdown for timer in progress.timers):
        countdowns.mark_due(work, case)
    incidents.settle(work, case)
    if case.status in _STOPPED and not progress.finished:  # whatever else its procedure still waits for
        stop(work, case)
    if progress.finished:
        journal.write(work, case, "procedure:finished")


def _now(work: Work) -> datetime:
    """Tell the engine the instant on the clock of the legal zone, which a cron timer follows."""
    return work.now.astimezone(work.office.settings.tz)


def _tell(work: Work, case: Case, progress: engine.Progress) -> None:
    """Write down what the procedure told the world (对外事件), and an error that ended it."""
    for thrown in progress.thrown:
        told = {"kind": thrown.kind, "name": thrown.name, "key": thrown.key, "element": thrown.element}
        journal.write(work, case, "procedure:told", **told)
    if progress.failed is not None:
        journal.write(work, case, "procedure:failed", code=progress.failed)


class _Rows:
    """What of a case has rows and what is to have some (在办工作对照), before and after a transition."""

    def __init__(
        self,
        work: Work,
        case: Case,
        before: Mapping[str, str] | None,
        progress: engine.Progress,
        done: UUID | None,
    ) -> None:
        self._work, self._case, self._compare, self._done = work, case, before is None, done
        after = {task.id: "task" for task in progress.tasks} | {errand.id: "errand" for errand in progress.errands}
        after |= {timer.id: "timer" for timer in progress.timers}
        known = {} if before is None else before
        self.gone = {id_: kind for id_, kind in known.items() if id_ not in after}
        self._fresh = after.keys() - known.keys()

    def fresh(self, kind: type[_Row], name: str, waiting: Iterable[_Waiting]) -> list[tuple[_Waiting, UUID]]:
        """Drop the rows that nothing waits for any more; say what has no row yet, and the id its row is to have."""
        if self._compare:
            return _new(self._work, self._case, kind, waiting)
        # Whoever closed a row before the procedure moved on has left it closed.
        gone = [UUID(id_) for id_, each in self.gone.items() if each == name and UUID(id_) != self._done]
        if gone:
            left = select(kind).where(kind.case_id == self._case.id, kind.item.in_(gone), kind.closed_at.is_(None))
            for row in self._work.session.scalars(left):
                row.progress, row.closed_at = Progress.DROPPED, self._work.now
        return [(item, UUID(item.id)) for item in waiting if item.id in self._fresh]


def _lane(pack: Pack, task: engine.Task) -> Lane:
    """Find whose a task is: the lane that its groups name, as where many departments are asked, else the drawn one.

    Raises `engine.NoWayOn` for a task that would be nobody's.
    """
    lane = _named(pack, task)
    if lane is None and not _is_worked_out(pack, task):
        lane = pack.manifest.lanes.get(task.lane or "")
    if lane is None:
        raise engine.NoWayOn(element=task.element, why=f"no lane of the item is called {task.meant.get('groups')}")
    return lane


def _named(pack: Pack, task: engine.Task) -> Lane | None:
    groups = task.meant.get("groups")
    named = groups if isinstance(groups, list) else [groups]
    return next((lane for name in named if isinstance(name, str) and (lane := pack.manifest.lanes.get(name))), None)


def _is_worked_out(pack: Pack, task: engine.Task) -> bool:
    """Tell whether a task's groups come from the case and were not written down (分派表达式): a wrong one is nobody."""
    node = pack.definition.nodes.get(task.element)
    groups = dict(node.assignment).get("groups") if node else None
    return groups is not None and not _WRITTEN.fullmatch(groups.text)


def _record_tasks(work: Work, case: Case, pack: Pack, rows: _Rows, tasks: Iterable[engine.Task]) -> None:
    for task, row_id in rows.fresh(Task, "task", tasks):
        lane = _lane(pack, task)
        opened = {
            "id": row_id,
            "item": UUID(task.id),
            "case_id": case.id,
            "element": task.element,
            "name": task.name,
            "form": task.form,
            "department_code": lane.department or None,
            "role": lane.role,
            "progress": Progress.OPEN,
            "opened_at": work.now,
            "due_on": case.due_on,
        }
        saving.add(work.session, Task, opened)


def _record_errands(work: Work, case: Case, rows: _Rows, asked: Iterable[engine.Errand]) -> None:
    for errand, row_id in rows.fresh(Errand, "errand", asked):
        if errands.carried(errand.errand) is None:
            raise Unavailable(errand=errand.errand)
        work.session.add(
            Errand(
                id=row_id,
                item=UUID(errand.id),
                case_id=case.id,
                element=errand.element,
                errand=errand.errand,
                given=errand.data if ":" in errand.errand else None,
                progress=Progress.OPEN,
                opened_at=work.now,
            )
        )
        work.session.flush()
        work.office.carrier.enqueue(work.session, row_id)


def _record_timers(work: Work, case: Case, pack: Pack, known: _Rows, progress: engine.Progress) -> None:
    fresh = known.fresh(Timer, "timer", progress.timers)
    if not fresh:
        return
    rows = {row.item: row.id for row in open_rows(work, case, Task)}
    rows |= {row.item: row.id for row in open_rows(work, case, Errand)}
    # Departments that are asked at once are each held to a countdown of their own.
    asked = {task.id: lane.department for task in progress.tasks if (lane := _named(pack, task))}
    for timer, row_id in fresh:
        due_at = timer.due_at and timer.due_at.astimezone(UTC)
        department = asked.get(timer.task or "")
        kind = f"{timer.countdown}:{department}" if timer.countdown and department else timer.countdown
        if kind and timer.countdown:
            due = countdowns.due(work, case, kind)
            if due is None or not countdowns.has_begun(kind, due):
                limits = pack.manifest.limits
                limit = limits.get(kind) or limits[timer.countdown]
                due = countdowns.begin(work, case, kind, limit, since=work.now)
            due_at = countdowns.expires(work, due)
        elif row_id != UUID(timer.id):
            due_at = _anew(work, UUID(timer.id), due_at)
        assert due_at is not None
        work.session.add(
            Timer(
                id=row_id,
                item=UUID(timer.id),
                case_id=case.id,
                element=timer.element,
                task_id=rows.get(UUID(timer.task), UUID(timer.task)) if timer.task else None,
                countdown=kind,
                due_at=due_at,
                try_at=None if case.held_at else due_at,
                progress=Progress.OPEN,
                opened_at=work.now,
            )
        )


def _anew(work: Work, item: UUID, due_at: datetime | None) -> datetime | None:
    """Let a technical wait that is over begin anew when its step is returned to; one still ahead stays."""
    before = work.session.scalars(select(Timer).where(Timer.id == item)).one_or_none()
    if before is None or due_at is None or due_at > work.now:
        return due_at
    return work.now + (before.due_at - before.opened_at)


def _new(work: Work, case: Case, kind: type[_Row], waiting: Iterable[_Waiting]) -> list[tuple[_Waiting, UUID]]:
    """Drop the open rows that the engine no longer waits for; say what has no row yet, and the id its row is to have.

    That is the engine's own id, but for what had a row before and is waited for again.
    """
    by_item = {UUID(item.id): item for item in waiting}
    rows = open_rows(work, case, kind)
    for row in rows:
        if row.item not in by_item:
            row.progress, row.closed_at = Progress.DROPPED, work.now
    fresh = by_item.keys() - {row.item for row in rows}
    if not fresh:
        return []
    taken = set(work.session.scalars(select(kind.id).where(kind.id.in_(fresh))))
    return [(item, uuid4() if id_ in taken else id_) for id_, item in by_item.items() if id_ in fresh]


def _rename(work: Work, case: Case, pack: Pack, progress: engine.Progress) -> None:
    """Call open work what the version calls it that a case goes on under."""
    tasks: Mapping[UUID, engine.Task] = {UUID(task.id): task for task in progress.tasks}
    for row in open_rows(work, case, Task):
        if task := tasks.get(row.item):
            lane = _lane(pack, task)
            row.element, row.name, row.form = task.element, task.name, task.form
            row.department_code, row.role = lane.department or None, lane.role
    elements = {UUID(errand.id): errand.element for errand in progress.errands}
    elements |= {UUID(timer.id): timer.element for timer in progress.timers}
    for errand in open_rows(work, case, Errand):
        errand.element = elements.get(errand.item, errand.element)
    for timer in open_rows(work, case, Timer):
        timer.element = elements.get(timer.item, timer.element)
