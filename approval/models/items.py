"""Service items (事项) and their published versions, immutable once written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base


class ServiceItem(Base):
    """What citizens can ask for (事项); the version in force is the last one published.

    While it is closed it takes no new cases; `closed_by` is who closed it.
    """

    __tablename__ = "items"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("item_versions.id", use_alter=True, name="fk_items_version_id")
    )
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    version: Mapped["ItemVersion | None"] = relationship(foreign_keys=[version_id])


class ItemVersion(Base):
    """A published pack (事项版本): its bytes never change, its digest says which they are."""

    __tablename__ = "item_versions"
    __table_args__ = (
        UniqueConstraint("item_code", "digest"),
        UniqueConstraint("item_code", "ordinal"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(ForeignKey("items.code"))
    ordinal: Mapped[int]
    digest: Mapped[str] = mapped_column(CODE)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"))
    published_at: Mapped[datetime]
    published_by: Mapped[str]
    files: Mapped[list["PackFile"]] = relationship(order_by="PackFile.path")


class PackFile(Base):
    """One file of a published pack (事项包文件)."""

    __tablename__ = "pack_files"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("item_versions.id"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class PackDraft(Base):
    """A pack in the making (事项包草稿), shared by all administrators.

    `faults` is what the last check found, and `checked_digest` says of which bytes; other bytes are unchecked.
    """

    __tablename__ = "pack_drafts"
    __table_args__ = (CheckConstraint("(checked_digest IS NULL) = (checked_at IS NULL)", name="checked_at_some_time"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    checked_digest: Mapped[str | None] = mapped_column(CODE)
    faults: Mapped[list[Any]]
    files: Mapped[list["PackDraftFile"]] = relationship(
        order_by="PackDraftFile.path", cascade="all, delete-orphan", lazy="raise"
    )


class PackDraftFile(Base):
    """One file of a pack in the making (草稿文件)."""

    __tablename__ = "pack_draft_files"

    draft_id: Mapped[UUID] = mapped_column(ForeignKey("pack_drafts.id"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]
