"""The journal of a case (办件日志): every verb leaves one line, in the transaction that did it."""

from typing import Any

from sqlalchemy import func, select

from approval.models import saving
from approval.models.cases import Case, JournalEntry
from approval.office import Work


def write(work: Work, case: Case, tag: str, **facts: Any) -> int:
    """Write one line (记入办件日志) and return its number; `tag` reads `noun:verb`, facts are JSON values.

    Never free text of people, but for the `reason` an administrator must give. The sequence has no gaps within a
    case: the case row is locked by whoever writes.
    """
    case.lines += 1
    line = {"case_id": case.id, "sequence": case.lines, "at": work.now, "actor": work.actor.label, "tag": tag}
    saving.add(work.session, JournalEntry, {**line, "facts": facts})
    return case.lines


def read(work: Work, case: Case) -> list[JournalEntry]:
    """Read a case's journal (查阅办件日志) from its first line to its last."""
    lines = select(JournalEntry).where(JournalEntry.case_id == case.id).order_by(JournalEntry.sequence)
    return list(work.session.scalars(lines))


def has(work: Work, case: Case, tag: str) -> bool:
    """Tell whether something was done on a case before (是否办过)."""
    lines = select(JournalEntry.sequence).where(JournalEntry.case_id == case.id, JournalEntry.tag == tag)
    return work.session.scalar(lines.limit(1)) is not None


def last(work: Work, case: Case, *tags: str) -> int:
    """Find the newest line under any of these tags (最近一次办理) and return its number; 0 where there is none."""
    lines = select(func.max(JournalEntry.sequence)).where(JournalEntry.case_id == case.id, JournalEntry.tag.in_(tags))
    return work.session.scalar(lines) or 0


def count(work: Work, case: Case, tag: str) -> int:
    """Count how often something was done on a case (办过几次)."""
    lines = select(func.count()).where(JournalEntry.case_id == case.id, JournalEntry.tag == tag)
    return work.session.scalars(lines).one()
