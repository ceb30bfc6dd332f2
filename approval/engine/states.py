"""A case's state as bytes (流程状态): one byte of codec number, then compressed JSON.

Kept are the tokens, each with what it needs to know, and the ledgers, outer runs before inner ones; nothing
that is over and nothing that lies ahead. Nothing in it depends on the order of keys or on the clock.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import zstandard

from approval.domain.errors import OutOfTurn, Refusal
from approval.engine import codecs
from approval.engine.definitions import Definition
from approval.engine.runs import Run
from approval.engine.steps import Token

CODEC: Final = 2
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
        "failed": run.failed,
        "runs": [_part(each) for each in run.runs()],
    }
    return bytes([CODEC]) + zstandard.compress(orjson.dumps(body), 3)


def load(definition: Definition, state: bytes, now: datetime, *, facts: Mapping[str, Any] | None = None) -> Run:
    """Read a run back (反序列化), with newer `facts` over its own.

    Raises StateRefused for an unknown codec, damaged bytes and the state of another definition.
    """
    body = read(definition, state)
    if body["definition"] != definition.digest:
        raise StateRefused(why="it belongs to another definition", given=definition.digest)
    return revive(definition, body, now, facts=facts)


def revive(
    definition: Definition, body: dict[str, Any], now: datetime, *, facts: Mapping[str, Any] | None = None
) -> Run:
    """Give an unpacked state life on a definition (恢复流程); CannotMigrate where that lacks a place it stands on."""
    if facts:
        # What was written since under these names is older than what is given now.
        ledger = body["runs"][0]["outcomes"]
        for name in facts.keys() & (ledger.keys() - definition.keys.keys()):
            del ledger[name]
    run = definition.run(now, {**body["facts"], **(facts or {})})
    run.completed, run.failed = body["finished"], body.get("failed")
    hosts: dict[str, Any] = {}
    for part in body["runs"]:
        each: Any = run
        if part.get("procedure") is not None:
            each = run.inside(
                part["procedure"], hosts.get(part["host"]), ledger=part["ledger"], names=part["names"],
                index=part["index"],
            )  # fmt: skip
        each.outcomes, each.done, each.begun = part["outcomes"], part.get("done", []), part.get("begun", 0)
        for key, name, state_, internal in part["tokens"]:
            spec = each.spec.task_specs.get(name)
            if spec is None:
                raise CannotMigrate(element=name)
            token = Token(each, spec, None, state_, UUID(key))
            token.internal_data = internal
            hosts[key] = token
    run.note_before()
    return run


def read(definition: Definition, state: bytes) -> dict[str, Any]:
    """Unpack a state (解包状态) of any codec into the newest form, without giving it life."""
    codec = state[0] if state else None
    if codec not in {1, CODEC}:
        raise StateRefused(why="its codec is not known", codec=codec)
    try:
        body: dict[str, Any] = orjson.loads(zstandard.decompress(state[1:], max_output_size=LARGEST))
    except (zstandard.ZstdError, orjson.JSONDecodeError):
        raise StateRefused(why="its bytes are damaged") from None
    return codecs.from_first(body, definition) if codec == 1 else body


def _part(run: Any) -> dict[str, Any]:
    part: dict[str, Any] = {
        "outcomes": run.outcomes,
        "tokens": [
            [str(token.id), token.task_spec.name, token.state, token.internal_data] for token in run.tasks.values()
        ],
    }
    if run.done:
        part["done"] = run.done
    if run.spec.ad_hoc is not None:
        part["begun"] = run.begun
    if run.ledger != "case":
        part |= {
            "procedure": run.spec.name,
            "host": None if run.host is None else str(run.host.id),
            "ledger": run.ledger,
            "names": run.names,
            "index": run.index,
        }
    return part
