"""Handing over (交接): a claimed task goes to a colleague, comes back from one who is away, posts are stood in for."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select

from approval.domain import texts
from approval.domain.errors import AlreadyDone, AnswersInvalid, Missing, NotAllowed, NotFound, NotSignedIn
from approval.models.desks import Cover
from approval.models.people import Person, Post
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import access, journal, people

_MOST_DAYS = 366


def colleagues(work: Work, task: Task) -> list[Person]:
    """List who else holds the post of a task (同岗人员), by name."""
    held = select(Person).join(Post, Post.person_id == Person.id)
    same = held.where(Post.department_code == task.department_code, Post.role == task.role)
    others = same.where(Person.disabled_at.is_(None), Person.id != work.actor.person)
    return list(work.session.scalars(others.order_by(Person.name, Person.code)))


def pass_on(work: Work, task_id: UUID, to: UUID, reason: str) -> Task:
    """Pass a task on to a colleague of the same post (转办、分派), with a reason.

    By whoever claimed it, or by a signer of its department, also when nobody or somebody else claimed it. The
    colleague must be able to do it: not in their own matter, not after a task that must be done by another
    (行政许可法第三十四条). Raises `NotSignedIn`, `NotFound`, `NotAllowed`, `AlreadyDone`, `AnswersInvalid`, and what
    `access.task` would say to the colleague.
    """
    task = _in_hand(work, task_id)
    reason = texts.reason(reason)
    if to not in {person.id for person in colleagues(work, task)} | _oneself(work):
        raise AnswersInvalid(missing=[Missing("answers.to", "not-a-choice", "转给")])
    holder, task.claimed_by = task.claimed_by, None
    if (refusal := access.hindrance(work.acting_as(people.actor(work, to)), task)) is not None:
        task.claimed_by = holder
        raise refusal
    task.claimed_by = to
    journal.write(work, task.case, "task:passed-on", task=task.element, to=str(to), reason=reason)
    return task


def take_back(work: Work, task_id: UUID, reason: str) -> Task:
    """Give a task that somebody else claimed back to its queue (收回待办), by a signer of its department.

    For colleagues who are away. Raises as `pass_on`.
    """
    task = _in_hand(work, task_id)
    reason = texts.reason(reason)
    if task.claimed_by is None:
        raise AlreadyDone(task=task.element)
    holder, task.claimed_by = task.claimed_by, None
    journal.write(work, task.case, "task:taken-back", task=task.element, holder=str(holder), reason=reason)
    return task


def leads(work: Work, task: Task) -> bool:
    """Tell whether the actor may hand out a task (可分派): a signer of the department that it is for."""
    return work.actor.holds(task.department_code or "", access.LEADER)


def stand_in(work: Work, for_: UUID, by: UUID, since: date, until: date) -> Cover:
    """Let somebody stand in for an absent colleague (代理), from one legal day to another, both included.

    By the absent one, or an administrator. Whoever stands in has the posts of the absent one meanwhile, never those of
    an administrator, and answers for what they do by their own name. Raises `NotSignedIn`, `NotAllowed`, `NotFound`,
    `AnswersInvalid` for days that have passed or are more than a year, and for somebody of no department of the
    absent one's.
    """
    if work.actor.person is None:
        raise NotSignedIn
    if work.actor.person != for_:
        access.require_administrator(work)
    if for_ == by or not {post.department for post in people.actor(work, by).posts} & _departments(work, for_):
        raise AnswersInvalid(missing=[Missing("answers.by", "not-a-choice", "代理人")])
    if not work.today <= until or not since <= until or (until - since).days > _MOST_DAYS:
        raise AnswersInvalid(missing=[Missing("answers.until", "out-of-range", "代理期限")])
    cover = Cover(
        id=uuid4(),
        absent=for_,
        stands_in=by,
        since=max(since, work.today),
        until=until,
        made_by=work.actor.person,
        made_at=work.now,
        ended_at=None,
    )
    work.session.add(cover)
    work.session.flush()
    return cover


def stand_in_for_me(work: Work, by: str, since: date | None, until: date | None) -> Cover:
    """Let a colleague, by sign-in name, stand in for the actor (本人委托代理); raises as `stand_in`."""
    if work.actor.person is None:
        raise NotSignedIn
    colleague = work.session.scalar(select(Person.id).where(Person.code == by.strip(), Person.disabled_at.is_(None)))
    missing = [Missing("answers.by", "required", "代理人")] if colleague is None else []
    if since is None or until is None:
        missing.append(Missing("answers.until", "required", "代理期限"))
    if colleague is None or since is None or until is None:
        raise AnswersInvalid(missing=missing)
    return stand_in(work, work.actor.person, colleague, since, until)


def end_cover(work: Work, cover_id: UUID) -> Cover:
    """End a stand-in before its day (终止代理), by either of the two or an administrator; raises `NotFound`."""
    cover = work.session.get(Cover, cover_id, with_for_update=True)
    if cover is None or (work.actor.person not in {cover.absent, cover.stands_in} and not work.actor.administers):
        raise NotFound(cover=str(cover_id))
    cover.ended_at = cover.ended_at or work.now
    return cover


def covers(work: Work) -> Sequence[Cover]:
    """List the stand-ins that concern the actor and have not ended (代理安排), the first to begin first."""
    mine = (Cover.absent == work.actor.person) | (Cover.stands_in == work.actor.person)
    held = select(Cover).where(mine, Cover.ended_at.is_(None), Cover.until >= work.today)
    return work.session.scalars(held.order_by(Cover.since, Cover.id)).all()


def _in_hand(work: Work, task_id: UUID) -> Task:
    """Obtain an open task that the actor claimed or may hand out, its case locked."""
    seen = access.task_in_sight(work, task_id)
    work.session.refresh(seen.case, with_for_update=True)
    work.session.refresh(seen)
    if leads(work, seen):
        if seen.progress != Progress.OPEN:
            raise AlreadyDone(task=seen.element)
        access.require_moving(seen.case)
        if access.in_own_matter(work, seen.case):
            raise NotAllowed(task=seen.element, recused=True)
        return seen
    task = access.task(work, task_id)
    if task.claimed_by is None:
        raise NotAllowed(task=task.element)
    return task


def _oneself(work: Work) -> set[UUID]:
    return {work.actor.person} if work.actor.person else set()


def _departments(work: Work, person: UUID) -> set[str]:
    return {post.department for post in people.actor(work, person).posts}
