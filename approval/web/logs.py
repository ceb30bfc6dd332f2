"""The public log in the browser (透明日志): its files under the paths of C2SP tlog-tiles, and proofs by number."""

from typing import Any

from flask import Response, jsonify, request

from approval.domain.errors import NotFound
from approval.office import Work
from approval.services import logs
from approval.web.door import Door

door = Door("logs", __name__)

_MOST_DIGITS = 15
_FOREVER = "public, max-age=31536000, immutable"


@door.get("/log/<path:path>")
def file(work: Work, path: str) -> Response:
    """Show a file that the log publishes (公开文件); whoever keeps a copy needs nothing else to check it."""
    text = path in {"checkpoint", "key"}
    reply = Response(logs.public_file(work, path), mimetype="text/plain" if text else "application/octet-stream")
    reply.headers["Cache-Control"] = "no-store" if text else _FOREVER
    return reply


@door.get("/log/proof/inclusion")
def inclusion(work: Work) -> Any:
    """Prove that a leaf is in the log (包含证明), as JSON."""
    return jsonify(logs.inclusion(work, _number("index"), _number("size")))


@door.get("/log/proof/consistency")
def consistency(work: Work) -> Any:
    """Prove that the log only grew (一致性证明), as JSON."""
    return jsonify(logs.consistency(work, _number("old"), _number("new")))


def _number(name: str) -> int:
    given = request.args.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS):
        raise NotFound(**{name: given[:_MOST_DIGITS]})
    return int(given)
