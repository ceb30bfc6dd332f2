"""Migrating cases to another version: looked at first, all or none, and reversible while they have not moved."""

from datetime import timedelta

import pytest

from approval import engine
from approval.domain.errors import AnswersInvalid, NotAllowed, OutOfTurn
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, ErrandProgress
from approval.services import operations, tasks, versions, workers
from tests.kit import drills, races, walks
from tests.kit.drills import CHECK, REVIEW, Register

REASON = "新版增加复核。"
SECOND = ("second_review", *REVIEW[1:])


@pytest.fixture(autouse=True)
def register(office):
    office.outside = {"register": Register()}


@pytest.fixture
def numbers(office, clock):
    """Two cases of the first version: one at its review, one that waits for machine and time."""
    drills.deploy(office)
    first = walks.walk(office, drills.file(office), CHECK)
    settle(office, clock)
    return [first, walks.walk(office, drills.file(office), CHECK)]


def settle(office, clock):
    for errand in walks.waiting(office, Errand, ErrandProgress.OPEN):
        workers.carry(office, errand)
    clock.now += timedelta(seconds=2)
    workers.sweep(office)


def admin(office):
    return office.work(by=walks.signed_in(office, "admin"))


def survey(office, number, version, **more):
    with admin(office) as work:
        (prospect,) = versions.survey(
            work, [walks.case(work, number)], work.session.get_one(ItemVersion, version), **more
        )
        told = {name: [place.element for place in getattr(prospect, name)] for name in ("kept", "lost", "fresh")}
        return {**told, "unknown": list(prospect.unknown), "possible": prospect.possible}


def migrate(office, numbers, version, **more):
    with admin(office) as work:
        return [case.number for case in versions.migrate(work, numbers, version, REASON, **more)]


def undo(office, number, **more):
    with admin(office) as work:
        return versions.undo(work, number, REASON, **more).number


def test_a_survey_tells_what_survives_and_changes_nothing(office, numbers):
    new = drills.deploy(office, more=("second_review",), facts='shade = "answers.shade"')
    before = walks.everything(office)
    assert survey(office, numbers[0], new) == {
        "kept": ["review"],
        "lost": [],
        "fresh": [],
        "unknown": ["shade"],
        "possible": True,
    }
    assert set(survey(office, numbers[1], new)["kept"]) == {"ask", "pause"}
    assert walks.everything(office) == before


def test_a_survey_tells_what_stands_in_the_way_and_then_nothing_is_migrated(office, numbers):
    new = drills.deploy(office, review="examination")
    assert survey(office, numbers[0], new) | {"unknown": []} == {
        "kept": [],
        "lost": ["review"],
        "fresh": [],
        "unknown": [],
        "possible": False,
    }
    before = walks.everything(office)
    with pytest.raises(engine.CannotMigrate):
        migrate(office, numbers, new)
    assert walks.everything(office) == before, "all of them or none"


def test_migrated_cases_go_on_under_the_new_version_with_their_errands_and_timers(office, numbers, clock):
    new = drills.deploy(office, more=("second_review",))
    assert migrate(office, numbers, new) == sorted(numbers)
    assert [drills.version_of(office, number) for number in numbers] == [2, 2]
    settle(office, clock)
    for number in numbers:
        walks.walk(office, number, REVIEW, SECOND)
        stands = walks.outcome(office, number)
        assert stands["status"] == "concluded"
        assert stands["journal"].count("case:migrated") == 1


def test_a_migration_is_undone_while_the_case_has_not_moved(office, numbers, clock):
    migrate(office, numbers, drills.deploy(office, more=("second_review",)))
    for number in numbers:
        undo(office, number)
    assert [drills.version_of(office, number) for number in numbers] == [1, 1]
    settle(office, clock)
    for number in numbers:
        walks.walk(office, number, REVIEW)
        assert walks.outcome(office, number)["status"] == "concluded"
    with pytest.raises(OutOfTurn):
        undo(office, numbers[0])


def test_a_case_that_moved_on_is_not_taken_back(office, numbers):
    migrate(office, numbers, drills.deploy(office, more=("second_review",)))
    walks.walk(office, numbers[0], REVIEW)
    with pytest.raises(OutOfTurn):
        undo(office, numbers[0])
    with admin(office) as work:
        cases = [walks.case(work, number) for number in numbers]
        assert [versions.reversible(work, case) is not None for case in cases] == [False, True]


