"""Notices (通知): what an applicant must be told, put into the outbox by the Work that makes it true."""

from typing import Any
from uuid import uuid4

from sqlalchemy import select

from approval.models.cases import Case, Notice
from approval.office import Work


def tell(work: Work, case: Case, code: str, **facts: Any) -> None:
    """Put a notice into the outbox (发出通知); the words for `code` stand in the catalogues."""
    work.session.add(
        Notice(id=uuid4(), case_id=case.id, person_id=case.filed_by, code=code, facts=facts, made_at=work.now)
    )


def of_case(work: Work, case: Case) -> list[Notice]:
    """List the notices of a case (办件通知), oldest first."""
    told = select(Notice).where(Notice.case_id == case.id).order_by(Notice.made_at, Notice.id)
    return list(work.session.scalars(told))
