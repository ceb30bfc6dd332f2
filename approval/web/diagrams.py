"""Diagrams on pages (流程图): the BPMN behind a drawing, for a browser's viewer and never as a page of its own."""

from flask import Response, request

from approval.office import Work
from approval.services import access, diagrams, items
from approval.services.packs import MAIN
from approval.web.door import Door

door = Door("diagrams", __name__, for_people=True)


@door.get("/my/cases/<number>/procedure.bpmn")
def case(work: Work, number: str) -> Response:
    """Hand out a diagram of a case's procedure (办件流程图) to whoever may see the case; `file` names a called one."""
    pack = items.pack(work, access.case(work, number).item_version)
    return handed_out(diagrams.source(pack, asked_file()))


def asked_file() -> str:
    """Read which diagram is asked for; the main one unless told."""
    return request.args.get("file", MAIN)


def handed_out(content: bytes) -> Response:
    """Reply with an author's BPMN, which may be hostile: XML to download, that no browser runs anything of."""
    reply = Response(content, content_type="application/xml")
    reply.headers.set("Content-Disposition", "attachment", filename="procedure.bpmn")
    reply.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return reply
