"""What applicants promise instead of proving it, or hand in later; and what is announced to everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "deferrals",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.String(80), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supplied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_deferrals_case_id")),
        sa.PrimaryKeyConstraint("case_id", "requirement", name=op.f("pk_deferrals")),
    )
    op.create_table(
        "commitments",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_id", sa.Uuid(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kept IS NULL) = (settled_at IS NULL)", name=op.f("ck_commitments_settled_once_checked")),
        sa.CheckConstraint("repaired_at IS NULL OR kept = false", name=op.f("ck_commitments_repaired_if_broken")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_commitments_case_id")),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_commitments_made_by")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_commitments")),
    )
    op.create_index(op.f("ix_commitments_applicant_id"), "commitments", ["applicant_id"])
    op.create_table(
        "announcements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_announcements_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_announcements_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_case_id"), "announcements", ["case_id"])
    op.create_index(op.f("ix_announcements_until_on"), "announcements", ["until_on"])
    op.add_column("drafts", sa.Column("promises", sa.JSON(), nullable=False, server_default="{}"))
