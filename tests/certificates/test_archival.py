"""What may follow a seal: long-term validation data and nothing else, whatever a forger puts beside them."""

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.validation import DocumentSecurityStore
from sqlalchemy.orm import Session

import certificates
from certificates import Authority, AuthorityUnusable, Outcome, Question, SealRefused, TimestampUnavailable
from certificates.archival import _Appending, extend
from certificates.certification import Party, list_revoked
from certificates.pades import _CmsSigner, examine
from certificates.trust import Trust
from tests.certificates.samples import LIMIT, NOW, TODAY
from tests.kit.timestamps import TimestampAuthority

YEARS = timedelta(days=11 * 365)


@pytest.fixture(scope="module")
def tsa() -> TimestampAuthority:
    return TimestampAuthority(NOW)


@pytest.fixture
def trust(authority: Authority, tsa: TimestampAuthority) -> Trust:
    return replace(authority.trust, tsas=(tsa.certificate,))


@pytest.fixture
def stamped(sealed: bytes, trust: Trust, tsa: TimestampAuthority) -> bytes:
    return certificates.extend_document(sealed, trust, tsa.stamp, now=NOW)


def denied(pdf: bytes, trust: Trust, at=NOW) -> set[Question]:
    return {check.question for check in examine(pdf, trust, at) if not check.holds}


def test_what_was_sealed_stays_byte_for_byte_and_holds_with_and_without_a_timestamp(sealed, stamped, trust):
    plain = certificates.extend_document(sealed, trust, None, now=NOW)
    for extended in (plain, stamped):
        assert extended.startswith(sealed)
        assert len(extended) > len(sealed)
        assert denied(extended, trust) == set()


def test_it_holds_what_the_seal_is_checked_with(sealed, stamped, trust, tsa, authority):
    with pikepdf.open(BytesIO(stamped)) as document:
        held = {bytes(one.read_bytes()) for one in document.Root.DSS.Certs}
        (listed,) = [bytes(one.read_bytes()) for one in document.Root.DSS.CRLs]
    wanted = (authority.root, authority.sealer("market").certificate, tsa.certificate)
    assert held == {one.public_bytes(Encoding.DER) for one in wanted}
    assert x509.load_der_x509_crl(listed) == authority.trust.crl
    _seal, stamp = PdfFileReader(BytesIO(stamped)).embedded_signatures
    assert stamp.sig_object["/SubFilter"] == "/ETSI.RFC3161"
    assert stamp.evaluate_signature_coverage().name == "ENTIRE_FILE", "the data are stamped as well"


def test_metadata_and_whatever_else_was_drawn_are_left_alone(sealed, stamped):
    with pikepdf.open(BytesIO(sealed)) as before, pikepdf.open(BytesIO(stamped)) as after:
        assert set(after.Root.keys()) - set(before.Root.keys()) == {"/DSS"}
        assert after.Root.get("/Metadata", None) == before.Root.get("/Metadata", None)
        assert after.pages[0].Contents.read_bytes() == before.pages[0].Contents.read_bytes()


def test_with_a_timestamp_the_seal_outlives_its_certificate(sealed, stamped, trust):
    plain = certificates.extend_document(sealed, trust, None, now=NOW)
    assert denied(plain, trust, NOW + YEARS) == {Question.CHAIN_TO_ROOT}
    assert denied(stamped, trust, NOW + YEARS) == set()


@pytest.mark.parametrize(("days", "genuine"), [(-1, False), (1, True)])
def test_a_timestamp_tells_a_seal_set_before_it_was_withdrawn_from_one_set_after(
    stamped, trust, authority, days, genuine
):
    entry = x509.RevokedCertificateBuilder().serial_number(authority.sealer("market").certificate.serial_number)
    withdrawn = entry.revocation_date(NOW + timedelta(days=days)).build()
    root = Party(authority.root.subject, authority.root_key)
    crl = list_revoked(root, 2, [withdrawn], NOW + timedelta(days=2), NOW + timedelta(days=30))
    found = denied(stamped, replace(trust, crl=crl), NOW + timedelta(days=3))
    assert found == set() if genuine else Question.SEAL_NOT_REVOKED in found


def test_a_timestamp_of_an_authority_that_was_not_pinned_is_refused(stamped, authority):
    other = TimestampAuthority(NOW)
    for tsas in ((), (other.certificate,)):
        assert Question.WHOLE_DOCUMENT_COVERED in denied(stamped, replace(authority.trust, tsas=tsas))


def test_an_earlier_authority_counts_where_it_stamped(stamped, trust, tsa):
    assert denied(stamped, replace(trust, tsas=(TimestampAuthority(NOW).certificate, tsa.certificate))) == set()


