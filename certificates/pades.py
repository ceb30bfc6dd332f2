"""PAdES B-B (ETSI EN 319 142-1, 版式文件签章): setting a department's seal under a PDF, and examining a stranger's.

Imported when a PDF is sealed or examined: pyHanko takes most of a second that a start-up need not wait for.
"""

import asyncio
from datetime import datetime
from io import BytesIO

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError, find_unique_cms_attribute
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates import archival, jose, seals
from certificates.checks import Check, Question, unasked
from certificates.errors import SealRefused
from certificates.seals import Sealer
from certificates.trust import Trust

_SUBFILTER = "/ETSI.CAdES.detached"
_FIELD = "Seal"
_DER_LENGTH = 72
_SEAL_QUESTIONS = (
    Question.SEALED_ONCE,
    Question.SEAL_INTACT,
    Question.WHOLE_DOCUMENT_COVERED,
    Question.CHANGES_FORBIDDEN,
    Question.CHAIN_TO_ROOT,
    Question.SEAL_NOT_REVOKED,
)


def seal_document(pdf: bytes, sealer: Sealer, reason: str, now: datetime) -> bytes:
    """Seal a PDF (版式文件签章): one PAdES B-B signature that forbids every later change (DocMDP P=1), P-256.

    `now` is the signing time that the signature claims. Raises SealRefused for what is no PDF, is encrypted
    or signed already.
    """
    try:
        return asyncio.run(_seal_document(pdf, sealer, reason, now))
    except (PdfError, SigningError, ValueError) as error:
        raise SealRefused(why=f"this PDF cannot be sealed: {error}") from error


def examine(pdf: bytes, trust: Trust, now: datetime) -> list[Check]:
    """Ask an unknown PDF about its seal (版式文件验章), strictly; whatever goes wrong is a no, never raised.

    Profile: exactly one signature, ETSI.CAdES.detached, with signing-certificate-v2, over the entire file or over
    all but long-term validation data (`archival.py`), forbidding changes, by a certificate that holds under the
    pinned root: now, or when an authority that we pinned put the time under it.
    """
    try:
        signatures = PdfFileReader(BytesIO(pdf), strict=True).embedded_signatures
        if not signatures:
            return [Check(Question.SEALED, False), *unasked(_SEAL_QUESTIONS, "there is no seal")]
        later = archival.examine(pdf, signatures[0], signatures[1:], trust)
        return _questions(signatures, trust, later, later.stamped_at or now)
    except Exception as error:  # noqa: BLE001 -- whatever a forged file makes a parser say, the answer is no
        sealed = _SUBFILTER.encode() in pdf
        broken = Check(Question.SEAL_INTACT if sealed else Question.READABLE, False, f"{type(error).__name__}: {error}")
        others = [question for question in _SEAL_QUESTIONS if question is not broken.question]
        return [broken, *unasked(others, "the file cannot be read")]


def inside(pdf: bytes) -> tuple[str, dict[str, bytes]]:
    """Read whose seal a PDF has (印章主体) and the files inside it by name (附件), as our own drawing puts them there.

    Raises whatever pyHanko does, KeyError, ValueError and IndexError for what was made otherwise.
    """
    reader = PdfFileReader(BytesIO(pdf), strict=True)
    signer = x509.load_der_x509_certificate(reader.embedded_signatures[0].signer_cert.dump())
    listed = list(reader.root["/Names"]["/EmbeddedFiles"]["/Names"])
    files = zip(listed[::2], listed[1::2], strict=True)
    return seals.owner(signer), {str(name): bytes(file.get_object()["/EF"]["/F"].data) for name, file in files}


def _questions(
    signatures: list[EmbeddedPdfSignature], trust: Trust, later: archival.Later, at: datetime
) -> list[Check]:
    signature = signatures[0]
    find_unique_cms_attribute(signature.signer_info["signed_attrs"], "signing_certificate_v2")
    context = ValidationContext(
        trust_roots=[_asn1(trust.root)],
        crls=[trust.crl.public_bytes(Encoding.DER)],
        revocation_mode="require",
        moment=at,
        retroactive_revinfo=True,  # what the pinned list says of an earlier instant holds for it
        allow_fetching=False,
    )
    status = validate_pdf_signature(signature, context, diff_policy=archival.POLICY)
    chain, not_revoked = trust.examine(x509.load_der_x509_certificate(signature.signer_cert.dump()), at)
    distrusted = status.intact and status.valid and not status.trusted  # of a broken seal pyHanko asks no more
    pades = signature.sig_object.get("/SubFilter") == _SUBFILTER
    seals_set = sum(one.sig_object_type != "/DocTimeStamp" for one in signatures)
    return [
        Check(Question.SEALED, pades),
        Check(Question.SEALED_ONCE, seals_set == 1, str(seals_set)),
        Check(Question.SEAL_INTACT, status.intact and status.valid),
        Check(
            Question.WHOLE_DOCUMENT_COVERED,
            later.lawful and bool(status.docmdp_ok),
            str(status.coverage and status.coverage.name),
        ),
        Check(
            Question.CHANGES_FORBIDDEN,
            signature.docmdp_level == fields.MDPPerm.NO_CHANGES and bool(status.docmdp_ok),
        ),
        Check(Question.CHAIN_TO_ROOT, bool(chain.holds) and not distrusted, chain.detail),
        Check(Question.SEAL_NOT_REVOKED, bool(not_revoked.holds) and not status.revoked),
    ]


async def _seal_document(pdf: bytes, sealer: Sealer, reason: str, now: datetime) -> bytes:
    settings = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        reason=reason,
        certify=True,
        subfilter=fields.SigSeedSubFilter.PADES,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    signing = signers.PdfSigner(settings, _CmsSigner(sealer)).init_signing_session(
        IncrementalPdfFileWriter(BytesIO(pdf), strict=True)
    )
    signing.system_time = now  # pyHanko would read the wall clock
    room = await signing.estimate_signature_container_size(None)
    document = signing.prepare_tbs_document(None, room)
    output = BytesIO()
    digest, _ = document.digest_tbs_document(output=output)
    claims = PdfCMSSignedAttributes(signing_time=now)
    await document.perform_signature(digest.document_digest, claims)
    return output.getvalue()


class _CmsSigner(signers.Signer):
    """Lets pyHanko sign with any Sealer."""

    def __init__(self, sealer: Sealer) -> None:
        chain = SimpleCertificateStore.from_certs([_asn1(certificate) for certificate in sealer.chain])
        super().__init__(signing_cert=_asn1(sealer.certificate), cert_registry=chain, embed_roots=False)
        self._sealer = sealer

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002 -- pyHanko's signature
        return bytes(_DER_LENGTH) if dry_run else jose.der(self._sealer.sign(data))


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
