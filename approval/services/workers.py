"""What a worker does (后台执行): run one carried errand, sweep the timers. No queue is known here."""

import logging
from uuid import UUID

from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.domain.errors import NotAllowed
from approval.models.cases import Case
from approval.models.tasks import Errand, ErrandProgress
from approval.office import Office, Work
from approval.services import drafts, errands, journal, procedures, timers

_log = logging.getLogger(__name__)


def run_errand(office: Office, errand_id: UUID) -> bool:
    """Run one errand (执行自动事务) and move its procedure on; False when it is done, dropped or an incident.

    May be called again after any failure or power cut: what is slow is made outside a transaction and may be
    made twice, what is kept is kept with the end of the errand, once, under the lock of its case. An errand
    begun too often without an end becomes an incident, so that a poisonous one cannot kill workers for ever.
    """
    with office.work(by=SYSTEM) as work:
        case, errand = _locked(work, errand_id)
        if errand.progress != ErrandProgress.OPEN:
            return False
        errand.attempts += 1
        if errand.attempts > office.settings.errand_attempts:
            _to_incident(work, case, errand, "begun too often without an end")
            return False
        carried = errands.CARRIED[errand.errand]
        gathered = carried.look(work, case)
    made = carried.make(office, gathered)
    with office.work(by=SYSTEM) as work:
        case, errand = _locked(work, errand_id)
        if errand.progress != ErrandProgress.OPEN:
            return False
        outcome = carried.keep(work, case, made)
        errand.progress, errand.closed_at, errand.result = ErrandProgress.DONE, work.now, outcome
        work.session.flush()
        procedures.complete(work, case, errand.id, outcome)
    return True


def report_incident(office: Office, errand_id: UUID, reason: str) -> None:
    """Mark an errand that failed for good as an incident (转人工处理): it waits for a person, nothing is lost."""
    with office.work(by=SYSTEM) as work:
        case, errand = _locked(work, errand_id)
        if errand.progress == ErrandProgress.OPEN:
            _to_incident(work, case, errand, reason)


def retry_incidents(work: Work) -> int:
    """Open every incident again (重办转人工事务) once its cause is gone, and return how many there were.

    Raises `NotAllowed` unless an administrator or the system asks.
    """
    if not work.actor.administers:
        raise NotAllowed(errand="incident")
    waiting = select(Errand.id).where(Errand.progress == ErrandProgress.INCIDENT).order_by(Errand.opened_at)
    errand_ids = work.session.scalars(waiting).all()
    for errand_id in errand_ids:
        case, errand = _locked(work, errand_id)
        errand.progress, errand.attempts, errand.retries = ErrandProgress.OPEN, 0, errand.retries + 1
        journal.write(work, case, "errand:retried", errand=errand.errand)
        work.office.carrier.enqueue(work.session, errand.id, errand.retries)
    return len(errand_ids)


def sweep(office: Office) -> int:
    """Fire every timer that is due (巡查到期定时), case by case, and return how many fired."""
    with office.work(by=SYSTEM, read_only=True) as work:
        ripe = timers.due_cases(work)
    fired = 0
    for case_id in ripe:
        try:
            with office.work(by=SYSTEM) as work:
                fired += len(timers.fire(work, case_id))
        except Exception:  # noqa: BLE001 -- logged with its trace
            # One case that cannot move must not hold up the clocks of all others; it is tried again.
            _log.exception("the timers of case %s could not fire", case_id)
            with office.work(by=SYSTEM) as work:
                timers.note_trial(work, case_id)
    return fired


def tidy(office: Office) -> int:
    """Forget drafts whose time is over and clear bytes that nobody refers to (清理); return how many of both."""
    with office.work(by=SYSTEM) as work:
        gone = drafts.forget(work)
    while True:  # a few at a time, so that nobody waits long for the database
        with office.work(by=SYSTEM) as work:
            cleared = drafts.clear(work)
        if not cleared:
            return gone
        gone += cleared


def _locked(work: Work, errand_id: UUID) -> tuple[Case, Errand]:
    errand = work.session.get_one(Errand, errand_id)
    case = work.session.get_one(Case, errand.case_id, with_for_update=True)
    work.session.refresh(errand)
    return case, errand


def _to_incident(work: Work, case: Case, errand: Errand, reason: str) -> None:
    errand.progress = ErrandProgress.INCIDENT
    journal.write(work, case, "errand:incident", errand=errand.errand, reason=reason)
