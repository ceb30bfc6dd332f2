"""Subjects (主体): who signed a challenge, by the authority that says so and its own stable key for the person."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certificates.errors import (
    CertificateExpired,
    CertificateNotYetValid,
    IdentityRefused,
    IssuerUntrusted,
    TokenMalformed,
    UsageWrong,
)
from certificates.identity import tokens
from certificates.identity.anchors import Anchor, Chain

_LONGEST = 64


class Subject(NamedTuple):
    """Whom an authority vouches for (主体): `identifier` stays when the certificate is renewed, `name` may change."""

    issuer: str
    identifier: str
    name: str


def identify(sent: str, *, nonce: str, origin: str, anchors: Iterable[Anchor], now: datetime) -> Subject:
    """Say who answered a challenge (身份鉴别): first the signature, then as `recognise`.

    `origin` is ours, never the visitor's word; `now` is aware. Raises the IdentityRefused that says why not.
    """
    token = tokens.read(sent)
    tokens.require_signed(token, origin, nonce)
    return recognise(token.certificate, token.intermediates, anchors, now)


def recognise(certificate: x509.Certificate, between: Chain, anchors: Iterable[Anchor], now: datetime) -> Subject:
    """Say whom a certificate names (识别证书主体): use, path, revocation, in this order; raises IdentityRefused.

    Whoever presents it has not shown that it is theirs.
    """
    identifier = _require_personal(certificate)
    anchors = tuple(anchors)
    for anchor in anchors:
        if path := anchor.path(certificate, between, now):
            anchor.require_good(path, now)
            return Subject(anchor.name, identifier, _named(certificate, NameOID.COMMON_NAME))
    raise _why_not(certificate, between, anchors, now)


def read(pem: bytes) -> tuple[x509.Certificate, Chain]:
    """Read a certificate and those above it from PEM (读取证书); raises TokenMalformed."""
    try:
        certificate, *between = x509.load_pem_x509_certificates(pem)
    except ValueError as reason:
        raise TokenMalformed(why=str(reason)[:100]) from None
    return certificate, tuple(between)


def _require_personal(certificate: x509.Certificate) -> str:
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound as missing:
        raise UsageWrong(why=str(missing)) from None
    if not usage.digital_signature or usage.key_cert_sign or authority:
        raise UsageWrong(why="the key may not sign a person in")
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise UsageWrong(why="not for signing in")
    identifier = _named(certificate, NameOID.SERIAL_NUMBER)
    if not identifier:
        raise UsageWrong(why="the certificate names nobody in particular")
    return identifier


def _named(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(kind)]
    return names[0] if len(names) == 1 and names[0].isprintable() and len(names[0]) <= _LONGEST else ""


def _why_not(
    certificate: x509.Certificate, between: Chain, anchors: tuple[Anchor, ...], now: datetime
) -> IdentityRefused:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > ends and any(anchor.path(certificate, between, ends) for anchor in anchors):
        return CertificateExpired(ended=ends.isoformat())
    if now < begins and any(anchor.path(certificate, between, begins) for anchor in anchors):
        return CertificateNotYetValid(begins=begins.isoformat())
    return IssuerUntrusted(issuer=certificate.issuer.rfc4514_string()[:200])
