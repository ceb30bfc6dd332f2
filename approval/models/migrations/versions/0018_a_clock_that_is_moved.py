"""A clock that demonstrations and tests move on."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "clock_shifts",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_clock_shifts_only_one")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_clock_shifts_only_ahead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_shifts")),
    )
