"""Tasks (待办): the work of people, one winner each."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed
from approval.domain.manifests import APPLICANT
from approval.models.cases import Case
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, answers, forms, items, journal, procedures, timers


def queue(work: Work, *, limit: int = 50, offset: int = 0) -> list[Task]:
    """List the open tasks that the actor may do or has claimed (待办列表), the oldest first."""
    free = or_(Task.claimed_by.is_(None), Task.claimed_by == work.actor.person)
    listed = access.queue(work).where(free).options(joinedload(Task.case))
    return list(work.session.scalars(listed.order_by(Task.opened_at, Task.id).limit(limit).offset(offset)))


def of_case(work: Work, case: Case) -> list[Task]:
    """List the tasks of a case (办件的待办), open and closed, oldest first."""
    theirs = select(Task).where(Task.case_id == case.id).order_by(Task.opened_at, Task.id)
    return list(work.session.scalars(theirs))


def claim(work: Work, task_id: UUID) -> Task:
    """Claim a task (签收); of two officers at once the lock of the case lets one in, the other is `Overtaken`.

    Raises as `access.task`.
    """
    task = access.task(work, task_id)
    if task.claimed_by is None:
        task.claimed_by = work.actor.person
        journal.write(work, task.case, "task:claimed", task=task.element)
    return task


def release(work: Work, task_id: UUID) -> Task:
    """Give a claimed task back to its queue (退回队列); raises as `access.task`."""
    task = access.task(work, task_id)
    if task.claimed_by is not None:
        task.claimed_by = None
        journal.write(work, task.case, "task:released", task=task.element)
    return task


def complete(work: Work, task_id: UUID, given: Mapping[str, Any], *, token: str | None = None) -> Task:
    """Complete a task (办结待办): check its answers, keep them, move the procedure on — all or nothing.

    `token` makes a second sending the same completion. Only choices, numbers and yes/no reach the procedure;
    free text stays in the answers. Raises as `access.task`; `AnswersInvalid(missing=[…])` with everything at
    once; whatever the acts that follow refuse. An applicant's correction goes through `cases.correct`.
    """
    try:
        task = access.task(work, task_id)
    except AlreadyDone:
        if (done := _done_with(work, task_id, token)) is not None:
            return done
        raise
    if task.role == APPLICANT and task.form is None:
        raise NotAllowed(task=task.element)
    timers.come_first(work, task.case, task)
    form = items.pack(work, task.case.item_version).forms.get(task.form or "")
    outcome: dict[str, Any] = {}
    if form is not None:
        cleaned, missing = forms.check(form, given)
        if missing:
            raise AnswersInvalid(missing=missing)
        answers.keep(work, task.case, task.element, cleaned)
        outcome = forms.choices(form, cleaned)
    close(work, task, token)
    procedures.complete(work, task.case, task.id, outcome)
    return task


def close(work: Work, task: Task, token: str | None) -> None:
    """Mark a task as done by the actor (标记办结), before the procedure moves on from it."""
    task.progress, task.closed_at, task.done_by, task.done_token = (
        Progress.DONE,
        work.now,
        work.actor.person,
        token,
    )
    work.session.flush()
    journal.write(work, task.case, "task:completed", task=task.element, department=task.department_code)


def _done_with(work: Work, task_id: UUID, token: str | None) -> Task | None:
    if token is None:
        return None
    same = select(Task).where(Task.id == task_id, Task.done_token == token, Task.done_by == work.actor.person)
    return work.session.scalars(same).one_or_none()
