"""Notices (通知): what an applicant must be told, put into the outbox by the Work that makes it true."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import joinedload

from approval.models.cases import Case, Notice
from approval.office import Work
from approval.services import people


def tell(work: Work, case: Case, code: str, **facts: Any) -> None:
    """Put a notice into the outbox (发出通知); the words for `code` stand in the catalogues."""
    work.session.add(
        Notice(id=uuid4(), case_id=case.id, person_id=case.filed_by, code=code, facts=facts, made_at=work.now)
    )


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
