"""Calls: a procedure asks a system outside, under one key, and goes on with its answer."""

from datetime import timedelta

import pytest

from approval.domain.errors import Unavailable
from approval.services import incidents, workers
from tests.kit import drills, walks
from tests.kit.drills import CHECK, REVIEW, Register


@pytest.fixture
def number(office):
    drills.deploy(office)
    return walks.walk(office, drills.file(office), CHECK)


def test_the_answer_is_the_outcome_and_the_journal_says_who_was_asked(office, number, clock):
    register = Register()
    office.outside = {"register": register}
    errand = drills.errand(office, number)
    assert workers.run_errand(office, errand) is True
    assert workers.run_errand(office, errand) is False
    clock.now += timedelta(seconds=2)
    workers.sweep(office)
    walks.walk(office, number, REVIEW)
    assert walks.outcome(office, number)["journal"].count("errand:answered") == 1
    assert register.effects == {str(errand): {"entry": 1, "of": number}}


def test_only_facts_and_choices_leave_the_house(office, number):
    told = []

    class Listening(Register):
        def call(self, _key, body):
            told.append(body)
            return {}

    office.outside = {"register": Listening()}
    workers.run_errand(office, drills.errand(office, number))
    (body,) = told
    assert body["case"] == number
    assert body["element"] == "ask"
    assert body["data"]["size"] == "small"
    assert body["data"]["formal_check"] == {"result": "complete"}


def test_a_system_that_nobody_listed_is_tried_and_told(office, number):
    errand = drills.errand(office, number)
    with pytest.raises(Unavailable):
        workers.run_errand(office, errand)
    for _ in range(10):
        workers.carry(office, errand)
    with office.work() as work:
        (incident,) = incidents.listed(work)
        assert incident.facts["connector"] == "register"
