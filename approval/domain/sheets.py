"""Proof sheets (时限计算书): one countdown, day by day, so that anyone can count it again without the office."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from approval.domain.countdown import Due, Entry, EntryType, count, reckon, suspensions
from approval.domain.errors import SheetUnreadable
from approval.domain.workdays import Calendar

FORMAT: Final = "one-stop-approval/countdown/1"
MOST_DAYS: Final = 20_000  # working days: nobody waits so long for a verdict on a sheet


def compose(about: Mapping[str, str], entries: Iterable[Entry], calendar: Calendar) -> dict[str, Any]:
    """Compose the proof sheet of a countdown (编制时限计算书) as JSON values: the same input says the same.

    `about` says which case, item and countdown. It holds the ledger, what the calendar says of the days counted, every
    calendar day with why it counts or not, the due day and how it ended. Raises as `reckon`.
    """
    ledger = tuple(entries)
    due, days = reckon(ledger, calendar), tuple(count(ledger, calendar))
    horizon = max([due.day, *(each.last for each in suspensions(ledger, calendar))])
    return {
        "format": FORMAT,
        **about,
        "calendar": calendar.excerpt(min(entry.day for entry in ledger), horizon).data(),
        "ledger": [
            {
                "type": str(entry.type),
                "day": entry.day.isoformat(),
                "days": entry.days,
                "basis": entry.basis,
                **({"cause": entry.cause} if entry.cause else {}),
                **({"notice": entry.notice} if entry.notice else {}),
            }
            for entry in ledger
        ],
        "days": [
            {
                "day": each.day.isoformat(),
                "counted": each.counted,
                "why": each.why,
                "basis": each.basis,
                **({"notice": each.notice} if each.notice else {}),
            }
            for each in days
        ],
        "started": due.started_on.isoformat(),
        "limit": due.days,
        "extended": due.extended,
        "due": due.day.isoformat(),
        "provisional": due.provisional,
        "stopped": due.stopped_on.isoformat() if due.stopped_on else "",
        "result": result(due),
    }


def result(due: Due) -> str:
    """Say how a countdown ended (时限结果): `running`, `in-time`, or `late` when it was stopped after its last day."""
    if due.stopped_on is None:
        return "running"
    return "in-time" if due.stopped_on <= due.day else "late"


def recompute(sheet: Any) -> dict[str, Any]:
    """Count a sheet again from what it says of ledger and calendar (复算); what comes out must be what was given.

    Raises `SheetUnreadable` for what is no sheet.
    """
    try:
        if sheet["format"] != FORMAT:
            raise SheetUnreadable(why=f"not {FORMAT}")
        ledger = [
            Entry(
                EntryType(row["type"]),
                date.fromisoformat(row["day"]),
                row["days"],
                row["basis"],
                row.get("cause", ""),
                row.get("notice", ""),
            )
            for row in sheet["ledger"]
        ]
        if not all(type(entry.days) is int and 0 <= entry.days <= MOST_DAYS for entry in ledger):
            raise SheetUnreadable(why=f"days are from 0 to {MOST_DAYS}")
        about = {name: sheet[name] for name in ("case", "item", "kind", "department")}
        return compose(about, ledger, Calendar.from_data(sheet["calendar"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise SheetUnreadable(why=f"not a sheet: {reason!r}") from None
