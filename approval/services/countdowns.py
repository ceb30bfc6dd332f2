"""Countdowns of a case (办理时限): ledger entries, and the due days that follow from them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import case as sql_case
from sqlalchemy import or_, select, update

from approval.domain.cases import Status
from approval.domain.countdown import Due, Entry, EntryType, expiry, reckon
from approval.domain.manifests import Limit
from approval.domain.workdays import Calendar
from approval.models.cases import Case, CountdownEntry, WorkCalendar
from approval.models.people import Department
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import items

# Legal acts begin these (filing, acceptance, decision); any other begins when its timer begins to wait.
BEGUN_BY_LAW = frozenset({"acceptance", "tier_review", "decision", "promised", "delivery"})
# A hearing is owed from the request on, whenever its timer begins to wait, and until it is held.
_OWED = frozenset({"hearing"})
_CALENDAR = "calendar"
_MOVED = "moved"
_AWAITED = {
    Status.FILED: ("acceptance",),
    Status.ACCEPTED: ("decision", "tier_review"),
    Status.GRANTED: ("delivery",),
    Status.REFUSED: ("delivery",),
}


def begin(work: Work, case: Case, kind: str, limit: Limit, *, since: datetime, deemed: bool = False) -> Due:
    """Begin a countdown (时限起算), or begin it anew; `limit` in working days, `since` the event it counts from.

    `deemed` marks a beginning that silence brought about (行政许可法第三十二条: 逾期不告知的,自收到之日起即为受理).
    """
    local = since.astimezone(work.office.settings.tz)
    # What silence brings about counts from the same day of receipt as the silence did.
    received = kind == "acceptance" or deemed
    day = calendar(work, case).received_on(local.date(), local.time()) if received else local.date()
    return enter(work, case, kind, Entry(EntryType.DEEMED if deemed else EntryType.START, day, limit.days, limit.basis))


def stop(work: Work, case: Case, kind: str, basis: str) -> Due:
    """Stop a countdown (时限停止): what it waited for has happened."""
    return enter(work, case, kind, Entry(EntryType.STOP, work.today, 0, basis))


def stop_running(work: Work, case: Case, basis: str) -> None:
    """Stop every countdown of a case that still runs (停止全部时限): the case has ended."""
    for kind in kinds(work, case):
        if going(work, case, kind):
            stop(work, case, kind, basis)


def stop_answered(work: Work, case: Case) -> None:
    """Stop the countdowns whose task is done or dropped (停止已答复的时限): whoever was waited for has answered."""
    guarded = select(Timer.countdown, Task.progress).join(Task, Task.id == Timer.task_id)
    rows = work.session.execute(guarded.where(Timer.case_id == case.id, Timer.countdown.not_in(BEGUN_BY_LAW))).all()
    waited_for = {kind for kind, progress in rows if progress == Progress.OPEN}
    # One that nobody's task stood behind has been waited for once its time has come.
    alone = select(Timer.countdown, Timer.progress).where(
        Timer.case_id == case.id, Timer.task_id.is_(None), Timer.countdown.not_in(BEGUN_BY_LAW)
    )
    lone = [(kind, progress) for kind, progress in work.session.execute(alone) if kind]
    waited_for |= {kind for kind, progress in lone if progress == Progress.OPEN}
    for kind in sorted({kind for kind, _ in [*rows, *lone] if kind} - waited_for - _OWED):
        if going(work, case, kind):
            stop(work, case, kind, "task:completed")


def due(work: Work, case: Case, kind: str) -> Due | None:
    """Reckon a countdown of a case from its ledger (查询时限); None when it never began.

    One that was stopped stays as it was counted then, whatever became of the calendar since.
    """
    rows = _rows(work, case, kind)
    return reckon(_entries(rows), _counted_by(work, case, rows)) if rows else None


def has_begun(kind: str, due: Due | None) -> bool:
    """Tell whether a countdown has begun already where its timer begins to wait (是否已经起算)."""
    return due is not None and (kind in BEGUN_BY_LAW or (kind in _OWED and due.stopped_on is None))


def going(work: Work, case: Case, kind: str) -> bool:
    """Tell whether a countdown began and runs (时限是否进行中)."""
    reckoned = due(work, case, kind)
    return reckoned is not None and reckoned.stopped_on is None


def kinds(work: Work, case: Case) -> list[str]:
    """List the countdowns that a case ever had (办件的全部时限), by kind."""
    every = select(CountdownEntry.kind).where(CountdownEntry.case_id == case.id).distinct()
    return list(work.session.scalars(every.order_by(CountdownEntry.kind)))


def ledger(work: Work, case: Case, kind: str) -> tuple[list[Entry], Calendar]:
    """Bring a ledger and the calendar that it is counted by (时限台账); no entries where it never began."""
    rows = _rows(work, case, kind)
    return _entries(rows), _counted_by(work, case, rows)


def awaited(work: Work, case: Case) -> tuple[str, Due] | None:
    """Find the countdown that runs where a case stands (当前时限), by kind and due day; None when none runs."""
    for kind in _AWAITED.get(Status(case.status), ()):
        running = due(work, case, kind)
        if running and running.stopped_on is None:
            return kind, running
    return None


def running(work: Work, case: Case) -> list[tuple[str, Due]]:
    """List the countdowns of a case that run (进行中的时限), by kind and due day, the first to end first."""
    reckoned = [
        (kind, found) for kind in kinds(work, case) if (found := due(work, case, kind)) and not found.stopped_on
    ]
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


def days_left(work: Work, case: Case, day: date) -> int:
    """Count the working days from today until a due day (剩余工作日); negative once it has passed."""
    return calendar(work, case).between(work.today, day)


def expires(work: Work, due: Due) -> datetime:
    """Find the instant a due day has run out (期限届满), in UTC."""
    return expiry(due.day, work.office.settings.tz)


def calendar(work: Work, case: Case | None = None) -> Calendar:
    """Bring the working-day calendar in force (现行工作日历): the newest one imported, read once a Work.

    For a case it is that of the district whose department decides it, where the calendar has days of its own there.
    """
    return _of_case(work, case, _newest(work)[1])


def import_calendar(work: Work, data: dict[str, Any]) -> int:
    """Import a working-day calendar (导入工作日历) and recount what runs; return how many due days it moved.

    `data` is the parsed TOML of `calendar.toml`, or what `Calendar.data` wrote. A countdown that ends on another day
    now gets a new entry in its ledger, never a changed one, and its timers move with it.
    """
    corrected = Calendar.from_data(data)
    # Some run on after the case has ended: a commitment is checked then.
    awaited_still = select(Timer.id).where(Timer.case_id == Case.id, Timer.progress == Progress.OPEN).exists()
    running = select(CountdownEntry.case_id, CountdownEntry.kind).join(Case).distinct()
    running = running.where(or_(Case.ended_at.is_(None), awaited_still))
    # Reckoned under the old calendar first, or nobody could tell what the new one changes.
    before = [
        (case, kind, reckoned)
        for case_id, kind in work.session.execute(running.order_by(CountdownEntry.case_id)).all()
        if (case := work.session.get_one(Case, case_id, with_for_update=True))
        and (reckoned := due(work, case, kind)) is not None
        and reckoned.stopped_on is None
    ]
    work.session.add(WorkCalendar(imported_at=work.now, content=corrected.data()))
    work.session.flush()
    work.session.info.pop(_CALENDAR, None)
    moved = [(case, kind) for case, kind, old in before if due(work, case, kind) != old]
    for case, kind in moved:
        enter(work, case, kind, Entry(EntryType.RECOUNT, work.today, 0, corrected.basis))
    for case in {case.id: case for case, _ in moved}.values():
        mark_due(work, case)
    return len(moved)


def enter(work: Work, case: Case, kind: str, entry: Entry) -> Due:
    """Enter a line into a ledger (记入时限台账): the due day follows, and every timer that means this limit moves."""
    note_moved(work, case)
    rows = _rows(work, case, kind)
    due = reckon([*_entries(rows), entry], calendar(work, case))
    said = {"day": entry.day.isoformat(), "days": entry.days, "basis": entry.basis}
    said |= {name: text for name, text in (("cause", entry.cause), ("notice", entry.notice)) if text}
    work.session.add(
        CountdownEntry(
            id=uuid4(),
            case_id=case.id,
            kind=kind,
            ordinal=len(rows) + 1,
            type=entry.type,
            at=work.now,
            entry=said,
            due={"day": due.day.isoformat(), "provisional": due.provisional, "calendar": _newest(work)[0]},
        )
    )
    # A timer that means this legal limit moves with its ledger.
    waiting = update(Timer).where(Timer.case_id == case.id, Timer.countdown == kind, Timer.progress == Progress.OPEN)
    until = expires(work, due)
    # One that waits for a person goes on waiting for that.
    try_at = sql_case((Timer.try_at.is_not(None), until), else_=None)
    work.session.execute(waiting.values(due_at=until, try_at=try_at))
    return due


def _rows(work: Work, case: Case, kind: str) -> list[CountdownEntry]:
    rows = select(CountdownEntry).where(CountdownEntry.case_id == case.id, CountdownEntry.kind == kind)
    return list(work.session.scalars(rows.order_by(CountdownEntry.ordinal)))


def _entries(rows: Iterable[CountdownEntry]) -> list[Entry]:
    return [
        Entry(
            EntryType(row.type),
            date.fromisoformat(row.entry["day"]),
            row.entry["days"],
            row.entry["basis"],
            row.entry.get("cause", ""),
            row.entry.get("notice", ""),
        )
        for row in rows
    ]


def _newest(work: Work) -> tuple[int, Calendar]:
    kept = work.session.info
    if _CALENDAR not in kept:
        newest = select(WorkCalendar).order_by(WorkCalendar.ordinal.desc()).limit(1)
        row = work.session.scalars(newest).one()
        kept[_CALENDAR] = row.ordinal, Calendar.from_data(row.content)
    return cast("tuple[int, Calendar]", kept[_CALENDAR])


def _counted_by(work: Work, case: Case, rows: list[CountdownEntry]) -> Calendar:
    """Find the calendar a ledger is counted by: the one in force, or for one that was stopped the one in force then."""
    if not rows or rows[-1].type != EntryType.STOP:
        return calendar(work, case)
    newest, in_force = _newest(work)
    # Ledgers of earlier releases did not say which it was.
    then = select(WorkCalendar).where(WorkCalendar.imported_at <= rows[-1].at).order_by(WorkCalendar.ordinal.desc())
    ordinal = rows[-1].due.get("calendar")
    if ordinal == newest:
        return _of_case(work, case, in_force)
    row = work.session.get(WorkCalendar, ordinal) if ordinal else work.session.scalars(then.limit(1)).first()
    return _of_case(work, case, Calendar.from_data(row.content) if row else in_force)


def _of_case(work: Work, case: Case | None, known: Calendar) -> Calendar:
    if case is None or not known.districts:
        return known
    department = work.session.get_one(Department, items.pack_of(work, case).manifest.department)
    # Digits 3 to 8 of a credit code say where its holder is registered (GB/T 2260).
    return known.of_district(department.uscc[2:8])
