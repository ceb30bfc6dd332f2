"""Joint consultation and joint visits: each department by its own deadline, and no disagreement ever vanishes."""

from itertools import permutations

import pytest

from approval.domain.errors import NotAllowed, Opposed
from approval.engine import NoWayOn
from approval.models.people import Person
from approval.models.tasks import Task
from approval.services import answers, countdowns, dossiers, issuances, journal, packs, people, tasks, workers
from tests.kit import blocks, walks
from tests.kit.blocks import GRANT, REFUSE
from tests.kit.samples import at

AGREE = {"result": "agree"}
DISAGREE = {"result": "disagree", "reason": "疏散通道不足。", "basis": "消防法第十五条"}
OFFICERS = {"XFJ": "su", "CGJ": "qiu", "ZJJ": "ye"}
VISIT = ("joint_visit", "wu", {"visited_on": "2026-09-24", "place": "示例广场", "findings": "场地已经围挡。"})
FINDINGS = {"findings": "出入口宽度符合要求。"}


def answer(office, number, department, given, element="consult_opinion"):
    """Answer for one of the departments that are asked at once."""
    with office.work(by=walks.signed_in(office, OFFICERS[department])) as work:
        of_case = tasks.of_case(work, walks.case(work, number))
        (task,) = [one for one in of_case if (one.element, one.department_code) == (element, department)]
        tasks.complete(work, task.id, given)


def said(office, number):
    with office.work(read_only=True) as work:
        found = answers.by_task(work, walks.case(work, number))
        return [(task.department_code, content["result"]) for task, content in found if "result" in content]


@pytest.mark.parametrize("order", list(permutations(OFFICERS)))
def test_a_disagreement_among_three_stays_whoever_answers_last(office, order):
    number = blocks.accepted(office, "consult")
    for department in order:
        answer(office, number, department, DISAGREE if department == "CGJ" else AGREE)
    assert sorted(said(office, number)[1:]) == [("CGJ", "disagree"), ("XFJ", "agree"), ("ZJJ", "agree")]
    with pytest.raises(Opposed) as refused:
        walks.complete(office, number, GRANT)
    assert refused.value.facts["departments"] == ["CGJ"]
    assert walks.outcome(office, number)["status"] == "accepted"
    walks.complete(office, number, REFUSE)
    assert walks.outcome(office, number)["decision"] == "refused"


def test_what_all_departments_agree_to_is_granted(office):
    number = blocks.accepted(office, "consult")
    for department in OFFICERS:
        answer(office, number, department, AGREE)
    walks.complete(office, number, GRANT)
    assert walks.outcome(office, number)["decision"] == "granted"


def test_departments_that_answer_in_the_same_instant_are_both_read(office):
    number = blocks.accepted(office, "consult")
    for department in OFFICERS:  # the clock stands still
        answer(office, number, department, DISAGREE if department == "XFJ" else AGREE)
    with office.work(by=walks.signed_in(office, "huang"), read_only=True) as work:
        opinions = dossiers.read(work, walks.case(work, number)).opinions
    assert {(one.task.department_code, one.content["result"]) for one in opinions[1:]} == {
        ("XFJ", "disagree"),
        ("CGJ", "agree"),
        ("ZJJ", "agree"),
    }


def test_every_department_has_a_deadline_of_its_own_and_who_is_late_is_urged(office, clock):
    number = blocks.accepted(office, "consult")
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        days = {kind: countdowns.due(work, case, kind).day.isoformat() for kind in countdowns.kinds(work, case)}
        queue = {one.department_code: one.due_on.isoformat() for one in work.session.query(Task) if one.due_on}
    assert (days["opinion:XFJ"], days["opinion:CGJ"]) == ("2026-09-24", "2026-09-26")
    assert (queue["XFJ"], queue["CGJ"]) == ("2026-09-24", "2026-09-26")
    answer(office, number, "CGJ", AGREE)
    clock.now = at("2026-09-25 09:00")
    workers.sweep(office)
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        assert not countdowns.going(work, case, "opinion:CGJ")
        assert countdowns.going(work, case, "opinion:XFJ")
    answer(office, number, "XFJ", AGREE)
    answer(office, number, "ZJJ", AGREE)
    assert walks.open_elements(office, number) == {"decision"}


def test_a_lane_that_the_item_does_not_know_stops_the_case_for_an_administrator(office):
    blocks.deploy(office, "consult", consulted=["没有这个岗"])
    number = blocks.file(office)
    with pytest.raises(Exception, match="consult_opinion") as stuck:
        walks.complete(office, number, blocks.ACCEPT)
    assert "没有这个岗" in str(stuck.value.facts)
    assert walks.outcome(office, number)["status"] == "filed"


@pytest.mark.article("行政许可法#34.3")
def test_article_34_a_joint_visit_is_one_record_with_the_findings_of_each_department(office, clock):
    number = blocks.accepted(office, "joint_visit_procedure")
    clock.now = at("2026-09-24 15:00")
    walks.complete(office, number, VISIT)
    for department in OFFICERS:
        answer(office, number, department, {"result": "agree", **FINDINGS}, "visit_finding")
    with office.work(read_only=True) as work:
        (record,) = [
            issuances.facts_of(formal)
            for formal in issuances.of_case(work, walks.case(work, number))
            if formal.kind == "site-visit-record"
        ]
    assert set(record["officers"]) == {"吴核查", "苏消防", "邱城管", "叶住建"}
    assert record["findings"].splitlines()[0] == "场地已经围挡。"
    assert {line.partition("：")[0] for line in record["findings"].splitlines()[1:]} == {
        "泉州市消防救援支队",
        "泉州市城市管理局",
        "泉州市住房和城乡建设局",
    }


