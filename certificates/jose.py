"""Signed JSON (JWS, RFC 7515): the one way in which this house writes and reads ES256 signatures of texts."""

import base64
import binascii
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import canonical
from certificates.errors import KeyUnsuitable, SealRefused

ALGORITHM: Final = "ES256"
ES256: Final = ec.ECDSA(hashes.SHA256())
LONGEST_CERTIFICATE: Final = 8192
MOST_CERTIFICATES: Final = 8
_COORDINATE = 32


@dataclass(frozen=True)
class Signed:
    """A compact JWS taken apart (签名文本): its header, its payload, and what the signature is over."""

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    head: str

    @classmethod
    def read(cls, text: str, members: AbstractSet[str], payload: bytes | None = None) -> Self:
        """Take a JWS apart (解析签名文本) whose header has `alg` and exactly these other members.

        A detached one needs its `payload`, another must have its own. Raises SealRefused for another algorithm or
        form, NotCanonical and ValueError for what is no JWS.
        """
        head, middle, signature = text.split(".")
        header = canonical.load(unb64(head))
        ours = isinstance(header, dict) and header.keys() == {"alg", *members} and header["alg"] == ALGORITHM
        if not ours or bool(middle) is (payload is not None):
            raise SealRefused(why="this is no ES256 signature of ours")
        return cls(header, unb64(middle) if payload is None else payload, unb64(signature), head)

    def certificates(self) -> list[x509.Certificate]:
        """Read the certificates in the header (证书链), the signer's first.

        Raises SealRefused for more or longer ones than a seal has, KeyError, ValueError.
        """
        chain = self.header["x5c"]
        if len(chain) > MOST_CERTIFICATES or any(len(one) > LONGEST_CERTIFICATE for one in chain):
            raise SealRefused(why="these are not the certificates of a seal")
        return [_certificate(one) for one in chain]

    def holds(self, certificate: x509.Certificate) -> bool:
        """Tell whether the certificate's P-256 key signed exactly this (验签)."""
        return self.signed_by(certificate.public_key())

    def signed_by(self, key: object) -> bool:
        """Tell whether a P-256 key signed exactly this (验签)."""
        if not isinstance(key, ec.EllipticCurvePublicKey) or len(self.signature) != 2 * _COORDINATE:
            return False
        try:
            key.verify(der(self.signature), _signing_input(self.head, self.payload), ES256)
        except InvalidSignature:
            return False
        return True


def write(header: Mapping[str, Any], payload: bytes, sign: Callable[[bytes], bytes], *, detached: bool = False) -> str:
    """Sign a payload (签名) into a compact JWS, the payload left out where it is `detached` (appendix F)."""
    head = b64(canonical.dump({"alg": ALGORITHM, **header}))
    signature = b64(sign(_signing_input(head, payload)))
    return f"{head}.{'' if detached else b64(payload)}.{signature}"


def key_id(certificate: x509.Certificate) -> str:
    """Name a certificate shortly (密钥标识): 12 characters of its SHA-256, enough to find it, never to trust it."""
    return b64(certificate.fingerprint(hashes.SHA256()))[:12]


def jwk(certificate: x509.Certificate) -> dict[str, Any]:
    """Write a certificate's P-256 key as a JWK (公钥, RFC 7517), with the certificate itself."""
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return {**point(key), "kid": key_id(certificate), "x5c": certificate_chain([certificate])}


def point(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Write a P-256 key as a JWK with nothing else in it (公钥坐标, RFC 7518 section 6.2.1)."""
    numbers = key.public_numbers()
    x, y = (b64(value.to_bytes(_COORDINATE, "big")) for value in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def public_key(key: Any) -> ec.EllipticCurvePublicKey:
    """Read a P-256 key from a JWK (读取公钥); raises KeyUnsuitable for any other, and for one with its secret in it."""
    try:
        if (key["kty"], key["crv"]) != ("EC", "P-256") or "d" in key:
            raise KeyUnsuitable(why="this is no public P-256 key")
        x, y = (unb64(key[name]) for name in ("x", "y"))
        if (len(x), len(y)) != (_COORDINATE, _COORDINATE):
            raise KeyUnsuitable(why="a coordinate has 32 bytes")
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
        return numbers.public_key()
    except (KeyError, TypeError, ValueError) as error:
        raise KeyUnsuitable(why=str(error)) from None


def certificate_chain(certificates: list[x509.Certificate]) -> list[str]:
    """Write certificates as a header carries them (证书链; x5c, RFC 7515 section 4.1.6)."""
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]


def raw(signature: bytes) -> bytes:
    """Turn a DER signature into the raw one of JOSE (签名编码): r and s of 32 bytes each."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def der(signature: bytes) -> bytes:
    """Turn a raw ES256 signature into the DER that X.509 and CMS want (签名编码)."""
    return encode_dss_signature(
        int.from_bytes(signature[:_COORDINATE], "big"), int.from_bytes(signature[_COORDINATE:], "big")
    )


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding (编码; RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url that can be written in one way only (解码); raises ValueError."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise binascii.Error("not canonical base64url")
    return data


@lru_cache(maxsize=256)
def _certificate(text: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))


def _signing_input(head: str, payload: bytes) -> bytes:
    return f"{head}.{b64(payload)}".encode()
