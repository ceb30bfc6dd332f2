"""Older forms of a case's state (旧版状态), brought into the newest one."""

from typing import Any, Final

from approval.engine.definitions import Definition
from approval.engine.diagrams import Node

# WAITING, READY and STARTED, as SpiffWorkflow numbers them and both codecs write them.
STANDING: Final = 8 | 16 | 32


def from_first(body: dict[str, Any], definition: Definition) -> dict[str, Any]:
    """Read the first codec (第一版), which kept a tree of tokens below the elements they came by."""
    nodes = {row[0]: row[2] for part in body["runs"] for row in part["tokens"]}
    return {**body, "runs": [_part(part, definition, nodes) for part in body["runs"]]}


def _part(part: dict[str, Any], definition: Definition, names: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"outcomes": part["outcomes"]}
    process = definition.process
    if part["host"] is not None:
        host = definition.nodes[names[part["host"]]]
        process = host.calls or host.id
        ledger = "called" if host.kind == "callActivity" else "shared"
        found |= {"procedure": process, "host": part["host"], "ledger": ledger, "names": {}, "index": 0}
    steps = definition.procedures[process].task_specs
    rows = {row[0]: row for row in part["tokens"]}
    found["tokens"] = [
        [key, name, state, _internal(rows[key], rows, steps)]
        for key, _, name, state, _ in part["tokens"]
        if state & STANDING and name in steps and _stands(steps[name].node)
    ]
    return found


def _stands(node: Node) -> bool:
    # Errors are not waited for any more: whoever throws one looks for its catcher.
    return node.kind != "boundaryEvent" or node.event.kind != "error"


def _internal(row: list[Any], rows: dict[str, list[Any]], steps: Any) -> dict[str, Any]:
    _, above, name, _, internal = row
    node, parent = steps[name].node, rows[above]
    if parent[2].startswith(".Boundary ") and node.kind == "boundaryEvent":
        host = next(each[0] for each in rows.values() if each[1] == above and each[2] == node.attached)
        return {**internal, "host": host}
    if parent[2] in steps and steps[parent[2]].node.kind == "eventBasedGateway":
        return {**internal, "race": above}
    flows = steps[name]._wf_spec.scope.entering(name)  # noqa: SLF001 -- the graph's own link to its procedure
    via = next((flow.id for flow in flows if flow.source == parent[2]), None)
    return internal if via is None else {**internal, "via": via}
