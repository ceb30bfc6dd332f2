"""Offline codes (离线查验码): what the QR code of a licence says about it, sealed by the department that issued it.

A compact JWS behind the `#` of the address that the QR code names: a camera opens the page, and who has no network
reads what stands behind. It lives as long as the licence; whether the licence still counts only a status list tells.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self

from sqlalchemy.orm import Session

from certificates import canonical, jose, seals
from certificates.errors import SealRefused
from certificates.identifiers import Identifier
from certificates.offline import statuses
from certificates.parties import Holder
from certificates.seals import Sealer
from certificates.tables import Licence

TYPE: Final = "licence+jwt"
"""Stands in every code's header, so that nothing else that a seal signed can be taken for one."""
LONGEST: Final = 4096
_HEADER: Final = {"typ", "kid"}


def compose(session: Session, licence: Licence, sealer: Sealer, now: datetime) -> str:
    """Write and seal the code of a licence (生成离线查验码): some 450 characters, the holder masked.

    Raises SealRefused when the seal is not the issuer's or does not hold now.
    """
    seals.require_entitled(sealer, licence.issuer_uscc, now)
    said: dict[str, Any] = {
        "id": licence.identifier,
        "sha": jose.b64(bytes.fromhex(canonical.sha256(licence.statement.encode()))),
        "what": licence.type_name,
        "who": licence.holder.masked().name,
        "from": licence.valid_from.isoformat(),
        "on": licence.issued_on.isoformat(),
        "at": statuses.place(session, licence),
        "iat": int(now.timestamp()),
    }
    if licence.valid_until:
        said["to"] = licence.valid_until.isoformat()
    return jose.write({"typ": TYPE, "kid": jose.key_id(sealer.certificate)}, canonical.dump(said), sealer.sign)


@dataclass(frozen=True)
class Code:
    """A code taken apart (离线查验码), read but not believed."""

    signed: jose.Signed
    identifier: Identifier
    digest: str
    type_name: str
    holder: Holder
    issued_on: date
    valid_from: date
    valid_until: date | None
    place: int
    at: datetime

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a code (读取离线查验码), with or without the address before it.

        Raises SealRefused, IdentifierInvalid, NotCanonical, KeyError, TypeError or ValueError for what is none.
        """
        text = text.strip()
        if len(text) > LONGEST:
            raise SealRefused(why=f"a code has at most {LONGEST} characters")
        signed = jose.Signed.read(text.rpartition("#")[2], _HEADER)
        if signed.header["typ"] != TYPE:
            raise SealRefused(why="this is no code of a licence")
        said = canonical.load(signed.payload)
        return cls(
            signed=signed,
            identifier=Identifier.parse(said["id"]),
            digest=jose.unb64(said["sha"]).hex(),
            type_name=str(said["what"]),
            holder=Holder(str(said["who"]), "", ""),
            issued_on=date.fromisoformat(said["on"]),
            valid_from=date.fromisoformat(said["from"]),
            valid_until=date.fromisoformat(said["to"]) if "to" in said else None,
            place=_natural(said["at"]),
            at=datetime.fromtimestamp(said["iat"], UTC),
        )

    @property
    def kid(self) -> str:
        """Name the seal that made it (印章标识)."""
        return str(self.signed.header["kid"])


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise SealRefused(why="a place in the status list is a natural number")
    return value
