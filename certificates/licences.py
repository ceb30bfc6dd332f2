"""Electronic licences (电子证照): issue, suspend, end, find. Nothing is ever deleted.

Write down what you are about to sign before you sign: `intend` records the licence and its statement, `seal`
makes it valid. `issue` does both in the caller's transaction; a remote seal does them in two.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certificates import numbers, seals, statements
from certificates.errors import IllegalAct, LicenceUnknown, ReasonMissing
from certificates.identifiers import Identifier, require_type_code
from certificates.parties import Holder, Issuer
from certificates.seals import Sealer
from certificates.tables import Act, Licence, LicenceAct, State

# Crockford's base32: no I, L, O, U, so that a code read aloud or copied by hand comes back right.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TOKEN_LENGTH = 20
_CHECK_CODE_LENGTH = 6
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_LEAP_DAY = (2, 29)


class Rule(NamedTuple):
    """From which states an act leads to which (行为规则)."""

    from_: frozenset[State]
    leads_to: State


_IN_FORCE = frozenset({State.VALID, State.SUSPENDED})
ENDED: Final = frozenset({State.REVOKED, State.RESCINDED, State.CANCELLED})
LAWFUL: Final[Mapping[Act, Rule]] = {
    Act.SUSPEND: Rule(frozenset({State.VALID}), State.SUSPENDED),
    Act.RESUME: Rule(frozenset({State.SUSPENDED}), State.VALID),
    Act.REVOKE: Rule(_IN_FORCE, State.REVOKED),
    Act.RESCIND: Rule(_IN_FORCE, State.RESCINDED),
    Act.CANCEL: Rule(_IN_FORCE | {State.REVOKED, State.RESCINDED}, State.CANCELLED),
}


@dataclass(frozen=True)
class LicenceType:
    """A kind of licence (证照类型): 21-character code (GB/T 36904), name, number pattern, years it holds.

    No years means long-term (长期). `public_fields` are what a stranger may see. Raises IdentifierInvalid for
    the code, NumberPatternInvalid for the pattern.
    """

    code: str
    name: str
    number_pattern: str
    validity_years: int | None = None
    public_fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a type that could not issue, when it is read and not when the first case is granted."""
        require_type_code(self.code)
        numbers.require_pattern(self.number_pattern)

    def last_day(self, first: date) -> date | None:
        """Say how long it holds (有效期至): the day before the anniversary, or None for long-term."""
        if self.validity_years is None:
            return None
        year = first.year + self.validity_years
        if (first.month, first.day) == _LEAP_DAY:
            return date(year, 3, 1) - timedelta(days=1)
        return first.replace(year=year) - timedelta(days=1)


@dataclass(frozen=True)
class Draft:
    """What a licence shall say (拟发证照内容); days are legal days, `source` is what grants it, such as a case."""

    type: LicenceType
    holder: Holder
    fields: Mapping[str, Any]
    issuer: Issuer
    source: str
    issued_on: date
    valid_from: date
    valid_until: date | None


def issue(session: Session, draft: Draft, sealer: Sealer, *, now: datetime, actor: str) -> Licence:
    """Issue a licence (颁发证照): intend, then seal, in the caller's transaction; a source issues once.

    Raises what `intend` and `seal` raise.
    """
    licence = intend(session, draft, now=now, actor=actor)
    if licence.state is State.INTENDED:
        seal(session, licence, sealer, now=now, actor=actor)
    return licence


