"""Statements (陈述申辩): what interested parties say to a case, on the portal themselves or in writing at the window.

Once the last of them has spoken, or let their time go by, the procedure goes on (行政许可法第三十六条、第四十七条).
"""

from typing import Final
from unicodedata import normalize
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from approval.domain import texts
from approval.domain.cases import Status
from approval.domain.countdown import Due
from approval.domain.errors import AlreadyDone, AnswersInvalid, Missing, NotFound, NotSignedIn, TimePassed
from approval.models.cases import Case
from approval.models.parties import InterestedParty
from approval.models.people import Organization, Person
from approval.office import Office, Work
from approval.services import (
    access,
    countdowns,
    issuances,
    journal,
    parties,
    people,
    petitions,
    procedures,
    timers,
    tokens,
)
from approval.services.errands import PARTIES_HEARD

_TAG: Final = "party:stated"
_LAPSED: Final = "party:lapsed"
_DROPPED: Final = "party:dropped"


def mine(work: Work) -> list[InterestedParty]:
    """List where the actor is an interested party (与我有利害关系的办件), the newest first."""
    theirs = select(InterestedParty).where(
        InterestedParty.holder_id.in_(_selves(work)), InterestedParty.dropped_at.is_(None)
    )
    with_case = theirs.options(joinedload(InterestedParty.case).joinedload(Case.item_version))
    return list(work.session.scalars(with_case.order_by(InterestedParty.named_at.desc(), InterestedParty.id)))


def obtain(work: Work, party_id: UUID) -> InterestedParty:
    """Obtain what concerns the actor as the party that they are (本人的利害关系); raises `NotFound`."""
    party = work.session.get(InterestedParty, party_id)
    if party is None or party.dropped_at is not None or party.holder_id not in _selves(work):
        raise NotFound(party=str(party_id))
    return party


def by_letter(work: Work, token: str) -> InterestedParty:
    """Find the party that a letter went to by its code (凭告知书查找), as whom it names.

    Whoever signed in has the name that the letter is addressed to, or acts for the organization that has. Raises
    `NotSignedIn`; `NotFound` for anybody else and for any other code.
    """
    if work.actor.person is None:
        raise NotSignedIn
    formal = issuances.by_token(work, token)
    party = formal.party if formal is not None else None
    if party is None or party.dropped_at is not None or _self_named(work, party) is None:
        raise NotFound(letter=token)
    return party


def claim(work: Work, token: str) -> InterestedParty:
    """Take a letter as one's own (认领告知书), so that it is found again without its code; raises as `by_letter`."""
    party = by_letter(work, token)
    _lock(work, party)
    if party.holder_id is None:
        party.holder_id = _self_named(work, party)
        journal.write(work, party.case, "party:known", party=party.ordinal)
    return party


def state(
    work: Work, party_id: UUID, statement: str, *, asks_hearing: bool, token: str | None = None
) -> InterestedParty:
    """Say what one has to say as an interested party (陈述意见), once, and whether one asks for a hearing.

    Until the case is decided, also while it is held; a hearing is asked for within the time that the letter gives.
    `token` makes a second sending the same statement. Raises `NotFound`, `AnswersInvalid`, `AlreadyDone`, and
    `TimePassed` (行政许可法第三十六条、第四十七条第一款).
    """
    party = obtain(work, party_id)
    return _take(work, party, statement, asks_hearing=asks_hearing, note="", token=token)


def record(
    work: Work, party_id: UUID, statement: str, *, asks_hearing: bool, note: str, token: str | None = None
) -> InterestedParty:
    """Take down what an interested party said in writing or in person (登记陈述意见), as an officer of the case.

    `note` says what shows it. Within their time they may still say it themselves, which then counts. Raises as
    `obtain_as_officer`, and as `state`.
    """
    party = obtain_as_officer(work, party_id)
    note = texts.reason(note, where="answers.note", label="凭证")
    return _take(work, party, statement, asks_hearing=asks_hearing, note=note, token=token)


