"""Walking a case through the real services, one line a step."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from approval.domain.actors import SYSTEM, Actor
from approval.domain.materials import Upload
from approval.models.cases import Case, Notice
from approval.models.tasks import Errand, ErrandProgress, Progress, Task, Timer
from approval.office import Office, Work
from approval.services import cases, people, rehearsals, tasks, workers
from tests.kit.samples import ITEM, RETAIL, uploads

Step = tuple[str, str | Actor, Mapping[str, Any]]


def signed_in(office: Office, code: str, organization: str | None = None) -> Actor:
    with office.work(by=SYSTEM, read_only=True) as work:
        return people.actor_by_code(work, code, organization)


def file(
    office: Office,
    answers: Mapping[str, Any] = RETAIL,
    materials: Iterable[Upload] | None = None,
    *,
    by: Actor | None = None,
    token: str | None = None,
) -> str:
    """File a case, by chen for himself unless told otherwise, and return its number."""
    with office.work(by=by or signed_in(office, "chen")) as work:
        return cases.file(work, ITEM, answers, uploads() if materials is None else materials, token=token).number


def open_task(office: Office, number: str, element: str) -> UUID:
    wanted = select(Task.id).join(Case).where(Case.number == number, Task.element == element)
    with office.work(by=SYSTEM, read_only=True) as work:
        return work.session.scalars(wanted.where(Task.progress == Progress.OPEN)).one()


def complete(office: Office, number: str, step: Step, token: str | None = None) -> None:
    element, by, given = step
    task = open_task(office, number, element)
    with office.work(by=by if isinstance(by, Actor) else signed_in(office, by)) as work:
        tasks.complete(work, task, given, token=token)


def walk(office: Office, number: str, *steps: Step) -> str:
    for step in steps:
        complete(office, number, step)
    return number


def return_to(office: Office, number: str, step: tuple[str, str], target: str) -> None:
    """Claim an open task, and return its case to an earlier step."""
    element, by = step
    task = open_task(office, number, element)
    with office.work(by=signed_in(office, by)) as work:
        tasks.claim(work, task)
    with office.work(by=signed_in(office, by)) as work:
        tasks.return_to(work, task, target, "请重新办理（示例）。")


def correct(office: Office, number: str, by: str = "chen", token: str | None = None) -> None:
    with office.work(by=signed_in(office, by)) as work:
        cases.correct(work, number, RETAIL, uploads("layout_plan"), token=token)


def run_errands(office: Office) -> None:
    """Run every errand that waits, as the worker would."""
    for errand in waiting(office, Errand, ErrandProgress.OPEN):
        workers.run_errand(office, errand)


def waiting(office: Office, kind: type[Task | Errand | Timer], progress: str) -> list[UUID]:
    with office.work(by=SYSTEM, read_only=True) as work:
        return list(work.session.scalars(select(kind.id).where(kind.progress == progress)))


def open_elements(office: Office, number: str) -> set[str]:
    """Name the people's and machines' elements that a case waits for, timers too."""
    with office.work(by=SYSTEM, read_only=True) as work:
        found: set[str] = set()
        for kind in (Task, Errand, Timer):
            rows = select(kind.element).join(Case, Case.id == kind.case_id)
            found |= set(work.session.scalars(rows.where(Case.number == number, kind.progress == Progress.OPEN)))
        return found


def outcome(office: Office, number: str) -> dict[str, Any]:
    """Say where a case stands, in the words of a scenario's `[expect]`."""
    with office.work(by=SYSTEM, read_only=True) as work:
        return rehearsals.outcome(work, number)


def everything(office: Office) -> dict[str, list[Any]]:
    """Copy every row of every table, to see that a refusal left nothing behind."""
    with office.work(by=SYSTEM, read_only=True) as work:
        return {
            table.name: sorted(map(repr, work.session.execute(select(table)).all()))
            for table in rehearsals.Base.metadata.sorted_tables
        }


def case(work: Work, number: str) -> Case:
    return work.session.scalars(select(Case).where(Case.number == number)).one()


def told(office: Office, code: str) -> list[dict[str, Any]]:
    """List what the office told applicants under one code, oldest first."""
    with office.work(by=SYSTEM, read_only=True) as work:
        return list(work.session.scalars(select(Notice.facts).where(Notice.code == code).order_by(Notice.made_at)))
