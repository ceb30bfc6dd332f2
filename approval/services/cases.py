"""Cases (办件): what applicants do with them: file, correct, withdraw. What the office decides is `decisions`."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from approval.domain import texts
from approval.domain.cases import Status, next_steps
from approval.domain.errors import (
    AlreadyDone,
    IllegalStep,
    Incomplete,
    NotAllowed,
    NotSignedIn,
)
from approval.domain.manifests import APPLICANT
from approval.domain.materials import Upload
from approval.expressions import feel
from approval.models.cases import Case
from approval.models.people import Department, Person
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import (
    access,
    answers,
    countdowns,
    decisions,
    forms,
    issuances,
    items,
    journal,
    licences,
    materials,
    notices,
    numbers,
    people,
    pledges,
    procedures,
    sharing,
    tasks,
    timers,
    tokens,
)
from approval.services.packs import Pack
from approval.services.pledges import Promise
from certificates import Licence


def file(
    work: Work,
    item: str,
    given: Mapping[str, Any],
    uploads: Iterable[Upload],
    *,
    token: str | None = None,
    promise: Promise = pledges.NONE,
) -> Case:
    """File a case (申请) for a service item: everything missing is told at once, or the case exists.

    `token` makes a second filing with it the same case; `promise` is what the applicant hands in later, or stands for
    (容缺受理、告知承诺). Raises `NotSignedIn`, `NotFound`, `ItemClosed`,
    `NotAllowed` when the item does not serve this kind of applicant, and one `Incomplete(missing=[…])` naming
    all answers and materials (行政许可法第二十九条、第三十二条). The acceptance countdown begins (working days).
    """
    if work.actor.person is None:
        raise NotSignedIn
    if (filed := _filed_with(work, token, item)) is not None:
        return filed
    version = items.find_open(work, item)
    pack = items.pack(work, version)
    applicant_id = work.actor.organization or work.actor.person
    applicant = people.applicant(work, applicant_id, work.actor.person)
    if applicant["kind"] not in pack.manifest.serves:
        raise NotAllowed(item=item, serves=sorted(pack.manifest.serves))
    uploads = tuple(uploads)
    held = sharing.at_hand(work, pack.manifest, applicant["number"])
    checked = _Given(given, uploads, frozenset(held), promise, applicant_id)
    context = _checked(work, pack, applicant, checked, first=True)
    department = work.session.get_one(Department, pack.manifest.department)
    case = Case(
        id=uuid4(),
        number=numbers.case_number(work, department, pack.manifest.case_kind),
        item_version=version,
        applicant_id=applicant_id,
        filed_by=work.actor.person,
        filing_token=token,
        status=Status.FILED,
        filed_at=work.now,
        deemed_accepted=False,
        state=b"",
    )
    work.session.add(case)
    work.session.flush()
    answers.keep(work, case, answers.FILING, context["answers"])
    materials.keep(work, case, uploads)
    pledges.keep(work, case, Promise(frozenset(context["deferred"]), promise.committed))
    _attach(work, case, context, held)
    due = countdowns.begin(work, case, "acceptance", pack.manifest.limits["acceptance"], since=work.now).day.isoformat()
    receipt, manifest = issuances.number_of(work, case, "receipt"), pack.manifest
    of_item = {"item_number": manifest.item_number, "kind": manifest.kind, "case_kind": manifest.case_kind}
    who = {"applicant": applicant["kind"], "agent": applicant["agent"]}
    handed_in = sorted(material.requirement for material in materials.of_case(work, case))
    told = {"materials": handed_in, "acceptance_due": due, "notice": receipt}
    journal.write(work, case, "case:filed", item=item, version=version.ordinal, **of_item, **who, **told)
    notices.tell(work, case, "receipt", numbered=receipt, number=case.number, acceptance_due=due)
    procedures.start(work, case, _facts(pack, context))
    return case


def correct(
    work: Work,
    number: str,
    given: Mapping[str, Any],
    uploads: Iterable[Upload],
    *,
    token: str | None = None,
    replies: Iterable[Mapping[str, str]] = (),
) -> Case:
    """Put right what was asked for (补正); the acceptance countdown begins anew at the full reply.

    `given` answers the whole application again; `replies` say what was done about each thing
    that was asked. Raises `NotFound`, `NotAllowed` for another's case, `OutOfTurn` when nothing was asked, and one
    `Incomplete` naming all that is still missing.
    """
    case = access.own_case(work, number)
    task = _applicant_task(work, case, token)
    if task is None:
        return case
    pack = items.pack_of(work, case)
    uploads = tuple(uploads)
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    held = sharing.at_hand(work, pack.manifest, applicant["number"])
    present = frozenset(material.requirement for material in materials.of_case(work, case))
    promise = pledges.of_case(work, case)
    checked = _Given(given, uploads, present | held.keys(), promise, case.applicant_id)
    context = _checked(work, pack, applicant, checked)
    if told := [dict(reply) for reply in replies]:
        answers.keep(work, case, answers.CORRECTION, {"replies": told})
    answers.keep(work, case, answers.FILING, context["answers"])
    materials.keep(work, case, uploads)
    _attach(work, case, context, held)
    pledges.settle(work, case, Promise(frozenset(context["deferred"]), context["committed"]))
    decisions.step_to(work, case, Status.FILED)
    limit = pack.manifest.limits["acceptance"]
    due = countdowns.begin(work, case, "acceptance", limit, since=work.now).day.isoformat()
    brought, receipt = sorted(upload.requirement for upload in uploads), issuances.number_of(work, case, "receipt")
    journal.write(work, case, "case:corrected", materials=brought, acceptance_due=due, notice=receipt)
    notices.tell(work, case, "receipt", numbered=receipt, number=case.number, acceptance_due=due)
    tasks.close(work, task, token)
    tasks.move_on(work, task, {}, _facts(pack, context))
    return case


def supply(work: Work, number: str, uploads: Iterable[Upload], *, token: str | None = None) -> Case:
    """Hand in the materials that were to come after acceptance (补齐容缺材料), all of them at once.

    `token` makes a second sending the same. Raises as `access.own_case`; `OutOfTurn` when nothing is to come; one
    `Incomplete` naming all that is still missing.
    """
    case = access.own_case(work, number)
    task = _applicant_task(work, case, token)
    if task is None:
        return case
    if case.status != Status.ACCEPTED:
        raise IllegalStep(asked="supply", status=case.status)
    pack, uploads = items.pack_of(work, case), tuple(uploads)
    applicant = people.applicant(work, case.applicant_id, case.filed_by)
    held = sharing.at_hand(work, pack.manifest, applicant["number"])
    due = set(pledges.outstanding(work, case))
    others = {material.code for material in pack.manifest.materials} - due
    filed = {"answers": answers.latest(work, case, answers.FILING), "applicant": applicant}
    if missing := materials.check(work, pack.manifest, filed, uploads, {*others, *held}):
        raise Incomplete(missing=missing)
    materials.keep(work, case, uploads)
    brought = {upload.requirement for upload in uploads}
    sharing.attach(work, case, pack.manifest, {code: held[code] for code in due & held.keys() - brought})
    pledges.supplied(work, case, due)
    journal.write(work, case, "case:supplied", materials=sorted(due))
    tasks.close(work, task, token)
    tasks.move_on(work, task, {}, _facts(pack, filed | pledges.of_case(work, case).told()))
    return case


def withdraw(work: Work, number: str, reason: str, *, token: str | None = None) -> Case:
    """Withdraw a case (撤回), by its applicant and before a decision; open work is dropped.

    `token` makes a second sending the same withdrawal. Raises `AnswersInvalid` without a reason, `NotFound`,
    `NotAllowed` for another's case, `IllegalStep` once decided or ended.
    """
    case = access.own_case(work, number)
    reason = texts.reason(reason)
    if tokens.spent(work, token, "case:withdrawn", number):
        return case
    timers.come_first(work, case)
    decisions.step_to(work, case, Status.WITHDRAWN)
    procedures.stop(work, case)
    notice = issuances.number_of(work, case, "withdrawn")
    journal.write(work, case, "case:withdrawn", notice=notice)
    notices.tell(work, case, "withdrawn", numbered=notice, number=case.number, reason=reason)
    return case


def mine(work: Work, *, limit: int = 50, offset: int = 0) -> list[Case]:
    """List the actor's own cases (我的办件): first those that wait for their applicant, then the newest."""
    if work.actor.person is None:
        raise NotSignedIn
    who = work.actor.organization or work.actor.person
    waiting = select(Task.id).where(Task.case_id == Case.id, Task.role == APPLICANT, Task.progress == Progress.OPEN)
    own = select(Case).where(Case.applicant_id == who).options(joinedload(Case.item_version))
    listed = own.order_by(waiting.exists().desc(), Case.filed_at.desc(), Case.number)
    return list(work.session.scalars(listed.limit(limit).offset(offset)))


