"""Issuing: once, sealed, and verifiable by anyone; tampered, revoked and unknown say so."""

import json

import pytest
from sqlalchemy import select, update

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import AnswersInvalid, IllegalStep, NotFound
from approval.services import licences, workers
from certificates import Act, IllegalAct, Licence, Outcome, Question, State
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, MATERIALS, RESTAURANT, RETAIL, REVIEW, SIGN, at, uploads

BASIS = "食品安全法第一百三十八条"


@pytest.fixture
def number(office, clock):
    """A case that was granted on 2026-09-25."""
    filed = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    clock.now = at("2026-09-25 10:00")
    return walks.walk(office, filed, SIGN)


def issued(office):
    with office.work(read_only=True) as work:
        return work.session.execute(select(Licence.__table__)).one()


def verified(office, **by):
    with office.work(by=VISITOR, read_only=True) as work:
        return licences.verify(work, **by)


@pytest.mark.article("行政许可法#39", "食品安全法#35")
def test_a_licence_says_what_was_applied_for_and_how_long_it_holds(office, number):
    licence = issued(office)
    assert (licence.holder_name, licence.holder_code_type) == ("陈示例", "id")
    assert (licence.issuer_code, licence.type_name, licence.state) == ("SCJ", "食品经营许可证", State.VALID)
    days = [str(day) for day in (licence.issued_on, licence.valid_from, licence.valid_until)]
    assert days == ["2026-09-25", "2026-09-25", "2031-09-24"]
    assert licence.fields["premises"] == RETAIL["premises"]
    assert licence.fields["activities"] == "预包装食品销售；散装食品销售（不含直接入口食品）"
    assert licence.number.startswith("JY1350500000001")
    sealed = json.loads(licence.statement)
    assert sealed["identifier"] == licence.identifier


def test_what_an_applicant_wrote_is_text_and_never_an_expression(office):
    hostile = '" + string(1+1) + "'
    number = walks.file(office, RETAIL | {"premises": hostile})
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    assert issued(office).fields["premises"] == hostile


