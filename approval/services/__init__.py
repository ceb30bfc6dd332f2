"""What the office does (办理): verbs, called with their noun: `cases.file(work, …)`.

Every room is imported here, so that the acts a procedure may ask for are all known wherever one runs.
"""

from approval.services import cases, decisions, items, licences, packs, people, rehearsals, tasks, workers

__all__ = ["cases", "decisions", "items", "licences", "packs", "people", "rehearsals", "tasks", "workers"]
