"""The demo seal authority (示例电子印章机构): one root, one seal for each department, one revocation list.

For development, demonstration and tests; every subject says 示例. Files: `root.pem`, `root.key`, `crl.pem`,
and `seals/<department>.pem` with a key and its certificate.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certificates.errors import AuthorityUnusable, SealRefused
from certificates.parties import Issuer
from certificates.seals import SoftSealer, owner_attribute
from certificates.trust import CRL_FILE, ROOT_FILE, Trust

_PEM = serialization.Encoding.PEM
_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
_Party = tuple[x509.Name, ec.EllipticCurvePrivateKey]
_ROOT_KEY = "root.key"
_SEALS = "seals"
_NAME_BYTES = 64
_ROOT_TERM = timedelta(days=20 * 365)
_SEAL_TERM = timedelta(days=10 * 365)
_ROOT_NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "一站式审批（示例数据）"),
        x509.NameAttribute(NameOID.COMMON_NAME, "电子印章根证书（示例）"),
    ]
)


@dataclass(frozen=True)
class Authority:
    """An open seal authority (电子印章机构): what verifiers pin, and the seals that it can set.

    The root's key makes new seals and is best kept off this machine; setting seals does not need it.
    """

    trust: Trust
    sealers: Mapping[str, SoftSealer]
    root_key: ec.EllipticCurvePrivateKey | None

    @property
    def root(self) -> x509.Certificate:
        """The certificate that verifiers pin (根证书)."""
        return self.trust.root

    def sealer(self, department: str) -> SoftSealer:
        """Hand out a department's seal (取用印章); raises SealRefused when it has none."""
        try:
            return self.sealers[department]
        except KeyError:
            raise SealRefused(why="no seal was made for this department", department=department) from None

    @classmethod
    def ephemeral(cls, departments: Iterable[Issuer], now: datetime) -> Self:
        """Make an authority that lives in memory only (临时机构): for rehearsals and tests."""
        key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate((_ROOT_NAME, key), (_ROOT_NAME, key), now, now + _ROOT_TERM)
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_ROOT_NAME)
            .last_update(now)
            .next_update(root.not_valid_after_utc)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(_signed_by(key), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(Trust(root, crl), {}, key).joined_by(departments, now)

    def joined_by(self, departments: Iterable[Issuer], now: datetime) -> Self:
        """Make seals for departments that have none yet (刻制印章); raises AuthorityUnusable without the root's key."""
        made = {one.code: self._make(one, now) for one in departments if one.code not in self.sealers}
        return replace(self, sealers={**self.sealers, **made})

    def _make(self, department: Issuer, now: datetime) -> SoftSealer:
        if self.root_key is None:
            raise AuthorityUnusable(department=department.code, why="the root's key, which makes seals, is not here")
        shown = department.name.encode()[:_NAME_BYTES].decode(errors="ignore")  # the credit code is what counts
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, shown),
                owner_attribute(department.uscc),
                x509.NameAttribute(NameOID.COMMON_NAME, f"示例电子印章 {department.code}"),
            ]
        )
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(now + _SEAL_TERM, self.root.not_valid_after_utc)
        certificate = _certificate((name, key), (self.root.subject, self.root_key), now, ends)
        return SoftSealer(certificate, key)


def create(directory: Path, departments: Iterable[Issuer], now: datetime) -> Authority:
    """Make the demo authority in a directory (建立示例机构), or open it and add the seals that are missing.

    A power cut leaves nothing or a complete authority: the directory is built beside its place and renamed, a
    later department's file likewise; of two creators at once one wins and both open the same. Keys are 0600.
    Raises AuthorityUnusable when something else is in the way.
    """
    departments = tuple(departments)
    if not directory.exists():
        _lay_down(directory, Authority.ephemeral(departments, now))
    authority = open_authority(directory)
    complete = authority.joined_by(departments, now)
    for code in complete.sealers.keys() - authority.sealers.keys():
        _write(directory / _SEALS / f"{code}.pem", _pem(complete.sealers[code]))
    return open_authority(directory)


def open_authority(directory: Path) -> Authority:
    """Open an authority's directory (打开机构) with the seals in it; raises AuthorityUnusable or SealRefused."""
    trust = Trust.load(directory)
    files = sorted((directory / _SEALS).glob("*.pem"))
    sealers = {file.stem: SoftSealer.load(file) for file in files}
    if not (directory / _ROOT_KEY).exists():
        return Authority(trust, sealers, None)
    try:
        key = serialization.load_pem_private_key((directory / _ROOT_KEY).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnusable(directory=str(directory), why=str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != trust.root.public_key():
        raise AuthorityUnusable(directory=str(directory), why="the root key is not the root certificate's")
    return Authority(trust, sealers, key)


def _certificate(subject: _Party, issuer: _Party, begins: datetime, ends: datetime) -> x509.Certificate:
    (name, key), (issuer_name, issuer_key) = subject, issuer
    root = key is issuer_key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=root, path_length=0 if root else None), critical=True)
        .add_extension(_usage(root=root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signed_by(issuer_key), critical=False)
    )
    if not root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _signed_by(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root,
        content_commitment=not root,
        key_cert_sign=root,
        crl_sign=root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _lay_down(directory: Path, authority: Authority) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
    (draft / _SEALS).mkdir(mode=0o700, parents=True)
    draft.chmod(0o700)
    _write(draft / ROOT_FILE, authority.root.public_bytes(_PEM))
    _write(draft / CRL_FILE, authority.trust.crl.public_bytes(_PEM))
    _write(draft / _ROOT_KEY, _key_pem(authority.root_key))
    for code, sealer in authority.sealers.items():
        _write(draft / _SEALS / f"{code}.pem", _pem(sealer))
    try:
        draft.rename(directory)
    except OSError:  # somebody else was faster, and theirs is complete
        shutil.rmtree(draft)
    _sync(directory.parent)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pem(sealer: SoftSealer) -> bytes:
    certificates = (sealer.certificate, *sealer.chain)
    return _key_pem(sealer.key) + b"".join(certificate.public_bytes(_PEM) for certificate in certificates)


def _key_pem(key: ec.EllipticCurvePrivateKey | None) -> bytes:
    assert key is not None  # whoever lays an authority down has just made it whole
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
