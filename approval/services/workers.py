"""What a worker does (后台执行): run one carried errand, sweep the timers. No queue is known here."""

import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from approval.domain.actors import SYSTEM
from approval.domain.errors import Objected, Overtaken
from approval.models.cases import Case
from approval.models.tasks import Errand, ErrandProgress
from approval.office import Office, Work, conflicted
from approval.services import (
    calls,
    deliveries,
    drafts,
    drawings,
    errands,
    incidents,
    licences,
    logs,
    mailings,
    offline,
    procedures,
    reissues,
    renditions,
    renewals,
    snapshots,
    statements,
    timers,
    tokens,
    wallets,
)
from approval.services.errands import Carried
from certificates import AuthorityUnusable, SealRefused, TimestampUnavailable

__all__ = ["calls", "carry", "expire", "extend", "publish", "run_errand", "sequence", "sweep", "tidy"]

_log = logging.getLogger(__name__)
# A case whose timers breed timers that are due at once must not keep a worker from everything else.
_MOST_A_SWEEP = 1_000
_MOST_BATCHES = 5
_MOST_EXTENDED = 20
# Of a worker that dies with its errand nobody learns why.
_LOST = "worker-lost"


def carry(office: Office, errand_id: UUID) -> bool:
    """Run one errand as a worker does (承办自动事务): what fails is tried again later, in the end it is an incident.

    True when it is done. Attempts are counted as they begin, so that those count too that took their worker with
    them; how many is a setting.
    """
    try:
        return run_errand(office, errand_id)
    except Exception as reason:  # noqa: BLE001 -- logged with its trace, kept as the errand's own
        _log.warning("errand %s failed", errand_id, exc_info=reason)
        office.do(partial(_note_failure, errand_id=errand_id, reason=reason))
        return False


def run_errand(office: Office, errand_id: UUID) -> bool:
    """Run one errand (执行自动事务) and move its procedure on; False when it is done, dropped, held or an incident.

    May be called again after any failure or power cut: what is slow is made outside a transaction and may be
    made twice, what is kept is kept with the end of the errand, once, under the lock of its case. Raises whatever
    goes wrong.
    """
    begun = office.do(lambda work: _begin(work, errand_id))
    if begun is None:
        return False
    carried, gathered = begun
    try:
        made = carried.make(office, gathered)
    except Objected as declined:
        code = str(declined.facts.get("error", ""))
        return office.do(lambda work: _fail(work, errand_id, code))
    return office.do(lambda work: _end(work, errand_id, carried, made))


def sweep(office: Office) -> int:
    """Fire every timer that is due (巡查到期定时), case by case, and return how many fired.

    Each case has a Work of its own. One that cannot move is tried again later and holds nobody up.
    """
    with office.work(by=SYSTEM, read_only=True) as work:
        if not timers.any_due(work):
            return 0
    fired = 0
    for _ in range(_MOST_A_SWEEP):
        claimed: list[UUID] = []
        try:
            with office.work(by=SYSTEM) as work:
                case = timers.claim(work)
                if case is None:
                    break
                claimed.append(case.id)
                fired += len(timers.fire_all(work, case))
        except Exception as reason:
            if not claimed:
                raise
            _let_be(office, claimed[0], reason)
    return fired


def tidy(office: Office) -> int:
    """Forget drafts, snapshots, tokens, offers that are over, clear bytes nobody refers to (清理); return how many."""
    with office.work(by=SYSTEM) as work:
        gone = drafts.forget(work) + snapshots.forget(work) + tokens.forget(work) + wallets.forget(work)
    while True:  # a few at a time, so that nobody waits long for the database
        with office.work(by=SYSTEM) as work:
            cleared = drafts.clear(work)
        if not cleared:
            return gone
        gone += cleared


def expire(office: Office) -> int:
    """Write down which licences have expired, or by silence go on (证照到期巡查), and return how many.

    Each in a Work of its own. One that cannot be is left for the next round and holds nobody up.
    """
    count = 0
    while True:
        with office.work(by=SYSTEM, read_only=True) as work:
            found = licences.lapsed(work)
        done = sum(_expired(office, case_id, number) for case_id, number in found)
        count += done
        if not done:
            return count


def _expired(office: Office, case_id: UUID, number: str) -> bool:
    try:
        return office.do(partial(renewals.lapse, case_id=case_id, number=number))
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("licence %s could not be written down as expired", number)
        return False


def sequence(office: Office) -> int:
    """Log what was done since the last time (入账巡查), and return how many rows that were.

    Some thousands at most: after an upgrade there may be millions, and what is due by law does not wait for them.
    """
    count = 0
    for _ in range(_MOST_BATCHES):
        with office.work(by=SYSTEM, read_only=True) as work:
            if not logs.waiting(work):
                break
        done = office.do(logs.sequence)
        count += done
        if not done:  # another worker is at it
            break
    return count


def publish(office: Office) -> int:
    """Sign the status lists anew where it is time (状态列表巡查), each in a Work of its own, and return how many.

    A department whose list cannot be signed holds up no other.
    """
    with office.work(by=SYSTEM, read_only=True) as work:
        issuing = offline.issuing(work)
    return sum(_published(office, code) for code in issuing)


def _published(office: Office, code: str) -> bool:
    try:
        return office.do(partial(offline.publish, code=code))
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("the status list of %s could not be signed", code)
        return False


