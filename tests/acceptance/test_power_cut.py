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
    return {**os.environ, **told, "APPROVAL_SWEEP_SECONDS": "1"}


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
    office.carrier.close()
    office.engine.dispose()


def start_worker(office, marks, deaths):
    command = [sys.executable, str(DYING), str(marks), str(deaths)]
    return subprocess.Popen(command, env=environment(office.settings))


def test_a_worker_killed_between_drawing_and_storing_leaves_one_rendition_in_the_end(office, tmp_path):
    number = granted_case(office)
    marks = tmp_path / "marks"
    deaths = 2
    for _ in range(deaths):
        assert start_worker(office, marks, deaths).wait(PATIENCE) == -9
        with office.work(by=SYSTEM, read_only=True) as work:
            case = work.session.scalars(select(Case).where(Case.number == number)).one()
            licence = licences.of_case(work, case)
            assert certificates.get_rendition(work.session, licence.id) is None
            assert case.status == "granted"

    last = start_worker(office, marks, deaths)
    try:

        def concluded():
            with office.work(by=SYSTEM, read_only=True) as work:
                return work.session.scalar(select(Case.status).where(Case.number == number)) == "concluded"

        wait_for(concluded, "the case was not concluded")
    finally:
        last.terminate()
        assert last.wait(PATIENCE) == 0

    assert len(marks.read_text().splitlines()) == deaths + 1
    with office.work(by=SYSTEM, read_only=True) as work:
        case = work.session.scalars(select(Case).where(Case.number == number)).one()
        drawn = select(func.count()).where(JournalEntry.case_id == case.id, JournalEntry.tag == "licence:drawn")
        assert work.session.scalar(drawn) == 1
        errand = work.session.scalars(select(Errand).where(Errand.case_id == case.id)).one()
        assert (errand.progress, errand.attempts) == ("done", deaths + 1)
        pdf = certificates.get_rendition(work.session, licences.of_case(work, case).id)
        assert licences.verify(work, document=pdf).holds
