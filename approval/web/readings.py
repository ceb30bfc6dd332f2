"""Readings (阅读方式): the plain pages, or large print for the elderly (长者版); chosen by a cookie."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from approval.web import languages, visitors
from approval.web.door import office

PLAIN, LARGE = "plain", "large"
_COOKIE = "reading"
_A_YEAR = 365 * 24 * 3600

door = Blueprint("readings", __name__)


def large() -> bool:
    """Tell whether the reply is in large print (是否长者版)."""
    return request.cookies.get(_COOKIE) == LARGE


@door.get(f"/reading/<any({PLAIN}, {LARGE}):reading>")
def choose(reading: str) -> Response:
    """Remember a choice of reading and go back to where it was made."""
    reply = redirect(languages.own_path(request.args.get("next")), 303)
    secure = visitors.secure(office().settings)
    reply.set_cookie(_COOKIE, reading, max_age=_A_YEAR, secure=secure, httponly=True, samesite="Lax", path="/")
    return reply
