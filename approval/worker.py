"""The worker (后台进程): runs carried errands and sweeps timers.

The errand row is the truth, DBOS its carrier. A worker that dies is started again under the same name and
takes its own errands up where they were; one that stays silent is relieved of them by the others. Any number of
workers stand beside one another, on one machine or on many, each under a name of its own.
"""

import fcntl
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from time import monotonic
from uuid import UUID

from dbos import DBOS, DBOSPortableJSONSerializer
from sqlalchemy import CursorResult, delete, func, select, update

from approval import jobs
from approval.models.tasks import Heartbeat
from approval.office import Office, Work, open_office
from approval.services import workers
from approval.settings import Settings

_log = logging.getLogger(__name__)
# A changed workflow body must not be replayed against steps recorded by the old one.
_VERSION = "2"
# How often a step is begun again when the database itself was away; what an errand did is counted in its row.
_ATTEMPTS = 5
# What is no part of a turn, each every so many seconds. What nobody needs any more can wait an hour. Verification goes
# by the day itself, but a licence that silence renews must not look expired for long. A timestamping authority that
# hangs costs a turn ten seconds, once in a minute; a mail server that hangs costs twenty.
_ROUNDS = {
    "expire": (workers.expire, 60.0),
    "tidy": (workers.tidy, 3600.0),
    "settle": (workers.settle, 3600.0),
    "extend": (workers.extend, 60.0),
    "send": (workers.send, 10.0),
}
# Whoever stops a worker waits longer than this before pulling the plug.
_GRACE_SECONDS = 8


def main(settings: Settings | None = None) -> None:
    """Work until told to stop (后台运行); a second worker of the same name refuses to start."""
    settings = settings or Settings.from_env()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    name = settings.executor_name
    with open_office(settings) as office, _only_one(settings), _alive(office, name), _launched(office, name):
        _log.info("worker %s is at work", name)
        done: dict[str, float] = {}
        while not stop.is_set():
            _turn(office, name)
            for what, (round_, every) in _ROUNDS.items():
                if what not in done or monotonic() - done[what] > every:
                    _go(office, what, round_)
                    done[what] = monotonic()
            stop.wait(settings.sweep_seconds)


def _turn(office: Office, name: str) -> None:
    try:
        workers.sweep(office)
        relieve(office, name)
        workers.sequence(office)
        workers.publish(office)
        workers.reissue(office)
        workers.draw(office)
        workers.draw_notices(office)
    except Exception:  # noqa: BLE001 -- logged with its trace
        # A database that is away for a moment is no reason to leave; the next turn tries again.
        _log.exception("this turn of the worker failed")


def _go(office: Office, what: str, round_: Callable[[Office], int]) -> None:
    try:
        round_(office)
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("this round of the worker failed: %s", what)


def relieve(office: Office, name: str) -> list[str]:
    """Note that this worker is alive, and take over the errands of those that fell silent."""
    taken: list[str] = []
    for dead in _silent(office, name):
        pending = [status.workflow_id for status in DBOS.list_workflows(status="PENDING", executor_id=dead)]
        if pending:
            DBOS.resume_workflows(pending, queue_name=jobs.QUEUE)
            _log.warning("took over %d errands of %s", len(pending), dead)
        with office.work() as work:
            work.session.execute(delete(Heartbeat).where(Heartbeat.executor == dead))
        taken += pending
    return taken


def _silent(office: Office, name: str) -> list[str]:
    """Beat, and claim those that are silent: whoever wins one may take it over for as long as a silence lasts."""
    with office.work() as work:
        now = _beat(work, name)
        beats = work.session.scalars(select(Heartbeat).where(Heartbeat.executor != name)).all()
        silent = [one for one in beats if (now - one.beat_at).total_seconds() > office.settings.silent_seconds]
        claimed = []
        for one in silent:
            unclaimed = update(Heartbeat).where(Heartbeat.executor == one.executor, Heartbeat.beat_at == one.beat_at)
            updated = work.session.execute(unclaimed.values(beat_at=now))
            assert isinstance(updated, CursorResult)
            if updated.rowcount:
                claimed.append(one.executor)
    return claimed


def _beat(work: Work, name: str) -> datetime:
    now = work.now
    if work.session.get_bind().dialect.name == "postgresql":
        # Machines' clocks differ; the database has one.
        now = work.session.execute(select(func.clock_timestamp())).scalar_one()
    work.session.merge(Heartbeat(executor=name, beat_at=now))
    return now


@contextmanager
def _alive(office: Office, name: str) -> Iterator[None]:
    # Before anything is taken up: who dies without ever having beaten would be missed by nobody.
    with office.work() as work:
        _beat(work, name)
    yield


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold the lock of this worker's name: two of one name would take up each other's errands."""
    with (settings.instance / f"worker-{settings.executor_name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def _launched(office: Office, name: str) -> Iterator[None]:
    # DBOS calls SQLite a development database; here it is the engine of an office on one machine.
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS(
        config={
            "name": jobs.APPLICATION,
            "system_database_url": office.settings.sqlalchemy_url,
            "application_version": _VERSION,
            "executor_id": name,
            "serializer": DBOSPortableJSONSerializer(),
            "run_migrations": False,
            "log_level": "WARNING",
        }
    )

    @DBOS.step(retries_allowed=True, max_attempts=_ATTEMPTS, interval_seconds=2.0, backoff_rate=2.0)
    def attempt(errand: str) -> bool:
        return workers.carry(office, UUID(errand))

    @DBOS.workflow(name=jobs.RUN_ERRAND)
    def run_errand(errand: str) -> bool:
        return attempt(errand)

    DBOS.launch()
    DBOS.register_queue(jobs.QUEUE, polling_interval_sec=0.5, worker_concurrency=4)
    try:
        yield
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=_GRACE_SECONDS)
