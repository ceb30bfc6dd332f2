"""Licences are shared: with which fields, who looked, and by what right."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step; what was issued before shares what is public anyway."""
    op.add_column("licences", sa.Column("shared_fields", sa.JSON, server_default="[]", nullable=False))
    op.create_table(
        "licence_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder_code", sa.Text(), nullable=False),
        sa.Column("department_code", sa.String(80), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.String(80), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ground IN ('case', 'code')", name=op.f("ck_licence_accesses_ground_known")),
        sa.CheckConstraint("purpose <> '' AND basis <> ''", name=op.f("ck_licence_accesses_says_why")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_licence_accesses_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_accesses")),
    )
    op.create_index(op.f("ix_licence_accesses_case_id"), "licence_accesses", ["case_id"])
    op.create_index(op.f("ix_licence_accesses_holder_code"), "licence_accesses", ["holder_code"])
    op.create_table(
        "sharing_codes",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sharing_codes")),
    )
