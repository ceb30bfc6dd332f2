"""The portal (办事大厅): an applicant's own cases, what they are asked for, their notices and licences."""

from collections.abc import Iterable
from datetime import date
from io import BytesIO
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

import segno
from flask import Response, abort, redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, NotFound
from approval.domain.manifests import APPLICANT
from approval.models.cases import Case, Notice
from approval.models.tasks import Progress
from approval.office import Work
from approval.services import (
    access,
    cases,
    countdowns,
    diagrams,
    drafts,
    issuances,
    items,
    journal,
    licences,
    materials,
    notices,
    people,
    sharing,
    statements,
    suspensions,
    tasks,
    types,
)
from approval.web import forms, stages, visitors
from approval.web.door import PAGE, Door, asked_page

door = Door("portal", __name__, for_people=True)

_OK = 200
_SEE_OTHER = 303
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_SEALED_OFF = "sandbox; default-src 'none'; frame-ancestors 'none'"


@door.get("/my/cases")
def mine(work: Work) -> str:
    """List drafts and cases of the person, or of the organization acted for, what waits for them first (我的办件)."""
    page = asked_page()
    found = cases.mine(work, limit=PAGE + 1, offset=PAGE * (page - 1))
    open_tasks = cases.open_tasks(work, found[:PAGE])
    rows = []
    for each in found[:PAGE]:
        pack = items.pack(work, each.item_version)
        asked = any(task.role == APPLICANT for task in open_tasks[each.id])
        rows.append(
            {
                "case": each,
                "waiting": _waiting(work, each, asked=asked),
                "stage": stages.stage(each, pack, open_tasks[each.id]),
                "texts": stages.texts(pack, open_tasks[each.id]),
                "asked": asked,
            }
        )
    return render_template(
        "portal/cases.html",
        rows=rows,
        drafts=[(draft, items.find(work, draft.item_code)) for draft in drafts.mine(work)] if page == 1 else [],
        concerns=[(party, statements.listens(work, party)) for party in statements.mine(work)] if page == 1 else [],
        page=page,
        more=len(found) > PAGE,
        organizations=people.organizations(work),
    )


@door.get("/my/cases/<number>")
def case(work: Work, number: str) -> str:
    """Show where a case stands, what to do, and everything that happened to it (办件详情)."""
    found = access.case(work, number)
    pack = items.pack_of(work, found)
    theirs = tasks.of_case(work, found)
    waiting_for = [task for task in theirs if task.progress == Progress.OPEN]
    own = cases.owned(work, found)
    licence = licences.of_case(work, found)
    told = notices.of_case(work, found)
    _note_reading(work, told)
    return render_template(
        "portal/case.html",
        case=found,
        manifest=pack.manifest,
        waiting=_waiting(work, found, asked=any(task.role == APPLICANT for task in waiting_for)),
        stages=stages.line(found, pack, waiting_for),
        texts=stages.texts(pack, waiting_for),
        asked=[task for task in waiting_for if own and task.role == APPLICANT],
        names={task.element: task.name for task in theirs},
        own=own,
        counted=countdowns.kinds(work, found),
        paused=suspensions.covering(work, found),
        withdrawable=own and cases.withdrawable(found),
        notices=told,
        formals=issuances.told_by(work, told),
        read_day=date.fromisoformat,
        journal=journal.read(work, found),
        # What went to others is not told to the applicant.
        others={formal.number for formal in issuances.of_case(work, found) if formal.party_id},
        materials=materials.of_case(work, found),
        departments=people.departments(work),
        licence=licence,
        drawn=licence is not None and licences.rendition(work, number) is not None,
        drawings=diagrams.path(work, found),
    )


@door.get("/my/cases/<number>/receipt")
def receipt(work: Work, number: str) -> str:
    """Show the receipt of a case (收件凭证): its number, what happens next and by when, whom to ask."""
    found = access.case(work, number)
    told = notices.latest(work, found, "receipt")
    return render_template(
        "portal/receipt.html",
        case=found,
        manifest=items.pack_of(work, found).manifest,
        applicant=people.applicant(work, found.applicant_id, found.filed_by),
        acceptance_due=date.fromisoformat(told.facts["acceptance_due"]) if told else None,
        received_at=told.made_at if told else found.filed_at,
        materials=materials.of_case(work, found),
        departments=people.departments(work),
    )


@door.get("/my/cases/<number>/licence.pdf")
def licence_file(work: Work, number: str) -> Response:
    """Hand out the sealed PDF of the case's licence (下载证照)."""
    return _document(licences.rendition(work, number), number)


@door.route("/my/cases/<number>/withdraw", methods=["GET", "POST"])
def withdraw(work: Work, number: str) -> Any:
    """Withdraw a case, once that was confirmed with a reason (撤回)."""
    found = access.case(work, number)
    if not cases.owned(work, found):
        raise NotFound(case=number)
    back = url_for("portal.case", number=number, **visitors.acting())
    wrong = ()
    if request.method == "POST":
        try:
            cases.withdraw(work, number, request.form.get("reason", ""), token=request.form.get("page_token"))
        except AnswersInvalid as refused:
            wrong = refused.facts["missing"]
        else:
            return redirect(back, _SEE_OTHER)
    elif not cases.withdrawable(found):
        return redirect(back, _SEE_OTHER)
    reason, page_token = request.form.get("reason", ""), request.form.get("page_token") or token_urlsafe()
    manifest = items.pack_of(work, found).manifest
    page = render_template(
        "portal/withdraw.html", case=found, manifest=manifest, reason=reason, wrong=wrong, page_token=page_token
    )
    return page, _UNPROCESSABLE if wrong else _OK


