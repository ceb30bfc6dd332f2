"""The journal carries what the upload tables of nation and province ask for, so that an exchange only maps it.

办件数据上报: 广东省网上办事大厅 V1.0 (2013), 杭州 2009 (XK_SQXX 申请 … XK_TBCXJSXX 特别程序结束). Whose case it is, of
which item and department, stands with the case; who did it, when and in which order with every line.
"""

from dataclasses import replace
from itertools import count

import pytest

from approval.services import journal, rehearsals
from approval.services.errands import CARRIED
from tests.kit import blocks, walks
from tests.kit.samples import at
from tests.services.conftest import DRAW
from tests.services.test_special import BEGIN, RESULT

# Table → the lines it is made of → the facts that its columns are mapped from.
TABLES = {
    "申请": {
        "case:filed": {"item", "item_number", "kind", "case_kind", "applicant", "agent", "materials", "notice"},
    },
    "受理": {
        "case:accepted": {"notice", "decision_due"},
        "case:deemed-accepted": {"notice", "decision_due"},
        "case:declined": {"notice", "result", "sheet"},
    },
    "补正告知": {"case:correction-asked": {"notice", "things", "days"}},
    "补正受理": {"case:corrected": {"notice", "materials", "acceptance_due"}},
    "审批": {"task:completed": {"task", "department", "role", "opened"}},
    "特别程序开始": {
        "case:suspended": {"cause", "days", "since", "basis", "notice", "decision_due"},
        "case:extended": {"countdown", "days", "basis", "notice", "decision_due"},
    },
    "特别程序结束": {"case:resumed": {"cause", "notice", "decision_due"}},
    "办结": {
        "case:granted": {"notice", "sheet"},
        "case:refused": {"notice", "sheet"},
        "case:withdrawn": {"notice"},
        "case:terminated": {"notice"},
        "case:concluded": {"decision", "licence"},
        "licence:issued": {"number", "type", "from", "until"},
    },
    "领取": {"case:delivered": {"way"}, "notice:delivered": {"notice", "way", "on"}},
}
NEEDED = {tag: facts for lines in TABLES.values() for tag, facts in lines.items()}


def lines(office, number):
    with office.work(read_only=True) as work:
        return [(line.tag, line.facts) for line in journal.read(work, walks.case(work, number))]


def lacking(found):
    return {tag: NEEDED[tag] - facts.keys() for tag, facts in found if not NEEDED.get(tag, set()) <= facts.keys()}


def test_every_shipped_scenario_leaves_what_the_tables_ask_for(office, clock, pack, monkeypatch):
    drawn = (f"%PDF-{number}".encode() for number in count())  # where the drawing is not the point, a few bytes do
    monkeypatch.setitem(CARRIED, DRAW, replace(CARRIED[DRAW], make=lambda _office, _sheet: next(drawn)))
    seen = set()
    for scenario in rehearsals.scenarios(pack):
        clock.now = scenario.filing["at"]
        found = lines(office, rehearsals.play(office, scenario, pack.manifest.code))
        assert lacking(found) == {}, scenario.file
        seen |= {tag for tag, _facts in found}
    assert seen >= {"case:filed", "case:accepted", "case:deemed-accepted", "case:declined", "case:correction-asked"}
    assert seen >= {"case:corrected", "task:completed", "case:granted", "case:refused", "case:terminated"}
    assert seen >= {"case:concluded", "case:delivered", "licence:issued"}


def test_a_step_says_since_when_it_was_open_and_how_it_was_answered(office):
    number = walks.walk(office, walks.file(office), ("formal_check", "wang", {"result": "complete"}))
    (facts,) = [facts for tag, facts in lines(office, number) if tag == "task:completed"]
    assert (facts["result"], facts["role"], facts["department"]) == ("complete", "window", "SPJ")
    assert facts["opened"].startswith("2026-09-21T")


@pytest.mark.article("行政许可法#45")
def test_article_45_a_special_procedure_says_why_how_long_and_what_became_due(office, clock):
    number = blocks.accepted(office, "special")
    clock.now = at("2026-09-28 09:00")
    walks.complete(office, number, BEGIN)
    clock.now = at("2026-09-30 16:00")
    walks.complete(office, number, RESULT)
    found = lines(office, number)
    assert lacking(found) == {}
    assert {"case:suspended", "case:resumed"} <= {tag for tag, _facts in found}
