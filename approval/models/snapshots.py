"""Snapshots (流程快照): where a procedure stood, for as long as its case is under way and may be led back there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base, one_of


class SnapshotKind(StrEnum):
    """What a snapshot was taken before (快照种类): the completion of a task, or a migration."""

    TASK = "task"
    MIGRATION = "migration"


class Snapshot(Base):
    """The engine's bytes as they were (流程快照) before a step was completed, or before a migration; the newest counts.

    `ordinal` is the line of the journal that says what happened next; `led_to` the SHA-256 of the state that a
    migration made, by which it is known whether the case has moved since.
    """

    __tablename__ = "snapshots"
    __table_args__ = (
        one_of("kind", SnapshotKind),
        CheckConstraint("(kind = 'task') = (task_id IS NOT NULL)", name="task_of_a_step"),
        CheckConstraint("(kind = 'migration') = (led_to IS NOT NULL)", name="migration_led_somewhere"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(CODE, primary_key=True)
    element: Mapped[str] = mapped_column(CODE, primary_key=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"))
    ordinal: Mapped[int]
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_versions.id"))
    status: Mapped[str] = mapped_column(CODE)
    state: Mapped[bytes]
    led_to: Mapped[str | None] = mapped_column(CODE)
    taken_at: Mapped[datetime]
