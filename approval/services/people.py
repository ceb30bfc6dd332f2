"""People (人员): who they are to the office, how they sign in, when a session ends."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select, update
from stdnum.cn import ric, uscc

from approval.domain import notices
from approval.domain.actors import ADMINISTRATOR, Actor, Post
from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.models import people as models
from approval.models.desks import Cover
from approval.models.parties import InterestedParty
from approval.models.people import Agency, Department, Organization, Person
from approval.office import Work
from approval.services import limits

_hasher = PasswordHasher()
_PASSWORDS, _ORIGINS = "password", "password-origin"
# A request a minute is often enough to know that somebody is there, and keeps reading pages read-only.
_SEEN_EVERY = timedelta(minutes=1)


def actor(work: Work, person_id: UUID, organization_id: UUID | None = None) -> Actor:
    """Say who a person is to the office (操作者): posts, and the organization acted for.

    Raises `NotFound` for nobody or somebody disabled, `NotAllowed` for an organization without agency (代理).
    """
    person = work.session.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        raise NotFound(person=str(person_id))
    if organization_id is not None and work.session.get(Agency, (person_id, organization_id)) is None:
        raise NotAllowed(organization=str(organization_id))
    held = [*person.posts, *_stood_in_for(work, person_id)]
    posts = frozenset(Post(post.department_code, post.role) for post in held)
    return Actor(person.name, person.id, organization_id, posts)


def actor_by_code(work: Work, code: str, organization: str | None = None) -> Actor:
    """Say who the person of a sign-in name is (按登录名), acting for an organization's code; raises as `actor`."""
    # Half characters and NUL are in no name, and a database driver would choke on them.
    person = work.session.scalar(select(Person.id).where(Person.code == code)) if code.isprintable() else None
    acted_for = None
    if organization is not None:
        acted_for = work.session.scalar(select(Organization.id).where(Organization.code == organization))
        if acted_for is None:
            raise NotFound(organization=organization)
    if person is None:
        raise NotFound(person=code)
    return actor(work, person, acted_for)


def applicant(work: Work, applicant_id: UUID, filed_by: UUID) -> dict[str, Any]:
    """Say who applies (申请人信息) to conditions and licence fields: kind, name, number, whether by an agent."""
    organization = work.session.get(Organization, applicant_id)
    if organization is not None:
        name, number = organization.name, organization.uscc
        return {"kind": "organization", "name": name, "number": number, "agent": True}
    person = work.session.get_one(Person, applicant_id)
    agent = filed_by != applicant_id
    return {"kind": "person", "name": person.name, "number": person.id_number, "agent": agent}


def holder_of(work: Work, number: str) -> UUID | None:
    """Find whose identity number or credit code a number is (按证件号码), person or organization; None for nobody's."""
    person = work.session.scalar(select(Person.id).where(Person.id_number == number))
    return person or work.session.scalar(select(Organization.id).where(Organization.uscc == number))


def name_of(work: Work, holder: UUID) -> str:
    """Say what a person or an organization is called (姓名或者名称)."""
    found = work.session.get(Person, holder) or work.session.get_one(Organization, holder)
    return found.name


def organizations(work: Work) -> list[Organization]:
    """List the organizations that the actor may act for (可代理的单位)."""
    theirs = select(Organization).join(Agency).where(Agency.person_id == work.actor.person)
    return list(work.session.scalars(theirs.order_by(Organization.name)))


def departments(work: Work) -> dict[str, Department]:
    """Bring the departments of the city (部门名录), by code."""
    return {department.code: department for department in work.session.scalars(select(Department))}


def enrol(
    work: Work,
    code: str,
    name: str,
    id_number: str,
    *,
    posts: tuple[Post, ...] = (),
    agent_for: tuple[str, ...] = (),
    password: str | None = None,
) -> Person:
    """Enrol a person (登记人员) with posts and agencies; raises `AnswersInvalid` for an identity number that is none.

    GB 11643: 18 characters with a check digit.
    """
    if not ric.is_valid(id_number):
        raise AnswersInvalid(missing=[Missing("answers.id_number", "wrong-form")])
    hashed = _hasher.hash(password) if password else None
    person = Person(id=uuid4(), code=code, name=normalize("NFC", name), id_number=id_number, password_hash=hashed)
    person.posts = [models.Post(department_code=post.department, role=post.role) for post in posts]
    work.session.add(person)
    work.session.flush()
    # Who was named as an interested party before finds their letters here, and keeps out of their own matter.
    unknown = update(InterestedParty).where(InterestedParty.id_number == id_number)
    work.session.execute(unknown.where(InterestedParty.holder_id.is_(None)).values(holder_id=person.id))
    for organization in agent_for:
        found = work.session.scalars(select(Organization).where(Organization.code == organization)).one()
        work.session.add(Agency(person_id=person.id, organization_id=found.id))
    work.session.flush()
    return person


