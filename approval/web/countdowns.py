"""Countdowns on pages (办理时限): the proof sheet of each, and what officers do to them."""

from datetime import date
from secrets import token_urlsafe
from typing import Any

from flask import Response, redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed
from approval.domain.texts import LONGEST_CODE
from approval.office import Work
from approval.services import access, corrections, items, people, pledges, sheets, suspensions
from approval.web.door import Door

door = Door("countdowns", __name__, for_people=True)
own_door = Door("own_countdowns", __name__, for_people=True)

_OK = 200
_SEE_OTHER = 303
_UNPROCESSABLE = 422


@door.get("/window/cases/<number>/countdowns/<kind>")
def sheet(work: Work, number: str, kind: str) -> str:
    """Show the proof sheet of a countdown to officers (时限计算书)."""
    return _page(work, number, sheets.read(work, number, kind, inside=True), "countdowns", "window.case")


@door.get("/window/cases/<number>/countdowns/<kind>.json")
def sheet_file(work: Work, number: str, kind: str) -> Response:
    """Hand out the proof sheet as canonical JSON (时限计算书数据)."""
    return _file(number, kind, sheets.read(work, number, kind, inside=True))


@own_door.get("/my/cases/<number>/countdowns/<kind>", endpoint="sheet")
def own_sheet(work: Work, number: str, kind: str) -> str:
    """Show the proof sheet of a countdown to the applicant (时限计算书)."""
    return _page(work, number, sheets.read(work, number, kind), "own_countdowns", "portal.case")


@own_door.get("/my/cases/<number>/countdowns/<kind>.json", endpoint="sheet_file")
def own_sheet_file(work: Work, number: str, kind: str) -> Response:
    """Hand out the proof sheet as canonical JSON (时限计算书数据)."""
    return _file(number, kind, sheets.read(work, number, kind))


@door.route("/window/cases/<number>/countdowns", methods=["GET", "POST"])
def act(work: Work, number: str) -> Any:
    """Show the countdowns of a case; act on them, allow what a signer answers for (特别程序、延期、再次补正、修复)."""
    if not work.actor.posts:
        raise NotAllowed
    found = access.timed_case(work, number)
    given = {name: request.form.get(name, "")[:LONGEST_CODE] for name in ("act", "cause", "days", "since", "notice")}
    given |= {"reason": request.form.get("reason", ""), "page_token": request.form.get("page_token", "")}
    missing: dict[str, str] = {}
    if request.method == "POST":
        try:
            _perform(work, number, given)
        except AnswersInvalid as refused:
            missing = {fault.where.removeprefix("answers."): fault.why for fault in refused.facts["missing"]}
        else:
            return redirect(url_for("countdowns.act", number=number), _SEE_OTHER)
    page = render_template(
        "window/countdowns.html",
        case=found,
        departments=people.departments(work),
        manifest=items.pack_of(work, found).manifest,
        standing=suspensions.standing(work, found),
        offer=suspensions.offer(work, found),
        correctable=corrections.allowable(work, found),
        repairable=pledges.repairable(work, found),
        given={**given, "since": given["since"] or work.today.isoformat()},
        missing=missing,
        today=work.today,
        page_token=given["page_token"] or token_urlsafe(),
    )
    return page, _UNPROCESSABLE if missing else _OK


def _perform(work: Work, number: str, given: dict[str, str]) -> None:
    token = given["page_token"] or None
    match given["act"]:
        case "resume":
            suspensions.resume(work, number, given["notice"], token=token)
        case "extend":
            suspensions.extend(work, number, given["reason"], token=token)
        case "repair":
            pledges.repair(work, number, given["reason"], token=token)
        case "correct":
            corrections.allow_again(work, number, given["reason"], token=token)
        case _:
            days = int(given["days"]) if given["days"].isascii() and given["days"].isdigit() else 0
            since = _since(given["since"])
            suspensions.suspend(work, number, given["cause"], days, given["reason"], since=since, token=token)


def _since(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise AnswersInvalid(missing=[Missing("answers.since", "not-a-date")]) from None


def _page(work: Work, number: str, found: dict[str, Any], room: str, back: str) -> str:
    return render_template(
        "window/sheet.html",
        number=number,
        departments=people.departments(work),
        sheet=found,
        causes={cause.code: cause for cause in suspensions.causes()},
        digest=sheets.digest(found),
        room=room,
        back_to=back,
        read_day=date.fromisoformat,
        today=work.today,
    )


def _file(number: str, kind: str, found: dict[str, Any]) -> Response:
    reply = Response(sheets.canonical(found), mimetype="application/json")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{number}-{kind}.json")
    return reply
