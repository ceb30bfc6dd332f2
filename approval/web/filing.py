"""Filing (申请): a draft filled in one thing a page, checked as a whole and handed in; corrections likewise."""

from typing import Any
from uuid import UUID

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from approval.domain.answers import Section
from approval.domain.errors import Incomplete, Missing, NotFound
from approval.domain.materials import Upload, plain_name
from approval.models.cases import Case
from approval.models.drafts import Draft
from approval.office import Work
from approval.services import drafts, items, materials, people, surveys
from approval.services.surveys import Part, Step, Survey
from approval.web import forms, visitors, words
from approval.web.door import Door, Slowly, office

door = Door("filing", __name__, for_people=True)

_OK = 200
_SEE_OTHER = 303
_UNPROCESSABLE = 422
_CHECK = "check"
_COMMITTED = "committed"
_WAYS = frozenset({"usual", _COMMITTED})


@door.route("/items/<code>/begin", methods=["GET", "POST"])
def begin(work: Work, code: str) -> Any:
    """Begin a filing, or go on with the draft there is; whoever has a choice says for whom (为谁办)."""
    version = items.find_open(work, code)
    manifest = items.pack(work, version).manifest
    names = {organization.code: organization.name for organization in people.organizations(work)}
    choices = ({"": work.actor.name} if "person" in manifest.serves else {}) | (
        names if "organization" in manifest.serves else {}
    )
    chosen = request.form.get("applicant", request.args.get("for"))
    if chosen is None and len(choices) == 1:
        chosen = next(iter(choices))
    if request.method == "GET" or chosen not in choices:
        if request.method == "POST" and chosen is None:
            return redirect(url_for("filing.begin", code=code), _SEE_OTHER)
        wrong = request.method == "POST"
        page = render_template(
            "filing/begin.html", manifest=manifest, code=code, choices=choices, chosen=chosen, wrong=wrong
        )
        return page, _UNPROCESSABLE if wrong else _OK
    draft = drafts.begin(visitors.acting_for(work, chosen), code)
    return redirect(url_for("filing.draft", draft_id=draft.id), _SEE_OTHER)


@door.post("/my/cases/<number>/correct")
def correct(work: Work, number: str) -> Response:
    """Begin a correction, or go on with the draft there is (补正)."""
    return redirect(url_for("filing.draft", draft_id=drafts.begin_correction(work, number).id), _SEE_OTHER)


@door.post("/my/cases/<number>/supply")
def supply(work: Work, number: str) -> Response:
    """Begin to hand in what was to come after acceptance, or go on with the draft there is (补齐容缺材料)."""
    return redirect(url_for("filing.materials", draft_id=drafts.begin_supply(work, number).id), _SEE_OTHER)


@door.get("/drafts/<uuid:draft_id>")
def draft(work: Work, draft_id: UUID) -> str:
    """Show the steps of a draft, each with its status (任务清单)."""
    work, found = _enter(work, draft_id)
    survey = surveys.look(work, found)
    return _page(work, "filing/draft.html", found, survey, rows=[_row(found, step) for step in survey.steps])


@door.route("/drafts/<uuid:draft_id>/answers/<key>", methods=["GET", "POST"])
def section(work: Work, draft_id: UUID, key: str) -> Any:
    """Ask the questions of one section; what is sent is saved, right or wrong (分步填写)."""
    work, found = _enter(work, draft_id, lock=request.method == "POST")
    survey = surveys.look(work, found)
    here = next((each for each in survey.form.sections if each.key == key), None)
    if here is None:
        raise NotFound(section=key)
    missing: list[Missing] = []
    if request.method == "POST":
        reply = forms.receive(survey.form, survey.given, here)
        drafts.save(work, found, here, reply.given)
        survey = surveys.look(work, found)
        if reply.finished:
            keys = {question.key for question in here.fields}
            missing = [fault for fault in survey.wrong if surveys.key_of(fault) in keys]
            if not missing:
                return _onward(found, survey, Part.ANSWERS, here)
    sheet = forms.draw(survey.form, survey.given, here, missing)
    page = _page(
        work, "filing/section.html", found, survey, section=here, sheet=sheet, wrong=_labelled(survey, missing)
    )
    return page, _UNPROCESSABLE if missing else _OK


