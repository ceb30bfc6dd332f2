"""Licences are verified without a network: signed status lists, the seals of codes, and what befell found fast."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TELLING = sa.text("act NOT IN ('intend', 'seal')")


def upgrade() -> None:
    """Take the step."""
    op.create_index(
        "ix_licence_acts_telling", "licence_acts", ["log_index"], sqlite_where=_TELLING, postgresql_where=_TELLING
    )
    op.create_table(
        "licence_statuses",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_licence_statuses")),
    )
    op.create_table(
        "seal_certificates",
        sa.Column("kid", sa.String(12), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_seal_certificates")),
    )
