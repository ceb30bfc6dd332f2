"""Dossiers (办件卷宗): what officers read of a case: what was applied for, what colleagues found, what happened."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, union_all

from approval.domain.answers import Form
from approval.domain.cases import Status
from approval.models.cases import Case, JournalEntry
from approval.models.materials import Material
from approval.models.notices import FormalNotice
from approval.models.parties import InterestedParty
from approval.models.people import Organization, Person
from approval.models.tasks import Progress, Task
from approval.office import Work
from approval.services import (
    answers,
    comparisons,
    countdowns,
    items,
    journal,
    materials,
    parties,
    people,
    recommendations,
    tasks,
)
from approval.services.comparisons import Comparison
from approval.services.packs import Pack
from approval.services.recommendations import Recommendation


class Running(NamedTuple):
    """A countdown that runs (进行中的时限): its last day, and the working days left, negative once it has passed."""

    kind: str
    day: date
    left: int


class Opinion(NamedTuple):
    """What somebody answered on a task of the case (办理意见), and the form that asked it."""

    task: Task
    form: Form | None
    content: Mapping[str, Any]


class Concern(NamedTuple):
    """An interested party (利害关系人), the letter that told them, and the last day of their time once it runs."""

    party: InterestedParty
    letter: FormalNotice
    until: date | None


class Dossier(NamedTuple):
    """Everything an officer reads of one case (办件卷宗).

    `replies` say of each thing that was to be put right what the applicant did about it; `licences` are those of the
    materials that came from the store, by number; `names` are those of everybody in the case, by id as text.
    """

    case: Case
    pack: Pack
    applicant: Mapping[str, Any]
    filing: Form
    filed: Mapping[str, Any]
    replies: list[Mapping[str, str]]
    running: list[Running]
    opinions: list[Opinion]
    recommended: list[Recommendation]
    concerns: list[Concern]
    materials: list[Material]
    licences: Mapping[str, Comparison]
    tasks: list[Task]
    journal: list[JournalEntry]
    names: Mapping[str, str]

    @property
    def divided(self) -> bool:
        """Tell whether some recommend granting and others do not (意见不一致)."""
        return recommendations.divided(self.recommended)

    @property
    def now(self) -> list[Task]:
        """The tasks that are open (当前待办)."""
        return [task for task in self.tasks if task.progress == Progress.OPEN]

    @property
    def elements(self) -> Mapping[str, str]:
        """What the tasks are called (环节名称), by their elements."""
        return {task.element: task.name for task in self.tasks}


def read(work: Work, case: Case) -> Dossier:
    """Read the dossier of a case (查阅卷宗) that the caller obtained through `access`."""
    pack = items.pack_of(work, case)
    of_case = tasks.of_case(work, case)
    lines = journal.read(work, case)
    filing, filed = pack.forms[pack.manifest.filing_form], answers.latest(work, case, answers.FILING)
    handed_in = materials.of_case(work, case)
    acted = {UUID(line.actor) for line in lines if _is_person(line.actor)}
    opinions = [
        Opinion(task, pack.forms.get(task.form or ""), content) for task, content in answers.by_task(work, case)
    ]
    claimed = {task.claimed_by for task in of_case if task.claimed_by}
    return Dossier(
        case=case,
        pack=pack,
        applicant=people.applicant(work, case.applicant_id, case.filed_by),
        filing=filing,
        filed=filed,
        replies=answers.latest(work, case, answers.CORRECTION).get("replies", []),
        running=[
            Running(kind, due.day, countdowns.days_left(work, case, due.day))
            for kind, due in countdowns.running(work, case)
        ],
        opinions=opinions,
        recommended=recommendations.standing(opinions),
        concerns=_concerns(work, case),
        materials=handed_in,
        licences=comparisons.compare(work, handed_in, filing, filed),
        tasks=of_case,
        journal=lines,
        names={str(id_): name for id_, name in names(work, acted | claimed).items()},
    )


def names(work: Work, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Find what people and organizations are called (姓名与名称), in one reading however many they are."""
    wanted = set(ids)
    known = union_all(*(select(kind.id, kind.name).where(kind.id.in_(wanted)) for kind in (Person, Organization)))
    return {row.id: row.name for row in work.session.execute(known)}


def follows(work: Work, task: Task) -> tuple[Status, list[Task]]:
    """Say what follows on a task (后续环节): where its case stands now, and the tasks that are open."""
    of_case = tasks.of_case(work, task.case)
    return Status(task.case.status), [each for each in of_case if each.progress == Progress.OPEN]


def _concerns(work: Work, case: Case) -> list[Concern]:
    named = parties.ever_named(work, case)
    letters = parties.letters(work, case) if named else {}
    due = {party.id: countdowns.due(work, case, party.countdown) for party in named}
    return [Concern(party, letters[party.id], day.day if (day := due[party.id]) else None) for party in named]


def _is_person(label: str) -> bool:
    try:
        return bool(UUID(label))
    except ValueError:
        return False
