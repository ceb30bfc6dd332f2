"""The interface for programs (接口), version 1: verify a licence, look at licences for a case. JSON, no cookies.

What it offers is told in `static/api/openapi.json`; refusals are RFC 9457 problem details.
"""

import dataclasses
from typing import Any

from flask import Response, current_app, jsonify, request

from approval.domain.errors import AnswersInvalid, Missing, NotSignedIn
from approval.office import Work
from approval.services import clients, sharing
from approval.web import bodies, public, visitors
from approval.web.door import Door

PREFIX = "/api/v1"
door = Door("api", __name__)
_SCHEME = "Bearer "
_UNAUTHORIZED = 401
_ASKED = ("case", "purpose", "basis", "number", "code")


@door.after_request
def challenge(reply: Response) -> Response:
    """Say to whom nobody is known here what to bring (RFC 6750 section 3)."""
    if reply.status_code == _UNAUTHORIZED:
        reply.headers["WWW-Authenticate"] = _SCHEME.strip()
    return reply


@door.get(f"{PREFIX}/openapi.json")
def description(_: Work) -> Response:
    """Describe the interface (接口说明)."""
    return current_app.send_static_file("api/openapi.json")


@door.get(f"{PREFIX}/verify")
def verify(work: Work) -> Response:
    """Verify by the token of a QR code, or by number and check code (查验)."""
    token, number, code = (request.args.get(name, "") for name in ("token", "number", "code"))
    if not token and not (number and code):
        raise AnswersInvalid(missing=[Missing("token", "required", "token, or number and code")])
    return jsonify(public.asked(work, token=token, number=number, check_code=code).data())


@door.post(f"{PREFIX}/verify", writes=False)
def verify_file(work: Work) -> Response:
    """Verify a PDF or sealed JSON sent as the body (文件查验); it is looked at and not kept."""
    content = request.get_data()
    if not content:
        raise AnswersInvalid(missing=[Missing("body", "required", "PDF or JSON")])
    return jsonify(public.asked(work, document=content).data())


@door.post(f"{PREFIX}/licences/query")
def query(work: Work) -> Response:
    """Look at licences for a case (调用证照), as a department's system for an officer; every look is written down."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(_SCHEME):
        raise NotSignedIn
    sent = bodies.sent_json()
    if not isinstance(sent, dict) or not all(isinstance(sent.get(name, ""), str) for name in ("officer", *_ASKED)):
        raise AnswersInvalid(missing=[Missing("body", "wrong-type", "JSON")])
    actor = clients.recognise(work, header.removeprefix(_SCHEME), sent.get("officer", ""), visitors.origin())
    shown = sharing.ask(work.acting_as(actor), sharing.Question(**{name: sent.get(name, "") for name in _ASKED}))
    return jsonify({"licences": [_plain(each) for each in shown]})


def _plain(shown: sharing.Shared) -> dict[str, Any]:
    days = {
        name: value and value.isoformat()
        for name, value in (
            ("issued_on", shown.issued_on),
            ("valid_from", shown.valid_from),
            ("valid_until", shown.valid_until),
        )
    }
    return dataclasses.asdict(shown) | {"fields": dict(shown.fields)} | days
