"""Filling the room that a document left for its seal (填入签章): a PAdES B-B signature in its first and only revision.

A document is *prepared* when it was written as one revision with a plain table of objects, and its catalogue names one
signature field and, in `/Perms /DocMDP`, one object that is `null` and blanks. It is taken apart along its table, never
searched: what stands in a stream or a string of it can be anything, a room that looks like the real one too.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import jose
from certificates.errors import SealRefused
from certificates.seals import Sealer

_END = re.compile(
    rb"trailer\n<</Size (\d{1,6})/Root (\d{1,6}) 0 R/Info \d{1,6} 0 R/ID\[<[0-9a-f]{32}><[0-9a-f]{32}>\]>>\n"
    rb"startxref\n(\d{1,10})\n%%EOF\n"
)
_LONGEST_END = 256
_HEAD = re.compile(rb"%PDF-1\.7\n%[^\r\n]{4,8}\n")
_ROW = 20  # bytes of the table for each object
_ENTRY = re.compile(rb"(\d{10}) 00000 n \n")
_FIRST_ENTRY = b"0000000000 65535 f \n"
_ROOM = re.compile(rb"/AcroForm<</Fields\[(\d{1,6}) 0 R\]/SigFlags 3>>/Perms<</DocMDP (\d{1,6}) 0 R>>")
# How often a catalogue has them: more than that may be another's, or in a string.
_WORDS = {b"/Perms": 1, b"/AcroForm": 1, b"endobj": 0}
_FIELD = re.compile(
    rb"<</Type/Annot/Subtype/Widget/FT/Sig/T\(Seal\)/Rect\[0 0 0 0\]/F 132/P \d{1,6} 0 R/V (\d{1,6}) 0 R>>"
)
_EMPTY = re.compile(rb"null *")
_SIGNATURE = (
    "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:{time:%Y%m%d%H%M%SZ})/Reason<{reason}>"
    "/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/V/1.2/P 1>>>>]"
    "/ByteRange[0 {before:>10} {after:>10} {rest:>10}]/Contents"
)

# ASN.1 tags (X.690), and what is the same in every message: names of kinds and algorithms.
_SEQUENCE, _SET, _OCTETS, _INTEGER, _FIRST, _DIRECTORY_NAME = 0x30, 0x31, 0x04, 0x02, 0xA0, 0xA4
_VERSION_1 = bytes.fromhex("020101")
_DATA = bytes.fromhex("06092a864886f70d010701")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
_SHA256 = bytes.fromhex("300b0609608648016503040201")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


class Room(NamedTuple):
    """Where a document has room for its seal (签章位置): from this byte to that."""

    start: int
    end: int


def room(pdf: bytes) -> Room | None:
    """Find the room that a prepared document left for its seal (查找签章位置); None for any other document.

    Raises SealRefused for one that is prepared in a way that can be read in two.
    """
    end = _END.fullmatch(pdf, pdf.rfind(b"trailer\n", max(0, len(pdf) - _LONGEST_END)))
    if end is None:
        return None
    size, root, table = map(int, end.groups())
    objects = _objects(pdf, size, table, end.start())
    catalog = pdf[slice(*objects[root])] if objects and 0 < root < size else b""
    if b"/Perms" not in catalog and b"/AcroForm" not in catalog:
        return None
    named = _ROOM.findall(catalog)
    if len(named) != 1 or any(catalog.count(word) != once for word, once in _WORDS.items()):
        raise SealRefused(why="the document names more than one room for a seal")
    field_at, room_at = map(int, named[0])
    if not 0 < field_at < size or not 0 < room_at < size:
        raise SealRefused(why="the room for the seal is no object of the document")
    field = _FIELD.fullmatch(pdf, *objects[field_at])
    found = Room(*objects[room_at])
    if field is None or int(field[1]) != room_at or not _EMPTY.fullmatch(pdf, *found):
        raise SealRefused(why="the room for the seal is not empty, or not the field's")
    return found


def fill(pdf: bytes, place: Room, sealer: Sealer, reason: str, now: datetime) -> bytes:
    """Seal a document in the room that it left (填入签章), over every byte but the signature's own.

    Raises SealRefused when the seal with its certificates does not fit in there, and when what the sealer gave does
    not verify under its certificate.
    """
    facts: dict[str, Any] = {
        "time": now.astimezone(UTC),
        "reason": b"\xfe\xff".hex() + reason.encode("utf-16-be").hex(),
    }
    begin = place.start + len(_SIGNATURE.format(**facts, before=0, after=0, rest=0))
    end = place.end - 2  # before the dictionary's own `>>`
    end -= (end - begin) % 2
    head = _SIGNATURE.format(**facts, before=begin, after=end, rest=len(pdf) - end).encode()
    before = pdf[: place.start] + head
    after = b">>".ljust(place.end - end) + pdf[place.end :]
    digest = sha256(before)
    digest.update(after)
    message = _message(sealer, digest.digest()).hex().encode()
    contents = b"<%b>" % message.ljust(end - begin - 2, b"0")
    if len(contents) != end - begin:
        raise SealRefused(why="the seal with its certificates is larger than the room for it", room=place.end - begin)
    return b"".join([before, contents, after])


def _objects(pdf: bytes, size: int, table: int, end: int) -> Sequence[tuple[int, int]]:
    """Read where each object's value begins and ends; empty unless they follow one another and fill the file."""
    start = b"xref\n0 %d\n%b" % (size, _FIRST_ENTRY)
    rows = table + len(start)
    head = _HEAD.match(pdf)
    if head is None or not pdf.startswith(start, table) or rows + (size - 1) * _ROW != end:
        return ()
    found = [(0, 0)]
    at = head.end()
    entries = [_ENTRY.fullmatch(pdf, row, row + _ROW) for row in range(rows, end, _ROW)]
    offsets = [int(entry[1]) if entry else 0 for entry in entries]
    for number, (offset, following) in enumerate(zip(offsets, [*offsets[1:], table], strict=True), 1):
        name, close = b"%d 0 obj\n" % number, b"\nendobj\n"
        if offset != at or not pdf.startswith(name, offset) or not pdf.endswith(close, offset + len(name), following):
            return ()
        found.append((offset + len(name), following - len(close)))
        at = following
    return found


