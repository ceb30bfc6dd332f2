"""The strong-house's own tables (证照库): no foreign key leads out, and nothing is ever deleted."""

import uuid
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy import Enum as OneOf
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from certificates.errors import NaiveInstant
from certificates.parties import Holder


class Instant(TypeDecorator[datetime]):
    """A point in time (时刻): aware in, aware UTC out on both databases; naive raises NaiveInstant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Turn any zone into UTC, because SQLite keeps no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveInstant(value=value.isoformat())
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Give back UTC, which SQLite returns without saying so and PostgreSQL in the session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class State(StrEnum):
    """Where a licence stands (证照状态): 拟发, 有效, 暂扣, 已换发, 过期, 吊销, 撤销, 注销."""

    INTENDED = "intended"
    VALID = "valid"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RESCINDED = "rescinded"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What was done to a licence (证照行为): 拟发, 签章, 变更, 延续, 补领, 暂扣, 发还, 到期, 吊销, 撤销, 注销."""

    INTEND = "intend"
    SEAL = "seal"
    CHANGE = "change"
    RENEW = "renew"
    REISSUE = "reissue"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXPIRE = "expire"
    REVOKE = "revoke"
    RESCIND = "rescind"
    CANCEL = "cancel"


_UNLOGGED = text("log_index IS NULL")
_DUE = text("extend_at IS NOT NULL")
# Most licences have these two acts and no other: what befell the rest is found by an index of its own.
_TELLING = "act NOT IN ('intend', 'seal')"
TELLING = text(f"licence_acts.{_TELLING}")


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


def _one_of(members: type[StrEnum], constraint: str) -> OneOf:
    return OneOf(
        members, native_enum=False, create_constraint=True, name=constraint, length=16, values_callable=_values
    )


