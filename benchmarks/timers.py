"""What due timers cost beside many that wait: 100 due among 10,000 waiting, and 100 due alone, in turn.

`python -m benchmarks.timers` makes two offices on SQLite in temporary folders, or on the PostgreSQL server of
`APPROVAL_TEST_DATABASE_URL`. Each has 100 cases that wait for a timer; one has 10,000 further timers that are not due
(copies of a case and its timer under new ids). A round makes the 100 due and sweeps them; the offices take turns.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, text, update

from approval.cli import offices
from approval.domain.actors import SYSTEM
from approval.jobs import Waiting
from approval.models.cases import Case, JournalEntry
from approval.models.tasks import Progress, Timer
from approval.office import Office, open_office
from approval.services import workers
from approval.services.rehearsals import Clock
from approval.settings import Settings
from tests.kit import databases, drills, walks

_WAITING, _DUE, _ROUNDS, _WARMING = 10_000, 100, 15, 3
_START = datetime(2026, 9, 21, 2, tzinfo=UTC)
_YEARS = timedelta(days=3650)


@dataclass(frozen=True)
class Waits:
    """An office whose timers wait, and the states its cases are put back into after every round."""

    office: Office
    states: dict[UUID, bytes]
    milliseconds: list[float]


def main() -> None:
    """Measure, and print the figures."""
    with _waiting(0) as alone, _waiting(_WAITING) as beside:
        for number in range(_ROUNDS + _WARMING):
            for each in (alone, beside):
                spent = _round(each)
                if number >= _WARMING:
                    each.milliseconds.append(spent)
        kind = alone.office.engine.dialect.name
        one, many = median(alone.milliseconds), median(beside.milliseconds)
        print(f"figure timers-{kind}-{_DUE}-due {one:.1f} ms")
        print(f"figure timers-{kind}-{_DUE}-due-beside-{_WAITING} {many:.1f} ms")
        print(f"figure timers-{kind}-ratio {many / one:.2f} x (target <= 1.2)")


@contextmanager
def _waiting(crowd: int) -> Iterator[Waits]:
    with tempfile.TemporaryDirectory() as folder, databases.empty() as url:
        settings = Settings(instance=Path(folder), database_url=url)
        offices.prepare(settings).close()
        clock = Clock(_START)
        office = open_office(settings, carrier=Waiting(), clock=clock)
        try:
            offices.found_demo(office)
            drills.deploy(office)
            for _ in range(_DUE):
                walks.walk(office, drills.file(office), drills.CHECK)
            with office.work(by=SYSTEM) as work:
                states = {row.id: row.state for row in work.session.execute(select(Case.id, Case.state))}
            if crowd:
                _copy(office, crowd)
            with office.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("ANALYZE"))
            clock.now = _START + timedelta(minutes=1)
            yield Waits(office, states, [])
        finally:
            office.close()


def _round(waits: Waits) -> float:
    with waits.office.work(by=SYSTEM) as work:
        for id_, state in waits.states.items():
            work.session.execute(update(Case).where(Case.id == id_).values(state=state))
        again = update(Timer).where(Timer.case_id.in_(waits.states))
        work.session.execute(again.values(progress=Progress.OPEN, closed_at=None))
        work.session.execute(delete(JournalEntry).where(JournalEntry.tag == "timer:fired"))
    began = time.perf_counter()
    fired = workers.sweep(waits.office)
    spent = time.perf_counter() - began
    assert fired == _DUE, fired
    return spent * 1000


def _copy(office: Office, count: int) -> None:
    with office.work(by=SYSTEM) as work:
        found = work.session.execute(select(Case, Timer).join(Timer, Timer.case_id == Case.id).limit(1)).one()
        case, timer = (_row(thing) for thing in found)
        ids = [uuid4() for _ in range(count)]
        cases = [{**case, "id": id_, "number": str(id_.int)[:24], "filing_token": None} for id_ in ids]
        due = {"due_at": _START + _YEARS, "try_at": _START + _YEARS}
        timers = [{**timer, **due, "id": id_, "item": id_, "case_id": id_} for id_ in ids]
        work.session.execute(insert(Case), cases)
        work.session.execute(insert(Timer), timers)


def _row(thing: Case | Timer) -> dict[str, object]:
    return {column.key: getattr(thing, column.key) for column in thing.__table__.columns}


if __name__ == "__main__":
    main()