def _message(sealer: Sealer, digest: bytes) -> bytes:
    """Sign what has this digest, and put it into a CMS message without it (RFC 5652, ETSI EN 319 122-1)."""
    identity, reference = _names(sealer.certificate)
    claims = sorted(
        _der(_SEQUENCE, kind, _der(_SET, value))
        for kind, value in (
            (_CONTENT_TYPE, _DATA),
            (_MESSAGE_DIGEST, _der(_OCTETS, digest)),
            (_SIGNING_CERTIFICATE_V2, reference),
        )
    )
    signed = _der(_SET, *claims)
    signature = jose.der(sealer.sign(signed))
    _require_valid(sealer.certificate, signature, signed)
    # In the message the claims have a tag of their own; what is signed is the set.
    claimed, signer = _der(_FIRST, *claims), _der(_OCTETS, signature)
    information = _der(_SEQUENCE, _VERSION_1, identity, _SHA256, claimed, _ECDSA_SHA256, signer)
    chain = [certificate.public_bytes(Encoding.DER) for certificate in (sealer.certificate, *sealer.chain)]
    content = (_der(_SET, _SHA256), _der(_SEQUENCE, _DATA), _der(_FIRST, *sorted(chain)), _der(_SET, information))
    return _der(_SEQUENCE, _SIGNED_DATA, _der(_FIRST, _der(_SEQUENCE, _VERSION_1, *content)))


@lru_cache(maxsize=64)
def _names(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """Name a certificate by issuer and number, and by its hash beside these (RFC 5035)."""
    issuer = certificate.issuer.public_bytes()
    if issuer not in certificate.tbs_certificate_bytes:
        raise SealRefused(why="the issuer of the seal's certificate cannot be named as it stands there")
    serial = certificate.serial_number
    number = _der(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
    named = _der(_SEQUENCE, _der(_SEQUENCE, _der(_DIRECTORY_NAME, issuer)), number)
    digest = _der(_OCTETS, sha256(certificate.public_bytes(Encoding.DER)).digest())
    reference = _der(_SEQUENCE, _der(_SEQUENCE, _der(_SEQUENCE, digest, named)))
    return _der(_SEQUENCE, issuer, number), reference


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:  # noqa: PLR2004 -- X.690: a length that fits in seven bits is written as it is
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def _require_valid(certificate: x509.Certificate, signature: bytes, signed: bytes) -> None:
    key = certificate.public_key()
    try:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise SealRefused(why="the seal's key is not an elliptic-curve key")
        key.verify(signature, signed, jose.ES256)
    except InvalidSignature:
        raise SealRefused(why="the signature does not verify under the seal's certificate") from None
