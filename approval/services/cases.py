"""Cases (办件): file, accept, correct, decide, conclude — the verbs of the licensing law.

Verbs marked as acts are called by procedures as they move on; the others by people.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from approval.domain.cases import FINAL, Status, step
from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    IllegalStep,
    Incomplete,
    Missing,
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
    forms,
    items,
    journal,
    materials,
    notices,
    numbers,
    people,
    procedures,
    tasks,
    timers,
)
from approval.services.errands import act
from approval.services.packs import Pack

_LONGEST_REASON = 2000


def file(
    work: Work, item: str, given: Mapping[str, Any], uploads: Iterable[Upload], *, token: str | None = None
) -> Case:
    """File a case (申请) for a service item: everything missing is told at once, or the case exists.

    `token` makes a second filing with it the same case. Raises `NotSignedIn`, `NotFound`, `ItemClosed`,
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
    cleaned, missing = forms.check(pack.forms[pack.manifest.filing_form], given)
    context = {"answers": cleaned, "applicant": applicant}
    missing += materials.check(work, pack.manifest, context, uploads)
    if missing:
        raise Incomplete(missing=missing)

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
    answers.keep(work, case, answers.FILING, cleaned)
    materials.keep(work, case, uploads)
    due = countdowns.begin(work, case, "acceptance", pack.manifest.limits["acceptance"], since=work.now)
    journal.write(work, case, "case:filed", item=item, version=version.ordinal)
    notices.tell(work, case, "receipt", number=case.number, acceptance_due=due.day.isoformat())
    procedures.start(work, case, _facts(pack, context))
    return case


@act("accept")
def accept(work: Work, case: Case) -> dict[str, Any]:
    """Accept a case (受理): its decision countdown begins today (行政许可法第三十二条第一款第五项、第四十二条)."""
    return _accept(work, case, deemed=False)


@act("deem_accepted")
def deem_accepted(work: Work, case: Case) -> dict[str, Any]:
    """Take a case as accepted by silence (视为受理), as of the day the materials were received.

    行政许可法第三十二条第一款第四项: 逾期不告知的，自收到申请材料之日起即为受理.
    The decision countdown begins that day.
    """
    return _accept(work, case, deemed=True)


@act("ask_correction")
def ask_correction(work: Work, case: Case) -> dict[str, Any]:
    """Ask once for everything to be put right (一次性补正告知); the acceptance countdown stops.

    What is missing stands in the answers of the formal check. Raises `IllegalStep` for a second time: 一次告知
    and, once all of it is put right, the case must be accepted (行政许可法第三十二条第一款第四、五项).
    """
    if journal.has(work, case, "case:correction-asked"):
        raise IllegalStep(asked="correction", status=case.status)
    _step(work, case, Status.CORRECTING)
    countdowns.stop(work, case, "acceptance", "行政许可法第三十二条第一款第四项：一次性告知补正")
    journal.write(work, case, "case:correction-asked")
    notices.tell(work, case, "correction", number=case.number, **_told(work, case))
    return {}


def correct(
    work: Work, number: str, given: Mapping[str, Any], uploads: Iterable[Upload], *, token: str | None = None
) -> Case:
    """Put right what was asked for (补正); the acceptance countdown begins anew at the full reply.

    `given` answers the whole application again. Raises `NotFound`, `NotAllowed` for another's case,
    `OutOfTurn` when nothing was asked, and one `Incomplete` naming all that is still missing.
    """
    case = access.own_case(work, number)
    task = _applicant_task(work, case, token)
    if task is None:
        return case
    timers.come_first(work, case, task)
    pack = items.pack(work, case.item_version)
    uploads = tuple(uploads)
    cleaned, missing = forms.check(pack.forms[pack.manifest.filing_form], given)
    context = {"answers": cleaned, "applicant": people.applicant(work, case.applicant_id, case.filed_by)}
    present = {material.requirement for material in materials.of_case(work, case)}
    missing += materials.check(work, pack.manifest, context, uploads, present)
    if missing:
        raise Incomplete(missing=missing)
    answers.keep(work, case, answers.FILING, cleaned)
    materials.keep(work, case, uploads)
    _step(work, case, Status.FILED)
    limit = pack.manifest.limits["acceptance"]
    due = countdowns.begin(work, case, "acceptance", limit, since=work.now)
    journal.write(work, case, "case:corrected", materials=sorted(upload.requirement for upload in uploads))
    notices.tell(work, case, "receipt", number=case.number, acceptance_due=due.day.isoformat())
    tasks.close(work, task, token)
    procedures.complete(work, case, task.id, {}, facts=_facts(pack, context))
    return case


@act("decline")
def decline(work: Work, case: Case) -> dict[str, Any]:
    """Decline a case (不予受理): no licence is needed, or another authority decides (第三十二条第一款第一、二项)."""
    told = _told(work, case)
    _require_reason(told)
    _step(work, case, Status.DECLINED)
    countdowns.stop(work, case, "acceptance", "行政许可法第三十二条第一款第一、二项：不予受理")
    journal.write(work, case, "case:declined")
    notices.tell(work, case, "declined", number=case.number, **told)
    return {}


@act("grant")
def grant(work: Work, case: Case) -> dict[str, Any]:
    """Grant what was applied for (准予), by whoever signs; the decision countdown stops (第三十八条第一款)."""
    return _decide(work, case, Status.GRANTED, _told(work, case).get("reason", ""))


