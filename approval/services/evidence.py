"""Evidence (取证材料): photographs and papers that officers put to the task they do, such as those of a site visit."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from approval.domain.errors import AnswersInvalid, Missing, NotAllowed, NotFound, OutOfTurn
from approval.domain.materials import MEDIA_TYPES, Upload, media_format, plain_name
from approval.models.cases import Case
from approval.models.evidence import Evidence
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, journal, materials, tokens

_MOST: Final = 30
_WHERE: Final = "answers.file"
_LABEL: Final = "取证材料"


def examine(work: Work, upload: Upload) -> list[Missing]:
    """Examine a file before it is put to a task (取证材料核对): as `materials.examine`, outside any writing Work."""
    if why := _fault(work, upload) or materials.fault(work, upload):
        return [Missing(_WHERE, why, _LABEL)]
    return []


def attach(work: Work, task_id: UUID, upload: Upload, *, token: str | None = None) -> Evidence | None:
    """Put a file to the task that one holds (上传取证材料); it was opened by `examine` before.

    `token` makes a second sending the same file: nothing is put anew, and None returned. Raises as `access.task`;
    `NotAllowed` for a task that is not one's own; `AnswersInvalid` for a file of another kind, an empty or too large
    one, and more than 30 — the caller lets its Work be undone then, so that the token is good for another try.
    """
    task = _own(work, task_id)
    why, kind = _fault(work, upload), media_format(upload)
    if not why and tokens.spent(work, token, "evidence:attached", str(task.id)):
        return None
    why = why or ("" if room(work, task) else "too-many")
    if why or kind is None or work.actor.person is None:
        raise AnswersInvalid(missing=[Missing(_WHERE, why or "wrong-type", _LABEL)])
    kept = Evidence(
        id=uuid4(),
        case_id=task.case_id,
        task_id=task.id,
        filename=plain_name(upload.filename),
        media_type=MEDIA_TYPES[kind],
        size=len(upload.content),
        sha256=work.storage.put(upload.content),
        attached_by=work.actor.person,
        attached_at=work.now,
    )
    work.session.add(kept)
    journal.write(work, task.case, "evidence:attached", task=task.element, sha256=kept.sha256)
    return kept


def remove(work: Work, evidence_id: UUID) -> Task:
    """Take a file off a task that is still open (移除取证材料), by whoever put it there; the journal remembers it.

    Raises as `obtain`, `NotAllowed` for another's, `OutOfTurn` once the task is done.
    """
    found, _case = obtain(work, evidence_id)
    task = work.session.get_one(Task, found.task_id)
    if found.attached_by != work.actor.person:
        raise NotAllowed(task=task.element)
    if task.progress != Progress.OPEN:
        raise OutOfTurn(task=task.element)
    access.task(work, task.id)
    journal.write(work, task.case, "evidence:removed", task=task.element, sha256=found.sha256)
    work.session.delete(found)
    return task


def obtain(work: Work, evidence_id: UUID) -> tuple[Evidence, Case]:
    """Obtain a file and its case (调阅取证材料), as whoever reads it from the inside; raises as `officers_case`."""
    found = work.session.get(Evidence, evidence_id)
    if found is None:
        raise NotFound(evidence=str(evidence_id))
    return found, access.officers_case(work, work.session.get_one(Case, found.case_id).number)


def room(work: Work, task: Task) -> int:
    """Count how many more files may be put to a task (取证材料余量)."""
    return _MOST - (work.session.scalar(select(func.count()).where(Evidence.task_id == task.id)) or 0)


def of_case(work: Work, case: Case) -> Sequence[Evidence]:
    """List what officers put to the tasks of a case (办件的取证材料), oldest first."""
    theirs = select(Evidence).where(Evidence.case_id == case.id)
    return work.session.scalars(theirs.order_by(Evidence.attached_at, Evidence.id)).all()


def _own(work: Work, task_id: UUID) -> Task:
    task = access.task(work, task_id)
    if task.claimed_by is None or task.claimed_by != work.actor.person:
        raise NotAllowed(task=task.element)
    return task


def _fault(work: Work, upload: Upload) -> str:
    if not upload.content:
        return "empty"
    if len(upload.content) > work.office.settings.material_bytes:
        return "too-large"
    return "" if media_format(upload) else "wrong-type"