@door.route("/my/tasks/<uuid:task_id>", methods=["GET", "POST"])
def task(work: Work, task_id: UUID) -> Any:
    """Ask the applicant what a step of the procedure wants to know (申请人待办)."""
    found = access.task_in_sight(work, task_id)
    if found.role != APPLICANT or not cases.owned(work, found.case):
        raise NotFound(task=str(task_id))
    form = tasks.form(work, found)
    back = url_for("portal.case", number=found.case.number, **visitors.acting())
    if form is None:  # a correction has a draft of its own
        return redirect(back, _SEE_OTHER)
    given, missing = {}, []
    if request.method == "POST":
        reply = forms.receive(form, {})
        given = reply.given
        if reply.finished:
            try:
                # One task is completed once: its own id tells a second click from a second person.
                tasks.complete(work, task_id, given, token=str(task_id))
            except AnswersInvalid as refused:
                missing = forms.labelled(refused.facts["missing"], form)
            else:
                return redirect(back, _SEE_OTHER)
    elif found.progress != Progress.OPEN:
        return redirect(back, _SEE_OTHER)
    pack = items.pack_of(work, found.case)
    page = render_template(
        "portal/task.html",
        task=found,
        texts=stages.texts(pack, [found]),
        waiting=_waiting(work, found.case, asked=True),
        sheet=forms.draw(form, given, missing=missing),
        wrong=missing,
        anchor=forms.anchor,
        manifest=pack.manifest,
    )
    return page, _UNPROCESSABLE if missing else _OK


@door.get("/my/notices")
def inbox(work: Work) -> str:
    """List what the person was told, newest first; what is new is marked and from now on read (通知)."""
    page = asked_page()
    told = notices.inbox(work, limit=PAGE + 1, offset=PAGE * (page - 1))
    _note_reading(work, told[:PAGE])
    acting = {organization.id: {"for": organization.code} for organization in people.organizations(work)}
    return render_template(
        "portal/notices.html",
        formals=issuances.told_by(work, told[:PAGE]),
        rows=[(notice, acting.get(notice.case.applicant_id, {})) for notice in told[:PAGE]],
        read_day=date.fromisoformat,
        page=page,
        more=len(told) > PAGE,
    )


@door.get("/my/licences", endpoint="licences")
def wallet(work: Work) -> str:
    """Show the licences of the person, or of the organization acted for (我的证照)."""
    return render_template(
        "portal/licences.html",
        licences=licences.mine(work),
        today=work.today,
        organizations=people.organizations(work),
    )


@door.get("/my/licences/looks")
def looks(work: Work) -> str:
    """Show who looked at one's licences, and why (证照调用记录)."""
    return render_template(
        "portal/looks.html",
        looks=sharing.looks(work),
        labels=types.labels(work),
        departments=people.departments(work),
        organizations=people.organizations(work),
    )


@door.post("/my/licences/<number>/authorise")
def authorise(work: Work, number: str) -> str:
    """Make a code by which a department may look at one's own licence, once, and show it (出具授权码)."""
    code = sharing.authorise(work, number)
    return render_template(
        "portal/authorised.html", number=number, code=code, minutes=work.office.settings.sharing_minutes
    )


@door.get("/my/licences/<number>/licence.pdf")
def licence_document(work: Work, number: str) -> Response:
    """Hand out the sealed PDF of one's own licence (下载证照)."""
    return _document(licences.own_rendition(work, number), number)


@door.get("/my/licences/<number>/code.svg")
def licence_code(work: Work, number: str) -> Response:
    """Draw the code by which anyone verifies one's own licence (查验二维码)."""
    drawn = BytesIO()
    address = f"{work.office.settings.origin}/verify/{licences.own(work, number).token}"
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", scale=4, border=2)
    reply = Response(drawn.getvalue(), mimetype="image/svg+xml")
    reply.headers["Content-Security-Policy"] = _SEALED_OFF
    return reply


def _document(pdf: bytes | None, number: str) -> Response:
    if pdf is None:
        abort(_NOT_FOUND)
    reply = Response(pdf, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{number}.pdf")
    reply.headers["Content-Security-Policy"] = _SEALED_OFF
    return reply


def _note_reading(work: Work, told: Iterable[Notice]) -> None:
    """Note that the person has now seen these notices, after the page: reading it changes nothing else."""
    person = work.actor.person
    unread = [notice.id for notice in told if notice.read_at is None and notice.person_id == person]
    if person and unread:
        visitors.afterwards(lambda note: notices.mark_read(note, person, unread))


def _waiting(work: Work, found: Case, *, asked: bool) -> dict[str, Any] | None:
    """Tell which countdown counts: that of the office, or the first to end when the applicant was asked."""
    # The office's own promise is nothing that an applicant could miss.
    running = (each for each in countdowns.running(work, found) if each[0] != "promised") if asked else ()
    awaited = next(iter(running), None) if asked else countdowns.awaited(work, found)
    if awaited is None:
        return None
    kind, due = awaited
    return {"kind": kind, "day": due.day, "left": countdowns.days_left(work, found, due.day)}
