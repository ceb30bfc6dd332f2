"""The public door (公众): what can be asked for, how, and whether a licence is genuine."""

from typing import Any

from flask import render_template, request

from approval.office import Work
from approval.services import items, licences, limits, people
from approval.web import visitors
from approval.web.door import Door
from certificates import Outcome

door = Door("public", __name__)
_VERIFY = "verify"
_FRUITLESS = frozenset({Outcome.UNKNOWN, Outcome.UNREADABLE})

_OK = 200
_UNPROCESSABLE = 422


@door.get("/")
def home(work: Work) -> str:
    """Show the items that can be asked for (首页)."""
    published = [(version, items.pack(work, version).manifest) for version in items.published(work)]
    return render_template("public/home.html", published=published, departments=people.departments(work))


@door.get("/items/<code>")
def guide(work: Work, code: str) -> str:
    """Show the guide of an item (办事指南)."""
    version = items.find(work, code)
    return render_template(
        "public/guide.html",
        version=version,
        manifest=items.pack(work, version).manifest,
        departments=people.departments(work),
    )


@door.get("/verify")
def verify(work: Work) -> Any:
    """Ask for a number and check code, and verify them once both are given (编号查验)."""
    number, check_code = request.args.get("number", "").strip(), request.args.get("code", "").strip()
    if not (number and check_code):
        return _form("number" if "number" in request.args else "", number, check_code)
    return _verify(work, number=number, check_code=check_code)


@door.get("/verify/<token>")
def verify_token(work: Work, token: str) -> str:
    """Verify what a QR code names (扫码查验)."""
    return _verify(work, token=token)


@door.post("/verify", writes=False)
def verify_file(work: Work) -> Any:
    """Verify an uploaded licence (文件查验); the file is looked at and not kept."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if not content:
        return _form("file")
    return _verify(work, document=content)


def _form(wrong: str, number: str = "", check_code: str = "") -> tuple[str, int]:
    page = render_template("public/verify.html", wrong=wrong, number=number, check_code=check_code)
    return page, _UNPROCESSABLE if wrong else _OK


def _verify(work: Work, **given: Any) -> str:
    """Verify, slowing down whoever tries out numbers: what is unknown or unreadable counts against an address."""
    visitor = visitors.origin()
    limits.require_below(work, _VERIFY, visitor, work.office.settings.address_failures)
    verification = licences.verify(work, **given)
    if verification.outcome in _FRUITLESS:
        visitors.afterwards(lambda note: limits.note_failure(note, _VERIFY, visitor))
    return render_template("public/verification.html", verification=verification)
