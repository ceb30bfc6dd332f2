"""Rehearsals (预演): a scenario of a pack played through the real services, from filing to the last word.

The same player serves the tests, the check before a deployment, and the walk that `make run` shows.
"""

import logging
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

import certificates
from approval.domain.actors import SYSTEM, Actor
from approval.domain.cases import Status
from approval.domain.errors import Fault, NotFound, PackRefused, Refusal, Unavailable
from approval.domain.materials import Upload
from approval.jobs import Waiting
from approval.models import Base
from approval.models.cases import Case
from approval.models.people import Department
from approval.models.tasks import Errand, ErrandProgress, Progress, Task
from approval.office import Office, Work, tune
from approval.paths import WORKFLOWS
from approval.services import cases, countdowns, journal, licences, packs, people, tasks, workers
from approval.services.packs import Pack
from approval.services.pledges import Promise
from approval.settings import Settings
from certificates import Authority, Issuer

_log = logging.getLogger(__name__)

_FOLDER = "scenarios/"
CITY = WORKFLOWS / "_city"
_MOST_STEPS = 200
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_SHAPES: Mapping[str, type] = {
    **dict.fromkeys(("by", "for", "task", "withdraw"), str),
    **dict.fromkeys(("materials", "deferred"), list),
    "answers": dict,
    "committed": bool,
}
# One page that says what it is, and opens like any other.
SAMPLE_PDF = (
    b"%PDF-1.4\n"
    b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 38>>stream\n"
    b"BT /F 48 Tf 180 420 Td (SAMPLE) Tj ET\n"
    b"endstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    b"xref\n"
    b"0 6\n"
    b"0000000000 65535 f\r\n"
    b"0000000009 00000 n\r\n"
    b"0000000052 00000 n\r\n"
    b"0000000101 00000 n\r\n"
    b"0000000210 00000 n\r\n"
    b"0000000293 00000 n\r\n"
    b"trailer<</Size 6/Root 1 0 R>>\n"
    b"startxref\n"
    b"354\n"
    b"%%EOF\n"
)


@dataclass(frozen=True)
class Scenario:
    """What happens in a scenario (预演情景), and what must come out: parsed TOML, as written by the pack's author."""

    file: str
    title: str
    walk: bool
    filing: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Any]


class Played(NamedTuple):
    """One step as it was played (预演步骤): who, of which department, did what."""

    who: str
    department: str
    what: str


