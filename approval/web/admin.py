"""The administration (管理): items and their versions, what runs on them, and where any case stands."""

from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Reply

from approval.domain.cases import Status, next_steps
from approval.office import Work
from approval.services import access, diagrams, items, operations, people, posts, versions, workshops
from approval.web.diagrams import asked_file, handed_out
from approval.web.door import PAGE, Door, asked_page

door = Door("admin", __name__, for_people=True)

_SEE_OTHER = 303


@door.get("/admin/packs")
def packs(work: Work) -> str:
    """List items with their versions and running cases, and the packs in the making (事项包管理)."""
    shelves, drafts = workshops.shelves(work), workshops.drafts(work)
    return render_template(
        "admin/packs.html",
        shelves=shelves,
        drafts=drafts,
        names=posts.names(work, {draft.made_by for draft in drafts}),
        departments=people.departments(work),
        longest=workshops.LONGEST_TITLE,
    )


@door.get("/admin/versions/<uuid:version_id>")
def version(work: Work, version_id: UUID) -> str:
    """Show a published version: what it says, what runs on it and where (事项版本)."""
    found, page = workshops.version(work, version_id), asked_page()
    listed = workshops.cases(work, found, limit=PAGE + 1, offset=PAGE * (page - 1))
    pack = items.pack(work, found)
    return render_template(
        "admin/version.html",
        version=found,
        pack=pack,
        in_force=items.find(work, found.item_code).id == found.id,
        drawings=diagrams.running(work, found),
        rows=listed[:PAGE],
        page=page,
        more=len(listed) > PAGE,
        publisher=posts.who(work, found.published_by),
        departments=people.departments(work),
        published=request.args.get("published"),
    )


@door.get("/admin/versions/<uuid:version_id>/procedure.bpmn")
def version_diagram(work: Work, version_id: UUID) -> Response:
    """Hand out a diagram of a version (事项版本流程图)."""
    pack = items.pack(work, workshops.version(work, version_id))
    return handed_out(diagrams.source(pack, asked_file()))


@door.get("/admin/cases/<number>")
def case(work: Work, number: str) -> str:
    """Show where a case stands, and nothing of whose it is (办件进度)."""
    overview = operations.overview(work, number)
    return render_template(
        "admin/case.html",
        standing=diagrams.standing(work, number),
        overview=overview,
        reversible=versions.reversible(work, overview.case),
        terminable=Status.TERMINATED in next_steps(Status(overview.case.status)),
    )


@door.get("/admin/items/<code>/close")
def ask_close(work: Work, code: str) -> str:
    """Ask whether to take no new cases of an item (暂停申请确认)."""
    access.require_administrator(work)
    return render_template(
        "admin/confirm.html",
        title=_("暂停申请"),
        subject=items.find(work, code).name_zh,
        text=_("暂停以后不再接收新的申请，正在办理的办件不受影响。可以随时恢复。"),
        button=_("暂停申请"),
        back=url_for("admin.packs"),
    )


@door.post("/admin/items/<code>/close")
def close(work: Work, code: str) -> Reply:
    """Take no new cases of an item (暂停申请)."""
    items.close(work, code)
    return redirect(url_for("admin.packs"), _SEE_OTHER)


@door.post("/admin/items/<code>/reopen")
def reopen(work: Work, code: str) -> Reply:
    """Take new cases of an item again (恢复申请)."""
    items.reopen(work, code)
    return redirect(url_for("admin.packs"), _SEE_OTHER)
