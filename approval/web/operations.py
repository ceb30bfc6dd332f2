"""Operations (运维): what waits for an administrator, and what one does to a procedure, each with a reason."""

from collections.abc import Callable, Mapping
from secrets import token_urlsafe
from typing import Any, NamedTuple
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from approval.domain.errors import AnswersInvalid, Missing, NotFound
from approval.office import Work
from approval.services import access, drawings, incidents, kinds, mailings, operations, versions, workshops
from approval.web.door import PAGE, Door, asked_page

door = Door("operations", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_MOST_MAPPED = 20


class Verb(NamedTuple):
    """An operation on a page (运维操作): what it is called, what it means, and what does it."""

    title: LazyString
    text: LazyString
    act: Callable[..., Any]


_VERBS: Mapping[str, Verb] = {
    "hold": Verb(
        _("暂停流转"),
        _(
            "暂停以后，定时不触发，自动事务不执行，任何人都不能办结环节，直到恢复。这不是法律上的中止：办理时限照常计算。"
        ),
        operations.hold,
    ),
    "release": Verb(_("恢复流转"), _("恢复以后从原来的地方继续，暂停期间到期的定时立即触发。"), operations.release),
    "terminate": Verb(
        _("终止办理"), _("终止以后办件不能恢复，没有办完的环节全部取消。理由会告知申请人。"), operations.terminate
    ),
    "undo-migration": Verb(
        _("撤销版本迁移"), _("办件回到迁移以前的版本和位置。迁移以后办过任何一步，就不能撤销。"), versions.undo
    ),
}
_ITEM_VERBS: Mapping[str, Verb] = {
    "skip": Verb(
        _("跳过环节"), _("流程不等这一步的结果，继续往下走。后面的判断可能缺少这一步的内容。"), operations.skip
    ),
    "move": Verb(_("调整环节"), _("这一步不再等待，改为等待所选的环节。"), operations.move),
}


@door.get("/admin/incidents")
def listed(work: Work) -> str:
    """List what waits for an administrator (待处理异常)."""
    page = asked_page()
    found = incidents.listed(work, limit=PAGE + 1, offset=PAGE * (page - 1))
    return render_template("admin/incidents.html", rows=found[:PAGE], page=page, more=len(found) > PAGE)


@door.route("/admin/incidents/<uuid:incident_id>/retry", methods=["GET", "POST"])
def retry(work: Work, incident_id: UUID) -> Any:
    """Try again what an incident stopped, once that was confirmed with a reason (重办)."""
    incident = incidents.find(work, incident_id)
    return _operate(
        Verb(_("重新办理"), _("请先排除原因。重新办理从失败的那一步开始，已经做完的不会再做。"), operations.retry),
        f"{incident.case.number} · {incident.name}",
        url_for("operations.listed"),
        lambda reason, token: operations.retry(work, incident_id, reason, token=token),
    )


@door.route("/admin/cases/<number>/<any(hold, release, terminate, 'undo-migration'):verb>", methods=["GET", "POST"])
def operate(work: Work, number: str, verb: str) -> Any:
    """Do something to the procedure of a case, once that was confirmed with a reason (运维操作)."""
    operations.overview(work, number)
    known = _VERBS[verb]
    back = url_for("admin.case", number=number)
    return _operate(known, number, back, lambda reason, token: known.act(work, number, reason, token=token))


@door.route("/admin/cases/<number>/<any(skip, move):verb>/<uuid:row_id>", methods=["GET", "POST"])
def operate_on(work: Work, number: str, verb: str, row_id: UUID) -> Any:
    """Skip or move what a case waits for, once that was confirmed with a reason (跳过、调整环节)."""
    overview = operations.overview(work, number)
    elements = {task.id: task.element for task in overview.tasks}
    elements |= {errand.id: errand.element for errand in overview.errands}
    if row_id not in elements and request.method == "GET":
        raise NotFound(item=str(row_id))
    targets = operations.targets(work, overview.case) if verb == "move" else {}
    target = [request.form.get("target", "")] if verb == "move" else []

    def act(reason: str, token: str) -> None:
        _ITEM_VERBS[verb].act(work, number, row_id, *target, reason, token=token)

    subject = f"{number} · {elements.get(row_id, '')}"
    return _operate(_ITEM_VERBS[verb], subject, url_for("admin.case", number=number), act, targets)


@door.get("/admin/notices")
def stuck(work: Work) -> str:
    """List the notices that could not be drawn and the letters that may not have gone (待处理文书)."""
    access.require_administrator(work)
    return render_template(
        "admin/notices.html", undrawn=drawings.failed(work), unsent=mailings.failed(work), kinds=kinds.catalogue()
    )


@door.post("/admin/notices/<uuid:row_id>/again")
def again(work: Work, row_id: UUID) -> Response:
    """Draw a notice or send a letter again, as an administrator decides (重新制作、重新投递)."""
    access.require_administrator(work)
    drawings.again(work, row_id)
    mailings.again(work, row_id)
    return _to(url_for("operations.stuck"))


@door.get("/admin/versions/<uuid:version_id>/migration")
def survey(work: Work, version_id: UUID) -> str:
    """Show what a migration to this version would make of the cases of others (迁移预检)."""
    return _survey(work, version_id)


@door.post("/admin/versions/<uuid:version_id>/migration")
def migrate(work: Work, version_id: UUID) -> Any:
    """Migrate the chosen cases to this version (版本迁移)."""
    chosen, token = request.form.getlist("case")[:PAGE], _page_token()
    try:
        reason = request.form.get("reason", "")
        versions.migrate(work, chosen, version_id, reason, mapping=_mapping(request.form), token=token)
    except AnswersInvalid as refused:
        return _survey(work, version_id, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("operations.survey", version_id=version_id, moved=len(chosen)), _SEE_OTHER)


def _survey(work: Work, version_id: UUID, missing: list[Missing] | None = None) -> str:
    version, page = workshops.version(work, version_id), asked_page()
    found = versions.candidates(work, version, limit=PAGE + 1, offset=PAGE * (page - 1))
    mapping = _mapping(request.values)
    prospects = versions.survey(work, found[:PAGE], version, mapping)
    lost = {place.element: place.name for prospect in prospects for place in prospect.lost}
    return render_template(
        "admin/migration.html",
        version=version,
        prospects=prospects,
        lost=lost | {element: lost.get(element, "") for element in mapping},
        mapping=mapping,
        targets=versions.places(work, version),
        page=page,
        more=len(found) > PAGE,
        missing=missing or [],
        chosen=set(request.form.getlist("case")),
        reason=request.form.get("reason", ""),
        page_token=_page_token() or token_urlsafe(),
        moved=request.args.get("moved", type=int),
    )


def _operate(
    verb: Verb,
    subject: str,
    back: str,
    act: Callable[[str, str], Any],
    targets: Mapping[str, str] | None = None,
) -> Any:
    missing: list[Missing] = []
    if request.method == "POST":
        try:
            act(request.form.get("reason", ""), _page_token())
        except AnswersInvalid as refused:
            missing = refused.facts["missing"]
        else:
            return _to(back)
    page = render_template(
        "admin/operate.html",
        title=verb.title,
        text=verb.text,
        subject=subject,
        back=back,
        targets=targets or {},
        target=request.form.get("target", ""),
        reason=request.form.get("reason", ""),
        missing=missing,
        page_token=_page_token() or token_urlsafe(),
    )
    return (page, _UNPROCESSABLE) if missing else page


def _mapping(values: Mapping[str, str]) -> dict[str, str]:
    """Read which element of the new version takes the place of which old one (环节对应)."""
    told = {key.removeprefix("map."): value for key, value in values.items() if key.startswith("map.") and value}
    return dict(sorted(told.items())[:_MOST_MAPPED])


def _page_token() -> str:
    """Read the token that makes a second sending of the same page the same operation (防重复提交)."""
    return request.form.get("page_token", "")


def _to(back: str) -> Response:
    return redirect(back, _SEE_OTHER)
