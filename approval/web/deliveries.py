"""Formal notices at the window (文书与送达): issue one by hand, see how it went, write down how it was delivered."""

from datetime import date, datetime
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NoticeIncomplete
from approval.domain.notices import RECORDED, Fact
from approval.models.notices import FormalNotice
from approval.office import Work
from approval.services import access, deliveries, issuances, notices
from approval.web import notices as portal
from approval.web.door import Door

door = Door("deliveries", __name__, for_people=True)

_OK, _SEE_OTHER, _UNPROCESSABLE = 200, 303, 422


@door.route("/window/cases/<number>/notices/<kind>", methods=["GET", "POST"])
def issue(work: Work, number: str, kind: str) -> Any:
    """Issue a notice that no step of the procedure brings about (制发文书); what is missing stays on the page."""
    case = access.officers_case(work, number)
    known = notices.issuable(work, case).get(kind)
    if known is None:
        raise NotAllowed(notice=kind)
    missing: list[Missing] = []
    if request.method == "POST":
        given = {fact.name: _given(fact) for fact in known.facts}
        try:
            formal = notices.issue(work, number, kind, given, request.form.get("page_token"))
        except NoticeIncomplete as refused:
            missing = [
                Missing(entry.where.replace("notice.", "answers.", 1), entry.why, entry.label)
                for entry in refused.facts["missing"]
            ]
        else:
            return redirect(url_for("deliveries.show", formal_id=formal.id), _SEE_OTHER)
    page = render_template(
        "notices/issue.html",
        case=case,
        kind=known,
        missing=missing,
        given=request.form,
        page_token=request.form.get("page_token") or token_urlsafe(),
    )
    return page, _UNPROCESSABLE if missing else _OK


@door.route("/window/notices/<uuid:formal_id>", methods=["GET", "POST"])
def show(work: Work, formal_id: UUID) -> Any:
    """Show a notice with its proof of delivery (送达回证), and write a delivery down."""
    formal = _theirs(work, formal_id)
    missing: list[Missing] = []
    if request.method == "POST":
        try:
            deliveries.record(
                work,
                formal_id,
                request.form.get("way", ""),
                receiver=request.form.get("receiver", ""),
                at=_instant(work, request.form.get("at", "")),
                note=request.form.get("note", ""),
                token=request.form.get("page_token"),
            )
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return redirect(url_for("deliveries.show", formal_id=formal_id), _SEE_OTHER)
    page = render_template(
        "notices/record.html",
        **portal.told_of(work, formal),
        recorded=RECORDED,
        missing=missing,
        given=request.form,
        page_token=request.form.get("page_token") or token_urlsafe(),
    )
    return page, _UNPROCESSABLE if missing else _OK


@door.get("/window/notices/<uuid:formal_id>/notice.pdf")
def document(work: Work, formal_id: UUID) -> Response:
    """Hand the sealed PDF to an officer (调阅文书)."""
    return portal.sealed(_theirs(work, formal_id))


def _theirs(work: Work, formal_id: UUID) -> FormalNotice:
    formal = issuances.find(work, formal_id)
    access.officers_case(work, formal.case.number)
    return formal


def _given(fact: Fact) -> Any:
    """Read one thing that a notice says from the form; what cannot be read was not given."""
    text = request.form.get(fact.name, "").strip()
    if fact.type == "list":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if fact.type == "number":
        return int(text) if text.isdecimal() and len(text) < 6 else None  # noqa: PLR2004 -- days, never a million
    if fact.type == "day":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return None
    return text


def _instant(work: Work, text: str) -> datetime | None:
    """Read an instant as the clocks of the city show it."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=work.office.settings.tz)
    except ValueError:
        return None
