"""A case counts its own lines: journal, answers and the day that counts are known without reading them all."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    op.add_column("cases", sa.Column("lines", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("replies", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("due_on", sa.Date(), nullable=True))
    op.execute(
        "UPDATE cases SET lines = (SELECT count(*) FROM journal WHERE journal.case_id = cases.id), "
        "replies = (SELECT count(*) FROM answers WHERE answers.case_id = cases.id), "
        "due_on = (SELECT min(tasks.due_on) FROM tasks WHERE tasks.case_id = cases.id AND tasks.progress = 'open')"
    )
