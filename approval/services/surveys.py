"""Surveys of drafts (草稿概况): which steps there are, how far each is, and what is still missing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select

from approval.domain.answers import Field, Form, Section
from approval.domain.cases import Status
from approval.domain.errors import Missing
from approval.domain.manifests import Manifest, MaterialRequirement
from approval.models.cases import Case
from approval.models.drafts import Draft, DraftMaterial
from approval.models.materials import Material
from approval.office import Work
from approval.services import forms, items, materials, notices, people, pledges, sharing
from approval.services.packs import Pack
from approval.services.pledges import Promise
from certificates import Licence

_REPLY = {"maxLength": 2000}
_ASKED = ("what", "problem", "how", "basis")


class Progress(StrEnum):
    """How far a step of a draft is (填报进度)."""

    NOT_STARTED = "not-started"
    BEGUN = "begun"
    DONE = "done"


class Part(StrEnum):
    """What a step of a draft is about (填报步骤)."""

    REPLIES = "replies"
    ANSWERS = "answers"
    COMMITMENT = "commitment"
    MATERIALS = "materials"


class Step(NamedTuple):
    """One step of a draft (填报步骤); `section` is set for answers."""

    part: Part
    section: Section | None
    progress: Progress


@dataclass(frozen=True)
class Survey:
    """Where a draft stands (草稿概况).

    `given` is as typed, `answers` what was understood of it; `wanted` are the materials to show, `needed` the codes
    of those that must be handed in, `present` what the case has already, `held` what comes from the licence store.
    A correction must answer what was `asked`, each by a question of `reply_form`; `silent` are the replies that are
    missing. `promise` is what comes later and whether there is a commitment, `deferrable` what may come later;
    `chooses` says that a commitment is open to the applicant, `undecided` that they have not chosen yet. A `supply`
    is the draft of materials that were to come.
    """

    manifest: Manifest
    form: Form
    case: Case | None
    given: Mapping[str, Any]
    answers: Mapping[str, Any]
    wanted: tuple[MaterialRequirement, ...]
    needed: frozenset[str]
    attached: Mapping[str, DraftMaterial]
    present: Mapping[str, Material]
    held: Mapping[str, Licence]
    asked: tuple[Mapping[str, str], ...]
    reply_form: Form
    replies: Mapping[str, Any]
    silent: tuple[Missing, ...]
    wrong: tuple[Missing, ...]
    lacking: tuple[Missing, ...]
    promise: Promise
    deferrable: frozenset[str]
    chooses: bool
    undecided: bool
    supply: bool
    steps: tuple[Step, ...]

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Everything that is missing or wrong (尚缺内容): replies, answers, materials."""
        return (*self.silent, *self.wrong, *self.lacking)

    @property
    def told(self) -> list[dict[str, str]]:
        """What was asked, each row with what is replied to it (逐项答复)."""
        replies = [str(self.replies.get(question.key, "")) for question in self.reply_form.fields]
        return [{**row, "reply": text.strip()} for row, text in zip(self.asked, replies, strict=True)]

    def after(self, part: Part, section: Section | None = None) -> Step | None:
        """Find the next step that is not done yet (下一步), beginning behind the given one; None when all are."""
        at = next((n for n, step in enumerate(self.steps) if (step.part, step.section) == (part, section)), -1)
        return next(
            (step for step in (*self.steps[at + 1 :], *self.steps[:at]) if step.progress != Progress.DONE), None
        )


def pack(work: Work, draft: Draft) -> Pack:
    """Bring the pack a draft is filled in for (草稿所依事项包): the version in force, or that of the case."""
    case = _case(work, draft)
    return items.pack(work, case.item_version if case else items.find(work, draft.item_code))


