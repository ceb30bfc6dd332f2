"""What a verifier pins (信任锚): one root and its revocation list, and no key at all."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from certificates.checks import Check, Question
from certificates.errors import AuthorityUnusable

ROOT_FILE = "root.pem"
CRL_FILE = "crl.pem"


@dataclass(frozen=True)
class Trust:
    """A pinned root and its revocation list (信任锚); raises AuthorityUnusable if the list is not its own."""

    root: x509.Certificate
    crl: x509.CertificateRevocationList

    def __post_init__(self) -> None:
        """Refuse a revocation list that somebody else signed, or for which nobody can answer."""
        key = self.root.public_key()
        if not isinstance(key, EllipticCurvePublicKey) or not self.crl.is_signature_valid(key):
            raise AuthorityUnusable(why="the revocation list is not signed by the root")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the public half of an authority (加载信任锚); raises AuthorityUnusable."""
        try:
            return cls.read((directory / ROOT_FILE).read_text(), (directory / CRL_FILE).read_text())
        except (OSError, ValueError) as error:
            raise AuthorityUnusable(directory=str(directory), why=str(error)) from None

    @classmethod
    def read(cls, root: str, crl: str) -> Self:
        """Read a root and its list from PEM (读取信任锚); raises ValueError, AuthorityUnusable."""
        return cls(x509.load_pem_x509_certificate(root.encode()), x509.load_pem_x509_crl(crl.encode()))

    def pem(self) -> tuple[str, str]:
        """Write the root and its list as PEM (信任锚文件), as `read` takes them."""
        return self.root.public_bytes(Encoding.PEM).decode(), self.crl.public_bytes(Encoding.PEM).decode()

    def revoked(self, serial: int, at: datetime) -> bool:
        """Say whether a certificate was withdrawn by then (吊销查询), `at` being an aware instant."""
        entry = self.crl.get_revoked_certificate_by_serial_number(serial)
        return entry is not None and entry.revocation_date_utc <= at

    def examine(self, certificate: x509.Certificate, at: datetime) -> list[Check]:
        """Ask whether a seal's certificate was good (证书链查验) at an aware instant; nothing is raised.

            Seals are issued by the root itself. A revocation list that ended before the instant answers nothing.
        The instant is the seal's own word: a stolen key can date back.
        """
        try:
            certificate.verify_directly_issued_by(self.root)
            issued = True
        except (InvalidSignature, ValueError, TypeError):
            issued = False
        lasting = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        serial = certificate.serial_number
        ends = self.crl.next_update_utc
        current = ends is not None and at <= ends
        return [
            Check(Question.CHAIN_TO_ROOT, issued and lasting and _may_seal(certificate), f"{serial:x}"),
            Check(Question.SEAL_NOT_REVOKED, not self.revoked(serial, at) if current else None, f"crl < {ends}"),
        ]


def _may_seal(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
    return usage.content_commitment and not authority
