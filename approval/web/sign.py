"""Signing in and out (登录与退出): by password, into a session that lives on our side."""

import tomllib
from typing import Any

from flask import redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from approval.domain.actors import Actor
from approval.office import Work
from approval.services import people
from approval.services.rehearsals import CITY
from approval.settings import Settings
from approval.web import languages, visitors
from approval.web.door import Door

door = Door("sign", __name__)

_UNAUTHORIZED = 401
_SEE_OTHER = 303


@door.get("/sign-in")
def form(work: Work) -> Any:
    """Ask who it is (登录)."""
    if work.actor.person is not None:
        return redirect(_inside(work, work.actor), _SEE_OTHER)
    return _form(work, wrong=False)


@door.post("/sign-in")
def sign_in(work: Work) -> Any:
    """Begin a session with a new token, whatever token was brought (登录)."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    signed_in = people.sign_in(work, name, password, visitors.origin())
    if signed_in is None:
        return _form(work, wrong=True), _UNAUTHORIZED
    person, token = signed_in
    people.sign_out(work, visitors.token(work))
    session.clear()
    asked = request.form.get("next")
    reply = redirect(languages.own_path(asked) if asked else _inside(work, people.actor(work, person)), _SEE_OTHER)
    visitors.remember(reply, work.office.settings, token)
    return reply


@door.post("/sign-out")
def sign_out(work: Work) -> Response:
    """End the session, on our side first (退出登录)."""
    people.sign_out(work, visitors.token(work))
    session.clear()
    reply = redirect("/", _SEE_OTHER)
    visitors.forget(reply, work.office.settings)
    return reply


def demonstration(settings: Settings) -> bool:
    """Tell whether this is a demonstration (示例环境), where everyone is invented."""
    return not settings.production and settings.authority == "demo"


def _form(work: Work, *, wrong: bool) -> str:
    city: dict[str, Any] = {}
    if demonstration(work.office.settings):
        city = tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))
    return render_template(
        "sign/in.html",
        wrong=wrong,
        name=request.form.get("name", ""),
        next=request.values.get("next", ""),
        city=city,
        departments=people.departments(work),
    )


def _inside(work: Work, actor: Actor) -> str:
    doors = work.office.settings.doors.split()
    if actor.posts and "window" in doors:
        return url_for("window.queue")
    return url_for("portal.mine") if "portal" in doors else "/"
