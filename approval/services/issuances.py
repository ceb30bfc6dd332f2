"""Issuing formal notices (制发文书): numbered, complete under the law, in the very Work that makes them true."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from secrets import token_urlsafe
from typing import Any, Final
from unicodedata import normalize
from uuid import UUID, uuid4

from sqlalchemy import select

from approval.domain import notices
from approval.domain.actors import SYSTEM
from approval.domain.countdown import Entry, EntryType, legal_day, reckon
from approval.domain.errors import NotFound, NoticeIncomplete
from approval.domain.manifests import Manifest
from approval.domain.notices import Kind, Way
from approval.models.cases import Case, Notice
from approval.models.notices import Delivery, DeliveryAddress, FormalNotice
from approval.models.parties import InterestedParty
from approval.models.people import Department, Person
from approval.office import Work
from approval.services import access, countdowns, items, kinds, materials, numbers, people
from certificates import canonical_json

MINUTES: Final = "hearing-minutes"
_SHOWN: Final = 4  # first and last characters of an identity number that a notice shows


def issue(
    work: Work,
    case: Case,
    kind: Kind,
    told: Mapping[str, Any],
    notice: Notice | None = None,
    *,
    number: str = "",
    party: InterestedParty | None = None,
) -> FormalNotice:
    """Issue a formal notice (制发文书) in this Work: numbered without gaps, to be drawn and delivered by a worker.

    `told` is what the verb says; what follows from the case (days due, remedies, materials) is added; `number` is one
    that was drawn before by `number_of`. It goes to who filed the case, or to an interested `party`, who is told the
    applicant's name and no number. Raises `NoticeIncomplete` naming everything that the law wants and nobody said:
    nothing is numbered or signed then (行政许可法第三十二条、第三十八条第二款).
    """
    manifest = items.pack_of(work, case).manifest
    known = complete(work, case, kind, told)
    department = work.session.get_one(Department, manifest.department)
    facts = known | _every(work, case, manifest, department)
    if party is not None:
        facts |= {"addressee": party.name, "applicant": {"name": facts["applicant"]["name"]}}
    said = canonical_json(_normal(facts))
    formal = FormalNotice(
        id=uuid4(),
        case=case,
        notice=notice,
        party=party,
        person_id=case.filed_by if party is None else _person(work, party),
        department_code=department.code,
        kind=kind.code,
        number=number or _number(work, department, manifest, kind),
        facts=said.decode(),
        digest=hashlib.sha256(said).hexdigest(),
        token=token_urlsafe(16),
        issued_at=work.now,
        issued_by=work.actor.label,
        attempts=0,
        try_at=work.now,
        why="",
    )
    work.session.add(formal)
    _address(work, formal)
    return formal


def number_of(work: Work, case: Case, event: str) -> str:
    """Draw the number of the notice that an event wants (预取文号), for an act that names it before it is issued.

    Empty where none is prescribed on this day.
    """
    manifest, kind = items.pack_of(work, case).manifest, kinds.of_event(event, work.today)
    if kind is None:
        return ""
    return _number(work, work.session.get_one(Department, manifest.department), manifest, kind)


def complete(work: Work, case: Case, kind: Kind, told: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what a notice of this kind says (文书要素核对); raises `NoticeIncomplete` naming all it lacks."""
    known = _known(work, case, kind, told)
    if missing := notices.missing(kind, known):
        raise NoticeIncomplete(kind=kind.code, missing=missing)
    return known


def of_case(work: Work, case: Case) -> list[FormalNotice]:
    """List the formal notices of a case (办件文书), oldest first."""
    theirs = select(FormalNotice).where(FormalNotice.case_id == case.id)
    return list(work.session.scalars(theirs.order_by(FormalNotice.issued_at, FormalNotice.number)))


def told_by(work: Work, listed: list[Notice]) -> dict[UUID, FormalNotice]:
    """Find the formal notices that belong to lines of an inbox (通知所附文书), by the line's id."""
    theirs = select(FormalNotice).where(FormalNotice.notice_id.in_([notice.id for notice in listed]))
    return {formal.notice_id: formal for formal in work.session.scalars(theirs) if formal.notice_id}


def find(work: Work, formal_id: UUID) -> FormalNotice:
    """Obtain a formal notice to read (调阅文书), as whoever may see its case; raises `NotSignedIn`, `NotFound`."""
    formal = work.session.get(FormalNotice, formal_id)
    if formal is None:
        raise NotFound(notice=str(formal_id))
    access.case(work, formal.case.number)
    return formal


def by_token(work: Work, token: str) -> FormalNotice | None:
    """Find the notice that a printed code names (扫码查验文书); None for a code of nothing."""
    return work.session.scalars(select(FormalNotice).where(FormalNotice.token == token[:80])).one_or_none()


def facts_of(formal: FormalNotice) -> dict[str, Any]:
    """Read what a notice says (文书内容) back from its canonical JSON."""
    facts: dict[str, Any] = json.loads(formal.facts)
    return facts


def _number(work: Work, department: Department, manifest: Manifest, kind: Kind) -> str:
    series = notices.series(
        department.notice_pattern or notices.PATTERN,
        department=department.notice_word or department.zh,
        item=manifest.notice_word,
        kind=kind.word,
        year=work.today.year,
    )
    return notices.number(series, numbers.next_serial(work, f"notice:{series}"))


