"""Drafts (草稿): filling in at one's own pace, on any device, until it is handed in or forgotten."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, delete, or_, select

from approval.domain.answers import Section
from approval.domain.cases import Status
from approval.domain.errors import DraftExpired, Incomplete, Missing, NotAllowed, NotFound, NotSignedIn, OutOfTurn
from approval.domain.manifests import APPLICANT
from approval.domain.materials import MEDIA_TYPES, Upload, media_format, plain_name
from approval.models.cases import Case
from approval.models.drafts import Draft, DraftMaterial
from approval.models.evidence import Evidence
from approval.models.materials import Material, StoredContent
from approval.models.people import Person
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, answers, cases, items, materials, people, pledges, surveys

# Bytes of a file that is just being handed in are referred to by nobody yet.
_LOOSE_FOR = timedelta(days=1)
_AT_ONCE = 50


def begin(work: Work, item: str) -> Draft:
    """Begin a draft (新建草稿) for an item, or resume the one the actor has for this applicant and item.

    Raises `NotSignedIn`, `NotFound`, `ItemClosed`, and `NotAllowed` when the item does not serve the applicant.
    """
    applicant = _applicant(work)
    manifest = items.pack(work, items.find_open(work, item)).manifest
    if people.applicant(work, applicant, _person(work))["kind"] not in manifest.serves:
        raise NotAllowed(item=item, serves=sorted(manifest.serves))
    # Of two clicks at once the second waits here and then finds the draft of the first.
    work.session.get_one(Person, work.actor.person, with_for_update={"key_share": True})
    same = select(Draft).where(Draft.case_id.is_(None), Draft.item_code == item, *_own(work))
    return _resumed(work, same) or _new(work, item, None, {})


def begin_correction(work: Work, number: str) -> Draft:
    """Begin the draft of a correction (补正草稿) with what was answered before, or go on with it.

    Whoever acts for the applicant may take it over. Raises as `access.own_case`; `OutOfTurn` when nothing was asked.
    """
    case = access.own_case(work, number)
    if case.status != Status.CORRECTING:
        raise OutOfTurn(case=number, status=case.status)
    draft = _resumed(work, select(Draft).where(Draft.case_id == case.id))
    if draft is None:
        draft = _new(work, case.item_version.item_code, case.id, answers.latest(work, case, answers.FILING))
    draft.person_id = _person(work)
    return draft


def begin_supply(work: Work, number: str) -> Draft:
    """Begin the draft of the materials that were to come after acceptance (补齐容缺材料的草稿), or go on with it.

    Whoever acts for the applicant may take it over. Raises as `access.own_case`; `OutOfTurn` when nothing is to come.
    """
    case = access.own_case(work, number)
    if case.status != Status.ACCEPTED or not pledges.outstanding(work, case):
        raise OutOfTurn(case=number, status=case.status)
    draft = _resumed(work, select(Draft).where(Draft.case_id == case.id))
    draft = draft or _new(work, case.item_version.item_code, case.id, {})
    draft.person_id = _person(work)
    return draft


def enter(work: Work, draft_id: UUID, *, lock: bool = False) -> tuple[Work, Draft]:
    """Enter a draft (打开草稿): the Work goes on for the applicant that the draft is for; raises as `obtain`."""
    found = select(Draft.applicant_id).where(Draft.id == draft_id, Draft.person_id == work.actor.person)
    applicant = work.session.scalar(found)
    if applicant is None:
        raise NotFound(draft=str(draft_id))
    try:
        acting = work.acting_as(people.actor(work, _person(work), None if applicant == _person(work) else applicant))
    except NotAllowed:  # no agent any more
        raise NotFound(draft=str(draft_id)) from None
    return acting, obtain(acting, draft_id, lock=lock)


def obtain(work: Work, draft_id: UUID, *, lock: bool = False) -> Draft:
    """Obtain a draft (取得草稿) of the actor's own, for the applicant that the actor acts for.

    `lock` keeps the other devices of its person waiting. Raises `NotSignedIn`, `NotFound`, `DraftExpired`.
    """
    wanted = select(Draft).where(Draft.id == draft_id, *_own(work))
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    draft = work.session.scalars(wanted).one_or_none()
    if draft is None:
        raise NotFound(draft=str(draft_id))
    if draft.expires_at <= work.now:
        raise DraftExpired(draft=str(draft_id))
    return draft


def mine(work: Work) -> list[Draft]:
    """List the actor's drafts for the applicant acted for (我的草稿), the last saved first."""
    useful = or_(Draft.case_id.is_(None), _asked())
    theirs = select(Draft).outerjoin(Case, Case.id == Draft.case_id).where(*_own(work), Draft.expires_at > work.now)
    return list(work.session.scalars(theirs.where(useful).order_by(Draft.saved_at.desc(), Draft.id)))


