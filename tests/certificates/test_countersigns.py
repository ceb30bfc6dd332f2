"""The SM2 countersignature: OpenSSL makes it, and the arithmetic of GM/T 0003.2, done here by hand, agrees."""

import hashlib
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from certificates import SealRefused, Sm2Sealer, countersign, countersigned

STATEMENT = '{"name":"食品经营许可证（示例）"}'.encode()
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


def make(folder, curve="SM2"):
    key = folder / f"{curve}.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", key], check=True
    )
    return Sm2Sealer(key)


def added(one, other):
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 + A) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(number, point):
    total = None
    while number:
        if number & 1:
            total = added(total, point)
        point, number = added(point, point), number >> 1
    return total


def holds_by_hand(statement, signature, public_pem, identity=b"1234567812345678"):
    shown = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=public_pem, capture_output=True, check=True
    ).stdout
    key = tuple(int.from_bytes(half, "big") for half in (shown[-64:-32], shown[-32:]))
    width = (len(identity) * 8).to_bytes(2, "big")
    shape = b"".join(value.to_bytes(32, "big") for value in (A, B, *G, *key))
    digest = hashlib.new("sm3", hashlib.new("sm3", width + identity + shape).digest() + statement).digest()
    r, s = decode_dss_signature(signature)
    point = added(times(s, G), times((r + s) % N, key))
    return (int.from_bytes(digest, "big") + point[0]) % N == r


def test_a_statement_is_countersigned_as_the_standard_says(tmp_path):
    sealer = make(tmp_path)
    signature = countersign(STATEMENT, sealer)
    assert countersigned(STATEMENT, signature, sealer.public_key())
    assert holds_by_hand(STATEMENT, signature, sealer.public_key())
    assert not holds_by_hand(STATEMENT, signature, sealer.public_key(), identity=b"8765432187654321")


def test_another_statement_key_or_signature_does_not_hold(tmp_path):
    sealer = make(tmp_path)
    signature, key = countersign(STATEMENT, sealer), sealer.public_key()
    (tmp_path / "other").mkdir()
    for statement, signed, by in (
        (STATEMENT + b" ", signature, key),
        (STATEMENT, signature[:-1] + bytes([signature[-1] ^ 1]), key),
        (STATEMENT, b"", key),
        (STATEMENT, signature, make(tmp_path / "other").public_key()),
        (STATEMENT, signature, b"no key"),
    ):
        assert not countersigned(statement, signed, by)


def test_what_is_no_sm2_key_is_refused(tmp_path):
    (tmp_path / "no.pem").write_text("no key")
    for wrong in (make(tmp_path, "P-256"), Sm2Sealer(tmp_path / "no.pem"), Sm2Sealer(tmp_path / "none.pem")):
        with pytest.raises(SealRefused):
            countersign(STATEMENT, wrong)


def test_without_openssl_it_is_told_what_is_missing(tmp_path, monkeypatch):
    sealer = make(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SealRefused, match="openssl"):
        countersign(STATEMENT, sealer)
