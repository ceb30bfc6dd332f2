"""Interested parties (利害关系人): whose significant interests a case directly concerns, and what they said to it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base
from approval.models.cases import Case


class InterestedParty(Base):
    """Somebody whose significant interests a case directly concerns (利害关系人), as an officer named them.

    `holder_id` is the person or organization they turned out to be, once known. Their time to speak begins with the
    delivery of their letter and is the countdown `statement:<ordinal>`; `lapsed_at` is when it ran out unanswered, and
    `dropped_at` when an officer, asked anew, named them no more.
    """

    __tablename__ = "interested_parties"
    __table_args__ = (
        UniqueConstraint("case_id", "ordinal"),
        CheckConstraint("(answered_at IS NULL) = (answered_by = '')", name="answered_by_somebody"),
        CheckConstraint("answered_at IS NOT NULL OR (statement = '' AND NOT asks_hearing)", name="said_when_answered"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"))
    ordinal: Mapped[int]
    name: Mapped[str]
    id_number: Mapped[str] = mapped_column(CODE)
    address: Mapped[str]
    interest: Mapped[str]
    holder_id: Mapped[UUID | None] = mapped_column(index=True)
    named_at: Mapped[datetime]
    statement: Mapped[str] = mapped_column(default="")
    asks_hearing: Mapped[bool] = mapped_column(default=False)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    lapsed_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    case: Mapped[Case] = relationship()

    @property
    def countdown(self) -> str:
        """What their time to speak is called among the countdowns of the case (陈述意见期限)."""
        return f"statement:{self.ordinal}"

    @property
    def heard(self) -> bool:
        """Tell whether they have spoken or let their time go by (已听取意见)."""
        return self.answered_at is not None or self.lapsed_at is not None
