"""The window (窗口): the tasks of an officer's own posts, and the cases they belong to."""

from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approval.domain.actors import Actor, Post
from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, Refusal
from approval.domain.texts import LONGEST_CODE
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import (
    access,
    cards,
    countdowns,
    countersigns,
    deliveries,
    diagrams,
    dossiers,
    evidence,
    filters,
    forms,
    grounds,
    handovers,
    issuances,
    items,
    kinds,
    memos,
    notices,
    outlooks,
    people,
    precedents,
    snapshots,
    statutes,
    tasks,
)
from approval.services.tasks import Tab
from approval.web import forms as sheets
from approval.web.door import PAGE, Door, Slowly, asked_page, office
from approval.web.forms import Reply

door = Door("window", __name__, for_people=True)

# What a queue may show of a task beside step, case and claim; and what it shows to whoever has not chosen.
COLUMNS = ("applicant", "due", "opened", "status", "post")
_USUAL = ("applicant", "due")
_SEE_OTHER = 303
_UNPROCESSABLE = 422


@door.get("/window/tasks")
def queue(work: Work) -> str:
    """List the tasks of one's posts, due first (我的待办): mine, unclaimed, or all; by post; by case number."""
    _require_post(work)
    page, post, number = asked_page(), _asked_post(work), request.args.get("number", "").strip()[:LONGEST_CODE]
    item = request.args.get("item", "")[:LONGEST_CODE]
    counts = tasks.count(work, post=post, number=number, item=item)
    tab = _asked_tab(counts, number)
    found = tasks.queue(work, tab, post=post, number=number, item=item, limit=PAGE + 1, offset=PAGE * (page - 1))
    listed = found[:PAGE]
    involved = {task.case.applicant_id for task in listed} | {task.claimed_by for task in listed if task.claimed_by}
    return render_template(
        "window/tasks.html",
        rows=[(task, countdowns.days_left(work, task.case, task.due_on) if task.due_on else None) for task in listed],
        names=dossiers.names(work, involved),
        counts=counts,
        tab=tab,
        post=post,
        number=number,
        item=item,
        columns=_asked_columns(),
        usual=_USUAL,
        items=items.catalogue(work),
        filters=filters.mine(work),
        told=memos.waiting(work),
        page=page,
        more=len(found) > PAGE,
        why=request.args.get("why", ""),
        departments=people.departments(work),
        done=_done(work),
    )


@door.post("/window/tasks/<uuid:task_id>/claim")
def claim(work: Work, task_id: UUID) -> Response:
    """Claim a task and go to it (签收)."""
    tasks.claim(work, task_id)
    return redirect(url_for("window.task", task_id=task_id), _SEE_OTHER)


@door.post("/window/tasks/<uuid:task_id>/release")
def release(work: Work, task_id: UUID) -> Response:
    """Give a task back to its queue (退回)."""
    tasks.release(work, task_id)
    return redirect(url_for("window.queue"), _SEE_OTHER)


@door.get("/window/tasks/<uuid:task_id>")
def task(work: Work, task_id: UUID) -> Any:
    """Show a task beside all that is known of its case (办理): its form, or why there is none."""
    _require_post(work)
    found = access.task_in_sight(work, task_id)
    return _desk(work, found, access.hindrance(work, found), {})


@door.post("/window/tasks/<uuid:task_id>", writes=False)
def complete(work: Work, task_id: UUID) -> Any:
    """Complete a task with what was answered (办结待办); wrong answers stay on the page."""
    _require_post(work)
    found = access.task_in_sight(work, task_id)
    questions = tasks.form(work, found)
    given, finished = sheets.receive(questions, {}) if questions else Reply({}, finished=True)
    hindrance = access.hindrance(work, found)
    if not finished:
        return _desk(work, found, hindrance, given)
    if questions and not hindrance and (missing := forms.check(questions, given)[1]):
        return _desk(work, found, None, given, missing), _UNPROCESSABLE
    actor, token = work.actor, _page_token() or None
    return Slowly(lambda: _completed(actor, task_id, given, token))


