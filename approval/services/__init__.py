"""What the office does (办理): verbs, called with their noun: `cases.file(work, …)`.

Every room is imported here, so that the acts a procedure may ask for are all known wherever one runs.
"""

from approval.services import (
    announcements,
    cases,
    decisions,
    hearings,
    items,
    licences,
    packs,
    people,
    rehearsals,
    tasks,
    visits,
    workers,
)

__all__ = [
    "announcements",
    "cases",
    "decisions",
    "hearings",
    "items",
    "licences",
    "packs",
    "people",
    "rehearsals",
    "tasks",
    "visits",
    "workers",
]