def open_tasks(work: Work, listed: Iterable[Case]) -> dict[UUID, list[Task]]:
    """Bring what each of these cases waits for (办件的未办环节), by the case's id, oldest first."""
    wanted: dict[UUID, list[Task]] = {case.id: [] for case in listed}
    theirs = select(Task).where(Task.case_id.in_(wanted), Task.progress == Progress.OPEN)
    for task in work.session.scalars(theirs.order_by(Task.opened_at, Task.id)):
        wanted[task.case_id].append(task)
    return wanted


def owned(work: Work, case: Case) -> bool:
    """Tell whether a case is the actor's own matter (本人或所代理单位的办件), not one seen from an office."""
    return case.applicant_id in {work.actor.organization, work.actor.person}


def withdrawable(case: Case) -> bool:
    """Tell whether a case can still be withdrawn (可否撤回): until it is decided or ended."""
    return Status.WITHDRAWN in next_steps(Status(case.status))


class _Given(NamedTuple):
    """What was handed in: answers as typed, files, codes of materials that are there already, promises, by whom."""

    answers: Mapping[str, Any]
    uploads: tuple[Upload, ...]
    present: frozenset[str]
    promise: Promise
    applicant: UUID


def _checked(
    work: Work, pack: Pack, applicant: dict[str, Any], given: _Given, *, first: bool = False
) -> dict[str, Any]:
    """Check answers and materials together, telling everything at once, and return what conditions may read.

    When it is filed `first`, also what is promised, and whether the licence that it is about can be acted on.
    """
    manifest = pack.manifest
    cleaned, missing = forms.check(pack.forms[manifest.filing_form], given.answers)
    promise = given.promise
    context = {"answers": cleaned, "applicant": applicant, **promise.told()}
    allowed = pledges.may_commit(work, manifest, context, given.applicant)
    if not first and not allowed:  # other answers, or credit that was broken meanwhile, ask for the proof after all
        promise = promise._replace(committed=False)
        context |= promise.told()
    there = given.present | {upload.requirement for upload in given.uploads}
    missing += materials.check(work, manifest, context, given.uploads, given.present | promise.excused(manifest))
    if first:
        missing += pledges.check(manifest, promise, allowed=allowed)
        missing += licences.concerned(work, manifest, context)
    if missing:
        raise Incomplete(missing=missing)
    # What is at hand after all, or is not asked for, need not come later.
    asked = {material.code for material in materials.asked_for(manifest, context)} - there
    return context | Promise(promise.deferred & asked, promise.committed).told()


