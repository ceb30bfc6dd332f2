"""A library of laws: acts, their editions and articles; `approval migrate` brings what is shipped after this step."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "law_acts",
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("short", sa.String(80), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_law_acts")),
        sa.UniqueConstraint("short", name=op.f("uq_law_acts_short")),
    )
    op.create_table(
        "law_versions",
        sa.Column("act_code", sa.String(80), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(80), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_law_versions_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["act_code"], ["law_acts.code"], name=op.f("fk_law_versions_act_code")),
        sa.PrimaryKeyConstraint("act_code", "ordinal", name=op.f("pk_law_versions")),
    )
    op.create_table(
        "law_articles",
        sa.Column("act_code", sa.String(80), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("paraphrase", sa.Boolean(), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_law_articles_says_something")),
        sa.ForeignKeyConstraint(
            ["act_code", "ordinal"],
            ["law_versions.act_code", "law_versions.ordinal"],
            name=op.f("fk_law_articles_act_code"),
        ),
        sa.PrimaryKeyConstraint("act_code", "ordinal", "number", name=op.f("pk_law_articles")),
    )
