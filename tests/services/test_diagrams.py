"""Diagrams: what stands where on the drawn procedure of a case, of a version, of a pack that has faults."""

import pytest

from approval.domain.errors import Fault, NotAllowed, NotFound
from approval.paths import WORKFLOWS
from approval.services import diagrams, items, packs
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, FIRE, ITEM, RESTAURANT, REVIEW, SIGN, at

ACCEPTING, VISITING = "_shared/accept.bpmn", "_shared/site-visit.bpmn"
FILES = packs.from_folder(WORKFLOWS / ITEM)


def drawn(office, number, by="chen"):
    with office.work(by=walks.signed_in(office, by), read_only=True) as work:
        return {drawing.file: drawing for drawing in diagrams.path(work, walks.case(work, number))}


def states(drawing):
    return {element: mark["state"] for element, mark in drawing.marks.items()}


def running(office, by="admin"):
    with office.work(by=walks.signed_in(office, by), read_only=True) as work:
        drawings = diagrams.running(work, items.find(work, ITEM))
        return {element: mark["count"] for drawing in drawings for element, mark in drawing.marks.items()}


def test_the_main_diagram_comes_first_and_called_ones_are_named_after_their_call(pack):
    named = diagrams.files(pack)
    assert next(iter(named.items())) == ("process.bpmn", pack.manifest.name.zh)
    assert named[ACCEPTING] == "受理"
    called = {"accept", "decide", "deferral", "deliver", "site-visit"}
    assert set(named) == {"process.bpmn"} | {f"_shared/{name}.bpmn" for name in called}


@pytest.mark.parametrize("file", ["item.toml", "licence.html", "../process.bpmn", "", "_shared"])
def test_only_what_the_procedure_is_drawn_in_is_handed_out(pack, file):
    assert diagrams.source(pack, ACCEPTING) == pack.files[ACCEPTING]
    with pytest.raises(NotFound):
        diagrams.source(pack, file)


def test_a_new_case_stands_at_its_check_and_in_the_call_around_it(office):
    at_first = drawn(office, walks.file(office))
    assert states(at_first["process.bpmn"]) == {"accept": "current"}
    assert states(at_first[ACCEPTING]) == {"formal_check": "current"}
    mark = at_first[ACCEPTING].marks["formal_check"]
    assert (mark["text"], mark["count"]) == ("形式审查", 0)


def test_a_deadline_that_is_only_armed_is_no_place_where_a_case_stands(office):
    number = walks.file(office)
    armed = walks.open_elements(office, number) - {"formal_check"}
    assert armed
    assert not armed & {element for drawing in drawn(office, number).values() for element in drawing.marks}


def test_what_was_done_and_what_is_under_way_are_told_in_their_order(office, clock):
    number = walks.walk(office, walks.file(office), ACCEPT)
    clock.now = at("2026-09-22 09:00")
    walks.walk(office, number, REVIEW)
    main = states(drawn(office, number)["process.bpmn"])
    assert list(main.items())[:2] == [("accept", "done"), ("document_review", "done")]
    assert list(main.values())[-1] == "current"


def test_a_step_done_twice_is_counted_and_one_open_again_is_under_way(office):
    number = walks.walk(office, walks.file(office), ASK)
    walks.correct(office, number)
    again = drawn(office, number)[ACCEPTING].marks
    assert (again["formal_check"]["state"], again["formal_check"]["count"]) == ("current", 0)
    walks.walk(office, number, ACCEPT)
    done = drawn(office, number)[ACCEPTING].marks["formal_check"]
    assert (done["state"], done["count"]) == ("done", 2)


def test_steps_in_parallel_are_all_under_way(office):
    number = walks.walk(office, walks.file(office, RESTAURANT), ACCEPT)
    main = states(drawn(office, number)["process.bpmn"])
    assert {element for element, state in main.items() if state == "current"} == {"document_review", "fire_opinion"}


def test_a_case_that_has_ended_stands_nowhere(office, quick):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    everywhere = {state for drawing in drawn(office, number).values() for state in states(drawing).values()}
    assert everywhere == {"done"}


def test_open_work_is_counted_over_all_cases_of_a_version(office):
    for steps in ((), (), (ACCEPT,), (ACCEPT, REVIEW)):
        walks.walk(office, walks.file(office), *steps)
    walks.walk(office, walks.file(office, RESTAURANT), ACCEPT, FIRE)
    counted = running(office)
    assert counted["formal_check"] == counted["accept"] == 2
    assert counted["document_review"] == 2
    assert "fire_opinion" not in counted


def test_only_administrators_see_the_counts(office):
    with pytest.raises(NotAllowed):
        running(office, by="wang")


def test_an_administrator_sees_where_any_case_stands_and_not_whose_it_is(office):
    number = walks.file(office)
    with office.work(by=walks.signed_in(office, "admin"), read_only=True) as work:
        standing = diagrams.standing(work, number)
        assert (standing.number, standing.status) == (number, "filed")
        assert states(standing.drawings[0]) == {"accept": "current"}
        for secret in ("陈示例", "0595-00000018", str(walks.case(work, number).applicant_id)):
            assert secret not in repr(standing)


@pytest.mark.parametrize(("by", "refusal"), [("wang", NotAllowed), ("chen", NotAllowed)])
def test_nobody_else_may_look_a_case_up_there(office, by, refusal):
    number = walks.file(office)
    with office.work(by=walks.signed_in(office, by), read_only=True) as work, pytest.raises(refusal):
        diagrams.standing(work, number)


@pytest.mark.parametrize("number", ["", "350500", "\ud800", "x\0y"])
def test_a_number_that_is_none_is_not_found(office, number):
    with office.work(by=walks.signed_in(office, "admin"), read_only=True) as work, pytest.raises(NotFound):
        diagrams.standing(work, number)


def test_faults_are_numbered_and_marked_on_the_file_they_stand_in():
    faults = [
        Fault("process.bpmn", "accept", 3, "one"),
        Fault("item.toml", "court", 0, "not drawn"),
        Fault("process.bpmn", "accept", 9, "two"),
        Fault("_shared/accept.bpmn", "", 1, "of the whole file"),
    ]
    main, *others = diagrams.faulty(FILES, faults)
    assert main.file == "process.bpmn"
    assert main.marks == {"accept": {"state": "fault", "count": 2, "text": "accept", "number": "1, 3"}}
    assert not any(drawing.marks for drawing in others)
    assert {drawing.file for drawing in others} == {path for path in FILES if path.endswith(".bpmn")} - {main.file}
