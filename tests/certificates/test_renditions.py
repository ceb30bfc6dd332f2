from io import BytesIO

import pikepdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy.orm import Session

import certificates
from certificates import SealRefused
from tests.certificates.samples import NOW


def test_a_sealed_pdf_is_pades_with_one_certifying_signature(sealed: bytes):
    (signature,) = PdfFileReader(BytesIO(sealed)).embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.docmdp_level.name == "NO_CHANGES"
    assert signature.self_reported_timestamp == NOW
    kinds = {attribute["type"].native for attribute in signature.signer_info["signed_attrs"]}
    assert kinds == {"content_type", "message_digest", "signing_certificate_v2"}


def test_what_cannot_be_sealed_is_refused(pdf: bytes, sealed: bytes, authority: certificates.Authority):
    with pikepdf.open(BytesIO(pdf)) as document:
        locked = BytesIO()
        document.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    for wrong in (b"", b"hello", pdf[:100], sealed, locked.getvalue()):
        with pytest.raises(SealRefused):
            certificates.seal_document(wrong, authority.sealer("market"), reason="颁发证照", now=NOW)


def test_a_rendition_is_kept_once(session: Session, issue, sealed: bytes):
    licence = issue()
    assert certificates.get_rendition(session, licence.id) is None
    assert certificates.keep_rendition(session, licence.id, sealed, NOW) is True
    assert certificates.keep_rendition(session, licence.id, b"another", NOW) is False
    session.commit()
    assert certificates.get_rendition(session, licence.id) == sealed


def test_a_rendition_that_was_rolled_back_can_be_kept_again(session: Session, issue, sealed: bytes):
    licence = issue()
    session.commit()
    certificates.keep_rendition(session, licence.id, sealed, NOW)
    session.rollback()
    assert certificates.keep_rendition(session, licence.id, sealed, NOW) is True
