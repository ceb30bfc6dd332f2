"""Workshops (事项包制作): packs put together in the browser, checked with all faults at once, published."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as Reply

from approval.domain.actors import Actor
from approval.domain.errors import Fault, NotFound, Overtaken, PackRefused
from approval.office import Work
from approval.services import diagrams, laws, packs, posts, workshops
from approval.services.workshops import Verdict
from approval.web.diagrams import asked_file, handed_out
from approval.web.door import Door, Slowly, office

door = Door("workshops", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422


@door.post("/admin/drafts")
def begin(work: Work) -> Any:
    """Begin a draft: empty, or with the files of a zip (新建草稿)."""
    upload = request.files.get("zip")
    content = upload.read() if upload else b""
    title = request.form.get("title", "").strip() or _stem(upload) or _("新事项包")
    try:
        draft = workshops.begin(work, title, packs.from_zip(content, work.office.settings) if content else {})
    except PackRefused as refused:
        faults = [(fault, "") for fault in refused.facts["faults"]]
        return render_template("admin/unreadable.html", faults=faults), _UNPROCESSABLE
    return _to(draft.id)


@door.post("/admin/versions/<uuid:version_id>/draft")
def copy(work: Work, version_id: UUID) -> Reply:
    """Begin a draft as a copy of a published version (复制为草稿)."""
    return _to(workshops.copy(work, version_id).id)


@door.get("/admin/drafts/<uuid:draft_id>")
def draft(work: Work, draft_id: UUID) -> str:
    """Show a draft: its files, what the last check found, and its diagrams (事项包草稿)."""
    return _page(work, draft_id)


@door.get("/admin/drafts/<uuid:draft_id>/procedure.bpmn")
def draft_diagram(work: Work, draft_id: UUID) -> Response:
    """Hand out a diagram of a draft, whether or not the pack can be read (草稿流程图)."""
    file = asked_file()
    held = workshops.files(work, workshops.find(work, draft_id))
    if file not in held or not file.endswith(diagrams.PROCEDURE):
        raise NotFound(file=file)
    return handed_out(held[file])


@door.get("/admin/drafts/<uuid:draft_id>/pack.zip")
def download(work: Work, draft_id: UUID) -> Response:
    """Hand a draft out as a zip (下载草稿)."""
    held = workshops.files(work, workshops.find(work, draft_id))
    reply = Response(workshops.zipped(held), mimetype="application/zip")
    reply.headers.set("Content-Disposition", "attachment", filename=f"{draft_id}.zip")
    return reply


@door.post("/admin/drafts/<uuid:draft_id>/files")
def put(work: Work, draft_id: UUID) -> Any:
    """Put one or several files into a draft (放入文件); a path counts for one file only."""
    uploads = [upload for upload in request.files.getlist("file") if upload.filename]
    path = request.form.get("place", "").strip()
    if not uploads:
        return _page(work, draft_id, [Fault("", "", 0, str(_("请选择文件")))]), _UNPROCESSABLE
    if path and len(uploads) > 1:
        return _page(work, draft_id, [Fault(path, "", 0, str(_("一个路径只能放一个文件")))]), _UNPROCESSABLE
    refused: list[Fault] = []
    for upload in uploads:
        try:
            workshops.put(work, draft_id, path or _name(upload), upload.read())
        except PackRefused as reason:
            refused += reason.facts["faults"]
    return (_page(work, draft_id, refused), _UNPROCESSABLE) if refused else _to(draft_id)


@door.post("/admin/drafts/<uuid:draft_id>/remove")
def remove(work: Work, draft_id: UUID) -> Reply:
    """Take a file out of a draft (移除文件)."""
    workshops.remove(work, draft_id, request.form.get("place", ""))
    return _to(draft_id)


@door.post("/admin/drafts/<uuid:draft_id>/check", writes=False)
def check(work: Work, draft_id: UUID) -> Slowly:
    """Check a draft as a whole (校验草稿)."""
    held, actor = workshops.files(work, workshops.find(work, draft_id)), work.actor
    library = laws.library(work)
    return Slowly(lambda: _noted(actor, draft_id, workshops.judge(held, office().settings, library)))


@door.post("/admin/drafts/<uuid:draft_id>/publish", writes=False)
def publish(work: Work, draft_id: UUID) -> Slowly:
    """Check a draft once more and publish it (发布草稿), if it is still what the administrator saw."""
    held, actor = workshops.files(work, workshops.find(work, draft_id)), work.actor
    if packs.digest(held) != request.form.get("digest"):
        raise Overtaken(draft=str(draft_id))
    library = laws.library(work)
    return Slowly(lambda: _published(actor, draft_id, workshops.judge(held, office().settings, library)))


@door.get("/admin/drafts/<uuid:draft_id>/discard")
def ask_discard(work: Work, draft_id: UUID) -> str:
    """Ask whether to throw a draft away (删除草稿确认)."""
    return render_template(
        "admin/confirm.html",
        title=_("删除草稿"),
        subject=workshops.find(work, draft_id).title,
        text=_("草稿和其中的文件将被删除，不能恢复。已经发布的版本不受影响。"),
        button=_("删除草稿"),
        back=url_for("workshops.draft", draft_id=draft_id),
    )


@door.post("/admin/drafts/<uuid:draft_id>/discard")
def discard(work: Work, draft_id: UUID) -> Reply:
    """Throw a draft away (删除草稿)."""
    workshops.discard(work, draft_id)
    return redirect(url_for("admin.packs"), _SEE_OTHER)


def _published(actor: Actor, draft_id: UUID, verdict: Verdict) -> Reply:
    if verdict.pack is None:
        return _noted(actor, draft_id, verdict)
    try:
        with office().work(by=actor) as work:
            version, new = workshops.publish(work, draft_id, verdict.pack)
            version_id = version.id
    except PackRefused as refused:  # what only this city can refuse: a department it does not have
        return _noted(actor, draft_id, verdict._replace(pack=None, faults=refused.facts["faults"]))
    told = "new" if new else "same"
    return redirect(url_for("admin.version", version_id=version_id, published=told), _SEE_OTHER)


def _noted(actor: Actor, draft_id: UUID, verdict: Verdict) -> Reply:
    with office().work(by=actor) as work:
        workshops.note(work, draft_id, verdict)
    return redirect(url_for("workshops.draft", draft_id=draft_id, _anchor="verdict"), _SEE_OTHER)


def _page(work: Work, draft_id: UUID, refused: Iterable[Fault] = ()) -> str:
    found = workshops.find(work, draft_id)
    held = workshops.files(work, found)
    digest = packs.digest(held)
    told = workshops.faults(found)
    faults = [fault for fault in told if fault.level == "error"]
    drawings = diagrams.faulty(held, faults)
    return render_template(
        "admin/draft.html",
        draft=found,
        files={path: len(content) for path, content in held.items()},
        digest=digest,
        checked=found.checked_digest is not None,
        current=found.checked_digest == digest,
        faults=[(fault, workshops.line(held, fault)) for fault in faults],
        warnings=[(fault, workshops.line(held, fault)) for fault in told if fault.level != "error"],
        drawings=drawings,
        places={drawing.file: f"diagram-{number}" for number, drawing in enumerate(drawings, 1)},
        maker=posts.names(work, {found.made_by})[found.made_by],
        refused=list(refused),
        place=request.form.get("place", ""),
        settings=work.office.settings,
        kinds=workshops.KINDS,
    )


def _to(draft_id: UUID) -> Reply:
    return redirect(url_for("workshops.draft", draft_id=draft_id), _SEE_OTHER)


def _name(upload: FileStorage) -> str:
    return PurePosixPath((upload.filename or "").replace("\\", "/")).name


def _stem(upload: FileStorage | None) -> str:
    return PurePosixPath(_name(upload)).stem if upload else ""
