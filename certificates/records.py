"""What the store holds (证照库查找): a licence by number, token, source or holder, and what was done to it."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.tables import Licence, LicenceAct, State

# Codes of ours are read aloud and copied by hand; they lack I, L, O and U.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def find_by_number(session: Session, number: str) -> Licence | None:
    """Find a licence by its number (按证照编号), as printed: the newest version that was sealed, if any was."""
    return next(iter(versions(session, number)), None)


def versions(session: Session, number: str) -> Sequence[Licence]:
    """List all versions of a licence (历次版本), the one that counts first, one not yet sealed last."""
    if not number.isprintable():  # NUL and half characters, which a database driver would choke on
        return []
    of_number = select(Licence).where(Licence.number == number.strip())
    return session.scalars(of_number.order_by(Licence.state == State.INTENDED, Licence.version.desc())).all()


def find_by_token(session: Session, token: str) -> Licence | None:
    """Find a licence by its public token (按查验标识), however it was typed."""
    if not token.isprintable():
        return None
    return session.scalar(select(Licence).where(Licence.token == tidy(token)))


def find_by_source(session: Session, source: str) -> Licence | None:
    """Find the licence that a case gave (按来源办件)."""
    return session.scalar(select(Licence).where(Licence.source == source))


def find_by_holder(session: Session, code: str) -> Sequence[Licence]:
    """Find a holder's licences (按持证主体代码), newest first."""
    newest_first = Licence.intended_at.desc()
    return session.scalars(select(Licence).where(Licence.holder_code == code).order_by(newest_first)).all()


def acts(session: Session, licence: Licence) -> Sequence[LicenceAct]:
    """Tell what was done to a licence (证照行为记录), oldest first."""
    return session.scalars(select(LicenceAct).where(LicenceAct.licence_id == licence.id).order_by(LicenceAct.id)).all()


def tidy(code: str) -> str:
    """Read a token or check code as it was meant (规整): capitals, no dashes, O is 0, I and L are 1."""
    return code.upper().translate(_MISREAD)
