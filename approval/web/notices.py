"""Formal notices on the portal (文书): read and download them, and choose where else they are sent (送达地址)."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing, Unavailable
from approval.domain.notices import CHOSEN, Way
from approval.models.notices import FormalNotice
from approval.office import Work
from approval.services import addresses, deliveries, drawings, issuances, kinds, people
from approval.web import visitors
from approval.web.door import Door, Slowly, office

door = Door("notices", __name__, for_people=True)

_OK, _SEE_OTHER, _NOT_FOUND, _UNPROCESSABLE = 200, 303, 404, 422
_SEALED_OFF = "sandbox; default-src 'none'; frame-ancestors 'none'"


@door.get("/my/notices/<uuid:formal_id>")
def show(work: Work, formal_id: UUID) -> str:
    """Show what a notice says and how it was delivered (查看文书); for whom it is for, opening it is its delivery."""
    formal = _mine(work, formal_id)
    _note_opening(work, formal)
    return render_template("notices/show.html", **told_of(work, formal))


@door.get("/my/notices/<uuid:formal_id>/notice.pdf")
def document(work: Work, formal_id: UUID) -> Response:
    """Hand out the sealed PDF (下载文书); for whom it is for, opening it is its delivery."""
    formal = _mine(work, formal_id)
    _note_opening(work, formal)
    return sealed(formal)


@door.get("/my/delivery")
def chosen(work: Work) -> str:
    """Show where notices are sent beside the portal (送达地址)."""
    return _chosen(work)


@door.post("/my/delivery/<any(email, sms, post):way>")
def ask(work: Work, way: str) -> Any:
    """Take a new address (填写送达地址), and send the code that confirms it once the Work is closed."""
    carriage = office().carriages.get(Way(way))
    if carriage is None:
        raise Unavailable(way=way)
    text = request.form.get("address", "")
    try:
        letter = addresses.ask(work, way, text)
    except AnswersInvalid as refused:
        return _chosen(work, way, text, refused.facts["missing"]), _UNPROCESSABLE
    back = redirect(url_for("notices.chosen", _anchor=way, **visitors.acting()), _SEE_OTHER)
    if letter is None:
        return back

    def send() -> Any:
        carriage.send(letter)
        return back

    return Slowly(send)


@door.post("/my/delivery/<any(email, sms, post):way>/confirm")
def confirm(work: Work, way: str) -> Any:
    """Confirm an address by its code (确认送达地址)."""
    if not addresses.confirm(work, way, request.form.get("code", "")):
        wrong = [Missing("answers.code", "wrong-code", "确认码")]
        return _chosen(work, way, "", wrong), _UNPROCESSABLE
    return redirect(url_for("notices.chosen", _anchor=way, **visitors.acting()), _SEE_OTHER)


@door.post("/my/delivery/<any(email, sms, post):way>/drop")
def drop(work: Work, way: str) -> Any:
    """Have nothing sent by a way any more (取消送达方式)."""
    addresses.drop(work, way)
    return redirect(url_for("notices.chosen", **visitors.acting()), _SEE_OTHER)


def told_of(work: Work, formal: FormalNotice) -> dict[str, Any]:
    """Bring what a page tells of a notice (文书页面): its kind, what it says, the ways it went."""
    kind, facts = kinds.catalogue()[formal.kind], issuances.facts_of(formal)
    ways = deliveries.of_notices(work, [formal])[formal.id]
    return {
        "formal": formal,
        "kind": kind,
        "facts": facts,
        "said_facts": drawings.said(kind, facts),
        "ways": ways,
        "proof": deliveries.proof(ways),
        "read_day": date.fromisoformat,
        "department": people.departments(work)[formal.department_code],
    }


def sealed(formal: FormalNotice) -> Response:
    """Answer with the sealed PDF of a notice (文书文件), or that there is none yet."""
    if formal.pdf is None:
        abort(_NOT_FOUND)
    reply = Response(formal.pdf, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{formal.number}.pdf")
    reply.headers["Content-Security-Policy"] = _SEALED_OFF
    return reply


def _mine(work: Work, formal_id: UUID) -> FormalNotice:
    formal = deliveries.obtain(work, formal_id)
    # A letter leads here without saying for whom one acts.
    theirs = {organization.id: organization.code for organization in people.organizations(work)}
    visitors.acting_for(work, theirs.get(formal.case.applicant_id, ""))
    return formal


def _note_opening(work: Work, formal: FormalNotice) -> None:
    person, name, formal_id = work.actor.person, work.actor.name, formal.id
    portal = [way for way in deliveries.of_notices(work, [formal])[formal_id] if way.way == Way.PORTAL]
    if person and any(way.delivered_at is None for way in portal):

        def note_opened(note: Work) -> None:
            deliveries.opened(note, formal_id, person, name)

        visitors.afterwards(note_opened)


def _chosen(work: Work, way: str = "", text: str = "", missing: list[Missing] | None = None) -> str:
    return render_template(
        "notices/delivery.html",
        offered=[each for each in CHOSEN if each in office().carriages],
        addresses=addresses.mine(work),
        asked=way,
        text=text,
        missing=missing or [],
        now=work.now,
        minutes=work.office.settings.code_minutes,
    )
