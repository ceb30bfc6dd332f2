"""Electronic licences (电子证照): issue, succeed, suspend, end, find. Nothing is ever deleted.

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
from sqlalchemy.orm import Session

from certificates import numbers, seals, statements, writing
from certificates.errors import IllegalAct, LicenceUnknown, ReasonMissing
from certificates.identifiers import Identifier, require_type_code
from certificates.parties import Holder, Issuer
from certificates.records import find_by_number, find_by_source
from certificates.seals import Sealer
from certificates.tables import Act, Licence, LicenceAct, State

# Crockford's base32: no I, L, O, U, so that a code read aloud or copied by hand comes back right.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TOKEN_LENGTH = 20
_CHECK_CODE_LENGTH = 6
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
    Act.CANCEL: Rule(_IN_FORCE | {State.EXPIRED, State.REVOKED, State.RESCINDED}, State.CANCELLED),
}
SUCCESSIONS: Final = frozenset({Act.CHANGE, Act.RENEW, Act.REISSUE})


@dataclass(frozen=True)
class LicenceType:
    """A kind of licence (证照类型): 21-character code (GB/T 36904), name, number pattern, years it holds.

    No years means long-term (长期). `public_fields` are what a stranger may see,
    `shared_fields` what another department may that has a right to. Raises IdentifierInvalid for
    the code, NumberPatternInvalid for the pattern.
    """

    code: str
    name: str
    number_pattern: str
    validity_years: int | None = None
    public_fields: tuple[str, ...] = ()
    shared_fields: tuple[str, ...] = ()

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


@dataclass(frozen=True)
class Succession:
    """What takes a licence's place (换发内容): by which act, for what reason and article, from what source.

    `holder` and `fields` matter to a change (变更), which keeps the days; `valid_until` to a renewal (延续), which
    holds from `issued_on` and must have been applied for, `applied_on`, before the licence expired; a reissue (补领、
    换发) says the same once more, under the `issuer` that has taken over (职能划转) if one has. The number is kept by
    all. `type` is how the type stands by now: its name, and who may see what.
    """

    act: Act
    source: str
    issued_on: date
    reason: str
    basis: str
    holder: Holder | None = None
    fields: Mapping[str, Any] | None = None
    valid_until: date | None = None
    applied_on: date | None = None
    type: LicenceType | None = None
    issuer: Issuer | None = None


def issue(session: Session, draft: Draft, sealer: Sealer, *, now: datetime, actor: str) -> Licence:
    """Issue a licence (颁发证照), intended and sealed at once, in the caller's transaction; a source issues once.

    Raises what `intend` and `seal` raise.
    """
    licence = _drafted(session, draft, now)
    seals.require_entitled(sealer, licence.issuer_uscc, now)
    licence.seal = seals.seal(licence.statement.encode(), sealer, now)
    licence.state, licence.sealed_at = State.VALID, now
    if writing.write(session, licence, (Act.INTEND, Act.SEAL), now, actor):
        return licence
    known = _given_back(session, draft)
    if known.state is State.INTENDED:
        seal(session, known, sealer, now=now, actor=actor)
    return known


def intend(session: Session, draft: Draft, *, now: datetime, actor: str) -> Licence:
    """Write down a licence before it is sealed (拟发证照), with its number, identifier, token and check code.

    The number's parts come from the draft's fields, with `year` and the issuer's `region` where they lack them.
    `now` is an aware instant. Asked twice for one source, even at once, it returns the
    same licence. Raises NumberPatternInvalid, NumbersExhausted, IdentifierInvalid, NotCanonical.
    """
    licence = _drafted(session, draft, now)
    return licence if writing.write(session, licence, (Act.INTEND,), now, actor) else _given_back(session, draft)


def succeed(session: Session, number: str, new: Succession, sealer: Sealer, *, now: datetime, actor: str) -> Licence:
    """Let a new version take a licence's place (变更、延续、补领): `intend_succession`, then `seal`.

    In the caller's transaction; a source issues once. Raises what those two raise.
    """
    licence = intend_succession(session, number, new, now=now, actor=actor)
    if licence.state is State.INTENDED:
        seal(session, licence, sealer, now=now, actor=actor, reason=new.reason, basis=new.basis)
    return licence


def intend_succession(session: Session, number: str, new: Succession, *, now: datetime, actor: str) -> Licence:
    """Write down the version that is to take a licence's place (拟换发证照), before it is sealed.

    Only a valid licence that has not expired on the day can be changed or reissued (行政许可法第四十九条); one that was
    applied for in time is renewed though it has expired meanwhile, because the delay is not the holder's (第五十条).
    The holder is not exchanged. Asked twice for one source it returns the same version. Raises
    ReasonMissing, LicenceUnknown, IllegalAct, NotCanonical.
    """
    if known := find_by_source(session, new.source):
        return known
    if not new.reason.strip() or not new.basis.strip():
        raise ReasonMissing(act=new.act, number=number)
    old = find_by_number(session, number)
    if old is None or old.state is State.INTENDED:
        raise LicenceUnknown(number=number)
    if new.act not in SUCCESSIONS or old.state not in _succeeded(new.act):
        raise IllegalAct(act=new.act, number=old.number, state=old.state)
    asked_on = new.applied_on if new.act is Act.RENEW and new.applied_on else new.issued_on
    if expired(old, asked_on):
        raise IllegalAct(act=new.act, number=old.number, state=State.EXPIRED)
    holder = new.holder if new.act is Act.CHANGE and new.holder else old.holder
    if (holder.code, holder.code_type) != (old.holder_code, old.holder_code_type):
        raise IllegalAct(act=new.act, number=old.number, state=old.state, holder=holder.code)
    if new.type is not None and new.type.code != old.type_code:
        raise IllegalAct(act=new.act, number=old.number, state=old.state, type=new.type.code)
    renewed = new.act is Act.RENEW
    issuer = new.issuer if new.act is Act.REISSUE and new.issuer else None

    licence = _written(
        number=old.number,
        version=old.version + 1,
        succession=new.act,
        source=new.source,
        type_code=old.type_code,
        type_name=new.type.name if new.type else old.type_name,
        holder_name=holder.name,
        holder_code=holder.code,
        holder_code_type=holder.code_type,
        issuer_code=issuer.code if issuer else old.issuer_code,
        issuer_uscc=issuer.uscc if issuer else old.issuer_uscc,
        issuer_name=issuer.name if issuer else old.issuer_name,
        fields=dict(new.fields if new.act is Act.CHANGE and new.fields is not None else old.fields),
        public_fields=list(new.type.public_fields if new.type else old.public_fields),
        shared_fields=list(new.type.shared_fields if new.type else old.shared_fields),
        issued_on=old.issued_on if new.act is Act.REISSUE else new.issued_on,
        valid_from=new.issued_on if renewed else old.valid_from,
        valid_until=new.valid_until if renewed else old.valid_until,
        intended_at=now,
    )
    if writing.write(session, licence, (Act.INTEND,), now, actor):
        return licence
    known = find_by_source(session, new.source)  # somebody asked for the same at the same moment
    assert known is not None
    return known


def seal(
    session: Session,
    licence: Licence,
    sealer: Sealer,
    *,
    now: datetime,
    actor: str,
    reason: str = "",
    basis: str = "",
) -> None:
    """Seal an intended licence (签章), which makes it valid and the version before it superseded (换发).

    `reason` and `basis` are of the act that a later version owes its being to. Raises IllegalAct when it is not
    intended any more, or the version before it has ended or is withheld by now; ReasonMissing; SealRefused when the
    seal is not the issuer's or its certificate does not hold now.
    """
    if licence.state is not State.INTENDED:
        raise IllegalAct(act=Act.SEAL, number=licence.number, state=licence.state)
    seals.require_entitled(sealer, licence.issuer_uscc, now)
    if licence.succession is not None:
        _supersede(session, licence, now=now, actor=actor, reason=reason, basis=basis)
    jws = seals.seal(licence.statement.encode(), sealer, now)
    _move(session, licence, Act.SEAL, State.INTENDED, state=State.VALID, seal=jws, sealed_at=now)
    _record(session, licence, Act.SEAL, at=now, actor=actor)


def perform(session: Session, number: str, act: Act, *, reason: str, basis: str, actor: str, now: datetime) -> Licence:
    """Do to a licence what the law allows (证照行为), stating the reason and the article: `LAWFUL` says when.

    Suspended (暂扣) it may be given back (发还); revoked (吊销, 行政处罚法第九条) or rescinded (撤销, 行政许可法
    第六十九条) it may still be cancelled (注销, 行政许可法第七十条). Raises ReasonMissing, LicenceUnknown, and
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


