"""Long-term validation (ETSI EN 319 142-1, 长期验证): what is added to a sealed PDF later, and what may have been.

One incremental update holds the certificates and the revocation list that the seal is checked with (DSS, B-LT) and,
where there is a timestamping authority, a document timestamp over all of it (B-T). The seal forbids changes (DocMDP
P=1); ISO 32000-2 does not count these as changes, and nothing else is let through.

Imported when a PDF is extended or examined, as `pades.py` is.
"""

import asyncio
import re
from datetime import datetime
from io import BytesIO
from typing import Final, NamedTuple

from asn1crypto import crl, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DSSCompareRule,
    FormUpdatingRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
    validate_pdf_timestamp,
)
from pyhanko_certvalidator import ValidationContext

from certificates.errors import CertificateError, SealRefused
from certificates.seals import Timestamper
from certificates.trust import Trust

_FIELD: Final = "Timestamp"
# Room for a token and its certificates, in hexadecimal digits: asking how much is needed would cost a token.
_TOKEN_ROOM: Final = 2 * 8192
_OBJECT: Final = re.compile(rb"(?<!\d)\d+\s+\d+\s+obj\b")
_ENDED: Final = re.compile(rb"startxref\s+\d+\s+%%EOF\s?\Z")
# All that the field of a timestamp says; actions, for one, could stand here as well.
_FIELD_KEYS: Final = {"/Type", "/Subtype", "/FT", "/T", "/TU", "/V", "/F", "/Rect", "/P"}

# pyHanko's own policy also passes new metadata, new document information and objects that nothing refers to.
POLICY: Final = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(ignored_keys=frozenset({"/AcroForm", "/DSS", "/Extensions"})),
        XrefStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES),
    ],
    form_rule=FormUpdatingRule(
        [SigFieldCreationRule(), SigFieldModificationRule()], ignored_acroform_keys=frozenset({"/Fields"})
    ),
    ignore_orphaned_objects=False,
    ignore_identical_objects=False,
)


class Later(NamedTuple):
    """What came after a seal (签章后更新): whether all of it may, and since when the whole demonstrably existed."""

    lawful: bool
    stamped_at: datetime | None = None


def extend(pdf: bytes, trust: Trust, stamp: Timestamper | None) -> bytes:
    """Add what a seal is checked with in later years (追加长期验证信息): PAdES B-LT, with `stamp` B-T as well.

    What is there stays byte for byte, the update is appended. Raises SealRefused for a PDF that has no seal of ours
    or was extended before and for a token that does not hold, and whatever `stamp` raises.
    """
    try:
        return asyncio.run(_extend(pdf, trust, stamp))
    except CertificateError:
        raise
    except Exception as error:  # whatever a foreign file or a foreign token makes a parser say
        raise SealRefused(why=f"this PDF cannot be extended: {type(error).__name__}: {error}") from error


def examine(pdf: bytes, seal: EmbeddedPdfSignature, later: list[EmbeddedPdfSignature], trust: Trust) -> Later:
    """Judge what came after a seal (查验签章后更新), beside what POLICY says of it; raises what pyHanko raises.

    Lawful is nothing at all, or only long-term validation: document timestamps of authorities that we pinned, each
    intact, and no object that the file's own tables do not account for.
    """
    coverage = seal.evaluate_signature_coverage()
    if coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return Later(not later)
    if coverage is not SignatureCoverageLevel.ENTIRE_REVISION or not _accounted(pdf, seal):
        return Later(False)
    if len(seal.reader.root["/AcroForm"]["/Fields"]) != 1 + len(later):  # one more waits to be signed
        return Later(False)
    instants = [_stamped_at(stamp, trust) for stamp in later]
    known = [at for at in instants if at is not None]
    return Later(len(known) == len(instants), min(known, default=None))


async def _extend(pdf: bytes, trust: Trust, stamp: Timestamper | None) -> bytes:
    writer = _Appending(BytesIO(pdf), strict=True)
    (seal,) = PdfFileReader(BytesIO(pdf), strict=True).embedded_signatures
    pinned = [trust.root, *(trust.tsas if stamp else ())]
    held = [seal.signer_cert, *seal.other_embedded_certs, *map(_asn1, pinned)]
    listed = crl.CertificateList.load(trust.crl.public_bytes(Encoding.DER))
    DocumentSecurityStore.supply_dss_in_writer(writer, None, certs=held, crls=[listed])
    output = BytesIO()
    if stamp is None:
        writer.write(output)
    else:
        stamper = PdfTimeStamper(_Asking(stamp), field_name=_FIELD)
        await stamper.async_timestamp_pdf(writer, "sha256", bytes_reserved=_TOKEN_ROOM, output=output)
    return output.getvalue()


def _accounted(pdf: bytes, seal: EmbeddedPdfSignature) -> bool:
    """Whether the tables after the seal list every object that is written there, and the file ends with the last.

    An object that no table lists, or a table that another hides, is shown by readers that repair what they read.
    """
    xrefs, (_, _, resumed, rest) = seal.reader.xrefs, seal.byte_range
    sealed = resumed + rest
    revisions = range(seal.signed_revision + 1, xrefs.total_revisions)
    tables = {at: xrefs.explicit_refs_in_revision(at) for at in revisions}
    listed = {xrefs.get_historical_ref(ref, at) for at, refs in tables.items() for ref in refs}
    written = {found.start() for found in _OBJECT.finditer(pdf, sealed)}
    ended = pdf.count(b"startxref", sealed) == len(revisions) > 0 and _ENDED.search(pdf, sealed) is not None
    return listed == written and all(tables.values()) and ended


def _stamped_at(stamp: EmbeddedPdfSignature, trust: Trust) -> datetime | None:
    if stamp.sig_object_type != "/DocTimeStamp" or not set(stamp.sig_field) <= _FIELD_KEYS:
        return None
    at: datetime = stamp.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
    # The authority's own certificate is pinned: it is withdrawn by taking it out, its term counts where it stamped.
    context = ValidationContext(
        trust_roots=[_asn1(one) for one in trust.tsas], moment=at, revocation_mode="soft-fail", allow_fetching=False
    )
    status = validate_pdf_timestamp(stamp, context, skip_diff=True)
    whole = status.coverage in {SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION}
    return at if whole and status.intact and status.valid and status.trusted else None


class _Appending(IncrementalPdfFileWriter):
    """Appends what it is told to, and no more."""

    def _update_meta(self) -> None:
        """Leave the metadata alone: pyHanko would write its own name and the clock on the wall into it."""


class _Asking(TimeStamper):
    """Lets pyHanko ask any Timestamper."""

    def __init__(self, ask: Timestamper) -> None:
        super().__init__()
        self._ask = ask

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._ask(req.dump()), strict=True)


def _asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
