"""The access funnel (权限): the only way to obtain a case or a task is to be allowed to.

What somebody may not see is `NotFound`, so that numbers cannot be tried out; what somebody may see but not
do is `NotAllowed`.
"""

from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, or_, select, true
from sqlalchemy.orm import contains_eager

from approval.domain.actors import SYSTEM
from approval.domain.answers import PRESIDERS
from approval.domain.errors import AlreadyDone, Held, NotAllowed, NotFound, NotSignedIn, Overtaken, Refusal
from approval.domain.manifests import APPLICANT, Extension
from approval.models.cases import Case
from approval.models.desks import Countersign
from approval.models.items import ItemVersion
from approval.models.materials import Material
from approval.models.parties import InterestedParty
from approval.models.people import Agency
from approval.models.tasks import Progress, Task, Timer
from approval.office import Work
from approval.services import answers, items, statutes

LEADER: Final = "signer"  # who answers for a department (负责人)
PRESIDER: Final = "presider"
SCHEDULE: Final = "hearing_schedule"
_PRESIDING: Final = "行政许可法第四十八条第一款第三项"


def concerns(person: Any) -> ColumnElement[bool]:
    """Say in SQL whether a case is somebody's own matter (回避的情形), of a statement that reads from cases.

    They filed it or applied, act for its applicant, or are an interested party, also one that was let go. `person` is
    an id, or the column or parameter that holds one.
    """
    acted_for = select(Agency.organization_id).where(Agency.person_id == person)
    party = exists().where(
        InterestedParty.case_id == Case.id,
        or_(InterestedParty.holder_id == person, InterestedParty.holder_id.in_(acted_for)),
    )
    return or_(Case.filed_by == person, Case.applicant_id == person, Case.applicant_id.in_(acted_for), party)


# The case comes first: whoever locks both takes them in this order. A row that was waited for is read as it is then.
_OBTAIN: Final = (
    select(
        Task,
        concerns(bindparam("person")),
        exists().where(Timer.case_id == Case.id, Timer.progress == Progress.OPEN, Timer.due_at <= bindparam("now")),
        exists().where(
            Countersign.task_id == Task.id, Countersign.answered_at.is_(None), Countersign.withdrawn_at.is_(None)
        ),
    )
    .select_from(Case)
    .join(Task, Task.case_id == Case.id)
    .where(Task.id == bindparam("task"))
    .options(contains_eager(Task.case))
    .with_for_update(of=[Case, Task])
    .execution_options(populate_existing=True)
)


def case(work: Work, number: str, *, lock: bool = False) -> Case:
    """Obtain a case by its number (取得办件): its applicant, anyone whose post has or had work in it, who leads.

    `lock` keeps others from changing it until this Work ends. Raises `NotSignedIn`, `NotFound`.
    """
    _somebody(work)
    if not number.isprintable():  # half characters and NUL, which a database driver would choke on
        raise NotFound(case=number)
    wanted = select(Case).where(Case.number == number, _visible(work))
    if lock:  # a case that was waited for, and perhaps read before, is taken as it is then
        wanted = wanted.with_for_update(of=Case).execution_options(populate_existing=True)
    found = work.session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(case=number)
    return found


def own_case(work: Work, number: str) -> Case:
    """Obtain, locked, a case that the actor filed or is the applicant of (申请人本人的办件)."""
    found = case(work, number, lock=True)
    if not _is_applicant(work, found):
        raise NotAllowed(case=number)
    return found


def officers_case(work: Work, number: str) -> Case:
    """Obtain a case to read from the inside (调阅办件); raises as `case`, and `NotAllowed` unless `reads`."""
    found = case(work, number)
    if not reads(work, found):
        raise NotAllowed(case=number)
    return found


def timed_case(work: Work, number: str) -> Case:
    """Obtain a case to see to its time limits (时限经办): to read from the inside, or to extend from above.

    Whoever ranks above the departments, such as the head of the people's government, has no task in it
    (行政许可法第四十二条第二款). Raises as `officers_case`.
    """
    found = case(work.acting_as(SYSTEM), number)
    limits = items.pack_of(work, found).manifest.limits.values()
    if any(limit.extension and ranks(work, found, limit.extension) for limit in limits):
        if in_own_matter(work, found):
            raise NotAllowed(case=number, recused=True)
        return found
    return officers_case(work, number)