class Base(DeclarativeBase):
    """The strong-house's own MetaData; every constraint has a name, so that migrations can speak of it."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        }
    )


class Licence(Base):
    """One version of an electronic licence (电子证照): what was granted, its sealed statement, where it stands.

    A change, a renewal and a reissue make a new version under the same number; the old one stays, superseded.
    """

    __tablename__ = "licences"
    __table_args__ = (
        CheckConstraint("state = 'intended' OR (seal IS NOT NULL AND sealed_at IS NOT NULL)", "sealed_if_valid"),
        CheckConstraint(
            "(state IN ('revoked', 'rescinded', 'cancelled')) = (ended_at IS NOT NULL)", "ended_at_if_ended"
        ),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", "ends_after_it_begins"),
        CheckConstraint("(version = 1) = (succession IS NULL)", "later_version_succeeds"),
        CheckConstraint("succession IN ('change', 'renew', 'reissue')", "succession_is_lawful"),
        UniqueConstraint("number", "version"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    state: Mapped[State] = mapped_column(_one_of(State, "licence_state_known"))
    source: Mapped[str] = mapped_column(String(64), unique=True)
    """What it was granted by (来源办件): one source, one licence."""
    type_code: Mapped[str] = mapped_column(String(21))
    type_name: Mapped[str] = mapped_column(Text)
    identifier: Mapped[str] = mapped_column(String(128), unique=True)
    number: Mapped[str] = mapped_column(String(64))
    """The same for every version (证照编号)."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    succession: Mapped[Act | None] = mapped_column(_one_of(Act, "succession_known"))
    """By which act it takes the place of the version before (换发行为); the first has none."""
    token: Mapped[str] = mapped_column(String(20), unique=True)
    """The public look-up key in the QR code (查验标识): 100 random bits."""
    check_code: Mapped[str] = mapped_column(String(6))
    """Printed on the licence (查验码) and asked with the number, because the law makes numbers guessable."""
    holder_name: Mapped[str] = mapped_column(Text)
    holder_code: Mapped[str] = mapped_column(Text, index=True)
    holder_code_type: Mapped[str] = mapped_column(Text)
    issuer_code: Mapped[str] = mapped_column(String(40))
    issuer_uscc: Mapped[str] = mapped_column(String(18))
    issuer_name: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    public_fields: Mapped[list[str]] = mapped_column(JSON)
    """Which of the fields a stranger may see (公开字段), as the type said on the day of issue."""
    shared_fields: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """Which other departments may see that have a right to (共享字段); none means those that are public."""
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    """The last legal day on which it holds (有效期至); none means long-term (长期)."""
    intended_at: Mapped[datetime] = mapped_column(Instant)
    statement: Mapped[str] = mapped_column(Text)
    """The canonical JSON that is sealed, written down before anything is signed."""
    seal: Mapped[str | None] = mapped_column(Text)
    sealed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it was first revoked, rescinded or cancelled (失效时间); expiry is a matter of its days."""

    @property
    def holder(self) -> Holder:
        """Whom it belongs to (持证主体)."""
        return Holder(self.holder_name, self.holder_code, self.holder_code_type)


class LicenceAct(Base):
    """One act on a licence (证照行为记录): append-only."""

    __tablename__ = "licence_acts"
    __table_args__ = (
        CheckConstraint("act IN ('intend', 'seal', 'expire') OR (reason <> '' AND basis <> '')", "act_has_reason"),
        Index("ix_licence_acts_unlogged", "id", sqlite_where=_UNLOGGED, postgresql_where=_UNLOGGED),
        Index("ix_licence_acts_telling", "log_index", sqlite_where=text(_TELLING), postgresql_where=text(_TELLING)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    licence_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Licence.id), index=True)
    act: Mapped[Act] = mapped_column(_one_of(Act, "licence_act_known"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")
    log_index: Mapped[int | None]
    """Its place in the public log (日志序号); none until the sequencer has come by."""


class Copy(Base):
    """A licence drawn once more for one purpose and recipient (加注件), with its sealed PDF."""

    __tablename__ = "licence_copies"
    __table_args__ = (
        CheckConstraint("purpose <> '' AND recipient <> ''", "copy_says_what_for"),
        CheckConstraint("(cancelled_at IS NULL) = (cancelled_why = '')", "copy_cancelled_for_a_reason"),
    )

    token: Mapped[str] = mapped_column(String(20), primary_key=True)
    licence_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Licence.id), index=True)
    purpose: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    until: Mapped[date]
    """The last legal day on which it may be used (加注件有效期至)."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_why: Mapped[str] = mapped_column(Text, default="")


class StatusListing(Base):
    """A department's signed status list as it is published (状态列表); `through` is up to where in the log it knows."""

    __tablename__ = "licence_statuses"

    uscc: Mapped[str] = mapped_column(String(18), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    through: Mapped[int]
    signed_at: Mapped[datetime] = mapped_column(Instant)


class SealCertificate(Base):
    """The certificate of a seal that made codes (印章证书): kept for as long as anybody may hold one up."""

    __tablename__ = "seal_certificates"

    kid: Mapped[str] = mapped_column(String(12), primary_key=True)
    certificate: Mapped[bytes] = mapped_column(LargeBinary)


class Counter(Base):
    """The last serial used in a scope (流水号): one row for each."""

    __tablename__ = "licence_counters"

    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    last: Mapped[int]


class Rendition(Base):
    """The sealed PDF of a licence (版式文件): stored once, found again by its hash, and so is the extended one."""

    __tablename__ = "licence_renditions"
    __table_args__ = (
        Index("ix_licence_renditions_extended_sha256", "extended_sha256", unique=True),
        Index("ix_licence_renditions_due", "extend_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )

    licence_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Licence.id), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime] = mapped_column(Instant)
    extend_at: Mapped[datetime | None] = mapped_column(Instant)
    """When a worker next tries to add long-term validation data (待追加); none when they are there."""
    extension: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The incremental update (长期验证信息): what follows `pdf` in the extended file."""
    extended_sha256: Mapped[str | None] = mapped_column(String(64))
    extended_at: Mapped[datetime | None] = mapped_column(Instant)
