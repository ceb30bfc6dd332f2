"""The journal of a case (办件日志): every verb leaves one line, in the transaction that did it."""

from typing import Any

from sqlalchemy import func, select

from approval.models.cases import Case, JournalEntry
from approval.office import Work


def write(work: Work, case: Case, tag: str, **facts: Any) -> None:
    """Write one line (记入办件日志); `tag` reads `noun:verb`, facts are JSON values, never free text of people.

    The sequence has no gaps within a case: the case row is locked by whoever writes.
    """
    last = work.session.scalar(
        select(func.coalesce(func.max(JournalEntry.sequence), 0)).where(JournalEntry.case_id == case.id)
    )
    assert last is not None
    work.session.add(
        JournalEntry(case_id=case.id, sequence=last + 1, at=work.now, actor=work.actor.label, tag=tag, facts=facts)
    )
    work.session.flush()


def read(work: Work, case: Case) -> list[JournalEntry]:
    """Read a case's journal (查阅办件日志) from its first line to its last."""
    lines = select(JournalEntry).where(JournalEntry.case_id == case.id).order_by(JournalEntry.sequence)
    return list(work.session.scalars(lines))


def has(work: Work, case: Case, tag: str) -> bool:
    """Tell whether something was done on a case before (是否办过)."""
    lines = select(JournalEntry.sequence).where(JournalEntry.case_id == case.id, JournalEntry.tag == tag)
    return work.session.scalar(lines.limit(1)) is not None
