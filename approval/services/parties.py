"""Interested parties (利害关系人): who is concerned, what they are told, and that they are heard before a decision.

行政许可法第三十六条、第四十七条. What they say to it is taken down in `statements`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from unicodedata import normalize
from uuid import UUID, uuid4

from sqlalchemy import select
from stdnum.cn import ric, uscc

from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.errors import AnswersInvalid, IllegalStep, Missing, PartiesUnheard
from approval.domain.manifests import Limit
from approval.domain.notices import Kind
from approval.models.cases import Case
from approval.models.notices import Delivery, FormalNotice
from approval.models.parties import InterestedParty
from approval.office import Work
from approval.services import (
    answers,
    countdowns,
    issuances,
    items,
    journal,
    kinds,
    people,
    petitions,
    statutes,
)
from approval.services.errands import act

LETTER: Final = "interested-party"
_MOST: Final = 200
_LONGEST: Final = {"name": 100, "address": 200, "interest": 200}
_LABELS: Final = {"name": "姓名或者名称", "id_number": "证件号码", "address": "送达地址", "interest": "重大利益"}


@act("tell_parties")
def tell(work: Work, case: Case) -> dict[str, Any]:
    """Tell whose significant interests a case directly concerns (告知利害关系人), in a letter to each of them.

    They are whom the officer has just named: `parties`, rows of name, id_number, address and interest, unless `result`
    is "none". Who was told before stays told, whatever is named anew: only `statements.drop` lets somebody go. Raises
    `IllegalStep` unless the case is accepted, `AnswersInvalid` naming every row that is no such party, and
    `NoticeIncomplete` (行政许可法第三十六条、第四十七条第一款).
    """
    if case.status != Status.ACCEPTED:
        raise IllegalStep(status=case.status, asked="tell_parties")
    told = answers.latest(work, case)
    rows = [] if told.get("result") == "none" else _read(work, case, told.get("parties"))
    known, letter, days = ever_named(work, case), kinds.catalogue()[LETTER], _limit(work, case).days
    fresh = [row for row in rows if not any(_is_same(party, row) for party in known if party.dropped_at is None)]
    for ordinal, row in enumerate(fresh, len(known) + 1):
        party = InterestedParty(
            id=uuid4(),
            case=case,
            ordinal=ordinal,
            holder_id=_holder(work, row["id_number"]),
            named_at=work.now,
            answered_by="",
            **row,
        )
        work.session.add(party)
        issuances.issue(work, case, letter, {"interest": party.interest, "statement_days": days}, party=party)
    if fresh:
        journal.write(work, case, "party:told", told=len(fresh))
    named = of_case(work, case)
    return {"named": len(named), "waiting": sum(not party.heard for party in named)}


@act("weigh_statements")
def weigh(work: Work, case: Case) -> dict[str, Any]:
    """Tell the procedure whether a hearing is to be held after what everybody has said (汇总陈述意见)."""
    return {"hearing_asked": petitions.pending(work, case)}


def send(work: Work, case: Case, kind: Kind, told: Mapping[str, Any]) -> None:
    """Send a notice of a hearing to the interested parties too (一并送达利害关系人, 第四十八条第一款第一项)."""
    for party in of_case(work, case):
        issuances.issue(work, case, kind, told, party=party)


def of_case(work: Work, case: Case) -> list[InterestedParty]:
    """List the interested parties of a case (办件的利害关系人), in the order they were named."""
    return [party for party in ever_named(work, case) if party.dropped_at is None]


def ever_named(work: Work, case: Case) -> list[InterestedParty]:
    """List everybody who was ever named as a party (曾列明的利害关系人), those too whom an officer let go."""
    theirs = select(InterestedParty).where(InterestedParty.case_id == case.id).order_by(InterestedParty.ordinal)
    return list(work.session.scalars(theirs))


def letters(work: Work, case: Case) -> dict[UUID, FormalNotice]:
    """Find the letters that told the interested parties of a case (利害关系人告知书), by the party's id."""
    sent = select(FormalNotice).where(FormalNotice.case_id == case.id, FormalNotice.kind == LETTER)
    return {formal.party_id: formal for formal in work.session.scalars(sent) if formal.party_id}


