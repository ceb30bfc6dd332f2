"""Interested parties (利害关系人): what they were told, what they say to it, and what officers take down for them."""

from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for

from approval.domain.errors import AnswersInvalid, Missing
from approval.domain.texts import LONGEST_REASON
from approval.models.parties import InterestedParty
from approval.office import Work
from approval.services import parties, people, statements
from approval.web.door import Door

door = Door("concerns", __name__, for_people=True)
window_door = Door("parties", __name__, for_people=True)

_OK, _SEE_OTHER, _UNPROCESSABLE = 200, 303, 422


@door.route("/my/concerns/<uuid:party_id>", methods=["GET", "POST"])
def show(work: Work, party_id: UUID) -> Any:
    """Show whom it may concern what they were told (与我有利害关系的办件), and take down what they say, once."""
    party = statements.obtain(work, party_id)
    missing: list[Missing] = []
    if request.method == "POST":
        statement, asks_hearing, token = _said()
        try:
            statements.state(work, party_id, statement, asks_hearing=asks_hearing, token=token)
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return redirect(url_for("concerns.show", party_id=party_id), _SEE_OTHER)
    return _page("portal/concern.html", work, party, missing)


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
    party = statements.officers(work, party_id)
    missing: list[Missing] = []
    if request.method == "POST":
        statement, asks_hearing, token = _said()
        note = request.form.get("note", "")
        try:
            statements.record(work, party_id, statement, asks_hearing=asks_hearing, note=note, token=token)
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return redirect(url_for("window.case", number=party.case.number, _anchor="parties"), _SEE_OTHER)
    return _page("window/party.html", work, party, missing)


def _said() -> tuple[str, bool, str | None]:
    return request.form.get("statement", ""), request.form.get("hearing") == "ask", request.form.get("page_token")


def _page(template: str, work: Work, party: InterestedParty, missing: list[Missing]) -> tuple[str, int]:
    page = render_template(
        template,
        party=party,
        letter=parties.letters(work, party.case)[party.id],
        due=statements.until(work, party),
        listens=statements.listens(party),
        may_ask=statements.may_ask(work, party),
        applicant=people.applicant(work, party.case.applicant_id, party.case.filed_by)["name"],
        missing=missing,
        given=request.form,
        longest=LONGEST_REASON,
        page_token=request.form.get("page_token") or token_urlsafe(),
    )
    return page, _UNPROCESSABLE if missing else _OK
