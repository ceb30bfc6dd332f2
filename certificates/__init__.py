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
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    ChallengeStale,
    ChallengeUnknown,
    IdentifierInvalid,
    IdentityRefused,
    IllegalAct,
    IssuerUntrusted,
    KeyUnsuitable,
    LicenceUnknown,
    NaiveInstant,
    NotCanonical,
    NumberPatternInvalid,
    NumbersExhausted,
    OriginForeign,
    ReasonMissing,
    RevocationUnknown,
    SealRefused,
    SignatureWrong,
    TokenMalformed,
    UsageWrong,
)
from certificates.files import write as write_private
from certificates.identifiers import Identifier
from certificates.identity.anchors import Anchor
from certificates.identity.anchors import load as load_anchors
from certificates.identity.authorities import IdentityAuthority
from certificates.identity.authorities import create as create_identity_authority
from certificates.identity.authorities import open_ as open_identity_authority
from certificates.identity.challenges import LASTS as CHALLENGE_LASTS
from certificates.identity.challenges import fingerprint as challenge_fingerprint
from certificates.identity.challenges import make as make_challenge
from certificates.identity.challenges import require_origin, require_timely
from certificates.identity.subjects import Subject, identify
from certificates.identity.subjects import read as read_certificate
from certificates.identity.subjects import recognise as recognise_subject
from certificates.licences import (
    Draft,
    LicenceType,
    Succession,
    acts,
    expire,
    expired,
    find_by_holder,
    find_by_number,
    find_by_source,
    find_by_token,
    intend,
    intend_succession,
    issue,
    lapsed,
    lawful,
    perform,
    seal,
    succeed,
    versions,
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
    "CHALLENGE_LASTS",
    "METADATA_NAMES",
    "Act",
    "Anchor",
    "Authority",
    "AuthorityUnusable",
    "Base",
    "CertificateError",
    "CertificateExpired",
    "CertificateNotYetValid",
    "CertificateRevoked",
    "ChallengeStale",
    "ChallengeUnknown",
    "Check",
    "Draft",
    "Holder",
    "Identifier",
    "IdentifierInvalid",
    "IdentityAuthority",
    "IdentityRefused",
    "IllegalAct",
    "Instant",
    "Issuer",
    "IssuerUntrusted",
    "KeyUnsuitable",
    "Licence",
    "LicenceAct",
    "LicenceType",
    "LicenceUnknown",
    "NaiveInstant",
    "NotCanonical",
    "NumberPatternInvalid",
    "NumbersExhausted",
    "OriginForeign",
    "Outcome",
    "PublicLicence",
    "Question",
    "ReasonMissing",
    "RevocationUnknown",
    "SealRefused",
    "Sealer",
    "SignatureWrong",
    "SoftSealer",
    "State",
    "Subject",
    "Succession",
    "TokenMalformed",
    "Trust",
    "UsageWrong",
    "Verification",
    "acts",
    "challenge_fingerprint",
    "create_authority",
    "create_identity_authority",
    "expire",
    "expired",
    "find_by_holder",
    "find_by_number",
    "find_by_source",
    "find_by_token",
    "get_rendition",
    "identify",
    "intend",
    "intend_succession",
    "issue",
    "keep_rendition",
    "lapsed",
    "lawful",
    "load_anchors",
    "make_challenge",
    "open_authority",
    "open_identity_authority",
    "perform",
    "read_certificate",
    "recognise_subject",
    "require_origin",
    "require_timely",
    "seal",
    "seal_document",
    "sealed_json",
    "succeed",
    "verify_as_operator",
    "verify_document",
    "verify_number",
    "verify_token",
    "versions",
    "write_private",
]