def expire(session: Session, licence: Licence, *, today: date, now: datetime, actor: str) -> None:
    """Write down that a licence's last day has passed (到期失效); verification goes by the day itself.

    `today` is the legal day. Raises IllegalAct for one that has days left or is not in force.
    """
    if licence.state not in _IN_FORCE or not expired(licence, today):
        raise IllegalAct(act=Act.EXPIRE, number=licence.number, state=licence.state)
    _move(session, licence, Act.EXPIRE, licence.state, state=State.EXPIRED)
    _record(session, licence, Act.EXPIRE, at=now, actor=actor)


def expired(licence: Licence, today: date) -> bool:
    """Tell whether the last day has passed (已届满); a long-term licence has none."""
    return licence.valid_until is not None and licence.valid_until < today


def lapsed(session: Session, today: date, *, limit: int) -> Sequence[Licence]:
    """List licences in force whose last day has passed (到期证照), the longest past first, at most `limit`."""
    past = select(Licence).where(Licence.state.in_(_IN_FORCE), Licence.valid_until < today)
    return session.scalars(past.order_by(Licence.valid_until, Licence.id).limit(limit)).all()


def lawful(licence: Licence) -> tuple[Act, ...]:
    """Tell which acts may be done to a licence where it stands (可作出的行为), those of `LAWFUL`, in its order."""
    return tuple(act for act, rule in LAWFUL.items() if licence.state in rule.from_)


