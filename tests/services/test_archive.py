"""The sealed PDF of a licence is made to be archived: PDF/A-3u with its data inside, and others read its seal too.

The rules are those of ISO 19005-3 that a drawing can break; conformance as such is not certified.
"""

import shutil
import subprocess
from dataclasses import replace
from io import BytesIO

import pikepdf
import pypdfium2
import pytest

import certificates
from approval import documents
from approval.domain.actors import VISITOR
from approval.services import licences
from certificates import Outcome, Question
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN
from tests.kit.timestamps import TimestampAuthority

# One red pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)


@pytest.fixture
def sealed(office):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.own_rendition(work, licences.mine(work)[0].number)


def faults(pdf):
    """Name every rule of PDF/A-3u that the file breaks."""
    with pikepdf.open(BytesIO(pdf)) as document:
        root = document.Root
        with document.open_metadata() as metadata:
            rules = {
                "the metadata does not say PDF/A-3u": metadata.pdfa_status == "3U",
                "no output intent": [intent.S for intent in root.OutputIntents] == ["/GTS_PDFA1"],
                "encrypted, or without an identifier": not document.is_encrypted and "/ID" in document.trailer,
                "something to run": not {"/JavaScript", "/Renditions"} & set(root.get("/Names", {}).keys())
                and "/OpenAction" not in root,
                "an attached file that is nobody's": all(
                    "/AFRelationship" in file.obj and file.obj in list(root.AF) and "/Subtype" in file.obj.EF.F
                    for file in document.attachments.values()
                ),
            }
        things = [thing for thing in document.objects if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream)]
        return [rule for rule, kept in rules.items() if not kept] + [fault for each in things for fault in wrong(each)]


def wrong(thing):
    kind, widget = thing.get("/Type"), thing.get("/Subtype") == "/Widget"
    rules = {
        "a smoothed picture": not thing.get("/Interpolate", False),
        "LZW": thing.get("/Filter") != "/LZWDecode",
        "an action": thing.get("/S") not in {"/JavaScript", "/Launch", "/Movie", "/Sound", "/ResetForm", "/ImportData"},
        "a font without its characters": kind != "/Font" or "/DescendantFonts" not in thing or "/ToUnicode" in thing,
        "a font that is not inside": kind != "/FontDescriptor"
        or {"/FontFile", "/FontFile2", "/FontFile3"} & set(thing),
        "an annotation that does not print": not (kind == "/Annot" or widget) or int(thing.get("/F", 0)) & 4,
        "a seal without a look": not widget or "/AP" in thing or not any(float(edge) for edge in thing.Rect),
    }
    return [rule for rule, kept in rules.items() if not kept]


def test_a_sealed_licence_keeps_the_rules_of_the_archive(sealed):
    assert list(faults(sealed)) == []


def test_a_licence_that_was_extended_keeps_them_too(office, sealed):
    tsa = TimestampAuthority(office.clock())
    trust = replace(office.trust, tsas=(tsa.certificate,))
    for stamp in (None, tsa.stamp):
        extended = certificates.extend_document(sealed, trust, stamp, now=office.clock())
        assert extended != sealed
        assert list(faults(extended)) == []


def test_a_licence_is_drawn_from_a_plate_and_sealed_in_its_only_revision(sealed):
    assert sealed.count(b"%%EOF") == 1
    with pikepdf.open(BytesIO(sealed)) as document:
        assert document.Root.AcroForm.Fields[0].V.objgen == document.Root.Perms.DocMDP.objgen


ROOM = "/AcroForm<</Fields[4 0 R]/SigFlags 3>>/Perms<</DocMDP 5 0 R>>"


