"""The tables (数据表): plain typed SQLAlchemy, no Flask; rooms named after the nouns of the law."""

from approval.models import (
    cases,
    clocks,
    desks,
    drafts,
    incidents,
    items,
    laws,
    licences,
    materials,
    notices,
    people,
    pledges,
    sharing,
    snapshots,
    tasks,
    tokens,
    wallets,
)
from approval.models.base import Base

__all__ = [
    "Base",
    "cases",
    "clocks",
    "desks",
    "drafts",
    "incidents",
    "items",
    "laws",
    "licences",
    "materials",
    "notices",
    "people",
    "pledges",
    "sharing",
    "snapshots",
    "tasks",
    "tokens",
    "wallets",
]