@door.route("/drafts/<uuid:draft_id>/replies", methods=["GET", "POST"])
def replies(work: Work, draft_id: UUID) -> Any:
    """Ask for a reply to each thing that was to be put right (逐项答复)."""
    work, found = _enter(work, draft_id, lock=request.method == "POST")
    survey = surveys.look(work, found)
    if not survey.asked:
        raise NotFound(replies=str(draft_id))
    missing: tuple[Missing, ...] = ()
    if request.method == "POST":
        drafts.reply(work, found, forms.receive(survey.reply_form, found.replies).given)
        survey = surveys.look(work, found)
        missing = survey.silent
        if not missing:
            return _onward(found, survey, Part.REPLIES)
    sheet = forms.draw(survey.reply_form, survey.replies, missing=missing)
    rows = [_row(found, step) for step in survey.steps if step.part != Part.REPLIES]
    page = _page(work, "filing/replies.html", found, survey, sheet=sheet, wrong=missing, rows=rows)
    return page, _UNPROCESSABLE if missing else _OK


@door.route("/drafts/<uuid:draft_id>/commitment", methods=["GET", "POST"])
def commitment(work: Work, draft_id: UUID) -> Any:
    """Tell what a commitment binds to and what follows from a false one, and let the applicant choose (告知承诺)."""
    work, found = _enter(work, draft_id, lock=request.method == "POST")
    survey = surveys.look(work, found)
    if not survey.chooses:
        raise NotFound(commitment=str(draft_id))
    chosen = request.form.get("way")
    wrong = request.method == "POST" and chosen not in _WAYS
    if request.method == "POST" and not wrong:
        drafts.commit(work, found, committed=chosen == _COMMITTED)
        return _onward(found, surveys.look(work, found), Part.COMMITMENT)
    return _page(work, "filing/commitment.html", found, survey, wrong=wrong), _UNPROCESSABLE if wrong else _OK


@door.get("/drafts/<uuid:draft_id>/materials", endpoint="materials")
def files(work: Work, draft_id: UUID) -> str:
    """Show every material that is asked for, and what was put to the draft (上传材料)."""
    work, found = _enter(work, draft_id)
    return _page(work, "filing/materials.html", found, surveys.look(work, found), wrong=())


@door.post("/drafts/<uuid:draft_id>/materials/<requirement>", writes=False)
def attach(work: Work, draft_id: UUID, requirement: str) -> Any:
    """Put one file to the draft (上传材料); it is opened first, and what is wrong with it is said beside it."""
    acting, found = _enter(work, draft_id)
    manifest = surveys.pack(acting, found).manifest
    sent = request.files.get("file")
    upload = Upload(requirement, plain_name((sent and sent.filename) or ""), sent.read() if sent else b"")

    def examine() -> Any:
        wrong = materials.examine(work, manifest, upload)
        with office().work(by=work.actor) as later:
            return _attached(later, draft_id, upload, wrong)

    return Slowly(examine)


@door.post("/drafts/<uuid:draft_id>/materials/<requirement>/defer")
def defer(work: Work, draft_id: UUID, requirement: str) -> Response:
    """Promise to hand a material in after acceptance, or take that back (容缺受理)."""
    work, found = _enter(work, draft_id, lock=True)
    if requirement not in {material.code for material in surveys.pack(work, found).manifest.materials}:
        raise NotFound(material=requirement)
    drafts.defer(work, found, requirement, later=request.form.get("later") == "1")
    at = url_for("filing.materials", draft_id=draft_id, **_then())
    return redirect(f"{at}#materials.{requirement}", _SEE_OTHER)


@door.post("/drafts/<uuid:draft_id>/materials/<requirement>/remove")
def remove(work: Work, draft_id: UUID, requirement: str) -> Response:
    """Take a file off the draft (移除材料)."""
    work, found = _enter(work, draft_id, lock=True)
    drafts.remove(work, found, requirement)
    return redirect(url_for("filing.materials", draft_id=draft_id, **_then()), _SEE_OTHER)


@door.get("/drafts/<uuid:draft_id>/check")
def check(work: Work, draft_id: UUID) -> str:
    """Show everything once more before it is handed in, and what is missing (核对)."""
    work, found = _enter(work, draft_id)
    survey = surveys.look(work, found)
    return _checked(work, found, survey, survey.missing)


@door.post("/drafts/<uuid:draft_id>/file")
def file(work: Work, draft_id: UUID) -> Any:
    """Hand the draft in (提交); clicked twice it is the same case."""
    try:
        case = drafts.hand_in(work, draft_id)
    except Incomplete as refused:
        work, found = _enter(work, draft_id)
        return _checked(work, found, surveys.look(work, found), refused.facts["missing"]), _UNPROCESSABLE
    return redirect(_case(work, case, "portal.receipt"), _SEE_OTHER)


@door.route("/drafts/<uuid:draft_id>/discard", methods=["GET", "POST"])
def discard(work: Work, draft_id: UUID) -> Any:
    """Throw a draft away, once that was confirmed (删除草稿)."""
    work, found = _enter(work, draft_id, lock=request.method == "POST")
    if request.method == "GET":
        return _page(work, "filing/discard.html", found, surveys.look(work, found))
    back = url_for("portal.mine", **_for(work, found.applicant_id))
    drafts.discard(work, found)
    return redirect(back, _SEE_OTHER)


