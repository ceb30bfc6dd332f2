"""Pledges: minor materials may come after acceptance, and a commitment may stand for a proof, with its consequences."""

import pytest

from approval.domain.errors import AlreadyDone, IllegalStep, Incomplete, NotAllowed, PackRefused
from approval.engine import CannotMigrate
from approval.models.pledges import Commitment
from approval.services import (
    cases,
    countdowns,
    decisions,
    issuances,
    items,
    journal,
    licences,
    packs,
    pledges,
    snapshots,
    tasks,
    versions,
    workers,
)
from approval.services.pledges import Promise
from certificates import Act
from tests.kit import blocks, walks
from tests.kit.blocks import ACCEPT, GRANT
from tests.kit.samples import at, uploads

ROW = '[[materials]]\ncode = "{0}"\nzh = "{1}"\nen = "{0}"\nneed = "required"\nsource = "申请人自备"\n'
ROW += 'level = "C"\nformats = ["pdf"]\nbasis = "示例依据"\n'
MATERIALS = ROW.format("plan", "安全方案") + ROW.format("insurance", "保险凭证") + 'deferral = "示例清单：容缺受理"\n'
COMMITMENT = """
[commitment]
when = 'answers.size = "small"'
replaces = ["plan"]
basis = "国办发〔2020〕42号"

[commitment.obligations]
zh = "活动按安全方案举办。"
en = "The event follows the safety plan."

[commitment.consequences]
zh = "承诺不实的，依法撤销许可。"
en = "If the commitment does not hold, the licence is rescinded."
"""
LATER = Promise(frozenset({"insurance"}))
COMMITTED = Promise(committed=True)
VISIT = "commitment_visit"
VERDICT = ("commitment_verdict", "cai", {"reason": "活动没有按方案举办。", "article": "行政许可法第六十九条第二款"})


def deploy(office, **bends):
    pledged = {"materials": MATERIALS, "more": COMMITMENT, "after": ("commitment_check",)}
    blocks.deploy(office, "deferral_procedure", **pledged, **bends)


def supply(office, number, *codes, token=None):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        return cases.supply(work, number, uploads(*codes) if codes else [], token=token)


def tags(office, number):
    with office.work(read_only=True) as work:
        return [line.tag for line in journal.read(work, walks.case(work, number))]


def formal(office, number, kind):
    with office.work(read_only=True) as work:
        formals = issuances.of_case(work, walks.case(work, number))
        return [issuances.facts_of(each) for each in formals if each.kind == kind]


def where(refused):
    return [(entry.where, entry.why) for entry in refused.value.facts["missing"]]


@pytest.fixture
def deferred(office):
    deploy(office)
    return walks.walk(office, blocks.file(office, uploads("plan"), promise=LATER), ACCEPT)


def test_a_minor_material_may_come_after_acceptance_and_the_notice_says_until_when(office, deferred):
    assert walks.outcome(office, deferred)["status"] == "accepted"
    (told,) = formal(office, deferred, "deferral")
    assert (told["minor"], told["deadline"]) == (["保险凭证"], "2026-10-09")
    assert "陈示例" in told["signature"]
    assert walks.open_elements(office, deferred) == {"supply", "supply_late"}


def test_only_what_the_item_lets_come_later_may_come_later(office):
    deploy(office)
    with pytest.raises(Incomplete) as refused:
        blocks.file(office, uploads("insurance"), promise=Promise(frozenset({"plan"})))
    assert where(refused) == [("materials.plan", "not-deferrable")]


def test_nothing_is_granted_until_everything_has_come(office, deferred):
    with office.work() as work, pytest.raises(Incomplete) as refused:  # as a procedure that does not wait would
        decisions.grant(work, walks.case(work, deferred))
    assert where(refused) == [("materials.insurance", "missing")]
    supply(office, deferred, "insurance", token="once")
    supply(office, deferred, "insurance", token="once")
    assert tags(office, deferred).count("case:supplied") == 1
    walks.complete(office, deferred, GRANT)
    assert walks.outcome(office, deferred)["decision"] == "granted"


def test_what_comes_later_comes_whole(office, deferred):
    with pytest.raises(Incomplete) as refused:
        supply(office, deferred)
    assert where(refused) == [("materials.insurance", "missing")]
    assert walks.open_elements(office, deferred) == {"supply", "supply_late"}


def test_what_does_not_come_in_time_ends_the_case(office, clock, deferred):
    clock.now = at("2026-10-10 00:01")
    workers.sweep(office)
    assert walks.outcome(office, deferred)["status"] == "terminated"
    with pytest.raises(AlreadyDone):
        supply(office, deferred, "insurance")


