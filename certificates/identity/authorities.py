"""The demo authority of people (示例身份证书机构): it makes their keys as well, as no real one would.

A root of its own, apart from the seals': a seal can never come to sign people in, nor a person's key to seal,
even if one of the authorities errs. Below it one issuing authority, as everywhere; both have revocation lists.
A folder as in `anchors`, and beside it `issuing.key` and `issued/<identifier>/<serial>.pem`, the register.
The root's own key is not kept: a demonstration has nothing more to do with it.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certificates import certification, files
from certificates.certification import Kind, Party, certify, list_revoked
from certificates.errors import AuthorityUnusable
from certificates.identity.anchors import ISSUING_FILE, ROOT_FILE

_PEM = serialization.Encoding.PEM
_KEY_FILE, _CRL_FILE, _ROOT_CRL_FILE, _REGISTER, _LOCK = "issuing.key", "issuing.crl", "root.crl", "issued", "lock"
_ROOT_TERM = timedelta(days=20 * 365)
_TERM = timedelta(days=3 * 365)
_PERSONAL = Kind(frozenset({"digital_signature"}), ExtendedKeyUsageOID.CLIENT_AUTH)
_ORGANIZATION = "一站式审批（示例数据）"


@dataclass(frozen=True)
class IdentityAuthority:
    """An open authority (身份证书机构) that issues people's certificates and revokes them."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def name(self) -> str:
        """What people are bound to (签发机构)."""
        return self.folder.name

    def issue(self, identifier: str, name: str, password: str, now: datetime, term: timedelta = _TERM) -> bytes:
        """Issue a certificate with a new key (签发个人证书), as PKCS#12 under a password (AES-256).

        `identifier` stays with the person from one certificate to the next and says nothing about them.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + term, self.certificate.not_valid_after_utc)
        subject = _name(NameOID.COMMON_NAME, name, (NameOID.SERIAL_NUMBER, identifier))
        made = certify(Party(subject, key), Party(self.certificate.subject, self.key), _PERSONAL, now, ends)
        register = self.folder / _REGISTER / identifier
        register.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(register / f"{made.serial_number:x}.pem", made.public_bytes(_PEM))
        locked = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(name.encode(), key, made, [self.certificate], locked)

    def revoke(self, identifier: str, now: datetime) -> int:
        """Revoke every certificate issued to somebody (吊销证书) and say how many it were that still held.

        The list is replaced whole, in one step; of two at once each waits for the other.
        """
        with self._alone():
            before = x509.load_pem_x509_crl((self.folder / _CRL_FILE).read_bytes())
            serials = {int(file.stem, 16) for file in (self.folder / _REGISTER / identifier).glob("*.pem")}
            new = serials - {entry.serial_number for entry in before}
            added = [
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build() for serial in new
            ]
            number = before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            issuer = Party(self.certificate.subject, self.key)
            until = self.certificate.not_valid_after_utc
            listed = list_revoked(issuer, number + 1, [*before, *added], now, until)
            files.write(self.folder / _CRL_FILE, listed.public_bytes(_PEM))
        return len(new)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def create(folder: Path, now: datetime) -> IdentityAuthority:
    """Make the demo authority in a folder (建立身份证书机构), or open the one that is there.

    All or nothing, and of two makers at once both open the same. Raises AuthorityUnusable.
    """
    if not folder.exists():
        files.lay_down(folder, _made(now), folders=(_REGISTER,))
    return open_(folder)


def open_(folder: Path) -> IdentityAuthority:
    """Open an authority with its key (打开身份证书机构); raises AuthorityUnusable, as where only its anchor is."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / ISSUING_FILE).read_bytes())
        key = serialization.load_pem_private_key((folder / _KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnusable(directory=str(folder), why=str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise AuthorityUnusable(directory=str(folder), why="the key is not the issuing certificate's")
    return IdentityAuthority(folder, certificate, key)


def _made(now: datetime) -> dict[str, bytes]:
    ends = now + _ROOT_TERM
    root = Party(_name(NameOID.COMMON_NAME, "个人身份根证书（示例）"), ec.generate_private_key(ec.SECP256R1()))
    issuing = Party(_name(NameOID.COMMON_NAME, "个人身份证书签发机构（示例）"), ec.generate_private_key(ec.SECP256R1()))
    key = issuing.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # The lists hold as long as the authorities: nobody stays to renew them in a demonstration.
    return {
        ROOT_FILE: certify(root, root, certification.authority(1), now, ends).public_bytes(_PEM),
        ISSUING_FILE: certify(issuing, root, certification.authority(0), now, ends).public_bytes(_PEM),
        _ROOT_CRL_FILE: list_revoked(root, 1, (), now, ends).public_bytes(_PEM),
        _CRL_FILE: list_revoked(issuing, 1, (), now, ends).public_bytes(_PEM),
        _KEY_FILE: key,
    }


def _name(kind: x509.ObjectIdentifier, value: str, *others: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    country, organization = (NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, _ORGANIZATION)
    return x509.Name([x509.NameAttribute(*each) for each in (country, organization, *others, (kind, value))])
