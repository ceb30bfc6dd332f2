"""The public door (公众): what can be asked for, how, and whether a licence is genuine."""

from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for

from approval.domain.errors import NotFound
from approval.office import Work
from approval.services import access, announcements, issuances, items, kinds, laws, licences, limits, people, types
from approval.web import visitors
from approval.web.door import PAGE, Door, asked_page
from certificates import Identifier, Question, Verification

door = Door("public", __name__)
_VERIFY = "verify"
_FRUITLESS = frozenset({Question.KNOWN_HERE, Question.READABLE})

_LONGEST_SEARCH = 100

_OK = 200
_SEE_OTHER = 303
_UNPROCESSABLE = 422


@door.get("/")
def home(work: Work) -> str:
    """Show the items that can be asked for (首页)."""
    return _catalogue(work, "")


@door.get("/search")
def search(work: Work) -> Any:
    """Search the items (搜索事项); whoever enters the number of a case they may see is led to it."""
    text = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    # While somebody is still typing, nothing leads away from the page.
    if "HX-Request" not in request.headers and _is_own_case(work, text):
        return redirect(url_for("portal.case", number=text, **g.acting), _SEE_OTHER)
    return _catalogue(work, text)


@door.get("/items/<code>")
def guide(work: Work, code: str) -> str:
    """Show the guide of an item (办事指南)."""
    version = items.find(work, code)
    return render_template(
        "public/guide.html",
        version=version,
        open=items.is_open(work, code),
        manifest=items.pack(work, version).manifest,
        departments=people.departments(work),
        known=laws.library(work),
        codes={act.short: act.code for act in laws.acts(work)},
    )


@door.get("/announcements")
def announced(work: Work) -> str:
    """List what is announced to everybody today (公示公告); nothing is said of whose it is."""
    up = announcements.up(work)
    phones = {one.id: items.pack_of(work, one.case).manifest.service["phone"] for one in up}
    return render_template("public/announcements.html", up=up, phones=phones)


@door.get("/verify")
def verify(work: Work) -> Any:
    """Ask for a number and check code, and verify them once both are given (编号查验)."""
    number, check_code = request.args.get("number", "").strip(), request.args.get("code", "").strip()
    if not (number and check_code):
        return _form("number" if "number" in request.args else "", number, check_code)
    return _shown(work, asked(work, number=number, check_code=check_code))


@door.get("/verify/<token>")
def verify_token(work: Work, token: str) -> str:
    """Verify what a QR code names (扫码查验)."""
    return _shown(work, asked(work, token=token))


@door.get("/verify/notices/<token>")
def verify_notice(work: Work, token: str) -> str:
    """Say what notice a printed code belongs to (文书查验): kind, number, department, day, hash, and nobody's name."""
    visitor = visitors.origin()
    limits.require_below(work, _VERIFY, visitor, work.office.settings.address_failures)
    formal = issuances.by_token(work, token)
    if formal is None:
        visitors.afterwards(lambda note: limits.note_failure(note, _VERIFY, visitor))
        return render_template("notices/verification.html", formal=None)
    return render_template(
        "notices/verification.html",
        formal=formal,
        kind=kinds.catalogue()[formal.kind],
        department=people.departments(work)[formal.department_code],
    )


@door.post("/verify", writes=False)
def verify_file(work: Work) -> Any:
    """Verify an uploaded licence (文件查验); the file is looked at and not kept."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if not content:
        return _form("file")
    return _shown(work, asked(work, document=content))


def _catalogue(work: Work, text: str) -> str:
    serves, department, page = request.args.get("serves", ""), request.args.get("department", ""), asked_page()
    found = items.search(work, text, serves=serves, department=department)
    departments = people.departments(work)
    return render_template(
        "public/home.html",
        entries=found[PAGE * (page - 1) : PAGE * page],
        count=len(found),
        page=page,
        more=len(found) > PAGE * page,
        asked={"q": text, "serves": serves, "department": department},
        departments=departments,
        offering=sorted({entry.version.department_code for entry in items.catalogue(work)} & departments.keys()),
    )


def _is_own_case(work: Work, text: str) -> bool:
    if not text or work.actor.person is None or "portal.case" not in current_app.view_functions:
        return False
    try:
        access.case(work, text)
    except NotFound:
        return False
    return True


def _form(wrong: str, number: str = "", check_code: str = "") -> tuple[str, int]:
    page = render_template("public/verify.html", wrong=wrong, number=number, check_code=check_code)
    return page, _UNPROCESSABLE if wrong else _OK


def asked(work: Work, **given: Any) -> Verification:
    """Verify (查验), slowing down whoever tries out numbers: what is unknown or unreadable counts."""
    visitor = visitors.origin()
    limits.require_below(work, _VERIFY, visitor, work.office.settings.address_failures)
    verification = licences.verify(work, **given)
    if any(check.question in _FRUITLESS for check in verification.failures):
        visitors.afterwards(lambda note: limits.note_failure(note, _VERIFY, visitor))
    return verification


def _shown(work: Work, verification: Verification) -> str:
    licence = verification.licence
    labels = types.labels(work, Identifier.parse(licence.identifier).type_code) if licence else {}
    return render_template("public/verification.html", verification=verification, labels=labels)
