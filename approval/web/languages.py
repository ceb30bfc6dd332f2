"""Languages (语言): Chinese first, English beside it; chosen by a cookie or else by the browser."""

import re

from flask import Blueprint, redirect, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from approval.domain.texts import Words
from approval.web import visitors
from approval.web.door import office

CHINESE, ENGLISH = "zh", "en"
_COOKIE = "lang"
_A_YEAR = 365 * 24 * 3600
# A browser reads `//host` and `/\host` as another site.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")

door = Blueprint("languages", __name__)


def select() -> str:
    """Choose the language of a reply."""
    chosen = request.cookies.get(_COOKIE)
    if chosen in {CHINESE, ENGLISH}:
        return chosen
    return request.accept_languages.best_match((CHINESE, ENGLISH), CHINESE)


def english() -> bool:
    """Tell whether the reply is in English."""
    return str(get_locale()) == ENGLISH


def said(words: Words) -> str:
    """Say something that a pack or the city says in both languages."""
    return words.en if english() else words.zh


@door.get(f"/language/<any({CHINESE}, {ENGLISH}):language>")
def choose(language: str) -> Response:
    """Remember a choice of language and go back to where it was made."""
    reply = redirect(own_path(request.args.get("next")), 303)
    secure = visitors.secure(office().settings)
    reply.set_cookie(_COOKIE, language, max_age=_A_YEAR, secure=secure, httponly=True, samesite="Lax", path="/")
    return reply


def own_path(asked: str | None) -> str:
    """Keep an address to go on to within this site (站内跳转); anything else becomes the first page."""
    return asked if asked and _OWN_PATH.fullmatch(asked) else "/"
