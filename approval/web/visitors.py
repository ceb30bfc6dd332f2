"""Visitors (来访者): who is asking, by the cookie of a session that lives on our side."""

import hashlib
import hmac
from collections.abc import Callable

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
    code = request.args.get("for")
    if not code:
        return actor
    theirs = people.organizations(work.acting_as(actor))
    acted_for = next((organization.id for organization in theirs if organization.code == code), None)
    if acted_for is None:
        raise NotAllowed(organization=code)
    return people.actor(work, session.person_id, acted_for)


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
