"""Status lists (状态列表): which of a department's licences no longer count, signed and short-lived.

IETF Token Status List, 4 bits a licence. A list says nothing of holders: it is a row of numbers, and which number is
whose stands in the licence's own code.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from certificates import canonical, jose, seals
from certificates.checks import Check, Question
from certificates.errors import SealRefused
from certificates.seals import Sealer
from certificates.tables import TELLING, Act, Licence, LicenceAct, SealCertificate, StatusListing
from certificates.trust import Trust

TYPE: Final = "statuslist+jwt"
BITS: Final = 4
_HEADER: Final = {"typ", "x5c"}
_LONGEST = 64 * 1024 * 1024
_HIGH = 4
_NIBBLE = 0b1111

# 0 valid, 1 invalid, 2 suspended are the standard's; 3 and from 12 on are left to the application.
_STATUS: Final = {
    Act.REVOKE: 1,
    Act.SUSPEND: 2,
    Act.RESUME: 0,
    Act.CHANGE: 3,
    Act.RENEW: 3,
    Act.REISSUE: 3,
    Act.RESCIND: 12,
    Act.CANCEL: 13,
}
_QUESTIONS: Final = {
    3: Question.NOT_SUPERSEDED,
    1: Question.NOT_REVOKED,
    12: Question.NOT_RESCINDED,
    13: Question.NOT_CANCELLED,
    2: Question.NOT_SUSPENDED,
}


def place(session: Session, licence: Licence) -> int:
    """Tell a licence's place in its department's list (状态位置): the number of the act that wrote it down."""
    intended = select(LicenceAct.id).where(LicenceAct.licence_id == licence.id, LicenceAct.act == Act.INTEND)
    return session.scalars(intended).one()


def compose(session: Session, uscc: str, sealer: Sealer, *, uri: str, now: datetime, lasts: timedelta) -> str:
    """Write and sign a department's status list (签发状态列表), a JWT that holds for `lasts`.

    It goes by the acts, not by the column that shows where a licence stands. `uri` is where the list is published.
    Raises SealRefused when the seal is not the department's.
    """
    seals.require_entitled(sealer, uscc, now)
    at = int(now.timestamp())
    claims = {
        "sub": uri,
        "iat": at,
        "exp": at + int(lasts.total_seconds()),
        "ttl": int(lasts.total_seconds()),
        "status_list": {"bits": BITS, "lst": jose.b64(zlib.compress(_packed(dict(_fallen(session, uscc))), 9))},
    }
    header = {"typ": TYPE, "x5c": jose.certificate_chain([sealer.certificate, *sealer.chain])}
    return jose.write(header, canonical.dump(claims), sealer.sign)


def publish(session: Session, uscc: str, sealer: Sealer, *, uri: str, now: datetime, lasts: timedelta) -> bool:
    """Sign a department's list anew and keep it for all to fetch (发布状态列表); False while the last one will do.

    It will not once anything befell a licence of the department that it does not know of, once a quarter of its
    time has passed, or for a new seal, whose codes are known from then on. What it knows goes by places in the public
    log, because the numbers of acts are not given in the order in which they commit. Of two at once either's list is
    kept. Raises as `compose`.
    """
    kept, kid = session.get(StatusListing, uscc), jose.key_id(sealer.certificate)
    new = session.get(SealCertificate, kid) is None
    if kept and not new and now < kept.signed_at + lasts / 4 and not _befell(session, uscc, kept.through):
        return False
    through = session.scalar(select(func.max(LicenceAct.log_index) + 1).where(TELLING)) or 0
    text = compose(session, uscc, sealer, uri=uri, now=now, lasts=lasts)
    session.merge(StatusListing(uscc=uscc, text=text, through=through, signed_at=now))
    certificate = sealer.certificate.public_bytes(Encoding.DER)
    session.merge(SealCertificate(kid=kid, certificate=certificate))
    session.flush()
    return True


def _befell(session: Session, uscc: str, through: int) -> bool:
    later = select(LicenceAct.id).join(Licence, Licence.id == LicenceAct.licence_id)
    unknown_yet = or_(LicenceAct.log_index.is_(None), LicenceAct.log_index >= through)
    found = later.where(unknown_yet, TELLING, Licence.issuer_uscc == uscc).limit(1)
    return session.scalar(found) is not None


@dataclass(frozen=True)
class StatusList:
    """A department's status list, read and believed (状态列表)."""

    seal: x509.Certificate
    uscc: str
    uri: str
    issued: datetime
    ends: datetime
    statuses: bytes

    @classmethod
    def read(cls, text: str, trust: Trust) -> Self:
        """Read a list (读取状态列表) that a seal under the pinned root signed.

        Raises SealRefused for one that nobody of ours signed, NotCanonical, KeyError and ValueError for what is none.
        """
        signed = jose.Signed.read(text, _HEADER)
        certificate, claims = signed.certificates()[0], canonical.load(signed.payload)
        issued, listed = datetime.fromtimestamp(claims["iat"], UTC), claims["status_list"]
        _require_ours(signed, certificate, trust, issued)
        if listed["bits"] != BITS:
            raise SealRefused(why="this is no status list of ours")
        unpacked = zlib.decompressobj()
        statuses = unpacked.decompress(jose.unb64(listed["lst"]), _LONGEST)
        if not unpacked.eof:
            raise SealRefused(why=f"the list has more than {_LONGEST} bytes")
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        return cls(certificate, seals.owner(certificate), claims["sub"], issued, ends, statuses)

    def holds(self, trust: Trust, now: datetime) -> bool:
        """Tell whether the list may still be asked (状态列表在有效期内): it has not ended, and its seal is good today.

        When it was signed is its own word: whoever stole a seal would date a list back to before it was withdrawn.
        """
        return now < self.ends and all(check.holds for check in trust.examine(self.seal, now))

    def asked(self, at: int) -> list[Check]:
        """Ask where the licence at a place stands (查状态); what the list does not know fails every question."""
        if type(at) is not int or at < 0:
            return unknown("a place in the list is a natural number")
        byte = self.statuses[at // 2] if at // 2 < len(self.statuses) else 0
        status = byte >> _HIGH if at % 2 else byte & _NIBBLE
        known = status == 0 or status in _QUESTIONS
        return [Check(question, known and status != failing) for failing, question in _QUESTIONS.items()]


def unknown(why: str) -> list[Check]:
    """Leave open where a licence stands (状态不明), with the reason."""
    return [Check(question, None, why) for question in _QUESTIONS.values()]


def _require_ours(signed: jose.Signed, certificate: x509.Certificate, trust: Trust, issued: datetime) -> None:
    if signed.header["typ"] != TYPE or not signed.holds(certificate):
        raise SealRefused(why="this is no status list, or its signature does not hold")
    if not all(check.holds for check in trust.examine(certificate, issued)):
        raise SealRefused(why="the status list does not come from the pinned root")


def _fallen(session: Session, uscc: str) -> Iterator[tuple[int, int]]:
    intended = aliased(LicenceAct)
    told = (
        select(intended.id, LicenceAct.act)
        .join(Licence, Licence.id == LicenceAct.licence_id)
        .join(intended, intended.licence_id == LicenceAct.licence_id)
        .where(Licence.issuer_uscc == uscc, intended.act == Act.INTEND, TELLING)
        .order_by(LicenceAct.id)
    )
    befell: defaultdict[int, list[Act]] = defaultdict(list)
    for at, act in session.execute(told):
        if act in _STATUS:
            befell[at].append(act)
    for at, acts in befell.items():
        yield at, _STATUS[acts[-1]]


def _packed(statuses: dict[int, int]) -> bytes:
    # A list that is never empty: a reader of the standard may take an empty one for broken.
    packed = bytearray(max(statuses, default=0) // 2 + 1)
    for at, status in statuses.items():
        packed[at // 2] |= status << (_HIGH if at % 2 else 0)
    return bytes(packed)
