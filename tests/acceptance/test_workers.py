"""Several workers: a name and a lock each, a heartbeat from the first moment, one heir for each that falls silent."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from approval import worker
from approval.cli import offices
from approval.models.tasks import Heartbeat
from approval.settings import Settings, SettingsRefused
from tests.acceptance.test_power_cut import PATIENCE, environment, stop_worker, wait_for
from tests.kit import databases, races

SILENT = timedelta(seconds=31)


def beats(office):
    with office.work(read_only=True) as work:
        return dict(work.session.execute(select(Heartbeat.executor, Heartbeat.beat_at)).all())


def test_two_instances_on_one_machine_have_two_names_and_one_instance_has_one(tmp_path):
    one, other = Settings(instance=tmp_path / "one"), Settings(instance=tmp_path / "other")
    assert one.executor_name != other.executor_name
    assert one.executor_name == Settings(instance=tmp_path / "one").executor_name
    assert replace(one, executor="night-shift").executor_name == "night-shift"


@pytest.mark.parametrize("name", ["../x", "夜班", "x" * 81, "a b"])
def test_a_name_that_cannot_name_a_lock_is_refused(name):
    with pytest.raises(SettingsRefused):
        Settings(executor=name).check()


def test_a_silent_worker_has_one_heir_though_two_notice_it(office):
    for name in ("first", "second", "dead"):
        worker._silent(office, name)
    with office.work() as work:
        dead = work.session.get_one(Heartbeat, "dead")
        dead.beat_at -= SILENT
    claimed = races.at_once(lambda: worker._silent(office, "first"), lambda: worker._silent(office, "second"))
    assert sorted(claimed) == [[], ["dead"]]


def test_an_heir_that_dies_too_is_inherited_from(office):
    for name in ("first", "dead"):
        worker._silent(office, name)
    for heir in ("first", "second"):
        with office.work() as work:
            for beat in work.session.scalars(select(Heartbeat)):
                beat.beat_at -= SILENT
        assert "dead" in worker._silent(office, heir)


def test_a_second_worker_of_the_same_name_does_not_start_and_one_of_another_does(empty_settings):
    office = offices.prepare(empty_settings)

    def start(name):
        env = environment(office.settings) | {"APPROVAL_EXECUTOR": name}
        return subprocess.Popen([sys.executable, "-m", "approval", "worker"], env=env, stderr=subprocess.DEVNULL)

    first = start("first")
    wait_for(lambda: "first" in beats(office), "the first worker did not begin")
    assert start("first").wait(PATIENCE) != 0
    if databases.URL:
        second = start("second")
        wait_for(lambda: "second" in beats(office), "the second worker did not begin")
        stop_worker(second)
    stop_worker(first)
    office.close()
