"""Suspensions and extensions (特别程序与延期): what an officer does to a countdown, and its notice, in one Work."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from approval.domain import countdown, texts
from approval.domain.actors import SYSTEM
from approval.domain.cases import Status
from approval.domain.countdown import Due, Entry, EntryType, Suspension
from approval.domain.errors import AnswersInvalid, IllegalStep, Missing, NotAllowed, NotFound, TimePassed
from approval.domain.exclusions import Exclusion, usable
from approval.domain.manifests import Extension
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.office import Work
from approval.services import (
    access,
    answers,
    countdowns,
    issuances,
    items,
    journal,
    notices,
    statutes,
    timers,
    tokens,
)
from approval.services.errands import act, acts, seeing

_ROLES: Final = ("examiner", "signer")
_SOON, _MOST_TOLD = 10, 50
_MOST_DAYS = 250  # a year of working days: more is a slip of the pen


class Standing(NamedTuple):
    """How a countdown stands (时限状况): what is left of it, and what stops it now or will."""

    kind: str
    due: Due
    left: int
    suspensions: list[Suspension]


class Offer(NamedTuple):
    """What the actor may do to the countdowns of a case (可办的时限事项); nothing is offered that would be refused."""

    causes: list[tuple[Exclusion, str]]
    open: list[Suspension]
    extension: Extension | None


class Covering(NamedTuple):
    """Why a countdown stands still (暂停原因), and the last day that does not count."""

    cause: Exclusion
    last: date


def suspend(
    work: Work, number: str, cause: str, days: int, reason: str, *, since: date | None = None, token: str | None = None
) -> Case:
    """Suspend the countdowns that a cause excludes (除外期间起算), from today or a later day, for so many working days.

    The applicant is told in writing how long, in this Work, and no longer than told is excluded (行政许可法第四十五条).
    By an examiner or signer of the department that decides. `token` makes a second sending the same suspension.
    Raises as `access.case`; `NotAllowed`; `AnswersInvalid` with everything that is missing, also for a cause that is
    not on the list or lacks a basis of the item; `SuspensionBackdated`; `TimePassed`; `IllegalStep`.
    """
    case = _obtain(work, number)
    if tokens.spent(work, token, "case:suspended", number):
        return case
    timers.come_first(work, case)
    begin(work, case, cause, days, reason, since=since)
    countdowns.mark_due(work, case)
    return case


def begin(
    work: Work,
    case: Case,
    cause: str,
    days: int,
    reason: str,
    *,
    since: date | None = None,
    in_procedure: bool = False,
) -> str:
    """Begin a suspension (除外期间起算) whoever acts, and return the number of the notice that tells of it.

    `in_procedure` says that a step began it, which may be returned to. Raises `AnswersInvalid`, `SuspensionBackdated`,
    `TimePassed`, `IllegalStep` as `suspend` (行政许可法第四十五条).
    """
    since = since or work.today
    found, basis, reason = _checked(work, case, cause, days, reason)
    stopping = _stopping(work, case, found, since)
    notice = issuances.number_of(work, case, "suspended")
    entry = Entry(EntryType.SUSPEND, since, days, basis, found.code, notice)
    due = {f"{kind}_due": countdowns.enter(work, case, kind, entry).day.isoformat() for kind in stopping}
    told = {"notice": notice, "cause": found.zh, "days": days, "since": since.isoformat(), "basis": basis}
    line = {**told, "cause": found.code} | ({"in_procedure": True} if in_procedure else {})
    journal.write(work, case, "case:suspended", **line, **due)
    effect = f"自{since.isoformat()}起{days}个工作日不计入办理期限，期限届满日相应顺延。"
    formal = {"planned_days": days, "effect": effect}
    notices.tell(work, case, "suspended", numbered=notice, number=case.number, reason=reason, **told, **due, **formal)
    return notice


def resume(work: Work, number: str, notice: str, *, token: str | None = None) -> Case:
    """End a suspension before the days that were told are over (恢复计算): the next day counts again.

    `notice` is the number of the notice that told of it. One that has run its days ends by itself. By whom, and raises,
    as `suspend`; `NotFound` for a notice of no suspension that is still to end.
    """
    case = _obtain(work, number)
    if tokens.spent(work, token, "case:resumed", number):
        return case
    timers.come_first(work, case)
    if not _end(work, case, notice):
        raise NotFound(notice=notice)
    countdowns.mark_due(work, case)
    return case


@acts("suspend", lambda: {cause.code for cause in causes()})
def suspend_for(work: Work, case: Case, cause: str, /) -> dict[str, Any]:
    """Suspend for what the procedure does next (特别程序起算), as its officer has written: `days` and `reason`.

    `suspend:hearing` and so on, after a task whose form asks for both. Raises as `attempt`.
    """
    told = answers.latest(work, case)
    days = told.get("days")
    whole = int(days) if isinstance(days, int | float) and not isinstance(days, bool) and days == int(days) else 0
    return {"suspension": attempt(work, case, cause, whole, str(told.get("reason") or ""))}


def attempt(work: Work, case: Case, cause: str, days: int, reason: str) -> str:
    """Begin a suspension on the way of a procedure (流程中的除外期间) and return the number of its notice.

    Where nothing is left to suspend, because the time limit is over or never began, the procedure goes on all the same
    and the journal says so: nothing is told of, the number is empty. Raises `AnswersInvalid`.
    """
    try:
        return begin(work, case, cause, days, reason, in_procedure=True)
    except (TimePassed, IllegalStep):
        journal.write(work, case, "case:not-suspended", cause=cause, days=days)
        return ""


@act("suspend")
def suspend_told(work: Work, case: Case) -> dict[str, Any]:
    """Suspend for the cause that the officer has written (特别程序起算): `cause`, `days` and `reason`; as `begin`."""
    return suspend_for(work, case, str(answers.latest(work, case).get("cause") or ""))


@seeing("resume")
def resume_told(work: Work, case: Case, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Let the countdowns go on after what the procedure did (特别程序结束): those that this very run of it suspended.

    One that ran its days has ended by itself; the next day counts again (行政许可法第四十五条).
    """
    begun = {
        outcome["suspension"] for outcome in seen.values() if isinstance(outcome, dict) and "suspension" in outcome
    }
    for notice in sorted(begun - {""}):
        _end(work, case, notice)
    return {}


