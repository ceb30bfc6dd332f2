"""The portal (办事大厅): an applicant's own cases."""

from datetime import date
from typing import Any

from flask import Response, abort, render_template

from approval.models.cases import Case
from approval.models.tasks import Progress
from approval.office import Work
from approval.services import access, cases, countdowns, items, journal, licences, materials, notices, people, tasks
from approval.web.door import PAGE, Door, asked_page

door = Door("portal", __name__, for_people=True)

_NOT_FOUND = 404


@door.get("/my/cases")
def mine(work: Work) -> str:
    """List the cases of the person, or of the organization acted for (我的办件)."""
    page = asked_page()
    found = cases.mine(work, limit=PAGE + 1, offset=PAGE * (page - 1))
    return render_template(
        "portal/cases.html",
        rows=[(case, _waiting(work, case)) for case in found[:PAGE]],
        page=page,
        more=len(found) > PAGE,
        organizations=people.organizations(work),
    )


@door.get("/my/cases/<number>")
def case(work: Work, number: str) -> str:
    """Show where a case stands and everything that happened to it (办件详情)."""
    found = access.case(work, number)
    pack = items.pack(work, found.item_version)
    theirs = tasks.of_case(work, found)
    licence = licences.of_case(work, found)
    return render_template(
        "portal/case.html",
        case=found,
        manifest=pack.manifest,
        waiting=_waiting(work, found),
        now=[pack.definition.tasks[task.element] for task in theirs if task.progress == Progress.OPEN],
        names={task.element: task.name for task in theirs},
        notices=notices.of_case(work, found),
        read_day=date.fromisoformat,
        journal=journal.read(work, found),
        materials=materials.of_case(work, found),
        departments=people.departments(work),
        licence=licence,
        drawn=licence is not None and licences.rendition(work, number) is not None,
    )


@door.get("/my/cases/<number>/licence.pdf")
def licence_file(work: Work, number: str) -> Response:
    """Hand out the sealed PDF of the case's licence (下载证照)."""
    pdf = licences.rendition(work, number)
    if pdf is None:
        abort(_NOT_FOUND)
    reply = Response(pdf, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{number}.pdf")
    reply.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return reply


def _waiting(work: Work, found: Case) -> dict[str, Any] | None:
    awaited = countdowns.awaited(work, found)
    if awaited is None:
        return None
    kind, due = awaited
    return {"kind": kind, "day": due.day, "left": countdowns.days_left(work, due)}
