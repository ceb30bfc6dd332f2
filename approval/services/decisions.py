"""Decisions (受理与决定): what the office's own people decide on a case, called by its procedure as it moves on.

Every verb here is an act: it happens in the Work of whoever moved the procedure, or of the sweep.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from approval.domain.answers import Stance
from approval.domain.cases import FINAL, Status, step
from approval.domain.errors import AnswersInvalid, IllegalStep, Missing, Opposed, Unanswered, Unheard
from approval.domain.manifests import CaseKind, Manifest
from approval.models.cases import Case
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import (
    answers,
    cards,
    corrections,
    countdowns,
    issuances,
    items,
    journal,
    licences,
    materials,
    notices,
    parties,
    petitions,
    pledges,
    recommendations,
    sheets,
)
from approval.services.errands import act

_FORWARDED: Final = "case:forwarded"
_SETTLED: Final = "settle_objection"


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
    accepted = _accept(work, case, deemed=True)
    cards.give(work, case, "T4")
    return accepted


@act("ask_correction")
def ask_correction(work: Work, case: Case) -> dict[str, Any]:
    """Ask once for everything to be put right (一次性补正告知); the acceptance countdown stops.

    What is missing stands in the answers of the formal check, and is called what the item calls it. Raises `AskedOnce`
    for a second time: 一次告知 and, once all of it is put right, the case must be accepted
    (行政许可法第三十二条第一款第四、五项), unless a signer answered for it: `corrections.allow_again`.
    """
    corrections.require_unasked(work, case)
    step_to(work, case, Status.CORRECTING)
    countdowns.stop(work, case, "acceptance", "行政许可法第三十二条第一款第四项：一次性告知补正")
    told, notice = corrections.listed(work, case, _told(work, case)), issuances.number_of(work, case, "correction")
    days = items.pack_of(work, case).manifest.limits["correction"].days
    journal.write(work, case, "case:correction-asked", notice=notice, things=len(told.get("missing") or ()), days=days)
    notices.tell(work, case, "correction", numbered=notice, number=case.number, **told)
    return {}


@act("forward")
def forward(work: Work, case: Case) -> dict[str, Any]:
    """Forward what a lower tier has examined (上报), with all materials, to the tier that decides.

    行政许可法第四十三条: examined within twenty days of acceptance; the upper tier's own limit begins now. 第三十五条:
    it asks for no material again, and indeed there is no way to. Forwarded again after a return, nothing begins anew.
    Raises `IllegalStep` unless accepted.
    """
    if case.status != Status.ACCEPTED:
        raise IllegalStep(status=case.status, asked="forward")
    if journal.has(work, case, _FORWARDED):
        return {}
    limits = items.pack_of(work, case).manifest.limits
    countdowns.stop(work, case, "tier_review", limits["tier_review"].basis)
    due = _begin(work, case, ("decision", "promised"), work.now)
    handed_on = [material.requirement for material in materials.of_case(work, case)]
    journal.write(work, case, _FORWARDED, materials=sorted(handed_on))
    notices.tell(work, case, "forwarded", number=case.number, **due)
    return {}


@act("decline")
def decline(work: Work, case: Case) -> dict[str, Any]:
    """Decline a case (不予受理): no licence is needed, or another authority decides (第三十二条第一款第一、二项)."""
    told = _told(work, case)
    _require_reason(told)
    step_to(work, case, Status.DECLINED)
    countdowns.stop(work, case, "acceptance", "行政许可法第三十二条第一款第一、二项：不予受理")
    proof = sheets.digest(sheets.of_case(work, case, "acceptance"))
    notice = issuances.number_of(work, case, "declined")
    journal.write(work, case, "case:declined", sheet=proof, notice=notice, result=told.get("result", ""))
    notices.tell(work, case, "declined", numbered=notice, number=case.number, sheet=proof, **told)
    return {}


@act("grant")
def grant(work: Work, case: Case) -> dict[str, Any]:
    """Grant what was applied for (准予), by whoever signs; the decision countdown stops (第三十八条第一款).

    Raises `Opposed` while a joint department's disagreement has not been dealt with, and `Incomplete` while a
    material is still to come (容缺受理); `AnswersInvalid` as `recommendations.note_unlike`.
    """
    _require_settled(work, case)
    pledges.require_supplied(work, case)
    recommendations.note_unlike(work, case, Stance.FOR)
    return _decide(work, case, Status.GRANTED, _told(work, case).get("reason", ""))


@act("refuse")
def refuse(work: Work, case: Case) -> dict[str, Any]:
    """Refuse what was applied for (不予), with reasons and remedies; raises `AnswersInvalid` without a reason.

    行政许可法第三十八条第二款: reasons, and the right to 行政复议 or 行政诉讼, must be told.
    """
    told = _told(work, case)
    _require_reason(told)
    recommendations.note_unlike(work, case, Stance.AGAINST)
    return _decide(work, case, Status.REFUSED, told["reason"])


def deem_renewed(work: Work, case: Case, basis: str) -> str:
    """Take a renewal as granted by silence (视为准予延续), and return the digest of the sheet that shows it.

    行政许可法第五十条: decided before the licence runs out, or granted. Raises `IllegalStep`.
    """
    return _write_down(work, case, Status.GRANTED, "case:deemed-renewed", basis)


@act("terminate")
def terminate(work: Work, case: Case) -> dict[str, Any]:
    """Terminate a case (终止办理): what the applicant was asked for did not come in time."""
    step_to(work, case, Status.TERMINATED)
    notice = issuances.number_of(work, case, "terminated")
    journal.write(work, case, "case:terminated", notice=notice)
    notices.tell(work, case, "terminated", numbered=notice, number=case.number)
    return {}


@act("lapse_deferral")
def lapse_deferral(work: Work, case: Case) -> dict[str, Any]:
    """Terminate a case whose deferred materials did not come in time (容缺逾期); a decision that came first stands."""
    return {} if case.decision else terminate(work, case)


@act("urge")
def urge(work: Work, case: Case) -> dict[str, Any]:
    """Urge whoever is late (催办): nothing is taken as agreed, the journal says whose work is overdue."""
    waiting = select(Task.element, Task.department_code).where(Task.case_id == case.id, Task.progress == Progress.OPEN)
    late = select(Timer.task_id).where(Timer.case_id == case.id, Timer.due_at <= work.now)
    found = work.session.execute(waiting.where(Task.id.in_(late))).all() or work.session.execute(waiting).all()
    departments = sorted({department for _element, department in found if department})
    journal.write(work, case, "case:urged", tasks=sorted({element for element, _of in found}), departments=departments)
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
    step_to(work, case, Status.CONCLUDED)
    licence = licences.of_case(work, case)
    journal.write(work, case, "case:concluded", decision=case.decision, licence=licence.number if licence else "")
    return {}


def step_to(work: Work, case: Case, new: Status) -> None:
    """Take a case one legal step on (办件状态变更); raises `IllegalStep`. Its last step stops every countdown."""
    case.status = step(Status(case.status), new)
    countdowns.note_moved(work, case)
    if new in FINAL:
        case.ended_at, case.held_at = work.now, None
        countdowns.stop_running(work, case, f"case:{new}")
    work.session.flush()


def _accept(work: Work, case: Case, *, deemed: bool) -> dict[str, Any]:
    manifest = items.pack_of(work, case).manifest
    step_to(work, case, Status.ACCEPTED)
    # Silence makes the day of receipt the day of acceptance: that of filing, or of the full correction.
    case.accepted_at = countdowns.began_at(work, case, "acceptance") if deemed else work.now
    case.deemed_accepted = deemed
    countdowns.stop(work, case, "acceptance", manifest.limits["acceptance"].basis)
    forwarded = manifest.case_kind == CaseKind.FORWARDED
    begun = ("tier_review",) if forwarded else ("decision", "promised")
    due = _begin(work, case, begun, case.accepted_at, deemed=deemed)
    notice = issuances.number_of(work, case, "accepted")
    journal.write(work, case, "case:deemed-accepted" if deemed else "case:accepted", notice=notice, **due)
    notices.tell(work, case, "accepted", numbered=notice, number=case.number, **due)
    return {}


def _begin(work: Work, case: Case, kinds: Iterable[str], since: datetime, *, deemed: bool = False) -> dict[str, str]:
    limits = items.pack_of(work, case).manifest.limits
    begun = {
        kind: countdowns.begin(work, case, kind, limits[kind], since=since, deemed=deemed)
        for kind in kinds
        if kind in limits
    }
    return {f"{kind}_due": due.day.isoformat() for kind, due in begun.items()}


def _decide(work: Work, case: Case, decision: Status, reason: str) -> dict[str, Any]:
    manifest = items.pack_of(work, case).manifest
    _require_heard(work, case)
    _require_ready(work, case, manifest)
    case.decision_reason = reason
    notice, basis = issuances.number_of(work, case, decision), manifest.limits["decision"].basis
    proof = _write_down(work, case, decision, f"case:{decision}", basis, notice=notice)
    countdowns.begin(work, case, "delivery", manifest.limits["delivery"], since=work.now)
    told = {"sheet": proof, "reason": reason, "article": _told(work, case).get("article", "")}
    remedies = {"review_body": manifest.service["review_body"], "court": manifest.service["court"]}
    notices.tell(work, case, decision, numbered=notice, number=case.number, **told, **remedies)
    return {}


def _write_down(work: Work, case: Case, decision: Status, tag: str, basis: str, *, notice: str = "") -> str:
    """Write a decision down and stop what counted until it; the digest names the sheet that shows if it was in time."""
    case.decision, case.decided_at = decision, work.now
    step_to(work, case, decision)
    for kind in ("decision", "promised"):
        if countdowns.going(work, case, kind):
            countdowns.stop(work, case, kind, basis)
    proof = sheets.digest(sheets.of_case(work, case, "decision"))
    journal.write(work, case, tag, sheet=proof, notice=notice)
    return proof


def _require_heard(work: Work, case: Case) -> None:
    """Let a decision follow what those concerned said, and the minutes of a hearing (听取意见、根据听证笔录决定).

    第三十六条、第四十八条第二款: of a hearing that was announced, or that somebody has asked for.
    """
    parties.require_heard(work, case)
    if petitions.pending(work, case) or petitions.announced(work, case):
        raise Unheard(case=case.number)


def _require_ready(work: Work, case: Case, manifest: Manifest) -> None:
    """Let a joint case wait for every joint department (联办件), and one of two tiers for the upper (上报件)."""
    if manifest.case_kind == CaseKind.FORWARDED and not journal.has(work, case, _FORWARDED):
        raise IllegalStep(status=case.status, asked="decide")
    if manifest.case_kind == CaseKind.JOINT:
        theirs = select(Task.element).where(Task.case_id == case.id, Task.progress == Progress.OPEN)
        if waiting := work.session.scalars(theirs.where(Task.department_code.in_(manifest.joint))).first():
            raise Unanswered(task=waiting)


def _require_settled(work: Work, case: Case) -> None:
    """Let no disagreement vanish (不同意见): whoever is asked anew takes it back, or it is settled with reasons.

    An answer to another step, or of another who was asked at the same time, takes nothing back.
    """
    against: list[Task] = []
    for task, said in answers.by_task(work, case):
        if task.element == _SETTLED and said.get("result") == "overcome":
            against.clear()
        elif said.get("result") == "disagree":
            against.append(task)
        else:
            against = [one for one in against if not _asked_anew(one, task)]
    if against:
        raise Opposed(case=case.number, departments=sorted({one.department_code or "" for one in against}))


def _asked_anew(first: Task, later: Task) -> bool:
    """Tell whether a task asks again what another asked (重新征求): the same step of the same post, later."""
    same = (first.element, first.department_code, first.role) == (later.element, later.department_code, later.role)
    return same and later.opened_at > first.opened_at


def _told(work: Work, case: Case) -> dict[str, Any]:
    # What the officer wrote on the form that led to this act: the newest of the case, in this very Work.
    return answers.latest(work, case)


def _require_reason(told: dict[str, Any]) -> None:
    if not str(told.get("reason", "")).strip():
        raise AnswersInvalid(missing=[Missing("answers.reason", "required", "理由")])