def test_nothing_is_handed_out_that_does_not_hold(sealed, stamped, trust, tsa, authority):
    def away(_query):
        raise TimestampUnavailable(url="nowhere")

    for wrong, stamp, refusal in (
        (sealed, TimestampAuthority(NOW).stamp, SealRefused),
        (sealed, TimestampAuthority(NOW - timedelta(days=4000)).stamp, SealRefused),
        (sealed, lambda _query: tsa.stamp(tsa.asked[0]), SealRefused),
        (sealed, lambda _query: b"no reply", SealRefused),
        (sealed, away, TimestampUnavailable),
        (b"%PDF-quick", tsa.stamp, SealRefused),
        (stamped, tsa.stamp, SealRefused),
        (sealed.replace(b"food", b"fool"), tsa.stamp, SealRefused),
    ):
        with pytest.raises(refusal):
            certificates.extend_document(wrong, trust, stamp, now=NOW)
    with pytest.raises(AuthorityUnusable):
        certificates.extend_document(sealed, authority.trust, tsa.stamp, now=NOW)


# What a forger puts into the same update as honest validation data.


def content(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT (liquor licence) Tj ET"))
    writer.update_container(page)


def same_content_object(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    old = page.raw_get("/Contents")
    writer.objects[(old.generation, old.idnum)] = generic.StreamObject(stream_data=b"BT (liquor licence) Tj ET")


def annotation(writer):
    page = writer.root["/Pages"]["/Kids"][0]
    note = {"/Type": "/Annot", "/Subtype": "/Square"}
    note = {generic.pdf_name(key): generic.pdf_name(value) for key, value in note.items()}
    note[generic.pdf_name("/Rect")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 500, 800)))
    ref = writer.add_object(generic.DictionaryObject(note))
    page["/Annots"] = generic.ArrayObject([*page.get("/Annots", ()), ref])
    writer.update_container(page)


def form(writer):
    form = writer.root["/AcroForm"]
    form["/NeedAppearances"] = generic.BooleanObject(True)
    writer.update_container(form)


def catalog(writer):
    writer.root["/OpenAction"] = generic.DictionaryObject({generic.pdf_name("/S"): generic.pdf_name("/Print")})
    writer.update_root()


def second_catalog(writer):
    other = generic.DictionaryObject({key: writer.root.raw_get(key) for key in writer.root})
    other[generic.pdf_name("/Lang")] = generic.pdf_string("en")
    writer._root_object = writer.add_object(other)
    writer.trailer["/Root"] = writer._root_object


def metadata(writer):
    writer.root["/Metadata"] = writer.add_object(generic.StreamObject(stream_data=b"<x:xmpmeta/>"))
    writer.update_root()


def attachment(writer):
    writer.root["/Names"] = generic.DictionaryObject()
    writer.update_root()


def orphan(writer):
    writer.add_object(generic.StreamObject(stream_data=b"a page that waits"))


def waiting_field(writer):
    fields.append_signature_field(writer, fields.SigFieldSpec("Another"))


def stray_in_the_store(writer):
    writer.root["/DSS"][generic.pdf_name("/Page")] = generic.pdf_name("/Hidden")
    writer.update_root()


ADDED = [
    content, same_content_object, annotation, form, catalog, second_catalog, metadata, attachment, orphan,
    waiting_field, stray_in_the_store,
]  # fmt: skip


@pytest.mark.parametrize("adds", ADDED, ids=lambda adds: adds.__name__)
@pytest.mark.parametrize("base", ["sealed", "stamped"])
def test_validation_data_hide_nothing_else(request, adds, base, trust, authority):
    pdf = request.getfixturevalue(base)
    forged = updated(pdf, authority, adds)
    assert forged.startswith(pdf)
    assert denied(forged, trust) & {Question.WHOLE_DOCUMENT_COVERED, Question.CHANGES_FORBIDDEN}
    assert denied(updated(pdf, authority, lambda _writer: None), trust) == set(), "or this test could not fail"


