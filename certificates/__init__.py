"""The strong-house (证照保险库): electronic licences now, digital certificates beside them.

Signed statements about someone that a stranger can check. This is the one front door: everything public is
named here, the other modules are inner rooms. It knows nobody: no web framework, no engine, no office.
"""

from certificates.authority import Authority, open_authority
from certificates.authority import create as create_authority
from certificates.canonical import dump as canonical_json
from certificates.checks import Check, Outcome, Question
from certificates.copies import FILE as COPY_FILE
from certificates.copies import Annotation, DraftCopy
from certificates.copies import cancel as cancel_copy
from certificates.copies import draft as draft_copy
from certificates.copies import keep as keep_copy
from certificates.copies import of_licence as copies_of
from certificates.countersigns import Sm2Sealer, countersign, countersigned
from certificates.credentials import Terms, compose_sd_jwt, compose_vc
from certificates.credentials import kind as credential_kind
from certificates.errors import (
    AuthorityUnusable,
    CertificateError,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    ChallengeStale,
    ChallengeUnknown,
    CheckpointInvalid,
    IdentifierInvalid,
    IdentityRefused,
    IllegalAct,
    IssuerUntrusted,
    KeyUnsuitable,
    LicenceUnknown,
    NaiveInstant,
    NotCanonical,
    NotLogged,
    NumberPatternInvalid,
    NumbersExhausted,
    OriginForeign,
    ReasonMissing,
    RevocationUnknown,
    SealRefused,
    SignatureWrong,
    TimestampUnavailable,
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
    expire,
    expired,
    intend,
    intend_succession,
    issue,
    lapsed,
    lawful,
    perform,
    seal,
    succeed,
)
from certificates.log.acts import KIND as LOGGED_ACT
from certificates.log.acts import prove as prove_sealed
from certificates.log.acts import record as record_act
from certificates.log.audits import Finding, Trouble, audit, audit_public
from certificates.log.checkpoints import Checkpoint, LogKey, LogSigner
from certificates.log.checkpoints import make_key as make_log_key
from certificates.log.checkpoints import open_key as open_log_key
from certificates.log.checkpoints import open_signer as open_log_signer
from certificates.log.checkpoints import read as read_checkpoint
from certificates.log.ledgers import Inclusion, Record
from certificates.log.ledgers import append as append_to_log
from certificates.log.ledgers import consistency as log_consistency
from certificates.log.ledgers import head as log_head
from certificates.log.ledgers import holds as log_proof_holds
from certificates.log.ledgers import inclusion as log_inclusion
from certificates.log.ledgers import paths as log_paths
from certificates.log.ledgers import plain as plain_record
from certificates.log.ledgers import prove as prove_logged
from certificates.log.ledgers import public_file as log_file
from certificates.log.ledgers import tile_path as log_tile_path
from certificates.log.tables import LogEntry, LogHead, LogTile
from certificates.log.trees import grew as log_grew
from certificates.log.trees import includes as log_includes
from certificates.modules import ModuleSealer
from certificates.offline.codes import compose as compose_code
from certificates.offline.kits import Kit as OfflineKit
from certificates.offline.kits import pack as pack_kit
from certificates.offline.presentations import Demand, verify_presentation
from certificates.offline.statuses import publish as publish_statuses
from certificates.offline.verification import CODE_FILE, DATA_FILE
from certificates.offline.verification import verify_code as verify_code_offline
from certificates.offline.verification import verify_file as verify_file_offline
from certificates.parties import Holder, Issuer
from certificates.proofs import Proof, read_proof
from certificates.records import (
    acts,
    find_by_holder,
    find_by_number,
    find_by_source,
    find_by_token,
    versions,
)
from certificates.renditions import any_due as rendition_due
from certificates.renditions import claim as claim_rendition
from certificates.renditions import drawn, extend_document, seal_document
from certificates.renditions import examine as examine_document
from certificates.renditions import get as get_rendition
from certificates.renditions import keep as keep_rendition
from certificates.renditions import keep_extended as keep_extended_rendition
from certificates.seals import Sealer, SoftSealer, Timestamper
from certificates.statements import METADATA_NAMES, sealed_json
from certificates.tables import Act, Base, Copy, Instant, Licence, LicenceAct, State, StatusListing
from certificates.trust import Trust
from certificates.verification import (
    LogView,
    PublicLicence,
    Verification,
    verify_as_operator,
    verify_document,
    verify_number,
    verify_token,
)

