"""Timers (定时): rows with an instant; the worker sweeps those that are due."""

from uuid import UUID

from sqlalchemy import func, select, update

from approval.domain.actors import SYSTEM
from approval.domain.errors import TimePassed
from approval.models.cases import Case
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import journal, procedures


def due_cases(work: Work, *, limit: int = 100) -> list[UUID]:
    """List the cases with a timer that is due (到期办件): those never tried first, then the longest overdue.

    A case whose timers cannot fire goes to the end of the queue, so that it holds nobody up.
    """
    tried = func.max(Timer.tried_at)
    ripe = (
        select(Timer.case_id)
        .where(Timer.progress == Progress.OPEN, Timer.due_at <= work.now)
        .group_by(Timer.case_id)
        .order_by(tried.is_not(None), tried, func.min(Timer.due_at))
        .limit(limit)
    )
    return list(work.session.scalars(ripe))


def note_trial(work: Work, case_id: UUID) -> None:
    """Note that the due timers of a case could not fire now (记录触发失败); they stay due."""
    tried = update(Timer).where(Timer.case_id == case_id, Timer.progress == Progress.OPEN, Timer.due_at <= work.now)
    work.session.execute(tried.values(tried_at=work.now))


def fire(work: Work, case_id: UUID) -> list[str]:
    """Fire every due timer of one case (触发定时) and return the elements fired; another worker may have been first.

    The case row is locked and the timers are read again under the lock, so that each fires once. A late sweep
    changes no right: what a timer brings about counts from its countdown, not from the sweep.
    """
    case = work.session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    ripe = select(Timer).where(Timer.case_id == case_id, Timer.progress == Progress.OPEN, Timer.due_at <= work.now)
    timers = list(work.session.scalars(ripe.order_by(Timer.due_at)))
    for timer in timers:
        timer.progress, timer.closed_at = Progress.DONE, work.now
        journal.write(work, case, "timer:fired", timer=timer.element, countdown=timer.countdown)
    if timers:
        procedures.catch_up(work, case, [timer.id for timer in timers])
    return [timer.element for timer in timers]


def come_first(work: Work, case: Case, task: Task | None = None) -> None:
    """Let what is due happen before anybody acts (期限先行), even if no worker has swept yet.

    So nobody asks for corrections once silence has accepted. Raises `TimePassed` when time took the task away;
    the sweep then does what the law says, in a Work of its own.
    """
    fire(work.acting_as(SYSTEM), case.id)
    if task is not None and task.progress != Progress.OPEN:
        raise TimePassed(task=task.element)
