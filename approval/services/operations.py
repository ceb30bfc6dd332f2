"""Operations (运维操作): what an administrator does to a procedure that cannot go on by itself.

Every verb needs a reason, which stands in the journal with who did it; none of them decides anything on a case
(三员分离). `token` makes a second sending of the same page the same operation. Each raises `NotSignedIn`, `NotAllowed`
unless an administrator or the system asks, `NotFound`, and `AnswersInvalid` without a reason.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import update

from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.errors import AlreadyDone, NotFound, OutOfTurn
from approval.domain.manifests import APPLICANT
from approval.models.cases import Case
from approval.models.incidents import Incident, IncidentKind
from approval.models.tasks import Errand, ErrandProgress, Progress, Task, Timer
from approval.office import Work
from approval.services import access, decisions, incidents, items, journal, notices, procedures, statements, tokens

_RETRIED: Final[Mapping[str, str]] = {
    IncidentKind.ERRAND: "errand:retried",
    IncidentKind.TIMER: "timer:retried",
    IncidentKind.TASK: "task:retried",
}
_SKIPPED: Final[dict[str, Any]] = {"skipped": True}


class Overview(NamedTuple):
    """What an administrator sees of a case (运维概况): what it waits for, never whose it is or what was answered."""

    case: Case
    tasks: list[Task]
    errands: list[Errand]
    incidents: list[Incident]


def overview(work: Work, number: str) -> Overview:
    """Tell what a case waits for (运维概况); raises `NotSignedIn`, `NotAllowed`, `NotFound`."""
    case = access.any_case(work, number)
    return Overview(
        case,
        procedures.open_rows(work, case, Task),
        procedures.open_rows(work, case, Errand),
        incidents.of_case(work, case),
    )


def retry(work: Work, incident_id: UUID, reason: str, *, token: str | None = None) -> Incident:
    """Retry what an incident stopped (重办) once its cause is gone: the errand or timer anew; the task is free.

    Raises `AlreadyDone` for an incident that is closed.
    """
    incident = incidents.find(work, incident_id)
    reason = texts.reason(reason)
    case = work.session.get_one(Case, incident.case_id, with_for_update=True)
    if tokens.spent(work, token, "incident:retried", str(incident_id)):
        return incident
    work.session.refresh(incident)
    if incident.closed_at is not None:
        raise AlreadyDone(incident=str(incident_id))
    incidents.close(work, case, incident)
    journal.write(work, case, _RETRIED[incident.kind], element=incident.element, reason=reason)
    if incident.kind == IncidentKind.ERRAND:
        errand = work.session.get_one(Errand, incident.subject_id)
        errand.progress, errand.attempts = ErrandProgress.OPEN, 0
        _carry_anew(work, case, errand)
    elif incident.kind == IncidentKind.TIMER:
        timer = work.session.get_one(Timer, incident.subject_id)
        timer.attempts, timer.try_at = 0, None if case.held_at else timer.due_at
    work.session.flush()
    return incident


def retry_all(work: Work, reason: str) -> int:
    """Retry every incident (全部重办), the oldest first, and return how many there were."""
    waiting = incidents.listed(work, limit=incidents.count(work))
    for incident in waiting:
        retry(work, incident.id, reason)
    return len(waiting)


def skip(work: Work, number: str, row_id: UUID, reason: str, *, token: str | None = None) -> Case:
    """Skip an open task or errand (跳过环节): the procedure goes on without what it would have brought.

    Its outcome is `{"skipped": true}`. Raises `OutOfTurn` for an applicant's task, which nobody can answer for them,
    and what the procedure refuses.
    """
    case, reason, repeated = _case(work, number, reason, "task:skipped", token, row_id=row_id)
    if repeated:
        return case
    row = _open(work, case, row_id)
    if isinstance(row, Task) and row.role == APPLICANT:
        raise OutOfTurn(task=row.element)
    row.progress, row.closed_at = Progress.DROPPED, work.now
    work.session.flush()
    if isinstance(row, Task):
        journal.write(work, case, "task:skipped", task=row.element, reason=reason)
    else:
        journal.write(work, case, "errand:skipped", errand=row.errand, reason=reason)
    procedures.complete(work, case, row.item, dict(_SKIPPED))
    return case


def move(work: Work, number: str, task_id: UUID, target: str, reason: str, *, token: str | None = None) -> Case:
    """Move an open task to another of its process (调整环节), back or forth; raises `OutOfTurn` for anything else."""
    case, reason, repeated = _case(
        work, number, reason, f"task:moved:{target}"[: texts.LONGEST_CODE], token, row_id=task_id
    )
    if repeated:
        return case
    row = _open(work, case, task_id)
    journal.write(work, case, "task:moved", task=row.element, target=target, reason=reason)
    procedures.move(work, case, row.item, target)
    return case


def hold(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Hold a procedure still (暂停流转): no timer fires, no errand runs, nobody completes anything until `release`.

    This is no 中止 of the law: countdowns go on. Raises `OutOfTurn` for a case that has ended, `AlreadyDone` for one
    that is held.
    """
    case, reason, repeated = _case(work, number, reason, "case:held", token)
    if repeated:
        return case
    if case.ended_at is not None:
        raise OutOfTurn(case=number)
    if case.held_at is not None:
        raise AlreadyDone(case=number)
    case.held_at = work.now
    waiting = update(Timer).where(Timer.case_id == case.id, Timer.progress == Progress.OPEN)
    work.session.execute(waiting.values(try_at=None))
    journal.write(work, case, "case:held", reason=reason)
    return case


