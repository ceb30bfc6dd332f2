"""Sharing: with purpose, case and basis, by the holder's leave; every look is the holder's to see."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approval.domain.actors import VISITOR
from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound, NotSignedIn, TooMany
from approval.services import cases, journal, licences, sharing
from approval.services.sharing import Question
from certificates import Act, State
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, MATERIALS, RETAIL, REVIEW, SIGN, uploads

ASKED = Question("", "核对经营者是否已有食品经营许可。", "《中华人民共和国行政许可法》第三十四条")


@pytest.fixture
def number(office):
    """Chen's licence, from a case that has ended."""
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.mine(work)[0].number


@pytest.fixture
def case(office, number):
    """A second case of Chen's, which the window of SPJ and then the examiners of SCJ work on."""
    return walks.walk(office, walks.file(office), ACCEPT)


def ask(office, who, case, **more):
    with office.work(by=walks.signed_in(office, who)) as work:
        return sharing.ask(work, replace(ASKED, case=case, **more))


def looks(office, who="chen", organization=None):
    with office.work(by=walks.signed_in(office, who, organization), read_only=True) as work:
        return sorted((look.department_code, look.number, look.purpose, look.ground) for look in sharing.looks(work))


def code_of(office, number, who="chen"):
    with office.work(by=walks.signed_in(office, who)) as work:
        return sharing.authorise(work, number)


def test_a_department_sees_what_is_released_to_it_and_the_issuer_sees_all(office, number, case):
    (seen,) = ask(office, "wang", case)
    assert (seen.number, seen.state, seen.holder_name) == (number, State.VALID, "陈示例")
    assert set(seen.fields) == {
        "operator",
        "representative",
        "business_form_name",
        "activities",
        "premises",
        "residence",
    }
    (all_of_it,) = ask(office, "huang", case, number=number)
    assert {"uscc", "complaints_phone"} <= set(all_of_it.fields)


@pytest.mark.article("行政许可法#31")
def test_every_look_stands_on_the_case_and_is_the_holders_to_see(office, number, case):
    ask(office, "wang", case)
    ask(office, "huang", case)
    assert looks(office) == [
        ("SCJ", number, ASKED.purpose, "case"),
        ("SPJ", number, ASKED.purpose, "case"),
    ]
    assert looks(office, "lin") == []
    with office.work(read_only=True) as work:
        lines = [line for line in journal.read(work, walks.case(work, case)) if line.tag == "licence:shown"]
    assert [line.facts for line in lines] == [{"number": number, "department": code} for code in ("SPJ", "SCJ")]


def test_what_befell_the_licence_is_seen(office, number, case):
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.SUSPEND, reason="停业整顿。", basis="行政处罚法第九条")
    assert ask(office, "wang", case)[0].state is State.SUSPENDED


def test_what_is_missing_is_told_at_once_and_nothing_is_written(office, number, case):
    before = walks.everything(office)
    with pytest.raises(AnswersInvalid) as refused:
        ask(office, "wang", " ", purpose=" ", basis="")
    assert {missing.where for missing in refused.value.facts["missing"]} == {
        "answers.case",
        "answers.purpose",
        "answers.basis",
    }
    for purpose, basis, told in (
        ("长" * 201, ASKED.basis, {"answers.purpose": "too-long"}),
        (" ", "长" * 201, {"answers.purpose": "required"}),
    ):
        with pytest.raises(AnswersInvalid) as refused:
            ask(office, "wang", case, purpose=purpose, basis=basis)
        assert {missing.where: missing.why for missing in refused.value.facts["missing"]} == told
    assert walks.everything(office) == before


def test_a_department_without_work_in_the_case_learns_nothing(office, number, case):
    for asked in (case, "350500102202609219999999"):
        for licence in (number, "JY00000000000000", ""):
            with pytest.raises(NotFound) as refused:
                ask(office, "su", asked, number=licence)
            assert refused.value.facts == {}
    assert looks(office) == []


def test_applicants_visitors_and_administrators_do_not_look(office, number, case):
    for who in ("chen", "lin", "admin"):
        with pytest.raises(NotAllowed):
            ask(office, who, case)
    with pytest.raises(NotSignedIn), office.work(by=VISITOR) as work:
        sharing.ask(work, replace(ASKED, case=case))


@pytest.mark.article("行政许可法#31")
def test_ones_own_application_is_no_pretext(office, number):
    own = walks.file(office, by=walks.signed_in(office, "wang"))
    with pytest.raises(NotFound):
        ask(office, "wang", own, number=number, code=code_of(office, number))
    assert looks(office) == []


def test_once_the_case_has_ended_so_has_the_right(office, number, case):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, case, "不再经营。")
    with pytest.raises(NotFound):
        ask(office, "wang", case)


@pytest.fixture
def another(office, number):
    """A case of the restaurant's, which has no licence yet."""
    lin = walks.signed_in(office, "lin", "restaurant")
    return walks.walk(office, walks.file(office, RETAIL, uploads(*MATERIALS, "authorisation"), by=lin), ACCEPT)


def test_anybody_elses_licence_takes_a_code_that_its_holder_gave_and_only_once(office, number, another):
    assert ask(office, "wang", another) == []
    with pytest.raises(NotFound):
        ask(office, "wang", another, number=number)
    code = code_of(office, number)
    with pytest.raises(NotFound):
        ask(office, "wang", another, number=number, code=code[:-1] + "2" if code[-1] != "2" else code[:-1] + "3")
    (seen,) = ask(office, "wang", another, number=number, code=f" {code[:5].lower()}-{code[5:]} ")
    assert seen.number == number
    assert [ground for *_, ground in looks(office)] == ["code"]
    with pytest.raises(NotFound):
        ask(office, "wang", another, number=number, code=code)


def test_a_code_runs_out_and_a_new_one_ends_the_one_before(office, number, another, clock):
    old, new = code_of(office, number), code_of(office, number)
    with pytest.raises(NotFound):
        ask(office, "wang", another, number=number, code=old)
    clock.now += timedelta(minutes=office.settings.sharing_minutes)
    with pytest.raises(NotFound):
        ask(office, "wang", another, number=number, code=new)
    for who in ("lin", "wang"):
        with pytest.raises(NotFound):
            code_of(office, number, who)


def test_of_two_who_use_a_code_at_once_one_is_turned_away(office, number, another):
    code = code_of(office, number)

    def look():
        try:
            return ask(office, "wang", another, number=number, code=code)
        except NotFound:
            return None

    assert sorted(map(bool, races.at_once(look, look))) == [False, True]
    assert len(looks(office)) == 1


def test_whoever_guesses_codes_is_slowed_down(office, number, another):
    for _ in range(office.settings.address_failures):
        with pytest.raises(NotFound):
            ask(office, "wang", another, number=number, code="GUESS")
    with pytest.raises(TooMany):
        ask(office, "wang", another, number=number, code=code_of(office, number))