@act("refuse")
def refuse(work: Work, case: Case) -> dict[str, Any]:
    """Refuse what was applied for (不予), with reasons and remedies; raises `AnswersInvalid` without a reason.

    行政许可法第三十八条第二款: reasons, and the right to 行政复议 or 行政诉讼, must be told.
    """
    told = _told(work, case)
    _require_reason(told)
    return _decide(work, case, Status.REFUSED, told["reason"])


def withdraw(work: Work, number: str, reason: str) -> Case:
    """Withdraw a case (撤回), by its applicant and before a decision; open work is dropped.

    Raises `AnswersInvalid` without a reason, `NotFound`, `NotAllowed` for another's case, `IllegalStep` once
    decided or ended.
    """
    case = access.own_case(work, number)
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= _LONGEST_REASON or not reason.isprintable():
        raise AnswersInvalid(missing=[Missing("answers.reason", "required", "理由")])
    timers.come_first(work, case)
    _step(work, case, Status.WITHDRAWN)
    procedures.stop(work, case)
    journal.write(work, case, "case:withdrawn")
    notices.tell(work, case, "withdrawn", number=case.number, reason=reason)
    return case


@act("terminate")
def terminate(work: Work, case: Case) -> dict[str, Any]:
    """Terminate a case (终止办理): what the applicant was asked for did not come in time."""
    _step(work, case, Status.TERMINATED)
    journal.write(work, case, "case:terminated")
    notices.tell(work, case, "terminated", number=case.number)
    return {}


@act("urge")
def urge(work: Work, case: Case) -> dict[str, Any]:
    """Urge whoever is late (催办): nothing is taken as agreed, the journal says whose work is overdue."""
    waiting = select(Task.element).where(Task.case_id == case.id, Task.progress == Progress.OPEN)
    journal.write(work, case, "case:urged", tasks=sorted(work.session.scalars(waiting)))
    return {}


@act("deliver")
def deliver(work: Work, case: Case) -> dict[str, Any]:
    """Deliver the result (送达) into the applicant's inbox, within the delivery countdown (第四十四条)."""
    countdowns.stop(work, case, "delivery", "行政许可法第四十四条：已送达")
    journal.write(work, case, "case:delivered", way="electronic")
    notices.tell(work, case, "delivered", number=case.number)
    return {}


@act("conclude")
def conclude(work: Work, case: Case) -> dict[str, Any]:
    """Conclude a decided case (办结)."""
    _step(work, case, Status.CONCLUDED)
    journal.write(work, case, "case:concluded", decision=case.decision)
    return {}


def mine(work: Work, *, limit: int = 50, offset: int = 0) -> list[Case]:
    """List the actor's own cases (我的办件), newest first."""
    if work.actor.person is None:
        raise NotSignedIn
    who = work.actor.organization or work.actor.person
    own = select(Case).where(Case.applicant_id == who).order_by(Case.filed_at.desc(), Case.number)
    return list(work.session.scalars(own.limit(limit).offset(offset)))


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
    """Find the applicant's open task; None when this very reply was already taken."""
    # A correction has no form of its own: it answers the whole application again.
    theirs = select(Task).where(Task.case_id == case.id, Task.role == APPLICANT, Task.form.is_(None))
    if token is not None and work.session.scalars(theirs.where(Task.done_token == token)).first():
        return None
    task = work.session.scalars(theirs.where(Task.progress == Progress.OPEN)).first()
    if task is None:
        raise AlreadyDone(case=case.number)
    return task


def _facts(pack: Pack, context: dict[str, Any]) -> dict[str, Any]:
    return {name: feel.evaluate(expression, context) for name, expression in pack.manifest.facts.items()}


def _step(work: Work, case: Case, new: Status) -> None:
    case.status = step(Status(case.status), new)
    if new in FINAL:
        case.ended_at = work.now
        countdowns.stop_running(work, case, f"case:{new}")
    work.session.flush()


def _accept(work: Work, case: Case, *, deemed: bool) -> dict[str, Any]:
    limits = items.pack(work, case.item_version).manifest.limits
    _step(work, case, Status.ACCEPTED)
    # Silence makes the day of receipt the day of acceptance: that of filing, or of the full correction.
    case.accepted_at = countdowns.began_at(work, case, "acceptance") if deemed else work.now
    case.deemed_accepted = deemed
    countdowns.stop(work, case, "acceptance", limits["acceptance"].basis)
    due = countdowns.begin(work, case, "decision", limits["decision"], since=case.accepted_at, deemed=deemed)
    journal.write(work, case, "case:deemed-accepted" if deemed else "case:accepted")
    notices.tell(work, case, "accepted", number=case.number, decision_due=due.day.isoformat())
    return {}


def _decide(work: Work, case: Case, decision: Status, reason: str) -> dict[str, Any]:
    manifest = items.pack(work, case.item_version).manifest
    case.decision, case.decision_reason, case.decided_at = decision, reason, work.now
    _step(work, case, decision)
    countdowns.stop(work, case, "decision", manifest.limits["decision"].basis)
    countdowns.begin(work, case, "delivery", manifest.limits["delivery"], since=work.now)
    journal.write(work, case, f"case:{decision}")
    told = {"reason": reason, "article": _told(work, case).get("article", "")}
    remedies = {"review_body": manifest.service["review_body"], "court": manifest.service["court"]}
    notices.tell(work, case, decision, number=case.number, **told, **remedies)
    return {}


def _told(work: Work, case: Case) -> dict[str, Any]:
    # What the officer wrote on the form that led to this act: the newest of the case, in this very Work.
    return answers.latest(work, case)


def _require_reason(told: dict[str, Any]) -> None:
    if not str(told.get("reason", "")).strip():
        raise AnswersInvalid(missing=[Missing("answers.reason", "required", "理由")])
