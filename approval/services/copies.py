"""Copies for a purpose (加注件): what a holder gives away instead of the licence itself, for one use and some days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import certificates
from approval import documents
from approval.domain import texts
from approval.domain.errors import AnswersInvalid, Missing, NotFound
from approval.models.cases import Case
from approval.office import Office, Work
from approval.services import journal, licences, renditions
from approval.services.renditions import Sheet
from certificates import Annotation, Copy, DraftCopy, IllegalAct

_LONGEST = 200
_LONGEST_USE = timedelta(days=366)
_NO_CODE = "——"


@dataclass(frozen=True)
class Prepared:
    """A copy that is about to be drawn (待制加注件), and what it takes to draw it."""

    number: str
    draft: DraftCopy
    sheet: Sheet


def prepare(work: Work, number: str, purpose: str, recipient: str, until: str) -> Prepared:
    """Prepare a copy of one's own licence (申请加注件) for a purpose, a recipient, and until a day (ISO 8601).

    Raises as `licences.own`, `AnswersInvalid` with everything that is missing, cannot be drawn or is out of range (a
    day that has passed, is more than a year away or after the licence's last), and the strong-house's `IllegalAct` for
    one not in force.
    """
    licence = licences.own(work, number)
    read, missing = texts.reasons(
        ("answers.purpose", "用途", purpose, _LONGEST), ("answers.recipient", "使用单位", recipient, _LONGEST)
    )
    told = {fault.where for fault in missing}
    for where, label, text in (("answers.purpose", "用途", purpose), ("answers.recipient", "使用单位", recipient)):
        if where not in told and documents.missing_glyphs([text]):
            missing.append(Missing(where, "no-such-glyph", label))
    day = _day(until)
    latest = min(licence.valid_until or date.max, work.today + _LONGEST_USE)
    if day is None or not work.today <= day <= latest:
        missing.append(Missing("answers.until", "out-of-range" if day else "required", "有效期至"))
    if missing or day is None:
        raise AnswersInvalid(missing=missing)
    note = Annotation(read[0], read[1], day)
    draft = certificates.draft_copy(licence, note, today=work.today, now=work.now, actor=work.actor.label)
    sheet = renditions.gather(work, licence, renditions.template(work, licence))
    address = f"{work.office.settings.origin}/verify/{draft.token}"
    # Neither the sealed data nor the check code, which would hold for whatever purpose, and after the copy's end.
    shown = {**sheet.values["licence"], "check_code": _NO_CODE}
    values = {**sheet.values, "licence": shown, "verify_url": address, "qr": address}
    attached = {certificates.COPY_FILE: draft.data()}
    return Prepared(number, draft, replace(sheet, values=values, attached=attached, mark=_mark(note)))


def make(office: Office, prepared: Prepared) -> bytes:
    """Draw and seal a copy (制作加注件), in no Work; raises `Unavailable`, and what the strong-house does."""
    return renditions.make(office, prepared.sheet)


def keep(work: Work, prepared: Prepared, pdf: bytes) -> Copy:
    """Keep a copy that was drawn (归存加注件), if the licence is still in force; the case's journal says for what.

    Raises `IllegalAct` for a licence that something befell meanwhile.
    """
    licence = licences.own(work, prepared.number)
    case = work.session.get_one(Case, licences.origin(licence), with_for_update=True)
    work.session.refresh(licence)
    if licence.id != prepared.draft.licence_id or licence.state is not certificates.State.VALID:
        raise IllegalAct(act="copy", number=licence.number, state=licence.state)
    copy = certificates.keep_copy(work.session, prepared.draft, pdf)
    journal.write(work, case, "licence:copied", number=licence.number, recipient=copy.recipient)
    return copy


def listed(work: Work, number: str) -> Sequence[Copy]:
    """List the copies of one's own licence (加注件清单), the newest first; raises as `licences.own`."""
    return certificates.copies_of(work.session, licences.own(work, number).number)


def obtain(work: Work, number: str, token: str) -> Copy:
    """Obtain a copy of one's own licence (取加注件); raises as `licences.own`, `NotFound`."""
    for copy in listed(work, number):
        if copy.token == token:
            return copy
    raise NotFound(copy=token)


def cancel(work: Work, number: str, token: str, reason: str) -> Copy:
    """End a copy before its day (注销加注件); whoever verifies it is told. Raises as `obtain`, `AnswersInvalid`."""
    copy = obtain(work, number, token)
    said = texts.reason(reason)
    return certificates.cancel_copy(work.session, copy.token, reason=said, now=work.now)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _mark(note: Annotation) -> str:
    return f"仅供{note.recipient}用于{note.purpose}，{note.until.isoformat()}前有效"
