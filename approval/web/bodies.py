"""Bodies (请求正文): how much a visitor may send, refused by what they announce, before any of it is read."""

import time
from contextlib import suppress
from typing import IO, Any

from flask import Flask, abort, request
from werkzeug.wrappers import Response

from approval.settings import Settings

TOO_LARGE = 413
# What may hold a file; and for a form without files, or one text of a form with files, how large, and how many fields.
_FILES = frozenset({"multipart/form-data", "application/pdf"})
_TEXT = 2**20
_PARTS = 1000
_FIRST_ERROR = 400
_CHUNK = 2**16
_READ_AWAY = 2**27
_LINGER = 15.0


def limit(app: Flask, settings: Settings) -> None:
    """Let an application take no more than the settings say (限制请求大小), whatever page is asked for.

    Only what can hold a file may be large: anything else is read into memory by whatever page it is sent to.
    """
    app.config.update(MAX_CONTENT_LENGTH=settings.request_bytes, MAX_FORM_MEMORY_SIZE=_TEXT, MAX_FORM_PARTS=_PARTS)

    @app.before_request
    def refuse() -> None:
        if request.mimetype not in _FILES:
            request.max_content_length = min(_TEXT, settings.request_bytes)
        most = request.max_content_length
        if most is not None and (request.content_length or 0) > most:
            abort(TOO_LARGE)

    @app.after_request
    def linger(reply: Response) -> Response:
        if reply.status_code >= _FIRST_ERROR:
            rest: IO[bytes] = request.environ["wsgi.input"]
            reply.call_on_close(lambda: _read_away(rest))
        return reply


def sent_json() -> Any:
    """Read the JSON that a program sent (读取 JSON 正文); None for what is none, or is nested beyond reading."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def _read_away(rest: IO[bytes]) -> None:
    """Read away what is still coming, once the reply is out: a browser that finds the line cut shows no reply."""
    until, left = time.monotonic() + _LINGER, _READ_AWAY
    with suppress(OSError, ValueError):  # whoever hung up meanwhile wants no reply
        while left > 0 and time.monotonic() < until and (chunk := rest.read(_CHUNK)):
            left -= len(chunk)