def test_what_was_brought_after_all_need_not_come_later(office):
    deploy(office)
    number = blocks.file(office, uploads("plan", "insurance"), promise=LATER)
    walks.complete(office, number, ACCEPT)
    assert formal(office, number, "deferral") == []
    assert walks.open_elements(office, number) == {"decision"}


def test_a_correction_is_not_a_supply(office, deferred):
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(IllegalStep):
        cases.correct(work, deferred, {"size": "small"}, uploads("insurance"))


@pytest.fixture
def committed(office):
    deploy(office)
    return walks.walk(office, blocks.file(office, uploads("insurance"), promise=COMMITTED), ACCEPT, GRANT)


def test_a_commitment_stands_for_a_proof_and_is_put_into_writing(office, committed):
    (told,) = formal(office, committed, "commitment")
    assert told["obligations"] == "活动按安全方案举办。"
    assert told["consequences"] == "承诺不实的，依法撤销许可。"
    assert walks.outcome(office, committed)["status"] == "concluded"
    assert walks.open_elements(office, committed) == {"commitment_visit", "commitment_visit_late"}


def test_a_commitment_is_open_only_to_whom_the_item_opens_it(office):
    deploy(office)
    with pytest.raises(Incomplete) as refused:
        blocks.file(office, uploads("insurance"), promise=COMMITTED, size="large")
    assert where(refused) == [("commitment", "not-open")]


def test_without_a_commitment_the_proof_is_asked_for(office):
    deploy(office)
    with pytest.raises(Incomplete) as refused:
        blocks.file(office, uploads("insurance"))
    assert where(refused) == [("materials.plan", "missing")]


def test_a_commitment_that_was_kept_is_settled(office, committed):
    walks.complete(office, committed, (VISIT, "wu", {"result": "kept", "findings": "现场与承诺一致。"}))
    assert "commitment:kept" in tags(office, committed)
    assert walks.open_elements(office, committed) == set()
    with office.work(read_only=True) as work:
        assert work.session.get_one(Commitment, walks.case(work, committed).id).kept is True


def test_the_check_is_urged_when_its_time_is_over(office, clock, committed):
    clock.now = at("2026-11-20 09:00")
    workers.sweep(office)
    assert "case:urged" in tags(office, committed)
    assert walks.open_elements(office, committed) == {"commitment_visit"}


@pytest.mark.article("行政许可法#69.2")
def test_article_69_what_was_got_by_a_false_commitment_is_rescinded_and_no_other_is_open(office, quick):
    deploy(office, licence=True)
    number = walks.walk(office, blocks.file(office, uploads("insurance"), promise=COMMITTED), ACCEPT, GRANT)
    walks.walk(office, number, (VISIT, "wu", {"result": "broken", "findings": "没有安全方案。"}), VERDICT)
    with office.work(read_only=True) as work:
        licence = licences.of_case(work, walks.case(work, number))
        assert licence.state == "rescinded"
    with pytest.raises(Incomplete) as refused:
        blocks.file(office, uploads("insurance"), promise=COMMITTED)
    assert where(refused) == [("commitment", "not-open")]
    with office.work(by=walks.signed_in(office, "cai")) as work:
        pledges.repair(work, number, "整改完毕，信用已经修复。", token="t")
    with office.work(by=walks.signed_in(office, "cai")) as work:
        pledges.repair(work, number, "整改完毕，信用已经修复。", token="t")
    assert tags(office, number).count("commitment:repaired") == 1
    blocks.file(office, uploads("insurance"), promise=COMMITTED)


def test_what_must_be_rectified_is_looked_at_once_more(office, committed):
    demand = {"result": "rectify", "findings": "通道被占。", "demands": "清理通道。"}
    walks.walk(
        office,
        committed,
        (VISIT, "wu", demand),
        ("commitment_rectify", "chen", {"measures": "已经清理。"}),
        ("commitment_revisit", "zheng", {"result": "kept", "findings": "通道畅通。"}),
    )
    assert "commitment:kept" in tags(office, committed)


def test_only_a_signer_of_the_item_repairs_and_only_what_was_broken(office, committed):
    with office.work(by=walks.signed_in(office, "huang")) as work, pytest.raises(NotAllowed):
        pledges.repair(work, committed, "理由")
    with office.work(by=walks.signed_in(office, "cai")) as work, pytest.raises(IllegalStep):
        pledges.repair(work, committed, "理由")
    with office.work(read_only=True) as work:
        assert work.session.get_one(Commitment, walks.case(work, committed).id).kept is None


ROWS = [{"what": "answers.size", "problem": "不符。", "how": "改正。"}]
ASK_SIZE = ("formal_check", "wang", {"result": "incomplete", "missing": ROWS})


