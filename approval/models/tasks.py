"""Open work (待办、自动事务、定时): what the engine waits for, as rows that can be asked for."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base, one_of
from approval.models.cases import Case


class Progress(StrEnum):
    """How far a piece of work is (进度)."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"  # the procedure went another way


class ErrandProgress(StrEnum):
    """How far an errand is (自动事务进度); an incident waits for a person."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    INCIDENT = "incident"


def _same_as_id(context: Any) -> UUID:
    return cast("UUID", context.get_current_parameters()["id"])


def _once_open(table: str) -> Index:
    # What the engine waits for has one open row; a step that is done again after a return gets a new one.
    is_open = text("closed_at IS NULL")
    return Index(f"ix_{table}_open_item", "item", unique=True, sqlite_where=is_open, postgresql_where=is_open)


class Task(Base):
    """A person's piece of work (待办); `item` is what the engine calls it.

    Both ids are the same until a step is returned to: then it has a new row, and the old one stays as it was done.
    `due_on` is the legal day that counts for it, kept by `countdowns.mark_due`; None while no countdown runs.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        one_of("progress", Progress),
        CheckConstraint("(progress = 'done') = (done_by IS NOT NULL)", name="done_by_somebody"),
        Index("ix_tasks_queue", "department_code", "role", "progress", "due_on", "opened_at"),
        _once_open("tasks"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[UUID] = mapped_column(default=_same_as_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    element: Mapped[str] = mapped_column(CODE)
    name: Mapped[str]
    form: Mapped[str | None] = mapped_column(CODE)
    department_code: Mapped[str | None] = mapped_column(ForeignKey("departments.code"))
    role: Mapped[str] = mapped_column(CODE)
    progress: Mapped[str] = mapped_column(CODE)
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    opened_at: Mapped[datetime]
    due_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    done_token: Mapped[str | None] = mapped_column(CODE, index=True)
    case: Mapped[Case] = relationship()


class Errand(Base):
    """A machine's piece of work (自动事务): this row is the truth, the job queue only carries its id.

    `item` is what the engine calls it, `given` what it may know, `attempts` how often it was begun since a person
    last saw to it, and `retries` how often it was handed to the queue anew.
    """

    __tablename__ = "errands"
    __table_args__ = (one_of("progress", ErrandProgress), _once_open("errands"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[UUID] = mapped_column(default=_same_as_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    element: Mapped[str] = mapped_column(CODE)
    errand: Mapped[str] = mapped_column(CODE)
    progress: Mapped[str] = mapped_column(CODE)
    attempts: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=0)
    given: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]


class Timer(Base):
    """A waiting time event (定时): fires once `due_at` has come; a countdown's timer moves with its ledger.

    `try_at` is when the sweep looks at it: at first when it is due, later after a failure. None while it waits for
    a person: the case is held, or the timer is an incident.
    """

    __tablename__ = "timers"
    __table_args__ = (
        one_of("progress", Progress),
        Index("ix_timers_due", "progress", "try_at"),
        _once_open("timers"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[UUID] = mapped_column(default=_same_as_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    element: Mapped[str] = mapped_column(CODE)
    countdown: Mapped[str | None] = mapped_column(CODE)
    task_id: Mapped[UUID | None]
    due_at: Mapped[datetime]
    try_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    progress: Mapped[str] = mapped_column(CODE)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Heartbeat(Base):
    """A worker that is alive (后台进程心跳)."""

    __tablename__ = "heartbeats"

    executor: Mapped[str] = mapped_column(CODE, primary_key=True)
    beat_at: Mapped[datetime]
