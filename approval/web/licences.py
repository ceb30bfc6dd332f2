"""Licences at the window (证照监管): what befell one, and what the department that issued it may do to it."""

from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotFound
from approval.domain.texts import LONGEST_CODE
from approval.office import Work
from approval.services import licences, people, reissues, renditions, sharing, types
from approval.web.door import Door
from certificates import Act

door = Door("licences", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422


@door.get("/window/licences")
def find(work: Work) -> Any:
    """Find a licence of one's department by its number (查找证照)."""
    number = request.args.get("number", "").strip()[:LONGEST_CODE]
    if number:
        try:
            return redirect(url_for("licences.licence", number=licences.in_charge(work, number).number), _SEE_OTHER)
        except (NotFound, NotAllowed):
            return render_template("window/licences.html", number=number, unknown=True)
    return render_template("window/licences.html", number="", unknown=False)


@door.route("/window/licences/<number>", methods=["GET", "POST"])
def licence(work: Work, number: str) -> Any:
    """Show a licence with all that befell it, and do to it what the law allows (证照处置)."""
    found = licences.in_charge(work, number)
    given = {name: request.form.get(name, "") for name in ("deed", "reason", "basis", "page_token")}
    missing: list[Missing] = []
    if request.method == "POST":
        deed = _act(given["deed"])
        reason, basis, token = given["reason"], given["basis"], given["page_token"] or None
        try:
            if deed is Act.REISSUE:
                reissues.again(work, number, reason=reason, basis=basis, token=token)
            else:
                licences.perform(work, number, deed, reason=reason, basis=basis, token=token)
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return redirect(url_for("licences.licence", number=number, done=given["deed"]), _SEE_OTHER)
    page = render_template(
        "window/licence.html",
        licence=found,
        history=licences.history(work, found),
        possible=licences.possible(work, found),
        given=given,
        missing=missing,
        today=work.today,
        done=_act(request.args.get("done", "")),
        page_token=given["page_token"] or token_urlsafe(),
    )
    return (page, _UNPROCESSABLE) if missing else page


@door.route("/window/reissues", methods=["GET", "POST"], endpoint="reissues")
def all_reissues(work: Work) -> Any:
    """Show what is reissued in bulk, and begin to reissue a type (批量换发)."""
    given = {name: request.form.get(name, "") for name in ("what", "reason", "basis")}
    missing: list[Missing] = []
    if request.method == "POST":
        code, _, department = given["what"].partition(" ")
        try:
            job = reissues.begin(work, code, department, reason=given["reason"], basis=given["basis"])
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return redirect(url_for("licences.reissue", job_id=job.id), _SEE_OTHER)
    offered = reissues.issued_types(work)
    page = render_template(
        "window/reissues.html",
        jobs=reissues.listed(work),
        offered=offered,
        names={code: name for code, name, _, _ in offered},
        departments=people.departments(work),
        given=given,
        missing=missing,
    )
    return (page, _UNPROCESSABLE) if missing else page


@door.route("/window/reissues/<uuid:job_id>", methods=["GET", "POST"])
def reissue(work: Work, job_id: UUID) -> Any:
    """Show how far a job has come, halt it or let it go on (批量换发进度)."""
    if request.method == "POST":
        (reissues.go_on if request.form.get("act") == "go_on" else reissues.halt)(work, job_id)
        return redirect(url_for("licences.reissue", job_id=job_id), _SEE_OTHER)
    job = reissues.obtain(work, job_id)
    waiting, stuck = renditions.left(work, job.type_code, job.department_code)
    known = types.newest(work, job.type_code)
    name = known[0].name.zh if known else job.type_code
    return render_template("window/reissue.html", job=job, name=name, waiting=waiting, stuck=stuck)


@door.route("/window/sharing", methods=["GET", "POST"])
def share(work: Work) -> Any:
    """Look at licences for a case (调用证照), stating purpose and article; every look is written down."""
    given = {name: request.form.get(name, "") for name in ("case", "purpose", "basis", "number", "code")}
    given["case"] = given["case"] or request.args.get("case", "")[:LONGEST_CODE]
    missing: list[Missing] = []
    shown = None
    if request.method == "POST":
        try:
            shown = sharing.ask(work, sharing.Question(**given))
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
    page = render_template("window/sharing.html", given=given, missing=missing, shown=shown, fields=types.labels(work))
    return (page, _UNPROCESSABLE) if missing else page


def _act(asked: str) -> Act | None:
    return next((act for act in licences.TOLD if act.value == asked), None)
