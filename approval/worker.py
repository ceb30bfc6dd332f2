"""The worker (后台进程): runs carried errands and sweeps timers, one process a machine.

The errand row is the truth, DBOS its carrier. A worker that dies is started again under the same name and
takes its own errands up where they were; one that stays silent is relieved of them by the others.
"""

import fcntl
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from uuid import UUID

from dbos import DBOS, DBOSPortableJSONSerializer, error
from sqlalchemy import delete, select

from approval import jobs
from approval.models.tasks import Heartbeat
from approval.office import Office, open_office
from approval.services import workers
from approval.settings import Settings

_log = logging.getLogger(__name__)
# A changed workflow body must not be replayed against steps recorded by the old one.
_VERSION = "1"
_ATTEMPTS = 5
# Looking for what nobody needs any more reads much and is never urgent.
_TIDY_EVERY = 3600.0
# Whoever stops a worker waits longer than this before pulling the plug.
_GRACE_SECONDS = 8


def main(settings: Settings | None = None) -> None:
    """Work until told to stop (后台运行); a second worker on this machine refuses to start."""
    settings = settings or Settings.from_env()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    name = socket.gethostname()
    with open_office(settings) as office, _only_one(settings), _launched(office, name):
        _log.info("worker %s is at work", name)
        tidied = None
        while not stop.is_set():
            _turn(office, name)
            if tidied is None or monotonic() - tidied > _TIDY_EVERY:
                _tidy(office)
                tidied = monotonic()
            stop.wait(settings.sweep_seconds)


def _turn(office: Office, name: str) -> None:
    try:
        workers.sweep(office)
        relieve(office, name)
    except Exception:  # noqa: BLE001 -- logged with its trace
        # A database that is away for a moment is no reason to leave; the next turn tries again.
        _log.exception("this turn of the worker failed")


def _tidy(office: Office) -> None:
    try:
        workers.tidy(office)
    except Exception:  # noqa: BLE001 -- logged with its trace
        _log.exception("tidying failed")


def relieve(office: Office, name: str) -> list[str]:
    """Note that this worker is alive, and take over the errands of those that fell silent."""
    with office.work() as work:
        work.session.merge(Heartbeat(executor=name, beat_at=work.now))
        silent_for = office.settings.silent_seconds
        silent = [
            beat.executor
            for beat in work.session.scalars(select(Heartbeat).where(Heartbeat.executor != name))
            if (work.now - beat.beat_at).total_seconds() > silent_for
        ]
    taken: list[str] = []
    for dead in silent:
        pending = [status.workflow_id for status in DBOS.list_workflows(status="PENDING", executor_id=dead)]
        if pending:
            DBOS.resume_workflows(pending, queue_name=jobs.QUEUE)
            _log.warning("took over %d errands of %s", len(pending), dead)
        with office.work() as work:
            work.session.execute(delete(Heartbeat).where(Heartbeat.executor == dead))
        taken += pending
    return taken


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold this machine's lock: two workers of one name would take up each other's errands."""
    with (settings.instance / "worker.lock").open("w") as lock:
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
        return workers.run_errand(office, UUID(errand))

    @DBOS.workflow(name=jobs.RUN_ERRAND)
    def run_errand(errand: str) -> bool:
        try:
            return attempt(errand)
        except Exception as reason:
            if type(reason) is error.DBOSException:
                # DBOS has gone from under it: the errand stays pending, and the next start takes it up.
                raise
            _log.exception("errand %s failed for good", errand)
            workers.report_incident(office, UUID(errand), type(reason).__name__)
            return False

    DBOS.launch()
    DBOS.register_queue(jobs.QUEUE, polling_interval_sec=0.5, worker_concurrency=4)
    try:
        yield
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=_GRACE_SECONDS)
