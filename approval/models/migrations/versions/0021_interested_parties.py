"""Interested parties: who they are, what they said, and the letters that go to them and not to the applicant."""

import sqlalchemy as sa
from alembic import op

from approval.models.migrations.remaking import remake

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "interested_parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id_number", sa.String(80), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("interest", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("asks_hearing", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by = '')", name=op.f("ck_interested_parties_answered_by_somebody")
        ),
        sa.CheckConstraint(
            "answered_at IS NOT NULL OR (statement = '' AND NOT asks_hearing)",
            name=op.f("ck_interested_parties_said_when_answered"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_interested_parties_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interested_parties")),
        sa.UniqueConstraint("case_id", "ordinal", name=op.f("uq_interested_parties_case_id_ordinal")),
    )
    op.create_index(op.f("ix_interested_parties_holder_id"), "interested_parties", ["holder_id"])
    party = "FOREIGN KEY(party_id) REFERENCES interested_parties (id)"
    of_sqlite = op.get_bind().dialect.name == "sqlite"
    remake(
        "formal_notices",
        {},
        {"fk_formal_notices_party_id": party},
        adds=[f"party_id {'CHAR(32)' if of_sqlite else 'UUID'}"],
        loosens=["person_id"],
    )
    op.create_index(op.f("ix_formal_notices_party_id"), "formal_notices", ["party_id"])
