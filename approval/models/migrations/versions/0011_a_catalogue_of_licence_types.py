"""A catalogue of licence types; licences reissued in bulk, drawn without a procedure, and copied for a purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Take the step; types come into the catalogue with the next pack that is published."""
    op.create_table(
        "licence_types",
        sa.Column("code", sa.String(21), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("origin", sa.String(80), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", "ordinal", name=op.f("pk_licence_types")),
    )
    op.create_table(
        "drawings",
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("licence_id", name=op.f("pk_drawings")),
    )
    op.create_index(op.f("ix_drawings_try_at"), "drawings", ["try_at"])
    op.create_table(
        "reissues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.String(21), nullable=False),
        sa.Column("department_code", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("halted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "done >= 0 AND failed >= 0 AND done + failed <= total", name=op.f("ck_reissues_counts_what_there_is")
        ),
        sa.CheckConstraint("reason <> '' AND basis <> ''", name=op.f("ck_reissues_says_why")),
        sa.ForeignKeyConstraint(["begun_by"], ["people.id"], name=op.f("fk_reissues_begun_by")),
        sa.ForeignKeyConstraint(["department_code"], ["departments.code"], name=op.f("fk_reissues_department_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reissues")),
    )
    op.create_index(
        "ix_reissues_one_at_a_time",
        "reissues",
        ["type_code", "department_code"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "licence_copies",
        sa.Column("token", sa.String(20), nullable=False),
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_why", sa.Text(), nullable=False),
        sa.CheckConstraint("purpose <> '' AND recipient <> ''", name=op.f("copy_says_what_for")),
        sa.CheckConstraint("(cancelled_at IS NULL) = (cancelled_why = '')", name=op.f("copy_cancelled_for_a_reason")),
        sa.ForeignKeyConstraint(["licence_id"], ["licences.id"], name=op.f("fk_licence_copies_licence_id")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_licence_copies")),
        sa.UniqueConstraint("sha256", name=op.f("uq_licence_copies_sha256")),
    )
    op.create_index(op.f("ix_licence_copies_licence_id"), "licence_copies", ["licence_id"])
