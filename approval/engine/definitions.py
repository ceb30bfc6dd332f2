"""Definitions (流程定义): BPMN and DMN files read, judged, built once and shared by every case that runs on them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from approval.domain.errors import Fault, PackRefused
from approval.engine import dialect, soundness, specs
from approval.engine.diagrams import ERRANDS, HUMAN, NESTED, Node, Scope
from approval.engine.readers import BPMN, Reader
from approval.engine.runs import Run
from approval.expressions import markup, tables
from approval.expressions.tables import Table

ELEMENTS: Final = 400
_KEPT: Final = 256
_shelf: OrderedDict[tuple[str, int], "Definition"] = OrderedDict()
_shelf_lock = threading.Lock()


class Post(NamedTuple):
    """What a human task is (岗位任务): who acts, on which form, with which properties."""

    name: str
    lane: str | None
    form: str | None
    properties: dict[str, str]


@dataclass(frozen=True, eq=False)
class Definition:
    """A procedure ready to run (流程定义); frozen, and safe to share between threads."""

    digest: str
    process: str
    names: Mapping[str, str]
    tasks: Mapping[str, Post]
    errands: Mapping[str, str]
    countdowns: frozenset[str]
    lanes: frozenset[str]
    forms: frozenset[str]
    decisions: frozenset[str]
    keys: Mapping[str, Node] = field(repr=False)
    nodes: Mapping[str, Node] = field(repr=False)
    procedures: Mapping[str, Any] = field(repr=False)
    tables: Mapping[str, Table] = field(repr=False)

    def run(self, now: datetime, facts: dict[str, Any], **kwargs: Any) -> Run:
        """Return a run of this definition; a fact that hides an outcome's key is a PackRefused."""
        hidden = sorted(self.keys.keys() & facts.keys())
        if hidden:
            why = "a fact has the name under which its outcome is kept; rename one of them"
            owners = [self.keys[name] for name in hidden]
            raise PackRefused(faults=[Fault(node.file, node.id, node.line, why) for node in owners])
        return Run(
            self.process,
            self.procedures,
            nodes=self.nodes,
            tables=self.tables,
            now=now,
            facts=facts,
            **kwargs,
        )


def load(sources: Mapping[str, bytes], process: str | None = None, *, elements: int = ELEMENTS) -> Definition:
    """Read, judge and build a definition (加载流程定义) from named BPMN 2.0 and DMN 1.3 files.

    `process` names the one that cases start in; without it there must be exactly one executable process that
    no other calls. The same sources give the same object. Raises PackRefused with all faults at once, each
    with its file, element and line.
    """
    digest = _digest(sources, process)
    place = (digest, elements)
    with _shelf_lock:
        if place in _shelf:
            _shelf.move_to_end(place)
            return _shelf[place]
    definition = _build(digest, sources, process, elements)
    with _shelf_lock:
        definition = _shelf.setdefault(place, definition)
        while len(_shelf) > _KEPT:
            _shelf.popitem(last=False)
    return definition


def _digest(sources: Mapping[str, bytes], process: str | None) -> str:
    digest = hashlib.sha256((process or "").encode())
    for name, source in sorted(sources.items()):
        digest.update(f"\n{len(name.encode())} {name} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def _build(digest: str, sources: Mapping[str, bytes], process: str | None, elements: int) -> Definition:
    scopes, decisions, faults = _read(sources)
    faults += dialect.faults(scopes, decisions, elements)
    start = _start(scopes, process, faults)
    if not faults:
        faults += [fault for scope in scopes.values() if scope.nodes for fault in soundness.faults(scope)]
    if faults or start is None:
        raise PackRefused(faults=sorted(faults, key=lambda fault: (fault.file, fault.line)))
    wanted = _needed(scopes, start)
    nodes = {node.id: node for scope in wanted.values() for node in scope.nodes.values()}
    people = [node for node in nodes.values() if node.kind in HUMAN]
    writers = [node for node in nodes.values() if node.kind in dialect.WRITERS]
    return Definition(
        digest=digest,
        process=start,
        names={node.id: node.name for node in nodes.values()},
        tasks={node.id: Post(node.name, node.lane, node.form, node.properties) for node in people},
        errands={node.id: node.calls or "" for node in nodes.values() if node.kind in ERRANDS},
        countdowns=frozenset(
            node.event.timing.countdown for node in nodes.values() if node.event.timing and node.event.timing.countdown
        ),
        lanes=frozenset(node.lane for node in people if node.lane),
        forms=frozenset(node.form for node in people if node.form),
        decisions=frozenset(node.calls or "" for node in nodes.values() if node.kind == "businessRuleTask"),
        keys={key: node for node in writers for key in (node.id, node.variable) if key},
        nodes=nodes,
        procedures=specs.build(wanted),
        tables=decisions,
    )


def _read(sources: Mapping[str, bytes]) -> tuple[dict[str, Scope], dict[str, Table], list[Fault]]:
    scopes: dict[str, Scope] = {}
    decisions: dict[str, Table] = {}
    faults: list[Fault] = []
    for file, source in sorted(sources.items()):
        try:
            root = markup.read(file, source)
            if root.tag == f"{tables.DMN}definitions":
                found: Mapping[str, Any] = tables.load(file, source)
                shelf: dict[str, Any] = decisions
            elif root.tag == f"{BPMN}definitions":
                reader = Reader(file, root)
                reader.read()
                faults += reader.faults
                found, shelf = reader.scopes, scopes
            else:
                faults.append(Fault(file, "", root.sourceline, f"{root.tag} is neither BPMN 2.0 nor DMN 1.3"))
                continue
        except PackRefused as refusal:
            faults += refusal.facts["faults"]
            continue
        faults += [Fault(file, name, 0, "another file has this id too") for name in found if name in shelf]
        shelf.update(found)
    return scopes, decisions, faults


def _start(scopes: Mapping[str, Scope], process: str | None, faults: list[Fault]) -> str | None:
    called = {node.calls for scope in scopes.values() for node in scope.nodes.values()}
    outermost = [scope.id for scope in scopes.values() if scope.executable and scope.id not in called]
    if process is not None:
        if process in scopes and scopes[process].executable and scopes[process].nodes:
            return process
        faults.append(Fault("", process, 0, "there is no executable process of this id with anything in it"))
    elif len(outermost) == 1 and scopes[outermost[0]].nodes:
        return outermost[0]
    elif not faults or outermost:
        names = ", ".join(outermost) or "none"
        faults.append(Fault("", "", 0, f"exactly one executable process must call the others; there is: {names}"))
    return None


def _needed(scopes: Mapping[str, Scope], start: str) -> dict[str, Scope]:
    """Return the scopes a case can come into, the outermost first."""
    needed: dict[str, Scope] = {}
    ahead = [start]
    while ahead:
        scope = scopes[ahead.pop(0)]
        if scope.id not in needed:
            needed[scope.id] = scope
            ahead += [node.calls or node.id for node in scope.nodes.values() if node.kind in NESTED]
    return needed
