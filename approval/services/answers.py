"""Answers on a case (填报内容): kept in a table of their own, apart from the engine's state."""

from typing import Any
from uuid import uuid4

from sqlalchemy import select

from approval.models import saving
from approval.models.cases import Answers, Case
from approval.models.tasks import Progress, Task
from approval.office import Work

FILING = "filing"
CORRECTION = "correction"


def keep(work: Work, case: Case, element: str, content: dict[str, Any]) -> None:
    """Keep what somebody answered (收存填报内容) for a task, or for the application itself (`FILING`)."""
    case.replies += 1
    kept = {"id": uuid4(), "case_id": case.id, "element": element, "ordinal": case.replies, "content": content}
    saving.add(work.session, Answers, {**kept, "answered_by": work.actor.label, "answered_at": work.now})


def latest(work: Work, case: Case, element: str | None = None) -> dict[str, Any]:
    """Bring the newest answers on a case (最近填报内容), of one element or of any; empty when there are none."""
    newest = select(Answers).where(Answers.case_id == case.id)
    if element is not None:
        newest = newest.where(Answers.element == element)
    row = work.session.scalars(newest.order_by(Answers.ordinal.desc()).limit(1)).one_or_none()
    return row.content if row else {}


def by_task(work: Work, case: Case) -> list[tuple[Task, dict[str, Any]]]:
    """Put what was answered to the tasks it completed (环节与填报对照), in the order it was said.

    Several departments may answer the same step, even in the same instant: nobody's answer hides another's.
    """
    done = select(Task).where(Task.case_id == case.id, Task.progress == Progress.DONE)
    tasks = {(task.element, task.closed_at, str(task.done_by)): task for task in work.session.scalars(done)}
    said = select(Answers).where(Answers.case_id == case.id).order_by(Answers.ordinal)
    return [
        (task, row.content)
        for row in work.session.scalars(said)
        if (task := tasks.get((row.element, row.answered_at, row.answered_by)))
    ]
