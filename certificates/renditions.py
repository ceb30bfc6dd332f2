"""Sealed PDFs (版式文件), kept once and found by hash.

Never the source of truth: the store is. How they are sealed and examined stands in `pades.py`.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certificates import canonical
from certificates.checks import Check
from certificates.seals import Sealer
from certificates.tables import Licence, Rendition
from certificates.trust import Trust

MAGIC = b"%PDF-"


def seal_document(pdf: bytes, sealer: Sealer, *, reason: str, now: datetime) -> bytes:
    """Seal a PDF (版式文件签章): one PAdES B-B signature that forbids every later change (DocMDP P=1), P-256.

    `now` is the signing time that the signature claims. Raises SealRefused for what is no PDF, is encrypted or
    is signed already.
    """
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.seal_document(pdf, sealer, reason, now)


def keep(session: Session, licence_id: uuid.UUID, pdf: bytes, now: datetime) -> bool:
    """Store the sealed PDF of a licence (归存版式文件) once; a second call returns False."""
    try:
        with session.begin_nested():
            session.add(Rendition(licence_id=licence_id, sha256=canonical.sha256(pdf), pdf=pdf, kept_at=now))
            session.flush()
    except IntegrityError:
        if get(session, licence_id) is None:
            raise
        return False
    return True


def get(session: Session, licence_id: uuid.UUID) -> bytes | None:
    """Fetch the sealed PDF of a licence (调取版式文件); None while it is not drawn yet."""
    return session.scalar(select(Rendition.pdf).where(Rendition.licence_id == licence_id))


def drawn(session: Session, licences: Iterable[Licence]) -> list[Licence]:
    """Keep of these licences those whose sealed PDF is there (已有版式文件), in their order."""
    licences = list(licences)
    kept = select(Rendition.licence_id).where(Rendition.licence_id.in_([licence.id for licence in licences]))
    there = set(session.scalars(kept))
    return [licence for licence in licences if licence.id in there]


def licence_of(session: Session, pdf: bytes) -> Licence | None:
    """Find the licence whose stored PDF this is, byte for byte (按文件摘要)."""
    kept = select(Rendition.licence_id).where(Rendition.sha256 == canonical.sha256(pdf))
    return session.scalar(select(Licence).where(Licence.id == kept.scalar_subquery()))


def inside(pdf: bytes) -> tuple[str, dict[str, bytes]]:
    """Read whose seal a PDF has (印章主体) and the files inside it by name (附件); raises anything for a stranger's."""
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.inside(pdf)


def examine(pdf: bytes, trust: Trust, now: datetime) -> list[Check]:
    """Ask an unknown PDF about its seal (版式文件验章), strictly; whatever goes wrong is a no, nothing is raised."""
    from certificates import pades  # noqa: PLC0415 -- see its first page

    return pades.examine(pdf, trust, now)
