"""kill -9 of the worker between drawing and storing: the rendition still comes out, once."""

import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import func, select

import certificates
from approval.cli import offices
from approval.domain.actors import SYSTEM
from approval.models.cases import Case, JournalEntry
from approval.models.tasks import Errand
from approval.paths import WORKFLOWS
from approval.services import licences, packs, rehearsals

DYING = Path(__file__).with_name("dying_worker.py")
PATIENCE = 60


def environment(settings):
    told = {f"APPROVAL_{field.name.upper()}": str(getattr(settings, field.name)) for field in fields(settings)}
    return {**os.environ, **told, "APPROVAL_SWEEP_SECONDS": "1", "APPROVAL_SILENT_SECONDS": "2"}


def granted_case(office):
    pack = packs.read(packs.from_folder(WORKFLOWS / "food-business-licence"))
    with office.work(by=SYSTEM) as work:
        packs.deploy(work, pack)
    scenario = next(one for one in rehearsals.scenarios(pack) if one.file.endswith("/granted.toml"))
    return rehearsals.play(office, scenario, pack.manifest.code, settle=lambda *_: None)


def wait_for(condition, why):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, why
        time.sleep(0.1)


@pytest.fixture
def office(empty_settings):
    office = offices.prepare(empty_settings)
    offices.found_demo(office)
    yield office
    office.close()


def start_worker(office, marks, deaths, machine="first"):
    command = [sys.executable, str(DYING), str(marks), str(deaths), machine]
    return subprocess.Popen(command, env=environment(office.settings))


def stop_worker(worker):
    worker.terminate()
    assert worker.wait(PATIENCE) == 0


def status(office, number):
    with office.work(by=SYSTEM, read_only=True) as work:
        return work.session.scalar(select(Case.status).where(Case.number == number))


def require_one_rendition(office, number, attempts):
    with office.work(by=SYSTEM, read_only=True) as work:
        case = work.session.scalars(select(Case).where(Case.number == number)).one()
        drawn = select(func.count()).where(JournalEntry.case_id == case.id, JournalEntry.tag == "licence:drawn")
        assert work.session.scalar(drawn) == 1
        errand = work.session.scalars(select(Errand).where(Errand.case_id == case.id)).one()
        assert (errand.progress, errand.attempts) == ("done", attempts)
        pdf = certificates.get_rendition(work.session, licences.of_case(work, case).id)
        assert licences.verify(work, document=pdf).holds


def test_a_worker_killed_between_drawing_and_storing_leaves_one_rendition_in_the_end(office, tmp_path):
    number = granted_case(office)
    marks, deaths = tmp_path / "marks", 2
    for _ in range(deaths):
        assert start_worker(office, marks, deaths).wait(PATIENCE) == -9
        with office.work(by=SYSTEM, read_only=True) as work:
            case = work.session.scalars(select(Case).where(Case.number == number)).one()
            assert certificates.get_rendition(work.session, licences.of_case(work, case).id) is None
            assert case.status == "granted"
    last = start_worker(office, marks, deaths)
    wait_for(lambda: status(office, number) == "concluded", "the case was not concluded")
    stop_worker(last)
    assert len(marks.read_text().splitlines()) == deaths + 1
    require_one_rendition(office, number, deaths + 1)


@pytest.mark.long
def test_another_machine_takes_over_from_one_that_fell_silent(office, tmp_path):
    number = granted_case(office)
    marks = tmp_path / "marks"
    assert start_worker(office, marks, 1, "first").wait(PATIENCE) == -9
    second = start_worker(office, marks, 1, "second")
    wait_for(lambda: status(office, number) == "concluded", "nobody took the errand over")
    stop_worker(second)
    require_one_rendition(office, number, 2)


def test_a_worker_told_to_stop_while_it_draws_ends_what_it_began(office, tmp_path):
    number = granted_case(office)
    worker = start_worker(office, tmp_path / "marks", 0)
    wait_for(lambda: attempts(office), "nobody began to draw")
    stop_worker(worker)
    assert status(office, number) == "concluded"
    require_one_rendition(office, number, 1)


def attempts(office):
    with office.work(by=SYSTEM, read_only=True) as work:
        return work.session.scalar(select(Errand.attempts))
