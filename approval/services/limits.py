"""Limits on guessing (尝试次数限制): failures are counted, successes are free."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select

from approval.domain.errors import TooMany
from approval.models.people import FailedAttempt
from approval.office import Work


def require_below(work: Work, kind: str, key: str, most: int) -> None:
    """Turn away whoever failed too often (限制尝试): `most` failures within the waiting time of the settings.

    Raises `TooMany` with the minutes to wait.
    """
    connection = work.session.connection()
    if connection.dialect.name == "postgresql" and not connection.get_execution_options().get("read_only"):
        # Of many guesses at once each waits for the one before; on SQLite a writing Work does so anyway. A Work that
        # only reads counts afterwards, when the lock would be gone.
        work.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"{kind}:{key}"))))
    minutes = work.office.settings.failure_minutes
    since = work.now - timedelta(minutes=minutes)
    failures = select(func.count()).where(
        FailedAttempt.kind == kind, FailedAttempt.key == key, FailedAttempt.at > since
    )
    if (work.session.scalar(failures) or 0) >= most:
        raise TooMany(minutes=minutes)


def note_failure(work: Work, kind: str, key: str) -> None:
    """Count one failure (记录失败), and forget those that no longer count."""
    old = work.now - timedelta(minutes=work.office.settings.failure_minutes)
    work.session.execute(delete(FailedAttempt).where(FailedAttempt.kind == kind, FailedAttempt.at < old))
    work.session.add(FailedAttempt(id=uuid4(), kind=kind, key=key, at=work.now))


def forget(work: Work, kind: str, key: str) -> None:
    """Forget the failures under a key (清除失败记录): somebody has shown to be right."""
    work.session.execute(delete(FailedAttempt).where(FailedAttempt.kind == kind, FailedAttempt.key == key))
