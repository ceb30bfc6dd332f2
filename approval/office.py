"""The office (办公室): what lasts, and one Work = one transaction.

`with office.work(by=actor) as work:` is all of it or none of it. Nobody else commits, nobody else reads
the wall clock.
"""

import logging
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from approval.adapters import connectors
from approval.adapters.mails import Mail
from approval.adapters.spools import Spool
from approval.adapters.storage import DatabaseStorage
from approval.adapters.timestamps import HttpTimestamper
from approval.domain.actors import SYSTEM, Actor
from approval.domain.countdown import legal_day
from approval.domain.errors import Overtaken
from approval.domain.notices import Way
from approval.domain.ports import Carriage, Connector, Storage
from approval.jobs import Carrier, Courier
from approval.models import saving
from approval.models.clocks import ClockShift
from approval.settings import Settings
from certificates import (
    Authority,
    LogKey,
    LogSigner,
    Timestamper,
    Trust,
    make_log_key,
    open_authority,
    open_log_key,
    open_log_signer,
)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
# PostgreSQL undid this transaction in favour of another: deadlock, serialization failure.
_OVERTAKEN = frozenset({"40P01", "40001"})
_READING = re.compile(r"\s*(SELECT|WITH)\b")
_WRITING = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|FOR (NO KEY UPDATE|(KEY )?SHARE))\b|_lock\(|nextval\(")
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON")


def wall_clock() -> datetime:
    """Read the clock on the wall, the only place where anybody does (当前时刻), in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Work:
    """One transaction (一次办理): its session, its one instant, who acts, and the office it happens in.

    `if_undone` is what is written down, in a Work of its own, when this one leaves no trace.
    """

    session: Session
    now: datetime
    actor: Actor
    office: "Office"
    if_undone: list[Callable[["Work"], None]] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The day it is in the legal zone (法定日期)."""
        return legal_day(self.now, self.office.settings.tz)

    @property
    def storage(self) -> Storage:
        """Where material bytes are kept."""
        return DatabaseStorage(self.session, self.now)

    def acting_as(self, actor: Actor) -> "Work":
        """Let somebody else act in the same transaction, such as the system after a clerk."""
        return replace(self, actor=actor)


class Office:
    """What lasts between transactions: settings, database, seal authority, carrier of errands, clock."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        make_session: Callable[[], Session] | None = None,
        carrier: Carrier | None = None,
        authority: Authority | None = None,
        outside: Mapping[str, Connector] | None = None,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.carrier = carrier or Courier(settings.sqlalchemy_url)
        self.clock = clock
        self._make_session = make_session or (lambda: Session(engine))
        self._authority = authority
        self._outside = outside

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the office for this process (关闭办公室): its connections are let go, nothing is lost."""
        self.carrier.close()
        self.engine.dispose()

    @cached_property
    def authority(self) -> Authority:
        """The authority whose seals this office uses and trusts."""
        return self._authority or open_authority(self.settings.authority_folder)

    @cached_property
    def trust(self) -> Trust:
        """What verifiers pin, without opening any key."""
        return self._authority.trust if self._authority else Trust.load(self.settings.authority_folder)

    @cached_property
    def log_signer(self) -> LogSigner:
        """Who signs the heads of the public log."""
        return open_log_signer(self._log_folder)

    @cached_property
    def log_key(self) -> LogKey:
        """What verifiers of the public log pin, without opening the key that signs."""
        return open_log_key(self._log_folder)

    @property
    def _log_folder(self) -> Path:
        if not self.settings.log:  # the key of this machine is made when it is first asked for
            make_log_key(self.settings.log_folder, f"{urlsplit(self.settings.origin).netloc}/log")
        return self.settings.log_folder

    @cached_property
    def outside(self) -> Mapping[str, Connector]:
        """The systems outside that procedures may call, by name."""
        return connectors.read(self.settings.connectors) if self._outside is None else self._outside

    @cached_property
    def timestamper(self) -> Timestamper | None:
        """Who puts the time under sealed PDFs; None where no address is set."""
        return HttpTimestamper(self.settings.timestamps) if self.settings.timestamps else None

    @cached_property
    def carriages(self) -> Mapping[Way, Carriage]:
        """Who carries letters outside, by way; a way that is not set up is not there."""
        known: dict[Way, Carriage] = {}
        if self.settings.smtp:
            known[Way.EMAIL] = Mail(self.settings.smtp, self.settings.mail_from)
        if self.settings.spool:
            known[Way.SMS] = known[Way.POST] = Spool(Path(self.settings.spool))
        return known

    @contextmanager
    def work(self, *, by: Actor = SYSTEM, read_only: bool = False, steady: bool = False) -> Iterator[Work]:
        """Open one Work (一次办理): commit at the end, or leave no trace when anything is raised.

        `steady` shows everything as it is at one moment, however many statements it takes to read.

        Raises `Overtaken` when somebody else changed the same case in between.
        """
        notes: list[Callable[[Work], None]] = []
        try:
            with self._transaction(by, notes, read_only=read_only, steady=steady) as work:
                yield work
        except BaseException:
            self._write_down(notes)
            raise

    def do(self, act: Callable[[Work], _T], *, by: Actor = SYSTEM) -> _T:
        """Do something in a Work of its own (单独办理); what a conflict undid is done once more, on what is there now.

        Raises what `act` raises, and `Overtaken` when the second time was in vain too.
        """
        done: list[_T] = []
        try:
            with self.work(by=by) as work:
                done.append(act(work))
        except Overtaken as lost:
            if not conflicted(lost):
                raise
            with self.work(by=by) as work:
                done = [act(work)]
        return done[0]

    def _write_down(self, notes: list[Callable[[Work], None]]) -> None:
        for note in notes:
            try:
                with self._transaction(SYSTEM, []) as work:
                    note(work)
            except Exception:  # noqa: BLE001 -- logged with its trace; what undid the Work is what the caller must hear
                _log.exception("what should be known of an undone Work could not be written down")

    @contextmanager
    def _transaction(
        self, by: Actor, notes: list[Callable[[Work], None]], *, read_only: bool = False, steady: bool = False
    ) -> Iterator[Work]:
        session = self._make_session()
        try:
            options: dict[str, Any] = {"read_only": read_only}
            if self.engine.dialect.name == "postgresql":  # on SQLite every Work is steady
                if steady:
                    options["isolation_level"] = "REPEATABLE READ"
                elif read_only:  # two journeys to the server less, and every statement sees the newest all the same
                    options["isolation_level"] = "AUTOCOMMIT"
            session.connection(execution_options=options)
            yield Work(session, self.clock() + self._ahead(session), by, self, notes)
            saving.save(session)
            session.commit()
        except StaleDataError as reason:
            session.rollback()
            raise Overtaken from reason
        except OperationalError as reason:
            session.rollback()
            if getattr(reason.orig, "sqlstate", None) in _OVERTAKEN:
                raise Overtaken from reason
            raise
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def _ahead(self, session: Session) -> timedelta:
        """Read how far a demonstration has moved its clock (时钟偏移); nobody else is asked."""
        seconds = session.scalar(select(ClockShift.seconds)) if self.settings.clock_moves else 0
        return timedelta(seconds=seconds or 0)


def conflicted(lost: Overtaken) -> bool:
    """Tell whether the database itself undid a Work (并发冲突), so that doing it again may well succeed."""
    return isinstance(lost.__cause__, StaleDataError | OperationalError)


def open_office(settings: Settings | None = None, **parts: Any) -> Office:
    """Open the office without Flask (开设办公室), for scripts, workers and tests; `parts` as `Office` takes them."""
    settings = settings or Settings.from_env()
    settings.instance.mkdir(parents=True, exist_ok=True)
    return Office(settings, tune(create_engine(settings.sqlalchemy_url)), **parts)


def tune(engine: Engine) -> Engine:
    """Set the database up (数据库设定) so that two at once never lose an update, and what only reads never writes.

    PostgreSQL: rows are gathered; a Work that only reads has no transaction, and is refused what is not to read.
    SQLite: WAL, full synchronisation, and a write lock from the first statement of every writing Work. One that only
    reads and has changed a row all the same is not committed: `PRAGMA query_only` would have every statement
    prepared anew.
    """
    if engine.dialect.name != "sqlite":
        saving.gather(engine)
        event.listen(engine, "before_cursor_execute", _require_reading)
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = bool(connection.get_execution_options().get("read_only"))
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
        connection.info["changes"] = _changes(connection) if read_only else None

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        if connection.info["changes"] not in {None, _changes(connection)}:
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("this Work was to read only"))

    def _changes(connection: Connection) -> int:
        return cast("sqlite3.Connection", connection.connection.driver_connection).total_changes

    return engine


def _require_reading(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if connection.get_execution_options().get("read_only") and not _reads(statement):
        raise InternalError(statement, None, PermissionError("this Work is to read only"))


@lru_cache(maxsize=1_000)
def _reads(statement: str) -> bool:
    # Values are never part of a statement, so what it says is what it does.
    return _READING.match(statement) is not None and _WRITING.search(statement) is None
