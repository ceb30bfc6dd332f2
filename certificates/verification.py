"""Verification (证照查验): asks every question, raises nothing for a bad licence, and shows strangers little.

The store is authoritative. A PDF or JSON alone is never valid: it is looked up, and what is not found is
examined only to say what it is instead. Read-only; the caller limits the rate.
"""

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import canonical, copies, licences, records, renditions, seals, statements
from certificates.checks import Check, Outcome, Question, conclude, unasked
from certificates.copies import Annotation
from certificates.errors import CertificateError
from certificates.log import acts
from certificates.log.acts import Told
from certificates.log.checkpoints import LogKey
from certificates.parties import Holder
from certificates.tables import Act, Copy, Licence, LicenceAct, State
from certificates.trust import Trust

# The same for everybody: guessed numbers and forged files must not learn what exists.
_UNKNOWN = Check(Question.KNOWN_HERE, False)
_SHOWABLE = {Outcome.VALID, Outcome.EXPIRED, Outcome.NOT_YET_VALID} | {
    Outcome.REVOKED,
    Outcome.RESCINDED,
    Outcome.CANCELLED,
    Outcome.SUPERSEDED,
    Outcome.SUSPENDED,
    Outcome.COPY_ENDED,
}
_STANDING = (
    (Question.NOT_REVOKED, State.REVOKED, Act.REVOKE),
    (Question.NOT_RESCINDED, State.RESCINDED, Act.RESCIND),
    (Question.NOT_CANCELLED, State.CANCELLED, Act.CANCEL),
    (Question.NOT_SUSPENDED, State.SUSPENDED, Act.SUSPEND),
)
_SEAL_QUESTIONS = (
    Question.SEAL_INTACT,
    Question.SEALED_BY_ENTITLED_DEPARTMENT,
    Question.CHAIN_TO_ROOT,
    Question.SEAL_NOT_REVOKED,
)


@dataclass(frozen=True)
class LogView:
    """How a verifier reads the public log (日志视角): the pinned key, and since when a sealing may still be missing."""

    key: LogKey
    since: datetime


@dataclass(frozen=True)
class PublicLicence:
    """What a stranger may see of a licence (公开信息): the holder masked, and the fields that are public."""

    type_name: str
    number: str
    identifier: str
    issuer_name: str
    holder: Holder
    issued_on: date
    valid_from: date
    valid_until: date | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class Verification:
    """All answers and the bottom line (查验结果); `licence` only when the store's record itself is sound.

    `copy` is what a copy is for (加注内容), if it is one.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    licence: PublicLicence | None = None
    copy: Annotation | None = None

    @property
    def holds(self) -> bool:
        """Whether the licence is genuine and in force (有效)."""
        return self.outcome is Outcome.VALID

    def data(self) -> dict[str, Any]:
        """Say it as JSON values (查验结果数据): days as ISO 8601, `licence` null where nothing may be shown."""
        licence = self.licence and {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self.licence).items()
        }
        checks = [{**asdict(check), "at": check.at and check.at.isoformat()} for check in self.checks]
        copy = self.copy and {**asdict(self.copy), "until": self.copy.until.isoformat()}
        return {"outcome": self.outcome, "holds": self.holds, "checks": checks, "licence": licence, "copy": copy}

    @property
    def failures(self) -> tuple[Check, ...]:
        """The questions that were not answered yes (未通过项)."""
        return tuple(check for check in self.checks if not check.holds)


def verify_token(
    session: Session, token: str, *, trust: Trust, today: date, log: LogView | None = None
) -> Verification:
    """Verify by the token of the QR code (扫码查验), of a licence or of a copy for a purpose (加注件).

    `today` is the legal day; without `log` the log is not asked.
    """
    view = _View(trust, today, log)
    if not token.isprintable():
        return _conclude([_UNKNOWN])
    if (known := acts.told(session, Licence.token == records.tidy(token))) is not None:
        return _answered(session, known, view)
    copy = copies.find(session, token)
    return _of_copy(session, copy, view) if copy else _conclude([_UNKNOWN])


def verify_number(
    session: Session, number: str, check_code: str, *, trust: Trust, today: date, log: LogView | None = None
) -> Verification:
    """Verify by number and printed check code (编号查验); a wrong code and an unknown number answer alike.

    Each version has a code of its own, so that an old print is told from the licence that counts.
    """
    given = records.tidy(check_code).encode(errors="replace")
    # All are compared, as many as there are: which one it was does not show in the time it takes.
    codes = [(hmac.compare_digest(given, one.check_code.encode()), one) for one in records.versions(session, number)]
    return _look_up(session, next((one for same, one in codes if same), None), _View(trust, today, log))


def verify_as_operator(
    session: Session, number: str, *, trust: Trust, today: date, log: LogView | None = None
) -> Verification:
    """Verify by number alone (后台查验): numbers are guessable: for the operator's command line only."""
    return _look_up(session, records.find_by_number(session, number), _View(trust, today, log))


