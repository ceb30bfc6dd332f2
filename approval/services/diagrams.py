"""Diagrams (流程图): what stands where on the drawn procedure of a case, of a version, of a pack in the making."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, union_all

from approval.domain.errors import Fault, NotFound
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, ErrandProgress, Progress, Task, Timer
from approval.office import Work
from approval.services import access, items
from approval.services.packs import MAIN, Pack

DONE, CURRENT, FAULT = "done", "current", "fault"
PROCEDURE: Final = ".bpmn"
_OPEN: Final = frozenset({Progress.OPEN, ErrandProgress.INCIDENT})
_CALL: Final = "callActivity"
_KINDS: Final = (Task, Errand, Timer)

Marks = dict[str, dict[str, Any]]


class Drawing(NamedTuple):
    """One diagram (一张流程图) and what is marked on it, in the order to be told.

    A mark is `state` (done, current or fault), `count` (0: not worth telling), `text`, and for faults their `number`.
    """

    file: str
    title: str
    marks: Marks


class Standing(NamedTuple):
    """Where a case stands (办件进度) for whoever runs the office: nothing of whose it is or what was answered."""

    number: str
    status: str
    filed_at: datetime
    version: ItemVersion
    drawings: list[Drawing]


class _Step(NamedTuple):
    element: str
    state: str
    at: datetime
    pieces: int = 1


def files(pack: Pack) -> dict[str, str]:
    """Name the files that a procedure is drawn in (流程图文件) with what each shows, the one cases start in first."""
    nodes = pack.definition.nodes.values()
    callers = {node.calls: node.name for node in nodes if node.kind == _CALL}
    titles = {node.file: callers.get(node.process) or node.file for node in nodes}
    return {MAIN: pack.manifest.name.zh} | {file: title for file, title in titles.items() if file != MAIN}


def source(pack: Pack, file: str) -> bytes:
    """Bring the BPMN of one diagram (流程图源文件); raises `NotFound` for what the procedure does not use."""
    if file not in files(pack):
        raise NotFound(file=file)
    return pack.files[file]


def path(work: Work, case: Case) -> list[Drawing]:
    """Draw the way a case went and where it is (办件轨迹): steps done, how often, and steps under way.

    A step done and open again is under way. The caller has obtained the case through the funnel.
    """
    pack = items.pack_of(work, case)
    went = union_all(
        *(
            select(kind.element, kind.progress, kind.opened_at).where(
                kind.case_id == case.id, kind.progress != Progress.DROPPED
            )
            for kind in _KINDS
        )
    )
    steps = [_Step(element, CURRENT if how in _OPEN else DONE, at) for element, how, at in work.session.execute(went)]
    # What was done under an earlier version may have no place on this one's diagrams.
    drawn = (step for step in steps if step.element in pack.definition.nodes)
    return _drawings(pack, (step for step in drawn if step.state == DONE or _waits(pack, step.element)), sums=False)


def running(work: Work, version: ItemVersion) -> list[Drawing]:
    """Count what is open at each element (在办分布) over all cases of a version, in one statement.

    Raises `NotAllowed` unless an administrator looks.
    """
    access.require_administrator(work)
    counted = union_all(
        *(
            select(kind.element, func.count().label("count"), func.min(kind.opened_at).label("at"))
            .join(Case, Case.id == kind.case_id)
            .where(Case.item_version_id == version.id, kind.progress.in_(sorted(_OPEN)))
            .group_by(kind.element)
            for kind in _KINDS
        )
    )
    pack = items.pack(work, version)
    steps = [_Step(element, CURRENT, at, count) for element, count, at in work.session.execute(counted)]
    return _drawings(pack, (step for step in steps if _waits(pack, step.element)), sums=True)


def standing(work: Work, number: str) -> Standing:
    """Tell an administrator where any case stands (办件进度查询), without answers, names or materials.

    Raises `NotAllowed` unless an administrator asks, `NotFound`.
    """
    case = access.any_case(work, number)
    return Standing(case.number, case.status, case.filed_at, case.item_version, path(work, case))


def faulty(pack_files: Mapping[str, bytes], faults: Iterable[Fault]) -> list[Drawing]:
    """Mark what is wrong (标注缺陷) on every BPMN file of a pack, readable as a whole or not, the main file first.

    Faults are numbered from 1, in the order given.
    """
    marks: dict[str, Marks] = {file: {} for file in sorted(pack_files, key=lambda file: (file != MAIN, file))}
    for number, fault in enumerate(faults, 1):
        if fault.file in marks and fault.element:
            nothing = {"state": FAULT, "count": 0, "text": fault.element, "number": ""}
            mark = marks[fault.file].setdefault(fault.element, nothing)
            mark["count"] += 1
            mark["number"] = f"{mark['number']}, {number}".lstrip(", ")
    return [Drawing(file, file, marks[file]) for file in marks if file.endswith(PROCEDURE)]


def _waits(pack: Pack, element: str) -> bool:
    """Tell a place where cases wait from a timer that is only armed beside one."""
    node = pack.definition.nodes.get(element)
    return node is not None and node.attached is None


def _drawings(pack: Pack, steps: Iterable[_Step], *, sums: bool) -> list[Drawing]:
    """Mark steps, and the calls around them, on the files of a pack; `sums` lets a call count what is inside it."""
    nodes = pack.definition.nodes
    drawn: dict[str, Marks] = {file: {} for file in files(pack)}
    counts = Counter[tuple[str, str]]()
    current: set[str] = set()
    told = [placed for step in steps for placed in _with_callers(pack, step, sums=sums)]
    for step in sorted(told, key=lambda step: step.at):
        counts[step.element, step.state] += step.pieces
        if step.state == CURRENT:
            current.add(step.element)
        state = CURRENT if step.element in current else DONE
        node, count = nodes[step.element], counts[step.element, state]
        drawn[node.file][step.element] = {
            "state": state,
            # Of one case nobody needs to hear that it is once where it is.
            "count": count if sums or count > 1 else 0,
            "text": node.name or step.element,
        }
    return [Drawing(file, title, drawn[file]) for file, title in files(pack).items()]


def _with_callers(pack: Pack, step: _Step, *, sums: bool) -> Iterator[_Step]:
    """Bring a step and, around it, the calls of its procedure: whoever is inside is also there."""
    yield step
    inside = pack.definition.nodes[step.element].process
    for caller in pack.definition.nodes.values():
        if caller.kind == _CALL and caller.calls == inside:
            outer = step._replace(element=caller.id, pieces=step.pieces if sums else 0)
            yield from _with_callers(pack, outer, sums=sums)
