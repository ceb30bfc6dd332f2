"""Filling the room that a document left for its seal: found by its structure, covered but for itself, or refused."""

import shutil
import subprocess
from dataclasses import dataclass
from io import BytesIO

import pikepdf
import pytest
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader

import certificates
from certificates import Question, SealRefused, jose, pades, signatures
from tests.certificates.samples import NOW

ROOM = 8000
FORM = b"/AcroForm<</Fields[4 0 R]/SigFlags 3>>/Perms<</DocMDP 5 0 R>>"
OBJECTS = {
    1: b"<</Type/Catalog/Pages 2 0 R" + FORM + b">>",
    2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<<>>/Annots[4 0 R]/Contents 6 0 R>>",
    4: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/Rect[0 0 0 0]/F 132/P 3 0 R/V 5 0 R>>",
    5: b"null".ljust(ROOM),
    6: b"<</Length 9>>stream\nBT ET % 5\nendstream",
    7: b"<</Title(a)>>",
}


def prepared(changes=None, middle=b"", end=b""):
    """Write a document with room for a seal, as documents are written here."""
    out, offsets = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n", []
    for number, body in (OBJECTS | (changes or {})).items():
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body) + (middle if number == 6 else b"")
    size = len(offsets) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    name = b"<" + b"0a" * 16 + b">"
    trailer = b"trailer\n<</Size %d/Root 1 0 R/Info 7 0 R/ID[%b%b]>>\n" % (size, name, name)
    return out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out) + end


@pytest.fixture
def seal(authority):
    return lambda pdf: certificates.seal_document(pdf, authority.sealer("market"), reason="颁发证照", now=NOW)


@pytest.fixture
def answers(authority):
    return lambda pdf: {check.question: check.holds for check in pades.examine(pdf, authority.trust, NOW)}


def stream(content):
    return b"<</Length %d>>stream\n%b\nendstream" % (len(content), content)


def test_a_prepared_document_is_sealed_in_its_only_revision(seal, answers):
    sealed = seal(prepared())
    assert len(sealed) == len(prepared())
    assert sealed.count(b"%%EOF") == 1
    assert set(answers(sealed).values()) == {True}
    assert len(answers(sealed)) == 7
    (signature,) = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert signature.docmdp_level.name == "NO_CHANGES"
    assert signature.self_reported_timestamp == NOW
    assert signature.sig_object["/Reason"] == "颁发证照"
    kinds = [attribute["type"].native for attribute in signature.signer_info["signed_attrs"]]
    assert sorted(kinds) == ["content_type", "message_digest", "signing_certificate_v2"]
    with pikepdf.open(BytesIO(sealed)) as document:
        assert document.Root.Perms.DocMDP.SubFilter == "/ETSI.CAdES.detached"
        assert document.check_pdf_syntax() == []


def test_what_was_left_empty_is_no_seal(answers):
    assert True not in answers(prepared()).values()
    with pikepdf.open(BytesIO(prepared())) as document:
        assert document.check_pdf_syntax() == []


def test_a_seal_says_what_pyhanko_would_have_it_say(authority, seal, pdf):
    """The claims of both ways, but for the digest of another document."""
    both = [PdfFileReader(BytesIO(one)).embedded_signatures[0].signer_info for one in (seal(prepared()), seal(pdf))]
    for name in ("version", "sid", "digest_algorithm"):
        assert both[0][name].native == both[1][name].native
    claims = [{claim["type"].native: claim["values"].native for claim in info["signed_attrs"]} for info in both]
    del claims[0]["message_digest"], claims[1]["message_digest"]
    assert claims[0] == claims[1]


def test_no_byte_outside_the_seal_can_be_changed(seal, answers):
    sealed = seal(prepared())
    place = signatures.room(prepared())
    begin = sealed.index(b"/Contents<", place.start) + len("/Contents")
    spots = {*range(0, len(sealed), 97), *range(place.start - 40, begin, 3), *range(place.end - 3, len(sealed), 41)}
    for at in sorted(spots - set(range(begin, sealed.index(b">>", begin)))):
        spoilt = bytearray(sealed)
        spoilt[at] ^= 1
        told = answers(bytes(spoilt))
        assert False in told.values() or None in told.values(), at
    assert answers(sealed + b"\n")[Question.WHOLE_DOCUMENT_COVERED] is False