def save(work: Work, draft: Draft, section: Section, given: Mapping[str, Any]) -> None:
    """Save the answers of one section as typed (保存草稿), right or wrong; those of other sections stay.

    The draft was obtained with `lock`, so that two tabs never lose each other's sections.
    """
    told = {question.key: given[question.key] for question in section.fields if question.key in given}
    draft.answers = {**draft.answers, **told}
    _saved(work, draft)


def reply(work: Work, draft: Draft, replies: Mapping[str, Any]) -> None:
    """Save what is replied to each thing that was asked (逐项答复), as typed; the draft was locked."""
    draft.replies = dict(replies)
    _saved(work, draft)


def defer(work: Work, draft: Draft, requirement: str, *, later: bool) -> None:
    """Promise to hand a material in after acceptance, or not to (容缺承诺); the draft was locked.

    Raises `Incomplete` for a material that the item does not let come later.
    """
    survey = surveys.look(work, draft)
    if later and requirement not in survey.deferrable:
        raise Incomplete(missing=[Missing(f"materials.{requirement}", "not-deferrable")])
    kept = surveys.promised(draft).deferred
    kept = kept | {requirement} if later else kept - {requirement}
    draft.promises = {**draft.promises, "deferred": sorted(kept)}
    _saved(work, draft)


def commit(work: Work, draft: Draft, *, committed: bool) -> None:
    """Choose a commitment or the usual way (选择告知承诺或者一般方式); the draft was locked.

    Raises `Incomplete` for a commitment that is not open to the applicant.
    """
    if committed and not surveys.look(work, draft).chooses:
        raise Incomplete(missing=[Missing("commitment", "not-open", "告知承诺")])
    draft.promises = {**draft.promises, "committed": committed}
    _saved(work, draft)


def attach(work: Work, draft: Draft, upload: Upload) -> None:
    """Put a file to a draft (上传材料), in place of an earlier one; the draft was locked.

    Whoever brings it had it opened by `materials.examine` before, outside any writing Work. Raises `Incomplete`
    naming what is wrong with its type or size.
    """
    upload = Upload(upload.requirement, plain_name(upload.filename), upload.content)
    manifest = surveys.pack(work, draft).manifest
    present = [material.code for material in manifest.materials]
    if faults := materials.check(work, manifest, {}, [upload], present):
        raise Incomplete(missing=faults)
    kind = media_format(upload)
    assert kind is not None
    work.session.merge(
        DraftMaterial(
            draft_id=draft.id,
            requirement=upload.requirement,
            filename=upload.filename,
            media_type=MEDIA_TYPES[kind],
            size=len(upload.content),
            sha256=work.storage.put(upload.content),
            attached_at=work.now,
        )
    )
    _saved(work, draft)


def file(work: Work, draft_id: UUID, requirement: str) -> tuple[Work, DraftMaterial]:
    """Obtain a file of one's own draft (调阅草稿材料), with the Work that acts for its applicant; raises as `enter`."""
    acting, draft = enter(work, draft_id)
    found = acting.session.get(DraftMaterial, (draft.id, requirement))
    if found is None:
        raise NotFound(material=requirement)
    return acting, found


def remove(work: Work, draft: Draft, requirement: str) -> None:
    """Take a file off a draft (移除材料); nothing to do when it is gone already."""
    theirs = (DraftMaterial.draft_id == draft.id, DraftMaterial.requirement == requirement)
    work.session.execute(delete(DraftMaterial).where(*theirs))
    _saved(work, draft)


def discard(work: Work, draft: Draft) -> None:
    """Throw a draft away (删除草稿) with its answers and files, at its person's wish."""
    work.session.execute(delete(DraftMaterial).where(DraftMaterial.draft_id == draft.id))
    work.session.execute(delete(Draft).where(Draft.id == draft.id))
    work.session.expunge(draft)


