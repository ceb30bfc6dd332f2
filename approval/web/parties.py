"""Interested parties (利害关系人): what they were told, what they say to it, and what officers take down for them."""

from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing
from approval.domain.texts import LONGEST_REASON
from approval.models.parties import InterestedParty
from approval.office import Work
from approval.services import kinds, parties, people, statements
from approval.web.door import Door

door = Door("concerns", __name__, for_people=True)
window_door = Door("parties", __name__, for_people=True)

_OK, _SEE_OTHER, _UNPROCESSABLE = 200, 303, 422


@door.route("/my/concerns/<uuid:party_id>", methods=["GET", "POST"])
def show(work: Work, party_id: UUID) -> Any:
    """Show whom it may concern what they were told (与我有利害关系的办件), and take down what they say, once."""
    party = statements.obtain(work, party_id)
    if request.method == "POST":
        return _take(
            "portal/concern.html",
            work,
            party,
            lambda **said: statements.state(work, party_id, **said),
            url_for("concerns.show", party_id=party_id),
        )
    return _page("portal/concern.html", work, party, [])


@door.route("/my/concerns/letter/<token>", methods=["GET", "POST"])
def letter(work: Work, token: str) -> Any:
    """Lead whoever holds a letter that is addressed to them to it (凭告知书进入)."""
    party = statements.by_letter(work, token)
    if request.method == "POST":
        statements.claim(work, token)
    if party.holder_id is not None:
        return redirect(url_for("concerns.show", party_id=party.id), _SEE_OTHER)
    return render_template("portal/letter.html", party=party)


@window_door.route("/window/parties/<uuid:party_id>", methods=["GET", "POST"])
def record(work: Work, party_id: UUID) -> Any:
    """Take down what an interested party said in writing or in person (登记陈述意见)."""
    party = statements.obtain_as_officer(work, party_id)
    if request.method == "POST":
        note = request.form.get("note", "")
        return _take(
            "window/party.html",
            work,
            party,
            lambda **said: statements.record(work, party_id, note=note, **said),
            _back(party),
        )
    return _page("window/party.html", work, party, [])


@window_door.post("/window/parties/<uuid:party_id>/drop")
def drop(work: Work, party_id: UUID) -> Any:
    """Let somebody go who was named by mistake (不再列为利害关系人)."""
    party = statements.obtain_as_officer(work, party_id)
    try:
        statements.drop(work, party_id, request.form.get("reason", ""), token=request.form.get("page_token"))
    except AnswersInvalid as refused:
        return _page("window/party.html", work, party, refused.facts["missing"])
    return redirect(_back(party), _SEE_OTHER)


def _take(template: str, work: Work, party: InterestedParty, take: Callable[..., object], then: str) -> Any:
    """Take a statement down, or show the page again with what was typed and why it could not be."""
    asks = request.form.get("hearing") == "ask"
    if asks and statements.listens(work, party) and not statements.may_ask(work, party):
        # The time to ask went by while the page was open: what was said can still be sent without it.
        return _page(template, work, party, [Missing("answers.statement", "too-late", "听证")])
    try:
        take(
            statement=request.form.get("statement", ""),
            asks_hearing=asks,
            token=request.form.get("page_token"),
        )
    except AnswersInvalid as refused:
        return _page(template, work, party, refused.facts["missing"])
    return redirect(then, _SEE_OTHER)


def _back(party: InterestedParty) -> str:
    return url_for("window.case", number=party.case.number, _anchor="parties")


def _page(template: str, work: Work, party: InterestedParty, missing: list[Missing]) -> tuple[str, int]:
    page = render_template(
        template,
        party=party,
        letter=parties.letters(work, party.case)[party.id],
        sent=parties.sent_to(work, party),
        kinds=kinds.catalogue(),
        due=statements.until(work, party),
        listens=statements.listens(work, party),
        may_ask=statements.may_ask(work, party),
        applicant=people.applicant(work, party.case.applicant_id, party.case.filed_by)["name"],
        missing=missing,
        given=request.form,
        longest=LONGEST_REASON,
        page_token=request.form.get("page_token") or token_urlsafe(),
    )
    return page, _UNPROCESSABLE if missing else _OK
