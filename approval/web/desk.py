"""The officers' desk (办公桌): handing over, countersigning, memos, standing in, many at once."""

from collections.abc import Callable
from datetime import date
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed
from approval.domain.materials import Upload, plain_name
from approval.domain.texts import LONGEST_CODE
from approval.office import Work
from approval.services import (
    access,
    bulks,
    countersigns,
    dossiers,
    evidence,
    filters,
    forms,
    handovers,
    memos,
    recommendations,
    suspensions,
    tasks,
)
from approval.web import errors, window
from approval.web import forms as sheets
from approval.web.door import Door, Slowly, office
from approval.web.refusals import refusal

door = Door("desk", __name__, for_people=True)

_SEE_OTHER = 303
_UNPROCESSABLE = 422
_FILTERS = ("tab", "post", "number", "item", "columns")


@door.get("/window/desk")
def mine(work: Work) -> str:
    """Show what colleagues want of oneself (协同): countersigning, copies and urges, standing in, saved filters."""
    return _page(work, [])


@door.post("/window/tasks/<uuid:task_id>/pass-on")
def pass_on(work: Work, task_id: UUID) -> Any:
    """Pass a task on to a colleague (转办)."""
    reason = request.form.get("reason", "")
    return _tried(
        work, task_id, lambda: handovers.pass_on(work, task_id, _person("to"), reason), url_for("window.queue")
    )


@door.post("/window/tasks/<uuid:task_id>/take-back")
def take_back(work: Work, task_id: UUID) -> Any:
    """Give a task that a colleague holds back to its queue (收回待办)."""
    return _tried(work, task_id, lambda: handovers.take_back(work, task_id, request.form.get("reason", "")))


@door.post("/window/tasks/<uuid:task_id>/countersign")
def ask(work: Work, task_id: UUID) -> Any:
    """Ask colleagues to sign before the task is completed (会签)."""
    whom = [UUID(each) for each in request.form.getlist("whom") if _is_id(each)]
    return _tried(work, task_id, lambda: countersigns.ask(work, task_id, whom, request.form.get("question", "")))


@door.post("/window/countersigns/<uuid:countersign_id>/withdraw")
def withdraw(work: Work, countersign_id: UUID) -> Response:
    """Withdraw what nobody answered yet (撤回会签)."""
    asked = countersigns.withdraw(work, countersign_id)
    return redirect(url_for("window.task", task_id=asked.task_id), _SEE_OTHER)


@door.post("/window/countersigns/<uuid:countersign_id>")
def answer(work: Work, countersign_id: UUID) -> Any:
    """Answer what one was asked to sign (会签意见)."""
    agrees = {"yes": True, "no": False}.get(request.form.get("agrees", ""))
    try:
        countersigns.answer(work, countersign_id, agrees=agrees, opinion=request.form.get("opinion", ""))
    except AnswersInvalid as refused:
        return _page(work, refused.facts["missing"], answered=countersign_id), _UNPROCESSABLE
    return redirect(url_for("desk.mine"), _SEE_OTHER)


@door.post("/window/tasks/<uuid:task_id>/evidence", writes=False)
def take(work: Work, task_id: UUID) -> Any:
    """Put a photograph or a paper to one's task (上传取证材料); it is opened first, and what is wrong is said.

    A program, such as the page for a visit without a network, sends a token with it, and is answered with the same:
    a second sending puts nothing anew.
    """
    actor, sent, token = work.actor, request.files.get("file"), request.form.get("done_token", "")[:LONGEST_CODE]
    if hindrance := access.hindrance(work, access.task_in_sight(work, task_id)):
        raise hindrance
    upload = Upload("", plain_name((sent and sent.filename) or ""), sent.read() if sent else b"")

    def attach() -> None:
        if wrong := evidence.examine(work, upload):
            raise AnswersInvalid(missing=wrong)
        office().do(lambda later: evidence.attach(later, task_id, upload, token=token), by=actor)

    def examine() -> Any:
        try:
            attach()
        except AnswersInvalid as refused:
            if errors.wants_problem():
                raise
            with office().work(by=actor, read_only=True) as later:
                return window.refused(later, task_id, "take", refused.facts["missing"]), _UNPROCESSABLE
        if errors.wants_problem():
            return {"kept": token}
        return redirect(url_for("window.task", task_id=task_id, _anchor="evidence"), _SEE_OTHER)

    return Slowly(examine)


@door.post("/window/evidence/<uuid:evidence_id>/remove")
def put_away(work: Work, evidence_id: UUID) -> Response:
    """Take a file off one's open task (移除取证材料)."""
    task = evidence.remove(work, evidence_id)
    return redirect(url_for("window.task", task_id=task.id, _anchor="evidence"), _SEE_OTHER)


@door.post("/window/cases/<number>/notes")
def note(work: Work, number: str) -> Any:
    """Leave a note for colleagues (内部备注)."""
    memos.note(work, number, request.form.get("text", ""))
    return redirect(url_for("window.case", number=number) + "#memos", _SEE_OTHER)


@door.post("/window/tasks/<uuid:task_id>/copy")
def copy_to(work: Work, task_id: UUID) -> Any:
    """Bring a case to a colleague's knowledge (抄送)."""
    return _tried(work, task_id, lambda: memos.copy_to(work, task_id, _person("whom"), request.form.get("text", "")))


@door.post("/window/tasks/<uuid:task_id>/urge")
def urge(work: Work, task_id: UUID) -> Any:
    """Urge whoever holds a task (催办)."""
    number = access.task_in_sight(work, task_id).case.number
    then = url_for("window.case", number=number)
    return _tried(work, task_id, lambda: memos.urge(work, task_id, request.form.get("text", "")), then)


