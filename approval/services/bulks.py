"""Doing many alike at once (批量办理): one answer for tasks of the same step, each completed by itself."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from approval.domain.errors import AnswersInvalid, Missing, Refusal
from approval.models.tasks import Task
from approval.office import Office, Work
from approval.services import access, tasks

MOST = 50


class Outcome(NamedTuple):
    """What became of one task of many (批量办理结果): the case it is of, and why it was refused, if it was."""

    task_id: UUID
    number: str
    refusal: Refusal | None


def choose(work: Work, task_ids: Sequence[UUID]) -> list[Task]:
    """Choose tasks to do alike (选定批量待办): open, one's own to do, of the same step of the same item version.

    Raises `NotSignedIn`, `NotFound`, and `AnswersInvalid` for none, too many, and for steps that differ.
    """
    chosen = [access.task_in_sight(work, task_id) for task_id in dict.fromkeys(task_ids)]
    alike = {(task.case.item_version_id, task.element) for task in chosen}
    if not chosen or len(chosen) > MOST or len(alike) > 1:
        why = "required" if not chosen else "out-of-range" if len(chosen) > MOST else "not-alike"
        raise AnswersInvalid(missing=[Missing("answers.tasks", why, "待办")])
    return chosen


def complete(
    office: Office, work: Work, task_ids: Sequence[UUID], given: Mapping[str, Any], token: str
) -> list[Outcome]:
    """Complete tasks with the same answers (批量办结), each in a Work of its own, and tell what became of each.

    What is refused for one, such as a case that a colleague was faster at, holds up no other. `token` makes a second
    sending the same completions. The answers were checked by the caller's page; each is checked again.
    """
    outcomes = []
    for task in choose(work, task_ids):
        refusal = None
        try:
            with office.work(by=work.actor) as own:
                tasks.complete(own, task.id, given, token=f"{token}.{task.id.hex}"[:80])
        except Refusal as reason:
            refusal = reason
        outcomes.append(Outcome(task.id, task.case.number, refusal))
    return outcomes
