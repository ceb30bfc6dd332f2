"""The questions of a verification (查验项) and what the answers add up to; words live with the caller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

# By so much the clock of whoever signed something a moment ago may be ahead of ours.
SKEW = timedelta(minutes=1)


class Question(StrEnum):
    """What a verification asks (查验项); the values are stable codes."""

    READABLE = "readable"
    """The upload is a PDF or a sealed JSON, not too large, not broken."""
    KNOWN_HERE = "known_here"
    """The store holds this licence."""
    MATCHES_STORE = "matches_store"
    """The upload is, byte for byte or value for value, what was issued; if not, it is not known here."""
    RECORD_UNALTERED = "record_unaltered"
    """The store's columns say what the sealed statement says."""
    AGREES = "agrees"
    """The file, the data inside it and its code speak of the same licence, and one department sealed all three."""
    DISCLOSED_AS_SIGNED = "disclosed_as_signed"
    """Everything that a wallet discloses was signed for, and each thing once."""
    SHOWN_BY_HOLDER = "shown_by_holder"
    """The wallet that shows it is the one it was issued to."""
    SEALED = "sealed"
    """There is a seal."""
    SEALED_ONCE = "sealed_once"
    """There is no other signature beside the one PAdES seal; timestamps are none."""
    SEAL_INTACT = "seal_intact"
    """The seal is over exactly these bytes."""
    WHOLE_DOCUMENT_COVERED = "whole_document_covered"
    """Nothing was appended after the seal but what long-term validation needs."""
    CHANGES_FORBIDDEN = "changes_forbidden"
    """The seal allows no later change (DocMDP P=1), and none was made."""
    SEALED_BY_ENTITLED_DEPARTMENT = "sealed_by_entitled_department"
    """The seal belongs to the department that issues the licence."""
    CHAIN_TO_ROOT = "chain_to_root"
    """The seal's certificate comes from the pinned root and held when the seal was set."""
    SEAL_NOT_REVOKED = "seal_not_revoked"
    """The seal was not withdrawn before it was set."""
    IN_PUBLIC_LOG = "in_public_log"
    """The public log says of the sealing what the store says."""
    STATUS_CURRENT = "status_current"
    """A status list of the issuer that still holds was asked."""
    NOT_REVOKED = "not_revoked"
    """The licence was not revoked."""
    NOT_RESCINDED = "not_rescinded"
    """The licence was not rescinded."""
    NOT_CANCELLED = "not_cancelled"
    """The licence was not cancelled."""
    NOT_SUPERSEDED = "not_superseded"
    """No newer version of the licence has taken its place."""
    NOT_SUSPENDED = "not_suspended"
    """The licence is not withheld for a time."""
    COPY_COUNTS = "copy_counts"
    """The copy was not cancelled, and the last day of its use has not passed."""
    BEGUN = "begun"
    """The first day of validity has come."""
    NOT_EXPIRED = "not_expired"
    """The last day of validity has not passed."""


class Outcome(StrEnum):
    """The bottom line (查验结论)."""

    VALID = "valid"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    TAMPERED = "tampered"
    UNKNOWN = "unknown"
    UNSEALED = "unsealed"
    REVOKED = "revoked"
    RESCINDED = "rescinded"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    SUSPENDED = "suspended"
    COPY_ENDED = "copy_ended"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True)
class Check:
    """One question and its answer (查验结果): yes, no, or None when it could not be asked, never a yes.

    `detail` is a fact in no language (a day, a hash, a limit), a quoted reason, or why it could not be asked; `at` is
    when what it tells of happened.
    """

    question: Question
    holds: bool | None
    detail: str = ""
    at: datetime | None = None


# The gravest no is told: first what the thing is, then whose, then whether it is whole, then where it stands.
_VERDICTS = (
    (Outcome.UNREADABLE, {Question.READABLE}),
    (
        Outcome.FOREIGN,
        {Question.CHAIN_TO_ROOT, Question.SEAL_NOT_REVOKED, Question.SEALED_BY_ENTITLED_DEPARTMENT},
    ),
    (
        Outcome.TAMPERED,
        {
            Question.SEAL_INTACT,
            Question.RECORD_UNALTERED,
            Question.IN_PUBLIC_LOG,
            Question.MATCHES_STORE,
            Question.AGREES,
            Question.DISCLOSED_AS_SIGNED,
            Question.SHOWN_BY_HOLDER,
            Question.SEALED_ONCE,
            Question.WHOLE_DOCUMENT_COVERED,
            Question.CHANGES_FORBIDDEN,
        },
    ),
    (Outcome.UNKNOWN, {Question.KNOWN_HERE}),
    (Outcome.UNSEALED, {Question.SEALED}),
    (Outcome.REVOKED, {Question.NOT_REVOKED}),
    (Outcome.RESCINDED, {Question.NOT_RESCINDED}),
    (Outcome.CANCELLED, {Question.NOT_CANCELLED}),
    (Outcome.SUPERSEDED, {Question.NOT_SUPERSEDED}),
    (Outcome.SUSPENDED, {Question.NOT_SUSPENDED}),
    (Outcome.EXPIRED, {Question.NOT_EXPIRED}),
    (Outcome.COPY_ENDED, {Question.COPY_COUNTS}),
    (Outcome.NOT_YET_VALID, {Question.BEGUN}),
)


def conclude(checks: Sequence[Check]) -> Outcome:
    """Draw the bottom line (结论): valid when every answer is yes, else the gravest no.

    An open question is never a yes: with no plain no, the outcome is unverifiable.
    """
    denied = {check.question for check in checks if check.holds is False}
    for outcome, questions in _VERDICTS:
        if denied & questions:
            return outcome
    return Outcome.VALID if checks and all(check.holds for check in checks) else Outcome.UNVERIFIABLE


def in_its_days(first: date, last: date | None, today: date) -> tuple[Check, Check]:
    """Ask whether a licence has begun and not expired (有效期查验) on a legal day; no last day is long-term."""
    begun = Check(Question.BEGUN, first <= today, first.isoformat())
    return begun, Check(Question.NOT_EXPIRED, last is None or today <= last, last.isoformat() if last else "")


def unasked(questions: Iterable[Question], why: str) -> list[Check]:
    """Leave questions open (未能查验), with the reason."""
    return [Check(question, None, why) for question in questions]
