"""What a durable completion of a human task costs, beside the bare commit of its bytes and beside plain SpiffWorkflow.

`python -m benchmarks.engine` makes an office on SQLite (WAL, synchronous=FULL) and one on a PostgreSQL cluster of its
own (fsync on), and takes in turn, in one run: the whole completion through `services.tasks.complete`, and a
transaction that writes as many bytes as it wrote with nothing around it. CPU is measured beside wall time, because
fsync swings from one moment to the next.
"""

import gc
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import event, insert, make_url, select

from approval.cli import offices
from approval.domain.actors import SYSTEM, Actor
from approval.expressions import feel, tables
from approval.jobs import Waiting
from approval.models.cases import Case
from approval.models.tasks import Progress, Task
from approval.office import Office, open_office
from approval.services import cases, packs, people, rehearsals, tasks
from approval.settings import Settings
from benchmarks import peers
from benchmarks.clusters import cluster
from benchmarks.figures import figure
from benchmarks.models import ITEM, Model

SMALL = Model("small", 20, branches=3)
LARGE = Model("large", 170, branches=3)
LOOP = Model("loop", 6)
_WARM = 30


def main() -> None:
    """Measure everything and print the figures."""
    with tempfile.TemporaryDirectory() as folder, office_in(Path(folder), "") as office:
        _durable(office, "sqlite", 6, 4)
        with tempfile.TemporaryDirectory() as beside, office_in(Path(beside), "") as crowded:
            _flat(office, crowded)
    with cluster() as url:
        if url is not None:
            with tempfile.TemporaryDirectory() as folder, office_in(Path(folder), url) as office:
                _durable(office, "postgresql", 4, 2.5)
    _peers()
    _formulas()
    _deployment()


@contextmanager
def office_in(folder: Path, url: str) -> Iterator[Office]:
    """Found the demonstration city in a folder, on SQLite or at a URL, and open its office."""
    settings = Settings(instance=folder, database_url=url) if url else Settings(instance=folder)
    offices.prepare(settings).close()
    with open_office(settings, carrier=Waiting()) as office:
        offices.found_demo(office)
        yield office


class Walker:
    """Completes tasks of one case of a model, round after round, like an officer who never rests."""

    def __init__(self, office: Office, model: Model) -> None:
        self.office = office
        with office.work(by=SYSTEM) as work:
            packs.deploy(work, packs.read(model.pack()))
        with office.work(by=_person(office, "chen")) as work:
            self.case = cases.file(work, ITEM, {"size": "small"}, []).id
        self.officer = _person(office, "huang")
        self.open: list[UUID] = []

    def complete(self) -> None:
        """Complete one open task, as its page does; finding which is open is not part of it."""
        if not self.open:
            wanted = select(Task.id).where(Task.case_id == self.case, Task.progress == Progress.OPEN)
            with self.office.work(by=SYSTEM, read_only=True) as work:
                self.open = list(work.session.scalars(wanted.order_by(Task.opened_at, Task.id)))
        task, token = self.open.pop(0), uuid4().hex
        clock, cpu = time.perf_counter(), time.process_time()
        with self.office.work(by=self.officer) as work:
            tasks.complete(work, task, {"result": "again"}, token=token)
        self.wall, self.cpu = time.perf_counter() - clock, time.process_time() - cpu

    def state(self) -> int:
        """Return how large the case's state is, in bytes."""
        with self.office.work(by=SYSTEM, read_only=True) as work:
            return len(work.session.get_one(Case, self.case).state)


def _durable(office: Office, database: str, target: float, aim: float) -> None:
    """Take a completion and the bare commit of its bytes in turn."""
    walker = Walker(office, SMALL)
    for _ in range(_WARM):
        walker.complete()
    written = _bytes_of(office, walker.complete)
    with _bare(office, walker.state(), written) as commit:
        whole, bare = [], []
        for _ in range(300):
            walker.complete()
            whole.append(walker.wall)
            bare.append(_timed(commit))
    ratio = median(whole) / median(bare)
    figure(f"{database}_completion", median(whole) * 1e3, "ms")
    figure(f"{database}_bare_commit", median(bare) * 1e3, "ms")
    figure(f"{database}_completion_to_bare_commit", ratio, "x", "<=", target)
    figure(f"{database}_completion_to_bare_commit_aim", ratio, "x", "<=", aim)
    figure(f"{database}_bytes_written", written, "bytes")
    figure("state_small", walker.state(), "bytes", "<=", 3072)


