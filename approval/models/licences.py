"""Licences from the office's side (证照): the catalogue of types, what waits to be drawn, what is reissued in bulk."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from approval.models.base import CODE, Base

_OPEN = text("ended_at IS NULL")


class LicenceTypeVersion(Base):
    """A licence type as it was published (证照类型版本): the newest is the one that counts, none ever changes.

    `origin` is the item whose pack brought it, empty when an administrator wrote it in the catalogue.
    """

    __tablename__ = "licence_types"

    code: Mapped[str] = mapped_column(String(21), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, Any]]
    template: Mapped[str]
    digest: Mapped[str] = mapped_column(CODE)
    origin: Mapped[str] = mapped_column(CODE)
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class Drawing(Base):
    """A licence that waits to be drawn without a procedure (待制作证照): tried again later, in the end by a person."""

    __tablename__ = "drawings"
    __table_args__ = (Index("ix_drawings_try_at", "try_at"),)

    licence_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime | None]
    """When it is tried next; none once it was tried too often."""
    why: Mapped[str] = mapped_column(default="")


class Reissue(Base):
    """Many licences of a type made anew (批量换发) after its form or its issuer changed: where the work stands.

    `after` is the last number that was dealt with, in order of numbers; `failures` are those that could not be.
    """

    __tablename__ = "reissues"
    __table_args__ = (
        CheckConstraint("done >= 0 AND failed >= 0 AND done + failed <= total", name="counts_what_there_is"),
        CheckConstraint("reason <> '' AND basis <> ''", name="says_why"),
        Index("ix_reissues_one_at_a_time", "type_code", "department_code", unique=True, sqlite_where=_OPEN,
              postgresql_where=_OPEN),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21))
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"))
    reason: Mapped[str]
    basis: Mapped[str]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    begun_at: Mapped[datetime]
    halted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    after: Mapped[str] = mapped_column(String(64), default="")
    failures: Mapped[list[Any]]
