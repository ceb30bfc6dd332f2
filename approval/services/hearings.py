"""Hearings (听证): the right is told, the day is announced, and what is decided follows the minutes.

Every verb is an act of a procedure, `workflows/_shared/hearing.bpmn` or one like it; who presides has not examined
(`statutes.separations`).
"""

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select

from approval.domain.errors import AnswersInvalid, IllegalStep, Missing
from approval.models.cases import Case
from approval.models.people import Person, Post
from approval.models.tasks import Task
from approval.office import Work
from approval.services import (
    access,
    announcements,
    answers,
    countdowns,
    issuances,
    items,
    journal,
    kinds,
    notices,
    parties,
    petitions,
    statutes,
    suspensions,
)
from approval.services.errands import Seen, act, seeing

_CAUSE: Final = "hearing"
_NOTICE: Final = "hearing"
_FARTHEST: Final = timedelta(days=366)
_RIGHTS: Final = "您有权在期限内要求举行听证；不承担行政机关组织听证的费用。逾期未提出的，视为放弃听证。"


@act("tell_hearing_rights")
def tell_rights(work: Work, case: Case) -> dict[str, Any]:
    """Tell of the right to a hearing (告知听证权利) and how many working days there are to ask for one (第四十七条)."""
    manifest = items.pack_of(work, case).manifest
    told = {"matter": manifest.name.zh, "rights": _RIGHTS, "ask_days": manifest.limits["hearing_request"].days}
    notices.put(work, case, kinds.catalogue()["hearing-rights"], told)
    return {}


@act("announce_hearing")
def announce(work: Work, case: Case) -> dict[str, Any]:
    """Announce the day of a hearing (听证通知); until it is over the days do not count (第四十五条、第四十八条).

    Raises `AnswersInvalid` for a day that is no working day, sooner than the law lets it be told, or later than the
    hearing must be held (第四十七条：二十日内组织听证); an office that is late already may still hold it, as soon as
    the law lets it be told. Nor may who examined preside. `NoticeIncomplete`.
    """
    told = answers.latest(work, case, access.SCHEDULE)
    held_on = _day(told)
    workdays, notice_days = countdowns.calendar(work, case), statutes.hearing().notice_days
    due = countdowns.due(work, case, "hearing")
    soonest = workdays.nth_after(work.today, notice_days)
    latest = work.today + _FARTHEST if due is None else max(due.day, workdays.nth_after(soonest, notice_days))
    latest = due.day if due and soonest <= due.day else latest
    if not soonest <= held_on <= latest or not workdays.is_workday(held_on):
        raise AnswersInvalid(missing=[Missing("answers.held_on", "out-of-range", "听证日期")])
    if access.presider(work, case) not in {None, *presiders(work, case)}:
        raise AnswersInvalid(missing=[Missing("answers.presider", "not-a-choice", "主持人")])
    notices.put(work, case, kinds.catalogue()[_NOTICE], told)
    if told.get("public") is True:  # 第四十六条: of the authority's own motion, announced to everybody
        name = items.pack_of(work, case).manifest.name.zh
        matter = (
            f"{name}听证：{held_on.isoformat()} {told.get('hour')}，{told.get('place')}，主持人{told.get('presider')}"
        )
        announcements.put_up(work, case, matter, held_on)
        notices.put(work, case, kinds.catalogue()["hearing-announcement"], {**told, "matter": name})
    days = workdays.between(work.today, held_on) + workdays.is_workday(work.today)
    notice = suspensions.attempt(work, case, _CAUSE, days, f"定于{held_on.isoformat()}举行听证。")
    journal.write(
        work, case, petitions.ANNOUNCED, held_on=held_on.isoformat(), late=due is not None and held_on > due.day
    )
    return {"suspension": notice}


@seeing("keep_minutes")
def keep_minutes(work: Work, case: Case, seen: Seen) -> dict[str, Any]:
    """Keep the minutes of a hearing (听证笔录), signed by who took part; the next day counts again (第四十八条).

    By the presider who was chosen (`access.presider`). Raises `IllegalStep` before the day that was announced,
    `PartiesUnheard` where the notice did not reach a party that asked for it, and `NoticeIncomplete`.
    """
    schedule = answers.latest(work, case, access.SCHEDULE)
    if _day(schedule) > work.today:
        raise IllegalStep(status=case.status, asked="minutes", held_on=_day(schedule).isoformat())
    parties.require_invited(work, case, _NOTICE)
    told = {**schedule, "presider": work.actor.name, **answers.latest(work, case)}
    minutes = notices.put(work, case, kinds.catalogue()[issuances.MINUTES], told)
    suspensions.resume_told(work, case, seen)
    petitions.stop(work, case, "行政许可法第四十八条：已举行听证")
    journal.write(work, case, petitions.HEARD, minutes=minutes.number)
    return {}


def presiders(work: Work, case: Case) -> list[str]:
    """List who may preside over a hearing (可任主持人), by name: of that post, and not of those who examined.

    Nor anybody whose own matter it is (行政许可法第四十八条第一款第三项).
    """
    lanes = items.pack_of(work, case).manifest.lanes.values()
    departments = {lane.department for lane in lanes if lane.role == access.PRESIDER}
    barred = {role for rule in statutes.separations() for role in rule.apart_from(access.PRESIDER)}
    examined = select(Task.done_by).where(Task.case_id == case.id, Task.role.in_(barred), Task.done_by.is_not(None))
    held = select(Person.name).join(Post, Post.person_id == Person.id).join(Case, Case.id == case.id)
    of_post = held.where(
        Post.department_code.in_(departments), Post.role == access.PRESIDER, Person.disabled_at.is_(None)
    )
    free = of_post.where(Person.id.not_in(examined), ~access.concerns(Person.id))
    return list(work.session.scalars(free.distinct().order_by(Person.name)))


def call_off_since(work: Work, case: Case, line: int) -> None:
    """Call off a hearing that was announced after a line of the journal and not held (取消听证)."""
    if petitions.announced(work, case) > line:
        journal.write(work, case, petitions.CALLED_OFF)
        held_on = answers.latest(work, case, access.SCHEDULE).get("held_on")
        notices.tell(work, case, "hearing-called-off", number=case.number, held_on=held_on)


def _day(schedule: dict[str, Any]) -> date:
    try:
        return date.fromisoformat(str(schedule.get("held_on")))
    except ValueError:
        raise AnswersInvalid(missing=[Missing("answers.held_on", "not-a-date", "听证日期")]) from None