def hand_in(work: Work, draft_id: UUID) -> Case:
    """Hand a draft in (提交): it becomes a case, or what its case waits for, and is gone; twice is once.

    Raises as `enter`, and as `cases.file`, `cases.correct` or `cases.supply`: one `Incomplete` with everything at once.
    """
    try:
        acting, draft = enter(work, draft_id)
        if draft.case_id is not None:  # the case first, as everybody locks them
            acting.session.get_one(Case, draft.case_id, with_for_update=True)
        draft = obtain(acting, draft_id, lock=True)
    except NotFound:
        if (case := settled(work, draft_id)) is not None:
            return case
        raise
    survey = surveys.look(acting, draft)
    if survey.silent or survey.undecided:
        raise Incomplete(missing=survey.missing)
    token, given, uploads = str(draft.id), survey.given, _uploads(acting, survey)
    if survey.case is None:
        case = cases.file(acting, draft.item_code, given, uploads, token=token, promise=survey.promise)
    elif survey.supply:
        case = cases.supply(acting, survey.case.number, uploads, token=token)
    else:
        case = cases.correct(acting, survey.case.number, given, uploads, token=token, replies=survey.told)
    discard(acting, draft)
    return case


def settled(work: Work, draft_id: UUID) -> Case | None:
    """Find the case that a draft of the actor's became or corrected (草稿去向); None while it is open or unknown."""
    done = select(Task.case_id).where(Task.done_token == str(draft_id), Task.done_by == work.actor.person)
    late = select(Draft.case_id).where(Draft.id == draft_id, Draft.person_id == work.actor.person)
    filed = (Case.filing_token == str(draft_id)) & (Case.filed_by == work.actor.person)
    over = Case.id.in_(late) & ~_asked()
    found = work.session.scalars(select(Case).where(or_(filed, Case.id.in_(done), over))).first()
    acted_for = {work.actor.person, *(organization.id for organization in people.organizations(work))}
    return found if found is not None and found.applicant_id in acted_for else None


def forget(work: Work) -> int:
    """Forget every draft whose time is over (清除过期草稿), answers and files, and return how many there were."""
    over = work.session.scalars(select(Draft).where(Draft.expires_at <= work.now)).all()
    for draft in over:
        discard(work, draft)
    return len(over)


def clear(work: Work) -> int:
    """Clear bytes that no material, draft or evidence refers to any more (清除无主文件); return how many were taken up.

    What was handed in within the last day stays: somebody may be about to refer to it.
    """
    since = work.now - _LOOSE_FOR
    loose = select(StoredContent.sha256).where(
        or_(StoredContent.kept_at.is_(None), StoredContent.kept_at < since),
        ~select(Material.id).where(Material.sha256 == StoredContent.sha256).exists(),
        ~select(DraftMaterial.draft_id).where(DraftMaterial.sha256 == StoredContent.sha256).exists(),
        ~select(Evidence.id).where(Evidence.sha256 == StoredContent.sha256).exists(),
    )
    found = work.session.scalars(loose.order_by(StoredContent.sha256).limit(_AT_ONCE)).all()
    for sha256 in found:
        work.storage.drop(sha256, since)
    return len(found)


def _asked() -> ColumnElement[bool]:
    """Tell whether a case waits for something that its applicant hands in by a draft: that task has no form."""
    theirs = select(Task.id).where(Task.case_id == Case.id, Task.role == APPLICANT, Task.form.is_(None))
    return theirs.where(Task.progress == Progress.OPEN).exists()


def _person(work: Work) -> UUID:
    if work.actor.person is None:
        raise NotSignedIn
    return work.actor.person


def _applicant(work: Work) -> UUID:
    return work.actor.organization or _person(work)


def _own(work: Work) -> tuple[Any, Any]:
    return Draft.person_id == _person(work), Draft.applicant_id == _applicant(work)


def _new(work: Work, item: str, case_id: UUID | None, given: dict[str, Any]) -> Draft:
    draft = Draft(
        id=uuid4(),
        item_code=item,
        person_id=_person(work),
        applicant_id=_applicant(work),
        case_id=case_id,
        answers=given,
        replies={},
        promises={},
        began_at=work.now,
    )
    _saved(work, draft)
    work.session.add(draft)
    work.session.flush()
    return draft


def _resumed(work: Work, wanted: Select[Draft]) -> Draft | None:
    """Find the draft to go on with; one whose time is over gives way to a new one."""
    draft = work.session.scalars(wanted.with_for_update()).one_or_none()
    if draft is not None and draft.expires_at <= work.now:
        discard(work, draft)
        return None
    return draft


def _saved(work: Work, draft: Draft) -> None:
    draft.saved_at = work.now
    draft.expires_at = work.now + timedelta(days=work.office.settings.draft_days)


def _uploads(work: Work, survey: surveys.Survey) -> list[Upload]:
    """Bring the files that are asked for or offered, not those that later answers made needless."""
    wanted = {material.code for material in survey.wanted}
    return [
        Upload(file.requirement, file.filename, work.storage.get(file.sha256))
        for file in survey.attached.values()
        if file.requirement in wanted
    ]
