"""Signing in and out (登录与退出): by password or by certificate, into a session that lives on our side."""

import secrets
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from approval.domain.actors import Actor
from approval.domain.errors import NotSignedIn
from approval.office import Work
from approval.services import identities, people
from approval.services.identities import Answer
from approval.settings import Settings
from approval.web import errors, kept, languages, refusals, visitors
from approval.web.door import Door

door = Door("sign", __name__)

_UNAUTHORIZED = 401
_SEE_OTHER = 303
_BROWSER = "browser"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


@door.get("/sign-in")
def form(work: Work) -> Any:
    """Ask who it is (登录)."""
    if work.actor.person is not None:
        return redirect(_inside(work, work.actor), _SEE_OTHER)
    return _form()


@door.post("/sign-in")
def sign_in(work: Work) -> Any:
    """Begin a session with a new token, whatever token was brought (登录); without a password, ask for it."""
    if "password" not in request.form:
        return _form()
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    signed_in = people.sign_in(work, name, password, visitors.origin())
    if signed_in is None:
        return _form(wrong=True), _UNAUTHORIZED
    return begin(work, *signed_in)


@door.route("/sign-in/certificate", writes=True)
def certificate(work: Work) -> str:
    """Ask for a certificate, and set this browser a challenge (证书登录)."""
    return _certificate_form(work)


@door.post("/sign-in/certificate")
def sign_in_by_certificate(work: Work) -> Any:
    """Begin a session for whoever answered the challenge (证书登录); without an answer, ask for it."""
    if not request.form.get("token"):
        return _certificate_form(work)
    answer = Answer(
        token=request.form["token"],
        nonce=request.form.get("challenge", ""),
        browser=session.get(_BROWSER, ""),
        signed_at=request.form.get("origin", ""),
        origin=_signed_origin(work.office.settings),
        source=visitors.origin(),
    )
    signed_in = identities.sign_in(work, answer)
    if isinstance(signed_in, tuple):
        return begin(work, *signed_in)
    return _certificate_form(work, refusals.refusal(type(signed_in))), errors.status(type(signed_in))


@door.post("/sign-out")
def sign_out(work: Work) -> Response:
    """End the session, on our side first (退出登录)."""
    people.sign_out(work, visitors.token(work))
    session.clear()
    reply = redirect("/", _SEE_OTHER)
    visitors.forget(reply, work.office.settings)
    return reply


def begin(work: Work, person: UUID, token: str, inside: str = "") -> Response:
    """Hand out a new session and go on (登录以后): to what was typed before, to where one was, or inside."""
    people.sign_out(work, visitors.token(work))
    # The same person's forms in other windows stay good; anybody else's do not.
    if session.get(kept.PERSON) != str(person):
        session.clear()
    session[kept.PERSON] = str(person)
    actor = people.actor(work, person)
    typed, asked = kept.unseal(request.form.get("kept", "")), request.form.get("next")
    if typed and typed.person == str(person):
        g.actor = actor
        reply: Response = make_response(render_template("sign/again.html", typed=typed))
    else:
        reply = redirect(languages.own_path(asked) if asked else inside or _inside(work, actor), _SEE_OTHER)
    visitors.remember(reply, work.office.settings, token)
    return reply


def ask_again(refusal: NotSignedIn) -> Response:
    """Ask who it is after a session ended, and lose nothing of the form that was being posted (重新登录)."""
    typed = kept.seal()
    if not typed or errors.wants_problem():
        return errors.refused(refusal)
    return make_response(_form(typed=typed), _UNAUTHORIZED)


def demonstration(settings: Settings) -> bool:
    """Tell whether this is a demonstration (示例环境), where everyone is invented."""
    return not settings.production and settings.authority == "demo"


def carried(typed: str = "") -> dict[str, Any]:
    """Bring what every sign-in page carries on (随页内容): where to go next, and what was typed before."""
    sealed = typed or request.form.get("kept", "")
    opened = kept.unseal(sealed)
    return {
        "next": request.values.get("next", "") if not typed else "",
        "sealed": sealed if opened else "",
        "typed": opened,
    }


def _form(*, wrong: bool = False, typed: str = "") -> str:
    name = "" if typed else request.form.get("name", "")
    return render_template("sign/in.html", wrong=wrong, name=name, **carried(typed))


def _certificate_form(work: Work, refused: refusals.Told | None = None) -> str:
    browser = session.setdefault(_BROWSER, secrets.token_urlsafe(32))
    challenge = identities.challenge(work, browser)
    return render_template("sign/certificate.html", challenge=challenge, refused=refused, **carried())


def _signed_origin(settings: Settings) -> str:
    # A demonstration may be opened under any name and port of this very machine; no other site can be there.
    here = request.host_url.rstrip("/")
    if not settings.production and urlsplit(here).hostname in _THIS_MACHINE:
        return here
    return settings.origin.rstrip("/").lower()


def _inside(work: Work, actor: Actor) -> str:
    doors = work.office.settings.doors.split()
    if actor.departments and "window" in doors:
        return url_for("window.queue")
    if actor.administers and "admin" in doors:
        return url_for("admin.packs")
    return url_for("portal.mine") if "portal" in doors else "/"