def _flat(office: Office, crowded: Office) -> None:
    """Compare the CPU of a completion early and late, in small and large models, among few and many cases.

    What is compared is done in turn, because a shared machine is faster at one moment than at the next.
    """
    late = Walker(office, LOOP)
    for _ in range(2_000):
        late.complete()
    early = Walker(office, LOOP)
    for _ in range(10):
        early.complete()
    figure("cpu_at_2000_completions_to_10", _cpu_in_turn(late, early), "x", "<=", 1.2)
    small, large = Walker(office, SMALL), Walker(office, LARGE)
    for _ in LARGE.tasks:
        small.complete()
        large.complete()
    figure("cpu_170_nodes_to_20", _cpu_in_turn(large, small), "x", "<=", 1.5)
    one_of_many = Walker(crowded, SMALL)
    for _ in range(_WARM):
        one_of_many.complete()
    _crowd(office, small.case, 100)
    _crowd(crowded, one_of_many.case, 100_000)
    figure("cpu_among_100000_cases_to_100", _cpu_in_turn(one_of_many, small), "x", "<=", 1.2)


def _cpu_in_turn(one: Walker, other: Walker) -> float:
    """Complete two hundred tasks of each in turn, and return how much more CPU the first takes."""
    ones, others = [], []
    for _ in range(200):
        one.complete()
        other.complete()
        ones.append(one.cpu)
        others.append(other.cpu)
    return median(ones) / median(others)


def _crowd(office: Office, like: UUID, number: int) -> None:
    """Copy a case and its open tasks under new ids, `number` times."""
    with office.work(by=SYSTEM) as work:
        case = work.session.execute(select(Case.__table__).where(Case.__table__.c.id == like)).mappings().one()
        open_tasks = select(Task.__table__).where(Task.__table__.c.case_id == like, Task.__table__.c.progress == "open")
        open_rows = [dict(row) for row in work.session.execute(open_tasks).mappings()]
        for start in range(0, number, 5_000):
            ids = [uuid4() for _ in range(min(number, 5_000))]
            work.session.execute(
                insert(Case.__table__),
                [
                    {**case, "id": id_, "number": f"C{start + index}", "filing_token": None}
                    for index, id_ in enumerate(ids)
                ],
            )
            work.session.execute(
                insert(Task.__table__),
                [
                    {**row, "id": fresh, "item": fresh, "case_id": id_}
                    for id_ in ids
                    for row in open_rows
                    for fresh in (uuid4(),)
                ],
            )


def _peers() -> None:
    """Take our engine and plain SpiffWorkflow, stock serializer and one commit each, in turn, by CPU."""
    for model, target, rounds in ((SMALL, 2.5, 60), (LARGE, 10, 60), (LOOP, 10, 480)):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = peers.Ours(model, Path(folder)), peers.Plain(model, Path(folder))
            mine, other = [], []
            for _ in range(rounds):
                mine.append(_cpu(ours.complete))
                other.append(_cpu(theirs.complete))
            last = slice(-rounds // 3, None)
            figure(f"cpu_ours_{model.name}", median(mine[last]) * 1e3, "ms")
            figure(f"cpu_plain_spiffworkflow_{model.name}", median(other[last]) * 1e3, "ms")
            figure(f"cpu_plain_to_ours_{model.name}", median(other[last]) / median(mine[last]), "x", ">=", target)


def _formulas() -> None:
    """Ask a condition and a table of 20 rows and 3 inputs, warm."""
    facts = {f"fact_{number}": number for number in range(15)} | {"seats": 40, "review": {"result": "pass"}}
    condition = 'seats > 30 and review.result = "pass"'
    rows = "".join(
        f"<rule><inputEntry><text>[{n}..{n + 1})</text></inputEntry><inputEntry><text>&gt; 1</text></inputEntry>"
        f'<inputEntry><text>"pass","fail"</text></inputEntry><outputEntry><text>"row {n}"</text></outputEntry></rule>'
        for n in range(20)
    )
    source = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">'
        '<decision id="measured" name="measured"><decisionTable id="t" hitPolicy="UNIQUE">'
        + "".join(
            f'<input id="i{n}"><inputExpression><text>{text}</text></inputExpression></input>'
            for n, text in enumerate(("fact_7", "seats", "review.result"))
        )
        + f'<output id="o"/>{rows}</decisionTable></decision></definitions>'
    )
    table = tables.load("measured.dmn", source.encode())["measured"]
    figure("gateway_condition", median(_many(lambda: feel.holds(condition, facts), 2_000)) * 1e3, "ms", "<=", 0.1)
    figure("decision_table_20_by_3", median(_many(lambda: table.decide(facts), 1_000)) * 1e3, "ms", "<=", 1.5)