def ranks(work: Work, found: Case, extension: Extension) -> bool:
    """Tell whether the actor holds the rank that extends a limit (有权批准延期); no department: the item's own."""
    department = extension.department or items.pack_of(work, found).manifest.department
    return work.actor.holds(department, extension.role)


def reads(work: Work, found: Case) -> bool:
    """Tell whether the actor reads a case from the inside (阅卷资格): opinions, answers, who did what.

    It takes a post in a department that has or had work in it, or to lead the one that answers for its item. Running
    the office is no such post, and in one's own matter (回避) what colleagues wrote is not for one's eyes.
    """
    theirs = select(Task.id).where(Task.case_id == found.id, Task.department_code.in_(work.actor.departments)).limit(1)
    at_work = work.session.scalar(theirs) is not None or leads(work, found)
    return at_work and not in_own_matter(work, found)


def leads(work: Work, found: Case) -> bool:
    """Tell whether the actor signs for the department that answers for a case's item (实施机关负责人)."""
    return found.item_version.department_code in _led(work)


def material(work: Work, material_id: UUID) -> tuple[Material, Case]:
    """Obtain a material and its case (调阅材料), also one that was replaced, as whoever may see the case.

    Raises `NotSignedIn`, `NotFound`.
    """
    _somebody(work)
    seen = select(Material, Case).join(Case, Case.id == Material.case_id)
    found = work.session.execute(seen.where(Material.id == material_id, _visible(work))).one_or_none()
    if found is None:
        raise NotFound(material=str(material_id))
    return found[0], found[1]


def task_in_sight(work: Work, task_id: UUID) -> Task:
    """Obtain a task to look at (查看待办), open or closed; raises `NotSignedIn`, `NotFound` for a stranger."""
    _somebody(work)
    found = work.session.get(Task, task_id)
    if found is None or not _sees_task(work, found):
        raise NotFound(task=str(task_id))
    return found


def hindrance(work: Work, found: Task) -> Refusal | None:
    """Say why the actor cannot do a task in sight (不能办理的原因), as `task` would refuse it; None when they can."""
    try:
        _require_doable(work, found)
    except Refusal as reason:
        return reason
    return None


def require_administrator(work: Work) -> None:
    """Require whoever acts to run the office (管理员权限); raises `NotSignedIn`, `NotAllowed`."""
    _somebody(work)
    if not work.actor.administers:
        raise NotAllowed


def any_case(work: Work, number: str, *, lock: bool = False) -> Case:
    """Obtain a case to tell an administrator where it stands (办件进度), never what was answered or by whom.

    `lock` keeps others from changing it until this Work ends. Raises `NotSignedIn`, `NotAllowed`, `NotFound`.
    """
    require_administrator(work)
    found = None
    if number.isprintable():
        wanted = select(Case).where(Case.number == number)
        if lock:
            wanted = wanted.with_for_update(of=Case).execution_options(populate_existing=True)
        found = work.session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(case=number)
    return found


def task(work: Work, task_id: UUID) -> Task:
    """Obtain an open task to work on (取得待办), its case locked: role, department, claim and separation hold.

    Raises `NotSignedIn`; `NotFound` for a stranger; `AlreadyDone` when the actor did it before, `Overtaken` when
    another did or claimed it; `NotAllowed` for the wrong post, in one's own matter (回避), or for somebody who
    did a task that must be done by another (行政许可法第三十四条, 受办分离).
    """
    return task_in_time(work, task_id).task


class Obtained(NamedTuple):
    """An open task that the actor may do (所取待办), and whether a timer of its case or a colleague's answer is due."""

    task: Task
    time_is_up: bool
    unsigned: bool


def task_in_time(work: Work, task_id: UUID) -> Obtained:
    """Obtain an open task as `task` does (取得待办), with what stands against completing it: all in one reading."""
    _somebody(work)
    found = work.session.execute(_OBTAIN, {"task": task_id, "person": work.actor.person, "now": work.now}).one_or_none()
    if found is None or not _sees_task(work, found[0]):
        raise NotFound(task=str(task_id))
    task_, concerned, due, unsigned = found
    _require_doable(work, task_, concerned=concerned)
    return Obtained(task_, due, unsigned)