def _parts(draft: Draft) -> dict[str, str]:
    said = {name: value for name, value in draft.fields.items() if isinstance(value, str)}
    return {"year": f"{draft.issued_on.year:04d}", "region": draft.issuer.region, **said}


def _drafted(session: Session, draft: Draft, now: datetime) -> Licence:
    return _written(
        number=numbers.draw(session, draft.type.number_pattern, _parts(draft)),
        version=1,
        source=draft.source,
        type_code=draft.type.code,
        type_name=draft.type.name,
        holder_name=draft.holder.name,
        holder_code=draft.holder.code,
        holder_code_type=draft.holder.code_type,
        issuer_code=draft.issuer.code,
        issuer_uscc=draft.issuer.uscc,
        issuer_name=draft.issuer.name,
        fields=dict(draft.fields),
        public_fields=list(draft.type.public_fields),
        shared_fields=list(draft.type.shared_fields),
        issued_on=draft.issued_on,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        intended_at=now,
    )


def _given_back(session: Session, draft: Draft) -> Licence:
    """Find what the source was given before, and give the number that was drawn for it back."""
    numbers.give_back(session, draft.type.number_pattern, _parts(draft))
    known = find_by_source(session, draft.source)
    assert known is not None
    return known


def _written(*, number: str, version: int, **said: Any) -> Licence:
    serial = "".join(character for character in number if character.isascii() and character.isalnum())
    licence = Licence(
        id=uuid.uuid4(),
        state=State.INTENDED,
        number=number,
        version=version,
        identifier=str(Identifier(said["type_code"], said["issuer_uscc"], serial, version)),
        token=make_token(),
        check_code=_random(_CHECK_CODE_LENGTH),
        **said,
    )
    licence.statement = statements.compose(licence).decode()
    return licence


def _succeeded(act: Act) -> frozenset[State]:
    return frozenset({State.VALID, State.EXPIRED} if act is Act.RENEW else {State.VALID})


def _supersede(session: Session, licence: Licence, *, now: datetime, actor: str, reason: str, basis: str) -> None:
    """Take the version before out of force; whatever befell it since the succession was written down stops it."""
    assert licence.succession is not None
    if not reason.strip() or not basis.strip():
        raise ReasonMissing(act=licence.succession, number=licence.number)
    before = select(Licence).where(Licence.number == licence.number, Licence.version == licence.version - 1)
    old = session.scalars(before).one()
    if old.state not in _succeeded(licence.succession):
        raise IllegalAct(act=licence.succession, number=old.number, state=old.state)
    _move(session, old, Act(licence.succession), old.state, state=State.SUPERSEDED)
    _record(session, old, Act(licence.succession), at=now, actor=actor, reason=reason, basis=basis)


def make_token() -> str:
    """Make a public look-up key (查验标识): 100 random bits, as it stands in the address of a QR code."""
    return _random(_TOKEN_LENGTH)


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
