"""A public log: what was done has a place in it."""

import sqlalchemy as sa
from alembic import op

from certificates import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step; what was done before is logged by the next sequencer, in the order of its time."""
    op.create_table(
        "log_entries",
        sa.Column("index", sa.Integer, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_entries")),
        sa.UniqueConstraint("kind", "reference", name=op.f("uq_log_entries_kind")),
    )
    op.create_table(
        "log_tiles",
        sa.Column("level", sa.Integer, autoincrement=False),
        sa.Column("number", sa.Integer, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_tiles")),
    )
    op.create_table(
        "log_heads",
        sa.Column("size", sa.Integer, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_heads")),
    )
    for table, columns in (("journal", ["case_id", "sequence"]), ("licence_acts", ["id"])):
        op.add_column(table, sa.Column("log_index", sa.Integer))
        unlogged = sa.text("log_index IS NULL")
        op.create_index(f"ix_{table}_unlogged", table, columns, sqlite_where=unlogged, postgresql_where=unlogged)
