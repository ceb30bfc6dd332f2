"""The clock of a demonstration (可拨动时钟): how far it stands ahead of the wall's."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import Base


class ClockShift(Base):
    """How many seconds a demonstration is ahead (时钟偏移); there is one row at most, and time only goes on."""

    __tablename__ = "clock_shifts"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), CheckConstraint("seconds >= 0", name="only_ahead"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seconds: Mapped[int]
