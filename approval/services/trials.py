"""Trials (试演): a bare procedure played by itself, without an office: nobody's case, for whoever draws it.

People's turns are taken with the answers given, or the defaults of their forms; machines' turns succeed; time
jumps to whatever is due next. What people and machines answer becomes facts, as in any engine that has no packs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from approval import engine
from approval.domain.errors import Refusal
from approval.services import packs
from approval.settings import Settings

# Nobody's clock: the same trial comes out the same on every day.
BEGIN: Final = datetime(2026, 1, 5, 1, tzinfo=UTC)
MOST_TURNS: Final = 5_000


@dataclass
class Trial:
    """What came of a trial (试演结果): whether the case ended, by which elements, and what stands in its way.

    `waiting` has what is still open, `incidents` what could not go on, each with its element and the reason.
    """

    completed: bool = False
    trace: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, str]] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return the trial as JSON values."""
        return asdict(self)


def play_file(name: str, source: bytes, settings: Settings, facts: Mapping[str, Any], **how: Any) -> Trial:
    """Check one BPMN file in a child and play it (试演单个流程文件) as `play` does; raises PackRefused.

    The pools it exchanges messages with are played beside it.
    """
    packs.check_file(name, source, settings)
    found = engine.load({name: source}, limits=engine.ANY)
    whole = engine.load({name: source}, found.process, beside=found.neighbours, limits=engine.ANY)
    return play(whole, facts, **how)


def play(
    definition: engine.Definition,
    facts: Mapping[str, Any],
    answers: Mapping[str, Any] | None = None,
    *,
    until_idle: bool = False,
    turns: int = MOST_TURNS,
) -> Trial:
    """Play a definition on facts (试演流程) until it ends, nothing can move, or `turns` turns were taken.

    `answers` are outcomes by element id, of which a list is taken one by one, and payloads by message name. An
    incident ends the trial; `until_idle` leaves it aside and goes on with the rest.
    """
    return _Player(definition, dict(answers or {}), until_idle=until_idle).play(dict(facts), turns)


class _Player:
    def __init__(self, definition: engine.Definition, answers: dict[str, Any], *, until_idle: bool) -> None:
        self.definition = definition
        self.answers = {name: list(given) if isinstance(given, list) else given for name, given in answers.items()}
        self.until_idle = until_idle
        self.trial = Trial()
        self.now = BEGIN
        self.aside: set[str] = set()
        self.progress: engine.Progress | None = None

    def play(self, facts: dict[str, Any], turns: int) -> Trial:
        try:
            self._take(engine.start(self.definition, facts, now=self.now))
        except Refusal as refused:
            self._incident("", refused)
        for _ in range(turns):
            stopped = self.trial.incidents and not self.until_idle
            if self.progress is None or self.progress.finished or stopped or not self._turn(self.progress):
                break
        else:
            self.trial.incidents.append({"element": "", "why": f"not ended after {turns} turns"})
        if self.progress is not None:
            self._conclude(self.progress)
        return self.trial

    def _take(self, progress: engine.Progress) -> None:
        self.progress = progress
        self.trial.trace += progress.trail

    def _turn(self, progress: engine.Progress) -> bool:
        """Let whoever can move next do so: people, machines, messages that were given, then time."""
        turns: list[engine.Task | engine.Errand] = [*progress.tasks, *progress.errands]
        for item in turns:
            if item.id not in self.aside:
                outcome = self._outcome(item.element, getattr(item, "form", None))
                given = {name: value for name, value in outcome.items() if name not in self.definition.keys}
                self._try(
                    item.id,
                    item.element,
                    partial(
                        engine.complete, self.definition, progress.state, item.id, outcome, now=self.now, facts=given
                    ),
                )
                return True
        for name in sorted(set(self.answers) & set(progress.awaits) - self.aside):
            payload = self._given(name)
            if not isinstance(self.answers[name], list):
                del self.answers[name]
            if payload is None:
                continue
            self._try(
                name,
                name,
                partial(engine.deliver, self.definition, progress.state, name, payload, now=self.now),
            )
            return True
        timers = [timer for timer in progress.timers if timer.id not in self.aside]
        if not timers:
            return False
        # A legal limit is known to its ledger, which is not here: it runs out last.
        first = min(timers, key=lambda timer: (timer.due_at is None, timer.due_at or self.now))
        self.now = max(self.now, first.due_at or self.now)
        self._try(
            first.id, first.element, lambda: engine.catch_up(self.definition, progress.state, [first.id], now=self.now)
        )
        return True

    def _try(self, item: str, element: str, move: Any) -> None:
        try:
            self._take(move())
        except Refusal as refused:
            self.aside.add(item)
            self._incident(element, refused)

    def _incident(self, element: str, refused: Refusal) -> None:
        where = str(refused.facts.get("element") or element)
        self.trial.incidents.append({"element": where, "why": str(refused)})

    def _outcome(self, element: str, form: str | None) -> dict[str, Any]:
        given = self._given(element)
        if given is not None:
            return given
        components = self.definition.carried.get(form or "", {}).get("components", [])
        return {each["key"]: each["defaultValue"] for each in components if "key" in each and "defaultValue" in each}

    def _given(self, name: str) -> dict[str, Any] | None:
        given = self.answers.get(name)
        if isinstance(given, list):
            given = given.pop(0) if given else None
        return given if isinstance(given, dict) else None

    def _conclude(self, progress: engine.Progress) -> None:
        trial = self.trial
        trial.completed, trial.data = progress.finished, progress.data
        if progress.failed is not None:
            trial.incidents.append({"element": "", "why": f"ended by the error {progress.failed!r}"})
        trial.waiting = [
            *({"element": each.element, "name": each.name, "for": "person"} for each in progress.tasks),
            *({"element": each.element, "name": each.name, "for": each.errand} for each in progress.errands),
            *({"element": each.element, "name": "", "for": "time"} for each in progress.timers),
            *({"element": element, "name": name, "for": "event"} for name, element in progress.awaits.items()),
        ]
