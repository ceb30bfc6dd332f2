"""The access funnel (权限): the only way to obtain a case or a task is to be allowed to.

What somebody may not see is `NotFound`, so that numbers cannot be tried out; what somebody may see but not
do is `NotAllowed`.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, true, tuple_

from approval.domain.errors import AlreadyDone, NotAllowed, NotFound, NotSignedIn, Overtaken
from approval.domain.manifests import APPLICANT
from approval.models.cases import Case
from approval.models.people import Agency
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import items


def case(work: Work, number: str, *, lock: bool = False) -> Case:
    """Obtain a case by its number (取得办件): its applicant, or anyone whose post has or had work in it.

    `lock` keeps others from changing it until this Work ends. Raises `NotSignedIn`, `NotFound`.
    """
    _somebody(work)
    if not number.isprintable():  # half characters and NUL, which a database driver would choke on
        raise NotFound(case=number)
    wanted = select(Case).where(Case.number == number, _visible(work))
    found = work.session.scalars(wanted.with_for_update(of=Case) if lock else wanted).one_or_none()
    if found is None:
        raise NotFound(case=number)
    return found


def own_case(work: Work, number: str) -> Case:
    """Obtain, locked, a case that the actor filed or is the applicant of (申请人本人的办件)."""
    found = case(work, number, lock=True)
    if not _is_applicant(work, found):
        raise NotAllowed(case=number)
    return found


def task(work: Work, task_id: UUID) -> Task:
    """Obtain an open task to work on (取得待办), its case locked: role, department, claim and separation hold.

    Raises `NotSignedIn`; `NotFound` for a stranger; `AlreadyDone` when the actor did it before, `Overtaken` when
    another did or claimed it; `NotAllowed` for the wrong post, in one's own matter (回避), or for somebody who
    did a task that must be done by another (行政许可法第三十四条, 受办分离).
    """
    _somebody(work)
    found = work.session.get(Task, task_id)
    if found is None or not _sees_task(work, found):
        raise NotFound(task=str(task_id))
    work.session.refresh(found.case, with_for_update=True)
    work.session.refresh(found)
    if found.progress != Progress.OPEN:
        raise (AlreadyDone(task=found.element) if found.done_by == work.actor.person else Overtaken(task=found.element))
    if not _may_do(work, found):
        raise NotAllowed(task=found.element, department=found.department_code, role=found.role)
    _recused(work, found)
    if found.claimed_by not in {None, work.actor.person}:
        raise Overtaken(task=found.element)
    _apart(work, found)
    return found


def queue(work: Work) -> Select[Task]:
    """Select the open tasks that the actor's posts may do (待办队列); paging and order are the caller's."""
    posts = [(post.department, post.role) for post in work.actor.posts]
    return select(Task).where(Task.progress == Progress.OPEN, tuple_(Task.department_code, Task.role).in_(posts))


def _somebody(work: Work) -> None:
    if work.actor.person is None and not work.actor.system:
        raise NotSignedIn


def _visible(work: Work) -> ColumnElement[bool]:
    if work.actor.system:
        return true()
    departments = {post.department for post in work.actor.posts}
    worked = select(Task.id).where(Task.case_id == Case.id, Task.department_code.in_(departments)).exists()
    return or_(_owned(work), worked)


def _owned(work: Work) -> ColumnElement[bool]:
    return Case.applicant_id.in_(_applicants(work))


def _applicants(work: Work) -> list[UUID]:
    return [who for who in (work.actor.organization, work.actor.person) if who is not None]


def _is_applicant(work: Work, found: Case) -> bool:
    return found.applicant_id in _applicants(work)


def _sees_task(work: Work, found: Task) -> bool:
    if found.role == APPLICANT:
        return _is_applicant(work, found.case)
    return found.department_code in {post.department for post in work.actor.posts} or _is_applicant(work, found.case)


def _may_do(work: Work, found: Task) -> bool:
    if found.role == APPLICANT:
        return _is_applicant(work, found.case)
    return work.actor.holds(found.department_code or "", found.role)


def _recused(work: Work, found: Task) -> None:
    """Keep officers away from their own matters (回避): what they filed, applied for, or may act for."""
    if found.role == APPLICANT:
        return
    if work.actor.person in {found.case.filed_by, found.case.applicant_id} or _is_agent(work, found.case):
        raise NotAllowed(task=found.element, recused=True)


def _is_agent(work: Work, found: Case) -> bool:
    return work.session.get(Agency, (work.actor.person, found.applicant_id)) is not None


def _apart(work: Work, found: Task) -> None:
    rules = [rule for rule in items.pack(work, found.case.item_version).manifest.apart if found.element in rule.tasks]
    done = select(Task.element).where(Task.case_id == found.case_id, Task.done_by == work.actor.person)
    mine = set(work.session.scalars(done))
    for rule in rules:
        if others := rule.tasks & mine - {found.element}:
            raise NotAllowed(task=found.element, done=sorted(others), basis=rule.basis)
