"""The officers' desk (办公桌): who was asked to sign, what colleagues told one another, who stands in for whom."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base
from approval.models.cases import Case
from approval.models.tasks import Task


class Countersign(Base):
    """An officer asked to say yes or no before a task is completed (会签、加签): never changed once answered."""

    __tablename__ = "countersigns"
    __table_args__ = (
        CheckConstraint("(agrees IS NULL) = (answered_at IS NULL)", name="answered_with_yes_or_no"),
        CheckConstraint("agrees IS NULL OR withdrawn_at IS NULL", name="answered_or_withdrawn"),
        CheckConstraint("agrees IS NULL OR agrees OR opinion <> ''", name="no_has_a_reason"),
        Index("ix_countersigns_asked", "asked", "answered_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), index=True)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    asked: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    question: Mapped[str]
    asked_at: Mapped[datetime]
    agrees: Mapped[bool | None]
    opinion: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    task: Mapped[Task] = relationship()


class Memo(Base):
    """What an officer tells colleagues about a case (内部便笺), or one of them (抄送、催办): not for the applicant."""

    __tablename__ = "memos"
    __table_args__ = (
        CheckConstraint("kind IN ('note', 'copy', 'urge')", name="kind_known"),
        CheckConstraint("(kind = 'note') = (told IS NULL)", name="told_unless_a_note"),
        Index("ix_memos_told", "told", "read_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"))
    kind: Mapped[str] = mapped_column(CODE)
    written_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    told: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    text: Mapped[str]
    written_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    case: Mapped[Case] = relationship()


class Cover(Base):
    """Who stands in for whom (代理): the absent one's posts are the other's too, from one legal day to another."""

    __tablename__ = "covers"
    __table_args__ = (
        CheckConstraint("since <= until", name="ends_after_it_begins"),
        CheckConstraint("absent <> stands_in", name="somebody_else"),
        Index("ix_covers_stands_in", "stands_in", "until"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    absent: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    stands_in: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    since: Mapped[date]
    until: Mapped[date]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SavedFilter(Base):
    """A view of one's queue under a name (常用筛选)."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("person_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(CODE)
    query: Mapped[str]
