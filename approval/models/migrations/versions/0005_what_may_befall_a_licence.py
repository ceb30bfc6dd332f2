"""What may befall a licence: suspended, given back, rescinded and cancelled, beside revoked."""

from alembic import op

from approval.models.migrations.remaking import remake

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATES = "'intended', 'valid', 'suspended', 'revoked', 'rescinded', 'cancelled'"
_ACTS = "'intend', 'seal', 'suspend', 'resume', 'revoke', 'rescind', 'cancel'"


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    op.execute("ALTER TABLE licences RENAME COLUMN revoked_at TO ended_at")
    remake(
        "licences",
        {"licence_state_known": "check", "revoked_at_if_revoked": "check"},
        {
            "licence_state_known": f"CHECK (state IN ({_STATES}))",
            "ended_at_if_ended": "CHECK ((state IN ('revoked', 'rescinded', 'cancelled')) = (ended_at IS NOT NULL))",
        },
    )
    remake(
        "licence_acts",
        {"licence_act_known": "check", "revoked_has_reason": "check"},
        {
            "licence_act_known": f"CHECK (act IN ({_ACTS}))",
            "act_has_reason": "CHECK (act IN ('intend', 'seal') OR (reason <> '' AND basis <> ''))",
        },
    )
