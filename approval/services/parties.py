"""Interested parties (利害关系人): who is concerned, what they are told, and that they are heard before a decision.

行政许可法第三十六条、第四十七条. What they say to it is taken down in `statements`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from stdnum.cn import ric, uscc

from approval.domain import texts
from approval.domain.errors import AnswersInvalid, Missing, PartiesUnheard
from approval.domain.manifests import Limit
from approval.domain.notices import Kind
from approval.models.cases import Case
from approval.models.notices import FormalNotice
from approval.models.parties import InterestedParty
from approval.office import Work
from approval.services import answers, countdowns, issuances, items, journal, kinds, people, statutes
from approval.services.errands import act

LETTER: Final = "interested-party"
_MOST: Final = 200
_LONGEST: Final = {"name": 100, "address": 200, "interest": 200}
_LABELS: Final = {"name": "姓名或者名称", "id_number": "证件号码", "address": "送达地址", "interest": "重大利益"}


@act("tell_parties")
def tell(work: Work, case: Case) -> dict[str, Any]:
    """Tell whose significant interests a case directly concerns (告知利害关系人), in a letter to each of them.

    They are whom the officer has just named: `parties`, rows of name, id_number, address and interest, unless `result`
    is "none". Where that is done anew, who was told stays told, and who is named no more is let go. Raises
    `AnswersInvalid` naming every row that is no such party, and `NoticeIncomplete`
    (行政许可法第三十六条、第四十七条第一款).
    """
    told = answers.latest(work, case)
    named = {} if told.get("result") == "none" else _read(work, case, told.get("parties"))
    known = {(party.name, party.id_number): party for party in of_case(work, case)}
    for key in known.keys() - named.keys():
        known[key].dropped_at = work.now
    letter, days = kinds.catalogue()[LETTER], _limit(work, case).days
    count = len(_every(work, case))
    fresh = [row for key, row in named.items() if key not in known]
    for ordinal, row in enumerate(fresh, count + 1):
        holder = people.holder_of(work, row["id_number"]) if row["id_number"] else None
        party = InterestedParty(
            id=uuid4(), case=case, ordinal=ordinal, holder_id=holder, named_at=work.now, answered_by="", **row
        )
        work.session.add(party)
        issuances.issue(work, case, letter, {"interest": party.interest, "statement_days": days}, party=party)
    if fresh:
        journal.write(work, case, "party:told", told=len(fresh), named=len(named))
    return {"named": len(named), "waiting": sum(not party.heard for party in of_case(work, case))}


@act("weigh_statements")
def weigh(work: Work, case: Case) -> dict[str, Any]:
    """Tell the procedure how many of the parties spoke, and whether one asks for a hearing (汇总陈述意见)."""
    named = of_case(work, case)
    return {
        "stated": sum(bool(party.statement) for party in named),
        "hearing_asked": any(party.asks_hearing for party in named),
    }


def tell_hearing(work: Work, case: Case, kind: Kind, told: Mapping[str, Any]) -> None:
    """Send the notice of a hearing to the interested parties too (通知利害关系人参加听证, 第四十八条第一款第一项)."""
    for party in of_case(work, case):
        issuances.issue(work, case, kind, told, party=party)


def of_case(work: Work, case: Case) -> list[InterestedParty]:
    """List the interested parties of a case (办件的利害关系人), in the order they were named."""
    return [party for party in _every(work, case) if party.dropped_at is None]


def letters(work: Work, case: Case) -> dict[UUID, FormalNotice]:
    """Find the letters that told the interested parties of a case (利害关系人告知书), by the party's id."""
    sent = select(FormalNotice).where(FormalNotice.case_id == case.id, FormalNotice.kind == LETTER)
    return {formal.party_id: formal for formal in work.session.scalars(sent) if formal.party_id}


def note_delivery(work: Work, formal: FormalNotice, received: datetime) -> None:
    """Let a party's time to speak begin with the delivery of their letter (陈述意见期限起算); the first one counts.

    行政许可法第四十七条第一款: 被告知听证权利之日起.
    """
    party = formal.party
    if party is None or formal.kind != LETTER or party.heard or party.dropped_at is not None:
        return
    if countdowns.due(work, formal.case, party.countdown) is None:
        countdowns.begin(work, formal.case, party.countdown, _limit(work, formal.case), since=received)


def require_heard(work: Work, case: Case) -> bool:
    """Require that every interested party has spoken, or let their time go by (应当听取利害关系人的意见).

    Tells whether one of them asks for a hearing. Raises `PartiesUnheard` (行政许可法第三十六条、第四十七条第一款).
    """
    named = of_case(work, case)
    if unheard := [party.ordinal for party in named if not party.heard]:
        raise PartiesUnheard(case=case.number, parties=unheard)
    return any(party.asks_hearing for party in named)


def _every(work: Work, case: Case) -> list[InterestedParty]:
    theirs = select(InterestedParty).where(InterestedParty.case_id == case.id).order_by(InterestedParty.ordinal)
    return list(work.session.scalars(theirs))


def _limit(work: Work, case: Case) -> Limit:
    of_law = statutes.statement()
    of_item = items.pack_of(work, case).manifest.limits.get("statement")
    return of_item if of_item and of_item.days > of_law.days else Limit(of_law.days, of_law.basis)


def _read(work: Work, case: Case, rows: Any) -> dict[tuple[str, str], dict[str, str]]:
    """Read whom an officer named, by name and number; raises `AnswersInvalid` naming everything that is wrong."""
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
        number = str(told.get("id_number") or "").strip().upper()
        if number and not (ric.is_valid(number) or uscc.is_valid(number)):
            wrong.append(Missing(f"{at}.id_number", "wrong-form", _LABELS["id_number"]))
        elif number == applicant:
            wrong.append(Missing(f"{at}.id_number", "not-a-choice", _LABELS["id_number"]))
        if not wrong:
            named.setdefault((read[0], number), {**dict(zip(_LONGEST, read, strict=True)), "id_number": number})
        missing += wrong
    if missing or not named:
        raise AnswersInvalid(missing=missing or [Missing("answers.parties", "required", "利害关系人")])
    return named