def require_moving(found: Case) -> None:
    """Require that nobody holds a case still (办件未被暂停流转); raises `Held`."""
    if found.held_at is not None:
        raise Held(case=found.number)


def queue(work: Work) -> Select[Task]:
    """Select the open tasks that the actor's posts may do (待办队列); paging and order are the caller's."""
    # Each post by itself: for pairs in one list SQLite would read every task there ever was.
    posts = [and_(Task.department_code == post.department, Task.role == post.role) for post in sorted(work.actor.posts)]
    return select(Task).where(Task.progress == Progress.OPEN, or_(false(), *posts))


def _somebody(work: Work) -> None:
    if work.actor.person is None and not work.actor.system:
        raise NotSignedIn


def _visible(work: Work) -> ColumnElement[bool]:
    if work.actor.system:
        return true()
    worked = select(Task.id).where(Task.case_id == Case.id, Task.department_code.in_(work.actor.departments)).exists()
    led = Case.item_version.has(ItemVersion.department_code.in_(_led(work)))
    return or_(_owned(work), worked, led)


def _led(work: Work) -> set[str]:
    return {post.department for post in work.actor.posts if post.role == LEADER}


def _owned(work: Work) -> ColumnElement[bool]:
    return Case.applicant_id.in_(_applicants(work))


def _applicants(work: Work) -> list[UUID]:
    return [who for who in (work.actor.organization, work.actor.person) if who is not None]


def _is_applicant(work: Work, found: Case) -> bool:
    return found.applicant_id in _applicants(work)


def _sees_task(work: Work, found: Task) -> bool:
    if found.role == APPLICANT:
        return _is_applicant(work, found.case)
    return found.department_code in work.actor.departments or _is_applicant(work, found.case)


def _require_doable(work: Work, found: Task, *, concerned: bool | None = None) -> None:
    if found.role != APPLICANT and in_own_matter(work, found.case, concerned=concerned):
        raise NotAllowed(task=found.element, recused=True)
    if found.progress != Progress.OPEN:
        raise (AlreadyDone(task=found.element) if found.done_by == work.actor.person else Overtaken(task=found.element))
    if not _may_do(work, found):
        raise NotAllowed(task=found.element, department=found.department_code, role=found.role)
    if found.claimed_by not in {None, work.actor.person}:
        raise Overtaken(task=found.element)
    require_moving(found.case)
    _apart(work, found)
    if found.role == PRESIDER and presider(work, found.case) not in {None, work.actor.name}:
        raise NotAllowed(task=found.element, basis=_PRESIDING)


def _may_do(work: Work, found: Task) -> bool:
    if found.role == APPLICANT:
        return _is_applicant(work, found.case)
    return work.actor.holds(found.department_code or "", found.role)


def presider(work: Work, found: Case) -> str | None:
    """Find who was chosen to preside over the hearing of a case (选定的主持人), by name.

    None where nobody was, or where a pack of before lets any text stand there.
    """
    forms = items.pack_of(work, found).forms.values()
    chosen = any(question.source == PRESIDERS for form in forms for question in form.fields)
    return answers.latest(work, found, SCHEDULE).get(PRESIDER) if chosen else None


def in_own_matter(work: Work, found: Case, *, concerned: bool | None = None) -> bool:
    """Tell whether a case is an officer's own matter (回避): what they filed, applied for, act for, or are a party to.

    `concerned` says so where the caller has read it already.
    """
    if work.actor.person is None:
        return False
    if concerned is None:
        known = select(concerns(work.actor.person)).where(Case.id == found.id)
        concerned = bool(work.session.scalar(known))
    return concerned


def _apart(work: Work, found: Task) -> None:
    done = select(Task.element, Task.role).where(Task.case_id == found.case_id, Task.done_by == work.actor.person)
    mine = work.session.execute(done.distinct()).all()
    elements = {element for element, _role in mine} - {found.element}
    for rule in items.pack_of(work, found.case).manifest.apart if elements else ():
        if found.element in rule.tasks and (others := rule.tasks & elements):
            raise NotAllowed(task=found.element, done=sorted(others), basis=rule.basis)
    for law in statutes.separations() if mine else ():
        own = found.role if law.of_roles else found.element
        theirs = law.apart_from(own)
        if against := {element for element, role in mine if (role if law.of_roles else element) in theirs}:
            raise NotAllowed(task=found.element, done=sorted(against), basis=law.basis)