def intend(session: Session, draft: Draft, *, now: datetime, actor: str) -> Licence:
    """Write down a licence before it is sealed (拟发证照), with its number, identifier, token and check code.

    The number's parts come from the draft's fields, with `year` and the issuer's `region` where they lack them.
    `now` is an aware instant. Asked twice for one source, even at once, it returns the
    same licence. Raises NumberPatternInvalid, NumbersExhausted, IdentifierInvalid, NotCanonical.
    """
    if known := find_by_source(session, draft.source):
        return known
    try:
        with session.begin_nested():
            number = numbers.draw(session, draft.type.number_pattern, _parts(draft))
            serial = "".join(character for character in number if character.isascii() and character.isalnum())
            licence = Licence(
                id=uuid.uuid4(),
                state=State.INTENDED,
                source=draft.source,
                type_code=draft.type.code,
                type_name=draft.type.name,
                identifier=str(Identifier(draft.type.code, draft.issuer.uscc, serial)),
                number=number,
                token=_random(_TOKEN_LENGTH),
                check_code=_random(_CHECK_CODE_LENGTH),
                holder_name=draft.holder.name,
                holder_code=draft.holder.code,
                holder_code_type=draft.holder.code_type,
                issuer_code=draft.issuer.code,
                issuer_uscc=draft.issuer.uscc,
                issuer_name=draft.issuer.name,
                fields=dict(draft.fields),
                public_fields=list(draft.type.public_fields),
                issued_on=draft.issued_on,
                valid_from=draft.valid_from,
                valid_until=draft.valid_until,
                intended_at=now,
            )
            licence.statement = statements.compose(licence).decode()
            session.add(licence)
            session.flush()
            _record(session, licence, Act.INTEND, at=now, actor=actor)
    except IntegrityError:
        if known := find_by_source(session, draft.source):  # somebody asked for the same at the same moment
            return known
        raise
    return licence


def seal(session: Session, licence: Licence, sealer: Sealer, *, now: datetime, actor: str) -> None:
    """Seal an intended licence (签章), which makes it valid.

    Raises IllegalAct when it is not intended any more, SealRefused when the seal is not the issuer's or its
    certificate does not hold now.
    """
    if licence.state is not State.INTENDED:
        raise IllegalAct(act=Act.SEAL, number=licence.number, state=licence.state)
    seals.require_entitled(sealer, licence.issuer_uscc, now)
    jws = seals.seal(licence.statement.encode(), sealer, now)
    _move(session, licence, Act.SEAL, State.INTENDED, state=State.VALID, seal=jws, sealed_at=now)
    _record(session, licence, Act.SEAL, at=now, actor=actor)


def perform(session: Session, number: str, act: Act, *, reason: str, basis: str, actor: str, now: datetime) -> Licence:
    """Do to a licence what the law allows (证照行为), stating the reason and the article: `LAWFUL` says when.

    Suspended (暂扣) it may be given back (发还); revoked (吊销, 行政处罚法 art. 9) or rescinded (撤销, 行政许可法
    art. 69) it may still be cancelled (注销, 行政许可法 art. 70). Raises ReasonMissing, LicenceUnknown, and
    IllegalAct from any other state.
    """
    if not reason.strip() or not basis.strip():
        raise ReasonMissing(act=act, number=number)
    licence = find_by_number(session, number)
    if licence is None:
        raise LicenceUnknown(number=number)
    if act not in lawful(licence):
        raise IllegalAct(act=act, number=licence.number, state=licence.state)
    new = LAWFUL[act].leads_to
    ended = (licence.ended_at or now) if new in ENDED else None
    _move(session, licence, act, licence.state, state=new, ended_at=ended)
    _record(session, licence, act, at=now, actor=actor, reason=reason, basis=basis)
    return licence


def lawful(licence: Licence) -> tuple[Act, ...]:
    """Tell which acts may be done to a licence where it stands (可作出的行为), those of `LAWFUL`, in its order."""
    return tuple(act for act, rule in LAWFUL.items() if licence.state in rule.from_)


def find_by_number(session: Session, number: str) -> Licence | None:
    """Find a licence by its number (按证照编号), as printed."""
    if not number.isprintable():  # NUL and half characters, which a database driver would choke on
        return None
    return session.scalar(select(Licence).where(Licence.number == number.strip()))


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


def _parts(draft: Draft) -> dict[str, str]:
    said = {name: value for name, value in draft.fields.items() if isinstance(value, str)}
    return {"year": f"{draft.issued_on.year:04d}", "region": draft.issuer.region, **said}


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _move(session: Session, licence: Licence, act: Act, old: State, **values: Any) -> None:
    """Change the state only if it still is the old one, so that of two at once one is told."""
    unmoved = update(Licence).where(Licence.id == licence.id, Licence.state == old)
    moved = session.scalar(unmoved.values(**values).returning(Licence.id))
    session.refresh(licence)
    if moved is None:
        raise IllegalAct(act=act, number=licence.number, state=licence.state)


def _record(session: Session, licence: Licence, act: Act, **facts: Any) -> None:
    session.add(LicenceAct(licence_id=licence.id, act=act, **facts))
    session.flush()
