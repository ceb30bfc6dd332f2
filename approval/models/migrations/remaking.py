"""Remaking (重建表): giving a table other rules, on SQLite too, which cannot change one."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

_MADE = sa.table("sqlite_master", sa.column("rowid"), sa.column("tbl_name"), sa.column("sql"))


def remake(
    table: str,
    goes: Mapping[str, str],
    comes: Mapping[str, str],
    *,
    adds: Iterable[str] = (),
    loosens: Collection[str] = (),
) -> None:
    """Take rules (改表) from a table by name and kind, such as `check`, and give it others, by name, as SQL says them.

    `adds` are new columns, as SQL says them; each may be null or has a default. `loosens` are columns that may be null
    from now on.
    """
    if op.get_bind().dialect.name == "sqlite":
        # The rows are away for a moment while others refer to them; at the commit all are there again.
        op.execute("PRAGMA defer_foreign_keys = ON")
        _anew(table, goes, comes, adds, loosens)
        return
    for column in adds:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for column in loosens:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
    for name, kind in goes.items():
        op.drop_constraint(op.f(name), table, type_=kind)
    for name, rule in comes.items():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}")


def _anew(
    table: str, goes: Iterable[str], comes: Mapping[str, str], adds: Iterable[str], loosens: Collection[str]
) -> None:
    parts = sa.select(_MADE.c.sql).where(_MADE.c.tbl_name == table, _MADE.c.sql.is_not(None)).order_by(_MADE.c.rowid)
    made, *indexes = op.get_bind().execute(parts).scalars()
    # As the diary wrote it: a line for each column and each rule.
    first, *lines, last = made.splitlines()
    kept = [line.rstrip(", ") for line in lines if not any(f"CONSTRAINT {name} " in line for name in goes)]
    columns = [line for line in kept if not line.strip().startswith("CONSTRAINT")]
    rules = [*kept[len(columns) :], *(f"\tCONSTRAINT {name} {rule}" for name, rule in comes.items())]
    # Not from the lines: a column that came later stands in the line of another.
    listed: sa.Select[Any] = sa.select(sa.column("name")).select_from(sa.func.pragma_table_info(table))
    rows = sa.table(table, *(sa.column(str(name)) for name in op.get_bind().execute(listed).scalars()))
    away = sa.table("kept", *(sa.column(column.name) for column in rows.columns))
    op.execute(f"CREATE TEMPORARY TABLE kept ({', '.join(column.name for column in rows.columns)})")
    op.execute(away.insert().from_select([*rows.columns.keys()], sa.select(rows)))
    op.execute(f"DROP TABLE {table}")
    columns = [line.replace(" NOT NULL", "") if line.split()[0] in loosens else line for line in columns]
    lines = [*columns, *(f"\t{column}" for column in adds), *rules]
    for statement in ("\n".join([first, ", \n".join(lines), last]), *indexes):
        op.get_bind().exec_driver_sql(statement)
    op.execute(rows.insert().from_select([*rows.columns.keys()], sa.select(away)))
    op.execute("DROP TABLE kept")
