"""What Alembic runs: our own connection, never one of its making."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from approval.models.migrations import METADATA, is_ours


def _frozen(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write plain types into the diary: what our own types become must not change what was."""
    if kind == "type" and isinstance(item, sa.TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_name=is_ours,
    render_item=_frozen,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