def updated(pdf, authority, adds):
    writer = _Appending(BytesIO(pdf), strict=True)
    held = [certificates.archival._asn1(authority.sealer("fire").certificate)]
    DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=held)
    adds(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def test_pyhankos_own_rules_would_let_some_of_it_through(sealed, trust, authority, monkeypatch):
    monkeypatch.setattr(certificates.archival, "POLICY", DEFAULT_DIFF_POLICY)
    assert denied(updated(sealed, authority, orphan), trust) == set()


def section(pdf, objects, listed=True):
    """Append objects and a table by hand; `listed=False` lists none of them."""
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    size = int(re.findall(rb"/Size (\d+)", pdf)[-1])
    root = re.findall(rb"/Root (\d+ \d+ R)", pdf)[-1].decode()
    out, entries = pdf, ""
    for number, body in objects:
        entries += f"{number} 1\n{len(out):010} 00000 n \n"
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = len(out)
    entries = entries if listed else ""
    return (
        out
        + (
            f"xref\n0 1\n0000000000 65535 f \n{entries}trailer\n<</Size {size} /Root {root} /Prev {previous}>>\n"
            f"startxref\n{table}\n%%EOF\n"
        ).encode()
    )


def test_no_object_hides_from_the_tables(sealed, stamped, trust):
    with pikepdf.open(BytesIO(sealed)) as document:
        page, _generation = document.pages[0].obj.objgen
    shown = "<</Type /Page /MediaBox [0 0 1 1]>>"
    for pdf in (sealed, stamped):
        for name, forged in {
            "a page shown instead": section(pdf, [(page, shown)]),
            "the same in no table": section(pdf, [(page, shown)], listed=False),
            "behind an empty table": section(section(pdf, [(page, shown)]), [], listed=False),
            "at the end": pdf + f"{page} 0 obj\n{shown}\nendobj\n".encode(),
            "an empty table": section(pdf, []),
            "a blank line": pdf + b"\n",
            "another end": pdf + b"startxref\n0\n%%EOF\n",
        }.items():
            assert denied(forged, trust), name


def test_the_field_of_a_timestamp_does_nothing(sealed, trust, tsa, monkeypatch):
    whole = fields.SignatureFormField.__init__

    def acting(self, *given, **named):
        whole(self, *given, **named)
        script = {"/S": generic.pdf_name("/JavaScript"), "/JS": generic.pdf_string("app.alert(1)")}
        action = generic.DictionaryObject({generic.pdf_name(key): value for key, value in script.items()})
        self[generic.pdf_name("/AA")] = generic.DictionaryObject({generic.pdf_name("/E"): action})

    monkeypatch.setattr(fields.SignatureFormField, "__init__", acting)
    forged = extend(sealed, trust, tsa.stamp)
    assert b"/JavaScript" in forged
    assert denied(forged, trust) == {Question.WHOLE_DOCUMENT_COVERED}


def test_the_timestamp_is_over_the_very_file(sealed, stamped, trust):
    spoilt = bytearray(stamped)
    spoilt[stamped.index(b"/DSS", len(sealed)) + 1] ^= 1
    assert denied(bytes(spoilt), trust)


def test_a_second_seal_is_refused(sealed, authority, trust, monkeypatch):
    monkeypatch.setattr(PdfSigner, "_enforce_certification_constraints", lambda *_: None)
    settings = PdfSignatureMetadata(field_name="Other", md_algorithm="sha256")
    writer, twice = IncrementalPdfFileWriter(BytesIO(sealed), strict=True), BytesIO()
    PdfSigner(settings, _CmsSigner(authority.sealer("fire"))).sign_pdf(writer, output=twice)
    assert denied(twice.getvalue(), trust) >= {Question.SEALED_ONCE, Question.WHOLE_DOCUMENT_COVERED}


def test_both_files_are_found_and_the_newest_is_handed_out(session: Session, issue, sealed, stamped, trust):
    licence = issue()
    later = NOW + timedelta(hours=1)
    assert not certificates.rendition_due(session, later)
    certificates.keep_rendition(session, licence.id, sealed, NOW)
    assert certificates.claim_rendition(session, NOW, later) == (licence.id, sealed)
    assert certificates.claim_rendition(session, NOW, later) is None, "it is in somebody's hands"
    assert certificates.claim_rendition(session, later, later + YEARS) == (licence.id, sealed), "who did not come back"
    with pytest.raises(SealRefused):
        certificates.keep_extended_rendition(session, licence.id, sealed[1:] + b"x", NOW)
    assert certificates.keep_extended_rendition(session, licence.id, stamped, later) is True
    assert certificates.keep_extended_rendition(session, licence.id, stamped + b"x", later) is False
    session.commit()
    assert certificates.get_rendition(session, licence.id) == stamped
    assert not certificates.rendition_due(session, NOW + YEARS + YEARS)
    for held, outcome in ((sealed, Outcome.VALID), (stamped, Outcome.VALID), (stamped[:-1], Outcome.TAMPERED)):
        asked = certificates.verify_document(session, held, trust=trust, now=NOW, today=TODAY, limit=LIMIT)
        assert asked.outcome is outcome


def test_an_offline_kit_says_whose_timestamps_count(session: Session, trust, authority):
    kit = certificates.OfflineKit.read(certificates.pack_kit(session, trust))
    assert kit.trust.tsas == trust.tsas
    assert b"tsas" not in certificates.pack_kit(session, authority.trust)
    assert certificates.OfflineKit.read(certificates.pack_kit(session, authority.trust)).trust.tsas == ()


def test_the_folder_of_the_authority_pins_whose_timestamps_count(tmp_path, authority, tsa):
    made = certificates.create_authority(tmp_path / "authority", [], NOW)
    assert made.trust.tsas == ()
    (tmp_path / "authority" / "tsa.pem").write_bytes(TimestampAuthority(NOW).pem + tsa.pem)
    assert certificates.open_authority(tmp_path / "authority").trust.tsas[1] == tsa.certificate
    (tmp_path / "authority" / "tsa.pem").write_text("none")
    with pytest.raises(AuthorityUnusable):
        Trust.load(tmp_path / "authority")