def drop(work: Work, party_id: UUID, reason: str, *, token: str | None = None) -> InterestedParty:
    """Let an interested party go who was named by mistake (不再列为利害关系人), with a reason that stays on the case.

    Nobody who has spoken. Raises as `obtain_as_officer`; `AlreadyDone`; `AnswersInvalid` without a reason.
    """
    party = obtain_as_officer(work, party_id)
    reason = texts.reason(reason, where="answers.reason", label="理由")
    case = _lock(work, party)
    if tokens.spent(work, token, _DROPPED, str(party.id)):
        return party
    if party.answered_at is not None or party.dropped_at is not None:
        raise AlreadyDone(party=party.ordinal)
    party.dropped_at, party.note = work.now, reason
    journal.write(work, case, _DROPPED, party=party.ordinal)
    _stop(work, case, party, _DROPPED)
    go_on(work, case)
    return party


def obtain_as_officer(work: Work, party_id: UUID) -> InterestedParty:
    """Obtain an interested party as an officer of the case (经办查阅利害关系人).

    Raises as `access.officers_case`, and `NotFound` for one that was let go.
    """
    party = work.session.get(InterestedParty, party_id)
    if party is None or party.dropped_at is not None:
        raise NotFound(party=str(party_id))
    access.officers_case(work, party.case.number)
    return party


def until(work: Work, party: InterestedParty) -> Due | None:
    """Find the last day to speak or to ask for a hearing (陈述意见截止日); None before the letter is delivered."""
    return countdowns.due(work, party.case, party.countdown)


def listens(work: Work, party: InterestedParty) -> bool:
    """Tell whether the case still listens to a party (可否陈述意见): it is undecided, and they have not spoken.

    What an officer took down for them does not bar them from speaking for themselves within their time.
    """
    spoken = party.answered_at is not None and not (party.note and may_ask(work, party))
    return not spoken and party.case.status == Status.ACCEPTED


def may_ask(work: Work, party: InterestedParty) -> bool:
    """Tell whether a party may still ask for a hearing (可否要求听证): their time has not gone by."""
    return party.lapsed_at is None and not _over(work, party)


def go_on(work: Work, case: Case) -> bool:
    """Let a procedure go on that waits for the parties (恢复流程): nobody is left to be heard, or a hearing is owed.

    False where it need not, or waits for nothing: a case that is held goes on once it is released.
    """
    if case.status != Status.ACCEPTED or case.held_at is not None:
        return False
    if not _is_free(work, case):
        return False
    try:
        procedures.deliver(work, case, PARTIES_HEARD, {})
    except NotFound:
        return False
    return True


def stalled(work: Work) -> list[UUID]:
    """List the cases that wait for parties though none is left to be heard (等待唤醒的办件), such as after a return."""
    named = select(InterestedParty.case_id).distinct()
    waiting = select(Case).where(Case.id.in_(named), Case.status == Status.ACCEPTED, Case.held_at.is_(None))
    return [
        case.id
        for case in work.session.scalars(waiting.order_by(Case.filed_at, Case.number))
        if _is_free(work, case) and procedures.awaits(work, case, PARTIES_HEARD)
    ]


def wake(office: Office, case_id: UUID) -> bool:
    """Let one stalled case go on (唤醒办件), in a Work of its own; as `go_on`."""
    return office.do(lambda work: go_on(work, work.session.get_one(Case, case_id, with_for_update=True)))


def overdue(work: Work) -> list[UUID]:
    """List the parties whose time to speak has gone by in silence (逾期未陈述), before that is written down."""
    waiting = (
        select(InterestedParty)
        .join(Case)
        .where(
            InterestedParty.answered_at.is_(None),
            InterestedParty.lapsed_at.is_(None),
            InterestedParty.dropped_at.is_(None),
            Case.status == Status.ACCEPTED,
            Case.held_at.is_(None),
        )
    )
    found = work.session.scalars(waiting.order_by(InterestedParty.named_at, InterestedParty.id))
    return [party.id for party in found if _over(work, party)]


