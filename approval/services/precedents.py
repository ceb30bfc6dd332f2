"""Precedents (同类先例): how cases of the same item ended before, for whoever decides the next."""

from typing import NamedTuple

from sqlalchemy import select

from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Task
from approval.office import Work

_MOST = 10


class Precedent(NamedTuple):
    """A case that was decided (先例): its number, what was decided and when."""

    case: Case
    decision: str


def of(work: Work, case: Case) -> list[Precedent]:
    """List how the last cases of the same item ended (同类先例), the newest first, among those that the actor may read.

    Those in which a department of the actor's had work.
    """
    version = work.session.get_one(ItemVersion, case.item_version_id)
    worked = select(Task.id).where(Task.case_id == Case.id, Task.department_code.in_(work.actor.departments)).exists()
    decided = select(Case).join(ItemVersion, ItemVersion.id == Case.item_version_id)
    same = decided.where(ItemVersion.item_code == version.item_code, Case.decision.is_not(None), Case.id != case.id)
    found = work.session.scalars(same.where(worked).order_by(Case.decided_at.desc()).limit(_MOST))
    return [Precedent(each, each.decision or "") for each in found]