def undo_since(work: Work, case: Case, line: int) -> None:
    """End what procedures suspended after a line of the journal (退回后的除外期间): the case was returned before it."""
    for entry in journal.read(work, case):
        if entry.sequence > line and entry.tag == "case:suspended" and entry.facts.get("in_procedure"):
            _end(work, case, entry.facts["notice"])


def extend(work: Work, number: str, reason: str, *, kind: str = "decision", token: str | None = None) -> Case:
    """Extend a countdown (延期), once, before it is due, by who holds the rank that the item names; reasons are told.

    By as many working days as the limit allows (行政许可法第四十二条：经本行政机关负责人批准，可以延长十日，并应当
    将延长期限的理由告知申请人). `token` makes a second sending the same extension. Raises as `access.case`;
    `NotAllowed` for anybody else; `AnswersInvalid` without a reason; `ExtendedAlready`; `TimePassed`; `IllegalStep`
    where the item allows none or the countdown does not run.
    """
    # Whoever is above the departments, such as the head of the people's government, has no task in the case.
    case = access.case(work.acting_as(SYSTEM), number, lock=True)
    limit = items.pack_of(work, case).manifest.limits.get(kind)
    allowed = limit.extension if limit else None
    if allowed is None or not access.ranks(work, case, allowed):
        access.case(work, number)
        raise NotAllowed(asked="extend") if allowed else IllegalStep(asked="extend", countdown=kind)
    _require_at_work(work, case)
    if tokens.spent(work, token, "case:extended", number):
        return case
    timers.come_first(work, case)
    reason = texts.reason(reason)
    entries, calendar = countdowns.ledger(work, case, kind)
    if not entries:
        raise IllegalStep(asked="extend", status=case.status)
    countdown.require_extendable(entries, calendar, work.today)
    notice = issuances.number_of(work, case, "extended")
    entry = Entry(EntryType.EXTEND, work.today, allowed.days, allowed.basis, notice=notice)
    due = countdowns.enter(work, case, kind, entry)
    told = {"notice": notice, "days": allowed.days, "basis": allowed.basis, f"{kind}_due": due.day.isoformat()}
    journal.write(work, case, "case:extended", countdown=kind, **told)
    formal = {"approver": work.actor.name, "due": due.day.isoformat()}
    notices.tell(work, case, "extended", numbered=notice, number=case.number, reason=reason, **told, **formal)
    countdowns.mark_due(work, case)
    return case


def standing(work: Work, case: Case) -> list[Standing]:
    """Tell how every countdown of a case stands (时限一览), those that run first."""
    found = [
        Standing(kind, due, countdowns.days_left(work, case, due.day), _open(work, case, kind))
        for kind in countdowns.kinds(work, case)
        if (due := countdowns.due(work, case, kind))
    ]
    return sorted(found, key=lambda each: (each.due.stopped_on is not None, each.due.day, each.kind))


def covering(work: Work, case: Case) -> Covering | None:
    """Tell why the decision countdown of a case stands still today (暂停原因), and until when; None when it counts."""
    if not countdowns.going(work, case, "decision"):
        return None
    today = [each for each in _open(work, case, "decision") if each.covers(work.today)]
    last = max(today, key=lambda each: each.last, default=None)
    cause = next((each for each in causes() if last and each.code == last.cause), None)
    return Covering(cause, last.last) if last and cause else None


def causes() -> tuple[Exclusion, ...]:
    """List every cause there ever was (除外事由清单), to say what a ledger means."""
    return statutes.exclusions()