def test_after_a_migration_an_earlier_step_can_still_be_returned_to(office, numbers):
    drills.deploy(office, more=("second_review",))
    two = drills.version(office, 2)
    migrate(office, numbers[:1], two)
    walks.walk(office, numbers[0], REVIEW)
    migrate(office, numbers[:1], drills.deploy(office, more=("second_review", "third_review")))
    task = walks.open_task(office, numbers[0], "second_review")
    with office.work(by=walks.signed_in(office, "huang")) as work:
        tasks.return_to(work, task, "review", REASON)
    assert drills.open_tasks(office, numbers[0]) == {"review"}
    walks.walk(office, numbers[0], REVIEW, SECOND, ("third_review", *REVIEW[1:]))


def test_only_cases_under_way_of_the_same_item_and_another_version_are_migrated(office, numbers):
    other = walks.file(office)
    new = drills.deploy(office, more=("second_review",))
    for number in (other,):
        with pytest.raises(OutOfTurn):
            migrate(office, [number], new)
    with pytest.raises(OutOfTurn):
        migrate(office, numbers, drills.version(office, 1))
    with admin(office) as work:
        operations.terminate(work, numbers[0], REASON)
    with pytest.raises(OutOfTurn):
        migrate(office, numbers, new)
    with pytest.raises(AnswersInvalid):
        migrate(office, [], new)
    with admin(office) as work:
        listed = versions.candidates(work, work.session.get_one(ItemVersion, new))
        assert [case.number for case in listed] == [numbers[1]]


def test_only_an_administrator_migrates_and_only_with_a_reason(office, numbers):
    new = drills.deploy(office, more=("second_review",))
    with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, "huang")) as work:
        versions.migrate(work, numbers, new, REASON)
    with pytest.raises(AnswersInvalid), admin(office) as work:
        versions.migrate(work, numbers, new, "")
    with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, "huang")) as work:
        versions.undo(work, numbers[0], REASON)


def test_a_page_sent_twice_migrates_once(office, numbers):
    new = drills.deploy(office, more=("second_review",))
    sent = [lambda: migrate(office, numbers, new, token="click")] * 2
    assert races.at_once(*sent) == [sorted(numbers)] * 2
    assert walks.outcome(office, numbers[0])["journal"].count("case:migrated") == 1
    back = [lambda: undo(office, numbers[0], token="back")] * 2
    assert races.at_once(*back) == [numbers[0]] * 2
    assert walks.outcome(office, numbers[0])["journal"].count("case:migration-undone") == 1


def test_migrating_and_completing_at_once_never_leaves_a_case_between_two_versions(office, numbers):
    new = drills.deploy(office, more=("second_review",))
    task, huang = walks.open_task(office, numbers[0], "review"), walks.signed_in(office, "huang")

    def complete():
        with office.work(by=huang) as work:
            tasks.complete(work, task, REVIEW[2])

    races.at_once(complete, lambda: migrate(office, numbers[:1], new))
    version, stands = drills.version_of(office, numbers[0]), walks.outcome(office, numbers[0])["status"]
    assert (version, stands) in {(1, "concluded"), (2, "accepted")}


def test_a_mapping_says_what_takes_the_place_of_what(office, numbers):
    new = drills.deploy(office, review="examination")
    mapping = {"review": "examination"}
    assert survey(office, numbers[0], new, mapping=mapping)["possible"]
    migrate(office, numbers[:1], new, mapping=mapping)
    assert drills.open_tasks(office, numbers[0]) == {"examination"}
    undo(office, numbers[0])
    assert drills.open_tasks(office, numbers[0]) == {"review"}
    migrate(office, numbers[:1], new, mapping=mapping)
    walks.walk(office, numbers[0], ("examination", *REVIEW[1:]))
    assert walks.outcome(office, numbers[0])["status"] == "concluded"


def test_a_survey_says_why_something_cannot_go_on(office, numbers):
    new = drills.deploy(office, review="examination")
    with admin(office) as work:
        case, version = walks.case(work, numbers[0]), work.session.get_one(ItemVersion, new)
        (prospect,) = versions.survey(work, [case], version)
        assert prospect.why == {"review": "the new version has no such element there"}