def test_an_organization_holds_its_licence_itself(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    facts = RESTAURANT | {"activities": ["hot_food"], "seats": 10, "business_form": "1"}
    for hidden in ("seats", "dining_area", "open_flame"):
        del facts[hidden]
    number = walks.file(office, facts, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    licence = issued(office)
    assert (licence.holder_name, licence.holder_code) == ("泉州示例餐饮有限公司", "91350500MA000A012Q")


def test_a_case_issues_once_however_often_it_is_asked(office, number):
    first = issued(office).number
    with office.work() as work:
        assert licences.issue(work, walks.case(work, number)) == {"number": first}
    assert issued(office).number == first


def test_nothing_is_issued_that_was_not_granted(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    with pytest.raises(IllegalStep), office.work() as work:
        licences.issue(work, walks.case(work, number))
    assert walks.outcome(office, number)["licence"] is None


def test_if_the_seal_is_refused_the_decision_does_not_stand_either(office, authority, clock):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    clock.now = at("2046-01-01 09:00")  # the seal has expired
    before = walks.everything(office)
    with pytest.raises(certificates.SealRefused):
        walks.walk(office, number, SIGN)
    assert walks.everything(office) == before
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Licence)).all() == []


def test_anyone_verifies_by_token_or_by_number_and_check_code(office, number):
    licence = issued(office)
    by_token = verified(office, token=licence.token)
    by_number = verified(office, number=licence.number, check_code=licence.check_code.lower())
    for verification in (by_token, by_number):
        assert (verification.holds, verification.failures) == (True, ())
        assert verification.licence.number == licence.number
        assert verification.licence.holder.name != licence.holder_name, "a stranger sees no name of a person"
        assert set(verification.licence.fields) == {"business_form_name", "activities", "premises"}


def test_an_unknown_number_and_a_wrong_check_code_answer_alike(office, number):
    licence = issued(office)
    answers = [
        verified(office, number=licence.number, check_code="000000"),
        verified(office, number=licence.number, check_code=""),
        verified(office, number=licence.number, check_code="\ud800"),
        verified(office, number="JY13505000099999", check_code=licence.check_code),
        verified(office, number="' OR 1=1 --", check_code="x"),
        verified(office, token="0" * 20),
        verified(office, token="\0"),
        verified(office),
    ]
    assert {answer.outcome for answer in answers} == {Outcome.UNKNOWN}
    assert len({answer.checks for answer in answers}) == 1
    assert all(answer.licence is None for answer in answers)


@pytest.mark.parametrize(
    "change",
    [
        {"holder_name": "别人"},
        {"valid_until": at("2099-01-01 12:00").date()},
        {"fields": {"premises": "别处"}},
        {"issuer_name": "别的机关"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_changed_behind_the_doors_does_not_hold(office, number, change):
    with office.work() as work:
        work.session.execute(update(Licence).values(**change))
    verification = verified(office, token=issued(office).token)
    assert verification.holds is False
    assert verification.outcome is Outcome.TAMPERED
    assert Question.RECORD_UNALTERED in {check.question for check in verification.failures}
    assert verification.licence is None


def test_a_statement_changed_with_its_columns_breaks_the_seal(office, number):
    licence = issued(office)
    with office.work() as work:
        forged = licence.statement.replace("陈示例", "别示例")
        assert forged != licence.statement
        work.session.execute(update(Licence).values(statement=forged, holder_name="别示例"))
    verification = verified(office, token=licence.token)
    assert verification.outcome is Outcome.TAMPERED
    assert Question.SEAL_INTACT in {check.question for check in verification.failures}


def test_a_licence_ends_with_its_last_day(office, number, clock):
    token = issued(office).token
    workers.sequence(office)
    clock.now = at("2031-09-24 23:59")
    assert verified(office, token=token).holds
    clock.now = at("2031-09-25 00:00")
    assert verified(office, token=token).outcome is Outcome.EXPIRED


def revoke(office, who, licence, reason="隐瞒真实情况。", basis=BASIS):
    with office.work(by=walks.signed_in(office, who)) as work:
        licences.perform(work, licence, Act.REVOKE, reason=reason, basis=basis)


def test_a_revoked_licence_says_so_with_reason_and_basis(office, number):
    licence = issued(office)
    revoke(office, "cai", licence.number)
    verification = verified(office, token=licence.token)
    assert verification.outcome is Outcome.REVOKED
    (failure,) = verification.failures
    assert failure.question is Question.NOT_REVOKED
    assert BASIS in failure.detail
    assert walks.outcome(office, number)["journal"][-1] == "licence:revoked"
    with pytest.raises(IllegalAct):
        revoke(office, "cai", licence.number)


def test_whatever_befalls_a_licence_is_journaled_and_the_holder_is_told(office, number):
    licence = issued(office)
    deeds = [Act.SUSPEND, Act.RESUME, Act.RESCIND, Act.CANCEL]
    for deed in deeds:
        with office.work(by=walks.signed_in(office, "cai")) as work:
            licences.perform(work, licence.number, deed, reason="示例理由。", basis=BASIS)
        told = walks.told(office, licences.TOLD[deed][1])
        assert told == [{"licence": licence.number, "reason": "示例理由。", "basis": BASIS}]
    assert walks.outcome(office, number)["journal"][-4:] == [licences.TOLD[deed][0] for deed in deeds]
    assert verified(office, token=licence.token).outcome is Outcome.RESCINDED


def test_a_page_sent_twice_does_one_thing_to_a_licence(office, number):
    licence = issued(office)
    for _ in range(2):
        with office.work(by=walks.signed_in(office, "cai")) as work:
            licences.perform(work, licence.number, Act.SUSPEND, reason="示例理由。", basis=BASIS, token="once")
    assert walks.outcome(office, number)["journal"].count("licence:suspended") == 1


def test_of_two_who_end_a_licence_at_once_one_is_told(office, number):
    licence = issued(office)

    def end(deed):
        with office.work(by=walks.signed_in(office, "cai")) as work:
            return licences.perform(work, licence.number, deed, reason="示例理由。", basis=BASIS).number

    found = races.at_once(lambda: end(Act.RESCIND), lambda: end(Act.REVOKE))
    assert sorted(isinstance(each, IllegalAct) for each in found) == [False, True]
    assert len({"licence:revoked", "licence:rescinded"} & set(walks.outcome(office, number)["journal"])) == 1


@pytest.mark.parametrize("who", ["chen", "xu", "wang", "su", "admin"])
def test_only_a_signer_of_the_issuing_department_revokes(office, number, who):
    licence = issued(office)
    with pytest.raises(NotFound):
        revoke(office, who, licence.number)
    assert verified(office, token=licence.token).holds


def test_revoking_needs_reason_and_basis_and_a_licence(office, number):
    licence = issued(office)
    for field in ("reason", "basis"):
        for text in ("", " ", "\0", "\ud800", "长" * 2001):
            with pytest.raises(AnswersInvalid) as refused:
                revoke(office, "cai", licence.number, **{field: text})
            assert [fault.where for fault in refused.value.facts["missing"]] == [f"answers.{field}"]
    with pytest.raises(AnswersInvalid) as refused:
        revoke(office, "cai", licence.number, reason="", basis="")
    assert len(refused.value.facts["missing"]) == 2
    for unknown in ("JY1", "\0", ""):
        with pytest.raises(NotFound):
            revoke(office, "cai", unknown)
    assert verified(office, token=licence.token).holds
    assert "licence:revoked" not in walks.outcome(office, number)["journal"]
