"""What comes out of the engine (流程进展): plain values, and nothing that is still alive."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """A person's turn (待办). `data` is what its process sees: facts and outcomes."""

    id: str
    element: str
    name: str
    lane: str | None
    form: str | None
    process: str
    properties: dict[str, str]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Errand:
    """A machine's turn (自动事务): `errand` says which; whoever does it completes it like a task."""

    id: str
    element: str
    name: str
    errand: str
    process: str
    properties: dict[str, str]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timer:
    """A wait for a moment (计时). Either `due_at` is known or `countdown` names the limit whose ledger knows.

    `task` is the open task or errand whose boundary the timer stands on, None elsewhere.
    """

    id: str
    element: str
    task: str | None
    due_at: datetime | None
    countdown: str | None
    interrupting: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a case stands after one transition (流程进展): everything open now, and the elements passed."""

    state: bytes
    tasks: tuple[Task, ...]
    errands: tuple[Errand, ...]
    timers: tuple[Timer, ...]
    finished: bool
    data: dict[str, Any]
    trail: tuple[str, ...]
