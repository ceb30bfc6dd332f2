"""Mailings (外发): letters about formal notices by e-mail, short message and post, each sent once at most.

A delivery is claimed in a Work before its letter is sent, and noted in another after. What was claimed and never noted
may be with whom it is for: it waits for a person, who alone may have it sent again.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, Select, select, update

from approval.domain.errors import Unavailable, Unconfirmed
from approval.domain.notices import CHOSEN, Way
from approval.domain.ports import Letter
from approval.models.notices import Delivery, FormalNotice
from approval.office import Office, Work
from approval.services import issuances

_AT_ONCE = 20
_MOST_TOLD = 100
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_LONGEST_WHY = 500
# A server that hangs is given up long before; a letter still under way after this went with its worker.
_LOST: Final = timedelta(minutes=10)
_UNKNOWN: Final = "unconfirmed"


def waiting(work: Work) -> list[UUID]:
    """List some letters that are to be sent now (待投递), of notices that are drawn, the longest waiting first."""
    drawn = select(Delivery.id).join(FormalNotice, FormalNotice.id == Delivery.formal_id)
    due = drawn.where(
        Delivery.try_at <= work.now,
        Delivery.way.in_([way for way in CHOSEN if way in work.office.carriages]),
        FormalNotice.drawn_at.is_not(None),
    )
    return list(work.session.scalars(due.order_by(Delivery.try_at).limit(_AT_ONCE)))


def failed(work: Work) -> list[Delivery]:
    """List the letters that wait for a person (投递失败): tried too often, or nobody knows whether they went."""
    return list(work.session.scalars(_stuck(work).order_by(Delivery.made_at).limit(_MOST_TOLD)))


def again(work: Work, delivery_id: UUID) -> None:
    """Have a letter sent again (重新投递) that failed or may be lost, as a person decided.

    One that is sent, or on its way, stays as it is: of two clicks the first counts.
    """
    stuck = _stuck(work).where(Delivery.id == delivery_id).with_for_update()
    if delivery := work.session.scalar(stuck):
        delivery.claimed_at, delivery.attempts, delivery.try_at, delivery.why = None, 0, work.now, ""


def send(office: Office, delivery_id: UUID) -> bool:
    """Send one letter (投递): claim, send, note. What was surely not taken is tried again later.

    Of two workers at once one claims it.
    """
    letter = office.do(lambda work: _claim(work, delivery_id))
    if letter is None:
        return False
    try:
        evidence = office.carriages[Way(letter.way)].send(letter)
    except Unconfirmed as lost:
        why = f"{_UNKNOWN}: {lost.facts}"[:_LONGEST_WHY]
        office.do(lambda work: _note(work, delivery_id, why=why))
        return False
    except Unavailable as refused:
        why = str(refused.facts)[:_LONGEST_WHY]
        office.do(lambda work: _put_off(work, delivery_id, why))
        return False
    office.do(lambda work: _sent(work, delivery_id, evidence))
    return True


def _stuck(work: Work) -> Select[Delivery]:
    never = Delivery.claimed_at.is_(None) & (Delivery.attempts > 0)
    lost = Delivery.claimed_at < work.now - _LOST
    return select(Delivery).where(
        Delivery.try_at.is_(None), Delivery.sent_at.is_(None), Delivery.way.in_(CHOSEN), never | lost
    )


def _claim(work: Work, delivery_id: UUID) -> Letter | None:
    free = update(Delivery).where(
        Delivery.id == delivery_id,
        Delivery.claimed_at.is_(None),
        Delivery.sent_at.is_(None),
        Delivery.try_at <= work.now,
    )
    claimed = work.session.execute(
        free.values(claimed_at=work.now, try_at=None, attempts=Delivery.attempts + 1, why="")
    )
    assert isinstance(claimed, CursorResult)
    return _letter(work, work.session.get_one(Delivery, delivery_id)) if claimed.rowcount else None


def _letter(work: Work, delivery: Delivery) -> Letter:
    """Write the letter (信件): the item, the case and where to read the notice; nothing about anybody."""
    formal = delivery.formal
    facts = issuances.facts_of(formal)
    item, number, organ = facts["item"]["name"], facts["case_number"], facts["department"]["name"]
    whose = "您的办件" if formal.party_id is None else "与您有利害关系的办件"
    text = (
        f"【{organ}】{whose}（{item}，办件编号 {number}）有一份新的文书。"
        f"请登录查看、下载：{work.office.settings.origin}/my/notices/{formal.id}\n"
    )
    if delivery.way == Way.EMAIL:
        text += f"\n本信由系统自动发出，请不要回复。\n\nThere is a new notice in case {number}.\n"
    post = delivery.way == Way.POST
    return Letter(
        id=str(delivery.id),
        way=delivery.way,
        to=delivery.address,
        subject=f"{item}：新的文书（办件编号 {number}）",
        text=text,
        at=work.now,
        name=(facts.get("addressee") or facts["applicant"]["name"]) if post else "",
        file=formal.pdf or b"" if post else b"",
    )


def _sent(work: Work, delivery_id: UUID, evidence: dict[str, str]) -> None:
    delivery = work.session.get_one(Delivery, delivery_id, with_for_update=True)
    delivery.sent_at, delivery.evidence = work.now, dict(evidence)


def _note(work: Work, delivery_id: UUID, *, why: str) -> None:
    work.session.get_one(Delivery, delivery_id, with_for_update=True).why = why


def _put_off(work: Work, delivery_id: UUID, why: str) -> None:
    delivery = work.session.get_one(Delivery, delivery_id, with_for_update=True)
    delivery.claimed_at, delivery.why = None, why
    wait = min(_FIRST_WAIT * 2 ** min(delivery.attempts, 20), _LONGEST_WAIT)
    delivery.try_at = work.now + wait if delivery.attempts < work.office.settings.errand_attempts else None
