"""Definitions (流程定义): BPMN and DMN files read, judged, built once and shared by every case that runs on them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from approval.domain.errors import Fault, PackRefused
from approval.engine import grammar, pools, soundness, specs
from approval.engine.diagrams import ERRANDS, HUMAN, NESTED, Node, Scope
from approval.engine.dialects import BPMN
from approval.engine.readers import Reader
from approval.engine.runs import Run
from approval.expressions import markup, tables
from approval.expressions.tables import Table

_KEPT: Final = 256
_shelf: OrderedDict[tuple[str, "Limits"], "Definition"] = OrderedDict()
_shelf_lock = threading.Lock()


class Limits(NamedTuple):
    """How much may be uploaded (上传限额): of XML in a file, and of nodes in all procedures together."""

    xml: markup.Limits = markup.LIMITS
    nodes: int = 400


LIMITS: Final = Limits()
# What was judged once, under whatever limits held then, is not judged by its size again.
ANY: Final = Limits(markup.Limits(2**31, 2**31, 2**31), 2**31)


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
    partners: Mapping[tuple[str, str | None], list[tuple[str, str]]] = field(repr=False)
    beside: tuple[str, ...]
    neighbours: tuple[str, ...]
    carried: Mapping[str, dict[str, Any]] = field(repr=False)
    warnings: tuple[Fault, ...]

    def run(self, now: datetime, facts: dict[str, Any]) -> Run:
        """Return a run of this definition; a fact that hides an outcome's key is a PackRefused."""
        hidden = sorted(self.keys.keys() & facts.keys())
        if hidden:
            why = "a fact has the name under which its outcome is kept; rename one of them"
            owners = [self.keys[name] for name in hidden]
            raise PackRefused(faults=[Fault(node.file, node.id, node.line, why) for node in owners])
        return Run(self.process, self.procedures, tables=self.tables, partners=self.partners, now=now, facts=facts)


def load(
    sources: Mapping[str, bytes],
    process: str | None = None,
    *,
    beside: tuple[str, ...] = (),
    errands: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
) -> Definition:
    """Read, judge and build a definition (加载流程定义) from named BPMN 2.0 and DMN files.

    `process` names the one that cases start in; without it one is chosen, with a warning where there was a
    choice. `beside` are processes of other pools that start with it. `errands` is the table that gives topics,
    classes and operators of foreign dialects the names of our errands; `limits` is how much may be uploaded. The
    same sources give the same object. Raises PackRefused with all faults at once, each with its file, element and line.
    """
    names = dict(errands or {})
    digest = _digest(sources, process, beside, names)
    place = (digest, limits)
    with _shelf_lock:
        if place in _shelf:
            _shelf.move_to_end(place)
            return _shelf[place]
    definition = _build(digest, sources, process, beside, names, limits)
    with _shelf_lock:
        definition = _shelf.setdefault(place, definition)
        while len(_shelf) > _KEPT:
            _shelf.popitem(last=False)
    return definition


def judge(
    sources: Mapping[str, bytes],
    process: str | None = None,
    *,
    errands: Mapping[str, str] | None = None,
    limits: Limits = LIMITS,
) -> tuple[Fault, ...]:
    """Return every fault of some files (判定缺陷), warnings too; decisions alone need no process."""
    drawn = _read(sources, errands or {}, limits)
    if drawn.decisions and not drawn.scopes and process is None:
        return tuple(drawn.faults)
    try:
        return load(sources, process, errands=errands, limits=limits).warnings
    except PackRefused as refusal:
        return tuple(refusal.facts["faults"])


def _digest(
    sources: Mapping[str, bytes], process: str | None, beside: tuple[str, ...], names: Mapping[str, str]
) -> str:
    digest = hashlib.sha256((process or "").encode())
    for name, source in sorted(sources.items()):
        digest.update(f"\n{len(name.encode())} {name} {len(source)}\n".encode() + source)
    # Only what was said is digested, so that the states of earlier versions still belong to their definitions.
    if beside or names:
        digest.update(repr((beside, sorted(names.items()))).encode())
    return digest.hexdigest()


