"""Licences are offered to wallets: one-time codes, their tokens, the numbers that were signed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "wallet_offers",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("pin", sa.String(64), nullable=False),
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.String(80), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(64), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_wallet_offers_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_wallet_offers")),
        sa.UniqueConstraint("token", name=op.f("uq_wallet_offers_token")),
    )
    op.create_index(op.f("ix_wallet_offers_licence_id"), "wallet_offers", ["licence_id"])
    op.create_index(op.f("ix_wallet_offers_expires_at"), "wallet_offers", ["expires_at"])
    op.create_table(
        "spent_nonces",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_nonces")),
    )
    op.create_index(op.f("ix_spent_nonces_expires_at"), "spent_nonces", ["expires_at"])