@door.post("/window/memos/<uuid:memo_id>/read")
def read(work: Work, memo_id: UUID) -> Response:
    """Mark a memo as read (标记已读)."""
    memos.read(work, memo_id)
    return redirect(url_for("desk.mine"), _SEE_OTHER)


@door.post("/window/covers")
def stand_in(work: Work) -> Any:
    """Let a colleague stand in for oneself (代理)."""
    since, until = (_day(request.form.get(name, "")) for name in ("since", "until"))
    try:
        handovers.stand_in_for_me(work, request.form.get("by", ""), since, until)
    except AnswersInvalid as refused:
        return _page(work, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(url_for("desk.mine"), _SEE_OTHER)


@door.post("/window/covers/<uuid:cover_id>/end")
def end_cover(work: Work, cover_id: UUID) -> Response:
    """End a stand-in before its day (终止代理)."""
    handovers.end_cover(work, cover_id)
    return redirect(url_for("desk.mine"), _SEE_OTHER)


@door.post("/window/filters")
def save_filter(work: Work) -> Any:
    """Save how one looks at the queue (保存筛选)."""
    asked = {name: request.form.get(name, "")[:LONGEST_CODE] for name in _FILTERS}
    try:
        filters.save(work, request.form.get("name", ""), asked)
    except AnswersInvalid as refused:
        return _page(work, refused.facts["missing"]), _UNPROCESSABLE
    kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return redirect(url_for("window.queue", **kept), _SEE_OTHER)


@door.post("/window/filters/<uuid:filter_id>/drop")
def drop_filter(work: Work, filter_id: UUID) -> Response:
    """Drop a saved filter (删除筛选)."""
    filters.drop(work, filter_id)
    return redirect(url_for("desk.mine"), _SEE_OTHER)


@door.get("/window/bulk")
def choose(work: Work) -> Any:
    """Show the form that completes many tasks alike (批量办理), or the queue again and why these are not."""
    try:
        return _bulk(work, {}, [])
    except AnswersInvalid as refused:
        return redirect(url_for("window.queue", why=refused.facts["missing"][0].why), _SEE_OTHER)


@door.post("/window/bulk", writes=False)
def complete(work: Work) -> Any:
    """Complete many tasks with the same answers, each by itself, and tell what became of each (批量办结)."""
    chosen = bulks.choose(work, _chosen())
    questions = tasks.form(work, chosen[0])
    given, finished = sheets.receive(questions, {}) if questions else sheets.Reply({}, finished=True)
    missing = forms.check(questions, given)[1] if questions and finished else []
    if missing or not finished:
        return _bulk(work, given, missing), _UNPROCESSABLE if missing else 200
    ids, token = [task.id for task in chosen], request.form.get("done_token", "")[:LONGEST_CODE]

    def act() -> str:
        with office().work(by=work.actor, read_only=True) as later:
            outcomes = bulks.complete(office(), later, ids, given, token)
        return render_template("window/bulk_done.html", outcomes=outcomes, refused=lambda one: refusal(type(one)))

    return Slowly(act)


def _bulk(work: Work, given: dict[str, Any], missing: list[Missing]) -> str:
    chosen = bulks.choose(work, _chosen())
    questions = tasks.form(work, chosen[0])
    hindered = {task.id for task in chosen if access.hindrance(work, task) is not None}
    free = [task for task in chosen if task.id not in hindered]
    return render_template(
        "window/bulk.html",
        chosen=chosen,
        names=dossiers.names(work, {task.case.applicant_id for task in chosen}),
        hindered=hindered,
        divided={task.id for task in free if recommendations.divided(recommendations.of_case(work, task.case))},
        sheet=sheets.draw(questions, given, missing=missing) if questions else None,
        missing=sheets.labelled(missing, questions) if questions else (),
        anchor=sheets.anchor,
        done_token=request.form.get("done_token", "")[:LONGEST_CODE] or token_urlsafe(24),
    )


def _page(work: Work, missing: list[Missing], answered: UUID | None = None) -> str:
    if not work.actor.departments:
        raise NotAllowed
    asked, stands = countersigns.mine(work), handovers.covers(work)
    involved = {one.asked_by for one in asked} | {one.task.case.applicant_id for one in asked}
    involved |= {who for cover in stands for who in (cover.absent, cover.stands_in)}
    return render_template(
        "window/desk.html",
        asked=asked,
        told=memos.told_me(work),
        extendable=suspensions.extendable(work),
        covers=stands,
        filters=filters.mine(work),
        names=dossiers.names(work, involved),
        missing=missing,
        answered=answered,
        given={name: request.form.get(name, "") for name in ("by", "since", "until", "agrees", "opinion")},
        today=work.today,
    )


def _tried(work: Work, task_id: UUID, act: Callable[[], object], then: str = "") -> Any:
    """Do something at a task's page, or show that page again with what is missing; nothing was changed then."""
    try:
        act()
    except AnswersInvalid as refused:
        tried = (request.endpoint or "").partition(".")[2]
        return window.refused(work, task_id, tried, refused.facts["missing"]), _UNPROCESSABLE
    return redirect(then or url_for("window.task", task_id=task_id), _SEE_OTHER)


def _chosen() -> list[UUID]:
    return [UUID(each) for each in request.values.getlist("task") if _is_id(each)][: bulks.MOST + 1]


def _person(name: str) -> UUID:
    given = request.form.get(name, "")
    return UUID(given) if _is_id(given) else UUID(int=0)


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
