"""Moving a demonstration's clock: for every Work from then on, forward only, and never where real people are served."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from approval.domain.errors import OutOfTurn, Unavailable
from approval.services import clocks, workers
from approval.settings import Settings, SettingsRefused
from tests.kit import races, walks


@pytest.fixture
def movable(office):
    office.settings = replace(office.settings, clock="movable")
    return office


def now(office):
    with office.work(read_only=True) as work:
        return work.now


def move(office, **by):
    with office.work() as work:
        return clocks.move(work, timedelta(**by))


def test_time_moves_on_for_every_work_and_limits_run_out(movable):
    number, before = walks.file(movable), now(movable)
    assert move(movable, days=3) == before + timedelta(days=3)
    assert move(movable, days=4, hours=1) == now(movable) == before + timedelta(days=7, hours=1)
    workers.sweep(movable)
    assert walks.outcome(movable, number)["status"] == "accepted"


def test_of_two_who_move_it_at_once_each_does(movable):
    before = now(movable)
    moved = races.at_once(*[lambda: move(movable, hours=1)] * 4)
    assert [type(each) for each in moved] == [datetime] * 4
    assert now(movable) == before + timedelta(hours=4)


def test_time_never_goes_back(movable):
    move(movable, days=1)
    before = now(movable)
    with pytest.raises(OutOfTurn):
        move(movable, days=-1)
    assert now(movable) == before


def test_the_clock_on_the_wall_is_nobody_s_to_move(office):
    with pytest.raises(Unavailable):
        move(office, days=1)


def test_production_refuses_a_clock_that_is_moved():
    with pytest.raises(SettingsRefused, match="APPROVAL_CLOCK"):
        Settings(environment="production", clock="movable").check()
    with pytest.raises(SettingsRefused, match="APPROVAL_CLOCK must be wall or movable"):
        Settings(clock="sundial").check()
