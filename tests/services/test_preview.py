"""Previewing a decision: the very notice that would be issued, and not a trace of the trial."""

import pytest

from approval.domain.errors import AnswersInvalid, NotAllowed
from approval.services import outlooks
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, REVIEW

REFUSE = {"result": "refuse", "reason": "经营场所不符合要求。", "article": "食品安全法第三十三条"}


@pytest.fixture
def to_sign(office):
    return walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)


def look(office, number, element, by, given):
    return outlooks.look(office, walks.signed_in(office, by), walks.open_task(office, number, element), given)


@pytest.mark.parametrize(
    ("given", "title"), [(REFUSE, "不予行政许可决定书"), ({"result": "grant"}, "准予行政许可决定书")]
)
def test_a_decision_is_seen_before_it_is_made_and_leaves_no_trace(office, to_sign, given, title):
    before = walks.everything(office)
    (sheet,) = look(office, to_sign, "sign_off", "cai", given)
    assert walks.everything(office) == before
    assert sheet.values["notice"]["title"] == title
    assert sheet.values["notice"]["number"] == "——"
    assert sheet.values["facts"].get("reason") == given.get("reason")
    walks.complete(office, to_sign, ("sign_off", "cai", given))


def test_nothing_is_sealed_for_a_preview(office, to_sign, monkeypatch):
    def seal(*_):
        raise AssertionError("a seal was asked for")

    monkeypatch.setattr(type(office.authority), "sealer", seal)
    assert len(look(office, to_sign, "sign_off", "cai", {"result": "grant"})) == 1


def test_a_correction_is_seen_as_the_applicant_will_read_it(office):
    number = walks.file(office)
    (sheet,) = look(office, number, "formal_check", "wang", ASK[2])
    assert sheet.values["facts"]["missing"][0]["what"] == "经营场所设备设施布局图和操作流程"
    pdf = outlooks.draw(sheet)
    assert pdf.startswith(b"%PDF-")


def test_a_step_that_issues_nothing_shows_nothing(office):
    number = walks.walk(office, walks.file(office), ACCEPT)
    assert look(office, number, "document_review", "huang", REVIEW[2]) == []


def test_only_who_may_do_it_sees_it_and_only_with_what_the_law_wants(office, to_sign):
    with pytest.raises(NotAllowed):
        look(office, to_sign, "sign_off", "xu", REFUSE)
    with pytest.raises(AnswersInvalid):
        look(office, to_sign, "sign_off", "cai", {"result": "refuse"})
