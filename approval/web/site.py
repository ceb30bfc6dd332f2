"""A visit without a network (离线核查), in the browser: what an officer takes along to a site, and keeps there."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, render_template

from approval.domain.errors import NotAllowed, OutOfTurn
from approval.office import Work
from approval.services import access, evidence, people, tasks
from approval.web import errors
from approval.web import forms as sheets
from approval.web.door import Door

door = Door("site", __name__, for_people=True)

_OK = 200


@door.get("/window/site/")
def kept(work: Work) -> str:
    """Show what this device keeps for whoever is signed in (带到现场的办件); only the device knows what that is."""
    _require_post(work)
    return render_template("window/site.html", task=None)


@door.get("/window/site/<uuid:task_id>")
def page(work: Work, task_id: UUID) -> Any:
    """Show a task as it is taken along (带到现场): its form, and nothing of the dossier.

    Whoever cannot do it, or has not claimed it, is told why, beside what their device still keeps of it.
    """
    _require_post(work)
    found = access.task_in_sight(work, task_id)
    questions, hindrance = tasks.form(work, found), access.hindrance(work, found)
    if questions is None or not sheets.portable(questions):
        raise OutOfTurn(task=found.element)
    refused = hindrance or (None if found.claimed_by else OutOfTurn(task=found.element))
    drawn = render_template(
        "window/site.html",
        task=found,
        hindrance=hindrance,
        doable=refused is None,
        sheet=sheets.whole(questions),
        waits={each.key: waits for each in questions.fields if (waits := sheets.brought_up_by(questions, each))},
        room=evidence.room(work, found),
        largest=work.office.settings.material_bytes,
        departments=people.departments(work),
    )
    return drawn, errors.status(type(refused)) if refused else _OK


@door.get("/window/site/worker.js")
def worker(_: Work) -> Response:
    """Hand out the script that keeps these pages (离线脚本), from where it may speak for all of /window/site/."""
    return current_app.send_static_file("scripts/site.worker.js")


def _require_post(work: Work) -> None:
    if not work.actor.posts:
        raise NotAllowed
