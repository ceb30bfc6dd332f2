"""Incidents (异常): what the office cannot do by itself any more, until a person sees to it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base, one_of
from approval.models.cases import Case

_OPEN = text("closed_at IS NULL")


class IncidentKind(StrEnum):
    """What it is that cannot go on (异常种类): an errand, a timer, or the completion of a task."""

    ERRAND = "errand"
    TIMER = "timer"
    TASK = "task"


class Incident(Base):
    """Something that waits for an administrator (异常): one open row for each errand, timer or task.

    `reason` is the code of a refusal or the name of a fault, `facts` what a refusal told; never what people wrote.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        one_of("kind", IncidentKind),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
        Index("ix_incidents_open", "opened_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_incidents_once", "subject_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(CODE)
    subject_id: Mapped[UUID]
    element: Mapped[str] = mapped_column(CODE)
    name: Mapped[str]
    reason: Mapped[str] = mapped_column(CODE)
    facts: Mapped[dict[str, Any]]
    attempts: Mapped[int]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    case: Mapped[Case] = relationship()