def found(work: Work, city: Mapping[str, Any], password: str | None = None) -> None:
    """Found a city (建立机构与人员) from the parsed TOML of `city.toml`: departments, organizations, people.

    What already exists stays as it is. `password` is everyone's, for demonstration only.
    """
    for department in city["departments"]:
        if not notices.sound(department.get("notice_pattern") or notices.PATTERN):
            raise AnswersInvalid(missing=[Missing("departments.notice_pattern", "wrong-form", department["zh"])])
        if work.session.get(Department, department["code"]) is None:
            work.session.add(Department(**department))
    for organization in city["organizations"]:
        if not uscc.is_valid(organization["uscc"]):
            raise AnswersInvalid(missing=[Missing("organizations.uscc", "wrong-form", organization["zh"])])
        known = select(Organization.id).where(Organization.code == organization["code"])
        if work.session.scalar(known) is None:
            work.session.add(
                Organization(
                    id=uuid4(),
                    code=organization["code"],
                    uscc=organization["uscc"],
                    name=normalize("NFC", organization["zh"]),
                )
            )
    work.session.flush()
    for person in city["people"]:
        if work.session.scalar(select(Person.id).where(Person.code == person["code"])) is None:
            enrol(
                work,
                person["code"],
                person["name"],
                person["id_number"],
                posts=tuple(Post(post["department"], post["role"]) for post in person.get("posts", [])),
                agent_for=tuple(person.get("agent_for", [])),
                password=password,
            )


def set_password(work: Work, code: str, password: str) -> None:
    """Set a person's password (设置密码) and end all their sessions; raises `NotAllowed`, `NotFound`."""
    if not work.actor.administers:
        raise NotAllowed(person=code)
    person = work.session.scalars(select(Person).where(Person.code == code)).one_or_none()
    if person is None:
        raise NotFound(person=code)
    person.password_hash = _hasher.hash(password)
    end_sessions(work, person.id)


def sign_in(work: Work, name: str, password: str, origin: str = "") -> tuple[UUID, str] | None:
    """Sign a person in by password (密码登录): the person and the new session's token, or None with the failure kept.

    Raises `TooMany` while too many failures stand against the name, or against `origin`, which tells apart
    where people sign in from. A wrong name and a wrong password take the same time and look the same.
    """
    # No name is longer, and a key of the failures holds no more; NUL and half characters choke a database driver.
    name = name[:80] if name.isprintable() else ""
    limits.require_below(work, _PASSWORDS, name, work.office.settings.sign_in_failures)
    limits.require_below(work, _ORIGINS, origin, work.office.settings.address_failures)
    person = work.session.scalars(select(Person).where(Person.code == name)).one_or_none()
    hashed = person.password_hash if person and person.disabled_at is None else None
    try:
        _hasher.verify(hashed or _nobodys(), password)
    except VerificationError:
        hashed = None
    if person is None or hashed is None:
        limits.note_failure(work, _PASSWORDS, name)
        if origin:
            limits.note_failure(work, _ORIGINS, origin)
        return None
    if _hasher.check_needs_rehash(hashed):
        person.password_hash = _hasher.hash(password)
    limits.forget(work, _PASSWORDS, name)
    return person.id, begin_session(work, person.id)


def resume(work: Work, token: str) -> models.Session:
    """Resume a session (延续会话) by its token; raises `NotSignedIn` once it is idle, old, ended or unknown."""
    session = work.session.get(models.Session, _fingerprint(token))
    settings = work.office.settings
    if (
        session is None
        or work.now - session.seen_at > timedelta(minutes=settings.idle_minutes)
        or work.now - session.began_at > timedelta(hours=settings.session_hours)
    ):
        raise NotSignedIn
    return session


def is_stale(work: Work, session: models.Session) -> bool:
    """Tell whether it is time to note that the session is alive (会话活跃标记)."""
    return work.now - session.seen_at > _SEEN_EVERY


def keep_alive(work: Work, token: str) -> None:
    """Note that a session is in use (会话续时): its idle time begins anew; an ended session stays ended."""
    alive = update(models.Session).where(models.Session.token_sha256 == _fingerprint(token))
    work.session.execute(alive.values(seen_at=work.now))


def sign_out(work: Work, token: str) -> None:
    """End a session (退出登录) wherever its cookie may still be."""
    work.session.execute(delete(models.Session).where(models.Session.token_sha256 == _fingerprint(token)))


def switch(work: Work, code: str) -> tuple[UUID, str]:
    """Sign in as anybody (换人): for the demonstration, whose people are invented; as `sign_in` answers.

    Raises `NotAllowed` in production, `NotFound` for nobody or somebody disabled.
    """
    if work.office.settings.production:
        raise NotAllowed(person=code)
    person = actor_by_code(work, code).person
    assert person is not None  # whoever has a sign-in name is a person
    return person, begin_session(work, person)


def begin_session(work: Work, person_id: UUID) -> str:
    """Begin a session with a new token (建立会话) for somebody who has proved who they are; returns the token."""
    token = secrets.token_urlsafe(32)
    work.session.add(
        models.Session(token_sha256=_fingerprint(token), person_id=person_id, began_at=work.now, seen_at=work.now)
    )
    return token


def end_sessions(work: Work, person_id: UUID) -> None:
    """End all sessions of a person (结束全部会话), wherever they are signed in."""
    work.session.execute(delete(models.Session).where(models.Session.person_id == person_id))


def _stood_in_for(work: Work, person_id: UUID) -> Sequence[models.Post]:
    """Find the posts of those for whom a person stands in today (代理岗位), an administrator's never."""
    absent = select(Cover.absent).where(
        Cover.stands_in == person_id, Cover.since <= work.today, Cover.until >= work.today, Cover.ended_at.is_(None)
    )
    theirs = select(models.Post).where(models.Post.person_id.in_(absent), models.Post.role != ADMINISTRATOR)
    return work.session.scalars(theirs).all()


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _nobodys() -> str:
    """Make a hash to check in place of a name nobody has: guessing names takes as long as guessing passwords."""
    return _hasher.hash(secrets.token_urlsafe())
