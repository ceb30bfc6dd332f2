"""Drafts (草稿): what somebody is still filling in, for a new filing or for a correction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base

_NEW = text("case_id IS NULL")


class Draft(Base):
    """What a person fills in for an applicant (草稿), kept until it is filed or forgotten.

    `case_id` is set for a correction. A person has one open draft for an applicant and an item, a case one.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        Index(
            "ix_drafts_one_at_a_time",
            *("person_id", "applicant_id", "item_code"),
            unique=True,
            sqlite_where=_NEW,
            postgresql_where=_NEW,
        ),
        Index("ix_drafts_expires_at", "expires_at"),
        CheckConstraint("saved_at <= expires_at", name="saved_in_time"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(ForeignKey("items.code"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    applicant_id: Mapped[UUID] = mapped_column()
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("cases.id"), unique=True)
    answers: Mapped[dict[str, Any]]
    replies: Mapped[dict[str, Any]]
    promises: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What will come later and whether there is a commitment (承诺): `deferred`, `committed`."""
    began_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class DraftMaterial(Base):
    """A file put to a draft for one requirement (草稿材料); the bytes live in storage."""

    __tablename__ = "draft_materials"

    draft_id: Mapped[UUID] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True)
    requirement: Mapped[str] = mapped_column(CODE, primary_key=True)
    filename: Mapped[str]
    media_type: Mapped[str] = mapped_column(CODE)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(CODE, index=True)
    attached_at: Mapped[datetime]
