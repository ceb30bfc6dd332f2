"""Timers (定时): rows with an instant; the worker sweeps those that are due."""

from uuid import UUID

from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.domain.errors import Overtaken
from approval.models.cases import Case
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import journal, procedures


def due_cases(work: Work, *, limit: int = 100) -> list[UUID]:
    """List the cases with a timer that is due (到期办件), the most overdue first."""
    ripe = (
        select(Timer.case_id)
        .where(Timer.progress == Progress.OPEN, Timer.due_at <= work.now)
        .order_by(Timer.due_at)
        .limit(limit)
    )
    return list(dict.fromkeys(work.session.scalars(ripe)))


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


def come_first(work: Work, task: Task) -> None:
    """Let what is due happen before anybody acts (期限先行), even if no worker has swept yet.

    So nobody asks for corrections once silence has accepted. Raises `Overtaken` when time took the task away.
    """
    fire(work.acting_as(SYSTEM), task.case_id)
    if task.progress != Progress.OPEN:
        raise Overtaken(task=task.element)
