"""Licence types in the administration (证照类型目录): what there is, how it came to be, and publishing a version."""

import re
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approval.domain.errors import AnswersInvalid, Missing
from approval.domain.licence_types import HOLDERS, KINDS, TypeDefinition, TypeField
from approval.domain.texts import Words
from approval.office import Work
from approval.services import access, people, posts, registrations, types
from approval.web.door import Door, Slowly, office

door = Door("types", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_BLANK_ROWS = 3
_MOST_ROWS = 80
_YEARS = re.compile(r"[0-9]{1,4}")
_NEW = TypeDefinition("", Words("", ""), frozenset(), "", "", None, False, "", ())


@door.get("/admin/types")
def catalogue(work: Work) -> str:
    """List the types of licence (证照类型目录)."""
    access.require_administrator(work)
    found = [(version, TypeDefinition.read(version.definition)) for version in types.catalogue(work)]
    return render_template("admin/types.html", types=found, departments=people.departments(work))


@door.get("/admin/types/new")
def ask(work: Work) -> str:
    """Ask for a new type, or for the next version of one (登记证照类型)."""
    access.require_administrator(work)
    known = types.newest(work, request.args.get("code", ""))
    definition, template = known or (_NEW, "")
    return _form(work, definition, template, [])


@door.post("/admin/types", writes=False)
def publish(work: Work) -> Slowly:
    """Publish a type as it was written (发布证照类型); it is drawn once before, outside any transaction."""
    access.require_administrator(work)
    definition, template = _given(), request.form.get("template", "").replace("\r\n", "\n")

    def draw_and_publish() -> Any:
        tried = registrations.trial(definition, template) if template.strip() else []
        with office().work(by=work.actor) as later:
            try:
                version = registrations.publish(later, definition, template, tried=tried)
            except AnswersInvalid as refused:
                return _form(later, definition, template, refused.facts["missing"]), _UNPROCESSABLE
            return redirect(url_for("types.show", code=version.code, published=version.ordinal), _SEE_OTHER)

    return Slowly(draw_and_publish)


@door.get("/admin/types/<code>")
def show(work: Work, code: str) -> str:
    """Show a type and its versions (证照类型)."""
    access.require_administrator(work)
    versions = types.versions(work, code)
    return render_template(
        "admin/type.html",
        version=versions[0],
        definition=TypeDefinition.read(versions[0].definition),
        versions=[(one, posts.who(work, one.published_by)) for one in versions],
        departments=people.departments(work),
        published=request.args.get("published", ""),
    )


@door.get("/admin/types/<code>/<int:ordinal>/template.html")
def template(work: Work, code: str, ordinal: int) -> Response:
    """Hand out the template of a version (证照样式), as text that no browser runs."""
    access.require_administrator(work)
    found = next((one for one in types.versions(work, code) if one.ordinal == ordinal), None)
    reply = Response(found.template if found else "", status=200 if found else 404, content_type="text/plain")
    reply.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return reply


def _form(work: Work, definition: TypeDefinition, template: str, missing: list[Missing]) -> str:
    return render_template(
        "admin/type_form.html",
        definition=definition,
        rows=[*definition.fields, *[TypeField("", "text", Words("", ""), False, False)] * _BLANK_ROWS],
        template=template,
        missing=missing,
        departments=people.departments(work),
        holders=HOLDERS,
        kinds=KINDS,
        largest=registrations.LARGEST_TEMPLATE,
    )


def _given() -> TypeDefinition:
    form = request.form
    said = {
        name: form.get(name, "").strip()
        for name in ("code", "name_zh", "name_en", "department", "number", "basis", "validity_years")
    }
    years = said["validity_years"]
    return TypeDefinition(
        code=said["code"],
        name=Words(said["name_zh"], said["name_en"]),
        holders=frozenset(form.getlist("holders")),
        department=said["department"],
        number=said["number"],
        # Nothing is long-term; what is no number is out of range and said so.
        validity_years=int(years) if _YEARS.fullmatch(years) else 0 if years else None,
        annual_check="annual_check" in form,
        basis=said["basis"],
        fields=tuple(_rows()),
    )


def _rows() -> list[TypeField]:
    form, rows = request.form, []
    for number in range(1, _MOST_ROWS + 1):
        name, kind, zh, en = (form.get(f"{part}-{number}", "").strip() for part in ("name", "kind", "zh", "en"))
        if name or zh or en:
            seen = (f"public-{number}" in form, f"shared-{number}" in form)
            rows.append(TypeField(name, kind, Words(zh, en), *seen))
    return rows
