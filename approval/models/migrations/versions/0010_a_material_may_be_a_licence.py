"""A material may be a licence from the store, and its use on record."""

import sqlalchemy as sa
from alembic import op

from approval.models.migrations.remaking import remake

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("materials", sa.Column("licence", sa.String(64), nullable=True))
    remake(
        "licence_accesses",
        {"ck_licence_accesses_ground_known": "check"},
        {"ck_licence_accesses_ground_known": "CHECK (ground IN ('case', 'filing', 'code'))"},
    )
