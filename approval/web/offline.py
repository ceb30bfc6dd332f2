"""Verification without a network, in the browser (离线查验): a page that is kept, what it asks, and its files."""

from flask import Response, current_app, render_template

from approval.office import Work
from approval.services import offline
from approval.web import verdicts
from approval.web.door import Door

door = Door("offline", __name__)

_FOR_A_WHILE = "public, max-age=60"


@door.get("/verify/offline")
def page(work: Work) -> str:
    """Show the page that verifies by itself (离线查验页), once it has been opened with a network."""
    told = {code.value: [str(part) for part in verdicts.OUTCOMES[code]] for code in verdicts.OUTCOMES}
    asked = {code.value: str(text) for code, text in verdicts.QUESTIONS.items()}
    return render_template("public/offline.html", outcomes=told, questions=asked, zone=work.office.settings.zone)


@door.get("/verify/kit.json")
def kit(work: Work) -> Response:
    """Hand out the offline kit (离线查验包)."""
    return _published(offline.kit(work), "application/json")


@door.get("/verify/statuses/<uscc>")
def statuses(work: Work, uscc: str) -> Response:
    """Hand out a department's status list (状态列表) to whoever holds a code or a credential."""
    return _published(offline.status_list(work, uscc).encode(), "application/statuslist+jwt")


@door.get("/verify/worker.js")
def worker(_: Work) -> Response:
    """Hand out the script that keeps the page (离线脚本), from where it may speak for all of /verify/."""
    return current_app.send_static_file("scripts/offline.worker.js")


def _published(content: bytes, kind: str) -> Response:
    reply = Response(content, content_type=kind)
    reply.headers["Cache-Control"] = _FOR_A_WHILE
    # Signed and the same for everyone: a wallet or another city's verifier may read it from its own page.
    reply.headers["Access-Control-Allow-Origin"] = "*"
    reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return reply
