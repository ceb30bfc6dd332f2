"""Tokens (身份令牌): what a browser sends to prove a key, in the format `web-eid:1.0`, read with suspicion."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from certificates.errors import KeyUnsuitable, SignatureWrong, TokenMalformed
from certificates.jose import ES256, der

_FORMAT = "web-eid:1.0"
_REQUIRED = {"unverifiedCertificate", "algorithm", "signature", "format"}
_OPTIONAL = {"unverifiedIntermediates", "appVersion"}
_LARGEST = 64 * 1024
_LARGEST_PART = 8 * 1024
_MOST_INTERMEDIATES = 3
_RAW_ES256 = 64
_RSA_BITS = range(2048, 4096 + 1)


@dataclass(frozen=True)
class Token:
    """What was sent (身份令牌), read but not believed."""

    certificate: x509.Certificate
    intermediates: tuple[x509.Certificate, ...]
    algorithm: str
    signature: bytes


def read(text: str) -> Token:
    """Read a token (读取令牌), at most 64 KiB; raises TokenMalformed for anything beside the format."""
    if len(text) > _LARGEST:
        raise TokenMalformed(why=f"more than {_LARGEST} characters")
    try:
        sent = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise TokenMalformed(why="not JSON") from None
    if not isinstance(sent, dict) or not _REQUIRED <= sent.keys() <= _REQUIRED | _OPTIONAL:
        raise TokenMalformed(why="not the members of a token")
    between = sent.get("unverifiedIntermediates", [])
    if sent["format"] != _FORMAT or not isinstance(sent["algorithm"], str) or not isinstance(between, list):
        raise TokenMalformed(why=f"not {_FORMAT}")
    if len(between) > _MOST_INTERMEDIATES:
        raise TokenMalformed(why=f"more than {_MOST_INTERMEDIATES} certificates between")
    return Token(
        _certificate(sent["unverifiedCertificate"]),
        tuple(_certificate(each) for each in between),
        sent["algorithm"],
        _bytes(sent["signature"]),
    )


def require_signed(token: Token, origin: str, nonce: str) -> None:
    """Hold the signature to the certificate's key, this site and this challenge (验签).

    Raises KeyUnsuitable for a key that does not go with the algorithm, SignatureWrong.
    """
    signed = hashlib.sha256(origin.encode()).digest() + hashlib.sha256(nonce.encode()).digest()
    verify = _ALGORITHMS.get(token.algorithm)
    try:
        key = token.certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnsuitable(algorithm=token.algorithm[:20]) from None
    if verify is None:
        raise KeyUnsuitable(algorithm=token.algorithm[:20])
    try:
        verify(key, token.signature, signed)
    except InvalidSignature:
        raise SignatureWrong from None


def _es256(key: PublicKeyTypes, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise KeyUnsuitable(algorithm="ES256")
    if len(signature) != _RAW_ES256:
        raise InvalidSignature
    key.verify(der(signature), signed, ES256)


def _rsa(chosen: padding.AsymmetricPadding, key: PublicKeyTypes, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise KeyUnsuitable(algorithm="RSA")
    key.verify(signature, signed, chosen, hashes.SHA256())


def _rs256(key: PublicKeyTypes, signature: bytes, signed: bytes) -> None:
    _rsa(padding.PKCS1v15(), key, signature, signed)


def _ps256(key: PublicKeyTypes, signature: bytes, signed: bytes) -> None:
    _rsa(padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size), key, signature, signed)


_ALGORITHMS: Mapping[str, Callable[[PublicKeyTypes, bytes, bytes], None]] = {
    "ES256": _es256,
    "RS256": _rs256,
    "PS256": _ps256,
}


def _certificate(sent: Any) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(_bytes(sent))
        # Parsed as far as anybody asks later, so that nothing malformed surprises there.
        _ = (certificate.extensions, certificate.subject, certificate.issuer, certificate.not_valid_after_utc)
    except ValueError as reason:
        raise TokenMalformed(why=str(reason)[:100]) from None
    return certificate


def _bytes(sent: Any) -> bytes:
    if not isinstance(sent, str) or len(sent) > _LARGEST_PART:
        raise TokenMalformed(why="not base64")
    try:
        found = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found or base64.b64encode(found) != sent.encode(errors="replace"):
        raise TokenMalformed(why="not base64")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _no_number(_name: str) -> Any:
    raise ValueError
