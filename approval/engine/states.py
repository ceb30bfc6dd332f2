# ruff: noqa: SLF001 -- the hooks and fields that SpiffWorkflow offers to subclasses are underscored
"""A case's state as bytes (流程状态): one byte of codec number, then compressed JSON.

Kept are the tokens with what they need (`runs.forget`), parents before children, and the ledgers; what lies
ahead is predicted anew from the definition. Nothing in it depends on the order of keys or on the clock.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import zstandard
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from approval.domain.errors import OutOfTurn, Refusal
from approval.engine import specs
from approval.engine.definitions import Definition
from approval.engine.runs import Run, forget

CODEC: Final = 1
LARGEST: Final = 32 * 2**20


class StateRefused(Refusal):
    """This state cannot be continued here."""


class CannotMigrate(OutOfTurn):
    """The case stands where the new version of its procedure has no like place."""


def dump(definition: Definition, run: Run) -> bytes:
    """Write a run as bytes (序列化)."""
    body = {
        "definition": definition.digest,
        "facts": run.facts,
        "finished": run.completed,
        "runs": [
            {
                "host": None if each is run else str(each.parent_task_id),
                "outcomes": each.outcomes,
                "tokens": _rows(each),
            }
            for each in ([] if run.completed else run.runs())
        ]
        or [{"host": None, "outcomes": run.outcomes, "tokens": []}],
    }
    return bytes([CODEC]) + zstandard.compress(orjson.dumps(body), 3)


def load(
    definition: Definition,
    state: bytes,
    now: datetime,
    *,
    facts: dict[str, Any] | None = None,
    migrating: bool = False,
) -> Run:
    """Read a run back (反序列化), with newer `facts` over its own, and predict what lies ahead of it.

    Raises StateRefused for an unknown codec, damaged bytes and the state of another definition, CannotMigrate
    when, migrating, the definition lacks a place that the case stands on.
    """
    body = read(state)
    if body["definition"] != definition.digest and not migrating:
        raise StateRefused(why="it belongs to another definition", given=definition.digest)
    run = definition.run(now, {**body["facts"], **(facts or {})}, deserializing=True)
    run.completed = body["finished"]
    for part in body["runs"]:
        if part["host"] is None:
            each: Any = run
            run.outcomes = part["outcomes"]
        else:
            host = run.get_task_from_id(UUID(part["host"]))
            each = run.create_subprocess(host, host.task_spec.spec, deserializing=True)
            each.outcomes = part["outcomes"]
        _restore(each, part["tokens"])
    for each in run.runs():
        for task in list(each.tasks.values()):
            if task.has_state(specs.OPEN):
                task.task_spec._predict(task, mask=TaskState.NOT_FINISHED_MASK)
    return run


def read(state: bytes) -> dict[str, Any]:
    """Unpack a state (解包状态) without giving it life."""
    if state[:1] != bytes([CODEC]):
        raise StateRefused(why="its codec is not known", codec=state[0] if state else None)
    try:
        body: dict[str, Any] = orjson.loads(zstandard.decompress(state[1:], max_output_size=LARGEST))
    except (zstandard.ZstdError, orjson.JSONDecodeError):
        raise StateRefused(why="its bytes are damaged") from None
    return body


def _rows(run: Any) -> list[list[Any]]:
    forget(run)
    return [
        [
            str(task.id),
            None if task._parent is None else str(task._parent),
            task.task_spec.name,
            task.state,
            task.internal_data,
        ]
        for task in _parents_first(run.task_tree)
    ]


def _parents_first(root: Any) -> list[Any]:
    ordered = [root]
    for task in ordered:
        ordered += task.children
    return ordered


def _restore(run: Any, rows: list[list[Any]]) -> None:
    for key, parent, name, state, internal in rows:
        spec = run.spec.task_specs.get(name)
        if spec is None:
            raise CannotMigrate(element=name)
        task = Task(run, spec, None if parent is None else run.tasks[UUID(parent)], state, UUID(key))
        task.internal_data = internal
        if parent is None:
            run.task_tree = task
