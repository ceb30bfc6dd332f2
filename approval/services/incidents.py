"""Incidents (异常): what the office cannot do by itself any more waits here for an administrator, and is never lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from approval import engine
from approval.domain.errors import NotFound, Overtaken, Refusal, Unavailable
from approval.expressions import feel, tables
from approval.models.cases import Case
from approval.models.incidents import Incident, IncidentKind
from approval.models.tasks import Errand, ErrandProgress, Progress, Task, Timer
from approval.office import Work
from approval.services import access, journal

Subject = Errand | Timer | Task
# Refusals that are the procedure's own fault: nobody who works on the case can put them right.
FAULTS: Final = (engine.NoWayOn, engine.StateRefused, feel.ExpressionRefused, tables.DecisionRefused)
# What refuses is asked again a few times only: the same question has the same answer, unless the machine was busy.
_REFUSED_TRIES: Final = 3
_LONGEST_WAIT: Final = 3600
_LONGEST_FACT: Final = 500
_TAGS: Final[Mapping[str, str]] = {
    IncidentKind.ERRAND: "errand:incident",
    IncidentKind.TIMER: "timer:incident",
    IncidentKind.TASK: "task:incident",
}
_KINDS: Final[Mapping[type[Subject], str]] = {
    Errand: IncidentKind.ERRAND,
    Timer: IncidentKind.TIMER,
    Task: IncidentKind.TASK,
}


def listed(work: Work, *, limit: int = 50, offset: int = 0) -> list[Incident]:
    """List what waits for an administrator (待处理异常), the oldest first, with their cases.

    Raises `NotSignedIn`, `NotAllowed`.
    """
    access.require_administrator(work)
    waiting = select(Incident).where(Incident.closed_at.is_(None)).options(joinedload(Incident.case))
    in_order = waiting.order_by(Incident.opened_at, Incident.id)
    return list(work.session.scalars(in_order.limit(limit).offset(offset)))


def count(work: Work) -> int:
    """Count what waits for an administrator (异常计数)."""
    return work.session.scalar(select(func.count()).select_from(Incident).where(Incident.closed_at.is_(None))) or 0


def of_case(work: Work, case: Case) -> list[Incident]:
    """List the open incidents of a case (办件的异常), the oldest first."""
    waiting = select(Incident).where(Incident.case_id == case.id, Incident.closed_at.is_(None))
    return list(work.session.scalars(waiting.order_by(Incident.opened_at, Incident.id)))


def find(work: Work, incident_id: UUID) -> Incident:
    """Find an incident (查找异常), open or closed; raises `NotSignedIn`, `NotAllowed`, `NotFound`."""
    access.require_administrator(work)
    found = work.session.get(Incident, incident_id)
    if found is None:
        raise NotFound(incident=str(incident_id))
    return found


def report(work: Work, case: Case, subject: Subject, reason: Exception | str, attempts: int) -> None:
    """Report that something cannot go on (转人工处理); what is reported already stays as it was reported first.

    An errand or a timer is tried no more until somebody sees to it; a task stays open. The case is locked.
    """
    kind = _KINDS[type(subject)]
    if isinstance(subject, Errand):
        subject.progress = ErrandProgress.INCIDENT
    elif isinstance(subject, Timer):
        subject.try_at = None
    waiting = select(Incident.id).where(Incident.subject_id == subject.id, Incident.closed_at.is_(None))
    if work.session.scalar(waiting) is not None:
        return
    code, facts = _told(reason)
    name = subject.errand if isinstance(subject, Errand) else getattr(subject, "name", subject.element)
    work.session.add(
        Incident(
            id=uuid4(),
            case_id=case.id,
            kind=kind,
            subject_id=subject.id,
            element=subject.element,
            name=name,
            reason=code,
            facts=facts,
            attempts=attempts,
            opened_at=work.now,
        )
    )
    case.incidents += 1
    journal.write(work, case, _TAGS[kind], element=subject.element, reason=code)


def close(work: Work, case: Case, incident: Incident) -> None:
    """Close an incident that somebody saw to (异常处理完毕); the case is locked."""
    if incident.closed_at is None:
        incident.closed_at, incident.closed_by = work.now, work.actor.label
        case.incidents -= 1
        work.session.flush()


def settle(work: Work, case: Case) -> None:
    """Close the incidents of what the procedure no longer waits for (异常随流程了结)."""
    if not case.incidents:
        return
    for incident in of_case(work, case):
        if _subject(work, incident).closed_at is not None:
            close(work, case, incident)


def note_refused_task(work: Work, task_id: UUID, reason: Refusal) -> None:
    """Note that a procedure cannot take in a completed task (待办无法推进), after the completion was undone."""
    task = work.session.get(Task, task_id)
    if task is None:
        return
    case = work.session.get_one(Case, task.case_id, with_for_update=True)
    work.session.refresh(task)
    if task.progress == Progress.OPEN:
        report(work, case, task, reason, 1)


def hopeless(work: Work, reason: Exception, attempts: int) -> bool:
    """Tell whether something that failed so often is no longer tried (不再重试)."""
    refused = isinstance(reason, Refusal) and not isinstance(reason, Unavailable | Overtaken)
    return attempts >= (_REFUSED_TRIES if refused else work.office.settings.errand_attempts)


def pause(attempts: int) -> timedelta:
    """Tell how long to wait before the next attempt (重试间隔): twice as long each time, an hour at most."""
    return timedelta(seconds=min(2**attempts, _LONGEST_WAIT))


def _subject(work: Work, incident: Incident) -> Subject:
    if incident.kind == IncidentKind.ERRAND:
        return work.session.get_one(Errand, incident.subject_id)
    if incident.kind == IncidentKind.TIMER:
        return work.session.get_one(Timer, incident.subject_id)
    return work.session.get_one(Task, incident.subject_id)


def _told(reason: Exception | str) -> tuple[str, dict[str, Any]]:
    """Name a reason by its code; of what is no Refusal only the name, because faults quote what people wrote."""
    if isinstance(reason, str):
        return reason, {}
    if not isinstance(reason, Refusal):
        return type(reason).__name__, {}
    return reason.code, {name: str(value)[:_LONGEST_FACT] for name, value in reason.facts.items()}
