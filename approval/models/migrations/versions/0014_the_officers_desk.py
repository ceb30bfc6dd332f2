"""The officers' desk: countersigning, memos, standing in, saved filters."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "countersigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked", sa.Uuid(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(agrees IS NULL) = (answered_at IS NULL)", name=op.f("ck_countersigns_answered_with_yes_or_no")
        ),
        sa.CheckConstraint(
            "agrees IS NULL OR withdrawn_at IS NULL", name=op.f("ck_countersigns_answered_or_withdrawn")
        ),
        sa.CheckConstraint("agrees IS NULL OR agrees OR opinion <> ''", name=op.f("ck_countersigns_no_has_a_reason")),
        sa.ForeignKeyConstraint(["asked"], ["people.id"], name=op.f("fk_countersigns_asked")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_countersigns_asked_by")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_countersigns_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_countersigns")),
    )
    op.create_index(op.f("ix_countersigns_task_id"), "countersigns", ["task_id"])
    op.create_index("ix_countersigns_asked", "countersigns", ["asked", "answered_at"])
    op.create_table(
        "memos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("told", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('note', 'copy', 'urge')", name=op.f("ck_memos_kind_known")),
        sa.CheckConstraint("(kind = 'note') = (told IS NULL)", name=op.f("ck_memos_told_unless_a_note")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_memos_case_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_memos_task_id")),
        sa.ForeignKeyConstraint(["told"], ["people.id"], name=op.f("fk_memos_told")),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"], name=op.f("fk_memos_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memos")),
    )
    op.create_index(op.f("ix_memos_case_id"), "memos", ["case_id"])
    op.create_index("ix_memos_told", "memos", ["told", "read_at"])
    op.create_table(
        "covers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("absent", sa.Uuid(), nullable=False),
        sa.Column("stands_in", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("since <= until", name=op.f("ck_covers_ends_after_it_begins")),
        sa.CheckConstraint("absent <> stands_in", name=op.f("ck_covers_somebody_else")),
        sa.ForeignKeyConstraint(["absent"], ["people.id"], name=op.f("fk_covers_absent")),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_covers_made_by")),
        sa.ForeignKeyConstraint(["stands_in"], ["people.id"], name=op.f("fk_covers_stands_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_covers")),
    )
    op.create_index(op.f("ix_covers_absent"), "covers", ["absent"])
    op.create_index("ix_covers_stands_in", "covers", ["stands_in", "until"])
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_saved_filters_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_saved_filters_person_id_name")),
    )