class Clock:
    """A clock that stands where it is put (预演时钟)."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


Say = Callable[[Played], None]


def scenarios(pack: Pack) -> list[Scenario]:
    """Read the scenarios of a pack (读取预演情景); raises `PackRefused` naming those that cannot be read."""
    found, faults = [], []
    for path in sorted(pack.files):
        if not path.startswith(_FOLDER):
            continue
        try:
            found.append(_scenario(path, tomllib.loads(pack.files[path].decode())))
        except (ValueError, KeyError, TypeError, RecursionError) as reason:
            faults.append(Fault(path, "", 0, f"not a scenario: {reason}"))
    if faults:
        raise PackRefused(faults=faults)
    return found


def _scenario(path: str, data: Mapping[str, Any]) -> Scenario:
    title, filing, steps, expect = data["title"], data["filing"], data["steps"], data["expect"]
    if not isinstance(title, str) or not isinstance(expect, dict) or not isinstance(steps, list):
        raise TypeError("title is a text, steps are tables, expect is a table")
    if len(steps) > _MOST_STEPS:
        raise ValueError(f"more than {_MOST_STEPS} steps")
    _require(filing, "at", "by", "answers", "materials")
    for step in steps:
        if isinstance(step, dict) and step.get("timers"):
            _require(step, "at")
        else:
            _require(step, "at", "by", "withdraw" if "withdraw" in step else "task")
    return Scenario(path, title, data.get("walk") is True, filing, tuple(steps), expect)


def _require(step: Any, *keys: str) -> None:
    if not isinstance(step, dict):
        raise TypeError(f"{step!r} is no table")
    if lacking := [key for key in keys if key not in step]:
        raise KeyError(", ".join(lacking))
    for key, kind in _SHAPES.items():
        if key in step and not isinstance(step[key], kind):
            raise TypeError(f"{key} = {step[key]!r} is not of the right kind")
    if not all(isinstance(code, str) for code in [*step.get("materials", []), *step.get("deferred", [])]):
        raise TypeError("materials are codes")
    if not isinstance(step["at"], datetime) or step["at"].tzinfo is None:
        raise TypeError(f"{step['at']!r} is no instant with a time zone")
    if not _FIRST_YEAR <= step["at"].year < _LAST_YEAR:
        raise ValueError(f"{step['at']} is not from {_FIRST_YEAR} to {_LAST_YEAR}")


def check(pack: Pack, settings: Settings, *, seconds: float = 120) -> int:
    """Play every scenario of a pack in an office made for it (全部预演) and return how many there were.

    `seconds` is the time all of them may take together. Raises `PackRefused` with everything that came out
    otherwise than expected, and for a pack without a scenario. Nothing outside is touched.
    """
    until = time.monotonic() + seconds

    def watch(_: Played) -> None:
        if time.monotonic() > until:
            raise Unavailable(why=f"the scenarios take more than {seconds:g} s")

    played = scenarios(pack)
    faults = [] if played else [Fault(_FOLDER, "", 0, "a pack needs a scenario that shows how it works")]
    for scenario in played:
        faults += _differences(pack, scenario, settings, watch)
        if time.monotonic() > until:
            faults.append(Fault(scenario.file, "", 0, f"the scenarios up to this one took more than {seconds:g} s"))
            break
    if faults:
        raise PackRefused(faults=faults)
    return len(played)


def play(
    office: Office,
    scenario: Scenario,
    item: str,
    *,
    token: str | None = None,
    say: Say = lambda _: None,
    settle: Callable[[Office, str, Say], None] | None = None,
) -> str:
    """Play a scenario (预演) in an office and return the case's number.

    Where the office's clock can be set it follows the scenario, else everything happens now. `settle` waits
    until the case's errands are done; by default they run at once, in this process. Raises whatever the
    services refuse.
    """
    settle = settle or _run_errands
    _set(office, scenario.filing["at"])
    with office.work(by=_person(office, scenario.filing)) as work:
        uploads = [Upload(code, f"{code}.pdf", SAMPLE_PDF) for code in scenario.filing["materials"]]
        promise = Promise(frozenset(scenario.filing.get("deferred", ())), bool(scenario.filing.get("committed")))
        number = cases.file(work, item, scenario.filing["answers"], uploads, token=token, promise=promise).number
        say(Played(work.actor.name, "", f"提交申请 {number}"))
    for step in scenario.steps:
        _set(office, step["at"])
        if step.get("timers"):
            workers.sweep(office)
        else:
            _play(office, scenario, number, step, say)
        settle(office, number, say)
    return number


def scratch_office(settings: Settings, clock: Clock) -> Office:
    """Open an office in memory (预演办公室) with the demonstration city, a seal authority of its own and no worker."""
    engine = tune(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))
    Base.metadata.create_all(engine)
    certificates.Base.metadata.create_all(engine)
    city = tomllib.loads((CITY / "city.toml").read_text(encoding="utf-8"))
    seals = [Issuer(department["code"], department["uscc"], department["zh"]) for department in city["departments"]]
    office = Office(settings, engine, carrier=Waiting(), authority=Authority.ephemeral(seals, clock.now), clock=clock)
    with office.work(by=SYSTEM) as work:
        people.found(work, city)
        countdowns.import_calendar(work, tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8")))
    return office


def rehearse(pack: Pack, scenario: Scenario, settings: Settings, *, say: Say = lambda _: None) -> dict[str, Any]:
    """Play a scenario in an office made for it (单个预演) and return its `outcome`; nothing outside is touched."""
    office = scratch_office(settings, Clock(scenario.filing["at"].astimezone(UTC)))
    try:
        with office.work(by=SYSTEM) as work:
            packs.deploy(work, pack)
        number = play(office, scenario, pack.manifest.code, say=say)
        with office.work(by=SYSTEM, read_only=True) as work:
            return outcome(work, number)
    finally:
        office.close()


def _differences(pack: Pack, scenario: Scenario, settings: Settings, say: Say) -> Iterator[Fault]:
    try:
        got = rehearse(pack, scenario, settings, say=say)
    except (Refusal, certificates.CertificateError) as refused:
        yield Fault(scenario.file, "", 0, f"{scenario.title}: {refused}")
        return
    except Exception as reason:  # noqa: BLE001 -- logged with its trace
        # Whatever an author wrote, deploying ends with faults and not with a crash.
        _log.exception("the scenario %s could not be played", scenario.file)
        yield Fault(scenario.file, "", 0, f"{scenario.title}: {type(reason).__name__}: {reason}"[:500])
        return
    for name, wanted in scenario.expect.items():
        actual = got.get(name)
        if isinstance(wanted, Mapping):
            # Of a licence a scenario names only the fields it cares about.
            fields = actual if isinstance(actual, Mapping) else {}
            actual = {key: fields.get(key) for key in wanted}
        if actual != wanted:
            yield Fault(scenario.file, f"expect.{name}", 0, f"expected {wanted!r}, came out {actual!r}")


def outcome(work: Work, number: str) -> dict[str, Any]:
    """Say what came out of a case (预演结果), in the words a scenario's `[expect]` uses."""
    case = work.session.scalars(select(Case).where(Case.number == number)).one()
    licence = licences.of_case(work, case)
    lines = journal.read(work, case)
    due = {kind: countdowns.due(work, case, kind) for kind in ("acceptance", "decision")}
    return {
        "status": case.status,
        "decision": case.decision,
        "deemed_accepted": case.deemed_accepted,
        "trail": [line.facts["task"] for line in lines if line.tag == "task:completed"],
        "journal": [line.tag for line in lines],
        **{f"{kind}_due": reckoned.day for kind, reckoned in due.items() if reckoned},
        "licence": licence.fields | {"number": licence.number} if licence else None,
    }


