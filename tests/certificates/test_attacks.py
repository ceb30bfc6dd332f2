"""The published attacks on sealed documents, a class each: whatever is done to a licence's PDF, it does not hold.

Judged without the store, where nothing but the seal speaks: USF (universal signature forgery), ISA (incremental
saving), SWA (signature wrapping), shadow attacks (hide, replace, hide and replace), forged authority, codes of others.
"""

import re
from io import BytesIO

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

import certificates
from certificates import Act, Outcome, Question
from tests.certificates.samples import FIRE, MARKET, NOW, TODAY, issue_in

_RANGE = re.compile(rb"/ByteRange \[[^\]]*\]")
_CONTENTS = re.compile(rb"/Contents <[0-9a-fA-F]+>")


@pytest.fixture
def licence(issue):
    return issue()


@pytest.fixture
def good(licence, drawn, code):
    """A licence's PDF as it was issued, which holds."""
    return drawn(json=certificates.sealed_json(licence), jwt=code(licence).encode())


@pytest.fixture
def judge(kit):
    return lambda file: certificates.verify_file_offline(file, kit(), today=TODAY, now=NOW)


def no(verification):
    return {check.question for check in verification.checks if check.holds is False}


def of_same_length(found, new):
    assert len(new) <= len(found[0])
    return new.ljust(len(found[0]))


def updated(file, change):
    writer = IncrementalPdfFileWriter(BytesIO(file), strict=False)
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def shown_otherwise(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT (another holder) Tj ET"))
    writer.update_container(page)


def one_more_annotation(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 200, 50)]),
            pdf_name("/Contents"): generic.TextStringObject("有效"),
        }
    )
    notes = page.get("/Annots", generic.ArrayObject())
    page["/Annots"] = generic.ArrayObject([*notes, writer.add_object(note)])
    writer.update_container(page)


def one_more_field(writer):
    form = writer.root["/AcroForm"]
    field = generic.DictionaryObject(
        {
            pdf_name("/FT"): pdf_name("/Tx"),
            pdf_name("/T"): generic.TextStringObject("x"),
            pdf_name("/V"): generic.TextStringObject("another value"),
        }
    )
    form["/Fields"] = generic.ArrayObject([*form["/Fields"], writer.add_object(field)])
    writer.update_container(form)


def certification_withdrawn(writer):
    del writer.root["/Perms"]
    writer.update_root()


def another_page(writer):
    pages = writer.root["/Pages"]
    first = pages["/Kids"][0].get_object()
    second = generic.DictionaryObject(
        {name: first[name] for name in ("/Type", "/MediaBox", "/Parent") if name in first}
    )
    pages["/Kids"] = generic.ArrayObject([*pages["/Kids"], writer.add_object(second)])
    pages["/Count"] = generic.NumberObject(2)
    writer.update_container(pages)


def test_the_pdf_holds_as_it_was_issued(good, judge):
    assert judge(good).outcome is Outcome.VALID


@pytest.mark.parametrize(
    "forged",
    [
        b"/ByteRange null",
        b"/ByteRange []",
        b"/ByteRange [0 0 0 0]",
        b"/ByteRange [0 -1 0 -1]",
        b"/ByteRange [0 9 9999999 9]",
        b"/ByteRange (0 1 2 3)",
        b"/XyteRange [0 1]",
    ],
)
def test_usf_a_seal_without_a_sound_range_seals_nothing(good, judge, forged):
    file = _RANGE.sub(lambda found: of_same_length(found, forged), good)
    assert file != good
    assert not judge(file).holds


@pytest.mark.parametrize(
    "forged", [b"/Contents <>", b"/Contents <00>", b"/Contents null", b"/Xontents <00>", b"/Contents ()"]
)
def test_usf_a_seal_without_a_signature_seals_nothing(good, judge, forged):
    file = _CONTENTS.sub(lambda found: of_same_length(found, forged), good, count=1)
    assert file != good
    assert not judge(file).holds


@pytest.mark.parametrize(
    "change", [shown_otherwise, one_more_annotation, one_more_field, certification_withdrawn, another_page]
)
def test_isa_nothing_is_saved_after_the_seal(good, judge, change):
    answer = judge(updated(good, change))
    assert not answer.holds
    assert no(answer) & {Question.WHOLE_DOCUMENT_COVERED, Question.CHANGES_FORBIDDEN, Question.SEAL_INTACT}


@pytest.mark.parametrize(
    "tail",
    [
        b"\n",
        b"\n%%EOF\n",
        b"\n4 0 obj\n<</Length 28>>stream\nBT (another holder) Tj ET\nendstream\nendobj\n",
        b"\nxref\n0 0\ntrailer\n<</Root 1 0 R/Size 5>>\nstartxref\n0\n%%EOF\n",
        b"\ntrailer\n<</Root 1 0 R>>\n%%EOF\n",
    ],
)
def test_isa_not_even_without_a_table(good, judge, tail):
    assert not judge(good + tail).holds


