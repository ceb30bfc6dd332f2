"""What the log keeps (日志库): entries with their salts, tiles of hashes, signed heads. Nothing is ever changed."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from certificates.tables import Base, Instant


class LogEntry(Base):
    """An entry (日志条目): the salted hash of a row, and which row; only the hash is published."""

    __tablename__ = "log_entries"
    __table_args__ = (UniqueConstraint("kind", "reference"),)

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(64))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 over salt and row: says nothing to whoever lacks the salt, and binds whoever has it."""


class LogTile(Base):
    """Up to 256 neighbouring hashes of a level (哈希块), C2SP tlog-tiles; the last one grows until it is full."""

    __tablename__ = "log_tiles"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class LogHead(Base):
    """A signed head of the log (检查点), as it was published."""

    __tablename__ = "log_heads"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
