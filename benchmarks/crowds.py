"""An office with a crowd in it: cases played by the real services, and copies of their rows under new ids.

Every scenario of the default pack is played up to each of its steps and on several days, so that tasks lie with
every department and role. A copy is a whole case, with journal, ledger, notices, answers, materials, tasks and
timers, of another applicant; a granted one has a licence of its own, sealed like any other.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from stdnum.cn import ric

import certificates
from approval.cli import offices
from approval.jobs import Waiting
from approval.models import Base
from approval.models.cases import Case
from approval.models.people import Person, Post
from approval.models.tasks import Progress, Task
from approval.office import Office, Work, open_office
from approval.paths import WORKFLOWS
from approval.services import packs, people, rehearsals
from approval.services.packs import Pack
from approval.services.rehearsals import Clock, Scenario
from approval.settings import Settings
from certificates import Draft, Holder, Issuer, Licence, LicenceType

PASSWORD = "demo-2026"
ITEM = "food-business-licence"
NOW = datetime(2026, 10, 20, 2, tzinfo=UTC)
_SHIFTS = (0, 4, 9, 15, 22)  # days that everything happened earlier than its scenario says
_APPLICANTS = 2000
_CLAIMED = 0.4
_BATCH = 20_000

Row = dict[str, Any]


@dataclass(frozen=True)
class Played:
    """A case that the services made (样本), and how many of its tasks are open."""

    id: UUID
    open_tasks: int


def gather(folder: Path, cases: int, tasks: int) -> Office:
    """Found the demonstration city with `cases` cases and `tasks` open tasks in it, on SQLite in a folder."""
    offices.prepare(Settings(instance=folder)).close()
    clock = Clock(datetime(2026, 8, 1, tzinfo=UTC))
    office = open_office(Settings(instance=folder), carrier=Waiting(), clock=clock)
    offices.found_demo(office)
    pack = packs.read(packs.from_folder(WORKFLOWS / ITEM))
    with office.work() as work:
        packs.deploy(work, pack)
    played = _play_all(office, pack)
    clock.now = NOW
    _copy(office, pack, played, cases, tasks)
    return office


def _play_all(office: Office, pack: Pack) -> list[Played]:
    numbers = [
        rehearsals.play(office, shortened, ITEM)
        for scenario in rehearsals.scenarios(pack)
        for days in _SHIFTS
        for shortened in _versions(_earlier(scenario, days))
    ]
    open_tasks = select(func.count()).where(Task.case_id == Case.id, Task.progress == Progress.OPEN)
    with office.work(read_only=True) as work:
        found = select(Case.id, open_tasks.scalar_subquery()).where(Case.number.in_(numbers))
        return [Played(*row) for row in work.session.execute(found)]


def _earlier(scenario: Scenario, days: int) -> Scenario:
    def moved(step: Mapping[str, Any]) -> Row:
        return {**step, "at": step["at"] - timedelta(days=days)}

    return replace(scenario, filing=moved(scenario.filing), steps=tuple(moved(step) for step in scenario.steps))


def _versions(scenario: Scenario) -> Iterator[Scenario]:
    """Stop a scenario after each of its steps; time that passes would pass for every case, so none may."""
    for count in range(len(scenario.steps) + 1):
        steps = scenario.steps[:count]
        if any(step.get("timers") or step["at"] > NOW for step in steps):
            return
        yield replace(scenario, steps=steps)


def _copy(office: Office, pack: Pack, played: list[Played], cases: int, tasks: int) -> None:
    chance = random.Random(9)
    applicants = _enrol(office)
    clerks = _clerks(office)
    chosen = _choose(played, cases, tasks, chance)
    with office.work() as work:
        rows = {one.id: _rows_of(work.session, one.id) for one in played}
        licences = {UUID(one.source): one for one in work.session.scalars(select(Licence))}
        waiting: dict[str, list[Row]] = {}
        granted: list[tuple[UUID, UUID, Licence]] = []
        for serial, one in enumerate(chosen):
            case_id = uuid4()
            applicant = chance.choice(applicants)
            for table, copies in _renamed(rows[one.id], case_id, applicant, serial).items():
                waiting.setdefault(table, []).extend(copies)
            for task in waiting.get("tasks", [])[-8:]:
                if task["case_id"] == case_id and task["progress"] == "open" and chance.random() < _CLAIMED:
                    task["claimed_by"] = chance.choice(clerks.get((task["department_code"], task["role"]), [None]))
            if one.id in licences:
                granted.append((case_id, applicant, licences[one.id]))
        for table in Base.metadata.sorted_tables:
            for start in range(0, len(waiting.get(table.name, [])), _BATCH):
                work.session.execute(insert(table), waiting[table.name][start : start + _BATCH])
        for case_id, applicant, licence in granted:
            _issue(work, pack, case_id, work.session.get_one(Person, applicant), licence)


def _choose(played: list[Played], cases: int, tasks: int, chance: random.Random) -> list[Played]:
    """Choose what to copy so that cases and open tasks come out as many as asked for, the played ones included."""
    cases -= len(played)
    tasks -= sum(one.open_tasks for one in played)
    ended = [one for one in played if not one.open_tasks]
    several = [one for one in played if one.open_tasks > 1]
    single = [one for one in played if one.open_tasks == 1]
    chosen: list[Played] = []
    # A fifth of all cases has ended; whatever tasks that leaves out lie side by side in the others.
    chosen += chance.choices(ended, k=cases // 5)
    while tasks - sum(one.open_tasks for one in chosen[cases // 5 :]) > cases - len(chosen):
        chosen.append(chance.choice(several))
        if len(chosen) % 100 == 0 and len(chosen) > cases:
            raise ValueError("more open tasks than these cases can have")
    chosen += chance.choices(single, k=cases - len(chosen))
    return chosen


def _rows_of(session: Any, case_id: UUID) -> dict[str, list[Row]]:
    """Read every row of a case, from every table that has a column for it."""
    found = {}
    for table in Base.metadata.sorted_tables:
        column = table.c.id if table.name == "cases" else table.c.get("case_id")
        if column is not None:
            rows = session.execute(select(table).where(column == case_id))
            found[table.name] = [dict(row) for row in rows.mappings()]
    return found


def _renamed(rows: Mapping[str, list[Row]], case_id: UUID, applicant: UUID, serial: int) -> dict[str, list[Row]]:
    ids = {row["id"]: uuid4() for table in rows.values() for row in table if "id" in row}
    ids[rows["cases"][0]["id"]] = case_id
    ids[rows["cases"][0]["applicant_id"]] = ids[rows["cases"][0]["filed_by"]] = applicant
    renamed = {
        name: [
            {column: ids.get(value, value) if isinstance(value, UUID) else value for column, value in row.items()}
            for row in table
        ]
        for name, table in rows.items()
    }
    renamed["cases"][0]["number"] += f"-{serial:05d}"
    for notice in renamed["formal_notices"]:
        notice["number"] += f"-{serial:05d}"
        notice["token"] = uuid4().hex
    return renamed


def _issue(work: Work, pack: Pack, case_id: UUID, holder: Person, like: Licence) -> None:
    rule = pack.manifest.licence
    assert rule is not None
    draft = Draft(
        type=LicenceType(rule.type, rule.name.zh, rule.number, rule.validity_years, rule.public),
        holder=Holder(holder.name, holder.id_number, "id"),
        fields=like.fields,
        issuer=Issuer(like.issuer_code, like.issuer_uscc, like.issuer_name),
        source=str(case_id),
        issued_on=like.issued_on,
        valid_from=like.valid_from,
        valid_until=like.valid_until,
    )
    sealer = work.office.authority.sealer(like.issuer_code)
    certificates.issue(work.session, draft, sealer, now=work.now, actor=work.actor.label)


def _enrol(office: Office) -> list[UUID]:
    with office.work() as work:
        return [
            people.enrol(work, f"citizen-{serial}", f"示例{serial}", _id_number(serial)).id
            for serial in range(_APPLICANTS)
        ]


def _id_number(serial: int) -> str:
    stem = f"350502{1985 + serial // 360}{1 + serial % 12:02d}{1 + serial // 12 % 28:02d}{serial % 999 + 1:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def _clerks(office: Office) -> dict[tuple[str, str], list[UUID | None]]:
    with office.work(read_only=True) as work:
        found: dict[tuple[str, str], list[UUID | None]] = {}
        for post in work.session.scalars(select(Post)):
            found.setdefault((post.department_code, post.role), []).append(post.person_id)
        return found