def _deployment() -> None:
    """Check a pack of 170 nodes and play its scenario, as an upload does."""
    scenario = (
        'title = "一轮"\n[filing]\nby = "chen"\nat = 2026-03-02T09:00:00+08:00\nmaterials = []\n'
        'answers = { size = "small" }\n[expect]\nstatus = "filed"\n'
        + "".join(
            f'[[steps]]\nby = "huang"\nat = 2026-03-02T10:00:00+08:00\ntask = "{name}"\n'
            'answers = { result = "pass" }\n'
            for name in LARGE.tasks
        )
    )
    files = {**LARGE.pack(), "scenarios/round.toml": scenario.encode()}
    settings = Settings()
    clock = time.perf_counter()
    rehearsals.check(packs.check(files, settings), settings)
    figure("deployment_170_nodes", time.perf_counter() - clock, "s", "<=", 3)


def _person(office: Office, code: str) -> Actor:
    with office.work(by=SYSTEM, read_only=True) as work:
        return people.actor_by_code(work, code)


def _bytes_of(office: Office, act: Callable[[], None]) -> int:
    """Count the bytes that an act's writing statements send."""
    sent = 0

    def count(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        nonlocal sent
        if statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "WITH C", "WITH W"}:
            rows = parameters if isinstance(parameters, list) else [parameters]
            values = [value for row in rows for value in (row.values() if isinstance(row, dict) else row)]
            sent += sum(len(value) if isinstance(value, bytes) else len(str(value).encode()) for value in values)

    event.listen(office.engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        event.remove(office.engine, "before_cursor_execute", count)
    return sent


@contextmanager
def _bare(office: Office, state: int, written: int) -> Iterator[Callable[[], None]]:
    """Yield a bare commit: a row updated by as many bytes as a state, and another that takes the rest."""
    url = make_url(office.settings.sqlalchemy_url)
    body, rest = b"s" * state, b"r" * max(0, written - state)
    if url.get_backend_name() == "sqlite":
        lite = sqlite3.connect(Path(str(url.database)).with_name("bare.db"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            lite.execute(f"PRAGMA {pragma}")
        lite.execute("CREATE TABLE states (id INTEGER PRIMARY KEY, body BLOB)")
        lite.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, body BLOB)")
        lite.execute("INSERT INTO states VALUES (1, ?)", (body,))

        def commit() -> None:
            lite.execute("BEGIN IMMEDIATE")
            lite.execute("UPDATE states SET body = ? WHERE id = 1", (body,))
            lite.execute("INSERT INTO lines (body) VALUES (?)", (rest,))
            lite.execute("COMMIT")

        yield commit
        lite.close()
        return
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as server:
        server.execute("CREATE TABLE bare_states (id int PRIMARY KEY, body bytea)")
        server.execute("CREATE TABLE bare_lines (id bigserial PRIMARY KEY, body bytea)")
        server.execute("INSERT INTO bare_states VALUES (1, %s)", (body,))
        server.commit()

        def commit() -> None:
            server.execute("UPDATE bare_states SET body = %s WHERE id = 1", (body,))
            server.execute("INSERT INTO bare_lines (body) VALUES (%s)", (rest,))
            server.commit()

        yield commit


def _timed(act: Callable[[], None]) -> float:
    clock = time.perf_counter()
    act()
    return time.perf_counter() - clock


def _cpu(act: Callable[[], None]) -> float:
    clock = time.process_time()
    act()
    return time.process_time() - clock


def _many(act: Callable[[], Any], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        clock = time.process_time()
        act()
        taken.append(time.process_time() - clock)
    return taken[times // 10 :]


if __name__ == "__main__":
    gc.freeze()
    main()
