"""Materials (申请材料): which file answers which requirement; the bytes live in storage."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base


class Material(Base):
    """A file handed in for one requirement of a case (申请材料); a later one for the same requirement replaces it."""

    __tablename__ = "materials"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    requirement: Mapped[str] = mapped_column(CODE)
    filename: Mapped[str]
    media_type: Mapped[str] = mapped_column(CODE)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(CODE, index=True)
    handed_in_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    licence: Mapped[str | None] = mapped_column(String(64))
    """The number of the licence in the store that this is (证照编号), where nobody had to hand it in."""


class StoredContent(Base):
    """Bytes by their SHA-256 (材料内容): the same file is kept once; `kept_at` is when it was last handed in.

    None stands for bytes from before that was noted.
    """

    __tablename__ = "stored_contents"

    sha256: Mapped[str] = mapped_column(CODE, primary_key=True)
    content: Mapped[bytes]
    kept_at: Mapped[datetime | None]
