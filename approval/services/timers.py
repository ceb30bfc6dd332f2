"""Timers (定时): rows with an instant; the workers sweep those that are due."""

from uuid import UUID

from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.domain.errors import TimePassed
from approval.models.cases import Case
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import incidents, journal, procedures, renewals


def any_due(work: Work) -> bool:
    """Tell whether any timer is due (有无到期定时), without waiting for anybody."""
    ripe = select(Timer.id).where(Timer.progress == Progress.OPEN, Timer.try_at <= work.now)
    return work.session.scalar(ripe.limit(1)) is not None


def claim(work: Work) -> Case | None:
    """Claim the case whose timer has been due for longest (认领到期办件), locked; None when nothing is due.

    A case that somebody else works on at this moment is passed over: several workers share what is due, and none
    waits for another. The cost follows what is due, not what waits (`ix_timers_due`).
    """
    ripe = (
        select(Case)
        .join(Timer, Timer.case_id == Case.id)
        .where(Timer.progress == Progress.OPEN, Timer.try_at <= work.now)
        .order_by(Timer.try_at)
        .limit(1)
        .with_for_update(of=Case, skip_locked=True)
    )
    return work.session.scalars(ripe).one_or_none()


def note_trial(work: Work, case_id: UUID, reason: Exception) -> None:
    """Note that the due timers of a case could not fire (记录触发失败): they are tried again later, and less often.

    After too many attempts they are incidents, and wait for an administrator.
    """
    case = work.session.get_one(Case, case_id, with_for_update=True)
    for timer in _due(work, case):
        timer.attempts += 1
        if incidents.hopeless(work, reason, timer.attempts):
            incidents.report(work, case, timer, reason, timer.attempts)
        else:
            timer.try_at = work.now + incidents.pause(timer.attempts)


def fire(work: Work, case_id: UUID) -> list[str]:
    """Fire every due timer of one case (触发定时) and return the elements fired; another worker may have been first.

    The case row is locked and the timers are read again under the lock, so that each fires once. A late sweep
    changes no right: what a timer brings about counts from its countdown, not from the sweep.
    """
    return fire_all(work, work.session.get_one(Case, case_id, with_for_update=True, populate_existing=True))


def fire_all(work: Work, case: Case) -> list[str]:
    """Fire every due timer of a case that is locked already (触发定时); as `fire`. A case held still fires none."""
    if case.held_at is not None:
        return []
    timers = _due(work, case)
    for timer in timers:
        timer.progress, timer.closed_at = Progress.DONE, work.now
        journal.write(work, case, "timer:fired", timer=timer.element, countdown=timer.countdown)
    if timers:
        procedures.catch_up(work, case, [timer.item for timer in timers])
    return [timer.element for timer in timers]


def come_first(work: Work, case: Case, task: Task | None = None) -> None:
    """Let what is due happen before anybody acts (期限先行), even if no worker has swept yet.

    So nobody asks for corrections once silence has accepted. Raises `TimePassed` when time took the task away;
    the sweep then does what the law says, in a Work of its own.
    """
    fire(work.acting_as(SYSTEM), case.id)
    renewals.come_first(work.acting_as(SYSTEM), case)
    if task is not None and task.progress != Progress.OPEN:
        raise TimePassed(task=task.element)


def _due(work: Work, case: Case) -> list[Timer]:
    ripe = select(Timer).where(Timer.case_id == case.id, Timer.progress == Progress.OPEN, Timer.due_at <= work.now)
    return list(work.session.scalars(ripe.order_by(Timer.due_at, Timer.id)))
