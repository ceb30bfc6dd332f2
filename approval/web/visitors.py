"""Visitors (来访者): who is asking, by the cookie of a session that lives on our side."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, cast

from flask import current_app, g, request
from werkzeug.wrappers import Response

from approval.domain.actors import VISITOR, Actor
from approval.domain.errors import NotAllowed, NotFound, NotSignedIn
from approval.office import Work
from approval.services import people
from approval.settings import Settings


def secure(settings: Settings) -> bool:
    """Tell whether visitors come over TLS, by the public address and never by a header."""
    return settings.origin.startswith("https://")


def cookie_name(settings: Settings, name: str) -> str:
    """Name a cookie so that, over TLS, no neighbour's host can set it (RFC 6265bis `__Host-`)."""
    return f"__Host-{name}" if secure(settings) else name


def token(work: Work) -> str:
    """Read the session token a visitor brought; empty without one."""
    return request.cookies.get(cookie_name(work.office.settings, "session"), "")


def recognise(work: Work) -> Actor:
    """Say who is asking (识别来访者); an ended session or a disabled person is a visitor without a name.

    Whoever acts for an organization says so in the address, `?for=<code>`. Raises `NotAllowed` without agency.
    """
    brought = token(work)
    if not brought:
        return VISITOR
    try:
        session = people.resume(work, brought)
        actor = people.actor(work, session.person_id)
    except (NotSignedIn, NotFound):
        return VISITOR
    if people.is_stale(work, session):
        afterwards(lambda note: people.keep_alive(note, brought))
    return acting_for(work.acting_as(actor), request.args.get("for", "")).actor


def acting_for(work: Work, code: str) -> Work:
    """Let a person act for an organization by its code (代为办理), or for themselves without one.

    Raises `NotAllowed` without agency.
    """
    theirs = {organization.code: organization.id for organization in people.organizations(work)} if code else {}
    if code and code not in theirs:
        raise NotAllowed(organization=code)
    assert work.actor.person is not None
    g.acting = {"for": code} if code else {}
    return work.acting_as(people.actor(work, work.actor.person, theirs.get(code)))


def acting() -> dict[str, Any]:
    """Bring what an address must say for the next page to be of the same applicant (为谁办)."""
    return cast("dict[str, Any]", g.get("acting", {}))


def act_for(work: Work) -> Work:
    """Let the page be that of whom a Work acts for (为其办理), as if its address had said so; returns the Work."""
    theirs = {organization.id: organization.code for organization in people.organizations(work)}
    g.actor = work.actor
    g.acting = {"for": theirs[work.actor.organization]} if work.actor.organization else {}
    return work


def afterwards(note: Callable[[Work], None]) -> None:
    """Write a note in a Work of its own once the view's is closed (事后记录), so that a GET need not be a writer."""
    g.setdefault("afterwards", []).append(note)


def origin() -> str:
    """Tell visitors apart by where they come from (来源), in a way that only this office can compare."""
    address = (request.remote_addr or "").encode()
    return hmac.new(str(current_app.secret_key).encode(), address, hashlib.sha256).hexdigest()


def remember(reply: Response, settings: Settings, brought: str) -> None:
    """Hand a new session's token to the browser."""
    reply.set_cookie(
        cookie_name(settings, "session"), brought, secure=secure(settings), httponly=True, samesite="Lax", path="/"
    )


def forget(reply: Response, settings: Settings) -> None:
    """Take the token back."""
    reply.delete_cookie(
        cookie_name(settings, "session"), secure=secure(settings), httponly=True, samesite="Lax", path="/"
    )
