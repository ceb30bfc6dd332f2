"""Materials on pages (材料预览): pictures of their pages and the file to save, for whoever may see the case.

The original is never shown in a browser: it is strangers' work. Drawing takes time, and so comes after the Work.
"""

from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, render_template, request
from werkzeug.http import dump_options_header

from approval.domain.errors import Unavailable
from approval.domain.manifests import Manifest
from approval.models.drafts import DraftMaterial
from approval.office import Work
from approval.services import access, drafts, evidence, items, materials, surveys
from approval.services.materials import Viewing
from approval.web.door import Door, Slowly, asked_page

door = Door("materials", __name__, for_people=True)

_WIDTH = 1200
_WIDTHS = {"small": 600, "large": 2400}
_CASE, _DRAFT = "/materials/<uuid:material_id>", "/drafts/<uuid:draft_id>/materials/<requirement>"
_EVIDENCE = "/window/evidence/<uuid:evidence_id>"
_SEALED_OFF = "sandbox; default-src 'none'; frame-ancestors 'none'"


@door.get(_CASE)
def show(work: Work, material_id: UUID) -> Slowly:
    """Show a material of a case, page by page (查看材料)."""
    found, case = access.material(work, material_id)
    return _shown(
        materials.view(work, found),
        {"material_id": material_id},
        name=_name(items.pack_of(work, case).manifest, found.requirement),
        replaced=found.replaced_at,
        case=case.number if case.applicant_id in {work.actor.person, work.actor.organization} else None,
    )


@door.get(f"{_CASE}/pages/<int:page>.png")
def preview(work: Work, material_id: UUID, page: int) -> Slowly:
    """Draw one page of a material (材料预览图)."""
    return _drawn(materials.view(work, access.material(work, material_id)[0]), page)


@door.get(f"{_CASE}/file")
def download(work: Work, material_id: UUID) -> Response:
    """Hand out the original of a material to save (下载材料)."""
    return _handed_out(*materials.content(work, access.material(work, material_id)[0]))


@door.get(_DRAFT)
def draft_show(work: Work, draft_id: UUID, requirement: str) -> Slowly:
    """Show a file of a draft, page by page (查看草稿材料)."""
    acting, draft = drafts.enter(work, draft_id)
    found = materials.of_draft(acting, draft, requirement)
    return _shown(
        materials.view(acting, found),
        {"draft_id": draft_id, "requirement": requirement},
        name=_name(surveys.pack(acting, draft).manifest, requirement),
        replaced=None,
        case=None,
    )


@door.get(f"{_DRAFT}/pages/<int:page>.png")
def draft_preview(work: Work, draft_id: UUID, requirement: str, page: int) -> Slowly:
    """Draw one page of a file of a draft (草稿材料预览图)."""
    return _drawn(materials.view(work, _of_draft(work, draft_id, requirement)), page)


@door.get(f"{_DRAFT}/file")
def draft_download(work: Work, draft_id: UUID, requirement: str) -> Response:
    """Hand out the original of a file of a draft to save (下载草稿材料)."""
    return _handed_out(*materials.content(work, _of_draft(work, draft_id, requirement)))


@door.get(_EVIDENCE)
def evidence_show(work: Work, evidence_id: UUID) -> Slowly:
    """Show what an officer put to a task, page by page (查看取证材料)."""
    found, _case = evidence.obtain(work, evidence_id)
    return _shown(materials.view(work, found), {"evidence_id": evidence_id}, name=None, replaced=None, case=None)


@door.get(f"{_EVIDENCE}/pages/<int:page>.png")
def evidence_preview(work: Work, evidence_id: UUID, page: int) -> Slowly:
    """Draw one page of evidence (取证材料预览图)."""
    return _drawn(materials.view(work, evidence.obtain(work, evidence_id)[0]), page)


@door.get(f"{_EVIDENCE}/file")
def evidence_download(work: Work, evidence_id: UUID) -> Response:
    """Hand out the original of evidence to save (下载取证材料)."""
    return _handed_out(*materials.content(work, evidence.obtain(work, evidence_id)[0]))


def _of_draft(work: Work, draft_id: UUID, requirement: str) -> DraftMaterial:
    acting, draft = drafts.enter(work, draft_id)
    return materials.of_draft(acting, draft, requirement)


def _name(manifest: Manifest, requirement: str) -> Any:
    return next((asked.name for asked in manifest.materials if asked.code == requirement), None)


def _shown(viewing: Viewing, where: dict[str, Any], **about: Any) -> Slowly:
    def act() -> str:
        try:
            pages = materials.look(viewing).pages
        except Unavailable:
            pages = 0  # the file can still be saved
        page = min(asked_page(), pages)
        return render_template("materials/show.html", file=viewing, where=where, page=page, pages=pages, **about)

    return Slowly(act)


def _drawn(viewing: Viewing, page: int) -> Slowly:
    width = _WIDTHS.get(request.args.get("size", ""), _WIDTH)

    def act() -> Response:
        reply = Response(materials.draw(viewing, page, width), content_type="image/png")
        reply.headers["Content-Security-Policy"] = _SEALED_OFF
        return reply

    return Slowly(act)


def _handed_out(name: str, content: bytes) -> Response:
    # No type that a browser opens by itself; what kind of file it is, its name says.
    reply = Response(content, content_type="application/octet-stream")
    # RFC 6266: a name in ASCII for the oldest browsers, and the real one as RFC 5987 has it.
    plain = name if name.isascii() else f"material{PurePath(name).suffix}"
    named = dump_options_header("attachment", {"filename": plain})
    reply.headers["Content-Disposition"] = f"{named}; filename*=UTF-8''{quote(name, safe='')}"
    reply.headers["Content-Security-Policy"] = _SEALED_OFF
    return reply
