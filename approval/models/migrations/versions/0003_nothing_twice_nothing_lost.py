"""Nothing twice, nothing lost: incidents, snapshots, tokens, cases held still, steps that are done again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NOBODY = "00000000000000000000000000000000"
_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("element", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('errand', 'timer', 'task')", name=op.f("ck_incidents_kind_known")),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_incidents_closed_by_somebody")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_incidents_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(op.f("ix_incidents_case_id"), "incidents", ["case_id"])
    op.create_index("ix_incidents_open", "incidents", ["opened_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "ix_incidents_once", "incidents", ["subject_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )

    op.create_table(
        "snapshots",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("element", sa.String(length=80), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("item_version_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("led_to", sa.String(length=80), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('task', 'migration')", name=op.f("ck_snapshots_kind_known")),
        sa.CheckConstraint("(kind = 'task') = (task_id IS NOT NULL)", name=op.f("ck_snapshots_task_of_a_step")),
        sa.CheckConstraint(
            "(kind = 'migration') = (led_to IS NOT NULL)", name=op.f("ck_snapshots_migration_led_somewhere")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_snapshots_case_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_snapshots_task_id")),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_versions.id"], name=op.f("fk_snapshots_item_version_id")),
        sa.PrimaryKeyConstraint("case_id", "kind", "element", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "tokens",
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "token", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_spent_at"), "tokens", ["spent_at"])

    _extend_cases()
    for table in ("tasks", "errands", "timers"):
        # SQLite keeps this default, which no program relies on: the models always name the item.
        op.add_column(table, sa.Column("item", sa.Uuid(), nullable=False, server_default=_NOBODY))
        op.execute(sa.table(table, sa.column("item")).update().values(item=sa.column("id")))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column(table, "item", server_default=None)
        op.create_index(
            f"ix_{table}_open_item", table, ["item"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    op.add_column("errands", sa.Column("given", sa.JSON(), nullable=True))

    op.add_column("timers", sa.Column("try_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("timers", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE timers SET try_at = due_at")
    op.execute("ALTER TABLE timers DROP COLUMN tried_at")
    op.drop_index("ix_timers_due", table_name="timers")
    op.create_index("ix_timers_due", "timers", ["progress", "try_at"])
    _gather_incidents()


def _extend_cases() -> None:
    # SQLite adds a rule to a table only together with a column; copying a table that others refer to it does not.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE cases ADD COLUMN held_at DATETIME"
            " CONSTRAINT ck_cases_held_while_open CHECK (held_at IS NULL OR ended_at IS NULL)"
        )
        op.execute(
            "ALTER TABLE cases ADD COLUMN incidents INTEGER NOT NULL DEFAULT 0"
            " CONSTRAINT ck_cases_incidents_counted CHECK (incidents >= 0)"
        )
        return
    op.add_column("cases", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("incidents", sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(op.f("ck_cases_held_while_open"), "cases", "held_at IS NULL OR ended_at IS NULL")
    op.create_check_constraint(op.f("ck_cases_incidents_counted"), "cases", "incidents >= 0")


def _gather_incidents() -> None:
    """Give the errands that waited for a person under the old rules an incident each."""
    op.execute(
        "INSERT INTO incidents (id, case_id, kind, subject_id, element, name, reason, facts, attempts, opened_at)"
        " SELECT id, case_id, 'errand', id, element, errand, 'unknown', '{}', attempts, opened_at"
        " FROM errands WHERE progress = 'incident'"
    )
    op.execute(
        "UPDATE cases SET incidents = (SELECT count(*) FROM incidents WHERE incidents.case_id = cases.id)"
        " WHERE id IN (SELECT case_id FROM incidents)"
    )
