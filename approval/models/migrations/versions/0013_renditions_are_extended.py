"""A sealed PDF is extended by long-term validation data; those that are there already are due at once."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_DUE = sa.text("extend_at IS NOT NULL")


def upgrade() -> None:
    """Take the step."""
    for column in (
        sa.Column("extend_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extension", sa.LargeBinary(), nullable=True),
        sa.Column("extended_sha256", sa.String(64), nullable=True),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("licence_renditions", column)
    op.execute("UPDATE licence_renditions SET extend_at = kept_at")
    op.create_index("ix_licence_renditions_extended_sha256", "licence_renditions", ["extended_sha256"], unique=True)
    op.create_index(
        "ix_licence_renditions_due", "licence_renditions", ["extend_at"], sqlite_where=_DUE, postgresql_where=_DUE
    )
