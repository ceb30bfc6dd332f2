"""Licence acts as the log hashes them (证照行为入账): what was done, and for a sealing what was sealed and how."""

from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, String, and_, cast, select, true
from sqlalchemy.orm import Session

from certificates.errors import CheckpointInvalid
from certificates.log import ledgers
from certificates.log.checkpoints import LogKey
from certificates.log.ledgers import Inclusion, Place, Record
from certificates.log.tables import LogEntry
from certificates.tables import Act, Licence, LicenceAct

KIND = "licence_act"
# A licence, what was done to it, and where its sealing stands in the log: all that a verifier asks, in one journey.
_TOLD: Final = (
    select(Licence, LicenceAct, *ledgers.PLACE)
    .join(LicenceAct, LicenceAct.licence_id == Licence.id)
    .outerjoin(
        LogEntry,
        and_(LicenceAct.act == Act.SEAL, LogEntry.kind == KIND, LogEntry.reference == cast(LicenceAct.id, String(64))),
    )
    .outerjoin(ledgers.NEWEST, true())
    .order_by(LicenceAct.id)
)


class Told(NamedTuple):
    """A licence and what is known of it (证照及行为记录): the acts, oldest first; `sealed` is its sealing's place."""

    licence: Licence
    done: list[LicenceAct]
    sealed: Place | None


def told(session: Session, which: ColumnElement[bool]) -> Told | None:
    """Find a licence with what was done to it and where that is in the log (证照及入账情况), in one statement."""
    rows = session.execute(_TOLD.where(which)).all()
    if not rows:
        return None
    places = (Place(*place) for _licence, _act, *place in rows if None not in place)
    return Told(rows[0][0], [row[1] for row in rows], next(places, None))


def prove(session: Session, licence: Licence) -> Inclusion | None:
    """Prove that the sealing of a licence is in the log (签章入账证明); None while it is not."""
    sealed = select(LicenceAct.id).where(LicenceAct.licence_id == licence.id, LicenceAct.act == Act.SEAL)
    act = session.scalar(sealed.order_by(LicenceAct.id).limit(1))
    return ledgers.prove(session, KIND, str(act)) if act is not None else None


def holds(session: Session, known: Told, key: LogKey) -> bool | None:
    """Tell whether the log says of a licence's sealing what the store says (核对签章入账); None: not in the log."""
    sealing = next((act for act in known.done if act.act is Act.SEAL), None)
    if sealing is None or known.sealed is None:
        return None
    try:
        return ledgers.holds(ledgers.lead(session, known.sealed), record(sealing, known.licence).content, key)
    except (CheckpointInvalid, LookupError):
        return False


def record(act: LicenceAct, licence: Licence) -> Record:
    """Write an act down for the log (入账记录): JSON as `plain` writes it.

    A sealing binds statement and seal too, so that once it is logged neither can become another.
    """
    said = {"id": act.id, "licence": licence.identifier, "act": act.act, "at": act.at.isoformat(), "actor": act.actor}
    said |= {"reason": act.reason, "basis": act.basis}
    if act.act is Act.SEAL:
        said["statement"] = sha256(licence.statement.encode()).hexdigest()
        said["seal"] = sha256((licence.seal or "").encode()).hexdigest()
    return Record(KIND, str(act.id), ledgers.plain(said))
