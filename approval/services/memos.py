"""Memos (内部便笺): what officers tell one another about a case; the applicant never sees them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from approval.domain import texts
from approval.domain.errors import AlreadyDone, AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.models.cases import Case
from approval.models.desks import Memo
from approval.models.people import Person
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, countersigns, journal

_LONGEST = 2000
# Whoever was urged today is not urged again today.
_URGED_FOR = timedelta(days=1)


def note(work: Work, number: str, text: str) -> Memo:
    """Leave a note on a case for colleagues (内部备注); raises as `access.officers_case`, `AnswersInvalid`."""
    case = access.officers_case(work, number)
    return _write(work, case, "note", text)


def copy_to(work: Work, task_id: UUID, whom: UUID, text: str) -> Memo:
    """Bring a case to a colleague's knowledge (抄送): one of those who could be asked to sign.

    Raises `NotSignedIn`, `NotFound` for who does not read the case from the inside, `AnswersInvalid`.
    """
    task = _task(work, task_id)
    if whom not in {person.id for person in countersigns.may_be_asked(work, task)}:
        raise AnswersInvalid(missing=[Missing("answers.whom", "not-a-choice", "抄送给")])
    work.session.refresh(task.case, with_for_update=True)
    memo = _write(work, task.case, "copy", text, task=task, told=whom)
    journal.write(work, task.case, "memo:copied", task=task.element, to=str(whom))
    return memo


def urge(work: Work, task_id: UUID, text: str) -> Memo:
    """Urge whoever claimed a task (催办), once a day; by an officer who reads the case.

    Raises as `copy_to`; `NotAllowed` for a task that nobody claimed; `AlreadyDone` when it was urged within a day.
    """
    task = _task(work, task_id)
    if task.claimed_by is None or task.progress != Progress.OPEN:
        raise NotAllowed(task=task.element)
    work.session.refresh(task.case, with_for_update=True)
    lately = select(Memo.id).where(Memo.task_id == task.id, Memo.kind == "urge", Memo.told == task.claimed_by)
    if work.session.scalar(lately.where(Memo.written_at > work.now - _URGED_FOR).limit(1)) is not None:
        raise AlreadyDone(task=task.element)
    memo = _write(work, task.case, "urge", text, task=task, told=task.claimed_by)
    journal.write(work, task.case, "memo:urged", task=task.element, to=str(task.claimed_by))
    return memo


def of_case(work: Work, case: Case) -> Sequence[tuple[Memo, str]]:
    """List the memos on a case with who wrote each (内部便笺), the newest first; the caller reads the case."""
    found = select(Memo, Person.name).join(Person, Person.id == Memo.written_by).where(Memo.case_id == case.id)
    return [(memo, name) for memo, name in work.session.execute(found.order_by(Memo.written_at.desc(), Memo.id))]


def told_me(work: Work, *, limit: int = 50) -> Sequence[tuple[Memo, str, str]]:
    """List what colleagues told the actor and was not read (抄送与催办), with who and which case, the newest first."""
    found = (
        select(Memo, Person.name, Case.number)
        .join(Person, Person.id == Memo.written_by)
        .join(Case, Case.id == Memo.case_id)
        .where(Memo.told == work.actor.person, Memo.read_at.is_(None))
    )
    rows = work.session.execute(found.order_by(Memo.written_at.desc()).limit(limit))
    return [(memo, name, number) for memo, name, number in rows]


def waiting(work: Work) -> int:
    """Count what colleagues want of the actor (协同待办数): memos that were not read, and answers that are due."""
    told = select(func.count()).where(Memo.told == work.actor.person, Memo.read_at.is_(None)).scalar_subquery()
    return work.session.scalar(select(told + countersigns.asked_of_me(work))) or 0


def read(work: Work, memo_id: UUID) -> None:
    """Mark a memo to the actor as read (标记已读); anybody else's stays as it is."""
    mine = (Memo.id == memo_id, Memo.told == work.actor.person, Memo.read_at.is_(None))
    work.session.execute(update(Memo).where(*mine).values(read_at=work.now))


def _task(work: Work, task_id: UUID) -> Task:
    if work.actor.person is None:
        raise NotSignedIn
    task = work.session.get(Task, task_id)
    if task is None or not access.reads(work, task.case):
        raise NotFound(task=str(task_id))
    return task


def _write(work: Work, case: Case, kind: str, text: str, *, task: Task | None = None, told: UUID | None = None) -> Memo:
    read_, missing = texts.reasons(("answers.text", "内容", text, _LONGEST))
    if missing:
        raise AnswersInvalid(missing=missing)
    assert work.actor.person is not None
    memo = Memo(
        id=uuid4(),
        case_id=case.id,
        task_id=task.id if task else None,
        kind=kind,
        written_by=work.actor.person,
        told=told,
        text=read_[0],
        written_at=work.now,
        read_at=None,
    )
    work.session.add(memo)
    work.session.flush()
    return memo
