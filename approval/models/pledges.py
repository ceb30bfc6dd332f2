"""Pledges (承诺): materials that an applicant hands in later, and conditions that an applicant has promised to meet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base


class Deferral(Base):
    """A material that is to be handed in after acceptance (容缺受理), as the applicant promised."""

    __tablename__ = "deferrals"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    requirement: Mapped[str] = mapped_column(CODE, primary_key=True)
    promised_at: Mapped[datetime]
    supplied_at: Mapped[datetime | None]


class Commitment(Base):
    """A commitment made instead of a proof (告知承诺): `kept` is what the check afterwards found, None until then.

    Who did not keep one makes no other until it is `repaired_at` (信用修复).
    """

    __tablename__ = "commitments"
    __table_args__ = (
        CheckConstraint("(kept IS NULL) = (settled_at IS NULL)", name="settled_once_checked"),
        CheckConstraint("repaired_at IS NULL OR kept = false", name="repaired_if_broken"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    applicant_id: Mapped[UUID] = mapped_column(index=True)
    made_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime]
    kept: Mapped[bool | None]
    settled_at: Mapped[datetime | None]
    repaired_at: Mapped[datetime | None]
