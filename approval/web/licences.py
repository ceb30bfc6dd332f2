"""Licences at the window (证照监管): what befell one, and what the department that issued it may do to it."""

from secrets import token_urlsafe
from typing import Any

from flask import redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound
from approval.domain.texts import LONGEST_CODE
from approval.office import Work
from approval.services import licences, sharing
from approval.web.door import Door
from certificates import Act, lawful

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
    missing: set[str] = set()
    if request.method == "POST":
        deed = _act(given["deed"])
        try:
            licences.perform(
                work, number, deed, reason=given["reason"], basis=given["basis"], token=given["page_token"] or None
            )
        except AnswersInvalid as refused:
            missing = {fault.where.removeprefix("answers.") for fault in refused.facts["missing"]}
        else:
            return redirect(url_for("licences.licence", number=number, done=given["deed"]), _SEE_OTHER)
    page = render_template(
        "window/licence.html",
        licence=found,
        history=licences.history(work, found),
        possible=lawful(found),
        given=given,
        missing=missing,
        today=work.today,
        done=_act(request.args.get("done", "")),
        page_token=given["page_token"] or token_urlsafe(),
    )
    return (page, _UNPROCESSABLE) if missing else page


@door.route("/window/sharing", methods=["GET", "POST"])
def share(work: Work) -> Any:
    """Look at licences for a case (调用证照), stating purpose and article; every look is written down."""
    given = {name: request.form.get(name, "") for name in ("case", "purpose", "basis", "number", "code")}
    given["case"] = given["case"] or request.args.get("case", "")[:LONGEST_CODE]
    missing: dict[str, str] = {}
    shown = None
    if request.method == "POST":
        try:
            shown = sharing.ask(work, sharing.Question(**given))
        except AnswersInvalid as refused:
            missing = {fault.where.removeprefix("answers."): fault.why for fault in refused.facts["missing"]}
    page = render_template("window/sharing.html", given=given, missing=missing, shown=shown)
    return (page, _UNPROCESSABLE) if missing else page


def _act(asked: str) -> Act | None:
    return next((act for act in licences.TOLD if act.value == asked), None)
