"""Formal notices: numbered, drawn, sealed, and delivered by the ways that people choose."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_DUE = sa.text("try_at IS NOT NULL")
_WAYS = "'portal', 'email', 'sms', 'post', 'hand', 'announcement'"


def upgrade() -> None:
    """Take the step."""
    for column in ("notice_word", "notice_pattern"):
        op.add_column("departments", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "formal_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("department_code", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("token", sa.String(80), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(pdf IS NULL) = (drawn_at IS NULL) AND (pdf IS NULL) = (sha256 IS NULL)",
            name=op.f("ck_formal_notices_drawn_whole"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_formal_notices_case_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_formal_notices_notice_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_formal_notices_person_id")),
        sa.ForeignKeyConstraint(
            ["department_code"], ["departments.code"], name=op.f("fk_formal_notices_department_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formal_notices")),
        sa.UniqueConstraint("number", name=op.f("uq_formal_notices_number")),
        sa.UniqueConstraint("token", name=op.f("uq_formal_notices_token")),
    )
    op.create_index(op.f("ix_formal_notices_case_id"), "formal_notices", ["case_id"])
    op.create_index(op.f("ix_formal_notices_notice_id"), "formal_notices", ["notice_id"])
    op.create_index("ix_formal_notices_try_at", "formal_notices", ["try_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("formal_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(80), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("review_until", sa.Date(), nullable=True),
        sa.Column("suit_until", sa.Date(), nullable=True),
        sa.CheckConstraint(f"way IN ({_WAYS})", name=op.f("ck_deliveries_way_known")),
        sa.CheckConstraint("delivered_at IS NULL OR receiver <> ''", name=op.f("ck_deliveries_delivered_to_somebody")),
        sa.CheckConstraint("sent_at IS NULL OR claimed_at IS NOT NULL", name=op.f("ck_deliveries_claimed_before_sent")),
        sa.ForeignKeyConstraint(["formal_id"], ["formal_notices.id"], name=op.f("fk_deliveries_formal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_formal_id"), "deliveries", ["formal_id"])
    op.create_index("ix_deliveries_try_at", "deliveries", ["try_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_table(
        "delivery_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(80), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("code_sha256", sa.String(64), nullable=True),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(code_sha256 IS NULL) = (code_until IS NULL)", name=op.f("ck_delivery_addresses_code_has_an_end")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_delivery_addresses_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_addresses")),
        sa.UniqueConstraint("person_id", "way", name=op.f("uq_delivery_addresses_person_id_way")),
    )
