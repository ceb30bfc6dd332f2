"""Writing a new licence down (证照落库): the row and what was done to it, in as few statements as a database needs."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import Executable, Select, Table, bindparam, insert, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached

from certificates.tables import Act, Licence, LicenceAct

_INSERTS: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_LICENCE, _ACTS = cast("Table", Licence.__table__), cast("Table", LicenceAct.__table__)
_TOLD = ("licence_id", "act", "at", "actor", "reason", "basis")


def write(session: Session, licence: Licence, acts: Sequence[Act], now: datetime, actor: str) -> bool:
    """Write a new licence and the first acts on it (证照及行为落库); False when its source was given one before.

    The session knows the licence afterwards as if it had read it.
    """
    values: dict[str, Any] = {column.key: getattr(licence, column.key) for column in _LICENCE.columns}
    told = [
        {"licence_id": licence.id, "act": act, "at": now, "actor": actor, "reason": "", "basis": ""} for act in acts
    ]
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        given = {f"{name}_{place}": value for place, row in enumerate(told) for name, value in row.items()}
        written = connection.execute(_together(len(acts)), values | given).first() is not None
    else:
        written = connection.execute(_alone(connection.dialect.name), values).first() is not None
        if written:
            connection.execute(insert(_ACTS), told)
    if written:
        for name, value in values.items():  # also what was left out: otherwise the first look at it would read it
            setattr(licence, name, value)
        make_transient_to_detached(licence)
        session.add(licence)
    return written


@cache
def _alone(dialect: str) -> Any:
    values = {column.key: bindparam(column.key, type_=column.type) for column in _LICENCE.columns}
    new = _INSERTS[dialect](_LICENCE).values(values)
    return new.on_conflict_do_nothing(index_elements=["source"]).returning(_LICENCE.c.id)


@cache
def _together(count: int) -> Executable:
    """One journey to the server instead of two: the acts are of the licence that was written, if it was."""
    new = _alone("postgresql").cte("new")

    def row(place: int) -> Select[Any]:
        given = [bindparam(f"{name}_{place}", type_=_ACTS.c[name].type).label(name) for name in _TOLD]
        return select(*given).select_from(new)

    rows = row(0) if count == 1 else union_all(*map(row, range(count)))
    return insert(_ACTS).from_select(_TOLD, rows).returning(_ACTS.c.id)
