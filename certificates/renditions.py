"""Sealed PDFs (版式文件), kept once and found by hash; later extended by what long-term validation needs.

Never the source of truth: the store is. How they are sealed stands in `signatures.py` and `pades.py`, how examined in
`pades.py`, how extended in `archival.py`. People hold the first file as well as the extended one: both are found.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certificates import canonical, signatures
from certificates.checks import Check
from certificates.errors import AuthorityUnusable, SealRefused
from certificates.seals import Sealer, Timestamper
from certificates.tables import Licence, Rendition
from certificates.trust import Trust

MAGIC = b"%PDF-"


def seal_document(pdf: bytes, sealer: Sealer, *, reason: str, now: datetime) -> bytes:
    """Seal a PDF (版式文件签章): one PAdES B-B signature that forbids every later change (DocMDP P=1), P-256.

    A document that left room for its seal is filled there (`signatures.py`), any other gets a revision more. `now` is
    the signing time that the signature claims. Raises SealRefused for what is no PDF, is encrypted or is signed
    already, for room that can be read in two ways, and for a seal that is larger than its room.
    """
    place = signatures.room(pdf)
    if place is not None:
        return signatures.fill(pdf, place, sealer, reason, now)
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.seal_document(pdf, sealer, reason, now)


def keep(session: Session, licence_id: uuid.UUID, pdf: bytes, now: datetime) -> bool:
    """Store the sealed PDF of a licence (归存版式文件) once; a second call returns False."""
    try:
        with session.begin_nested():
            kept = Rendition(licence_id=licence_id, sha256=canonical.sha256(pdf), pdf=pdf, kept_at=now, extend_at=now)
            session.add(kept)
            session.flush()
    except IntegrityError:
        if get(session, licence_id) is None:
            raise
        return False
    return True


def get(session: Session, licence_id: uuid.UUID) -> bytes | None:
    """Fetch the sealed PDF of a licence (调取版式文件), the extended one where there is; None while it is not drawn."""
    kept = select(Rendition.pdf, Rendition.extension).where(Rendition.licence_id == licence_id)
    found = session.execute(kept).one_or_none()
    return found and found.pdf + (found.extension or b"")


def any_due(session: Session, now: datetime) -> bool:
    """Tell whether a sealed PDF is to be extended (有无待追加版式文件), without waiting for anybody."""
    return session.scalar(select(Rendition.licence_id).where(Rendition.extend_at <= now).limit(1)) is not None


def claim(session: Session, now: datetime, again_at: datetime) -> tuple[uuid.UUID, bytes] | None:
    """Claim the sealed PDF that is to be extended first (认领待追加版式文件); None when there is none.

    Nobody else claims it before `again_at`, when whoever did it is taken to have failed. What another worker has
    its hands on is passed over.
    """
    due = select(Rendition).where(Rendition.extend_at <= now).order_by(Rendition.extend_at).limit(1)
    rendition = session.scalars(due.with_for_update(skip_locked=True)).one_or_none()
    if rendition is None:
        return None
    rendition.extend_at = again_at
    return rendition.licence_id, rendition.pdf


def extend_document(pdf: bytes, trust: Trust, stamp: Timestamper | None, *, now: datetime) -> bytes:
    """Add to a sealed PDF what its seal is checked with later (追加长期验证信息): PAdES B-LT, with `stamp` B-T too.

    The update is appended, and passes `examine`: nothing else is handed out. Raises SealRefused for what cannot be
    extended so, AuthorityUnusable where no timestamping authority is pinned, TimestampUnavailable.
    """
    from certificates import archival  # noqa: PLC0415 -- see its first page

    if stamp is not None and not trust.tsas:
        raise AuthorityUnusable(why="timestamps are asked for, and no authority for them is pinned in tsa.pem")
    extended = archival.extend(pdf, trust, stamp)
    if failed := [check.question.value for check in examine(extended, trust, now) if not check.holds]:
        raise SealRefused(why="the extended PDF does not hold", failed=failed)
    return extended


def keep_extended(session: Session, licence_id: uuid.UUID, extended: bytes, now: datetime) -> bool:
    """Store the extended PDF of a licence (归存长期版式文件) once; a second call returns False.

    Raises SealRefused for what does not begin with the very PDF that was kept.
    """
    rendition = session.get_one(Rendition, licence_id, with_for_update=True, populate_existing=True)
    if rendition.extended_at is not None:
        return False
    if not extended.startswith(rendition.pdf):
        raise SealRefused(why="this does not extend the PDF that was kept")
    rendition.extension, rendition.extended_sha256 = extended[len(rendition.pdf) :], canonical.sha256(extended)
    rendition.extended_at, rendition.extend_at = now, None
    return True


def drawn(session: Session, licences: Iterable[Licence]) -> list[Licence]:
    """Keep of these licences those whose sealed PDF is there (已有版式文件), in their order."""
    licences = list(licences)
    kept = select(Rendition.licence_id).where(Rendition.licence_id.in_([licence.id for licence in licences]))
    there = set(session.scalars(kept))
    return [licence for licence in licences if licence.id in there]


def licence_of(session: Session, pdf: bytes) -> Licence | None:
    """Find the licence whose stored PDF this is, byte for byte, first or extended (按文件摘要)."""
    digest = canonical.sha256(pdf)
    kept = select(Rendition.licence_id).where((Rendition.sha256 == digest) | (Rendition.extended_sha256 == digest))
    return session.scalar(select(Licence).where(Licence.id == kept.scalar_subquery()))


def inside(pdf: bytes) -> tuple[str, dict[str, bytes]]:
    """Read whose seal a PDF has (印章主体) and the files inside it by name (附件); raises anything for a stranger's."""
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.inside(pdf)


def examine(pdf: bytes, trust: Trust, now: datetime) -> list[Check]:
    """Ask an unknown PDF about its seal (版式文件验章), strictly; whatever goes wrong is a no, nothing is raised."""
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.examine(pdf, trust, now)
