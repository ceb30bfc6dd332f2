"""Countersigning (会签、加签): colleagues say yes or no before a task is completed, and no answer is ever lost."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import ScalarSelect, exists, func, select
from sqlalchemy.orm import joinedload

from approval.domain import texts
from approval.domain.actors import ADMINISTRATOR
from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    Missing,
    NotAllowed,
    NotFound,
    NotSignedIn,
)
from approval.models.cases import Case
from approval.models.desks import Countersign
from approval.models.people import Person, Post
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, handovers, journal

_MOST = 20


def may_be_asked(work: Work, task: Task) -> list[Person]:
    """List who can be asked to sign (可会签人员): officers of the departments that work on the case, not oneself.

    Whoever must keep away from the matter (回避) is not among them.
    """
    working = select(Task.department_code).where(Task.case_id == task.case_id, Task.department_code.is_not(None))
    post = exists().where(Post.person_id == Person.id, Post.department_code.in_(working), Post.role != ADMINISTRATOR)
    able = select(Person).join(Case, Case.id == task.case_id).where(post, Person.disabled_at.is_(None))
    others = able.where(Person.id != work.actor.person, ~access.concerns(Person.id))
    return list(work.session.scalars(others.order_by(Person.name, Person.code)))


def ask(work: Work, task_id: UUID, whom: Sequence[UUID], question: str) -> list[Countersign]:
    """Ask colleagues to sign before one's task is completed (加签、会签), by whoever claimed it.

    Somebody who was asked and has not answered is not asked twice. Raises as `access.task`, `NotAllowed` for a task
    that is not one's own, `AnswersInvalid` for nobody, somebody who cannot be asked, or no question.
    """
    task = access.task(work, task_id)
    if task.claimed_by is None or task.claimed_by != work.actor.person:
        raise NotAllowed(task=task.element)
    read, missing = texts.reasons(("answers.question", "会签事项", question, texts.LONGEST_REASON))
    known = {person.id for person in may_be_asked(work, task)}
    if not whom or len(whom) > _MOST or not set(whom) <= known:
        missing.insert(0, Missing("answers.whom", "not-a-choice" if whom else "required", "会签人"))
    if missing:
        raise AnswersInvalid(missing=missing)
    waiting = {one.asked for one in of_task(work, task) if one.answered_at is None and one.withdrawn_at is None}
    made = [
        Countersign(
            id=uuid4(),
            task_id=task.id,
            asked_by=work.actor.person,
            asked=person,
            question=read[0],
            asked_at=work.now,
            agrees=None,
            opinion="",
        )
        for person in sorted(set(whom) - waiting)
    ]
    work.session.add_all(made)
    for one in made:
        journal.write(work, task.case, "countersign:asked", task=task.element, asked=str(one.asked))
    return made


def answer(work: Work, countersign_id: UUID, *, agrees: bool | None, opinion: str) -> Countersign:
    """Answer what one was asked to sign (会签意见), once; a no says why.

    Raises `NotSignedIn`, `NotFound` for anybody else's, `NotAllowed` in one's own matter (回避), `AlreadyDone` when it
    was answered, withdrawn, or the task is over, `AnswersInvalid` for neither yes nor no, and a no without a reason.
    """
    asked = _asked_of(work, countersign_id)
    case = _locked(work, asked)
    if access.in_own_matter(work, case):
        raise NotAllowed(recused=True)
    if asked.answered_at or asked.withdrawn_at or asked.task.progress != Progress.OPEN:
        raise AlreadyDone(countersign=str(countersign_id))
    if agrees is None:
        raise AnswersInvalid(missing=[Missing("answers.agrees", "required", "意见")])
    said = texts.reason(opinion, where="answers.opinion", label="说明") if opinion.strip() or not agrees else ""
    asked.agrees, asked.opinion, asked.answered_at = agrees, said, work.now
    journal.write(work, case, "countersign:answered", task=asked.task.element, agrees=agrees)
    return asked


def withdraw(work: Work, countersign_id: UUID) -> Countersign:
    """Withdraw a question that nobody answered yet (撤回会签), by who asked it, holds the task now, or hands it out.

    Raises `NotFound` for anybody else, `AlreadyDone`.
    """
    asked = work.session.get(Countersign, countersign_id)
    who = work.actor.person
    if asked is None or who is None or not (who in {asked.asked_by, asked.task.claimed_by} or _led(work, asked)):
        raise NotFound(countersign=str(countersign_id))
    case = _locked(work, asked)
    if asked.answered_at:
        raise AlreadyDone(countersign=str(countersign_id))
    if asked.withdrawn_at is None:
        asked.withdrawn_at = work.now
        journal.write(work, case, "countersign:withdrawn", task=asked.task.element, asked=str(asked.asked))
    return asked


def of_task(work: Work, task: Task) -> Sequence[Countersign]:
    """List what was asked about a task (会签情况), in order."""
    found = select(Countersign).where(Countersign.task_id == task.id).order_by(Countersign.asked_at, Countersign.id)
    return work.session.scalars(found).all()


def of_case(work: Work, case: Case) -> Sequence[Countersign]:
    """List what was asked about all tasks of a case (会签情况), in order: a no never goes away."""
    found = select(Countersign).join(Task, Task.id == Countersign.task_id).where(Task.case_id == case.id)
    in_order = found.options(joinedload(Countersign.task)).order_by(Countersign.asked_at, Countersign.id)
    return work.session.scalars(in_order).all()


def asked_of_me(work: Work) -> ScalarSelect[int]:
    """Count what `mine` would list (待我会签数), as part of another statement."""
    waiting = (Countersign.asked == work.actor.person, Countersign.answered_at.is_(None))
    found = select(func.count()).select_from(Countersign).join(Task, Task.id == Countersign.task_id).where(*waiting)
    return found.where(Countersign.withdrawn_at.is_(None), Task.progress == Progress.OPEN).scalar_subquery()


def mine(work: Work) -> Sequence[Countersign]:
    """List what the actor is asked to sign and has not answered (待我会签), the longest waiting first."""
    waiting = (Countersign.asked == work.actor.person, Countersign.answered_at.is_(None))
    found = select(Countersign).join(Task, Task.id == Countersign.task_id).where(*waiting)
    still = found.where(Countersign.withdrawn_at.is_(None), Task.progress == Progress.OPEN)
    with_case = joinedload(Countersign.task).joinedload(Task.case).joinedload(Case.item_version)
    return work.session.scalars(still.options(with_case).order_by(Countersign.asked_at)).all()


def _led(work: Work, asked: Countersign) -> bool:
    return handovers.leads(work, asked.task) and not access.in_own_matter(work, asked.task.case)


def _locked(work: Work, asked: Countersign) -> Case:
    """Lock the case: whoever changes a countersign or its task holds it. Both are read as they are then."""
    case = work.session.get_one(Case, asked.task.case_id, with_for_update=True)
    for row in (asked, asked.task):
        work.session.refresh(row)
    return case


def _asked_of(work: Work, countersign_id: UUID) -> Countersign:
    if work.actor.person is None:
        raise NotSignedIn
    asked = work.session.get(Countersign, countersign_id)
    if asked is None or asked.asked != work.actor.person:
        raise NotFound(countersign=str(countersign_id))
    return asked
