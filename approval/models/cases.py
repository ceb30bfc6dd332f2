"""Cases (办件): where each stands, what was answered, and everything that happened to it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.domain.cases import DECISIONS, FINAL, Status
from approval.models.base import CODE, Base, one_of
from approval.models.items import ItemVersion

_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))
_DECISIONS = ", ".join(f"'{status}'" for status in sorted(DECISIONS))
_UNLOGGED = text("log_index IS NULL")


class Case(Base):
    """One application under way (办件), pinned to the version of the item it was filed under.

    `state` is the engine's own bytes; `version` grows with every transition and lets only one of two win. While
    `held_at` is set an administrator holds the procedure still; `incidents` counts what waits for one.
    """

    __tablename__ = "cases"
    __table_args__ = (
        one_of("status", Status),
        # The law repeated where no program can forget it.
        CheckConstraint(f"(ended_at IS NOT NULL) = (status IN ({_FINAL}))", name="ended_if_final"),
        CheckConstraint(
            f"status NOT IN ({_DECISIONS}, 'concluded') OR decision IS NOT NULL", name="decided_if_concluded"
        ),
        CheckConstraint(f"decision IS NULL OR decision IN ({_DECISIONS})", name="decision_known"),
        CheckConstraint("decision <> 'refused' OR decision_reason <> ''", name="refusal_has_reason"),
        CheckConstraint("accepted_at IS NOT NULL OR decision IS NULL", name="accepted_before_decided"),
        CheckConstraint("held_at IS NULL OR ended_at IS NULL", name="held_while_open"),
        CheckConstraint("incidents >= 0", name="incidents_counted"),
        UniqueConstraint("filed_by", "filing_token"),
        Index("ix_cases_applicant", "applicant_id", "filed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(CODE, unique=True)
    item_version_id: Mapped[UUID] = mapped_column(ForeignKey("item_versions.id"))
    applicant_id: Mapped[UUID] = mapped_column()
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    filing_token: Mapped[str | None] = mapped_column(CODE)
    status: Mapped[str] = mapped_column(CODE)
    decision: Mapped[str | None] = mapped_column(CODE)
    decision_reason: Mapped[str | None]
    filed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    held_at: Mapped[datetime | None]
    incidents: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)
    replies: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    state: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    item_version: Mapped[ItemVersion] = relationship()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 -- SQLAlchemy's own type is not a ClassVar


class Answers(Base):
    """What somebody answered on one form of a case (填报内容), apart from the engine's state.

    `element` is the task it was answered for, `filing` for the application itself; the newest one counts.
    """

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("case_id", "ordinal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    element: Mapped[str] = mapped_column(CODE)
    ordinal: Mapped[int]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class JournalEntry(Base):
    """One line of a case's journal (办件日志): written once, never changed; numbered within the case."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_unlogged", "case_id", "sequence", sqlite_where=_UNLOGGED, postgresql_where=_UNLOGGED),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    tag: Mapped[str] = mapped_column(CODE)
    facts: Mapped[dict[str, Any]]
    log_index: Mapped[int | None]
    """Its place in the public log (日志序号); none until the sequencer has come by."""


class CountdownEntry(Base):
    """One line of a countdown's ledger (时限台账), with the due day it led to."""

    __tablename__ = "countdown_entries"
    __table_args__ = (UniqueConstraint("case_id", "kind", "ordinal"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(CODE)
    ordinal: Mapped[int]
    type: Mapped[str] = mapped_column(CODE)
    at: Mapped[datetime]
    entry: Mapped[dict[str, Any]]
    due: Mapped[dict[str, Any]]


class Notice(Base):
    """A notice to the applicant (文书/通知) in the outbox; the portal shows it, a worker may carry it further."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_inbox", "person_id", "read_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    code: Mapped[str] = mapped_column(CODE)
    facts: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    case: Mapped[Case] = relationship()


class WorkCalendar(Base):
    """A working-day calendar as imported (工作日历); the last one counts, older ones stay readable."""

    __tablename__ = "work_calendars"

    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    imported_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class Serial(Base):
    """A counter for numbers that people read (流水号)."""

    __tablename__ = "serials"

    name: Mapped[str] = mapped_column(CODE, primary_key=True)
    value: Mapped[int]