def test_isa_an_update_that_copies_the_seal_is_found(good, judge):
    """The signature dictionary is written once more in the update, so that the newest one looks untouched."""

    def copied(writer):
        shown_otherwise(writer)
        writer.update_container(writer.root["/AcroForm"]["/Fields"][0].get_object()["/V"].get_object())

    assert not judge(updated(good, copied)).holds


@pytest.mark.parametrize("gap", [0, 100])
def test_swa_what_is_wrapped_around_the_sealed_bytes_is_found(good, judge, gap):
    """The second sealed part is moved to the end, and other objects stand where it stood."""
    first, length, second, rest = map(int, re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", good).groups())
    assert first == 0
    evil = b"\n4 0 obj\n<</Length 28>>stream\nBT (another holder) Tj ET\nendstream\nendobj\n" + b" " * gap
    moved = second + len(evil)
    file = good[:second] + evil + good[second : second + rest]
    wrapped = _RANGE.sub(
        lambda found: of_same_length(found, b"/ByteRange [0 %d %d %d]" % (length, moved, rest)), file, count=1
    )
    answer = judge(wrapped)
    assert not answer.holds
    assert no(answer)


def sealed(pdf, authority, licence, code):
    with pikepdf.open(BytesIO(pdf)) as document:
        for name, data in (("json", certificates.sealed_json(licence)), ("jwt", code(licence).encode())):
            document.attachments[f"licence.{name}"] = pikepdf.AttachedFileSpec(document, data)
        out = BytesIO()
        document.save(out, compress_streams=False)
    return certificates.seal_document(out.getvalue(), authority.sealer("market"), reason="颁发证照", now=NOW)


@pytest.fixture
def shadowed(authority, licence, code):
    """A PDF that was prepared before it was sealed: what it will show later is in it already, hidden."""
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        below = document.make_stream(b"BT (what was hidden) Tj ET")
        above = document.make_stream(b"BT (what was approved) Tj ET")
        page.Contents = pikepdf.Array([below, above])
        document.Root.Hidden = document.make_stream(b"BT (what will be shown) Tj ET")
        out = BytesIO()
        document.save(out, compress_streams=False)
    return sealed(out.getvalue(), authority, licence, code)


def hide(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"] = page.raw_get("/Contents")[0]
    writer.update_container(page)


def replace(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Contents"] = writer.root.raw_get("/Hidden")
    writer.update_container(page)


def hide_and_replace(writer):
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    twin = generic.DictionaryObject({name: page.raw_get(name) for name in page})
    twin["/Contents"] = writer.root.raw_get("/Hidden")
    pages = writer.root["/Pages"]
    pages["/Kids"] = generic.ArrayObject([writer.add_object(twin)])
    writer.update_container(pages)


@pytest.mark.parametrize("change", [hide, replace, hide_and_replace])
def test_shadow_what_was_prepared_before_the_seal_is_not_brought_out_after_it(shadowed, judge, change):
    assert judge(shadowed).holds
    answer = judge(updated(shadowed, change))
    assert not answer.holds
    assert no(answer) & {Question.WHOLE_DOCUMENT_COVERED, Question.CHANGES_FORBIDDEN}


def test_shadow_an_update_behind_an_empty_table_is_found(shadowed, judge):
    """The update's own table is empty and points to the old one; the new object stands between, for lenient readers."""
    start = int(re.findall(rb"startxref\s+(\d+)", shadowed)[-1])
    at = len(shadowed)
    hidden = b"\n3 0 obj\n<</Type/Page/MediaBox[0 0 595 842]>>\nendobj\n"
    table = b"xref\n0 0\ntrailer\n<</Size 99/Prev %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (start, at + len(hidden))
    assert not judge(shadowed + hidden + table).holds


def test_a_second_seal_beside_the_first_is_found(good, authority, judge):
    with pytest.raises(certificates.SealRefused):
        certificates.seal_document(good, authority.sealer("market"), reason="x", now=NOW)


def test_an_authority_forged_with_the_same_names_seals_nothing(pdf, licence, code, judge):
    theirs = certificates.Authority.ephemeral([MARKET, FIRE], NOW)
    answer = judge(sealed(pdf, theirs, licence, code))
    assert answer.outcome is Outcome.FOREIGN


def test_the_file_of_a_revoked_licence_is_replayed_in_vain(session, good, licence, judge):
    certificates.perform(session, licence.number, Act.REVOKE, reason="r", basis="b", actor="o", now=NOW)
    assert judge(good).outcome is Outcome.REVOKED


def test_the_code_of_another_licence_shows_the_other_licence(session, authority, licence, code, kit):
    """A QR code glued onto a forged paper is good: it says whose it is, and that is not what the paper says."""
    other = issue_in(session, authority, source="case-2")
    answer = certificates.verify_code_offline(code(other), kit(), today=TODAY, now=NOW)
    assert answer.holds
    assert answer.licence.number == other.number != licence.number
