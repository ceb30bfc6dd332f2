"""The demo seal authority (示例电子印章机构): one root, one seal for each department, one revocation list.

For development, demonstration and tests; every subject says 示例. Files: `root.pem`, `root.key`, `crl.pem`,
and `seals/<department>.pem` with a key and its certificate. A city's own authority may have instead of a key file
`seals/<department>.toml`, which names a key in a cryptographic module (`modules.py`), and `tsa.pem`, the timestamping
authorities that it pins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certificates import certification, files
from certificates.certification import Kind, Party, certify, list_revoked
from certificates.errors import AuthorityUnusable, SealRefused
from certificates.modules import ModuleSealer
from certificates.parties import Issuer
from certificates.seals import Sealer, SoftSealer, owner_attribute
from certificates.trust import CRL_FILE, ROOT_FILE, Trust

_PEM = serialization.Encoding.PEM
_DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
_SEALING = Kind(frozenset({"digital_signature", "content_commitment"}), _DOCUMENT_SIGNING)
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
    sealers: Mapping[str, Sealer]
    root_key: ec.EllipticCurvePrivateKey | None

    @property
    def root(self) -> x509.Certificate:
        """The certificate that verifiers pin (根证书)."""
        return self.trust.root

    def sealer(self, department: str) -> Sealer:
        """Hand out a department's seal (取用印章); raises SealRefused when it has none."""
        try:
            return self.sealers[department]
        except KeyError:
            raise SealRefused(why="no seal was made for this department", department=department) from None

    @classmethod
    def ephemeral(cls, departments: Iterable[Issuer], now: datetime) -> Self:
        """Make an authority that lives in memory only (临时机构): for rehearsals and tests."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = Party(_ROOT_NAME, key)
        root = certify(own, own, certification.authority(0), now, now + _ROOT_TERM)
        crl = list_revoked(own, 1, (), now, root.not_valid_after_utc)
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
        certificate = certify(Party(name, key), Party(self.root.subject, self.root_key), _SEALING, now, ends)
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
        files.write(directory / _SEALS / f"{code}.pem", _pem(complete.sealers[code]))
    return open_authority(directory)


def open_authority(directory: Path) -> Authority:
    """Open an authority's directory (打开机构) with the seals in it; raises AuthorityUnusable or SealRefused."""
    trust = Trust.load(directory)
    sealers = _sealers(directory / _SEALS)
    if not (directory / _ROOT_KEY).exists():
        return Authority(trust, sealers, None)
    try:
        key = serialization.load_pem_private_key((directory / _ROOT_KEY).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnusable(directory=str(directory), why=str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != trust.root.public_key():
        raise AuthorityUnusable(directory=str(directory), why="the root key is not the root certificate's")
    return Authority(trust, sealers, key)


def _sealers(folder: Path) -> dict[str, Sealer]:
    modules = {file.stem: ModuleSealer.load(file) for file in sorted(folder.glob("*.toml"))}
    shown = {folder / dict(sealer.place)["certificate"] for sealer in modules.values()}
    keys = {file.stem: SoftSealer.load(file) for file in sorted(folder.glob("*.pem")) if file not in shown}
    for twice in modules.keys() & keys.keys():
        raise AuthorityUnusable(directory=str(folder), why="two seals of one department", department=twice)
    return {**modules, **keys}


def _lay_down(directory: Path, authority: Authority) -> None:
    made = {
        ROOT_FILE: authority.root.public_bytes(_PEM),
        CRL_FILE: authority.trust.crl.public_bytes(_PEM),
        _ROOT_KEY: _key_pem(authority.root_key),
        **{f"{_SEALS}/{code}.pem": _pem(sealer) for code, sealer in authority.sealers.items()},
    }
    files.lay_down(directory, made, folders=(_SEALS,))


def _pem(sealer: Sealer) -> bytes:
    assert isinstance(sealer, SoftSealer)  # whoever makes a seal here makes one of these
    certificates = (sealer.certificate, *sealer.chain)
    return _key_pem(sealer.key) + b"".join(certificate.public_bytes(_PEM) for certificate in certificates)


def _key_pem(key: ec.EllipticCurvePrivateKey | None) -> bytes:
    assert key is not None  # whoever lays an authority down has just made it whole
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
