"""A licence has versions: changed, renewed and reissued under its number, and expired on record."""

from approval.models.migrations.remaking import remake

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATES = "'intended', 'valid', 'suspended', 'superseded', 'expired', 'revoked', 'rescinded', 'cancelled'"
_SUCCESSIONS = "'change', 'renew', 'reissue'"
_ACTS = f"'intend', 'seal', {_SUCCESSIONS}, 'suspend', 'resume', 'expire', 'revoke', 'rescind', 'cancel'"


def upgrade() -> None:
    """Take the step; there is no way back but a backup, because nothing here is ever deleted."""
    remake(
        "licences",
        {"licence_state_known": "check", "uq_licences_number": "unique"},
        {
            "licence_state_known": f"CHECK (state IN ({_STATES}))",
            "later_version_succeeds": "CHECK ((version = 1) = (succession IS NULL))",
            "succession_is_lawful": f"CHECK (succession IN ({_SUCCESSIONS}))",
            "succession_known": f"CHECK (succession IN ({_ACTS}))",
            "uq_licences_number": "UNIQUE (number, version)",
        },
        adds=("version INTEGER DEFAULT 1 NOT NULL", "succession VARCHAR(16)"),
    )
    remake(
        "licence_acts",
        {"licence_act_known": "check", "act_has_reason": "check"},
        {
            "licence_act_known": f"CHECK (act IN ({_ACTS}))",
            "act_has_reason": "CHECK (act IN ('intend', 'seal', 'expire') OR (reason <> '' AND basis <> ''))",
        },
    )