def lapse(office: Office, party_id: UUID) -> bool:
    """Write down that a party's time has gone by in silence (逾期视为放弃); False while it has not."""
    return office.do(lambda work: _lapse(work, party_id))


def _is_free(work: Work, case: Case) -> bool:
    """Tell whether somebody was named, and nobody is waited for: all are heard or let go, or a hearing is owed."""
    named = parties.ever_named(work, case)
    left = any(not one.heard and one.dropped_at is None for one in named)
    return bool(named) and (not left or petitions.pending(work, case))


def _take(
    work: Work, party: InterestedParty, statement: str, *, asks_hearing: bool, note: str, token: str | None
) -> InterestedParty:
    statement = statement.replace("\r\n", "\n").strip()
    if len(statement) > texts.LONGEST_REASON or texts.unseen(statement, lines=True):
        why = "too-long" if len(statement) > texts.LONGEST_REASON else "wrong-form"
        raise AnswersInvalid(missing=[Missing("answers.statement", why, "意见")])
    case = _lock(work, party)
    if tokens.spent(work, token, _TAG, str(party.id)):
        return party
    if party.answered_at is not None and (note or not listens(work, party)):
        raise AlreadyDone(party=party.ordinal)
    timers.come_first(work, case)
    if not listens(work, party) or (asks_hearing and not may_ask(work, party)):
        raise TimePassed(case=case.number)
    asked_before, by = party.asks_hearing, f"party:{party.ordinal}"
    party.statement, party.asks_hearing, party.note = statement, asks_hearing, note
    party.answered_at, party.answered_by = work.now, work.actor.label
    journal.write(work, case, _TAG, party=party.ordinal, asks_hearing=asks_hearing, said=bool(statement))
    if asks_hearing:
        petitions.ask(work, case, by)
    elif asked_before:
        petitions.waive(work, case, by)
    _stop(work, case, party, _TAG)
    go_on(work, case)
    return party


def _lapse(work: Work, party_id: UUID) -> bool:
    party = work.session.get_one(InterestedParty, party_id)
    case = _lock(work, party)
    if party.heard or party.dropped_at is not None or not _over(work, party):
        return False
    if case.status != Status.ACCEPTED or case.held_at is not None:
        return False
    due = until(work, party)
    assert due is not None
    party.lapsed_at = countdowns.expires(work, due)
    journal.write(work, case, _LAPSED, party=party.ordinal)
    _stop(work, case, party, _LAPSED)
    go_on(work, case)
    return True


def _stop(work: Work, case: Case, party: InterestedParty, basis: str) -> None:
    if countdowns.going(work, case, party.countdown):
        countdowns.stop(work, case, party.countdown, basis)
    countdowns.mark_due(work, case)


def _over(work: Work, party: InterestedParty) -> bool:
    due = until(work, party)
    return due is not None and countdowns.expires(work, due) <= work.now


def _lock(work: Work, party: InterestedParty) -> Case:
    """Lock the case: of two at once the second sees what the first did to the party."""
    found = work.session.get_one(Case, party.case_id, with_for_update=True, populate_existing=True)
    work.session.refresh(party)
    return found


def _selves(work: Work) -> list[UUID]:
    """Say whom the actor may speak for: themselves, and the organizations they may act for."""
    organizations = [organization.id for organization in people.organizations(work)]
    return [*([work.actor.person] if work.actor.person else []), *organizations]


def _self_named(work: Work, party: InterestedParty) -> UUID | None:
    """Find which of those the actor speaks for a letter is addressed to: by number where it is known, else by name."""
    if party.holder_id is not None:
        return party.holder_id if party.holder_id in _selves(work) else None
    if party.id_number:
        return None  # whoever has that number was found by it, here or when they were enrolled
    # Of one name there are many: whoever applies is not the neighbour.
    own = {party.case.applicant_id, party.case.filed_by}
    known: list[Person | Organization] = [*people.organizations(work)]
    known += [person] if (person := work.session.get(Person, work.actor.person)) else []
    named = normalize("NFC", party.name)
    return next((one.id for one in known if one.name == named and one.id not in own), None)
