"""Procedures of cases (办理流程): moving the engine on, and writing down what it then waits for.

Every door of the engine is used here and nowhere else; what comes back becomes rows in the same Work.
"""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from approval import engine
from approval.domain.errors import Unavailable
from approval.models.cases import Case
from approval.models.tasks import Errand, Progress, Task, Timer
from approval.office import Work
from approval.services import countdowns, errands, items, journal
from approval.services.packs import Pack

_Row = TypeVar("_Row", Task, Errand, Timer)
_Waiting = TypeVar("_Waiting", engine.Task, engine.Errand, engine.Timer)


def start(work: Work, case: Case, facts: dict[str, Any]) -> None:
    """Start the procedure of a new case (启动流程) with the facts its pack names."""
    pack = items.pack(work, case.item_version)
    _follow(work, case, pack, engine.start(pack.definition, facts, now=work.now))


def complete(work: Work, case: Case, item: UUID, outcome: dict[str, Any], facts: dict[str, Any] | None = None) -> None:
    """Complete an open task or errand of a case (推进流程); `facts` replaces what a correction changed."""
    pack = items.pack(work, case.item_version)
    progress = engine.complete(pack.definition, case.state, str(item), outcome, now=work.now, facts=facts)
    _follow(work, case, pack, progress)


def catch_up(work: Work, case: Case, due: Iterable[UUID]) -> None:
    """Fire the timers of a case that are due (触发到期定时), in the order given."""
    pack = items.pack(work, case.item_version)
    fired = [str(timer) for timer in due]
    _follow(work, case, pack, engine.catch_up(pack.definition, case.state, fired, now=work.now))


def stop(work: Work, case: Case) -> None:
    """Stop a procedure for good (停止流程): everything open is dropped; the state stays as it was, to be read."""
    _new(work, case, Task, ())
    _new(work, case, Errand, ())
    _new(work, case, Timer, ())
    work.session.flush()


def _follow(work: Work, case: Case, pack: Pack, progress: engine.Progress) -> None:
    """Do every act the procedure asks for, until only people, workers and time can move it on; write it down."""
    while asked := next((errand for errand in progress.errands if errand.errand in errands.ACTS), None):
        case.state = progress.state
        outcome = errands.ACTS[asked.errand](work, case)
        progress = engine.complete(pack.definition, progress.state, asked.id, outcome, now=work.now)
    case.state = progress.state
    _record_tasks(work, case, pack, progress.tasks)
    _record_errands(work, case, progress.errands)
    _record_timers(work, case, pack, progress.timers)
    work.session.flush()
    countdowns.stop_answered(work, case)
    countdowns.mark_due(work, case)
    if progress.finished:
        journal.write(work, case, "procedure:finished")


def _record_tasks(work: Work, case: Case, pack: Pack, tasks: Iterable[engine.Task]) -> None:
    for task in _new(work, case, Task, tasks):
        lane = pack.manifest.lanes[task.lane or ""]
        work.session.add(
            Task(
                id=UUID(task.id),
                case_id=case.id,
                element=task.element,
                name=task.name,
                form=task.form,
                department_code=lane.department or None,
                role=lane.role,
                progress=Progress.OPEN,
                opened_at=work.now,
            )
        )


def _record_errands(work: Work, case: Case, asked: Iterable[engine.Errand]) -> None:
    for errand in _new(work, case, Errand, asked):
        if errand.errand not in errands.CARRIED:
            raise Unavailable(errand=errand.errand)
        work.session.add(
            Errand(
                id=UUID(errand.id),
                case_id=case.id,
                element=errand.element,
                errand=errand.errand,
                progress=Progress.OPEN,
                opened_at=work.now,
            )
        )
        work.session.flush()
        work.office.carrier.enqueue(work.session, UUID(errand.id))


def _record_timers(work: Work, case: Case, pack: Pack, timers: Iterable[engine.Timer]) -> None:
    for timer in _new(work, case, Timer, timers):
        due_at = timer.due_at
        if timer.countdown:
            due = countdowns.due(work, case, timer.countdown)
            if due is None or timer.countdown not in countdowns.BEGUN_BY_LAW:
                limit = pack.manifest.limits[timer.countdown]
                due = countdowns.begin(work, case, timer.countdown, limit, since=work.now)
            due_at = countdowns.expires(work, due)
        assert due_at is not None
        work.session.add(
            Timer(
                id=UUID(timer.id),
                case_id=case.id,
                element=timer.element,
                task_id=UUID(timer.task) if timer.task else None,
                countdown=timer.countdown,
                due_at=due_at,
                progress=Progress.OPEN,
                opened_at=work.now,
            )
        )


def _new(work: Work, case: Case, kind: type[_Row], waiting: Iterable[_Waiting]) -> list[_Waiting]:
    """Drop the open rows that the engine no longer waits for, and say what has no row yet."""
    by_id = {UUID(item.id): item for item in waiting}
    open_rows = _open_rows(work, case, kind)
    for row in open_rows:
        if row.id not in by_id:
            row.progress, row.closed_at = Progress.DROPPED, work.now
    known = {row.id for row in open_rows}
    return [item for id_, item in by_id.items() if id_ not in known]


def _open_rows(work: Work, case: Case, kind: type[_Row]) -> list[_Row]:
    return list(work.session.scalars(select(kind).where(kind.case_id == case.id, kind.closed_at.is_(None))))
