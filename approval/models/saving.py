"""Saving (落库): the writing of a transition, without the session's unit of work and in as few statements as will do.

The unit of work reckons which row depends on which; here none does, and it costs more than the writing itself. On
PostgreSQL, where each statement is a journey to the server and back, new rows wait until anything else goes there,
and travel with it: `gather` sets an engine up for that.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias, cast

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, InstanceState, Mapper, Session
from sqlalchemy.orm.exc import StaleDataError

_State: TypeAlias = InstanceState[Any]
_UPSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# What waits is kept with the connection, so that whatever uses that next finds it, in the order it was said.
_WAITING = "rows that wait"
# More rows than these are many of a kind, which drivers have a way of their own for.
_TOGETHER = 12
# Statements that are kept for the next time.
_SHAPES = 500
# Names that no attribute has.
_KEY, _BEFORE = "_key", "_version_before"


class _Act(StrEnum):
    INSERT = "insert"
    REPLACE = "replace"
    UPDATE = "update"


class _Write(NamedTuple):
    """One row to be written: what is done with it, and the values by attribute, with the key of a row to be changed."""

    act: _Act
    mapper: Mapper[Any]
    values: dict[str, Any]

    @property
    def shape(self) -> tuple[_Act, Mapper[Any], tuple[str, ...]]:
        """Name what a statement for it depends on."""
        return self.act, self.mapper, tuple(self.values)


def add(session: Session, kind: type[DeclarativeBase], values: dict[str, Any]) -> None:
    """Write a new row (新增落库) that the session is not to know, as nobody changes it before the Work ends."""
    _put(session, _Write(_Act.INSERT, inspect(kind), values))


def replace(session: Session, kind: type[DeclarativeBase], values: dict[str, Any]) -> None:
    """Write a row in place of the one with the same key (覆盖落库), if there is one, past the session."""
    _put(session, _Write(_Act.REPLACE, inspect(kind), values))


def save(session: Session) -> None:
    """Write every changed row (变更落库) and let go of all rows; what the session must reckon with is left to it.

    That is anything new or deleted, and changed keys and relationships. To be called last in a transaction. Raises
    StaleDataError when somebody else changed or removed a row in between, as the session does.
    """
    if session.new or session.deleted:
        return
    changes = [(state, _changed(state)) for state in map(_state, session.dirty)]
    if any(changed is None for _, changed in changes):
        return
    # In one order, so that of two who change the same rows one waits.
    updates = [_update(state, changed) for state, changed in sorted(changes, key=_place) if changed]
    if updates:
        connection = session.connection()
        _write(connection, [*connection.info.pop(_WAITING, ()), *updates])
    session.expunge_all()


def gather(engine: Engine) -> None:
    """Let new rows wait for the next statement (合并落库) on the connections of an engine."""

    @event.listens_for(engine, "before_cursor_execute")
    @event.listens_for(engine, "commit")
    def _go(connection: Connection, *_: Any) -> None:
        if waiting := connection.info.pop(_WAITING, None):
            _write(connection, waiting)

    @event.listens_for(engine, "rollback")
    @event.listens_for(engine, "rollback_savepoint")
    def _forget(connection: Connection, *_: Any) -> None:
        connection.info.pop(_WAITING, None)


def _put(session: Session, write: _Write) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.info.setdefault(_WAITING, []).append(write)
    else:
        _write(connection, [write])


def _write(connection: Connection, writes: list[_Write]) -> None:
    """Write rows in the order given: a few together where the database can, else each kind by itself."""
    if connection.dialect.name == "postgresql" and 1 < len(writes) <= _TOGETHER:
        given = {f"{name}_{place}": value for place, write in enumerate(writes) for name, value in write.values.items()}
        counts = connection.execute(_together(*(write.shape for write in writes)), given).one()
        _require_all(writes, counts)
        return
    for _, alike in groupby(writes, key=lambda write: (write.shape, write.act is _Act.UPDATE and id(write))):
        rows = list(alike)
        statement = _statement(connection.dialect.name, 0, *rows[0].shape)
        given_rows = [{f"{name}_0": value for name, value in write.values.items()} for write in rows]
        # For a single row drivers have a shorter way than for many.
        written = connection.execute(statement, given_rows if len(rows) > 1 else given_rows[0])
        if rows[0].act is _Act.UPDATE:
            _require_all(rows, [written.rowcount])


def _require_all(writes: Iterable[_Write], counts: Iterable[int]) -> None:
    updates = [write for write in writes if write.act is _Act.UPDATE]
    for write, count in zip(updates, counts, strict=False):  # without any update the one count is of nothing
        if count != 1:
            raise StaleDataError(f"a row of {_table(write.mapper).name} was changed in between")


def _state(row: Any) -> _State:
    return cast("_State", inspect(row))


def _table(mapper: Mapper[Any]) -> Table:
    return cast("Table", mapper.local_table)


def _place(change: tuple[_State, Any]) -> tuple[str, list[str]]:
    state, _ = change
    return _table(state.mapper).name, [str(part) for part in _key(state)]


def _key(state: _State) -> tuple[Any, ...]:
    assert state.key is not None
    return state.key[1]


def _changed(state: _State) -> dict[str, Any] | None:
    """Return the columns that are not what they were, by attribute; None when this is not about columns alone."""
    columns, now = state.mapper.columns, state.dict
    if any(name not in columns or columns[name].primary_key for name in state.committed_state):
        return None
    return {name: now[name] for name, was in state.committed_state.items() if name in now and now[name] != was}


def _update(state: _State, changed: dict[str, Any]) -> _Write:
    mapper = state.mapper
    values = dict(sorted(changed.items())) | {f"{_KEY}{place}": part for place, part in enumerate(_key(state))}
    if mapper.version_id_col is not None:
        version = _version(mapper)
        values |= {version: state.dict[version] + 1, _BEFORE: state.dict[version]}
    return _Write(_Act.UPDATE, mapper, values)


def _version(mapper: Mapper[Any]) -> str:
    return mapper.get_property_by_column(cast("Any", mapper.version_id_col)).key


@lru_cache(_SHAPES)
def _together(*shapes: tuple[_Act, Mapper[Any], tuple[str, ...]]) -> Select[Any]:
    """Build one statement for several rows, which answers for each UPDATE how many rows it found."""
    writes: list[Any] = []
    counts: list[Any] = []
    for place, shape in enumerate(shapes):
        statement = _statement("postgresql", place, *shape)
        if shape[0] is _Act.UPDATE:
            changed = statement.returning(literal(1)).cte(f"changed_{place}")
            counts.append(select(func.count()).select_from(changed).scalar_subquery())
        else:
            writes.append(statement.cte(f"written_{place}"))
    return select(*(counts or [literal(1)])).add_cte(*writes)


@lru_cache(_SHAPES)
def _statement(dialect: str, place: int, act: _Act, mapper: Mapper[Any], names: tuple[str, ...]) -> Any:
    """Build the statement for a row, the names of its parameters ending in its place among others."""
    columns = {name: mapper.columns[name] for name in names if name in mapper.columns}
    values = {column: bindparam(f"{name}_{place}", type_=column.type) for name, column in columns.items()}
    if act is _Act.INSERT:
        return insert(_table(mapper)).values(values)
    if act is _Act.REPLACE:
        statement = _UPSERTS[dialect](_table(mapper)).values(values)
        newer = {column.name: statement.excluded[column.name] for column in values if not column.primary_key}
        return statement.on_conflict_do_update(index_elements=mapper.primary_key, set_=newer)
    statement = update(_table(mapper)).values(values)
    for number, column in enumerate(mapper.primary_key):
        statement = statement.where(column == bindparam(f"{_KEY}{number}_{place}", type_=column.type))
    if (version := mapper.version_id_col) is not None:
        statement = statement.where(version == bindparam(f"{_BEFORE}_{place}", type_=version.type))
    return statement
