"""Delivery (送达): who received a formal notice, when, by which way, and what shows it (送达回证)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, select, update

from approval.domain import texts
from approval.domain.countdown import expiry, legal_day
from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotFound
from approval.domain.notices import RECORDED, Way
from approval.models.cases import Case
from approval.models.notices import Delivery, FormalNotice
from approval.office import Work
from approval.services import access, issuances, journal, kinds, parties, people, tokens

_TAG: Final = "notice:delivered"
_LONGEST_RECEIVER = 100
_SETTLED_AT_ONCE = 100
_ANNOUNCED: Final = "公告期满，视为送达"


def of_notices(work: Work, listed: Iterable[FormalNotice]) -> dict[UUID, list[Delivery]]:
    """Bring the ways that notices went (送达情况), by the notice's id, oldest first."""
    ids = [formal.id for formal in listed]
    found: dict[UUID, list[Delivery]] = {each: [] for each in ids}
    theirs = select(Delivery).where(Delivery.formal_id.in_(ids)).order_by(Delivery.made_at, Delivery.way)
    for delivery in work.session.scalars(theirs):
        found[delivery.formal_id].append(delivery)
    return found


def proof(ways: Iterable[Delivery]) -> Delivery | None:
    """Find the delivery that counts (送达回证): the first that was completed; None while there is none."""
    done = [delivery for delivery in ways if delivery.delivered_at is not None]
    return min(done, key=lambda delivery: delivery.delivered_at, default=None)  # type: ignore[arg-type,return-value]


def obtain(work: Work, formal_id: UUID) -> FormalNotice:
    """Obtain a notice as whom it is for (本人的文书), whoever they act for at the moment; raises `NotFound`."""
    formal = work.session.get(FormalNotice, formal_id)
    if formal is None or not addressed(work, formal):
        raise NotFound(notice=str(formal_id))
    return formal


def addressed(work: Work, formal: FormalNotice) -> bool:
    """Tell whether the actor is whom a notice is for (受送达人): who filed, who may act for the applicant.

    What went to an interested party is for that party alone.
    """
    case = formal.case
    acting = {organization.id for organization in people.organizations(work)}
    if formal.party is not None:
        return formal.party.holder_id is not None and formal.party.holder_id in {work.actor.person, *acting}
    return work.actor.person is not None and (
        case.applicant_id == work.actor.person
        or (case.filed_by == work.actor.person and case.applicant_id in acting)
        or work.actor.organization == case.applicant_id
    )


def opened(work: Work, formal_id: UUID, person: UUID, receiver: str) -> bool:
    """Write down that whom a notice is for has opened it on the portal (电子送达); False when it was opened before.

    民事诉讼法第九十条: with consent, by electronic means that confirm receipt; the portal notes who opened it and when.
    """
    case = _case(work, formal_id)
    formal = work.session.get_one(FormalNotice, formal_id)
    unopened = update(Delivery).where(
        Delivery.formal_id == formal_id, Delivery.way == Way.PORTAL, Delivery.delivered_at.is_(None)
    )
    opening = work.session.execute(
        unopened.values(
            delivered_at=work.now,
            receiver=receiver,
            recorded_by=str(person),
            evidence={"opened_by": str(person)},
            **_remedies(work, formal, work.now),
        )
    )
    assert isinstance(opening, CursorResult)
    if opening.rowcount:
        parties.note_delivery(work, formal, work.now)
        journal.write(work, case, _TAG, notice=formal.number, way=Way.PORTAL.value)
    return bool(opening.rowcount)


