"""Clients (接入系统): systems of departments that ask over the interface, each time for an officer of theirs."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from approval.domain.actors import Actor
from approval.domain.errors import AlreadyDone, AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.models.people import Client, Department
from approval.office import Work
from approval.services import limits, people

_KIND = "client"
_CODE = re.compile(r"[a-z0-9-]{1,40}")


def enrol(work: Work, department: str, code: str, name: str) -> str:
    """Enrol a department's system (登记接入系统) and return its key, `code.secret`, which is shown only now.

    Raises `NotFound` for the department, `AlreadyDone` for a code that is taken, `AnswersInvalid` for one that is none.
    """
    if work.session.get(Department, department) is None:
        raise NotFound(department=department)
    if not _CODE.fullmatch(code):
        raise AnswersInvalid(missing=[Missing("answers.code", "wrong-type", "a-z 0-9 -")])
    if work.session.get(Client, code) is not None:
        raise AlreadyDone(client=code)
    secret = secrets.token_urlsafe(32)
    work.session.add(
        Client(code=code, department_code=department, name=name, digest=_digest(secret), enrolled_at=work.now)
    )
    return f"{code}.{secret}"


def end(work: Work, code: str) -> None:
    """End a system's access (停用接入系统), from now on; raises `NotFound`."""
    client = work.session.get(Client, code)
    if client is None:
        raise NotFound(client=code)
    client.ended_at = client.ended_at or work.now


def enrolled(work: Work) -> Sequence[Client]:
    """List the systems that were enrolled (接入系统清单), by department and code."""
    return work.session.scalars(select(Client).order_by(Client.department_code, Client.code)).all()


def recognise(work: Work, key: str, officer: str, origin: str) -> Actor:
    """Say for whom a system asks (识别接入系统): the officer by sign-in name, in the system's department only.

    The department answers for naming the right one. `origin` tells callers apart, to slow down guessing. Raises
    `NotSignedIn` for a wrong key, `TooMany`, `NotAllowed` for an officer who holds no post there.
    """
    limits.require_below(work, _KIND, origin, work.office.settings.address_failures)
    code, _, secret = key.partition(".")
    client = work.session.get(Client, code) if _CODE.fullmatch(code) else None
    good = hmac.compare_digest(client.digest if client else _digest(""), _digest(secret))
    if client is None or not good or client.ended_at is not None:
        work.if_undone.append(lambda after: limits.note_failure(after, _KIND, origin))
        raise NotSignedIn
    try:
        actor = people.actor_by_code(work, officer)
    except NotFound:
        raise NotAllowed(officer=officer) from None
    posts = frozenset(post for post in actor.posts if post.department == client.department_code)
    if not posts:
        raise NotAllowed(officer=officer)
    return replace(actor, posts=posts, via=client.code)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
