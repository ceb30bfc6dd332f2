"""Sharing (证照共享): who was shown which licence and why, and the one-time codes by which a holder allows it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base, one_of


class Ground(StrEnum):
    """What allowed a look (授权来源): the holder's own application, that it was handed in with it, or a code."""

    CASE = "case"
    FILING = "filing"
    CODE = "code"


class LicenceAccess(Base):
    """One look at a licence by another department (证照调用记录): append-only, and the holder's to read."""

    __tablename__ = "licence_accesses"
    __table_args__ = (
        one_of("ground", Ground),
        CheckConstraint("purpose <> '' AND basis <> ''", name="says_why"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    holder_code: Mapped[str] = mapped_column(Text, index=True)
    department_code: Mapped[str] = mapped_column(CODE)
    by: Mapped[str] = mapped_column(Text)
    via: Mapped[str | None] = mapped_column(CODE)
    """The department's system that asked for whoever it was (接入系统)."""
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    ground: Mapped[Ground] = mapped_column(CODE)
    purpose: Mapped[str]
    basis: Mapped[str]
    fields: Mapped[list[Any]]
    """Which fields were shown."""
    at: Mapped[datetime]


class SharingCode(Base):
    """A one-time code (授权码) by which a holder lets a department look at one licence; only its hash is kept."""

    __tablename__ = "sharing_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
