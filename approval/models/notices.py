"""Formal notices (文书): what was issued under which number, how it was delivered, and where people want it sent."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from approval.domain.notices import Way
from approval.models.base import CODE, Base, one_of
from approval.models.cases import Case, Notice
from approval.models.parties import InterestedParty

_DUE = text("try_at IS NOT NULL")


class FormalNotice(Base):
    """A formal notice as it was issued (文书): written once; only its drawing comes later, and once.

    `facts` are canonical JSON and `digest` their SHA-256; `sha256` is that of the sealed PDF. `try_at` is when it is
    drawn next: none once it is drawn, or was tried too often. `person_id` is whom it is for: who filed the case, or an
    interested party (`party_id`), where that is a person the office knows.
    """

    __tablename__ = "formal_notices"
    __table_args__ = (
        CheckConstraint("(pdf IS NULL) = (drawn_at IS NULL) AND (pdf IS NULL) = (sha256 IS NULL)", name="drawn_whole"),
        Index("ix_formal_notices_try_at", "try_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    notice_id: Mapped[UUID | None] = mapped_column(ForeignKey("notices.id"), index=True)
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("interested_parties.id"), index=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    department_code: Mapped[str] = mapped_column(ForeignKey("departments.code"))
    kind: Mapped[str] = mapped_column(CODE)
    number: Mapped[str] = mapped_column(CODE, unique=True)
    facts: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(CODE, unique=True)
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")
    drawn_at: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(String(64))
    pdf: Mapped[bytes | None] = mapped_column(deferred=True)
    case: Mapped[Case] = relationship()
    notice: Mapped[Notice | None] = relationship()
    party: Mapped[InterestedParty | None] = relationship()


class Delivery(Base):
    """One way in which a formal notice goes to whom it is for (送达), and what shows that it did (送达回证).

    `claimed_at` is set before anything is sent: what was claimed and is not known as sent may have gone out, so it is
    never sent again by itself. `review_until` and `suit_until` are the last days of the remedies.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("way", Way),
        CheckConstraint("delivered_at IS NULL OR receiver <> ''", name="delivered_to_somebody"),
        CheckConstraint("sent_at IS NULL OR claimed_at IS NOT NULL", name="claimed_before_sent"),
        Index("ix_deliveries_try_at", "try_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    formal_id: Mapped[UUID] = mapped_column(ForeignKey("formal_notices.id"), index=True)
    way: Mapped[str] = mapped_column(CODE)
    address: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")
    until: Mapped[date | None]
    delivered_at: Mapped[datetime | None]
    receiver: Mapped[str] = mapped_column(default="")
    recorded_by: Mapped[str] = mapped_column(default="")
    evidence: Mapped[dict[str, Any]]
    review_until: Mapped[date | None]
    suit_until: Mapped[date | None]
    formal: Mapped[FormalNotice] = relationship()


class DeliveryAddress(Base):
    """Where a person wants notices sent beside the portal (送达地址确认): a new address counts once it is confirmed.

    Of the code sent to it only a hash is kept, and no longer than it can be used.
    """

    __tablename__ = "delivery_addresses"
    __table_args__ = (
        UniqueConstraint("person_id", "way"),
        CheckConstraint("(code_sha256 IS NULL) = (code_until IS NULL)", name="code_has_an_end"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    way: Mapped[str] = mapped_column(CODE)
    address: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    pending: Mapped[str | None]
    code_sha256: Mapped[str | None] = mapped_column(String(64))
    code_until: Mapped[datetime | None]


class Announcement(Base):
    """What is announced to everybody about a case (公示、公告), on the days it is up, both included."""

    __tablename__ = "announcements"
    __table_args__ = (CheckConstraint("from_on <= until_on", name="ends_after_it_begins"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), index=True)
    matter: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date] = mapped_column(index=True)
    made_at: Mapped[datetime]
    case: Mapped[Case] = relationship()
