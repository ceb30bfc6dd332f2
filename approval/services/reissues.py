"""Reissuing (补领、换发): the same licence made once more, for one holder or for all of a type.

All of a type are one job that any worker goes on with: each licence is done in a transaction that also says how far
the job has come, so that nothing is done twice and nothing is left out.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, func, or_, select

import certificates
from approval.domain import texts
from approval.domain.errors import AlreadyDone, AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.models.cases import Case
from approval.models.licences import Reissue
from approval.models.people import Department
from approval.office import Work
from approval.services import journal, licences, notices, renditions, tokens, types
from certificates import Act, CertificateError, Issuer, Licence, State, Succession

_A_WORK = 20
_MOST_FAILURES = 100
_TAG, _NOTICE = licences.TOLD[Act.REISSUE]


def again(work: Work, number: str, *, reason: str, basis: str, token: str | None = None) -> Licence:
    """Reissue one licence (补领), lost or spoilt, by a signer of the department that issued it; the holder is told.

    The number stays, codes and tokens are new, and whoever holds up the old one is told so. `token` makes a second
    sending the same act. Raises as `licences.in_charge`, `AnswersInvalid` for a reason or article that is missing,
    and the strong-house's `IllegalAct` for a licence that is not valid.
    """
    licences.in_charge(work, number)
    read, missing = _why(reason, basis)
    if missing:
        raise AnswersInvalid(missing=missing)
    known, _ = licences.held(work, number)
    if tokens.spent(work, token, _TAG, number):
        return known
    return _remake(work, known, reason=read[0], basis=read[1])


def begin(work: Work, type_code: str, department: str, *, reason: str, basis: str) -> Reissue:
    """Begin to reissue all valid licences of a type that a department issued (批量换发), by one of its signers.

    Raises `NotSignedIn`, `NotAllowed`, `NotFound` for a type that it never issued, `AnswersInvalid`, and `AlreadyDone`
    while such a job is under way.
    """
    _require_signer(work, department)
    read, missing = _why(reason, basis)
    if missing:
        raise AnswersInvalid(missing=missing)
    work.session.get_one(Department, department, with_for_update=True)
    running = select(Reissue.id).where(
        Reissue.type_code == type_code, Reissue.department_code == department, Reissue.ended_at.is_(None)
    )
    if work.session.scalar(running) is not None:
        raise AlreadyDone(type=type_code)
    wanted = _meant(type_code, department, work.now, work.today).with_only_columns(func.count()).order_by(None)
    total = work.session.scalar(wanted)
    if not total:
        raise NotFound(type=type_code)
    assert work.actor.person is not None
    job = Reissue(
        id=uuid4(),
        type_code=type_code,
        department_code=department,
        reason=read[0],
        basis=read[1],
        begun_by=work.actor.person,
        begun_at=work.now,
        total=total,
        done=0,
        failed=0,
        after="",
        failures=[],
    )
    work.session.add(job)
    work.session.flush()
    return job


def listed(work: Work) -> Sequence[Reissue]:
    """List the jobs of the departments that the actor signs for (批量换发清单), the newest first."""
    theirs = {post.department for post in work.actor.posts if post.role == "signer"}
    found = select(Reissue).where(Reissue.department_code.in_(theirs))
    return work.session.scalars(found.order_by(Reissue.begun_at.desc())).all()


def obtain(work: Work, job_id: UUID, *, lock: bool = False) -> Reissue:
    """Obtain a job of a department that the actor signs for (批量换发); raises `NotSignedIn`, `NotFound`."""
    if work.actor.person is None:
        raise NotSignedIn
    job = work.session.get(Reissue, job_id, with_for_update=lock or None, populate_existing=lock)
    if job is None or not work.actor.holds(job.department_code, "signer"):
        raise NotFound(reissue=str(job_id))
    return job


def halt(work: Work, job_id: UUID) -> Reissue:
    """Halt a job (暂停批量换发): what is done stays done; raises as `obtain`, `AlreadyDone` once it has ended."""
    job = obtain(work, job_id, lock=True)
    if job.ended_at is not None:
        raise AlreadyDone(reissue=str(job_id))
    job.halted_at = job.halted_at or work.now
    return job


def go_on(work: Work, job_id: UUID) -> Reissue:
    """Let a halted job go on (继续批量换发); raises as `halt`."""
    job = halt(work, job_id)
    job.halted_at = None
    return job


def issued_types(work: Work) -> list[tuple[str, str, str, int]]:
    """List what the actor's departments have issued that is valid (可批量换发): type, name, department, how many."""
    theirs = {post.department for post in work.actor.posts if post.role == "signer"}
    valid = (Licence.issuer_code.in_(theirs), Licence.state == State.VALID)
    grouped = select(Licence.type_code, func.max(Licence.type_name), Licence.issuer_code, func.count()).where(*valid)
    rows = work.session.execute(
        grouped.group_by(Licence.type_code, Licence.issuer_code).order_by(Licence.type_code, Licence.issuer_code)
    )
    return [(code, name, department, count) for code, name, department, count in rows]


