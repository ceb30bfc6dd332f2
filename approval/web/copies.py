"""Copies for a purpose in the portal (加注件): make one, give it away, end it."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing
from approval.office import Work
from approval.services import copies
from approval.web import visitors
from approval.web.door import Door, Slowly, office

door = Door("copies", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_ASKED = ("purpose", "recipient", "until")


@door.get("/my/licences/<number>/copies")
def listed(work: Work, number: str) -> str:
    """Show the copies of one's own licence, and ask for another (加注件)."""
    return _page(work, number, [])


@door.post("/my/licences/<number>/copies", writes=False)
def make(work: Work, number: str) -> Any:
    """Make a copy (出具加注件): prepared, drawn outside any transaction, kept."""
    given = {name: request.form.get(name, "") for name in _ASKED}
    try:
        prepared = copies.prepare(work, number, **given)
    except AnswersInvalid as refused:
        return _page(work, number, refused.facts["missing"]), _UNPROCESSABLE

    def draw() -> Any:
        pdf = copies.make(office(), prepared)
        with office().work(by=work.actor) as later:
            copies.keep(later, prepared, pdf)
        return redirect(url_for("copies.listed", number=number, done=1, **visitors.acting()), _SEE_OTHER)

    return Slowly(draw)


@door.get("/my/licences/<number>/copies/<copy>.pdf")
def document(work: Work, number: str, copy: str) -> Response:
    """Hand out the sealed PDF of a copy (下载加注件)."""
    reply = Response(copies.obtain(work, number, copy).pdf, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{number}-{copy[:6]}.pdf")
    return reply


@door.post("/my/licences/<number>/copies/<copy>/cancel")
def cancel(work: Work, number: str, copy: str) -> Any:
    """End a copy before its day (注销加注件)."""
    try:
        copies.cancel(work, number, copy, request.form.get("reason", ""))
    except AnswersInvalid as refused:
        return _page(work, number, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("copies.listed", number=number, **visitors.acting()), _SEE_OTHER)


def _page(work: Work, number: str, missing: list[Missing]) -> str:
    return render_template(
        "portal/copies.html",
        number=number,
        copies=copies.listed(work, number),
        given={name: request.form.get(name, "") for name in _ASKED},
        missing=missing,
        today=work.today,
        done=request.args.get("done"),
    )
