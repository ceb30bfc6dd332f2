"""Asking a licence that a wallet shows (出示查验): an SD-JWT VC or a W3C credential, against a kit; nothing is raised.

The same questions as of a code, and two more: whether what is disclosed was signed, and whether the wallet that
shows it is the one it was issued to. Shown is what was disclosed and nothing else.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self

from certificates import canonical, checks, credentials, disclosures, jose, seals
from certificates.checks import Check, Question, conclude
from certificates.errors import SealRefused
from certificates.identifiers import Identifier
from certificates.offline.kits import Kit
from certificates.parties import Holder
from certificates.verification import PublicLicence, Verification

LONGEST: Final = 256 * 1024
_HEADERS: Final = {credentials.SD_JWT_TYPE: {"typ", "x5c"}, credentials.VC_TYPE: {"typ", "cty", "x5c"}}
_BOUND_TYPE: Final = "kb+jwt"
# A holder who could disclose these, or leave them out, could change whose word it is and how long it counts.
_NEVER_HIDDEN: Final = ("iss", "vct", "vct#integrity", "nbf", "exp", "cnf", "status")
_GENUINE: Final = {
    Question.SEAL_INTACT,
    Question.SEALED_BY_ENTITLED_DEPARTMENT,
    Question.CHAIN_TO_ROOT,
    Question.SEAL_NOT_REVOKED,
    Question.DISCLOSED_AS_SIGNED,
}


@dataclass(frozen=True)
class Demand:
    """What a verifier asked the wallet to sign (出示要求): the verifier's own name, and a number used once."""

    audience: str
    nonce: str


def is_presentation(text: str) -> bool:
    """Tell a wallet's form of a licence from the code of a QR code (是否凭证): by its type, or by its disclosures."""
    if disclosures.SEPARATOR in text:
        return True
    try:
        return bool(canonical.load(jose.unb64(text.strip().partition(".")[0]))["typ"] == credentials.VC_TYPE)
    except Exception:  # noqa: BLE001 -- whatever makes a parser fail is something else
        return False


def verify_presentation(
    text: str, kit: Kit, *, today: date, now: datetime, demand: Demand | None = None
) -> Verification:
    """Verify what a wallet shows (出示查验), or a file of the same form.

    `today` (legal day) and `now` (aware) are the same moment. Without a `demand` a signature of the wallet is judged
    where there is one, but not by whom and when it was asked for.
    """
    try:
        shown = Presented.read(text)
    except Exception as error:  # noqa: BLE001 -- whatever a forged one makes a parser say, it is none
        return _unreadable(error)
    try:
        said, why = shown.revealed(), ""
    except Exception as error:  # noqa: BLE001 -- as above
        said, why = shown.claims, str(error)
    try:
        asked = [Check(Question.DISCLOSED_AS_SIGNED, not why, why), *_asked(shown, kit, today, now)]
        if demand or shown.binding:
            asked.append(_shown_by_holder(shown, demand, now))
        denied = {check.question for check in asked if not check.holds}
        licence = None if denied & {*_GENUINE, Question.SHOWN_BY_HOLDER} else _public(shown, said)
    except Exception as error:  # noqa: BLE001 -- as above
        return _unreadable(error)
    return Verification(conclude(asked), tuple(asked), licence)