def _build(  # noqa: PLR0917 -- what `load` was given, as it was given
    digest: str,
    sources: Mapping[str, bytes],
    process: str | None,
    beside: tuple[str, ...],
    names: Mapping[str, str],
    limits: Limits,
) -> Definition:
    drawn = _read(sources, names, limits)
    scopes, faults = drawn.scopes, drawn.faults
    faults += grammar.faults(scopes, drawn.decisions, limits.nodes)
    start, said = pools.choose(scopes, drawn.partners, process)
    # Where a file could not be read, nothing is said about what may have been in it.
    faults += said if scopes or not faults else []
    faults += [Fault("", name, 0, "there is no process of this id") for name in beside if name not in scopes]
    if not _errors(faults):
        faults += [fault for scope in scopes.values() if scope.nodes for fault in soundness.faults(scope)]
    faults.sort(key=lambda fault: (fault.file, fault.line))
    if _errors(faults) or start is None:
        raise PackRefused(faults=faults)
    partners = _partners(scopes, start)
    roots = [start, *beside, *dict.fromkeys(name for found in partners.values() for name, _ in found)]
    wanted = _needed(scopes, roots)
    nodes = {node.id: node for scope in wanted.values() for node in scope.nodes.values()}
    people = [node for node in nodes.values() if node.kind in HUMAN]
    writers = [node for node in nodes.values() if node.kind in grammar.WRITERS]
    timings = [event.timing for node in nodes.values() for event in node.events if event.timing]
    return Definition(
        digest=digest,
        process=start,
        names={node.id: node.name for node in nodes.values()},
        tasks={node.id: Post(node.name, node.lane, node.form, node.properties) for node in people},
        errands={node.id: node.calls for node in nodes.values() if node.kind in ERRANDS and node.calls},
        countdowns=frozenset(timing.countdown for timing in timings if timing.countdown),
        lanes=frozenset(node.lane for node in people if node.lane),
        forms=frozenset(node.form for node in people if node.form),
        decisions=frozenset(node.calls for node in nodes.values() if node.kind == "businessRuleTask" and node.calls),
        keys={key: node for node in writers for key in (node.id, node.variable) if key},
        nodes=nodes,
        procedures=specs.build(wanted),
        tables=drawn.decisions,
        partners=partners,
        beside=beside,
        neighbours=_neighbours(scopes, start),
        carried=drawn.forms,
        warnings=tuple(faults),
    )


def _errors(faults: list[Fault]) -> bool:
    return any(fault.level == "error" for fault in faults)


@dataclass
class _Drawn:
    scopes: dict[str, Scope] = field(default_factory=dict)
    decisions: dict[str, Table] = field(default_factory=dict)
    partners: list[str] = field(default_factory=list)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def shelve(self, file: str, shelf: dict[str, Any], found: Mapping[str, Any]) -> None:
        self.faults += [Fault(file, name, 0, "another file has this id too") for name in found if name in shelf]
        shelf.update(found)


def _read(sources: Mapping[str, bytes], names: Mapping[str, str], limits: Limits) -> _Drawn:
    drawn = _Drawn()
    for file, source in sorted(sources.items()):
        try:
            root = markup.read(file, source, limits.xml)
            if root.tag == f"{BPMN}definitions":
                reader = Reader(file, root, names)
                reader.read()
                drawn.faults += reader.faults
                drawn.shelve(file, drawn.scopes, reader.scopes)
                drawn.partners += reader.partners
                drawn.forms |= reader.forms
            elif tables.recognised(root):
                drawn.shelve(file, drawn.decisions, tables.load(file, source, limits.xml))
            else:
                drawn.faults.append(
                    Fault(file, "", root.sourceline, f"{root.tag} is neither BPMN 2.0 nor a DMN that is read here")
                )
        except PackRefused as refusal:
            drawn.faults += refusal.facts["faults"]
    return drawn


def _partners(scopes: Mapping[str, Scope], start: str) -> dict[tuple[str, str | None], list[tuple[str, str]]]:
    """Return which other processes begin with which message or signal, and at which of their elements."""
    called = {node.calls for scope in scopes.values() for node in scope.nodes.values()}
    found: dict[tuple[str, str | None], list[tuple[str, str]]] = {}
    for scope in scopes.values():
        if scope.id == scope.process and scope.id != start and scope.id not in called:
            for node in scope.starters():
                for event in node.events:
                    if event.kind in {"message", "signal"}:
                        found.setdefault((event.kind, event.name), []).append((scope.id, node.id))
    return found


def _neighbours(scopes: Mapping[str, Scope], start: str) -> tuple[str, ...]:
    """Return the processes of other pools that would have to run too for all messages of this one to arrive."""
    called = {node.calls for scope in scopes.values() for node in scope.nodes.values()}
    told: dict[str, set[tuple[str, str | None]]] = {}
    for scope in scopes.values():
        told.setdefault(scope.process, set()).update(
            (event.kind, event.name)
            for node in scope.nodes.values()
            for event in node.events
            if event.kind in {"message", "signal"}
        )
    return tuple(
        scope.id
        for scope in scopes.values()
        if scope.id == scope.process and scope.id != start and scope.id not in called and scope.entries()
        and told[scope.id] & told[start]
    )  # fmt: skip


def _needed(scopes: Mapping[str, Scope], roots: list[str]) -> dict[str, Scope]:
    """Return the scopes a case can come into, the outermost first."""
    needed: dict[str, Scope] = {}
    ahead = list(roots)
    while ahead:
        scope = scopes[ahead.pop(0)]
        if scope.id not in needed:
            needed[scope.id] = scope
            ahead += [node.calls or node.id for node in scope.nodes.values() if node.kind in NESTED]
    return needed