def record(
    work: Work, formal_id: UUID, way: str, *, receiver: str, at: datetime | None, note: str, token: str | None = None
) -> Delivery:
    """Write down a delivery by hand, by post, or by announcement (送达登记), as an officer who reads the case.

    `at` is when it was received, or announced; not before the notice and not in the future. An announcement counts
    once its period has passed (民事诉讼法第九十五条). `note` says what shows it: a signature, a receipt's number, where
    it was announced. Raises as `access.officers_case`, and `AnswersInvalid` naming everything that is missing.
    """
    formal = issuances.find(work, formal_id)
    access.officers_case(work, formal.case.number)
    if way not in RECORDED:
        raise NotAllowed(way=way)
    case, chosen = _case(work, formal_id), Way(way)
    read = _read(work, formal, _ANNOUNCED if chosen is Way.ANNOUNCEMENT else receiver, at, note)
    if token and tokens.spent(work, token, _TAG, str(formal_id)):
        return of_notices(work, [formal])[formal_id][-1]
    receiver, at, note = read
    delivery = Delivery(
        id=uuid4(),
        formal=formal,
        way=chosen,
        address="",
        made_at=work.now,
        attempts=0,
        recorded_by=work.actor.label,
        evidence={"note": note},
    )
    if chosen is Way.ANNOUNCEMENT:
        delivery.until = issuances.until(work, "announcement", legal_day(at, work.office.settings.tz))
        delivery.evidence = {"note": note, "announced_at": at.isoformat()}
    else:
        delivery.delivered_at, delivery.receiver = at, receiver
        delivery.review_until, delivery.suit_until = _remedies(work, formal, at).values()
        parties.note_delivery(work, formal, at)
    work.session.add(delivery)
    tag, day = _TAG if delivery.delivered_at else "notice:announced", legal_day(at, work.office.settings.tz)
    journal.write(work, case, tag, notice=formal.number, way=way, on=day.isoformat())
    return delivery


def settle(work: Work) -> int:
    """Write down which announcements have run their period (公告期满视为送达), some at a time; return how many."""
    over = select(Delivery.id).where(
        Delivery.way == Way.ANNOUNCEMENT, Delivery.delivered_at.is_(None), Delivery.until < work.today
    )
    found = work.session.scalars(over.order_by(Delivery.until).limit(_SETTLED_AT_ONCE)).all()
    notices = {delivery_id: work.session.get_one(Delivery, delivery_id).formal_id for delivery_id in found}
    cases = select(FormalNotice.id, FormalNotice.case_id).where(FormalNotice.id.in_(notices.values()))
    of_case = {row[0]: row[1] for row in work.session.execute(cases)}
    for delivery_id in sorted(found, key=lambda one: of_case[notices[one]]):  # cases are locked in one order
        case = _case(work, notices[delivery_id])
        delivery = work.session.get_one(Delivery, delivery_id, populate_existing=True)
        if delivery.delivered_at is not None or delivery.until is None:  # another worker was faster
            continue
        # The period has run out with its last day; what counts from then on begins the day after.
        delivery.delivered_at = expiry(delivery.until, work.office.settings.tz) - timedelta(seconds=1)
        delivery.receiver = _ANNOUNCED
        delivery.review_until, delivery.suit_until = _remedies(work, delivery.formal, delivery.delivered_at).values()
        parties.note_delivery(work, delivery.formal, delivery.delivered_at)
        journal.write(work, case, _TAG, notice=delivery.formal.number, way=delivery.way)
    return len(found)


def _case(work: Work, formal_id: UUID) -> Case:
    """Lock the case that a notice belongs to: whoever writes its journal has it."""
    case_id = work.session.scalar(select(FormalNotice.case_id).where(FormalNotice.id == formal_id))
    return work.session.get_one(Case, case_id, with_for_update=True)


def _remedies(work: Work, formal: FormalNotice, received: datetime) -> dict[str, date | None]:
    """Reckon the last days of the remedies that a notice names from its delivery.

    行政复议法第二十条、行政诉讼法第四十六条.
    """
    named = {fact.name for fact in kinds.catalogue()[formal.kind].facts}
    day = legal_day(received, work.office.settings.tz)
    until = {f"{period}_until": period for period in ("review", "suit")}
    return {name: issuances.until(work, period, day) if name in named else None for name, period in until.items()}


def _read(work: Work, formal: FormalNotice, receiver: str, at: datetime | None, note: str) -> tuple[str, datetime, str]:
    read, missing = texts.reasons(
        ("answers.receiver", "受送达人", receiver, _LONGEST_RECEIVER),
        ("answers.note", "送达凭证", note, texts.LONGEST_REASON),
    )
    if at is None:
        missing.append(Missing("answers.at", "not-a-date", "送达时间"))
    elif not formal.issued_at.replace(second=0, microsecond=0) <= at <= work.now:
        missing.append(Missing("answers.at", "out-of-range", "送达时间"))
    if missing or at is None:
        raise AnswersInvalid(missing=missing)
    return read[0], at, read[1]
