"""Licence acts as the log hashes them (证照行为入账): what was done, and for a sealing what was sealed and how."""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.errors import CheckpointInvalid
from certificates.log import ledgers
from certificates.log.checkpoints import LogKey
from certificates.log.ledgers import Inclusion, Record
from certificates.tables import Act, Licence, LicenceAct

KIND = "licence_act"


def prove(session: Session, licence: Licence) -> Inclusion | None:
    """Prove that the sealing of a licence is in the log (签章入账证明); None while it is not."""
    sealed = select(LicenceAct.id).where(LicenceAct.licence_id == licence.id, LicenceAct.act == Act.SEAL)
    act = session.scalar(sealed.order_by(LicenceAct.id).limit(1))
    return ledgers.prove(session, KIND, str(act)) if act is not None else None


def holds(session: Session, licence: Licence, done: Iterable[LicenceAct], key: LogKey) -> bool | None:
    """Tell whether the log says of a licence's sealing what the store says (核对签章入账); None: not in the log.

    `done` are the acts on the licence.
    """
    sealing = next((act for act in done if act.act is Act.SEAL), None)
    if sealing is None:
        return None
    try:
        proof = ledgers.prove(session, KIND, str(sealing.id))
        return None if proof is None else ledgers.holds(proof, record(sealing, licence).content, key)
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
