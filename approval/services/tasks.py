"""Tasks (待办): the work of people, one winner each."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import defer, joinedload

from approval.domain import texts
from approval.domain.actors import Post
from approval.domain.answers import PRESIDERS, Form, Option
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, OutOfTurn, Unanswered
from approval.domain.manifests import APPLICANT
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import (
    access,
    answers,
    countdowns,
    forms,
    hearings,
    incidents,
    items,
    journal,
    procedures,
    renewals,
    snapshots,
    statements,
    suspensions,
    timers,
    tokens,
)


class Tab(StrEnum):
    """Which part of a queue (待办范围): claimed by oneself, by nobody, or all that one's posts may see."""

    MINE = "mine"
    FREE = "free"
    ALL = "all"


def queue(
    work: Work,
    tab: Tab = Tab.ALL,
    *,
    post: Post | None = None,
    number: str = "",
    item: str = "",
    limit: int = 50,
    offset: int = 0,
) -> list[Task]:
    """List the open tasks of the actor's posts (待办列表), what is due first, then the oldest; cases come with them.

    `post` narrows it to one of several posts, `number` to cases whose number has these characters, `item` to those of
    one service item.
    """
    with_case = joinedload(Task.case, innerjoin=True).options(defer(Case.state), joinedload(Case.item_version))
    listed = _queue(work, post, number, item).options(with_case)
    if tab is not Tab.ALL:
        listed = listed.where(_PARTS[tab](work))
    in_order = listed.order_by(Task.due_on.is_(None), Task.due_on, Task.opened_at, Task.id)
    return list(work.session.scalars(in_order.limit(limit).offset(offset)))


def count(work: Work, *, post: Post | None = None, number: str = "", item: str = "") -> dict[Tab, int]:
    """Count what `queue` would list under each tab (待办计数), in one reading."""
    counted = [func.count(), *(func.count().filter(part(work)) for part in _PARTS.values())]
    every, *parts = work.session.execute(_queue(work, post, number, item).with_only_columns(*counted)).one()
    return {**dict(zip(_PARTS, parts, strict=True)), Tab.ALL: every}


def form(work: Work, task: Task) -> Form | None:
    """Bring the form that completes a task (待办表单); None when there is nothing to answer."""
    found = items.pack_of(work, task.case).forms.get(task.form or "")
    if found and any(question.source == PRESIDERS for question in found.fields):
        named = tuple(Option(name, name, name) for name in hearings.presiders(work, task.case))
        return found.offering(PRESIDERS, named)
    return found


def just_done(work: Work, task_id: UUID) -> Task | None:
    """Find a task that the actor completed (本人办结的待办), to say so; None for any other."""
    found = work.session.get(Task, task_id)
    return found if found and found.done_by is not None and found.done_by == work.actor.person else None


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
        task, time_is_up, unsigned = access.task_in_time(work, task_id)
    except AlreadyDone:
        if (done := _done_with(work, task_id, token)) is not None:
            return done
        raise
    if task.role == APPLICANT and task.form is None:
        raise NotAllowed(task=task.element)
    if unsigned:  # whoever was asked to sign is heard first
        raise Unanswered(task=task.element)
    if time_is_up or renewals.overdue(work, task.case):
        timers.come_first(work, task.case, task)
    questions = form(work, task)
    outcome: dict[str, Any] = {}
    if questions is not None:
        cleaned, missing = forms.check(questions, given)
        if missing:
            raise AnswersInvalid(missing=missing)
        answers.keep(work, task.case, task.element, cleaned)
        outcome = forms.choices(questions, cleaned)
    result = outcome.get("result")
    close(work, task, token, result if isinstance(result, str) else "")
    move_on(work, task, outcome)
    return task


def return_to(work: Work, task_id: UUID, element: str, reason: str, *, token: str | None = None) -> Task:
    """Return a case to an earlier step (驳回/退回) from the task that one holds: the procedure stands as it did then.

    What was given since is gone from the procedure, and stays in answers and journal; steps done since are to be
    done again. `token` makes a second sending the same return. Raises as `access.task`; `AnswersInvalid` without a
    reason; `OutOfTurn` for a step that `snapshots.of_step` does not know.
    """
    found = access.task_in_sight(work, task_id)
    work.session.refresh(found.case, with_for_update=True)
    reason = texts.reason(reason)
    if tokens.spent(work, token, "task:returned", str(task_id)):
        return found
    task = access.task(work, task_id)
    case = task.case
    timers.come_first(work, case, task)
    snapshot = snapshots.of_step(work, case, element)
    if task.role == APPLICANT or snapshot is None:
        raise OutOfTurn(task=task.element, target=element)
    journal.write(work, case, "task:returned", task=task.element, target=element, reason=reason)
    version = work.session.get_one(ItemVersion, snapshot.item_version_id)
    procedures.restore(work, case, snapshot.state, version)
    suspensions.undo_since(work, case, snapshot.ordinal)
    hearings.call_off_since(work, case, snapshot.ordinal)
    statements.go_on(work, case)
    countdowns.mark_due(work, case)
    snapshots.drop(work, snapshot)
    return task


def close(work: Work, task: Task, token: str | None, result: str = "") -> None:
    """Mark a task as done by the actor (标记办结), before the procedure moves on from it: this moment is kept.

    `result` is the choice that was made on its form, for the journal.
    """
    task.progress, task.closed_at, task.done_by, task.done_token = (
        Progress.DONE,
        work.now,
        work.actor.person,
        token,
    )
    told = {"task": task.element, "department": task.department_code, "role": task.role}
    told |= {"opened": task.opened_at.isoformat()} | ({"result": result} if result else {})
    line = journal.write(work, task.case, "task:completed", **told)
    snapshots.take(work, task.case, task, line)


def move_on(work: Work, task: Task, outcome: dict[str, Any], facts: dict[str, Any] | None = None) -> None:
    """Move the procedure on from a task that is closed (推进流程); its own faults are told to who can help.

    Raises whatever the procedure and the acts that follow refuse. What `incidents.FAULTS` lists is reported in a Work
    of its own, after this one left no trace.
    """
    try:
        procedures.complete(work, task.case, task.item, outcome, facts)
        if task.role == APPLICANT:  # who asks for a hearing waits for no party
            statements.go_on(work, task.case)
    except incidents.FAULTS as fault:
        task_id, reason = task.id, fault
        work.if_undone.append(lambda after: incidents.note_refused_task(after, task_id, reason))
        raise


_PARTS: Mapping[Tab, Callable[[Work], ColumnElement[bool]]] = {
    Tab.MINE: lambda work: Task.claimed_by == work.actor.person,
    Tab.FREE: lambda _work: Task.claimed_by.is_(None),
}


def _queue(work: Work, post: Post | None, number: str, item: str) -> Select[Task]:
    listed = access.queue(work)
    if post is not None:
        listed = listed.where(Task.department_code == post.department, Task.role == post.role)
    if number or item:
        listed = listed.join(Task.case)
    if number:
        listed = listed.where(Case.number.contains(number, autoescape=True) if number.isprintable() else false())
    if item:
        of_item = ItemVersion.item_code == item if item.isprintable() else false()
        listed = listed.join(ItemVersion, ItemVersion.id == Case.item_version_id).where(of_item)
    return listed


def _done_with(work: Work, task_id: UUID, token: str | None) -> Task | None:
    if token is None:
        return None
    same = select(Task).where(Task.id == task_id, Task.done_token == token, Task.done_by == work.actor.person)
    return work.session.scalars(same).one_or_none()