def draw(office: Office) -> int:
    """Draw licences from the list (制作证照巡查), some dozens a turn, and return how many were drawn."""
    with office.work(by=SYSTEM, read_only=True) as work:
        found = renditions.waiting(work)
    return sum(_tried(renditions.draw, office, licence_id) for licence_id in found)


def draw_notices(office: Office) -> int:
    """Draw formal notices from the list (制作文书巡查), some dozens a turn, and return how many were drawn."""
    with office.work(by=SYSTEM, read_only=True) as work:
        found = drawings.waiting(work)
    return sum(_tried(drawings.draw, office, formal_id) for formal_id in found)


def send(office: Office) -> int:
    """Send letters about formal notices (投递巡查), and return how many were sent.

    The first that fails ends the round: a server that hangs must not hold up what is due by law.
    """
    with office.work(by=SYSTEM, read_only=True) as work:
        found = mailings.waiting(work)
    sent = 0
    for delivery_id in found:
        if not _tried(mailings.send, office, delivery_id):
            break
        sent += 1
    return sent


def settle(office: Office) -> int:
    """Write down which announcements have run their period (公告期满巡查), and who let their time to speak go by.

    Whatever waits for nobody any more goes on. Return how many.
    """
    settled = office.do(deliveries.settle)
    for overdue, act in ((statements.overdue, statements.lapse), (statements.stalled, statements.wake)):
        with office.work(by=SYSTEM, read_only=True) as work:
            found = overdue(work)
        settled += sum(_tried(act, office, subject) for subject in found)
    return settled


def _tried(act: Callable[[Office, UUID], bool], office: Office, subject: UUID) -> bool:
    try:
        return act(office, subject)
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("%s failed for %s", act.__name__, subject)
        return False


def reissue(office: Office) -> int:
    """Go on with what is reissued in bulk (批量换发巡查), and return how many steps were taken.

    Some a turn: what is due by law does not wait for it. A job that cannot go on holds up no other.
    """
    with office.work(by=SYSTEM, read_only=True) as work:
        jobs = reissues.open_jobs(work)
    return sum(_stepped(office, job) for job in jobs for _ in range(_MOST_BATCHES))


def _stepped(office: Office, job: UUID) -> bool:
    try:
        return office.do(partial(reissues.step, job_id=job))
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("the reissue %s could not go on", job)
        return False


def extend(office: Office) -> int:
    """Add long-term validation data to sealed PDFs that wait for it (长期验证巡查), a few, and return how many.

    One that cannot be extended is tried again later and holds up no other; a timestamping authority that is away
    ends the round.
    """
    count = 0
    for _ in range(_MOST_EXTENDED):
        try:
            if not renditions.extend(office):
                break
            count += 1
        except (AuthorityUnusable, TimestampUnavailable) as reason:
            _log.warning("sealed PDFs wait for their timestamp: %s", reason)
            break
        except SealRefused as reason:
            _log.warning("a sealed PDF could not be extended: %s", reason)
    return count


def _let_be(office: Office, case_id: UUID, reason: Exception) -> None:
    if isinstance(reason, Overtaken) and conflicted(reason):
        return
    _log.warning("the timers of case %s could not fire", case_id, exc_info=reason)
    office.do(lambda work: timers.note_trial(work, case_id, reason))


def _begin(work: Work, errand_id: UUID) -> tuple[Carried, object] | None:
    case, errand = _locked(work, errand_id)
    if errand.progress != ErrandProgress.OPEN or case.held_at is not None:
        return None
    if errand.attempts >= work.office.settings.errand_attempts:
        incidents.report(work, case, errand, _LOST, errand.attempts)
        return None
    errand.attempts += 1
    carried = errands.carried(errand.errand)
    assert carried is not None, errand.errand
    return carried, carried.look(work, case, errand)


def _end(work: Work, errand_id: UUID, carried: Carried, made: object) -> bool:
    case, errand = _locked(work, errand_id)
    if errand.progress != ErrandProgress.OPEN or case.held_at is not None:
        return False
    outcome = carried.keep(work, case, made)
    errand.progress, errand.closed_at, errand.result = ErrandProgress.DONE, work.now, outcome
    work.session.flush()
    procedures.complete(work, case, errand.item, outcome)
    return True


def _fail(work: Work, errand_id: UUID, code: str) -> bool:
    case, errand = _locked(work, errand_id)
    if errand.progress != ErrandProgress.OPEN or case.held_at is not None:
        return False
    errand.progress, errand.closed_at, errand.result = ErrandProgress.DONE, work.now, {"error": code}
    work.session.flush()
    procedures.fail(work, case, errand, code)
    return True


def _note_failure(work: Work, errand_id: UUID, reason: Exception) -> None:
    case, errand = _locked(work, errand_id)
    if errand.progress != ErrandProgress.OPEN:
        return
    if incidents.hopeless(work, reason, errand.attempts):
        incidents.report(work, case, errand, reason, errand.attempts)
        return
    errand.retries += 1
    pause = incidents.pause(errand.attempts)
    work.office.carrier.enqueue(work.session, errand.id, errand.retries, pause.total_seconds())


def _locked(work: Work, errand_id: UUID) -> tuple[Case, Errand]:
    errand = work.session.get_one(Errand, errand_id)
    case = work.session.get_one(Case, errand.case_id, with_for_update=True)
    work.session.refresh(errand)
    return case, errand
