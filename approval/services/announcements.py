"""Announcements (公示、公告): what a procedure puts before everybody, for as many working days as its item says."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from approval.domain import texts
from approval.domain.countdown import Entry, EntryType, reckon
from approval.models.cases import Case
from approval.models.notices import Announcement
from approval.office import Work
from approval.services import answers, countdowns, items, journal, suspensions
from approval.services.errands import act

_CAUSE: Final = "public_notice"


@act("announce")
def announce(work: Work, case: Case) -> dict[str, Any]:
    """Announce what is about to be decided (公示), and let its days not count where the item has a basis for that.

    `matter` and `reason` are what the officer has just written; as many working days as the limit `public_notice`
    says. Raises `AnswersInvalid` without a matter, and as `suspensions.attempt`.
    """
    manifest, told = items.pack_of(work, case).manifest, answers.latest(work, case)
    limit, workdays = manifest.limits[_CAUSE], countdowns.calendar(work, case)
    until = reckon([Entry(EntryType.START, work.today, limit.days, limit.basis)], workdays).day
    put_up(work, case, texts.reason(str(told.get("matter") or ""), where="answers.matter", label="公示的内容"), until)
    notice = ""
    if _CAUSE in manifest.exclusions:
        days = limit.days + workdays.is_workday(work.today)
        notice = suspensions.attempt(work, case, _CAUSE, days, str(told.get("reason") or ""))
    return {"suspension": notice}


def put_up(work: Work, case: Case, matter: str, until: date) -> None:
    """Put something before everybody until a day (公告), the day included."""
    row = {"case_id": case.id, "matter": matter, "from_on": work.today, "until_on": until, "made_at": work.now}
    work.session.add(Announcement(id=uuid4(), **row))
    journal.write(work, case, "case:announced", until=until.isoformat())


def up(work: Work) -> Sequence[Announcement]:
    """List what is announced today (正在公示), what ends first; nothing of cases that have ended."""
    listed = select(Announcement).join(Case).where(Case.ended_at.is_(None), Announcement.from_on <= work.today)
    listed = listed.where(Announcement.until_on >= work.today)
    with_case = listed.options(joinedload(Announcement.case).joinedload(Case.item_version))
    return work.session.scalars(with_case.order_by(Announcement.until_on, Announcement.id)).all()