def verify_document(
    session: Session,
    upload: bytes,
    *,
    trust: Trust,
    now: datetime,
    today: date,
    limit: int,
    log: LogView | None = None,
    examine: Callable[[bytes, Trust, datetime], list[Check]] = renditions.examine,
) -> Verification:
    """Verify an uploaded PDF or sealed JSON (文件查验): first whether it is the very one that was issued.

    `limit` is in bytes; `now` (aware) and `today` (legal day) are the same moment. `examine` takes a PDF apart that is
    none of ours: whoever serves strangers lets a child process do it.
    """
    if len(upload) > limit:
        return _conclude([Check(Question.READABLE, False, f"> {limit} B")])
    view = _View(trust, today, log)
    if upload.startswith(renditions.MAGIC):
        known = _of_pdf(session, upload, view)
        return known or _conclude([_UNKNOWN, *examine(upload, trust, now)])
    try:
        said, seal = statements.open_sealed_json(upload)
        statement = canonical.dump(said)
    except (CertificateError, ValueError) as error:
        return _conclude([Check(Question.READABLE, False, str(error))])
    licence = session.scalar(select(Licence).where(Licence.identifier == str(said.get("identifier"))))
    if licence and (licence.statement.encode(), licence.seal) == (statement, seal):
        return _look_up(session, licence, view, _matches(statement))
    return _conclude([_UNKNOWN, *seals.examine(seal, statement, str(said.get("issuer_code")), trust)])


class _View(NamedTuple):
    """What a verifier goes by: whom to trust, the legal day, the public log."""

    trust: Trust
    today: date
    log: LogView | None


def _of_pdf(session: Session, upload: bytes, view: _View) -> Verification | None:
    if licence := renditions.licence_of(session, upload):
        return _look_up(session, licence, view, _matches(upload))
    if copy := copies.find_by_pdf(session, upload):
        return _of_copy(session, copy, view, _matches(upload))
    return None


def _of_copy(session: Session, copy: Copy, view: _View, *found: Check) -> Verification:
    counts = copy.cancelled_at is None and view.today <= copy.until
    check = Check(Question.COPY_COUNTS, counts, copy.cancelled_why or copy.until.isoformat())
    licence = session.get_one(Licence, copy.licence_id)
    verification = _look_up(session, licence, view, *found, check)
    return replace(verification, copy=Annotation(copy.purpose, copy.recipient, copy.until))


def _matches(found: bytes) -> Check:
    return Check(Question.MATCHES_STORE, True, canonical.sha256(found))


def _look_up(session: Session, licence: Licence | None, view: _View, *found: Check) -> Verification:
    known = licence and acts.told(session, Licence.id == licence.id)
    return _answered(session, known, view, *found) if known else _conclude([_UNKNOWN])


def _answered(session: Session, known: Told, view: _View, *found: Check) -> Verification:
    licence = known.licence
    checks = [
        Check(Question.KNOWN_HERE, True, licence.identifier),
        *found,
        _record_unaltered(licence),
        *_seal(licence, view.trust),
        *_logged(session, known, view.log),
        *_standing(licence, known.done),
        Check(Question.BEGUN, licence.valid_from <= view.today, licence.valid_from.isoformat()),
        Check(
            Question.NOT_EXPIRED,
            licence.state is not State.EXPIRED and not licences.expired(licence, view.today),
            licence.valid_until.isoformat() if licence.valid_until else "",
        ),
    ]
    return _conclude(checks, licence)


def _record_unaltered(licence: Licence) -> Check:
    try:
        composed = statements.compose(licence).decode()
    except CertificateError as error:
        return Check(Question.RECORD_UNALTERED, False, str(error))
    return Check(Question.RECORD_UNALTERED, composed == licence.statement, canonical.sha256(licence.statement.encode()))


def _seal(licence: Licence, trust: Trust) -> list[Check]:
    if licence.seal is None:
        return [Check(Question.SEALED, False), *unasked(_SEAL_QUESTIONS, "there is no seal")]
    checks = seals.examine(licence.seal, licence.statement.encode(), licence.issuer_uscc, trust)
    return [Check(Question.SEALED, licence.state is not State.INTENDED), *checks]


def _logged(session: Session, known: Told, log: LogView | None) -> Iterator[Check]:
    if log is None or known.licence.sealed_at is None:
        return
    logged = acts.holds(session, known, log.key)
    # What was sealed just now may be missing still; anything older should be there.
    if logged is not None or known.licence.sealed_at < log.since:
        yield Check(Question.IN_PUBLIC_LOG, logged, "" if logged is not None else "not in the log")


def _standing(licence: Licence, history: Sequence[LicenceAct]) -> Iterator[Check]:
    # The acts are asked as well as the state, so that nobody undoes a revocation by changing one column.
    done = {act.act: act for act in history}
    if Act.SUSPEND in done and Act.RESUME in done and done[Act.SUSPEND].id < done[Act.RESUME].id:
        del done[Act.SUSPEND]
    taken = next((act for act in done.values() if act.act in licences.SUCCESSIONS), None)
    yield _told(Question.NOT_SUPERSEDED, taken, holds=licence.state is not State.SUPERSEDED)
    for question, state, act in _STANDING:
        yield _told(question, done.get(act), holds=licence.state is not state)


def _told(question: Question, act: LicenceAct | None, *, holds: bool) -> Check:
    if act is None:
        return Check(question, holds)
    return Check(question, False, f"{act.reason} ({act.basis})", act.at)


def _conclude(checks: list[Check], licence: Licence | None = None) -> Verification:
    outcome = conclude(checks)
    shown = _shown(licence) if licence and outcome in _SHOWABLE else None
    return Verification(outcome, tuple(checks), shown)


def _shown(licence: Licence) -> PublicLicence:
    return PublicLicence(
        type_name=licence.type_name,
        number=licence.number,
        identifier=licence.identifier,
        issuer_name=licence.issuer_name,
        holder=licence.holder.masked(),
        issued_on=licence.issued_on,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        fields={name: licence.fields[name] for name in licence.public_fields if name in licence.fields},
    )