def _enter(work: Work, draft_id: UUID, *, lock: bool = False) -> tuple[Work, Draft]:
    """Enter a draft; once it was handed in, every page of it leads to its case instead."""
    try:
        acting, found = drafts.enter(work, draft_id, lock=lock)
    except NotFound:
        _leave(work, draft_id)
        raise
    if found.case_id is not None:
        _leave(work, draft_id)
    return visitors.act_for(acting), found


def _leave(work: Work, draft_id: UUID) -> None:
    """Lead to the case that a draft became or corrected, if there is one."""
    if (case := drafts.settled(work, draft_id)) is not None:
        abort(redirect(_case(work, case, "portal.case"), _SEE_OTHER))


def _attached(work: Work, draft_id: UUID, upload: Upload, wrong: list[Missing]) -> Any:
    work, found = _enter(work, draft_id, lock=True)
    if wrong:
        survey = surveys.look(work, found)
        page = _page(work, "filing/materials.html", found, survey, wrong=_labelled(survey, wrong))
        return page, _UNPROCESSABLE
    drafts.attach(work, found, upload)
    return redirect(url_for("filing.materials", draft_id=draft_id, **_then()), _SEE_OTHER)


def _page(work: Work, template: str, found: Draft, survey: Survey, **values: Any) -> str:
    applicant = people.applicant(work, found.applicant_id, found.person_id)
    return render_template(
        template,
        draft=found,
        survey=survey,
        applicant=applicant,
        largest=work.office.settings.material_bytes,
        then=_then(),
        anchor=forms.anchor,
        **values,
    )


def _checked(work: Work, found: Draft, survey: Survey, missing: Any) -> str:
    cards = [
        (
            step.section,
            _address(found, step, then=_CHECK),
            [
                (question, list(forms.tell(question, survey.answers[question.key])))
                for question in step.section.fields
                if question.key in survey.answers
            ],
        )
        for step in survey.steps
        if step.section is not None
    ]
    gaps = [(entry, _place(found, survey, entry)) for entry in _labelled(survey, missing)]
    return _page(work, "filing/check.html", found, survey, cards=cards, gaps=gaps)


def _place(found: Draft, survey: Survey, entry: Missing) -> str:
    """Find the page, and the field on it, where something missing is put right."""
    if entry in survey.silent:
        step = Step(Part.REPLIES, None, surveys.Progress.BEGUN)
    elif entry.where == Part.COMMITMENT:
        step = Step(Part.COMMITMENT, None, surveys.Progress.BEGUN)
    elif entry.where.startswith("materials."):
        step = Step(Part.MATERIALS, None, surveys.Progress.BEGUN)
    else:
        key = surveys.key_of(entry)
        holds = (each for each in survey.form.sections if key in {question.key for question in each.fields})
        step = Step(Part.ANSWERS, next(holds, survey.form.sections[0]), surveys.Progress.BEGUN)
    return f"{_address(found, step, then=_CHECK)}#{forms.anchor(entry.where)}"


def _labelled(survey: Survey, missing: Any) -> list[Missing]:
    replies = [entry for entry in missing if entry in survey.silent]
    return replies + forms.labelled((entry for entry in missing if entry not in replies), survey.form, survey.manifest)


def _row(found: Draft, step: Step) -> dict[str, Any]:
    title = forms.named(step.section) if step.section else words.PARTS[step.part]
    status, kind = words.PROGRESS[step.progress]
    return {"title": title, "href": _address(found, step), "hint": "", "status": status, "kind": kind}


def _onward(found: Draft, survey: Survey, part: Part, here: Section | None = None) -> Response:
    """Go on: back to the check page whoever came from there, others to the next step that is open."""
    step = None if _then() else survey.after(part, here)
    at = _address(found, step) if step else url_for("filing.check", draft_id=found.id)
    return redirect(at, _SEE_OTHER)


def _address(found: Draft, step: Step, **values: Any) -> str:
    if step.section is not None:
        return url_for("filing.section", draft_id=found.id, key=step.section.key, **values)
    return url_for(f"filing.{step.part}", draft_id=found.id, **values)


def _then() -> dict[str, Any]:
    return {"then": _CHECK} if request.args.get("then") == _CHECK else {}


def _case(work: Work, case: Case, endpoint: str) -> str:
    return url_for(endpoint, number=case.number, **_for(work, case.applicant_id))


def _for(work: Work, applicant: UUID) -> dict[str, Any]:
    return next(({"for": each.code} for each in people.organizations(work) if each.id == applicant), {})
