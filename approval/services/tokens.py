"""Tokens (防重令牌): a page that is sent twice does what it asks for once."""

from datetime import timedelta

from sqlalchemy import CursorResult, delete

from approval.domain.errors import AlreadyDone
from approval.domain.texts import LONGEST_CODE
from approval.models.tokens import Token
from approval.office import Work

# Nobody sends a page again after so long; a session is over long before.
_KEPT = timedelta(days=30)


def spent(work: Work, token: str | None, act: str, subject: str) -> bool:
    """Tell whether the actor did this before with this very token (防重), and spend it if not.

    The caller holds the lock of the subject, so that of two at once the second is told, and has checked what was
    given: a page that is shown again with its faults goes on with its token. Raises `AlreadyDone` for a
    token that was spent on something else.
    """
    if not token:
        return False
    token = token[:LONGEST_CODE]
    before = work.session.get(Token, (work.actor.label, token))
    if before is None:
        work.session.add(Token(actor=work.actor.label, token=token, act=act, subject=subject, spent_at=work.now))
        work.session.flush()
    elif (before.act, before.subject) != (act, subject):
        raise AlreadyDone(act=before.act)
    return before is not None


def forget(work: Work) -> int:
    """Forget the tokens that nobody can send again (清理令牌), and return how many."""
    gone = work.session.execute(delete(Token).where(Token.spent_at < work.now - _KEPT))
    assert isinstance(gone, CursorResult)
    return gone.rowcount
