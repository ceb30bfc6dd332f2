"""Licences for wallets (可验证凭证): sealed once more, in the two forms that wallets elsewhere read.

An SD-JWT VC, whose holder shows some fields and keeps the others, and a W3C Verifiable Credential that shows all.
Both are sealed by the department that issued the licence, and name its place in that department's status list. Neither
carries the hash of the sealed statement: by it the fields that were kept could be found by trying out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from certificates import canonical, disclosures, jose, seals
from certificates.errors import SealRefused
from certificates.offline import statuses
from certificates.seals import Sealer
from certificates.tables import Licence

SD_JWT_TYPE: Final = "dc+sd-jwt"
VC_TYPE: Final = "vc+jwt"
VOCABULARY: Final = "urn:electronic-licence:"
"""What every name of ours begins with where a standard wants a URI; the type codes behind it are the nation's."""
CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
CLEAR: Final = (
    "type_name",
    "type_code",
    "number",
    "identifier",
    "issuer_name",
    "issuer_code",
    "issued_on",
    "valid_from",
    "valid_until",
)
"""What every verifier of a licence sees, by its name in the statement."""
HOLDER: Final = ("holder_name", "holder_code", "holder_code_type")
"""What the holder may keep, beside each of the fields."""


@dataclass(frozen=True)
class Terms:
    """What the office adds to a licence (签发条件): its own address, its status list, and the instants.

    `begins` is the first instant of the first day, `ends` the first instant after the last day in the legal zone, both
    aware; no `ends` is long-term. The English names are shown beside the Chinese ones where a form has room for them.
    """

    issuer: str
    statuses: str
    begins: datetime
    ends: datetime | None
    english_type: str = ""
    english_issuer: str = ""


def kind(type_code: str) -> str:
    """Name a licence type as a URI (凭证类型, `vct`): the same in every city that issues it."""
    return VOCABULARY + type_code


def compose_sd_jwt(
    session: Session,
    licence: Licence,
    sealer: Sealer,
    terms: Terms,
    *,
    now: datetime,
    holder_key: Mapping[str, str] | None = None,
) -> str:
    """Write and seal a licence as an SD-JWT VC (可选择披露凭证), all its disclosures behind it.

    RFC 9901, draft-ietf-oauth-sd-jwt-vc. With the key that a wallet proved it has (JWK) only that wallet can show it.
    Raises SealRefused for a licence that was never sealed, or when the seal is not the issuer's or does not hold now.
    """
    said = _statement(licence, sealer, now)
    about, names = disclosures.hide({name: said[name] for name in HOLDER})
    fields, values = disclosures.hide(said["fields"])
    claims: dict[str, Any] = {
        "iss": terms.issuer,
        "vct": kind(licence.type_code),
        "iat": int(now.timestamp()),
        "nbf": int(terms.begins.timestamp()),
        "status": _status(session, licence, terms),
        **{name: said[name] for name in CLEAR},
        "fields": {disclosures.DIGESTS: fields},
        disclosures.DIGESTS: about,
        disclosures.NAMED: disclosures.ALGORITHM,
    }
    if terms.ends:
        claims["exp"] = int(terms.ends.timestamp())
    if holder_key:
        claims["cnf"] = {"jwk": dict(holder_key)}
    signed = jose.write(_header(sealer, SD_JWT_TYPE), canonical.dump(claims), sealer.sign)
    return disclosures.SEPARATOR.join([signed, *names, *values, ""])


def compose_vc(session: Session, licence: Licence, sealer: Sealer, terms: Terms, *, now: datetime) -> str:
    """Write and seal a licence as a W3C Verifiable Credential (可验证凭证), the holder and every field in clear.

    VC Data Model 2.0 in a JWT (VC-JOSE-COSE). W3C has no entry for a Token Status List: `status` is the claim that
    its standard defines for a JWT, and `credentialStatus` says the same in the manner of the data model. Raises as
    `compose_sd_jwt`.
    """
    said = _statement(licence, sealer, now)
    status = _status(session, licence, terms)
    place, uri = status["status_list"]["idx"], status["status_list"]["uri"]
    claims: dict[str, Any] = {
        "@context": [CONTEXT, {"@vocab": VOCABULARY}],
        "id": VOCABULARY + licence.identifier,
        "type": ["VerifiableCredential", "ElectronicLicence"],
        "name": _bilingual(licence.type_name, terms.english_type),
        "issuer": {"id": terms.issuer, "name": _bilingual(licence.issuer_name, terms.english_issuer)},
        "validFrom": terms.begins.isoformat(),
        "credentialSubject": {name: said[name] for name in (*CLEAR, *HOLDER, "fields")},
        "credentialStatus": {
            "id": f"{uri}#{place}",
            "type": "TokenStatusListEntry",
            "statusListIndex": place,
            "statusListUri": uri,
        },
        "iss": terms.issuer,
        "iat": int(now.timestamp()),
        "status": status,
    }
    if terms.ends:
        claims["validUntil"] = terms.ends.isoformat()
    return jose.write({**_header(sealer, VC_TYPE), "cty": "vc"}, canonical.dump(claims), sealer.sign)


def _statement(licence: Licence, sealer: Sealer, now: datetime) -> dict[str, Any]:
    if licence.seal is None:
        raise SealRefused(why="the licence itself was never sealed", licence=licence.number)
    seals.require_entitled(sealer, licence.issuer_uscc, now)
    said: dict[str, Any] = canonical.load(licence.statement.encode())
    return said


def _header(sealer: Sealer, kind: str) -> dict[str, Any]:
    return {"typ": kind, "x5c": jose.certificate_chain([sealer.certificate, *sealer.chain])}


def _status(session: Session, licence: Licence, terms: Terms) -> dict[str, Any]:
    return {"status_list": {"idx": statuses.place(session, licence), "uri": terms.statuses}}


def _bilingual(chinese: str, english: str) -> list[dict[str, str]]:
    said = [{"@value": chinese, "@language": "zh"}]
    return [*said, {"@value": english, "@language": "en"}] if english else said
