"""Refusals as replies (拒绝的答复): the one status table, a page or RFC 9457 problem details.

Whatever is no Refusal is a fault: it is logged under an incident number, and no detail of it is shown.
"""

import logging
import secrets
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from approval.domain import errors
from approval.domain.errors import Refusal
from approval.web import bodies, refusals, words
from approval.web.door import office
from certificates import (
    AuthorityUnusable,
    CertificateError,
    IdentifierInvalid,
    IdentityRefused,
    IllegalAct,
    LicenceUnknown,
    NaiveInstant,
    NotLogged,
    NumbersExhausted,
    ReasonMissing,
    RevocationUnknown,
    SealRefused,
)

# A class without a row inherits its parent's.
STATUS: dict[type[Exception], int] = {
    Refusal: 422,
    errors.NotFound: 404,
    errors.NotSignedIn: 401,
    errors.NotEnrolled: 401,
    errors.Disabled: 401,
    errors.NotAllowed: 403,
    errors.Incomplete: 422,
    errors.OutOfTurn: 409,
    errors.DraftExpired: 410,
    errors.TooMany: 429,
    errors.WalletRefused: 400,
    errors.PackRefused: 422,
    errors.Unavailable: 503,
    CertificateError: 422,
    LicenceUnknown: 404,
    NotLogged: 404,
    IllegalAct: 409,
    IdentifierInvalid: 422,
    ReasonMissing: 422,
    NumbersExhausted: 503,
    SealRefused: 503,
    AuthorityUnusable: 503,
    IdentityRefused: 401,
    RevocationUnknown: 503,
    NaiveInstant: 500,
}
FAULT = 500
_FIRST_ERROR = 400
_PROGRAMS = ("/api/", "/wallet/", "/.well-known/")
_PROBLEM = "application/problem+json"
_log = logging.getLogger(__name__)


def status(kind: type[Exception]) -> int:
    """Look a refusal's status up (状态码), its parent's if it has none of its own; anything else is a fault."""
    return next((STATUS[each] for each in kind.__mro__ if each in STATUS), FAULT)


def answer(app: Flask) -> None:
    """Let an application answer refusals, Flask's own errors and faults in one manner."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(CertificateError, refused)
    app.register_error_handler(HTTPException, _turned_away)
    app.register_error_handler(Exception, _failed)


def refused(refusal: Refusal | CertificateError) -> Response:
    """Answer a refusal with its status and words (拒绝的答复)."""
    code = status(type(refusal))
    if code == FAULT:
        return _failed(refusal)
    # What the strong-house found, or what is out of order here, is for the log.
    facts = refusal.facts if isinstance(refusal, Refusal) and code < FAULT else {}
    if code > FAULT:
        facts = {"incident": _incident(refusal)}
    reply = _reply(code, refusals.refusal(type(refusal)), refusal.code, facts)
    if minutes := facts.get("minutes"):
        reply.headers["Retry-After"] = str(minutes * 60)
    return reply


def _turned_away(error: HTTPException) -> Response:
    if error.code is None or error.code < _FIRST_ERROR:
        return make_response(error.get_response())
    facts = {}
    if error.code == bodies.TOO_LARGE:
        own = office().settings
        facts = {"largest_request": own.request_bytes, "largest_file": own.material_bytes}
    reply = _reply(error.code, refusals.http(error.code), f"http-{error.code}", facts)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            reply.headers[name] = value
    return reply


def _failed(fault: Exception) -> Response:
    return _reply(FAULT, refusals.http(FAULT), "fault", {"incident": _incident(fault)})


def _incident(fault: Exception) -> str:
    number = secrets.token_hex(4).upper()
    _log.error("incident %s at %s %s", number, request.method, request.path, exc_info=fault)
    return number


def _reply(status_code: int, told: refusals.Told, code: str, facts: dict[str, Any]) -> Response:
    if wants_problem():
        problem = {
            # Facts first: none of them may pose as a member that RFC 9457 defines.
            **{name: _plain(value) for name, value in facts.items()},
            "type": f"urn:one-stop-approval:{code}",
            "title": str(told.title),
            "detail": str(told.advice),
            "status": status_code,
        }
        reply = jsonify(problem)
        reply.content_type = _PROBLEM
    else:
        reply = make_response(render_template("error.html", status=status_code, told=told, facts=facts))
    reply.status_code = status_code
    return reply


def wants_problem() -> bool:
    """Tell whether a program asks, who wants RFC 9457 (程序访问)."""
    if request.path.startswith(_PROGRAMS):
        return True
    known = ["text/html", _PROBLEM, "application/json"]
    return request.accept_mimetypes.best_match(known, "text/html") != "text/html"


def _plain(value: Any) -> Any:
    if isinstance(value, errors.Missing):
        return {**value._asdict(), "words": str(words.why(value.why))}
    if isinstance(value, errors.Fault):
        return value._asdict()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
