"""Tokens (防重令牌): what was done already, so that the same page sent twice does it once."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base


class Token(Base):
    """A page's one-time token (防重令牌) that was spent on one act, by one actor on one subject."""

    __tablename__ = "tokens"

    actor: Mapped[str] = mapped_column(CODE, primary_key=True)
    token: Mapped[str] = mapped_column(CODE, primary_key=True)
    act: Mapped[str] = mapped_column(CODE)
    subject: Mapped[str] = mapped_column(CODE)
    spent_at: Mapped[datetime] = mapped_column(index=True)
