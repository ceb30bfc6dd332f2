"""Notices (通知): what an applicant must be told, put into the outbox by the Work that makes it true.

Where a formal notice (文书) is prescribed for it, that is issued in the same Work: see `issuances`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import joinedload

from approval.domain.errors import Missing, NotAllowed, NoticeIncomplete
from approval.domain.notices import Kind
from approval.domain.texts import LONGEST_REASON, unseen
from approval.models.cases import Case, Notice
from approval.models.notices import FormalNotice
from approval.office import Work
from approval.services import access, answers, issuances, items, journal, kinds, parties, people, tokens
from approval.services.errands import acts

_ISSUED: Final = "notice:issued"


def tell(work: Work, case: Case, code: str, *, numbered: str = "", **facts: Any) -> Notice:
    """Put a notice into the outbox (发出通知), and issue the formal notice that its kind may want (制发文书).

    The words for `code` stand in the catalogues; `numbered` is a number that was drawn before. Raises
    `NoticeIncomplete` as `issuances.issue`.
    """
    notice = Notice(id=uuid4(), case_id=case.id, person_id=case.filed_by, code=code, facts=facts, made_at=work.now)
    work.session.add(notice)
    if kind := kinds.of_event(code, work.today):
        _issue(work, case, kind, facts, notice, number=numbered)
    return notice


def issuable(work: Work, case: Case) -> dict[str, Kind]:
    """List the kinds of formal notices that the actor may issue by hand in a case (可制发的文书), by code."""
    department = items.pack_of(work, case).manifest.department
    return {
        code: kind
        for code, kind in kinds.catalogue().items()
        if kind.in_force(work.today) and any(work.actor.holds(department, role) for role in kind.roles)
    }


def issue(work: Work, number: str, code: str, given: Mapping[str, Any], token: str | None = None) -> FormalNotice:
    """Issue a formal notice that no step of a procedure brings about (制发文书), such as that of a hearing.

    By a post of the item's own department that its kind names (行政许可法第四十六条至第四十八条 and others).
    `token` makes a second sending the same notice. Raises as `access.officers_case`, `NotAllowed` for a kind that
    is not the actor's to issue, and `NoticeIncomplete`.
    """
    access.officers_case(work, number)
    case = access.case(work, number, lock=True)
    kind = issuable(work, case).get(code)
    if kind is None:
        raise NotAllowed(notice=code)
    if wrong := [
        Missing(f"notice.{fact.name}", "wrong-form", fact.label.zh)
        for fact in kind.facts
        if len(text := str(given.get(fact.name) or "")) > LONGEST_REASON or unseen(text, lines=True)
    ]:
        raise NoticeIncomplete(kind=code, missing=wrong)
    issuances.complete(work, case, kind, given)  # before anything is written: the page may be shown again
    if token and tokens.spent(work, token, _ISSUED, f"{number}/{code}"):
        return [formal for formal in issuances.of_case(work, case) if formal.kind == code][-1]
    return put(work, case, kind, given)


def put(work: Work, case: Case, kind: Kind, given: Mapping[str, Any]) -> FormalNotice:
    """Issue a formal notice whoever acts (制发文书), and put it into the inbox; raises `NoticeIncomplete`."""
    formal = _issue(work, case, kind, given, tell(work, case, "formal"))
    journal.write(work, case, _ISSUED, notice=formal.number)
    return formal


@acts("issue", lambda: {code for code, kind in kinds.catalogue().items() if kind.roles})
def issue_told(work: Work, case: Case, kind: str, /) -> dict[str, Any]:
    """Issue the formal notice that the procedure has come to (制发文书): what its officer has just written.

    `issue:expert-opinion` and so on, for the kinds that are issued by hand. Raises `NoticeIncomplete`.
    """
    of_kind, told = kinds.catalogue()[kind], answers.latest(work, case)
    lists = {fact.name for fact in of_kind.facts if fact.type == "list"} & told.keys()
    put(work, case, of_kind, told | {name: list(_texts(told[name])) for name in lists})
    return {}


def _issue(
    work: Work, case: Case, kind: Kind, told: Mapping[str, Any], notice: Notice, *, number: str = ""
) -> FormalNotice:
    """Issue a formal notice to the applicant, and to the interested parties what goes to them too."""
    if kind.to_parties:
        parties.send(work, case, kind, told)
    return issuances.issue(work, case, kind, told, notice, number=number)


def _texts(listed: Any) -> Iterator[str]:
    """List as texts what a form asks for row by row, or in whatever way."""
    for row in listed if isinstance(listed, list) else [listed]:
        yield "，".join(map(str, row.values())) if isinstance(row, dict) else str(row)


def of_case(work: Work, case: Case) -> list[Notice]:
    """List the notices of a case (办件通知), oldest first."""
    told = select(Notice).where(Notice.case_id == case.id).order_by(Notice.made_at, Notice.id)
    return list(work.session.scalars(told))


def latest(work: Work, case: Case, code: str) -> Notice | None:
    """Find the newest notice of a case under a code (最近一次通知)."""
    told = select(Notice).where(Notice.case_id == case.id, Notice.code == code)
    return work.session.scalars(told.order_by(Notice.made_at.desc(), Notice.id).limit(1)).one_or_none()


def inbox(work: Work, *, limit: int = 50, offset: int = 0) -> list[Notice]:
    """List the notices to the actor (收件箱), newest first, with their cases; paging is the caller's."""
    listed = _theirs(work, select(Notice)).options(joinedload(Notice.case).joinedload(Case.item_version))
    newest = listed.order_by(Notice.made_at.desc(), Notice.id)
    return list(work.session.scalars(newest.limit(limit).offset(offset)))


def unread(work: Work) -> int:
    """Count the notices that the actor has not looked at yet (未读通知数)."""
    if work.actor.person is None:
        return 0
    return work.session.scalar(_theirs(work, select(func.count(Notice.id))).where(Notice.read_at.is_(None))) or 0


def mark_read(work: Work, person: UUID, told: Iterable[UUID]) -> None:
    """Note that a person has looked at notices of theirs (标为已读); those read before keep their first time."""
    seen = update(Notice).where(Notice.id.in_(told), Notice.person_id == person, Notice.read_at.is_(None))
    work.session.execute(seen.values(read_at=work.now))


def _theirs(work: Work, wanted: "Select[Any]") -> "Select[Any]":
    """Keep to the actor's own matters and those of organizations they may still act for."""
    applicants = [work.actor.person, *(organization.id for organization in people.organizations(work))]
    return wanted.join(Case, Case.id == Notice.case_id).where(
        Notice.person_id == work.actor.person, Case.applicant_id.in_(applicants)
    )
