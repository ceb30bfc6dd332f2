"""Drawing formal notices (制作文书): from the list of what waits, sealed as PDF, in no transaction.

What was issued is what counts; its PDF is made from that once, as often as it is tried.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

import certificates
from approval import documents
from approval.domain.errors import Unavailable
from approval.domain.notices import Kind
from approval.models.cases import Case
from approval.models.notices import FormalNotice
from approval.office import Office, Work
from approval.paths import WORKFLOWS
from approval.services import issuances, items, kinds
from certificates import CertificateError

REMEDIES: Final = frozenset({"review_body", "review_days", "review_until", "court", "suit_months", "suit_until"})
"""What a notice says of remedies in one sentence, not in the table of what it says."""
_REASON: Final = "制发文书"
_OF_DEPARTMENTS = WORKFLOWS / "_city" / "notices"
_AT_ONCE = 20
_MOST_TOLD = 100
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_LONGEST_WHY = 500


@dataclass(frozen=True)
class Sheet:
    """What it takes to draw a notice (制作内容), gathered before anything slow begins."""

    template: str
    values: dict[str, Any]
    department: str
    at: datetime


def waiting(work: Work) -> list[UUID]:
    """List some notices that are to be drawn now (待制作文书), the longest waiting first."""
    due = select(FormalNotice.id).where(FormalNotice.try_at <= work.now).order_by(FormalNotice.try_at)
    return list(work.session.scalars(due.limit(_AT_ONCE)))


def failed(work: Work) -> list[FormalNotice]:
    """List the notices that were tried too often and wait for a person (制作失败的文书), a hundred at most."""
    stuck = select(FormalNotice).where(FormalNotice.drawn_at.is_(None), FormalNotice.try_at.is_(None))
    return list(work.session.scalars(stuck.order_by(FormalNotice.issued_at).limit(_MOST_TOLD)))


def again(work: Work, formal_id: UUID) -> None:
    """Put a notice back on the list of what is to be drawn (重新制作); one that is drawn stays as it is."""
    formal = work.session.get(FormalNotice, formal_id, with_for_update=True)
    if formal is not None and formal.drawn_at is None:
        formal.attempts, formal.try_at = 0, work.now


def draw(office: Office, formal_id: UUID) -> bool:
    """Draw and seal one notice from the list (制作文书): look, make, keep; what fails is tried again later.

    Twice at once draws twice and keeps one.
    """
    with office.work(read_only=True) as work:
        sheet = gather(work, formal_id)
    if sheet is None:
        return False
    try:
        drawn = documents.render(sheet.template, sheet.values)
        sealer = office.authority.sealer(sheet.department)
        pdf = certificates.seal_document(drawn, sealer, reason=_REASON, now=sheet.at)
    except (Unavailable, CertificateError) as refused:
        why = f"{refused.code} {refused.facts}"[:_LONGEST_WHY]
        office.do(lambda work: _put_off(work, formal_id, why))
        return False
    return office.do(lambda work: _keep(work, formal_id, pdf))


def gather(work: Work, formal_id: UUID) -> Sheet | None:
    """Gather what it takes to draw a notice (准备制作); None for one that is drawn."""
    formal = work.session.get(FormalNotice, formal_id)
    if formal is None or formal.drawn_at is not None:
        return None
    kind, facts = kinds.catalogue()[formal.kind], issuances.facts_of(formal)
    address = f"{work.office.settings.origin}/verify/notices/{formal.token}"
    values = {
        "notice": {
            "number": formal.number,
            "title": kind.title.zh,
            "basis": kind.basis,
            "issued_on": formal.issued_at.astimezone(work.office.settings.tz).date().isoformat(),
        },
        "facts": facts,
        "said_facts": said(kind, facts),
        "verify_url": address,
        "qr": address,
        "sample": work.office.settings.authority == "demo",
    }
    form = template(work, formal.case, formal.kind, formal.department_code)
    return Sheet(form, values, formal.department_code, work.now)


def template(work: Work, case: Case, kind: str, department: str) -> str:
    """Take the template that counts for a notice (文书模板): its pack's own, its department's, or the one shipped."""
    if own := items.pack_of(work, case).files.get(f"{kinds.OVERRIDES}{kind}.html"):
        return kinds.framed(own.decode())
    theirs = _OF_DEPARTMENTS / department / f"{kind}.html"
    shipped = kinds.FOLDER / kind / "template.html"
    return kinds.framed((theirs if theirs.is_file() else shipped).read_text(encoding="utf-8"))


def said(kind: Kind, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Set out what a notice says, fact by fact with its label (文书要素), as templates and pages show it."""
    return [
        {
            "name": fact.name,
            "label": fact.label.zh,
            "label_en": fact.label.en,
            "type": fact.type,
            "each": {column: words.zh for column, words in fact.each.items()},
            "remedy": fact.name in REMEDIES,
            "value": facts[fact.name],
        }
        for fact in kind.facts
        if facts.get(fact.name) not in (None, "", [])
    ]


def _put_off(work: Work, formal_id: UUID, why: str) -> None:
    formal = work.session.get_one(FormalNotice, formal_id, with_for_update=True)
    if formal.drawn_at is not None:
        return
    formal.attempts, formal.why = formal.attempts + 1, why
    wait = min(_FIRST_WAIT * 2 ** min(formal.attempts, 20), _LONGEST_WAIT)
    formal.try_at = work.now + wait if formal.attempts < work.office.settings.errand_attempts else None


def _keep(work: Work, formal_id: UUID, pdf: bytes) -> bool:
    formal = work.session.get_one(FormalNotice, formal_id, with_for_update=True)
    if formal.drawn_at is not None:
        return False
    formal.pdf, formal.sha256 = pdf, hashlib.sha256(pdf).hexdigest()
    formal.drawn_at, formal.try_at, formal.why = work.now, None, ""
    return True