@pytest.mark.article("行政许可法#34.3")
def test_article_34_one_officer_alone_visits_no_site(office):
    number = blocks.accepted(office, "joint_visit_procedure", consulted=[])
    with pytest.raises(NotAllowed) as refused:
        walks.complete(office, number, VISIT)
    assert refused.value.facts["basis"] == "行政许可法第三十四条第三款"


def test_a_finding_against_the_site_stands_in_the_way_of_granting(office):
    number = blocks.accepted(office, "joint_visit_procedure", consulted=["消防岗"])
    walks.complete(office, number, VISIT)
    against = {"result": "disagree", "basis": "消防法第十五条", **FINDINGS}
    answer(office, number, "XFJ", against, "visit_finding")
    with pytest.raises(Opposed):
        walks.complete(office, number, GRANT)


def test_a_disagreement_is_not_taken_back_by_another_step_or_another_who_was_asked(office, clock):
    number = blocks.accepted(office, "consult", "joint_visit_procedure", consulted=["消防岗"])
    answer(office, number, "XFJ", DISAGREE)
    clock.now = at("2026-09-24 15:00")
    walks.complete(office, number, VISIT)
    answer(office, number, "XFJ", {"result": "agree", **FINDINGS}, "visit_finding")
    with pytest.raises(Opposed):
        walks.complete(office, number, GRANT)


def test_of_one_post_that_is_asked_twice_at_once_the_no_counts(office):
    number = blocks.accepted(office, "consult", consulted=["消防岗", "消防岗"])
    for given in (DISAGREE, AGREE):
        with office.work(by=walks.signed_in(office, "su")) as work:
            of_case = tasks.of_case(work, walks.case(work, number))
            task = next(one for one in of_case if one.element == "consult_opinion" and one.progress == "open")
            tasks.complete(work, task.id, given)
    with pytest.raises(Opposed):
        walks.complete(office, number, GRANT)


def test_a_department_outside_the_joint_ones_is_heard_too(office):
    number = blocks.accepted(office, "consult", case_kind="promised", consulted=["消防岗"])
    answer(office, number, "XFJ", DISAGREE)
    with pytest.raises(Opposed):
        walks.complete(office, number, GRANT)


def test_whoever_is_asked_anew_takes_the_no_back(office, clock):
    number = blocks.accepted(office, "consult", consulted=["消防岗"])
    clock.now = at("2026-09-22 09:00")
    answer(office, number, "XFJ", DISAGREE)
    clock.now = at("2026-09-23 09:00")
    walks.return_to(office, number, ("decision", "cai"), "consult_opinion")
    answer_open(office, number, AGREE)
    walks.complete(office, number, GRANT)
    assert walks.outcome(office, number)["decision"] == "granted"


def answer_open(office, number, given):
    task = walks.open_task(office, number, "consult_opinion")
    with office.work(by=walks.signed_in(office, "su")) as work:
        tasks.complete(work, task, given)


def test_two_officers_of_one_name_are_two(office):
    number = blocks.accepted(office, "joint_visit_procedure", consulted=["消防岗"])
    with office.work() as work:
        for code in ("wu", "su"):
            work.session.get_one(Person, people.actor_by_code(work, code).person).name = "张伟"
    walks.complete(office, number, VISIT)
    answer(office, number, "XFJ", {"result": "agree", **FINDINGS}, "visit_finding")
    assert walks.open_elements(office, number) == {"decision"}


@pytest.mark.parametrize("groups", ["=1", "=[[1]]", '=["没有"]', '="没有这个岗"'])
def test_groups_that_come_out_as_nobody_stop_the_case_for_an_administrator(office, groups):
    files = blocks.files("consult", consulted=["消防岗"])
    bpmn = files["_shared/consult.bpmn"].replace(
        b'candidateGroups="=[consulted_lane]"', f"candidateGroups='{groups}'".encode()
    )
    with office.work() as work:
        packs.deploy(work, packs.read(files | {"_shared/consult.bpmn": bpmn}))
    number = blocks.file(office)
    with pytest.raises(NoWayOn):
        walks.complete(office, number, blocks.ACCEPT)


def test_a_group_written_as_one_name_is_one_lane(office):
    files = blocks.files("consult", consulted=["消防岗"])
    bpmn = files["_shared/consult.bpmn"].replace(
        b'candidateGroups="=[consulted_lane]"', b'candidateGroups="=consulted_lane"'
    )
    with office.work() as work:
        packs.deploy(work, packs.read(files | {"_shared/consult.bpmn": bpmn}))
    number = walks.walk(office, blocks.file(office), blocks.ACCEPT)
    answer(office, number, "XFJ", AGREE)
    assert walks.open_elements(office, number) == {"decision"}


def test_more_people_at_once_than_anybody_can_follow_are_refused(office):
    blocks.deploy(office, "consult", consulted=["消防岗"] * 101)
    with pytest.raises(NoWayOn):
        walks.complete(office, blocks.file(office), blocks.ACCEPT)


def test_whoever_is_late_is_urged_by_name(office, clock):
    number = blocks.accepted(office, "consult")
    clock.now = at("2026-09-25 09:00")  # three days are over for the fire service, five are not for the others
    workers.sweep(office)
    with office.work(read_only=True) as work:
        (line,) = [one for one in journal.read(work, walks.case(work, number)) if one.tag == "case:urged"]
    assert line.facts["departments"] == ["XFJ"]