def correct(office, number, size, *codes):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.correct(work, number, {"size": size}, uploads(*codes) if codes else [])


def test_answers_that_close_a_commitment_ask_for_the_proof_after_all(office):
    deploy(office)
    number = walks.walk(office, blocks.file(office, uploads("insurance"), promise=COMMITTED), ASK_SIZE)
    with pytest.raises(Incomplete) as refused:
        correct(office, number, "large")
    assert where(refused) == [("materials.plan", "missing")]
    correct(office, number, "large", "plan")
    assert "commitment:voided" in tags(office, number)
    walks.walk(office, number, ACCEPT, GRANT)
    assert walks.open_elements(office, number) == set(), "nothing is left to check"


def test_a_commitment_that_is_open_still_survives_a_correction(office):
    deploy(office)
    number = walks.walk(office, blocks.file(office, uploads("insurance"), promise=COMMITTED), ASK_SIZE)
    correct(office, number, "small")
    assert "commitment:voided" not in tags(office, number)


def test_what_is_corrected_early_need_not_come_later(office):
    deploy(office)
    number = walks.walk(office, blocks.file(office, uploads("plan"), promise=LATER), ASK_SIZE)
    correct(office, number, "large", "insurance")
    walks.walk(office, number, ACCEPT, GRANT)
    assert walks.outcome(office, number)["decision"] == "granted"


def test_what_a_correction_asks_for_comes_with_it_and_not_later(office):
    deploy(office)
    row = {"what": "materials.insurance", "problem": "请一并提交。", "how": "上传。"}
    ask = ("formal_check", "wang", {"result": "incomplete", "missing": [row]})
    number = walks.walk(office, blocks.file(office, uploads("plan"), promise=LATER), ask)
    with pytest.raises(Incomplete) as refused:
        correct(office, number, "large")
    assert where(refused) == [("materials.insurance", "missing")]


def test_a_step_before_the_supply_is_not_returned_to_with_the_old_promise(office, clock):
    deploy(office)
    number = walks.walk(office, blocks.file(office, uploads("plan"), promise=LATER), ACCEPT)
    clock.now = at("2026-09-22 09:00")
    supply(office, number, "insurance")
    task = walks.open_task(office, number, "decision")
    with office.work(by=walks.signed_in(office, "cai")) as work:
        tasks.claim(work, task)
        assert "formal_check" not in {step.element for step in snapshots.steps(work, walks.case(work, number))}


def test_a_licence_that_has_ended_otherwise_does_not_hold_the_verdict_up(office, quick):
    deploy(office, licence=True)
    number = walks.walk(office, blocks.file(office, uploads("insurance"), promise=COMMITTED), ACCEPT, GRANT)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licence = licences.of_case(work, walks.case(work, number)).number
        licences.perform(work, licence, Act.CANCEL, reason="持证人申请注销。", basis="行政许可法第七十条")
    walks.walk(office, number, (VISIT, "wu", {"result": "broken", "findings": "没有安全方案。"}), VERDICT)
    assert "commitment:broken" in tags(office, number)
    assert [told["reason"] for told in walks.told(office, "commitment-broken")] == ["活动没有按方案举办。"]


def test_a_version_that_would_forget_a_promise_is_not_migrated_to(office, deferred):
    blocks.deploy(office)
    with office.work(by=walks.signed_in(office, "admin")) as work:
        version = items.find(work, blocks.ITEM)
        (prospect,) = versions.survey(work, [walks.case(work, deferred)], version)
        assert "tell_deferral" in prospect.why
        with pytest.raises(CannotMigrate):
            versions.migrate(work, [deferred], version.id, "换版。")


def test_a_pack_tells_its_procedure_what_was_promised(office):
    files = blocks.files("deferral_procedure", materials=MATERIALS, more=COMMITMENT, after=("commitment_check",))
    bare = files["item.toml"].replace(b'deferred = "deferred"\ncommitted = "committed"\n', b'deferred = "[]"\n')
    with pytest.raises(PackRefused) as refused:
        packs.check(files | {"item.toml": bare}, office.settings)
    assert {"facts.committed", "facts.deferred"} <= {fault.element for fault in refused.value.facts["faults"]}


def test_a_corrected_calendar_moves_the_check_of_a_commitment_too(office, committed):
    with office.work() as work:
        days = countdowns.calendar(work).data()
        before = countdowns.due(work, walks.case(work, committed), "commitment_check").day
        assert countdowns.import_calendar(work, {**days, "rest": [*days["rest"], "2026-10-19"]}) >= 1
        assert countdowns.due(work, walks.case(work, committed), "commitment_check").day > before
