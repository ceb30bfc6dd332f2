"""What comes out of the engine (流程进展): plain values, and nothing that is still alive."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from approval.engine.catching import Thrown


@dataclass(frozen=True, slots=True)
class Task:
    """A person's turn (待办). `data` is what its process sees: facts and outcomes, `seen` the same as JSON.

    `meant` is who the drawing means it for, where that is written at the task: assignee, groups, due, follow_up,
    priority, as they came out.
    """

    id: str
    element: str
    name: str
    lane: str | None
    form: str | None
    process: str
    properties: dict[str, str]
    seen: bytes
    meant: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """What its process sees, read anew, so that nobody holds a part of another's."""
        return _read(self.seen)


@dataclass(frozen=True, slots=True)
class Errand:
    """A machine's turn (自动事务): `errand` says which; whoever does it completes it like a task."""

    id: str
    element: str
    name: str
    errand: str
    process: str
    properties: dict[str, str]
    seen: bytes

    @property
    def data(self) -> dict[str, Any]:
        """What its process sees, read anew."""
        return _read(self.seen)


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
    """Where a case stands after one transition (流程进展): everything open now, and the elements passed.

    `before` is what was open when this transition began, by id and kind (task, errand, timer).

    `awaits` are the messages and signals it waits for, each with an element. `thrown` is what nobody in the case
    caught, or what everybody may hear. `failed` is the code of an error that
    ended the case because nobody caught it.
    """

    state: bytes
    before: dict[str, str]
    tasks: tuple[Task, ...]
    errands: tuple[Errand, ...]
    timers: tuple[Timer, ...]
    awaits: dict[str, str]
    finished: bool
    known: bytes
    trail: tuple[str, ...]
    thrown: tuple[Thrown, ...]
    failed: str | None

    @property
    def data(self) -> dict[str, Any]:
        """Everything the case knows: facts and outcomes, those inside open calls included."""
        return _read(self.known)


def _read(written: bytes) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(written)
    return read
