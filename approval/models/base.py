"""What all tables share (数据表基础): naming of constraints, portable types."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Date, LargeBinary, MetaData, String, Text, Uuid
from sqlalchemy.orm import DeclarativeBase

from certificates import Instant


class Base(DeclarativeBase):
    """The office's own tables; the strong-house has MetaData of its own."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        bytes: LargeBinary,
        datetime: Instant,
        date: Date,
        UUID: Uuid,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


CODE = String(80)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Repeat the law's closed list in the database, under a name that says which column it guards."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