__all__ = [
    "CHALLENGE_LASTS",
    "CODE_FILE",
    "COPY_FILE",
    "DATA_FILE",
    "LOGGED_ACT",
    "METADATA_NAMES",
    "Act",
    "Anchor",
    "Annotation",
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
    "Checkpoint",
    "CheckpointInvalid",
    "Copy",
    "Demand",
    "Draft",
    "DraftCopy",
    "Finding",
    "Holder",
    "Identifier",
    "IdentifierInvalid",
    "IdentityAuthority",
    "IdentityRefused",
    "IllegalAct",
    "Inclusion",
    "Instant",
    "Issuer",
    "IssuerUntrusted",
    "KeyUnsuitable",
    "Licence",
    "LicenceAct",
    "LicenceType",
    "LicenceUnknown",
    "LogEntry",
    "LogHead",
    "LogKey",
    "LogSigner",
    "LogTile",
    "LogView",
    "ModuleSealer",
    "NaiveInstant",
    "NotCanonical",
    "NotLogged",
    "NumberPatternInvalid",
    "NumbersExhausted",
    "OfflineKit",
    "OriginForeign",
    "Outcome",
    "Proof",
    "PublicLicence",
    "Question",
    "ReasonMissing",
    "Record",
    "RevocationUnknown",
    "SealRefused",
    "Sealer",
    "SignatureWrong",
    "Sm2Sealer",
    "SoftSealer",
    "State",
    "StatusListing",
    "Subject",
    "Succession",
    "Terms",
    "TimestampUnavailable",
    "Timestamper",
    "TokenMalformed",
    "Trouble",
    "Trust",
    "UsageWrong",
    "Verification",
    "acts",
    "append_to_log",
    "audit",
    "audit_public",
    "cancel_copy",
    "canonical_json",
    "challenge_fingerprint",
    "claim_rendition",
    "compose_code",
    "compose_sd_jwt",
    "compose_vc",
    "copies_of",
    "countersign",
    "countersigned",
    "create_authority",
    "create_identity_authority",
    "credential_kind",
    "draft_copy",
    "drawn",
    "examine_document",
    "expire",
    "expired",
    "extend_document",
    "find_by_holder",
    "find_by_number",
    "find_by_source",
    "find_by_token",
    "get_rendition",
    "identify",
    "intend",
    "intend_succession",
    "issue",
    "keep_copy",
    "keep_extended_rendition",
    "keep_rendition",
    "lapsed",
    "lawful",
    "load_anchors",
    "log_consistency",
    "log_file",
    "log_grew",
    "log_head",
    "log_includes",
    "log_inclusion",
    "log_paths",
    "log_proof_holds",
    "log_tile_path",
    "make_challenge",
    "make_log_key",
    "open_authority",
    "open_identity_authority",
    "open_log_key",
    "open_log_signer",
    "pack_kit",
    "perform",
    "plain_record",
    "prove_logged",
    "prove_sealed",
    "publish_statuses",
    "read_certificate",
    "read_checkpoint",
    "read_proof",
    "recognise_subject",
    "record_act",
    "rendition_due",
    "require_origin",
    "require_timely",
    "seal",
    "seal_document",
    "sealed_json",
    "succeed",
    "verify_as_operator",
    "verify_code_offline",
    "verify_document",
    "verify_file_offline",
    "verify_number",
    "verify_presentation",
    "verify_token",
    "versions",
    "write_private",
]