def open_jobs(work: Work) -> list[UUID]:
    """List the jobs that a worker may go on with (在办批量换发), the oldest first."""
    running = select(Reissue.id).where(Reissue.ended_at.is_(None), Reissue.halted_at.is_(None))
    return list(work.session.scalars(running.order_by(Reissue.begun_at)))


def step(work: Work, job_id: UUID) -> bool:
    """Reissue the next licences of a job (批量换发一批), some a Work; False once there is nothing more to do.

    What the law or the seal does not allow is written down with its reason, and the job goes on.
    """
    job = work.session.get(Reissue, job_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if job is None or job.ended_at is not None or job.halted_at is not None:
        return False
    found = work.session.scalars(
        _meant(job.type_code, job.department_code, job.begun_at, work.today)
        .where(Licence.number > job.after)
        .limit(_A_WORK)
    ).all()
    # All cases before any number of a notice, and always in one order: who reissues a single one waits for no circle.
    now = {one.id: licences.held(work, one.number)[0] for one in sorted(found, key=licences.origin)}
    for licence in found:
        try:
            if now[licence.id] is licence:  # else a newer version came meanwhile, in today's form
                with work.session.begin_nested():
                    _remake(work, licence, reason=job.reason, basis=job.basis)
            job.done += 1
        except CertificateError as refused:
            job.failed += 1
            if len(job.failures) < _MOST_FAILURES:
                job.failures = [*job.failures, {"number": licence.number, "why": refused.code}]
        job.after = licence.number
    job.total = max(job.total, job.done + job.failed)  # some were given back since they were counted
    if len(found) < _A_WORK:
        job.ended_at = work.now
    return True


def _meant(type_code: str, department: str, until: datetime, today: date) -> Select[Licence]:
    """Choose what was issued before a job began: what came after is in today's form anyway."""
    held = or_(Licence.valid_until.is_(None), Licence.valid_until >= today)
    valid = (Licence.type_code == type_code, Licence.issuer_code == department, Licence.state == State.VALID)
    return select(Licence).where(*valid, held, Licence.sealed_at <= until).order_by(Licence.number)


def _remake(work: Work, old: Licence, *, reason: str, basis: str) -> Licence:
    case = work.session.get_one(Case, licences.origin(old))
    department = work.session.get_one(Department, old.issuer_code)
    found = types.newest(work, old.type_code)
    new = Succession(
        Act.REISSUE,
        source=f"{case.id}/{old.version + 1}",
        issued_on=work.today,
        reason=reason,
        basis=basis,
        type=types.kind(found[0]) if found else None,
        issuer=Issuer(department.code, department.uscc, department.zh),
    )
    sealer = work.office.authority.sealer(department.code)
    licence = certificates.succeed(work.session, old.number, new, sealer, now=work.now, actor=work.actor.label)
    renditions.ask(work, licence)
    journal.write(work, case, _TAG, number=licence.number)
    notices.tell(work, case, _NOTICE, licence=licence.number, reason=reason, basis=basis)
    return licence


def _why(reason: str, basis: str) -> tuple[list[str], list[Missing]]:
    return texts.reasons(
        ("answers.reason", "理由", reason, texts.LONGEST_REASON),
        ("answers.basis", "依据", basis, texts.LONGEST_REASON),
    )


def _require_signer(work: Work, department: str) -> None:
    if work.actor.person is None:
        raise NotSignedIn
    if not work.actor.holds(department, "signer"):
        raise NotAllowed(department=department)