def release(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Let a procedure go on that was held still (恢复流转); what came due meanwhile happens now.

    Raises `AlreadyDone` for a case that is not held.
    """
    case, reason, repeated = _case(work, number, reason, "case:released", token)
    if repeated:
        return case
    if case.held_at is None:
        raise AlreadyDone(case=number)
    case.held_at = None
    stopped = {incident.subject_id for incident in incidents.of_case(work, case)}
    for timer in procedures.open_rows(work, case, Timer):
        if timer.id not in stopped:
            timer.try_at = timer.due_at
    for errand in procedures.open_rows(work, case, Errand):
        if errand.progress == ErrandProgress.OPEN:
            _carry_anew(work, case, errand)
    journal.write(work, case, "case:released", reason=reason)
    statements.go_on(work, case)
    return case


def terminate(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Terminate a case (终止办理) that cannot go on; the applicant is told why, and open work is dropped.

    Raises `IllegalStep` where the law knows no such end.
    """
    case, reason, repeated = _case(work, number, reason, "case:terminated", token)
    if repeated:
        return case
    decisions.step_to(work, case, Status.TERMINATED)
    procedures.stop(work, case)
    journal.write(work, case, "case:terminated", reason=reason)
    notices.tell(work, case, "stopped", number=case.number, reason=reason)
    return case


def deliver(
    work: Work, number: str, message: str, payload: Mapping[str, Any], reason: str, *, token: str | None = None
) -> Case:
    """Deliver a message to a procedure by hand (人工送达消息); raises `NotFound` when nothing waits for it."""
    case, reason, repeated = _case(work, number, reason, "procedure:message", token)
    if repeated:
        return case
    access.require_moving(case)
    journal.write(work, case, "procedure:message", message=message, reason=reason)
    procedures.deliver(work, case, message, dict(payload))
    return case


def targets(work: Work, case: Case) -> dict[str, str]:
    """Name the tasks that a case's open ones may be moved to (可调整到的环节), by element; `move` has the last word."""
    pack = items.pack_of(work, case)
    return {element: pack.definition.nodes[element].name for element in sorted(pack.definition.tasks)}


def _case(
    work: Work, number: str, reason: str, act: str, token: str | None, *, row_id: UUID | None = None
) -> tuple[Case, str, bool]:
    """Obtain a case to operate on, locked, with the reason; and tell whether this very operation was done before.

    The reason is read first: what is refused for it must spend no token, because the page is shown again.
    """
    case, reason = access.any_case(work, number, lock=True), texts.reason(reason)
    return case, reason, tokens.spent(work, token, act, str(row_id or case.id))


def _open(work: Work, case: Case, row_id: UUID) -> Task | Errand:
    found: Task | Errand | None = work.session.get(Task, row_id) or work.session.get(Errand, row_id)
    if found is None or found.case_id != case.id or found.closed_at is not None:
        raise NotFound(item=str(row_id))
    return found


def _carry_anew(work: Work, case: Case, errand: Errand) -> None:
    errand.retries += 1
    if case.held_at is None:
        work.office.carrier.enqueue(work.session, errand.id, errand.retries)