def _attach(work: Work, case: Case, context: Mapping[str, Any], held: Mapping[str, Licence]) -> None:
    """Take from the store what the applicant need not hand in, and no more than is asked for."""
    manifest = items.pack_of(work, case).manifest
    present = {material.requirement for material in materials.of_case(work, case)}
    asked = [material.code for material in materials.asked_for(manifest, context)]
    sharing.attach(work, case, manifest, {code: held[code] for code in asked if code in held and code not in present})


def _filed_with(work: Work, token: str | None, item: str) -> Case | None:
    """Find what was filed with a token before; the same token for something else is refused, never lost."""
    if token is None:
        return None
    # Of two clicks at once the second waits here and then finds the case of the first.
    work.session.get_one(Person, work.actor.person, with_for_update={"key_share": True})
    same = select(Case).where(Case.filed_by == work.actor.person, Case.filing_token == token)
    case = work.session.scalars(same).one_or_none()
    if case is not None and (case.applicant_id, case.item_version.item_code) != (_applicant(work), item):
        raise AlreadyDone(case=case.number)
    return case


def _applicant(work: Work) -> UUID | None:
    return work.actor.organization or work.actor.person


def _applicant_task(work: Work, case: Case, token: str | None) -> Task | None:
    """Find the applicant's open task, once what was due before is done; None when this very reply was already taken."""
    # A correction has no form of its own: it answers the whole application again.
    theirs = select(Task).where(Task.case_id == case.id, Task.role == APPLICANT, Task.form.is_(None))
    if token is not None and work.session.scalars(theirs.where(Task.done_token == token)).first():
        return None
    task = work.session.scalars(theirs.where(Task.progress == Progress.OPEN)).first()
    if task is None:
        raise AlreadyDone(case=case.number)
    access.require_moving(case)
    timers.come_first(work, case, task)
    return task


def _facts(pack: Pack, context: dict[str, Any]) -> dict[str, Any]:
    return {name: feel.evaluate(expression, context) for name, expression in pack.manifest.facts.items()}
