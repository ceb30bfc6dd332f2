"""Saving (落库): what a transition changed in rows that were there before, without the session's unit of work.

The unit of work reckons which row depends on which; here none does, and it costs more than the two UPDATEs that a
completed task is.
"""

from functools import cache
from typing import Any, TypeAlias, cast

from sqlalchemy import Table, Update, bindparam, inspect, update
from sqlalchemy.orm import InstanceState, Mapper, Session
from sqlalchemy.orm.exc import StaleDataError

_State: TypeAlias = InstanceState[Any]
# Names of parameters that no attribute has.
_KEY, _BEFORE = "key ", "version before"


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
    for state, changed in sorted(changes, key=_place):
        if changed:
            _write(session, state, changed)
    session.expunge_all()


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


def _write(session: Session, state: _State, changed: dict[str, Any]) -> None:
    mapper = state.mapper
    given = changed | {f"{_KEY}{place}": part for place, part in enumerate(_key(state))}
    if mapper.version_id_col is not None:
        version = mapper.get_property_by_column(mapper.version_id_col).key
        given |= {version: state.dict[version] + 1, _BEFORE: state.dict[version]}
    written = session.connection().execute(_statement(mapper, tuple(sorted(changed))), given)
    if written.rowcount != 1:
        raise StaleDataError(f"a row of {_table(mapper).name} was changed in between")


@cache
def _statement(mapper: Mapper[Any], changed: tuple[str, ...]) -> Update:
    statement = update(_table(mapper)).values({mapper.columns[name]: bindparam(name) for name in changed})
    for place, column in enumerate(mapper.primary_key):
        statement = statement.where(column == bindparam(f"{_KEY}{place}"))
    if (version := mapper.version_id_col) is not None:
        now: Any = bindparam(mapper.get_property_by_column(version).key)
        statement = statement.where(version == bindparam(_BEFORE)).values({version: now})
    return statement