def test_no_byte_of_what_was_claimed_and_signed_can_be_changed(seal, answers):
    sealed = seal(prepared())
    begin = sealed.index(b"/Contents<", signatures.room(prepared()).start) + len("/Contents<")
    end = begin + 2 * (4 + int(sealed[begin + 4 : begin + 8], 16))
    claims = sealed.index(b"a0", sealed.index(b"06092a864886f70d010903", begin) - 12)
    for at in range(claims, end, 23):
        other = b"%x" % (int(sealed[at : at + 1], 16) ^ 1)
        assert False in answers(sealed[:at] + other + sealed[at + 1 :]).values(), at


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils could not be installed")
def test_pdfsig_agrees(seal, tmp_path):
    (tmp_path / "good.pdf").write_bytes(seal(prepared()))
    told = subprocess.run(["pdfsig", tmp_path / "good.pdf"], capture_output=True, text=True, check=False).stdout
    for line in ("Signature is Valid.", "Total document signed", "ETSI.CAdES.detached", "SHA-256", "Signature #1"):
        assert line in told, told
    assert "Signature #2" not in told


DECOY = prepared()[len(b"%PDF-1.7\n") :]


@pytest.mark.parametrize(
    "changes",
    [
        {6: stream(DECOY)},
        {6: stream(FORM + b"null" + b" " * ROOM)},
        {6: stream(b"trailer\n<</Size 8/Root 6 0 R>>\nstartxref\n9\n%%EOF\n")},
        {7: b"<</Title(/AcroForm<</Fields[4 0 R]/SigFlags 3>>/Perms<</DocMDP 6 0 R>>)>>"},
        {7: b"<</Title(5 0 obj\nnull        \nendobj\n)>>"},
        {8: b"null".ljust(ROOM)},
    ],
)
def test_what_only_looks_like_room_is_left_alone(seal, answers, changes):
    document = prepared(changes)
    place = signatures.room(document)
    assert document[place.start - 8 : place.start] == b"5 0 obj\n"
    sealed = seal(document)
    assert set(answers(sealed).values()) == {True}
    assert sealed[: place.start] == document[: place.start]
    assert sealed[place.end :] == document[place.end :]


@pytest.mark.parametrize(
    "changes",
    [
        {1: OBJECTS[1].replace(b">>>>", b">>/Lang(" + FORM + b")>>")},
        {1: OBJECTS[1].replace(b"/Pages 2 0 R", b"/Pages 2 0 R/Perms<<>>")},
        {1: OBJECTS[1].replace(b"[4 0 R]", b"[4 0 R 4 0 R]")},
        {1: OBJECTS[1].replace(b"DocMDP 5", b"DocMDP 9")},
        {1: OBJECTS[1].replace(b"DocMDP 5", b"DocMDP 0")},
        {1: OBJECTS[1].replace(b"DocMDP 5", b"DocMDP 6")},
        {1: OBJECTS[1].replace(b"Fields[4", b"Fields[3")},
        {1: OBJECTS[1].replace(b"/Perms<</DocMDP 5 0 R>>", b"")},
        {1: OBJECTS[1] + b"\nendobj\n8 0 obj\nnull"},
        {4: OBJECTS[4].replace(b"/V 5", b"/V 6")},
        {4: OBJECTS[4].replace(b"/V 5 0 R", b"/V 5 0 R/V 5 0 R")},
        {5: b"<</Type/Sig>>".ljust(ROOM)},
        {5: b"null".ljust(ROOM) + b"1"},
        {5: b"null".ljust(900)},
    ],
)
def test_room_that_can_be_read_in_two_ways_is_refused(seal, changes):
    with pytest.raises(SealRefused):
        seal(prepared(changes))


@pytest.mark.parametrize(
    "document",
    [
        prepared(end=b"\n"),
        prepared(middle=b"% nobody's\n"),
        prepared().replace(b"xref\n0 8", b"xref\n0 9", 1),
        prepared().replace(b"00000 n \n", b"00001 n \n", 1),
        prepared().replace(b"%PDF-1.7", b"%PDF-1.4", 1),
        prepared()[1:],
        prepared({1: b"<</Type/Catalog/Pages 2 0 R>>"}),
        b"",
        b"trailer\n",
    ],
)
def test_another_kind_of_document_has_no_room(document):
    assert signatures.room(document) is None


def test_a_document_that_is_sealed_is_not_sealed_again(seal):
    with pytest.raises(SealRefused):
        seal(seal(prepared()))


@dataclass
class Broken:
    """A seal whose module signs something else."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: object

    def sign(self, data: bytes) -> bytes:
        return jose.raw(self.key.sign(data + b"!", jose.ES256))


def test_a_module_that_signs_something_else_makes_no_seal(authority):
    sealer = authority.sealer("market")
    broken = Broken(sealer.certificate, sealer.chain, sealer.key)
    with pytest.raises(SealRefused, match="verify"):
        certificates.seal_document(prepared(), broken, reason="颁发证照", now=NOW)
