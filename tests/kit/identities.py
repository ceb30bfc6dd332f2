"""What a browser does with a certificate, done here: open the .p12, sign a challenge, make a Web eID token."""

import base64
import hashlib
import json
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

FILE_PASSWORD = "a password for files"


class Holder(NamedTuple):
    """A certificate with its key, and the certificates above it."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    def answer(self, nonce: str, origin: str, **changes: object) -> str:
        message = hashlib.sha256(origin.encode()).digest() + hashlib.sha256(nonce.encode()).digest()
        algorithm = "ES256" if isinstance(self.key, ec.EllipticCurvePrivateKey) else "RS256"
        told = {
            "unverifiedCertificate": _base64(self.certificate.public_bytes(Encoding.DER)),
            "unverifiedIntermediates": [_base64(each.public_bytes(Encoding.DER)) for each in self.above],
            "algorithm": algorithm,
            "signature": _base64(sign(self.key, message)),
            "format": "web-eid:1.0",
        }
        return json.dumps(told | changes)


def opened(p12: bytes, password: str = FILE_PASSWORD) -> Holder:
    key, certificate, above = pkcs12.load_key_and_certificates(p12, password.encode())
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    assert certificate
    return Holder(key, certificate, tuple(above))


def sign(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, message: bytes, *, pss: bool = False) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        size = (key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    chosen = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
    return key.sign(message, chosen, hashes.SHA256())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