def _play(office: Office, scenario: Scenario, number: str, step: Mapping[str, Any], say: Say) -> None:
    # Whoever filed goes on acting for the same organization.
    filed = scenario.filing if step["by"] == scenario.filing["by"] else step
    with office.work(by=_person(office, filed)) as work:
        if step.get("withdraw"):
            cases.withdraw(work, number, step["withdraw"])
            say(Played(work.actor.name, "", "撤回申请"))
            return
        task = _open_task(work, number, step["task"])
        department = work.session.get(Department, task.department_code) if task.department_code else None
        if task.form is None and task.department_code is None:
            given = {**scenario.filing["answers"], **step.get("answers", {})}
            uploads = [Upload(code, f"{code}.pdf", SAMPLE_PDF) for code in step.get("materials", [])]
            if task.case.status == Status.ACCEPTED:
                cases.supply(work, number, uploads)
            else:
                cases.correct(work, number, given, uploads)
        else:
            tasks.claim(work, task.id)
            tasks.complete(work, task.id, step.get("answers", {}))
        say(Played(work.actor.name, department.zh if department else "", task.name))


def _open_task(work: Work, number: str, element: str) -> Task:
    wanted = (
        select(Task).join(Case).where(Case.number == number, Task.element == element, Task.progress == Progress.OPEN)
    )
    task = work.session.scalars(wanted).first()
    if task is None:
        raise NotFound(task=element)
    return task


def _run_errands(office: Office, number: str, say: Say) -> None:
    waiting = (
        select(Errand.id, Errand.errand).join(Case).where(Case.number == number, Errand.progress == ErrandProgress.OPEN)
    )
    while True:
        with office.work(by=SYSTEM, read_only=True) as work:
            found = work.session.execute(waiting).first()
        if found is None:
            return
        workers.run_errand(office, found.id)
        say(Played(SYSTEM.name, "", found.errand))


def _person(office: Office, step: Mapping[str, Any]) -> Actor:
    with office.work(by=SYSTEM, read_only=True) as work:
        return people.actor_by_code(work, step["by"], step.get("for"))


def _set(office: Office, instant: datetime) -> None:
    if isinstance(office.clock, Clock):
        office.clock.now = instant.astimezone(UTC)
