"""What may befall a licence: suspended, given back, rescinded and cancelled, beside revoked."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATES = "'intended', 'valid', 'suspended', 'revoked', 'rescinded', 'cancelled'"
_ACTS = "'intend', 'seal', 'suspend', 'resume', 'revoke', 'rescind', 'cancel'"
_MADE = sa.table("sqlite_master", sa.column("rowid"), sa.column("tbl_name"), sa.column("sql"))
# Table by table: the rules that go, and those that come.
_RULES: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "licences": (
        ("licence_state_known", "revoked_at_if_revoked"),
        {
            "licence_state_known": f"state IN ({_STATES})",
            "ended_at_if_ended": "(state IN ('revoked', 'rescinded', 'cancelled')) = (ended_at IS NOT NULL)",
        },
    ),
    "licence_acts": (
        ("licence_act_known", "revoked_has_reason"),
        {
            "licence_act_known": f"act IN ({_ACTS})",
            "act_has_reason": "act IN ('intend', 'seal') OR (reason <> '' AND basis <> '')",
        },
    ),
}


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    op.execute("ALTER TABLE licences RENAME COLUMN revoked_at TO ended_at")
    if op.get_bind().dialect.name == "sqlite":
        # The rows are away for a moment while others refer to them; at the commit all are there again.
        op.execute("PRAGMA defer_foreign_keys = ON")
        for table, (goes, comes) in _RULES.items():
            _anew(table, goes, comes)
        return
    for table, (goes, comes) in _RULES.items():
        for name in goes:
            op.drop_constraint(op.f(name), table, type_="check")
        for name, rule in comes.items():
            op.create_check_constraint(op.f(name), table, rule)


def _anew(table: str, goes: Iterable[str], comes: Mapping[str, str]) -> None:
    """Make a table of SQLite, which cannot change a rule, once more with other rules and the same rows."""
    parts = sa.select(_MADE.c.sql).where(_MADE.c.tbl_name == table, _MADE.c.sql.is_not(None)).order_by(_MADE.c.rowid)
    made, *indexes = op.get_bind().execute(parts).scalars()
    # As the diary wrote it: a line for each column and each rule.
    first, *lines, last = made.splitlines()
    kept = [line.rstrip(", ") for line in lines if not any(f"CONSTRAINT {name} " in line for name in goes)]
    rules = [f"\tCONSTRAINT {name} CHECK ({rule})" for name, rule in comes.items()]
    rows = sa.table(table, *(sa.column(line.split()[0]) for line in kept if not line.strip().startswith("CONSTRAINT")))
    away = sa.table("kept", *(sa.column(column.name) for column in rows.columns))
    op.execute(f"CREATE TEMPORARY TABLE kept ({', '.join(column.name for column in rows.columns)})")
    op.execute(away.insert().from_select([*rows.columns.keys()], sa.select(rows)))
    op.execute(f"DROP TABLE {table}")
    for statement in ("\n".join([first, ", \n".join(kept + rules), last]), *indexes):
        op.get_bind().exec_driver_sql(statement)
    op.execute(rows.insert().from_select([*rows.columns.keys()], sa.select(away)))
    op.execute("DROP TABLE kept")