def _every(work: Work, case: Case, manifest: Manifest, department: Department) -> dict[str, Any]:
    """Gather what every notice says, whatever its kind: 办件编号、事项、申请人、机关、经办人."""
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    number = applicant["number"]
    shown = number if applicant["kind"] == "organization" else f"{number[:_SHOWN]}**********{number[-_SHOWN:]}"
    return {
        "case_number": case.number,
        "item": {"name": manifest.name.zh, "number": manifest.item_number},
        "applicant": {"name": applicant["name"], "number": shown},
        "department": {"code": department.code, "name": department.zh},
        "officer": work.actor.name if work.actor.departments else SYSTEM.name,
        "filed_on": _day(work, case.filed_at),
    }


def _known(work: Work, case: Case, kind: Kind, told: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what this kind of notice says: what was told, and what follows from case, item and calendar."""
    manifest = items.pack_of(work, case).manifest
    service, limits, licence = manifest.service, manifest.limits, manifest.licence
    sources: dict[str, Callable[[], Any]] = {
        "accepted_on": lambda: case.accepted_at and _day(work, case.accepted_at),
        "deemed": lambda: "逾期没有告知，自收到申请材料之日起即为受理。" if case.deemed_accepted else None,
        "materials": lambda: _materials(work, case, manifest),
        "received_at": lambda: work.now.astimezone(work.office.settings.tz).strftime("%Y-%m-%d %H:%M"),
        "warning": lambda: "逾期没有告知的，自收到申请材料之日起即为受理。",
        "missing": lambda: [_founded(kind, row) for row in told.get("missing") or ()],
        "promised_due": lambda: _promised(work, case, manifest),
        "correction_days": lambda: limits["correction"].days if "correction" in limits else None,
        "phone": lambda: service.get("phone"),
        "supervision_phone": lambda: service.get("supervision_phone"),
        "content": lambda: manifest.name.zh + (f"：{licence.name.zh}" if licence else ""),
        "conditions": lambda: [words.zh for words in manifest.conditions],
        "validity": lambda: f"{licence.validity_years}年" if licence else None,
        "minutes": lambda: _minutes(work, case),
        "review_body": lambda: service.get("review_body"),
        "review_days": lambda: kinds.period("review", work.today).days,
        "review_until": lambda: until(work, "review", work.today).isoformat(),
        "court": lambda: service.get("court"),
        "suit_months": lambda: kinds.period("suit", work.today).months,
        "suit_until": lambda: until(work, "suit", work.today).isoformat(),
    }
    said = {fact.name: told.get(fact.name) for fact in kind.facts}
    follow = {name: make() for name, make in sources.items() if name in said and (name == "missing" or not said[name])}
    return {name: value for name, value in {**said, **follow}.items() if value not in (None, "")}


def until(work: Work, period: str, received: date) -> date:
    """Find the last day of a remedy or period that begins with a delivery on a day (期间届满日)."""
    return notices.last_day(kinds.period(period, received), received, countdowns.calendar(work))


def _minutes(work: Work, case: Case) -> str | None:
    """Find the minutes that a decision follows (听证笔录文号)."""
    heard = [formal.number for formal in of_case(work, case) if formal.kind == MINUTES]
    return heard[-1] if heard else None


def _materials(work: Work, case: Case, manifest: Manifest) -> list[dict[str, str]]:
    asked = {material.code: material for material in manifest.materials}
    handed_in = [asked[material.requirement] for material in materials.of_case(work, case)]
    return [{"name": material.name.zh, "level": material.level} for material in handed_in]


def _founded(kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is to be corrected the article of the law where nobody named another."""
    return {**row, "basis": row.get("basis") or kind.basis}


def _promised(work: Work, case: Case, manifest: Manifest) -> str | None:
    limit = manifest.limits.get("promised")
    if limit is None or case.accepted_at is None:
        return None
    began = date.fromisoformat(_day(work, case.accepted_at))
    due = reckon([Entry(EntryType.START, began, limit.days, limit.basis)], countdowns.calendar(work))
    return due.day.isoformat()


def _address(work: Work, formal: FormalNotice) -> None:
    """Set out the ways it goes: the portal, and the addresses that whom it is for has confirmed."""
    work.session.add(_delivery(work, formal, Way.PORTAL, ""))
    chosen = select(DeliveryAddress).where(
        DeliveryAddress.person_id == formal.person_id, DeliveryAddress.confirmed_at.is_not(None)
    )
    for address in work.session.scalars(chosen.order_by(DeliveryAddress.way)):
        work.session.add(_delivery(work, formal, Way(address.way), address.address or ""))


def _delivery(work: Work, formal: FormalNotice, way: Way, address: str) -> Delivery:
    try_at = None if way is Way.PORTAL else work.now
    return Delivery(
        id=uuid4(), formal=formal, way=way, address=address, made_at=work.now, attempts=0, try_at=try_at, evidence={}
    )


def _day(work: Work, instant: datetime) -> str:
    return legal_day(instant, work.office.settings.tz).isoformat()


def _person(work: Work, party: InterestedParty) -> UUID | None:
    """Find the person that a party is (自然人), as far as that is known: of an organization nobody in particular."""
    known = work.session.get(Person, party.holder_id) if party.holder_id else None
    return known.id if known else None


def _normal(value: Any) -> Any:
    """Bring texts into the one form that canonical JSON takes (Unicode NFC)."""
    if isinstance(value, str):
        return normalize("NFC", value)
    if isinstance(value, Mapping):
        return {_normal(key): _normal(entry) for key, entry in value.items()}
    return [_normal(entry) for entry in value] if isinstance(value, list | tuple) else value