@door.post("/window/tasks/<uuid:task_id>/preview", writes=False)
def preview(work: Work, task_id: UUID) -> Any:
    """Draw the notices that completing a task with these answers would issue (预览文书); nothing of them stays."""
    _require_post(work)
    found = access.task_in_sight(work, task_id)
    questions = tasks.form(work, found)
    given = sheets.receive(questions, {}).given if questions else {}
    hindrance = access.hindrance(work, found)
    if hindrance or (questions and (missing := forms.check(questions, given)[1])):
        page = _desk(work, found, hindrance, given, None if hindrance else missing)
        return page, _UNPROCESSABLE
    actor, which = work.actor, request.form.get("which", type=int)
    return Slowly(lambda: _foreseen(actor, task_id, given, which))


@door.post("/window/tasks/<uuid:task_id>/return")
def return_to(work: Work, task_id: UUID) -> Any:
    """Return a case to an earlier step (退回前面的环节), with a reason."""
    _require_post(work)
    found = access.task_in_sight(work, task_id)
    target, reason = request.form.get("target", ""), request.form.get("reason", "")
    try:
        tasks.return_to(work, task_id, target, reason, token=_page_token())
    except AnswersInvalid as refused:
        missing = refused.facts["missing"]
        return _desk(work, found, access.hindrance(work, found), {}, return_missing=missing), _UNPROCESSABLE
    return redirect(url_for("window.queue"), _SEE_OTHER)


@door.get("/window/cases/<number>")
def case(work: Work, number: str) -> str:
    """Show a case to officers whose department works on it (办件卷宗)."""
    _require_post(work)
    found = access.officers_case(work, number)
    dossier = dossiers.read(work, found)
    formals = issuances.of_case(work, found)
    return render_template(
        "window/case.html",
        formals=formals,
        ways=deliveries.of_notices(work, formals),
        kinds=kinds.catalogue(),
        issuable=notices.issuable(work, found),
        dossier=dossier,
        grounds=grounds.of_case(work, dossier),
        tell=sheets.tell,
        drawings=diagrams.path(work, found),
        departments=people.departments(work),
        cards=[(card, statutes.cards()[card.code]) for card in cards.of_case(work, found)],
        memos=memos.of_case(work, found),
        evidence=evidence.of_case(work, found),
        countersigns=(asked := countersigns.of_case(work, found)),
        signers=dossiers.names(work, {one.asked for one in asked}),
    )


def refused(work: Work, task_id: UUID, tried: str, missing: list[Missing]) -> str:
    """Draw a task's page after something beside its form was tried, with what was given and what is missing."""
    found = access.task_in_sight(work, task_id)
    return _desk(work, found, access.hindrance(work, found), {}, tried=tried, tried_missing=missing)


def _desk(
    work: Work,
    found: Task,
    hindrance: Refusal | None,
    given: dict[str, Any],
    missing: list[Missing] | None = None,
    *,
    return_missing: list[Missing] | None = None,
    tried: str = "",
    tried_missing: list[Missing] | None = None,
) -> str:
    """Draw a task's page; who does not read the case from the inside learns only why there is no form."""
    doable = hindrance is None and found.claimed_by is not None
    questions = tasks.form(work, found)
    return render_template(
        "window/task.html",
        task=found,
        hindrance=hindrance,
        doable=doable,
        sheet=sheets.draw(questions, given, missing=missing or ()) if questions and doable else None,
        missing=sheets.labelled(missing or (), questions) if questions else (),
        tell=sheets.tell,
        anchor=sheets.anchor,
        portable=sheets.portable(questions),
        returns=snapshots.steps(work, found.case) if doable else [],
        return_missing=return_missing or [],
        done_token=_page_token() or token_urlsafe(),
        dossier=dossiers.read(work, found.case) if access.reads(work, found.case) else None,
        departments=people.departments(work),
        days_left=countdowns.days_left(work, found.case, found.due_on) if found.due_on else None,
        beside=_beside(work, found, tried, tried_missing or []) if access.reads(work, found.case) else None,
    )


