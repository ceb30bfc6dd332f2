"""Certificates and revocation lists made (制证): what our demonstration authorities have in common; P-256 only."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


class Party(NamedTuple):
    """Who a certificate names, or who issues it (证书主体): a name and its key."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


class Kind(NamedTuple):
    """What a certificate may be used for (证书用途); `path` is how many authorities may stand below, None for none."""

    uses: frozenset[str]
    purpose: x509.ObjectIdentifier | None = None
    path: int | None = None


def authority(path: int) -> Kind:
    """Describe an authority (机构证书) with so many authorities below it."""
    return Kind(frozenset({"key_cert_sign", "crl_sign"}), path=path)


def certify(subject: Party, issuer: Party, kind: Kind, begins: datetime, ends: datetime) -> x509.Certificate:
    """Issue a certificate (签发证书) that holds from one aware instant to another."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer.name)
        .public_key(subject.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=kind.path is not None, path_length=kind.path), critical=True)
        .add_extension(x509.KeyUsage(**{use: use in kind.uses for use in _USES}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.key.public_key()), critical=False)
        .add_extension(_signed_by(issuer), critical=False)
    )
    if kind.purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([kind.purpose]), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def list_revoked(
    issuer: Party, number: int, revoked: Iterable[x509.RevokedCertificate], now: datetime, until: datetime
) -> x509.CertificateRevocationList:
    """Issue a revocation list (签发吊销列表), good from now until the next is due."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.name)
        .last_update(now)
        .next_update(until)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_signed_by(issuer), critical=False)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256())


def _signed_by(issuer: Party) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
