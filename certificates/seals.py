"""Electronic seals (电子印章): who can sign for a department, and the seal on a licence's statement.

The seal is a detached JWS (RFC 7515 appendix F, ES256): `header..signature`, the payload being the canonical
statement. Its header names the instant (`iat`, whole seconds) and carries the certificates (`x5c`), so that a
stranger with any JOSE library and our root can check it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certificates import jose
from certificates.checks import Check, Question, unasked
from certificates.errors import SealRefused
from certificates.trust import Trust

Timestamper = Callable[[bytes], bytes]
"""Whoever puts the time under a seal (时间戳服务): an RFC 3161 query in DER in, the reply in DER out.

Raises TimestampUnavailable when nobody answers.
"""

_OWNER_PREFIX: Final = "NTRCN-"
_HEADER: Final = {"iat", "x5c"}


class Sealer(Protocol):
    """Whatever signs for one department (签章服务): a key file, a module, a remote service; P-256 only."""

    @property
    def certificate(self) -> x509.Certificate:
        """The seal's own certificate (印章证书)."""

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates between it and the root, neither included (中间证书)."""

    def sign(self, data: bytes) -> bytes:
        """Sign SHA-256 of the data (签名): ES256 as JOSE has it, r and s of 32 bytes each, no DER."""


@dataclass(frozen=True)
class SoftSealer:
    """A seal whose key is a file (软件印章): for development and demonstration, never certified."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a key that is not the certificate's."""
        if self.key.curve.name != "secp256r1" or self.key.public_key() != self.certificate.public_key():
            raise SealRefused(why="the key is not the P-256 key of the certificate")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PEM file that holds the key and the certificate (加载印章); raises SealRefused."""
        try:
            pem = path.read_bytes()
            key = serialization.load_pem_private_key(pem, password=None)
            certificate, *chain = x509.load_pem_x509_certificates(pem)
        except (OSError, ValueError, TypeError) as error:
            raise SealRefused(path=str(path), why=str(error)) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SealRefused(path=str(path), why="the key is not an elliptic-curve key")
        return cls(certificate, key, tuple(chain))

    def sign(self, data: bytes) -> bytes:
        """Sign (签名), raw ES256."""
        return jose.raw(self.key.sign(data, jose.ES256))


def owner_attribute(uscc: str) -> x509.NameAttribute[str]:
    """Name a seal's owner in its certificate (印章主体): organizationIdentifier, EN 319 412-1."""
    return x509.NameAttribute(x509.NameOID.ORGANIZATION_IDENTIFIER, _OWNER_PREFIX + uscc)


def owner(certificate: x509.Certificate) -> str:
    """Read a seal's owner (印章主体), a credit code; empty when the certificate names none."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
    return str(names[0].value).removeprefix(_OWNER_PREFIX) if len(names) == 1 else ""


def owner_name(certificate: x509.Certificate) -> str:
    """Read the name of a seal's owner (印章主体名称); empty when the certificate says none."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return str(names[0].value) if names else ""


def require_entitled(sealer: Sealer, uscc: str, now: datetime) -> None:
    """Hold a sealer to its department and its term (用印权限); raises SealRefused before signing."""
    certificate = sealer.certificate
    if owner(certificate) != uscc:
        raise SealRefused(why="the seal belongs to another department", owner=owner(certificate), issuer=uscc)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SealRefused(why="the seal's certificate does not hold now", now=now.isoformat())


def seal(statement: bytes, sealer: Sealer, now: datetime) -> str:
    """Seal a canonical statement (签章) and return the detached JWS.

    Raises SealRefused when what came back does not verify: a broken module must not make a licence.
    """
    chain = jose.certificate_chain([sealer.certificate, *sealer.chain])
    header = {"iat": int(now.timestamp()), "x5c": chain}
    jws = jose.write(header, statement, sealer.sign, detached=True)
    if not jose.Signed.read(jws, _HEADER, statement).holds(sealer.certificate):
        raise SealRefused(why="the signature does not verify under the seal's certificate")
    return jws


def examine(jws: str, statement: bytes, issuer_uscc: str, trust: Trust) -> list[Check]:
    """Ask everything about a seal (验章): intact, entitled, from the root, not revoked; raises nothing."""
    try:
        signed = jose.Signed.read(jws, _HEADER, statement)
        certificate, at = signed.certificates()[0], datetime.fromtimestamp(signed.header["iat"], UTC)
        return [
            Check(Question.SEAL_INTACT, signed.holds(certificate), at.isoformat()),
            Check(Question.SEALED_BY_ENTITLED_DEPARTMENT, owner(certificate) == issuer_uscc, issuer_uscc),
            *trust.examine(certificate, at),
        ]
    except Exception as error:  # noqa: BLE001 -- whatever a forged seal makes a parser say, the answer is no
        rest = (Question.SEALED_BY_ENTITLED_DEPARTMENT, Question.CHAIN_TO_ROOT, Question.SEAL_NOT_REVOKED)
        return [Check(Question.SEAL_INTACT, False, repr(error)), *unasked(rest, "the seal cannot be read")]