@pytest.mark.parametrize(
    "page",
    [
        f'<html lang="zh){ROOM}("><p>{{{{ x }}}}</p>',
        f'<html lang="{ROOM}"><p>{{{{ x }}}}</p>',
        f"<title>{ROOM} {{{{ x }}}}</title><h1>{ROOM}</h1><p>{{{{ x }}}} {ROOM}</p>",
        "<title>5 0 obj\nnull          \nendobj\n</title><p>{{ x }} null      endobj trailer startxref %%EOF</p>",
        f'<meta name="author" content="{ROOM}"><meta name="keywords" content=")>>endobj"><p>{{{{ x }}}}</p>',
        "<p>{{ x }}</p><!-- /Type/Sig/ByteRange[0 1 2 3]/Contents<00> -->",
    ],
)
def test_no_template_moves_the_seal_or_makes_another(office, page):
    """Whatever a page says, its document is sealed once and as a whole, or not at all."""
    attached = {f"a){ROOM}.json": ROOM * 9, "trailer.txt": "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n9\n%%EOF\n"}
    sealer = office.authority.sealer("SCJ")
    for text in ("甲", f"乙 {ROOM}", "丙 5 0 obj null endobj"):
        drawn = documents.render(page, {"x": text}, attached=attached)
        with office.work(by=VISITOR, read_only=True) as work:
            try:
                sealed = certificates.seal_document(drawn, sealer, reason="颁发证照", now=work.now)
            except certificates.SealRefused:
                assert ROOM in page.partition("<p>")[0]
                continue
            checks = certificates.verify_document(
                work.session, sealed, trust=office.trust, now=work.now, today=work.today, limit=10**8
            ).checks
        asked = {check.question: check.holds for check in checks}
        for question in ("SEALED", "SEALED_ONCE", "SEAL_INTACT", "WHOLE_DOCUMENT_COVERED", "CHANGES_FORBIDDEN"):
            assert asked[Question[question]] is True, question
        with pikepdf.open(BytesIO(sealed)) as document:
            assert set(document.attachments) == set(attached)
            assert len(document.Root.AcroForm.Fields) == 1


def test_the_rules_are_looked_at():
    drawn = documents.render(f'<p>证照</p><img src="{PIXEL}">', {})
    assert list(faults(drawn)) == []
    with pikepdf.open(BytesIO(drawn)) as document:
        for thing in document.objects:
            if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == "/Image":
                thing.Interpolate = True
            if isinstance(thing, pikepdf.Dictionary):
                for name in {"/FontFile2", "/FontFile3"} & set(thing):
                    del thing[name]
        del document.Root.OutputIntents[0]
        out = BytesIO()
        document.save(out)
    assert set(faults(out.getvalue())) >= {"a smoothed picture", "a font that is not inside", "no output intent"}


def test_the_data_inside_is_the_sealed_licence_and_verifies_by_itself(office, sealed):
    with pikepdf.open(BytesIO(sealed)) as document:
        data = document.attachments[certificates.DATA_FILE].get_file().read_bytes()
        assert document.attachments[certificates.DATA_FILE].obj.AFRelationship == "/Data"
    with office.work(by=VISITOR, read_only=True) as work:
        verification = licences.verify(work, document=data)
        assert verification.outcome is Outcome.VALID
        number = verification.licence.number
        assert data == certificates.sealed_json(certificates.find_by_number(work.session, number))
    text = pypdfium2.PdfDocument(sealed)[0].get_textpage().get_text_bounded()
    for said in ("食 品 经 营 许 可 证", "经营者名称 陈示例", number):
        assert said in text


def test_a_stranger_to_the_store_still_finds_the_seal_whole(office, sealed):
    with office.work(by=VISITOR, read_only=True) as work:
        work.session.connection()
        checks = certificates.verify_document(
            work.session, sealed + b"\n", trust=office.trust, now=work.now, today=work.today, limit=10**8
        ).checks
    asked = {check.question: check.holds for check in checks}
    assert asked[Question.WHOLE_DOCUMENT_COVERED] is False, "one byte more is one byte too many"


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils could not be installed")
def test_pdfsig_agrees(office, sealed, tmp_path):
    (tmp_path / "good.pdf").write_bytes(sealed)
    told = subprocess.run(["pdfsig", tmp_path / "good.pdf"], capture_output=True, text=True, check=False).stdout
    for line in ("Signature is Valid.", "Total document signed", "ETSI.CAdES.detached", "SHA-256"):
        assert line in told, told
    spoilt = sealed.replace(b"/Type", b"/Tyqe", 1)
    (tmp_path / "bad.pdf").write_bytes(spoilt)
    told = subprocess.run(["pdfsig", tmp_path / "bad.pdf"], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." not in told
