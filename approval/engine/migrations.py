"""Cases that go on with another version of their procedure (流程迁移): checked first, then done or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approval.engine import doors, states
from approval.engine.definitions import Definition
from approval.engine.progress import Progress
from approval.engine.states import CannotMigrate, StateRefused


@dataclass(frozen=True, slots=True)
class Survey:
    """What a migration would do to a case (迁移检查).

    `survives` are the elements it stands on and would go on standing on, by their new ids; `lost` those it cannot
    keep, each with the reason: one of them is enough to refuse. `timers` are boundary timers that keep running,
    `begins` those that would start to run with the migration, `ends` those that would stop. `unread` are outcomes
    that stay with the case although the new version has no element of that id.
    """

    survives: tuple[str, ...]
    lost: tuple[tuple[str, str], ...]
    timers: tuple[str, ...]
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    unread: tuple[str, ...]


def survey(old: Definition, new: Definition, state: bytes, *, mapping: Mapping[str, str] | None = None) -> Survey:
    """Say what would survive a migration (迁移检查); `mapping` gives elements their ids in the new version.

    Raises StateRefused when the state is not of `old`.
    """
    body, names = _body(old, state), _Names(mapping)
    survives: set[str] = set()
    lost: dict[str, str] = {}
    running: set[str] = set()
    wanted: set[str] = set()
    if old.process != new.process and not body["finished"]:
        lost[old.process] = f"the new version starts in another process, {new.process!r}"
    for part in body["runs"]:
        before = old.procedures[part.get("procedure") or old.process]
        after = new.procedures.get(names.of(part["procedure"]) if part.get("procedure") else new.process)
        for _, name, _, internal in part["tokens"]:
            step = before.task_specs[name]
            there = None if after is None else after.task_specs.get(names.of(name))
            if step.node.kind == "boundaryEvent" and "host" in internal:
                running.add(names.of(name))
            elif there is None:
                lost[name] = "the new version has no such element there"
            elif why := _differs(step.node, there.node, names):
                lost[name] = why
            else:
                survives.add(there.name)
                wanted |= {guard.name for guard in there.guards if guard.waits}
    unread = {key for part in body["runs"] for key in part["outcomes"] if names.of(key) not in new.keys}
    return Survey(
        survives=tuple(sorted(survives)),
        lost=tuple(sorted(lost.items())),
        timers=tuple(sorted(running & wanted)),
        begins=tuple(sorted(wanted - running)),
        ends=tuple(sorted(running - wanted)),
        unread=tuple(sorted(unread & old.keys.keys())),
    )


def migrate(
    old: Definition, new: Definition, state: bytes, *, now: datetime, mapping: Mapping[str, str] | None = None
) -> Progress:
    """Continue a case on another version of its procedure (流程迁移), where the new one has the same places.

    Ids of open items, outcomes and due times stay; boundary events that the new version adds begin to wait at
    `now`. Raises StateRefused when the state is not of `old`, CannotMigrate naming every element that is gone,
    or is something else now.
    """
    found = survey(old, new, state, mapping=mapping)
    if found.lost:
        raise CannotMigrate(elements=[name for name, _ in found.lost], why="; ".join(why for _, why in found.lost))
    body, names = _body(old, state), _Names(mapping)
    for part in body["runs"]:
        if part.get("procedure"):
            part["procedure"] = names.of(part["procedure"])
        part["outcomes"] = {names.of(key): outcome for key, outcome in part["outcomes"].items()}
        part["tokens"] = [
            [key, names.of(name), state_, internal]
            for key, name, state_, internal in part["tokens"]
            if names.of(name) not in found.ends
        ]
    run = states.revive(new, body, now)
    for each in run.runs():
        standing = {(token.task_spec.name, token.internal_data.get("host")) for token in each.tasks.values()}
        for host in list(each.tasks.values()):
            for guard in host.task_spec.guards:
                if guard.waits and (guard.name, str(host.id)) not in standing:
                    each.enter(guard, host=str(host.id))
    return doors.settle(new, run)


class _Names:
    def __init__(self, mapping: Mapping[str, str] | None) -> None:
        self._mapping = mapping or {}

    def of(self, name: str) -> str:
        """Return the new name of an element; what stands for it in the state has a prefix."""
        prefix, space, element = name.rpartition(" ")
        return prefix + space + self._mapping.get(element, element)


def _body(definition: Definition, state: bytes) -> dict[str, Any]:
    body = states.read(definition, state)
    if body["definition"] != definition.digest:
        raise StateRefused(why="it belongs to another definition", given=definition.digest)
    return body


def _differs(before: Any, after: Any, names: _Names) -> str | None:
    """Say what about an element is not the same, where a token on it could not live on."""
    if before.kind != after.kind:
        return f"it is a {after.kind} now"
    if before.kind == "callActivity" and names.of(before.calls or "") != after.calls:
        return f"it calls {after.calls!r} now"
    if (before.loop is None) != (after.loop is None) or (before.loop and before.loop.kind != after.loop.kind):
        return "how often it is done is not the same"
    if [event.kind for event in before.events] != [event.kind for event in after.events]:
        return "what it waits for is not the same"
    return None
