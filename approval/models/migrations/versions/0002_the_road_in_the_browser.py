"""The road in the browser: drafts, inbox, due days of tasks, packs in the making, certificates to sign in with."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    op.create_table(
        "challenges",
        sa.Column("nonce_sha256", sa.String(length=80), nullable=False),
        sa.Column("browser_sha256", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce_sha256", name=op.f("pk_challenges")),
    )
    with op.batch_alter_table("challenges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_challenges_made_at"), ["made_at"], unique=False)

    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=80), nullable=False),
        sa.Column("identifier", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_identities_person_id")),
        sa.PrimaryKeyConstraint("issuer", "identifier", name=op.f("pk_identities")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_person_id"), ["person_id"], unique=False)

    op.create_table(
        "pack_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_digest", sa.String(length=80), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(checked_digest IS NULL) = (checked_at IS NULL)", name=op.f("ck_pack_drafts_checked_at_some_time")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name=op.f("fk_pack_drafts_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_drafts")),
    )
    op.create_table(
        "pack_draft_files",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["pack_drafts.id"], name=op.f("fk_pack_draft_files_draft_id")),
        sa.PrimaryKeyConstraint("draft_id", "path", name=op.f("pk_pack_draft_files")),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_code", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("replies", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("saved_at <= expires_at", name=op.f("ck_drafts_saved_in_time")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_drafts_case_id")),
        sa.ForeignKeyConstraint(["item_code"], ["items.code"], name=op.f("fk_drafts_item_code")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_drafts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("case_id", name=op.f("uq_drafts_case_id")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index("ix_drafts_expires_at", ["expires_at"], unique=False)
        batch_op.create_index(
            "ix_drafts_one_at_a_time",
            ["person_id", "applicant_id", "item_code"],
            unique=True,
            sqlite_where=sa.text("case_id IS NULL"),
            postgresql_where=sa.text("case_id IS NULL"),
        )

    op.create_table(
        "draft_materials",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.String(length=80), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["drafts.id"], name=op.f("fk_draft_materials_draft_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("draft_id", "requirement", name=op.f("pk_draft_materials")),
    )
    with op.batch_alter_table("draft_materials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_materials_sha256"), ["sha256"], unique=False)

    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_by", sa.Text(), nullable=True))

    with op.batch_alter_table("materials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_materials_sha256"), ["sha256"], unique=False)

    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("ix_notices_person_id"))
        batch_op.create_index("ix_notices_inbox", ["person_id", "read_at"], unique=False)

    with op.batch_alter_table("stored_contents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_on", sa.Date(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_tasks_queue"))
        batch_op.create_index(
            "ix_tasks_queue", ["department_code", "role", "progress", "due_on", "opened_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_tasks_done_token"), ["done_token"], unique=False)
