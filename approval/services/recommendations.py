"""Recommendations (办理建议): what colleagues and departments said for and against granting, before somebody signs."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from approval.domain.answers import Form, Stance
from approval.domain.errors import AnswersInvalid, Missing
from approval.models.cases import Case
from approval.models.tasks import Task
from approval.office import Work
from approval.services import answers, items, journal

UNLIKE: Final = "case:decided-otherwise"
_REMARK: Final = "remark"


class Recommendation(NamedTuple):
    """What somebody recommends that nobody has asked anew since (现行建议), and the form that says it in words.

    `settled` says that it was against granting, and dealt with since (异议已处理).
    """

    task: Task
    form: Form
    content: Mapping[str, Any]
    stance: Stance
    settled: bool = False


def standing(said: Iterable[tuple[Task, Form | None, Mapping[str, Any]]]) -> list[Recommendation]:
    """Find what is recommended now (现行建议) from all that was said, in the order it was said.

    Of a post that was asked the same form twice the last counts, or another form that supersedes it. Which choices are
    for and against, their forms say.
    """
    found: list[Recommendation] = []
    for task, form, content in said:
        if form is None:
            continue
        stance = form.stance(content)
        found = [one for one in found if not (_same_post(one.task, task) and one.form.id in form.supersedes)]
        if stance is Stance.SETTLED:
            found = [one._replace(settled=one.stance is Stance.AGAINST) for one in found]
        elif stance:
            found.append(Recommendation(task, form, content, stance))
    return found


def divided(recommended: Iterable[Recommendation]) -> bool:
    """Tell whether some recommend granting and others do not (意见不一致)."""
    return len({one.stance for one in recommended if not one.settled}) > 1


def of_case(work: Work, case: Case) -> list[Recommendation]:
    """Find what is recommended on a case now (办件的现行建议)."""
    return standing(_said(work, case))


def note_unlike(work: Work, case: Case, decided: Stance) -> None:
    """Note which steps recommended something else than is decided (决定与建议不一致).

    Raises `AnswersInvalid` where the form that was signed asks for the reason (`remark`) and none was given.
    """
    said = _said(work, case)
    unlike = sorted(one.task.element for one in standing(said[:-1]) if not (one.settled or one.stance is decided))
    if not unlike:
        return
    _signed, form, content = said[-1]
    question = next((field for field in form.fields if field.key == _REMARK), None) if form else None
    if question and decided is Stance.FOR and not str(content.get(_REMARK) or "").strip():
        raise AnswersInvalid(missing=[Missing(f"answers.{_REMARK}", "required", question.label)])
    journal.write(work, case, UNLIKE, tasks=unlike)


def _said(work: Work, case: Case) -> list[tuple[Task, Form | None, Mapping[str, Any]]]:
    forms = items.pack_of(work, case).forms
    return [(task, forms.get(task.form or ""), content) for task, content in answers.by_task(work, case)]


def _same_post(one: Task, other: Task) -> bool:
    return (one.department_code, one.role) == (other.department_code, other.role)