def offer(work: Work, case: Case) -> Offer:
    """Tell what the actor may do to the countdowns of a case (可办的时限事项)."""
    if case.ended_at or case.held_at or access.in_own_matter(work, case):
        return Offer([], [], None)
    running = [each for each in standing(work, case) if each.due.stopped_on is None and each.left >= 0]
    kinds = {each.kind for each in running}
    open_ = {each.notice: each for one in running for each in one.suspensions}
    causes = [each for each in _usable(work, case) if kinds.intersection(each[0].kinds)]
    limit = items.pack_of(work, case).manifest.limits.get("decision")
    extendable = any(each.kind == "decision" and not each.due.extended for each in running)
    ranked = limit is not None and limit.extension is not None and access.ranks(work, case, limit.extension)
    mine = _in_charge(work, case)
    return Offer(
        causes=causes if mine else [],
        open=list(open_.values()) if mine else [],
        extension=limit.extension if limit and ranked and extendable else None,
    )


def extendable(work: Work) -> list[Case]:
    """List the cases that the actor could extend from above the departments (可批准延期的办件), what is due first.

    Whoever ranks there has no task in them to find them by; some at most, of those that are due within ten working
    days (行政许可法第四十二条第二款：经本级人民政府负责人批准).
    """
    open_ = select(Case.item_version_id).where(Case.status == Status.ACCEPTED).distinct()
    versions = select(ItemVersion).where(ItemVersion.id.in_(open_))
    theirs = [
        version.id
        for version in work.session.scalars(versions)
        if (limit := items.pack(work, version).manifest.limits.get("decision"))
        and (above := limit.extension)
        and above.department
        and work.actor.holds(above.department, above.role)
    ]
    soon = countdowns.calendar(work).nth_after(work.today, _SOON)
    accepted = select(Case).where(Case.item_version_id.in_(theirs), Case.status == Status.ACCEPTED)
    due = accepted.where(Case.due_on.between(work.today, soon))
    found = work.session.scalars(due.order_by(Case.due_on, Case.number).limit(_MOST_TOLD))
    return [case for case in found if offer(work, case).extension]


def _end(work: Work, case: Case, notice: str) -> bool:
    due, cause = {}, ""
    for kind in countdowns.kinds(work, case):
        ended = next((each for each in _open(work, case, kind) if each.notice == notice), None)
        if ended and countdowns.going(work, case, kind):
            cause = ended.cause
            entry = Entry(EntryType.RESUME, work.today, 0, ended.basis, cause, notice)
            due[f"{kind}_due"] = countdowns.enter(work, case, kind, entry).day.isoformat()
    if due:
        journal.write(work, case, "case:resumed", notice=notice, cause=cause, **due)
        notices.tell(work, case, "resumed", number=case.number, notice=notice, **due)
    return bool(due)


def _obtain(work: Work, number: str) -> Case:
    case = access.case(work, number, lock=True)
    if not _in_charge(work, case):
        raise NotAllowed(case=number)
    _require_at_work(work, case)
    return case


def _require_at_work(work: Work, case: Case) -> None:
    if access.in_own_matter(work, case):
        raise NotAllowed(case=case.number, recused=True)
    access.require_moving(case)


def _in_charge(work: Work, case: Case) -> bool:
    department = items.pack_of(work, case).manifest.department
    return any(work.actor.holds(department, role) for role in _ROLES)


def _usable(work: Work, case: Case) -> list[tuple[Exclusion, str]]:
    return list(usable(statutes.exclusions(), items.pack_of(work, case).manifest.exclusions, work.today))


def _checked(work: Work, case: Case, cause: str, days: int, reason: str) -> tuple[Exclusion, str, str]:
    read, missing = texts.reasons(("answers.reason", "理由", reason, texts.LONGEST_REASON))
    found = next((each for each in _usable(work, case) if each[0].code == cause), None)
    if not 1 <= days <= _MOST_DAYS:
        missing.insert(0, Missing("answers.days", "out-of-range", "工作日"))
    if found is None:
        missing.insert(0, Missing("answers.cause", "not-a-choice", "事由"))
    if found is None or missing:
        raise AnswersInvalid(missing=missing)
    return *found, read[0]


def _stopping(work: Work, case: Case, cause: Exclusion, since: date) -> list[str]:
    """Find the countdowns that a cause stops from a day on; one that is over by then hinders no other."""
    going = [kind for kind in cause.kinds if countdowns.going(work, case, kind)]
    if not going:
        raise IllegalStep(asked="suspend", status=case.status)
    found, refused = [], TimePassed(asked="suspend")
    for kind in going:
        try:
            countdown.require_suspendable(*countdowns.ledger(work, case, kind), since, work.today)
        except TimePassed as passed:
            refused = passed
        else:
            found.append(kind)
    if not found:
        raise refused
    return found


def _open(work: Work, case: Case, kind: str) -> list[Suspension]:
    """List the suspensions that are still to end; one ended today has ended."""
    entries, calendar = countdowns.ledger(work, case, kind)
    resumed = {entry.notice for entry in entries if entry.type is EntryType.RESUME}
    found = countdown.suspensions(entries, calendar)
    return [each for each in found if each.last >= work.today and each.notice not in resumed]
