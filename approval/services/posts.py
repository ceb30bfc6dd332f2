"""Posts (岗位): who works where in which role, given and taken by administrators, and who may sign in at all."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from stdnum.cn import ric

from approval.domain.actors import ADMINISTRATOR, SYSTEM
from approval.domain.actors import Post as Held
from approval.domain.errors import AnswersInvalid, IllegalStep, Missing, NotFound
from approval.domain.manifests import APPLICANT
from approval.domain.texts import unseen
from approval.models.people import Department, Person, Post, Session
from approval.office import Work
from approval.services import access, items, people

SHORTEST_PASSWORD: Final = 10
_LONGEST_PASSWORD: Final = 200
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LONGEST_CODE: Final = 40
_LONGEST_NAME: Final = 50
_SHOWN: Final = 4


def roster(work: Work, search: str = "", *, limit: int = 50, offset: int = 0) -> list[Person]:
    """List people (人员名册) whose name or sign-in name holds a text, by sign-in name; raises `NotAllowed`."""
    access.require_administrator(work)
    listed = select(Person).order_by(Person.code).limit(limit).offset(offset)
    if search:
        listed = listed.where(
            or_(Person.code.icontains(search, autoescape=True), Person.name.icontains(search, autoescape=True))
        )
    return list(work.session.scalars(listed))


def find(work: Work, person_id: UUID, *, lock: bool = False) -> Person:
    """Find a person to administer (查找人员); raises `NotAllowed`, `NotFound`."""
    access.require_administrator(work)
    person = work.session.get(Person, person_id, with_for_update=lock or None, populate_existing=True)
    if person is None:
        raise NotFound(person=str(person_id))
    return person


def masked(person: Person) -> str:
    """Show an identity number without what tells it apart (证件号码脱敏): its first and last characters."""
    return f"{person.id_number[:_SHOWN]}**********{person.id_number[-_SHOWN:]}"


def names(work: Work, people_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Bring the names of colleagues (经办人姓名), by id; raises `NotAllowed`."""
    access.require_administrator(work)
    return dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people_ids))).all())


def who(work: Work, label: str) -> str:
    """Say whose label stands in a record (日志署名的姓名); what is no person's stays as it is. Raises `NotAllowed`."""
    if label == SYSTEM.label:
        return SYSTEM.name
    with suppress(ValueError):
        return names(work, [UUID(label)]).get(UUID(label), label)
    return label


def roles(work: Work) -> list[str]:
    """List the roles that a post may have (岗位角色): those of published items' lanes, and the administrator's."""
    lanes = (lane for entry in items.catalogue(work) for lane in entry.manifest.lanes.values())
    return sorted({lane.role for lane in lanes if lane.role != APPLICANT} | {ADMINISTRATOR})


def enrol(work: Work, code: str, name: str, id_number: str, password: str) -> Person:
    """Enrol a person who can sign in (登记人员); raises `NotAllowed`, `AnswersInvalid` with everything at once."""
    access.require_administrator(work)
    missing = [
        *_wrong("code", code, _LONGEST_CODE, fits=_CODE.fullmatch(code) is not None),
        *_wrong("name", name, _LONGEST_NAME, fits=not unseen(name, lines=False)),
        *([] if ric.is_valid(id_number) else [Missing("answers.id_number", "wrong-form")]),
        *_weak(password),
    ]
    for where, column, value in (("code", Person.code, code), ("id_number", Person.id_number, id_number)):
        if not missing and work.session.scalar(select(Person.id).where(column == value)):
            missing.append(Missing(f"answers.{where}", "taken"))
    if not missing:
        try:
            with work.session.begin_nested():
                return people.enrol(work, code, name, id_number, password=password)
        except IntegrityError:  # another administrator enrols the same person at this very moment
            missing.append(Missing("answers.code", "taken"))
    raise AnswersInvalid(missing=missing)


def give(work: Work, person_id: UUID, held: Held) -> None:
    """Give a person a post (设岗); one they hold already stays. Raises as `find`; `AnswersInvalid`."""
    person = find(work, person_id, lock=True)
    missing = []
    if work.session.get(Department, held.department) is None:
        missing.append(Missing("answers.department", "not-a-choice"))
    if held.role not in roles(work):
        missing.append(Missing("answers.role", "not-a-choice"))
    if missing:
        raise AnswersInvalid(missing=missing)
    if work.session.get(Post, (person.id, held.department, held.role)) is None:
        work.session.add(Post(person_id=person.id, department_code=held.department, role=held.role))
        work.session.flush()


def take(work: Work, person_id: UUID, held: Held) -> None:
    """Take a post away (撤岗); claimed tasks stay claimed until they are given back.

    Raises as `find`; `IllegalStep` for the post of the last administrator who can sign in.
    """
    _keep_one_administrator(work, person_id, losing=held.role == ADMINISTRATOR, of=held.department)
    person = find(work, person_id, lock=True)
    gone = delete(Post).where(
        Post.person_id == person.id, Post.department_code == held.department, Post.role == held.role
    )
    work.session.execute(gone)
    work.session.expire(person, ["posts"])


def disable(work: Work, person_id: UUID) -> None:
    """Let a person sign in no more (停用人员) and end all their sessions.

    Raises as `find`; `IllegalStep` for the last administrator who can sign in.
    """
    _keep_one_administrator(work, person_id, losing=True)
    person = find(work, person_id, lock=True)
    person.disabled_at = person.disabled_at or work.now
    work.session.execute(delete(Session).where(Session.person_id == person.id))


def enable(work: Work, person_id: UUID) -> None:
    """Let a person sign in again (启用人员); raises as `find`."""
    find(work, person_id, lock=True).disabled_at = None


def set_password(work: Work, person_id: UUID, password: str) -> None:
    """Set a person's password (重设密码) and end all their sessions; raises as `find`, `AnswersInvalid`."""
    person = find(work, person_id)
    if missing := list(_weak(password)):
        raise AnswersInvalid(missing=missing)
    people.set_password(work, person.code, password)


def _keep_one_administrator(work: Work, person_id: UUID, *, losing: bool, of: str | None = None) -> None:
    """Refuse what would leave the office without anyone to run it; two who try at once wait for one another."""
    access.require_administrator(work)
    if not losing:
        return
    rest = (
        select(Post)
        .join(Person, Person.id == Post.person_id)
        .where(Post.role == ADMINISTRATOR, Person.disabled_at.is_(None))
        .order_by(Post.person_id, Post.department_code)
        .with_for_update()
    )
    standing = {(post.person_id, post.department_code) for post in work.session.scalars(rest)}
    left = {post for post in standing if post[0] != person_id or (of is not None and post[1] != of)}
    if standing and not left:
        raise IllegalStep(administrator="last")


def _wrong(where: str, value: str, longest: int, *, fits: bool) -> Iterator[Missing]:
    if not value:
        yield Missing(f"answers.{where}", "required")
    elif len(value) > longest:
        yield Missing(f"answers.{where}", "too-long")
    elif not fits:
        yield Missing(f"answers.{where}", "wrong-form")


def _weak(password: str) -> Iterator[Missing]:
    if len(password) < SHORTEST_PASSWORD:
        yield Missing("answers.password", "too-short")
    elif len(password) > _LONGEST_PASSWORD:
        yield Missing("answers.password", "too-long")
