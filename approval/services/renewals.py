"""Renewals (延续): what was applied for in time and not decided before the licence ran out is renewed by law."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

import certificates
from approval.domain.cases import Status
from approval.domain.countdown import legal_day
from approval.expressions import feel
from approval.models.cases import Case
from approval.office import Work
from approval.services import (
    answers,
    countdowns,
    decisions,
    items,
    licences,
    notices,
    people,
    procedures,
    renditions,
    statutes,
)
from certificates import Licence, State

_UNDECIDED: Final = (Status.FILED, Status.ACCEPTED)


def lapse(work: Work, case_id: UUID, number: str) -> bool:
    """Deal with a licence that has come to its last day (到期处理): renewed by silence, or expired.

    True when something was written down. Raises what issuing raises: it is then tried again.
    """
    licence = certificates.find_by_number(work.session, number)
    pending = _pending(work, licence) if licence else None
    if pending is None:
        return licences.expire(work, case_id, number)
    case = work.session.get_one(Case, pending.id, with_for_update=True, populate_existing=True)
    return come_first(work, case)


def come_first(work: Work, case: Case) -> bool:
    """Deem a renewal granted (视为准予延续) where its time has come, before anybody decides otherwise.

    行政许可法第五十条: 逾期未作决定的，视为准予延续. The licence goes on from the day after its last, whenever this is
    written down; the procedure stops, and the holder is told. The case is locked. True when it was so.
    """
    licence = _concerned(work, case)
    if licence is None:
        return False
    assert licence.valid_until is not None
    if case.status == Status.FILED:
        decisions.deem_accepted(work, case)
    procedures.stop(work, case)
    basis = statutes.renewal().basis
    proof = decisions.deem_renewed(work, case, basis)
    renewed = licences.renew_deemed(work, case, licence.valid_until + timedelta(days=1))
    renditions.ask(work, renewed)
    told = {"licence": renewed.number, "basis": basis, "sheet": proof}
    notices.tell(work, case, "deemed-renewed", number=case.number, **told)
    decisions.conclude(work, case)
    return True


def overdue(work: Work, case: Case) -> bool:
    """Tell whether the law has renewed what a case asks to renew (是否应视为准予延续), and nobody wrote it down yet."""
    return _concerned(work, case) is not None


def _pending(work: Work, licence: Licence) -> Case | None:
    holder = people.holder_of(work, licence.holder_code)
    undecided = select(Case).where(Case.applicant_id == holder, Case.status.in_(_UNDECIDED))
    for case in work.session.scalars(undecided.order_by(Case.filed_at, Case.number)):
        concerned = _concerned(work, case)
        if concerned is not None and concerned.id == licence.id:
            return case
    return None


def _concerned(work: Work, case: Case) -> Licence | None:
    """Find the licence that an undecided case asks to renew, was asked in time to, and that has run out since."""
    manifest = items.pack_of(work, case).manifest
    rule = manifest.licence
    if rule is None or rule.act != "renew" or case.status not in _UNDECIDED:
        return None
    context = {"answers": answers.latest(work, case, answers.FILING)}
    number = feel.evaluate(rule.of, context)
    licence = certificates.find_by_number(work.session, str(number)) if number else None
    if licence is None or licence.state is not State.VALID or not certificates.expired(licence, work.today):
        return None
    assert licence.valid_until is not None
    days = statutes.renewal().days if rule.renew_days is None else rule.renew_days
    filed, whole = case.filed_at, countdowns.began_at(work, case, "acceptance")
    in_time = _day(work, filed) <= licence.valid_until - timedelta(days=days)
    # What was put right only afterwards was not the office's to decide before.
    in_time = in_time and _day(work, whole) <= licence.valid_until
    return licence if in_time and licences.is_of(work, case, licence) else None


def _day(work: Work, instant: datetime) -> date:
    return legal_day(instant, work.office.settings.tz)
