"""The offline kit (离线查验包): one file with the root, its revocation list, the seals, and the status lists.

Whoever fetched it can verify for as long as its lists hold. It is as trustworthy as the way it came: whoever needs
more compares the root's fingerprint with the published one.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import canonical, jose, seals
from certificates.checks import Check, Question
from certificates.errors import AuthorityUnusable, CertificateError
from certificates.offline.statuses import StatusList, unknown
from certificates.tables import SealCertificate, StatusListing
from certificates.trust import Trust

SCHEMA: Final = "offline-kit/1"
_MEMBERS: Final = {"schema", "root", "crl", "seals", "lists"}


def pack(session: Session, trust: Trust) -> bytes:
    """Put together what is published (生成离线查验包): every list as it was signed last, every seal that made codes."""
    made = [x509.load_der_x509_certificate(one) for one in session.scalars(select(SealCertificate.certificate))]
    root, crl, tsas = trust.pem()
    said = {
        "schema": SCHEMA,
        "root": root,
        "crl": crl,
        "seals": [_key(one, trust) for one in made],
        "lists": {one.uscc: one.text for one in session.scalars(select(StatusListing))},
    }
    if tsas:
        said["tsas"] = tsas
    return canonical.dump(said)


@dataclass(frozen=True)
class Kit:
    """A kit that was read (离线查验包): what to trust, the seals by their short names, the lists by department.

    `opened` are the lists that were asked before.
    """

    trust: Trust
    seals: Mapping[str, x509.Certificate]
    lists: Mapping[str, str]
    opened: dict[str, StatusList | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read a kit (读取离线查验包); raises AuthorityUnusable for what is none. Its lists are read when asked."""
        try:
            said = canonical.load(data)
            if said.keys() - {"tsas"} != _MEMBERS or said["schema"] != SCHEMA:
                raise AuthorityUnusable(why="this is no offline kit")
            trust = Trust.read(said["root"], said["crl"], said.get("tsas", ""))
            held = [x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])) for key in said["seals"]]
        except (AttributeError, CertificateError, IndexError, KeyError, TypeError, ValueError) as error:
            raise AuthorityUnusable(why=f"this is no offline kit: {error}") from None
        return cls(trust, {jose.key_id(one): one for one in held}, said["lists"])

    @property
    def fingerprint(self) -> str:
        """Tell the root's SHA-256 (根证书指纹), to be compared with the published one: 64 hexadecimal characters."""
        return self.trust.root.fingerprint(hashes.SHA256()).hex()

    def statuses(self, uscc: str) -> StatusList | None:
        """Read a department's list (取状态列表); None when the kit has none, or none that is the department's own."""
        if uscc not in self.lists:  # whoever a forger names is not remembered
            return None
        if uscc not in self.opened:
            try:
                self.opened[uscc] = StatusList.read(self.lists[uscc], self.trust)
            except Exception:  # noqa: BLE001 -- whatever a forged list makes a parser say, it is no list
                self.opened[uscc] = None
        found = self.opened[uscc]
        return found if found and found.uscc == uscc else None

    def standing(self, uscc: str, place: int, now: datetime, *, uri: str | None = None) -> list[Check]:
        """Ask a department's list where a licence stands (查状态); `uri` is the list that the licence itself names.

        Without a list that holds and is that one, every answer is open.
        """
        listed = self.statuses(uscc)
        if listed is None or not listed.holds(self.trust, now) or uri not in {None, listed.uri}:
            until = Check(Question.STATUS_CURRENT, None, listed.ends.isoformat() if listed else "")
            return [until, *unknown("there is no status list that holds")]
        return [Check(Question.STATUS_CURRENT, True, listed.issued.isoformat()), *listed.asked(place)]


def _key(certificate: x509.Certificate, trust: Trust) -> dict[str, Any]:
    # A page reads neither certificates nor revocation lists: it is told what they say.
    terms = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    known_until = trust.crl.next_update_utc
    withdrawn = trust.crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    return {
        **jose.jwk(certificate),
        "owner": seals.owner(certificate),
        "name": seals.owner_name(certificate),
        "terms": [int(term.timestamp()) for term in terms],
        "withdrawn": withdrawn and int(withdrawn.revocation_date_utc.timestamp()),
        "known_until": int(known_until.timestamp()) if known_until else 0,
    }
