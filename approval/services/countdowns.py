"""Countdowns of a case (办理时限): ledger entries, and the due days that follow from them."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import case as sql_case
from sqlalchemy import select, update

from approval.domain.cases import Status
from approval.domain.countdown import Due, Entry, EntryType, expiry, legal_day, reckon
from approval.domain.manifests import Limit
from approval.domain.workdays import Calendar
from approval.models.cases import Case, CountdownEntry, WorkCalendar
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work

# Legal acts begin these (filing, acceptance, decision); any other begins when its timer begins to wait.
BEGUN_BY_LAW = frozenset({"acceptance", "decision", "delivery"})
_CALENDAR = "calendar"
_MOVED = "moved"
_AWAITED = {
    Status.FILED: "acceptance",
    Status.ACCEPTED: "decision",
    Status.GRANTED: "delivery",
    Status.REFUSED: "delivery",
}


def begin(work: Work, case: Case, kind: str, limit: Limit, *, since: datetime, deemed: bool = False) -> Due:
    """Begin a countdown (时限起算), or begin it anew; `limit` in working days, `since` the event it counts from.

    `deemed` marks a beginning that silence brought about (行政许可法第三十二条: 逾期不告知的,自收到之日起即为受理).
    """
    type_ = EntryType.DEEMED if deemed else EntryType.START
    return _write(work, case, kind, Entry(type_, _day(work, since), limit.days, limit.basis))


def stop(work: Work, case: Case, kind: str, basis: str) -> Due:
    """Stop a countdown (时限停止): what it waited for has happened."""
    return _write(work, case, kind, Entry(EntryType.STOP, work.today, 0, basis))


def stop_running(work: Work, case: Case, basis: str) -> None:
    """Stop every countdown of a case that still runs (停止全部时限): the case has ended."""
    kinds = select(CountdownEntry.kind).where(CountdownEntry.case_id == case.id).distinct()
    for kind in work.session.scalars(kinds.order_by(CountdownEntry.kind)).all():
        reckoned = due(work, case, kind)
        if reckoned is not None and reckoned.stopped_on is None:
            stop(work, case, kind, basis)


def stop_answered(work: Work, case: Case) -> None:
    """Stop the countdowns whose task is done or dropped (停止已答复的时限): whoever was waited for has answered."""
    guarded = select(Timer.countdown, Task.progress).join(Task, Task.id == Timer.task_id)
    rows = work.session.execute(guarded.where(Timer.case_id == case.id, Timer.countdown.not_in(BEGUN_BY_LAW))).all()
    waited_for = {kind for kind, progress in rows if progress == Progress.OPEN}
    for kind in sorted({kind for kind, _ in rows if kind} - waited_for):
        reckoned = due(work, case, kind)
        if reckoned is not None and reckoned.stopped_on is None:
            stop(work, case, kind, "task:completed")


def due(work: Work, case: Case, kind: str) -> Due | None:
    """Reckon a countdown of a case from its ledger (查询时限); None when it never began."""
    ledger = _ledger(work, case, kind)
    return reckon(ledger, calendar(work)) if ledger else None


def awaited(work: Work, case: Case) -> tuple[str, Due] | None:
    """Find the countdown that runs where a case stands (当前时限), by kind and due day; None when none runs."""
    kind = _AWAITED.get(Status(case.status))
    running = due(work, case, kind) if kind else None
    return (kind, running) if kind and running and running.stopped_on is None else None


def running(work: Work, case: Case) -> list[tuple[str, Due]]:
    """List the countdowns of a case that run (进行中的时限), by kind and due day, the first to end first."""
    kinds = work.session.scalars(select(CountdownEntry.kind).where(CountdownEntry.case_id == case.id).distinct())
    reckoned = [(kind, found) for kind in kinds.all() if (found := due(work, case, kind)) and not found.stopped_on]
    return sorted(reckoned, key=lambda each: (each[1].day, each[0]))


def mark_due(work: Work, case: Case) -> None:
    """Mark the legal day of every open task of a case (标记待办到期日), for queues to be sorted by.

    It is the earlier of what the case awaits and of the task's own countdown, which goes on counting once its
    timer has fired: who is late stays late.
    """
    waiting = awaited(work, case)
    own: dict[UUID, list[date]] = {}
    guarded = select(Timer.task_id, Timer.countdown).where(Timer.case_id == case.id, Timer.progress != Progress.DROPPED)
    for task_id, kind in work.session.execute(guarded.distinct()):
        if task_id and kind and (reckoned := due(work, case, kind)) and not reckoned.stopped_on:
            own.setdefault(task_id, []).append(reckoned.day)
    case.due_on = waiting[1].day if waiting else None
    open_tasks = select(Task).where(Task.case_id == case.id, Task.progress == Progress.OPEN)
    for task in work.session.scalars(open_tasks):
        task.due_on = min([*own.get(task.id, ()), *([case.due_on] if case.due_on else ())], default=None)
    work.session.flush()
    work.session.info.get(_MOVED, set()).discard(case.id)


def note_moved(work: Work, case: Case) -> None:
    """Note that the days a case is sorted by are to be marked anew in this Work (到期日待重算)."""
    work.session.info.setdefault(_MOVED, set()).add(case.id)


def moved(work: Work, case: Case) -> bool:
    """Tell whether a ledger or the status of a case changed in this Work (到期日是否变动)."""
    return case.id in work.session.info.get(_MOVED, ())


def began_at(work: Work, case: Case, kind: str) -> datetime:
    """Find the instant a countdown last began from (起算时刻)."""
    begun = (row for row in reversed(_rows(work, case, kind)) if row.type in {EntryType.START, EntryType.DEEMED})
    return next(begun).at


def days_left(work: Work, due: Due) -> int:
    """Count the working days left until a due day (剩余工作日); negative once it has passed."""
    return days_until(work, due.day)


def days_until(work: Work, day: date) -> int:
    """Count the working days from today until a day (距某日工作日); negative once it has passed."""
    return calendar(work).between(work.today, day)


def expires(work: Work, due: Due) -> datetime:
    """Find the instant a due day has run out (期限届满), in UTC."""
    return expiry(due.day, work.office.settings.tz)


def calendar(work: Work) -> Calendar:
    """Bring the working-day calendar in force (现行工作日历): the newest one imported, read once a Work."""
    kept = work.session.info
    if _CALENDAR not in kept:
        newest = select(WorkCalendar).order_by(WorkCalendar.ordinal.desc()).limit(1)
        row = work.session.scalars(newest).one()
        kept[_CALENDAR] = Calendar.from_data(_with_dates(row.content))
    return cast("Calendar", kept[_CALENDAR])


def import_calendar(work: Work, data: dict[str, Any]) -> int:
    """Import a working-day calendar (导入工作日历) and recount what runs; return how many due days it moved.

    `data` is the parsed TOML of `calendar.toml`. A countdown that ends on another day now gets a new entry in its
    ledger, never a changed one, and its timers move with it.
    """
    corrected = Calendar.from_data(data)
    running = select(CountdownEntry.case_id, CountdownEntry.kind).join(Case).where(Case.ended_at.is_(None)).distinct()
    # Reckoned under the old calendar first, or nobody could tell what the new one changes.
    before = [
        (case, kind, reckoned)
        for case_id, kind in work.session.execute(running.order_by(CountdownEntry.case_id)).all()
        if (case := work.session.get_one(Case, case_id, with_for_update=True))
        and (reckoned := due(work, case, kind)) is not None
        and reckoned.stopped_on is None
    ]
    work.session.add(WorkCalendar(imported_at=work.now, content=_with_texts(data)))
    work.session.flush()
    work.session.info.pop(_CALENDAR, None)
    moved = [(case, kind) for case, kind, old in before if due(work, case, kind) != old]
    for case, kind in moved:
        _write(work, case, kind, Entry(EntryType.RECOUNT, work.today, 0, corrected.basis))
    for case in {case.id: case for case, _ in moved}.values():
        mark_due(work, case)
    return len(moved)


def _day(work: Work, instant: datetime) -> date:
    return legal_day(instant, work.office.settings.tz)


def _rows(work: Work, case: Case, kind: str) -> list[CountdownEntry]:
    rows = select(CountdownEntry).where(CountdownEntry.case_id == case.id, CountdownEntry.kind == kind)
    return list(work.session.scalars(rows.order_by(CountdownEntry.ordinal)))


def _ledger(work: Work, case: Case, kind: str) -> list[Entry]:
    return [
        Entry(
            EntryType(row.type),
            date.fromisoformat(row.entry["day"]),
            row.entry["days"],
            row.entry["basis"],
        )
        for row in _rows(work, case, kind)
    ]


def _write(work: Work, case: Case, kind: str, entry: Entry) -> Due:
    note_moved(work, case)
    ledger = _ledger(work, case, kind)
    due = reckon([*ledger, entry], calendar(work))
    work.session.add(
        CountdownEntry(
            id=uuid4(),
            case_id=case.id,
            kind=kind,
            ordinal=len(ledger) + 1,
            type=entry.type,
            at=work.now,
            entry={"day": entry.day.isoformat(), "days": entry.days, "basis": entry.basis},
            due={"day": due.day.isoformat(), "provisional": due.provisional},
        )
    )
    # A timer that means this legal limit moves with its ledger.
    waiting = update(Timer).where(Timer.case_id == case.id, Timer.countdown == kind, Timer.progress == Progress.OPEN)
    until = expires(work, due)
    # One that waits for a person goes on waiting for that.
    try_at = sql_case((Timer.try_at.is_not(None), until), else_=None)
    work.session.execute(waiting.values(due_at=until, try_at=try_at))
    return due


def _with_texts(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _with_texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_texts(value) for value in data]
    return data.isoformat() if isinstance(data, date) else data


def _with_dates(data: dict[str, Any]) -> dict[str, Any]:
    return {
        **data,
        "rest": [date.fromisoformat(day) for day in data["rest"]],
        "work": [date.fromisoformat(day) for day in data["work"]],
        "covers": {end: date.fromisoformat(day) for end, day in data["covers"].items()},
    }
