"""Hearings (听证): the right is told, the day is announced, and what is decided follows the minutes.

Every verb is an act of a procedure, `workflows/_shared/hearing.bpmn` or one like it; who presides has not examined
(`statutes.separations`).
"""

from datetime import date
from typing import Any, Final

from approval.domain.errors import AnswersInvalid, Missing
from approval.models.cases import Case
from approval.office import Work
from approval.services import (
    answers,
    countdowns,
    decisions,
    issuances,
    items,
    journal,
    kinds,
    notices,
    statutes,
    suspensions,
)
from approval.services.errands import act

SCHEDULE: Final = "hearing_schedule"
_CAUSE: Final = "hearing"
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
    hearing must be held (第四十七条：二十日内组织听证); `NoticeIncomplete`.
    """
    told = answers.latest(work, case, SCHEDULE)
    held_on = date.fromisoformat(told["held_on"])
    workdays, notice_days = countdowns.calendar(work, case), statutes.hearing().notice_days
    last = countdowns.due(work, case, "hearing")
    in_time = workdays.is_workday(held_on) and workdays.between(work.today, held_on) >= notice_days
    if not in_time or (last and held_on > last.day):
        raise AnswersInvalid(missing=[Missing("answers.held_on", "out-of-range", "听证日期")])
    notices.put(work, case, kinds.catalogue()["hearing"], told)
    days = workdays.between(work.today, held_on) + workdays.is_workday(work.today)
    suspensions.begin(work, case, _CAUSE, days, f"定于{held_on.isoformat()}举行听证。")
    journal.write(work, case, decisions.ANNOUNCED, held_on=held_on.isoformat())
    return {}


@act("keep_minutes")
def keep_minutes(work: Work, case: Case) -> dict[str, Any]:
    """Keep the minutes of a hearing (听证笔录), signed by who took part; the next day counts again (第四十八条)."""
    schedule = answers.latest(work, case, SCHEDULE)
    told = {"presider": work.actor.name, **answers.latest(work, case)}
    minutes = notices.put(work, case, kinds.catalogue()[issuances.MINUTES], {**schedule, **told})
    suspensions.resume_after(work, case, _CAUSE)
    journal.write(work, case, decisions.HEARD, minutes=minutes.number)
    return {}
