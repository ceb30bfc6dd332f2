"""What a verifier pins (信任锚): one root, its revocation list, whose timestamps count, and no key at all."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
TSA_FILE = "tsa.pem"


@dataclass(frozen=True)
class Trust:
    """A pinned root and its revocation list (信任锚); raises AuthorityUnusable if the list is not its own.

    `tsas` are the certificates of timestamping authorities themselves, the earlier ones too, not their issuers'.
    """

    root: x509.Certificate
    crl: x509.CertificateRevocationList
    tsas: tuple[x509.Certificate, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a revocation list that somebody else signed, or for which nobody can answer."""
        key = self.root.public_key()
        if not isinstance(key, EllipticCurvePublicKey) or not self.crl.is_signature_valid(key):
            raise AuthorityUnusable(why="the revocation list is not signed by the root")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the public half of an authority (加载信任锚); raises AuthorityUnusable."""
        stamping = directory / TSA_FILE
        try:
            stamps = stamping.read_text() if stamping.exists() else ""
            return cls.read((directory / ROOT_FILE).read_text(), (directory / CRL_FILE).read_text(), stamps)
        except (OSError, ValueError) as error:
            raise AuthorityUnusable(directory=str(directory), why=str(error)) from None

    @classmethod
    def read(cls, root: str, crl: str, tsas: str = "") -> Self:
        """Read a root, its list and the timestamping authorities from PEM (读取信任锚).

        Raises ValueError, AuthorityUnusable.
        """
        stamping = x509.load_pem_x509_certificates(tsas.encode()) if tsas else ()
        return cls(x509.load_pem_x509_certificate(root.encode()), x509.load_pem_x509_crl(crl.encode()), tuple(stamping))

    def pem(self) -> tuple[str, str, str]:
        """Write the root, its list and the timestamping authorities as PEM (信任锚文件), as `read` takes them."""
        tsas = "".join(one.public_bytes(Encoding.PEM).decode() for one in self.tsas)
        return self.root.public_bytes(Encoding.PEM).decode(), self.crl.public_bytes(Encoding.PEM).decode(), tsas

    def revoked(self, serial: int, at: datetime) -> bool:
        """Say whether a certificate was withdrawn by then (吊销查询), `at` being an aware instant."""
        entry = self.crl.get_revoked_certificate_by_serial_number(serial)
        return entry is not None and entry.revocation_date_utc <= at

    def examine(self, certificate: x509.Certificate, at: datetime) -> list[Check]:
        """Ask whether a seal's certificate was good (证书链查验) at an aware instant; nothing is raised.

        Seals are issued by the root itself. A revocation list that ended before the instant answers nothing.
        The instant is the seal's own word: a stolen key can date back.
        """
        lasting = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        serial = certificate.serial_number
        ends = self.crl.next_update_utc
        current = ends is not None and at <= ends
        return [
            Check(Question.CHAIN_TO_ROOT, lasting and _may_seal(certificate, self.root), f"{serial:x}"),
            Check(Question.SEAL_NOT_REVOKED, not self.revoked(serial, at) if current else None, f"crl < {ends}"),
        ]


@lru_cache(maxsize=256)
def _may_seal(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    # Kept, because what a certificate says does not change, and a city has as many seals as departments.
    try:
        certificate.verify_directly_issued_by(root)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (InvalidSignature, x509.ExtensionNotFound, TypeError, ValueError):
        return False
    return usage.content_commitment and not authority
