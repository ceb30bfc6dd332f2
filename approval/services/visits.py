"""Joint site visits (联合踏勘): one visit of many departments, each with findings of its own, in one record."""

from typing import Any, Final

from approval.domain.errors import NotAllowed, OutOfTurn
from approval.models.cases import Case
from approval.office import Work
from approval.services import answers, dossiers, evidence, kinds, notices, people
from approval.services.errands import act

VISIT: Final = "joint_visit"
FINDING: Final = "visit_finding"
_FEWEST: Final = 2
_BASIS: Final = "行政许可法第三十四条第三款"


@act("record_joint_visit")
def record(work: Work, case: Case) -> dict[str, Any]:
    """Record a joint site visit (联合踏勘记录): who was there, and what every department found, none left out.

    Raises `NotAllowed` unless two officers at least took part (行政许可法第三十四条第三款), `OutOfTurn` where nobody
    visited, and `NoticeIncomplete`.
    """
    said = [each for each in answers.by_task(work, case) if each[0].element in {VISIT, FINDING}]
    began = [place for place, (task, _content) in enumerate(said) if task.element == VISIT]
    if not began:
        raise OutOfTurn(task=VISIT)
    (lead, visit), *after = said[began[-1] :]
    findings = {task.item: (task, content) for task, content in after}  # what was found anew takes its place
    there = {task.done_by for task in (lead, *(task for task, _content in findings.values())) if task.done_by}
    if len(there) < _FEWEST:
        raise NotAllowed(task=VISIT, officers=len(there), basis=_BASIS)
    departments = people.departments(work)
    found = [
        f"{departments[task.department_code].zh}：{content.get('findings', '')}"
        for task, content in findings.values()
        if task.department_code
    ]
    officers = sorted(dossiers.names(work, there).values())
    told = {**visit, "findings": "\n".join([str(visit.get("findings") or ""), *found])}
    tasks = {lead.id, *(task.id for task, _content in findings.values())}
    taken = [f"{one.filename}（SHA-256 {one.sha256}）" for one in evidence.of_case(work, case) if one.task_id in tasks]
    signed = {"officers": officers, "signature": "、".join(officers), "evidence": taken}
    notices.put(work, case, kinds.catalogue()["site-visit-record"], told | signed)
    return {}