def _beside(work: Work, found: Task, tried: str, missing: list[Missing]) -> dict[str, Any]:
    """Bring what the desk offers beside the form: who can take over or be asked, what was said, how others ended."""
    open_ = found.progress == Progress.OPEN
    asked = countersigns.of_case(work, found.case)
    involved = {one.asked for one in asked} | {one.asked_by for one in asked}
    return {
        "leads": open_ and handovers.leads(work, found),
        "colleagues": handovers.colleagues(work, found) if open_ else [],
        "signers": countersigns.may_be_asked(work, found) if open_ else [],
        "countersigns": asked,
        "memos": memos.of_case(work, found.case),
        "evidence": evidence.of_case(work, found.case),
        "largest": work.office.settings.material_bytes,
        "precedents": precedents.of(work, found.case),
        "names": dossiers.names(work, involved),
        "task": found.id,
        "tried": tried,
        "missing": missing,
        "given": request.form,
    }


def _completed(actor: Actor, task_id: UUID, given: dict[str, Any], token: str | None) -> Any:
    """Complete a task in a Work of its own: what an act refuses is undone first, and then told beside its field."""
    try:
        office().do(lambda work: tasks.complete(work, task_id, given, token=token), by=actor)
    except AnswersInvalid as refused:
        return _again(actor, task_id, given, refused.facts["missing"])
    return redirect(url_for("window.queue", done=task_id), _SEE_OTHER)


def _again(actor: Actor, task_id: UUID, given: dict[str, Any], missing: list[Missing]) -> Any:
    with office().work(by=actor, read_only=True) as work:
        return _desk(work, access.task_in_sight(work, task_id), None, given, missing), _UNPROCESSABLE


def _foreseen(actor: Actor, task_id: UUID, given: dict[str, Any], which: int | None) -> Any:
    try:
        found = outlooks.look(office(), actor, task_id, given)
    except AnswersInvalid as refused:
        return _again(actor, task_id, given, refused.facts["missing"])
    if len(found) == 1:
        which = 0
    if which is None or not 0 <= which < len(found):
        said = [(name, text) for name, text in request.form.items(multi=True) if name not in {"csrf_token", "which"}]
        return render_template("window/previews.html", sheets=found, said=said, task_id=task_id)
    reply = make_response(outlooks.draw(found[which]))
    reply.content_type = "application/pdf"
    reply.headers["Content-Disposition"] = "inline"
    return reply


def _page_token() -> str:
    """Read the token that makes a second sending of the same page the same completion (防重复提交)."""
    return request.form.get("done_token", "")[:LONGEST_CODE]


def _done(work: Work) -> dict[str, Any] | None:
    """Tell what the visitor just completed, and what follows; nothing of anybody else's work."""
    done_id = request.args.get("done", type=UUID)
    done = tasks.just_done(work, done_id) if done_id else None
    if done is None:
        return None
    status, following = dossiers.follows(work, done)
    return {"task": done, "status": status, "following": following}


def _asked_columns() -> tuple[str, ...]:
    chosen = ",".join(request.args.getlist("columns")).split(",")
    return tuple(each for each in COLUMNS if each in chosen) or _USUAL


def _asked_tab(counts: dict[Tab, int], number: str) -> Tab:
    """Read which tab is asked for: at first one's own work if there is any, a search in all of it."""
    asked = request.args.get("tab", "")
    if asked in set(Tab):
        return Tab(asked)
    if number:
        return Tab.ALL
    return Tab.MINE if counts[Tab.MINE] else Tab.FREE


def _asked_post(work: Work) -> Post | None:
    return next((post for post in work.actor.posts if ".".join(post) == request.args.get("post")), None)


def _require_post(work: Work) -> None:
    if not work.actor.posts:
        raise NotAllowed
