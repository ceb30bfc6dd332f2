"""Purpose-bound copies (加注件): a licence drawn once more for one purpose, one recipient and some days.

Each has a token of its own and is found by its bytes. It counts while the licence does, and no longer than it says.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import canonical, licences, records
from certificates.errors import IllegalAct, LicenceUnknown, ReasonMissing
from certificates.tables import Copy, Licence, State

FILE: Final = "copy.json"
"""What a copy is for, inside its PDF, under the names that systems exchange."""


@dataclass(frozen=True)
class Annotation:
    """What is written on a copy (加注内容): for what, for whom, until which legal day."""

    purpose: str
    recipient: str
    until: date


@dataclass(frozen=True)
class DraftCopy:
    """A copy that is about to be drawn (拟制加注件)."""

    licence_id: uuid.UUID
    token: str
    annotation: Annotation
    made_at: datetime
    made_by: str

    def data(self) -> str:
        """Write down what it is for (加注信息), canonical JSON."""
        return canonical.dump(
            {
                "JZJZZSJ": self.made_at.isoformat(),
                "JZJZZSY": self.annotation.purpose,
                "JZJSYF": self.annotation.recipient,
                "JZJYXQJZSJ": self.annotation.until.isoformat(),
            }
        ).decode()


def draft(licence: Licence, annotation: Annotation, *, today: date, now: datetime, actor: str) -> DraftCopy:
    """Prepare a copy of a licence in force (拟制加注件); nothing is written down yet.

    Raises ReasonMissing without purpose or recipient, IllegalAct for a licence that is not in force today, and for
    days that have passed or in which it will not hold any more.
    """
    if not annotation.purpose.strip() or not annotation.recipient.strip():
        raise ReasonMissing(number=licence.number)
    ends = licence.valid_until or date.max
    if licence.state is not State.VALID or licences.expired(licence, today) or not today <= annotation.until <= ends:
        raise IllegalAct(act="copy", number=licence.number, state=licence.state, until=annotation.until.isoformat())
    return DraftCopy(licence.id, licences.make_token(), annotation, now, actor)


def keep(session: Session, made: DraftCopy, pdf: bytes) -> Copy:
    """Keep a copy with its sealed PDF (归存加注件)."""
    copy = Copy(
        token=made.token,
        licence_id=made.licence_id,
        purpose=made.annotation.purpose,
        recipient=made.annotation.recipient,
        until=made.annotation.until,
        made_at=made.made_at,
        made_by=made.made_by,
        sha256=canonical.sha256(pdf),
        pdf=pdf,
    )
    session.add(copy)
    session.flush()
    return copy


def cancel(session: Session, token: str, *, reason: str, now: datetime) -> Copy:
    """End a copy before its day (注销加注件), stating why; raises LicenceUnknown, ReasonMissing. Twice is once."""
    copy = find(session, token)
    if copy is None:
        raise LicenceUnknown(token=token)
    if not reason.strip():
        raise ReasonMissing(act="cancel", copy=token)
    if copy.cancelled_at is None:
        copy.cancelled_at, copy.cancelled_why = now, reason
        session.flush()
    return copy


def find(session: Session, token: str) -> Copy | None:
    """Find a copy by its token (按加注件标识), however it was typed."""
    return session.get(Copy, records.tidy(token)) if token.isprintable() else None


def find_by_pdf(session: Session, pdf: bytes) -> Copy | None:
    """Find the copy whose PDF this is, byte for byte (按文件摘要)."""
    return session.scalar(select(Copy).where(Copy.sha256 == canonical.sha256(pdf)))


def of_licence(session: Session, number: str) -> Sequence[Copy]:
    """List the copies of a licence in all its versions (加注件清单), the newest first."""
    theirs = select(Copy).join(Licence, Licence.id == Copy.licence_id).where(Licence.number == number)
    return session.scalars(theirs.order_by(Copy.made_at.desc())).all()