@dataclass(frozen=True)
class Presented:
    """What a wallet shows, taken apart (出示内容), read but not believed: `binding` is the wallet's own signature."""

    signed: jose.Signed
    claims: Mapping[str, Any]
    disclosures: tuple[str, ...]
    binding: str
    bound: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Take it apart (解析出示内容); raises SealRefused, NotCanonical or ValueError for what is none."""
        text = text.strip()
        if len(text) > LONGEST:
            raise SealRefused(why=f"what is shown has at most {LONGEST} characters")
        head, *rest = text.split(disclosures.SEPARATOR)
        kind = credentials.SD_JWT_TYPE if rest else credentials.VC_TYPE
        signed = jose.Signed.read(head, _HEADERS[kind])
        if signed.header["typ"] != kind or signed.header.get("cty", "vc") != "vc":
            raise SealRefused(why="this is no licence for a wallet")
        claims = canonical.load(signed.payload)
        if not isinstance(claims, dict):
            raise SealRefused(why="this says nothing")
        *given, binding = rest or [""]
        return cls(signed, claims, tuple(given), binding, text[: len(text) - len(binding)])

    @property
    def at(self) -> datetime:
        """When it was sealed, by its own word (签发时间)."""
        return datetime.fromtimestamp(self.claims["iat"], UTC)

    def revealed(self) -> Mapping[str, Any]:
        """Put back what was disclosed (还原声明); raises as `disclosures.reveal`."""
        if self.signed.header["typ"] == credentials.VC_TYPE:
            return self.claims
        revealed = disclosures.reveal(self.claims, self.disclosures)
        if any(revealed.get(name) != self.claims.get(name) for name in _NEVER_HIDDEN):
            raise SealRefused(why="a claim is disclosed that must stand in clear")
        return revealed

    def subject(self, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Find where a form keeps what the licence says (证照内容)."""
        found: Mapping[str, Any] = said.get("credentialSubject", said)
        return found

    def terms(self) -> tuple[datetime, datetime | None]:
        """Read from when until when it holds (有效期间), as instants."""
        if self.signed.header["typ"] == credentials.VC_TYPE:
            ends = self.claims.get("validUntil")
            return datetime.fromisoformat(self.claims["validFrom"]), ends and datetime.fromisoformat(ends)
        until = self.claims.get("exp")
        return datetime.fromtimestamp(self.claims["nbf"], UTC), until and datetime.fromtimestamp(until, UTC)


def _unreadable(error: Exception) -> Verification:
    check = Check(Question.READABLE, False, f"{type(error).__name__}: {error}")
    return Verification(conclude([check]), (check,))


def _asked(shown: Presented, kit: Kit, today: date, now: datetime) -> Iterator[Check]:
    subject, certificate = shown.subject(shown.claims), shown.signed.certificates()[0]
    identifier = Identifier.parse(subject["identifier"])
    yield Check(Question.SEAL_INTACT, shown.signed.holds(certificate), shown.at.isoformat())
    entitled = seals.owner(certificate) == identifier.issuer == subject["issuer_code"]
    yield Check(Question.SEALED_BY_ENTITLED_DEPARTMENT, entitled, identifier.issuer)
    yield from kit.trust.examine(certificate, shown.at)
    status = shown.claims["status"]["status_list"]
    yield from kit.standing(identifier.issuer, status["idx"], now, uri=status["uri"])
    first, last = _days(subject)
    begins, ends = shown.terms()
    begun, not_expired = checks.in_its_days(first, last, today)
    yield Check(begun.question, begun.holds and begins <= now, begun.detail)
    yield Check(not_expired.question, not_expired.holds and (ends is None or now < ends), not_expired.detail)


def _days(subject: Mapping[str, Any]) -> tuple[date, date | None]:
    last = subject["valid_until"]
    return date.fromisoformat(subject["valid_from"]), last and date.fromisoformat(last)


def _shown_by_holder(shown: Presented, demand: Demand | None, now: datetime) -> Check:
    try:
        signed = jose.Signed.read(shown.binding, {"typ"})
        said = canonical.load(signed.payload)
        over = jose.b64(hashlib.sha256(shown.bound.encode()).digest())
        holds = (
            signed.header["typ"] == _BOUND_TYPE
            and signed.signed_by(jose.public_key(shown.claims["cnf"]["jwk"]))
            and said["sd_hash"] == over
            and datetime.fromtimestamp(said["iat"], UTC) <= now + checks.SKEW
            and (demand is None or (said["aud"], said["nonce"]) == (demand.audience, demand.nonce))
        )
        return Check(Question.SHOWN_BY_HOLDER, holds, f"{said['aud']} {said['nonce']}")
    except Exception as error:  # noqa: BLE001 -- whatever a forged one makes a parser say, the answer is no
        return Check(Question.SHOWN_BY_HOLDER, False, f"{type(error).__name__}: {error}")


def _public(shown: Presented, said: Mapping[str, Any]) -> PublicLicence:
    subject, certificate = shown.subject(said), shown.signed.certificates()[0]
    first, last = _days(subject)
    return PublicLicence(
        type_name=subject["type_name"],
        number=subject["number"],
        identifier=subject["identifier"],
        issuer_name=seals.owner_name(certificate),
        holder=Holder(*(str(subject.get(name, "")) for name in credentials.HOLDER)),
        issued_on=date.fromisoformat(subject["issued_on"]),
        valid_from=first,
        valid_until=last,
        fields=dict(subject["fields"]),
    )