def look(work: Work, draft: Draft) -> Survey:
    """Look at a draft as a whole (查看草稿概况); answers to questions of an older version are left aside."""
    case, understood = _case(work, draft), pack(work, draft)
    manifest, form = understood.manifest, understood.forms[understood.manifest.filing_form]
    supply = case is not None and case.status == Status.ACCEPTED
    form = Form("supply", ()) if supply else form
    given = {question.key: draft.answers[question.key] for question in form.fields if question.key in draft.answers}
    cleaned, wrong = forms.check(form, given)
    if hidden := {key_of(fault) for fault in wrong} - {question.key for question in forms.asked(form, given)}:
        # Nobody can put right what is not on any page.
        given = {key: value for key, value in given.items() if key not in hidden}
        wrong = [fault for fault in wrong if key_of(fault) not in hidden]
    filed_by = case.filed_by if case else draft.person_id
    promise = pledges.of_case(work, case) if case else promised(draft)
    applicant = people.applicant(work, draft.applicant_id, filed_by)
    context = {"answers": cleaned, "applicant": applicant, **promise.told()}
    files = select(DraftMaterial).where(DraftMaterial.draft_id == draft.id)
    attached = {file.requirement: file for file in work.session.scalars(files)}
    present = {file.requirement: file for file in materials.of_case(work, case)} if case else {}
    held = sharing.at_hand(work, manifest, applicant["number"])
    open_ = not supply and pledges.may_commit(work, manifest, context, draft.applicant_id)
    chooses = case is None and open_
    promise = promise if open_ or supply else promise._replace(committed=False)
    promise = promise if case else promise._replace(deferred=promise.deferred & pledges.deferrable(manifest))
    stood_for = Promise(committed=promise.committed).excused(manifest)
    if supply:
        needed, shown = promise.deferred, set(promise.deferred)
    else:
        needed = frozenset(material.code for material in materials.asked_for(manifest, context)) - stood_for
        optional = {material.code for material in manifest.materials if material.need == "optional"}
        shown = optional | needed | present.keys()
    excused = set() if supply else promise.excused(manifest)
    others = {material.code for material in manifest.materials} - promise.deferred if supply else set()
    lacking = materials.check(work, manifest, context, (), {*attached, *present, *held, *excused, *others})
    undecided = chooses and "committed" not in draft.promises
    if undecided:
        lacking.append(Missing(Part.COMMITMENT, "required", "办理方式"))
    handing = [fault for fault in lacking if fault.where != Part.COMMITMENT]
    asked = _asked(work, case) if case and not supply else ()
    reply_form = _reply_form(asked)
    _replies, silent = forms.check(reply_form, draft.replies)
    return Survey(
        manifest=manifest,
        form=form,
        case=case,
        given=given,
        answers=cleaned,
        wanted=tuple(material for material in manifest.materials if material.code in shown),
        needed=needed,
        attached=attached,
        present=present,
        held={code: licence for code, licence in held.items() if code in needed - attached.keys() - present.keys()},
        asked=asked,
        reply_form=reply_form,
        replies=draft.replies,
        silent=tuple(silent),
        wrong=tuple(wrong),
        lacking=tuple(lacking),
        promise=promise,
        deferrable=frozenset() if case else pledges.deferrable(manifest) & needed - attached.keys() - held.keys(),
        chooses=chooses,
        undecided=undecided,
        supply=supply,
        steps=(
            *([_step(Part.REPLIES, begun=bool(draft.replies), done=not silent)] if asked else ()),
            *_sections(form, given, cleaned, wrong),
            *([_step(Part.COMMITMENT, begun=not undecided, done=not undecided)] if chooses else ()),
            *([_step(Part.MATERIALS, begun=bool(attached or present or held), done=not handing)] if shown else ()),
        ),
    )


def promised(draft: Draft) -> Promise:
    """Read what a draft promises (草稿中的承诺)."""
    return Promise(frozenset(draft.promises.get("deferred", ())), bool(draft.promises.get("committed")))


def key_of(fault: Missing) -> str:
    """Name the question a fault belongs to (所属填报项): `answers.rows[1].name` is one of `rows`."""
    return fault.where.removeprefix("answers.").partition("[")[0]


def _case(work: Work, draft: Draft) -> Case | None:
    return work.session.get_one(Case, draft.case_id) if draft.case_id else None


def _asked(work: Work, case: Case) -> tuple[dict[str, str], ...]:
    """Read what the newest request for correction asked for, row by row."""
    told = notices.latest(work, case, "correction")
    rows = told.facts.get("missing") if told else ()
    return tuple({key: str(row.get(key) or "") for key in _ASKED} for row in rows or () if isinstance(row, Mapping))


def _reply_form(asked: tuple[Mapping[str, str], ...]) -> Form:
    """Make a form of what was asked, so that replies are typed, checked and drawn as all answers are."""
    questions = tuple(
        Field(
            key=f"reply{number}",
            kind="textarea",
            label=row["what"],
            label_en=row["what"],
            help="",
            help_en="",
            required=True,
            limits=_REPLY,
            options=(),
            hidden_when="",
        )
        for number, row in enumerate(asked, start=1)
    )
    return Form("replies", (Section("replies", "", "", questions),))


def _sections(
    form: Form, given: Mapping[str, Any], cleaned: Mapping[str, Any], wrong: Iterable[Missing]
) -> Iterator[Step]:
    """Say how far each section is; one whose questions are all hidden is no step."""
    faulty = {key_of(fault) for fault in wrong}
    for section in form.sections:
        keys = {question.key for question in section.fields}
        if keys & (cleaned.keys() | faulty):
            yield _step(Part.ANSWERS, section, begun=bool(keys & given.keys()), done=not keys & faulty)


def _step(part: Part, section: Section | None = None, *, begun: bool, done: bool) -> Step:
    if not begun:
        return Step(part, section, Progress.NOT_STARTED)
    return Step(part, section, Progress.DONE if done else Progress.BEGUN)
