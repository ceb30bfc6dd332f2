"""The strong-house (证照保险库): electronic licences now, digital certificates beside them.

Signed statements about someone that a stranger can check. This is the one front door: everything public is
named here, the other modules are inner rooms. It knows nobody: no web framework, no engine, no office.
"""

from certificates.authority import Authority, open_authority
from certificates.authority import create as create_authority
from certificates.checks import Check, Outcome, Question
from certificates.errors import (
    AuthorityUnusable,
    CertificateError,
    IdentifierInvalid,
    IllegalAct,
    LicenceUnknown,
    NaiveInstant,
    NotCanonical,
    NumberPatternInvalid,
    NumbersExhausted,
    ReasonMissing,
    SealRefused,
)
from certificates.identifiers import Identifier
from certificates.licences import (
    Draft,
    LicenceType,
    acts,
    find_by_holder,
    find_by_number,
    find_by_source,
    find_by_token,
    intend,
    issue,
    revoke,
    seal,
)
from certificates.parties import Holder, Issuer
from certificates.renditions import get as get_rendition
from certificates.renditions import keep as keep_rendition
from certificates.renditions import seal_document
from certificates.seals import Sealer, SoftSealer
from certificates.statements import METADATA_NAMES, sealed_json
from certificates.tables import Act, Base, Instant, Licence, LicenceAct, State
from certificates.trust import Trust
from certificates.verification import (
    PublicLicence,
    Verification,
    verify_as_operator,
    verify_document,
    verify_number,
    verify_token,
)

__all__ = [
    "METADATA_NAMES",
    "Act",
    "Authority",
    "AuthorityUnusable",
    "Base",
    "CertificateError",
    "Check",
    "Draft",
    "Holder",
    "Identifier",
    "IdentifierInvalid",
    "IllegalAct",
    "Instant",
    "Issuer",
    "Licence",
    "LicenceAct",
    "LicenceType",
    "LicenceUnknown",
    "NaiveInstant",
    "NotCanonical",
    "NumberPatternInvalid",
    "NumbersExhausted",
    "Outcome",
    "PublicLicence",
    "Question",
    "ReasonMissing",
    "SealRefused",
    "Sealer",
    "SoftSealer",
    "State",
    "Trust",
    "Verification",
    "acts",
    "create_authority",
    "find_by_holder",
    "find_by_number",
    "find_by_source",
    "find_by_token",
    "get_rendition",
    "intend",
    "issue",
    "keep_rendition",
    "open_authority",
    "revoke",
    "seal",
    "seal_document",
    "sealed_json",
    "verify_as_operator",
    "verify_document",
    "verify_number",
    "verify_token",
]
