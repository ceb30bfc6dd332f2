"""Kinds of cases: at once, promised, joint, forwarded: what each wants of its pack, and of whoever decides."""

import pytest

from approval.domain.errors import IllegalStep, PackRefused, Unanswered
from approval.services import answers, countdowns, decisions, journal, packs
from tests.kit import blocks, walks
from tests.kit.blocks import ACCEPT, GRANT
from tests.kit.samples import at

FORWARD = ("examination", "huang", {"result": "pass"})


def faults(office, **bends):
    with pytest.raises(PackRefused) as refused:
        packs.check(blocks.files(**bends), office.settings)
    return {(fault.element, fault.why) for fault in refused.value.facts["faults"] if fault.level == "error"}


def promised(days):
    return f'\n[limits.promised]\ndays = {days}\nbasis = "示例依据"\n'


def due(office, number):
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        return {kind: reckoned.day.isoformat() for kind, reckoned in countdowns.running(work, case)}


def test_an_item_decided_on_the_spot_promises_a_day_at_most(office):
    assert faults(office, case_kind="instant", more=promised(2)) == {
        ("limits.promised.days", "an item decided on the spot promises a day at most")
    }
    packs.check(blocks.files(case_kind="instant", more=promised(1)), office.settings)


def test_a_joint_item_names_joint_departments_and_asks_each_of_them(office):
    assert faults(office, case_kind="joint") == {("department.joint", "nothing asks CGJ, XFJ, ZJJ")}
    pack = blocks.files("consult")
    for old, new, why in (
        (b'joint = ["SPJ", "XFJ", "CGJ", "ZJJ"]', b"joint = []", "a joint item names its joint departments"),
        (b'"ZJJ"]', b'"ZJJ", "XXX"]', "nothing asks XXX"),
    ):
        with pytest.raises(PackRefused) as refused:
            packs.check(pack | {"item.toml": pack["item.toml"].replace(old, new, 1)}, office.settings)
        assert ("department.joint", why) in {(fault.element, fault.why) for fault in refused.value.facts["faults"]}


def test_a_forwarded_item_has_a_limit_for_the_lower_tier_and_forwards(office):
    assert faults(office, case_kind="forwarded") == {
        ("limits.tier_review", "is missing: how long the lower tier examines"),
        ("case_kind", "nothing in the procedure asks for the errand 'forward'"),
    }


def test_a_joint_case_is_not_decided_while_a_joint_department_has_not_answered(office):
    number = blocks.accepted(office, "consult")
    with office.work() as work, pytest.raises(Unanswered) as refused:
        decisions.refuse(work, _told(work, number))
    assert refused.value.facts["task"] == "consult_opinion"


def _told(work, number):
    case = walks.case(work, number)
    answers.keep(work, case, "decision", {"result": "refuse", "reason": "理由", "article": "示例法第一条"})
    return case


@pytest.fixture
def two_tiers(office):
    limit = '\n[limits.tier_review]\ndays = 20\nbasis = "行政许可法第四十三条"\n'
    blocks.deploy(office, case_kind="forwarded", more=limit, forwards=True)
    return walks.walk(office, blocks.file(office), ACCEPT)


@pytest.mark.article("行政许可法#43")
def test_article_43_the_lower_tier_examines_in_twenty_days_and_the_upper_ones_begin_when_it_forwards(
    office, clock, two_tiers
):
    assert due(office, two_tiers) == {"tier_review": "2026-10-22"}
    with office.work(read_only=True) as work:
        assert countdowns.awaited(work, walks.case(work, two_tiers))[0] == "tier_review"
    clock.now = at("2026-10-12 10:00")
    walks.complete(office, two_tiers, FORWARD)
    assert due(office, two_tiers) == {"decision": "2026-11-09"}
    assert [told["decision_due"] for told in walks.told(office, "forwarded")] == ["2026-11-09"]
    walks.complete(office, two_tiers, GRANT)
    assert walks.outcome(office, two_tiers)["decision"] == "granted"


@pytest.mark.article("行政许可法#43")
def test_article_43_nobody_decides_before_it_was_forwarded_and_it_is_forwarded_once(office, two_tiers):
    with office.work() as work, pytest.raises(IllegalStep) as refused:
        decisions.grant(work, walks.case(work, two_tiers))
    assert refused.value.facts["asked"] == "decide"
    walks.complete(office, two_tiers, FORWARD)
    before = due(office, two_tiers)
    with office.work() as work:  # as after a return to the examination
        assert decisions.forward(work, walks.case(work, two_tiers)) == {}
    assert due(office, two_tiers) == before


@pytest.mark.article("行政许可法#35")
def test_article_35_all_materials_go_up_and_none_is_asked_for_again(office, two_tiers):
    walks.complete(office, two_tiers, FORWARD)
    with office.work(read_only=True) as work:
        (line,) = [one for one in journal.read(work, walks.case(work, two_tiers)) if one.tag == "case:forwarded"]
    assert line.facts == {"materials": []}
    with office.work() as work, pytest.raises(IllegalStep):
        decisions.ask_correction(work, walks.case(work, two_tiers))
