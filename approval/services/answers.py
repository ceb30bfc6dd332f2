"""Answers on a case (填报内容): kept in a table of their own, apart from the engine's state."""

from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from approval.models.cases import Answers, Case
from approval.office import Work

FILING = "filing"
CORRECTION = "correction"


def keep(work: Work, case: Case, element: str, content: dict[str, Any]) -> None:
    """Keep what somebody answered (收存填报内容) for a task, or for the application itself (`FILING`)."""
    count = work.session.scalar(select(func.count()).where(Answers.case_id == case.id))
    assert count is not None
    work.session.add(
        Answers(
            id=uuid4(),
            case_id=case.id,
            element=element,
            ordinal=count + 1,
            answered_by=work.actor.label,
            answered_at=work.now,
            content=content,
        )
    )
    work.session.flush()


def latest(work: Work, case: Case, element: str | None = None) -> dict[str, Any]:
    """Bring the newest answers on a case (最近填报内容), of one element or of any; empty when there are none."""
    newest = select(Answers).where(Answers.case_id == case.id)
    if element is not None:
        newest = newest.where(Answers.element == element)
    row = work.session.scalars(newest.order_by(Answers.ordinal.desc()).limit(1)).one_or_none()
    return row.content if row else {}
