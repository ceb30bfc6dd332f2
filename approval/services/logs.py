"""The public log (透明日志): journal lines and licence acts go into it in batches, and anyone may check it.

What is published are salted hashes and signed heads; which row a hash is of, only whoever is shown its salt can tell.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update

import certificates
from approval.models.cases import JournalEntry
from approval.office import Work
from certificates import Act, Finding, Inclusion, Licence, LicenceAct, Record

_BATCH = 1_000
_JOURNAL: Final = "journal"


def waiting(work: Work) -> bool:
    """Tell whether anything is still to be logged (待入账)."""
    lines = select(JournalEntry.sequence).where(JournalEntry.log_index.is_(None)).limit(1)
    done = select(LicenceAct.id).where(LicenceAct.log_index.is_(None)).limit(1)
    return work.session.scalar(lines) is not None or work.session.scalar(done) is not None


def sequence(work: Work) -> int:
    """Give the next rows their places in the log and sign its head (入账), and return how many; one sequencer a time.

    Journal lines and licence acts by their time, at most a thousand a Work. A second sequencer at work does nothing.
    """
    if work.session.get_bind().dialect.name == "postgresql" and not work.session.scalar(
        # On SQLite a writing Work has everything to itself anyway.
        select(func.pg_try_advisory_xact_lock(func.hashtext("log")))
    ):
        return 0
    lines = select(JournalEntry).where(JournalEntry.log_index.is_(None))
    done = select(LicenceAct, Licence).join(Licence, Licence.id == LicenceAct.licence_id)
    found: list[tuple[Any, Record, JournalEntry | LicenceAct]] = [
        (line.at, _of_line(line), line)
        for line in work.session.scalars(
            lines.order_by(JournalEntry.at, JournalEntry.case_id, JournalEntry.sequence).limit(_BATCH)
        )
    ]
    unlogged = done.where(LicenceAct.log_index.is_(None)).order_by(LicenceAct.id).limit(_BATCH)
    found += [(act.at, certificates.record_act(act, licence), act) for act, licence in work.session.execute(unlogged)]
    found.sort(key=lambda row: row[0])
    if not found:
        return 0
    first = certificates.append_to_log(
        work.session, [record for _, record, _ in found], work.office.log_signer, work.now
    )
    lines_at, acts_at = [], []
    for index, (_, _, row) in enumerate(found, start=first):
        if isinstance(row, JournalEntry):
            lines_at.append({"case_id": row.case_id, "sequence": row.sequence, "log_index": index})
        else:
            acts_at.append({"id": row.id, "log_index": index})
    for kind, places in ((JournalEntry, lines_at), (LicenceAct, acts_at)):
        if places:
            work.session.execute(update(kind), places)
    return len(found)


def of_licence(work: Work, licence: Licence) -> Inclusion | None:
    """Prove that the sealing of a licence stands in the log (证照入账证明); None while it does not yet."""
    return certificates.prove_sealed(work.session, licence)


def sealing(work: Work, licence: Licence) -> bytes:
    """Write the sealing of a licence as the log hashes it (签章入账内容): JSON."""
    act = next(act for act in certificates.acts(work.session, licence) if act.act is Act.SEAL)
    return certificates.record_act(act, licence).content


def verify(work: Work, seen: str | None = None) -> list[Finding]:
    """Compare every row with the log and the log with its signed heads (核对日志), and with one `seen` before.

    No finding means that all agree. To be asked in a steady Work: the log grows meanwhile.
    """
    rows = {_JOURNAL: partial(_lines, work), certificates.LOGGED_ACT: partial(_acts, work)}
    return certificates.audit(work.session, work.office.log_key, rows, seen)


def public_file(work: Work, path: str) -> bytes:
    """Read a file that the log publishes (公开文件): `checkpoint`, `tile/…`, `key`; raises `NotLogged`."""
    if path == "key":
        return f"{work.office.log_key}\n".encode()
    return certificates.log_file(work.session, path)


def inclusion(work: Work, index: int, size: int) -> dict[str, Any]:
    """Prove that a leaf is in the tree of a size (包含证明), hashes in hexadecimal digits; raises `NotLogged`."""
    path = certificates.log_inclusion(work.session, index, size)
    return {"index": index, "size": size, "path": [hash_.hex() for hash_ in path]}


def consistency(work: Work, old: int, new: int) -> dict[str, Any]:
    """Prove that the log only grew (一致性证明), hashes in hexadecimal digits; raises `NotLogged`."""
    path = certificates.log_consistency(work.session, old, new)
    return {"old": old, "new": new, "path": [hash_.hex() for hash_ in path]}


def _lines(work: Work) -> Iterator[tuple[str, int, bytes]]:
    logged = select(JournalEntry).where(JournalEntry.log_index.is_not(None))
    for line in work.session.scalars(logged.execution_options(yield_per=_BATCH)):
        record = _of_line(line)
        yield record.reference, line.log_index or 0, record.content


def _acts(work: Work) -> Iterator[tuple[str, int, bytes]]:
    logged = select(LicenceAct, Licence).join(Licence, Licence.id == LicenceAct.licence_id)
    for act, licence in work.session.execute(logged.where(LicenceAct.log_index.is_not(None))):
        record = certificates.record_act(act, licence)
        yield record.reference, act.log_index or 0, record.content


def _of_line(line: JournalEntry) -> Record:
    said = {"case": str(line.case_id), "sequence": line.sequence, "at": line.at.isoformat()}
    content = certificates.plain_record({**said, "actor": line.actor, "tag": line.tag, "facts": line.facts})
    return Record(_JOURNAL, _reference(line.case_id, line.sequence), content)


def _reference(case: UUID, sequence: int) -> str:
    return f"{case}/{sequence}"
