"""Key proofs (密钥持有证明): a wallet shows that it has the key to which a licence is to be bound.

OpenID for Verifiable Credential Issuance 1.0, appendix F.1: a JWT that the key itself signed, for this office, over a
number that this office gave out; ES256 only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from certificates import canonical, jose
from certificates.errors import CertificateError, ChallengeStale, OriginForeign, SignatureWrong, TokenMalformed

PROOF_TYPE: Final = "openid4vci-proof+jwt"
LONGEST: Final = 8192
_HEADER: Final = {"typ", "jwk"}
# Clocks of telephones are seldom wrong by more, and the number in it says more about its age.
_FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class Proof:
    """A proof that holds (密钥持有证明): the public key as a JWK, and the number that was signed."""

    key: dict[str, str]
    nonce: str


def read_proof(text: str, *, audience: str, now: datetime) -> Proof:
    """Read a proof and judge everything but its number (验证密钥持有证明); that is the caller's, who gave it out.

    `audience` is this office's address as its metadata name it, `now` an aware instant. Raises TokenMalformed,
    KeyUnsuitable for anything but a public P-256 key, SignatureWrong, OriginForeign, ChallengeStale.
    """
    try:
        if len(text) > LONGEST:
            raise TokenMalformed(why=f"a proof has at most {LONGEST} characters")
        signed = jose.Signed.read(text, _HEADER)
        said = canonical.load(signed.payload)
        kind, for_whom, nonce, at = signed.header["typ"], said["aud"], said["nonce"], said["iat"]
        made = datetime.fromtimestamp(at, UTC)
    except (CertificateError, AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise TokenMalformed(why=str(error)) from None
    if kind != PROOF_TYPE or not isinstance(nonce, str):
        raise TokenMalformed(why="this is no proof of a key")
    key = jose.public_key(signed.header["jwk"])
    if not signed.signed_by(key):
        raise SignatureWrong
    if for_whom != audience:
        raise OriginForeign(audience=str(for_whom))
    if abs(now - made) > _FRESH:
        raise ChallengeStale(at=made.isoformat())
    return Proof(jose.point(key), nonce)
