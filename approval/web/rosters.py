"""Rosters (人员与岗位): who may sign in, and the posts they hold."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from approval.domain.actors import Post
from approval.domain.errors import AnswersInvalid, Missing
from approval.office import Work
from approval.services import access, people, posts
from approval.web.door import PAGE, Door, asked_page

door = Door("rosters", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_ASKED = ("code", "name", "id_number")


@door.get("/admin/people")
def roster(work: Work) -> str:
    """List people, all or those a text is found in (人员名册)."""
    page, search = asked_page(), request.args.get("q", "").strip()
    found = posts.roster(work, search, limit=PAGE + 1, offset=PAGE * (page - 1))
    return render_template(
        "admin/people.html",
        people=found[:PAGE],
        masked=posts.masked,
        search=search,
        page=page,
        more=len(found) > PAGE,
        departments=people.departments(work),
    )


@door.get("/admin/people/new")
def ask_enrol(work: Work) -> str:
    """Ask who is to be enrolled (登记人员)."""
    access.require_administrator(work)
    return _enrolment([])


@door.post("/admin/people")
def enrol(work: Work) -> Any:
    """Enrol a person (登记人员)."""
    code, name, id_number = (request.form.get(asked, "").strip() for asked in _ASKED)
    try:
        person = posts.enrol(work, code, name, id_number, request.form.get("password", ""))
    except AnswersInvalid as refused:
        return _enrolment(refused.facts["missing"]), _UNPROCESSABLE
    return _to(person.id)


@door.get("/admin/people/<uuid:person_id>")
def person(work: Work, person_id: UUID) -> str:
    """Show a person and the posts they hold (人员)."""
    return _page(work, person_id)


@door.post("/admin/people/<uuid:person_id>/posts")
def give(work: Work, person_id: UUID) -> Any:
    """Give a post (设岗)."""
    try:
        posts.give(work, person_id, _post())
    except AnswersInvalid as refused:
        return _page(work, person_id, refused.facts["missing"]), _UNPROCESSABLE
    return _to(person_id)


@door.get("/admin/people/<uuid:person_id>/take")
def ask_take(work: Work, person_id: UUID) -> str:
    """Ask whether to take a post away (撤岗确认)."""
    return _confirm(work, person_id, _("撤销岗位"), _("撤销以后不能再办理这个岗位的待办；已经办完的不受影响。"))


@door.post("/admin/people/<uuid:person_id>/take")
def take(work: Work, person_id: UUID) -> Response:
    """Take a post away (撤岗)."""
    posts.take(work, person_id, _post())
    return _to(person_id)


@door.get("/admin/people/<uuid:person_id>/disable")
def ask_disable(work: Work, person_id: UUID) -> str:
    """Ask whether somebody may sign in no more (停用确认)."""
    return _confirm(work, person_id, _("停用人员"), _("停用以后立即退出登录，并且不能再登录。可以随时启用。"))


@door.post("/admin/people/<uuid:person_id>/disable")
def disable(work: Work, person_id: UUID) -> Response:
    """Let somebody sign in no more (停用)."""
    posts.disable(work, person_id)
    return _to(person_id)


@door.post("/admin/people/<uuid:person_id>/enable")
def enable(work: Work, person_id: UUID) -> Response:
    """Let somebody sign in again (启用)."""
    posts.enable(work, person_id)
    return _to(person_id)


@door.post("/admin/people/<uuid:person_id>/password")
def set_password(work: Work, person_id: UUID) -> Any:
    """Set a new password (重设密码)."""
    try:
        posts.set_password(work, person_id, request.form.get("password", ""))
    except AnswersInvalid as refused:
        return _page(work, person_id, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("rosters.person", person_id=person_id, changed="password"), _SEE_OTHER)


def _post() -> Post:
    return Post(request.values.get("department", ""), request.values.get("role", ""))


def _enrolment(missing: list[Missing]) -> str:
    given = {name: request.form.get(name, "") for name in _ASKED}
    return render_template("admin/enrol.html", missing=missing, given=given, shortest=posts.SHORTEST_PASSWORD)


def _page(work: Work, person_id: UUID, missing: list[Missing] | None = None) -> str:
    found = posts.find(work, person_id)
    return render_template(
        "admin/person.html",
        person=found,
        masked=posts.masked(found),
        missing=missing or [],
        roles=posts.roles(work),
        given=_post(),
        changed=request.args.get("changed"),
        shortest=posts.SHORTEST_PASSWORD,
        departments=people.departments(work),
    )


def _confirm(work: Work, person_id: UUID, title: str, text: str) -> str:
    return render_template(
        "admin/confirm.html",
        title=title,
        subject=posts.find(work, person_id).name,
        text=text,
        button=title,
        back=url_for("rosters.person", person_id=person_id),
        post=_post() if request.args.get("role") else None,
        departments=people.departments(work),
    )


def _to(person_id: UUID) -> Response:
    return redirect(url_for("rosters.person", person_id=person_id), _SEE_OTHER)
