"""A material may be a licence from the store, its use on record; systems of departments may ask."""

import sqlalchemy as sa
from alembic import op

from approval.models.migrations.remaking import remake

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "clients",
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("department_code", sa.String(80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["department_code"], ["departments.code"], name=op.f("fk_clients_department_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_clients")),
    )
    op.add_column("materials", sa.Column("licence", sa.String(64), nullable=True))
    remake(
        "licence_accesses",
        {"ck_licence_accesses_ground_known": "check"},
        {"ck_licence_accesses_ground_known": "CHECK (ground IN ('case', 'filing', 'code'))"},
        adds=("via VARCHAR(80)",),
    )