def sent_to(work: Work, party: InterestedParty) -> list[FormalNotice]:
    """List the formal notices that went to an interested party (送达该利害关系人的文书), oldest first."""
    theirs = select(FormalNotice).where(FormalNotice.party_id == party.id)
    return list(work.session.scalars(theirs.order_by(FormalNotice.issued_at, FormalNotice.number)))


def note_delivery(work: Work, formal: FormalNotice, received: datetime) -> None:
    """Let a party's time to speak begin with the delivery of their letter (陈述意见期限起算); the first one counts.

    行政许可法第四十七条第一款: 被告知听证权利之日起.
    """
    party = formal.party
    if party is None or formal.kind != LETTER or party.heard or party.dropped_at is not None:
        return
    if formal.case.status == Status.ACCEPTED and countdowns.due(work, formal.case, party.countdown) is None:
        countdowns.begin(work, formal.case, party.countdown, _limit(work, formal.case), since=received)


def require_heard(work: Work, case: Case) -> None:
    """Require that every interested party has spoken, or let their time go by (应当听取利害关系人的意见).

    Raises `PartiesUnheard` (行政许可法第三十六条).
    """
    if unheard := [party.ordinal for party in of_case(work, case) if not party.heard]:
        raise PartiesUnheard(case=case.number, parties=unheard)


def require_invited(work: Work, case: Case, kind: str) -> None:
    """Require that the newest notice of a hearing reached every party that asked for it (听证通知已送达).

    Raises `PartiesUnheard` (行政许可法第四十八条第一款第一项).
    """
    invited = select(Delivery.formal_id).where(Delivery.delivered_at.is_not(None))
    missed = []
    for party in of_case(work, case):
        sent = [formal.id for formal in sent_to(work, party) if formal.kind == kind]
        reached = sent and work.session.scalar(invited.where(Delivery.formal_id == sent[-1]).limit(1))
        missed += [party.ordinal] if party.asks_hearing and not reached else []
    if missed:
        raise PartiesUnheard(case=case.number, parties=missed)


def _limit(work: Work, case: Case) -> Limit:
    of_law = statutes.statement()
    of_item = items.pack_of(work, case).manifest.limits.get("statement")
    return of_item if of_item and of_item.days > of_law.days else Limit(of_law.days, of_law.basis)


def _is_same(party: InterestedParty, row: Mapping[str, str]) -> bool:
    numbers = {party.id_number, row["id_number"]} - {""}
    return party.name == row["name"] and len(numbers) <= 1


def _holder(work: Work, number: str) -> UUID | None:
    return people.holder_of(work, number) if number else None


def _read(work: Work, case: Case, rows: Any) -> list[dict[str, str]]:
    """Read whom an officer named; raises `AnswersInvalid` naming everything that is wrong."""
    named: dict[tuple[str, str], dict[str, str]] = {}
    missing: list[Missing] = []
    listed = rows if isinstance(rows, list) else []
    if len(listed) > _MOST:
        raise AnswersInvalid(missing=[Missing("answers.parties", "too-many", "利害关系人")])
    applicant = people.applicant(work, case.applicant_id, case.filed_by)["number"]
    for place, row in enumerate(listed, 1):
        told = row if isinstance(row, Mapping) else {}
        at = f"answers.parties[{place}]"
        read, wrong = texts.reasons(
            *((f"{at}.{name}", _LABELS[name], str(told.get(name) or ""), most) for name, most in _LONGEST.items())
        )
        number = normalize("NFKC", str(told.get("id_number") or "")).replace(" ", "").upper()
        if number and not (ric.is_valid(number) or uscc.is_valid(number)):
            wrong.append(Missing(f"{at}.id_number", "wrong-form", _LABELS["id_number"]))
        elif number == applicant or (not wrong and _is_another_s(work, number, read[0])):
            wrong.append(Missing(f"{at}.id_number", "not-theirs", _LABELS["id_number"]))
        if not wrong:
            row_read = {**dict(zip(_LONGEST, read, strict=True)), "id_number": number}
            named.setdefault((read[0], number), row_read)
        missing += wrong
    if missing or not named:
        raise AnswersInvalid(missing=missing or [Missing("answers.parties", "required", "利害关系人")])
    return list(named.values())


def _is_another_s(work: Work, number: str, name: str) -> bool:
    holder = _holder(work, number)
    return holder is not None and people.name_of(work, holder) != normalize("NFC", name)
