"""Service items (事项) and their published versions, immutable once written."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.models.base import CODE, Base


class ServiceItem(Base):
    """What citizens can ask for (事项); the version in force is the last one published."""

    __tablename__ = "items"

    code: Mapped[str] = mapped_column(CODE, primary_key=True)
    version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("item_versions.id", use_alter=True, name="fk_items_version_id")
    )
    closed_at: Mapped[datetime | None]
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
