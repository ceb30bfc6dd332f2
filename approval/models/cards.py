"""Cards (红黄牌): signals of supervision on a case; given once for what happened, never taken away."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base, one_of


class Signal(StrEnum):
    """How grave it is (信号)."""

    YELLOW = "yellow"
    RED = "red"


class Card(Base):
    """One card (红黄牌): by which rule, when, against which department, and the line of the journal that says why."""

    __tablename__ = "cards"
    __table_args__ = (one_of("signal", Signal),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    code: Mapped[str] = mapped_column(CODE)
    signal: Mapped[str] = mapped_column(CODE)
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"))
    given_at: Mapped[datetime]
    line: Mapped[int]
