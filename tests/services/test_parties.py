"""Interested parties: each is told in a letter of their own, speaks in their time, and is heard before a decision."""

import json
from dataclasses import replace
from datetime import UTC

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.domain.actors import Post as Held
from approval.domain.errors import (
    AlreadyDone,
    AnswersInvalid,
    IllegalStep,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Overtaken,
    PartiesUnheard,
    TimePassed,
    Unheard,
)
from approval.domain.notices import Way
from approval.models.people import Organization
from approval.models.tasks import Task
from approval.services import (
    access,
    addresses,
    answers,
    cases,
    countdowns,
    countersigns,
    decisions,
    deliveries,
    hearings,
    issuances,
    journal,
    notices,
    operations,
    parties,
    people,
    petitions,
    statements,
    workers,
)
from tests.kit import blocks, races, walks
from tests.kit.blocks import GRANT, REFUSE
from tests.kit.samples import at, id_number
from tests.services.test_hear import MINUTES, schedule

WAIVE = ("applicant_hearing_request", "chen", {"result": "waive"})
CONSIDER = ("consider_statements", "huang", {"considered": "意见已经采纳，要求调整活动时间。"})


def named(*rows):
    told = [{"address": "示例路2号", "interest": "住宅相邻，夜间噪声。", "id_number": "", **row} for row in rows]
    return ("name_parties", "huang", {"result": "some", "parties": told})


LIN = {"name": "林示例", "id_number": "350502198802120028"}
YE = {"name": "叶住建"}  # the officer knew no number
NEIGHBOURS = named(LIN, YE)


def of_case(office, number):
    with office.work(read_only=True) as work:
        return parties.of_case(work, walks.case(work, number))


def letter(office, number, name):
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        (party,) = [one for one in parties.of_case(work, case) if one.name == name]
        return parties.letters(work, case)[party.id]


def hand_over(office, number, name, on):
    with office.work(by=walks.signed_in(office, "huang")) as work:
        deliveries.record(work, letter(office, number, name).id, "hand", receiver=name, at=on, note="本人签收")


def say(office, who, number, text="夜间噪声影响休息。", *, asks=False, token=None):
    with office.work(by=walks.signed_in(office, who)) as work:
        (party,) = [one for one in statements.mine(work) if one.case.number == number]
        statements.state(work, party.id, text, asks_hearing=asks, token=token)


@pytest.fixture
def accepted(office):
    return blocks.accepted(office, "interested_parties_procedure")


@pytest.fixture
def told(office, accepted):
    walks.complete(office, accepted, NEIGHBOURS)
    return accepted


@pytest.mark.article("行政许可法#36")
def test_article_36_each_interested_party_is_told_in_a_letter_of_their_own(office, told):
    with office.work(read_only=True) as work:
        letters = parties.letters(work, walks.case(work, told)).values()
        said = {formal.party.name: (issuances.facts_of(formal), formal.person_id) for formal in letters}
        ways = deliveries.of_notices(work, letters)
    assert {name: facts["addressee"] for name, (facts, _) in said.items()} == {"林示例": "林示例", "叶住建": "叶住建"}
    # The neighbour learns who applied, and no more of them than that.
    assert said["林示例"][0]["applicant"] == {"name": "陈示例"}
    assert (said["林示例"][0]["statement_days"], said["林示例"][0]["interest"]) == (7, "住宅相邻，夜间噪声。")
    assert said["林示例"][1] == walks.signed_in(office, "lin").person
    assert said["叶住建"][1] is None
    assert [[way.way for way in each] for each in ways.values()] == [["portal"], ["portal"]]
    assert walks.open_elements(office, told) == {"applicant_hearing_request", "applicant_request_late"}


def test_a_letter_that_goes_by_post_is_addressed_to_the_party(office, accepted, monkeypatch):
    monkeypatch.setattr("approval.documents.render", lambda *_given, **_named: b"%PDF-quick")
    monkeypatch.setattr("certificates.seal_document", lambda drawn, *_given, **_named: drawn)
    office.settings = replace(office.settings, spool=str(office.settings.instance / "spool"))
    with office.work(by=walks.signed_in(office, "lin")) as work:
        addresses.ask(work, Way.POST, "泉州市鲤城区示例街20号")
    walks.complete(office, accepted, NEIGHBOURS)
    workers.draw_notices(office)
    assert workers.send(office) == 1
    (post,) = [json.loads(file.read_text()) for file in (office.settings.instance / "spool/post").glob("*.json")]
    assert (post["name"], post["to"]) == ("林示例", "泉州市鲤城区示例街20号")


@pytest.mark.article("行政许可法#36")
def test_article_36_an_item_that_concerns_nobody_else_goes_on(office, accepted):
    walks.complete(office, accepted, ("name_parties", "huang", {"result": "none"}))
    assert walks.open_elements(office, accepted) == {"decision"}
    assert of_case(office, accepted) == []


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([], "answers.parties"),
        ([LIN | {"id_number": "350502198802120029"}], "answers.parties[1].id_number"),
        ([YE, LIN | {"interest": " "}], "answers.parties[2].interest"),
        ([{"name": "陈示例", "id_number": "350502198701110015"}], "answers.parties[1].id_number"),
        ([LIN | {"name": "林" * 101}], "answers.parties[1].name"),
    ],
)
def test_who_is_no_interested_party_is_named_and_nobody_is_told(office, accepted, rows, where):
    with pytest.raises(AnswersInvalid) as refused:
        walks.complete(office, accepted, named(*rows))
    assert [missing.where for missing in refused.value.facts["missing"]] == [where]
    assert of_case(office, accepted) == []


@pytest.mark.article("行政许可法#47.1")
def test_article_47_the_time_to_speak_counts_from_the_delivery_of_each_letter(office, clock, told):
    clock.now = at("2026-09-22 10:00")
    with office.work(by=walks.signed_in(office, "lin")) as work:
        formal = letter(office, told, "林示例")
        assert deliveries.opened(work, formal.id, work.actor.person, "林示例")
    clock.now = at("2026-09-24 10:00")
    hand_over(office, told, "叶住建", at("2026-09-23 17:00"))
    with office.work(read_only=True) as work:
        known = parties.of_case(work, walks.case(work, told))
        due = {party.name: statements.until(work, party).day.isoformat() for party in known}
    # Seven working days; 09-26 is a make-up Saturday, 10-01 and after are days of rest.
    assert due == {"林示例": "2026-09-30", "叶住建": "2026-10-08"}


@pytest.mark.article("行政许可法#36")
def test_article_36_the_case_goes_on_once_everybody_has_spoken(office, told):
    say(office, "lin", told)
    walks.complete(office, told, WAIVE)
    assert walks.open_elements(office, told) == set()
    with office.work(by=walks.signed_in(office, "huang")) as work:
        (ye,) = [one for one in of_case(office, told) if one.name == "叶住建"]
        statements.record(work, ye.id, "没有意见。", asks_hearing=False, note="书面意见一页")
    assert walks.open_elements(office, told) == {"consider_statements"}
    walks.walk(office, told, CONSIDER, GRANT)
    assert walks.outcome(office, told)["decision"] == "granted"
    lin, ye = of_case(office, told)
    assert (lin.statement, lin.note) == ("夜间噪声影响休息。", "")
    assert (ye.answered_by, ye.note) == (str(walks.signed_in(office, "huang").person), "书面意见一页")


@pytest.mark.article("行政许可法#36")
def test_article_36_nothing_is_decided_before_those_concerned_are_heard(office, told):
    say(office, "lin", told)
    for decide in (decisions.grant, decisions.refuse):  # as a procedure drawn without waiting for them would
        with office.work() as work:
            case = walks.case(work, told)
            answers.keep(work, case, "decision", {"reason": "理由"})
            with pytest.raises(PartiesUnheard) as refused:
                decide(work, case)
            assert refused.value.facts["parties"] == [2]
            work.session.rollback()


@pytest.mark.article("行政许可法#47.1")
def test_article_47_silence_waives_once_the_time_is_over_and_never_before_the_letter_came(office, clock, told):
    walks.complete(office, told, WAIVE)
    clock.now = at("2026-09-22 10:00")
    hand_over(office, told, "林示例", at("2026-09-22 09:00"))
    clock.now = at("2026-09-30 23:59")
    assert workers.settle(office) == 0
    clock.now = at("2026-10-01 00:01")
    assert workers.settle(office) == 1
    assert workers.settle(office) == 0
    lin, ye = of_case(office, told)
    assert (lin.heard, ye.heard) == (True, False)
    assert lin.lapsed_at == at("2026-10-01 00:00").astimezone(UTC)
    hand_over(office, told, "叶住建", at("2026-09-30 09:00"))
    clock.now = at("2026-10-18 09:00")
    workers.settle(office)
    assert walks.open_elements(office, told) == {"consider_statements"}
    with office.work(read_only=True) as work:
        case = walks.case(work, told)
        assert not any(countdowns.going(work, case, party.countdown) for party in parties.of_case(work, case))
        assert journal.count(work, case, "party:lapsed") == 2


@pytest.mark.article("行政许可法#47.1")
def test_article_47_a_hearing_that_a_party_asks_for_is_held_and_they_are_told_of_it(office, clock, told):
    walks.complete(office, told, WAIVE)
    say(office, "lin", told, asks=True)
    hand_over(office, told, "叶住建", at("2026-09-21 09:00"))
    say_in_writing(office, told)
    assert "hearing_schedule" in walks.open_elements(office, told)
    with office.work() as work, pytest.raises(Unheard):  # as a procedure drawn without a hearing would
        decisions.grant(work, walks.case(work, told))
    walks.complete(office, told, schedule("2026-09-30"))
    with office.work(read_only=True) as work:
        formals = issuances.of_case(work, walks.case(work, told))
        invited = [issuances.facts_of(formal).get("addressee", "") for formal in formals if formal.kind == "hearing"]
    assert sorted(invited) == ["", "叶住建", "林示例"]
    clock.now = at("2026-09-30 11:00")
    invite(office, told, "林示例")
    walks.walk(office, told, MINUTES, CONSIDER, REFUSE)
    assert walks.outcome(office, told)["decision"] == "refused"


@pytest.mark.article("行政许可法#47.1")
def test_article_47_the_applicant_may_ask_for_the_hearing_too(office, told):
    walks.complete(office, told, ("applicant_hearing_request", "chen", {"result": "ask"}))
    say(office, "lin", told, "")
    say_in_writing(office, told)
    assert "hearing_schedule" in walks.open_elements(office, told)


def say_in_writing(office, number):
    with office.work(by=walks.signed_in(office, "huang")) as work:
        (ye,) = [one for one in of_case(office, number) if one.name == "叶住建"]
        statements.record(work, ye.id, "没有意见。", asks_hearing=False, note="书面意见一页")


def test_a_statement_is_made_once_and_a_page_sent_twice_makes_one(office, told):
    say(office, "lin", told, token="page")
    say(office, "lin", told, token="page")
    with pytest.raises(AlreadyDone):
        say(office, "lin", told, "另一个意见", token="another")
    with office.work(read_only=True) as work:
        assert journal.count(work, walks.case(work, told), "party:stated") == 1


@pytest.mark.article("行政许可法#36")
def test_article_36_who_is_late_is_still_listened_to_and_asks_for_no_hearing(office, clock, told):
    hand_over(office, told, "林示例", at("2026-09-21 09:00"))
    clock.now = at("2026-10-09 09:00")
    workers.settle(office)
    with pytest.raises(TimePassed):
        say(office, "lin", told, asks=True)
    say(office, "lin", told, "晚到的意见。")
    assert of_case(office, told)[0].statement == "晚到的意见。"


@pytest.mark.parametrize("text", ["长" * 2001, "看不见\u200b的字"])
def test_a_statement_that_no_page_shows_is_refused(office, told, text):
    with pytest.raises(AnswersInvalid):
        say(office, "lin", told, text)


def test_a_letter_is_read_by_whom_it_is_for_and_by_nobody_else(office, told):
    formal = letter(office, told, "林示例")
    for who, reads in (("lin", True), ("chen", False), ("ye", False)):
        with office.work(by=walks.signed_in(office, who), read_only=True) as work:
            assert deliveries.addressed(work, work.session.merge(formal, load=False)) is reads
    with office.work(by=walks.signed_in(office, "ye"), read_only=True) as work:
        assert statements.mine(work) == []
        with pytest.raises(NotFound):
            statements.obtain(work, of_case(office, told)[0].id)


def test_who_has_the_letter_and_the_name_on_it_takes_it_as_theirs(office, told):
    token = letter(office, told, "叶住建").token
    with office.work(by=VISITOR, read_only=True) as work, pytest.raises(NotSignedIn):
        statements.by_letter(work, token)
    for stranger in ("chen", "lin"):
        with office.work(by=walks.signed_in(office, stranger)) as work, pytest.raises(NotFound):
            statements.claim(work, token)
    with office.work(by=walks.signed_in(office, "ye")) as work:
        statements.claim(work, token)
    with office.work(by=walks.signed_in(office, "ye"), read_only=True) as work:
        assert [party.name for party in statements.mine(work)] == ["叶住建"]


def test_an_organization_is_a_party_too_and_its_agent_speaks_for_it(office, accepted):
    with office.work(read_only=True) as work:
        found = work.session.scalars(select(Organization).where(Organization.code == "restaurant")).one()
    walks.complete(office, accepted, named({"name": found.name, "id_number": found.uscc}))
    say(office, "lin", accepted)
    (party,) = of_case(office, accepted)
    assert (party.holder_id, party.answered_by) == (found.id, str(walks.signed_in(office, "lin").person))


def test_only_officers_of_the_case_take_down_a_statement(office, told):
    party = of_case(office, told)[1]
    for who, refusal in (("lin", NotFound), ("chen", NotAllowed), ("su", NotFound)):
        with office.work(by=walks.signed_in(office, who)) as work, pytest.raises(refusal):
            statements.record(work, party.id, "", asks_hearing=False, note="书面意见")


def test_an_officer_whom_a_case_concerns_keeps_away_from_it(office, accepted):
    walks.complete(office, accepted, named({"name": "蔡签批", "id_number": "350502199509190099"}))
    say(office, "cai", accepted)
    walks.walk(office, accepted, WAIVE, CONSIDER)
    with pytest.raises(NotAllowed) as refused:
        walks.complete(office, accepted, GRANT)
    assert refused.value.facts["recused"]
    with office.work(by=walks.signed_in(office, "cai"), read_only=True) as work:
        assert not access.reads(work, walks.case(work, accepted))


def test_more_parties_than_can_be_told_are_told_to_be_too_many(office, accepted):
    with pytest.raises(AnswersInvalid) as refused:
        walks.complete(office, accepted, named(*[{"name": f"邻居{number}"} for number in range(201)]))
    assert "answers.parties" in {missing.where for missing in refused.value.facts["missing"]}


def drop(office, number, name, reason="列错了，不相邻。", by="huang"):
    (party,) = [one for one in of_case(office, number) if one.name == name]
    with office.work(by=walks.signed_in(office, by)) as work:
        statements.drop(work, party.id, reason)


@pytest.mark.article("行政许可法#36")
def test_article_36_who_is_named_anew_is_told_and_who_was_told_stays_told(office, told):
    say(office, "lin", told)
    walks.complete(office, told, WAIVE)
    say_in_writing(office, told)
    walks.return_to(office, told, ("consider_statements", "huang"), "name_parties")
    # Nobody now, one of them with a number that was found, and somebody new.
    walks.complete(office, told, named(YE | {"id_number": "350502198901230126"}, {"name": "周邻居"}))
    walks.complete(office, told, WAIVE)
    assert [party.name for party in of_case(office, told)] == ["林示例", "叶住建", "周邻居"]
    assert walks.open_elements(office, told) == set(), "the new one is waited for, nobody else"
    with office.work(read_only=True) as work:
        sent = [formal for formal in issuances.of_case(work, walks.case(work, told)) if formal.kind == parties.LETTER]
    assert len(sent) == 3
    drop(office, told, "周邻居")
    assert walks.open_elements(office, told) == {"consider_statements"}
    walks.walk(office, told, CONSIDER, GRANT)


@pytest.mark.article("行政许可法#47.1")
def test_article_47_nobody_who_asked_for_a_hearing_is_let_go(office, told):
    say(office, "lin", told, asks=True)
    with pytest.raises(AlreadyDone):
        drop(office, told, "林示例")
    walks.complete(office, told, WAIVE)
    walks.return_to(office, told, ("hearing_schedule", "huang"), "name_parties")
    walks.complete(office, told, ("name_parties", "huang", {"result": "none"}))
    assert [party.asks_hearing for party in of_case(office, told)] == [True, False]
    with office.work() as work, pytest.raises(PartiesUnheard):
        decisions.grant(work, walks.case(work, told))
    drop(office, told, "叶住建")
    with office.work() as work, pytest.raises(Unheard):
        decisions.grant(work, walks.case(work, told))


def test_who_is_let_go_stays_on_the_case_with_the_reason_and_their_time_stops(office, clock, told):
    hand_over(office, told, "叶住建", at("2026-09-21 09:00"))
    drop(office, told, "叶住建")
    with office.work(read_only=True) as work:
        case = walks.case(work, told)
        (_, ye) = parties.ever_named(work, case)
        assert (ye.note, countdowns.going(work, case, ye.countdown)) == ("列错了，不相邻。", False)
        assert journal.count(work, case, "party:dropped") == 1
        with pytest.raises(NotFound):
            statements.obtain_as_officer(work, ye.id)
    with pytest.raises(AnswersInvalid):
        drop(office, told, "林示例", reason=" ")


def test_where_the_only_one_was_named_by_mistake_the_case_goes_on(office, accepted):
    walks.walk(office, accepted, named(YE), WAIVE)
    drop(office, accepted, "叶住建")
    walks.walk(office, accepted, CONSIDER, GRANT)
    assert walks.outcome(office, accepted)["decision"] == "granted"


@pytest.mark.article("行政许可法#47.1")
def test_article_47_a_case_that_is_held_still_listens_and_goes_on_once_it_is_released(office, told):
    walks.complete(office, told, WAIVE)
    with office.work(by=walks.signed_in(office, "admin")) as work:
        operations.hold(work, told, "核对材料")
    say(office, "lin", told, asks=True)
    assert walks.open_elements(office, told) == set()
    with office.work(by=walks.signed_in(office, "admin")) as work:
        operations.release(work, told, "核对完毕")
    assert "hearing_schedule" in walks.open_elements(office, told)


@pytest.mark.article("行政许可法#47.1")
def test_article_47_the_days_for_a_hearing_count_from_the_first_request_and_nobody_waits_for_the_rest(
    office, clock, told
):
    clock.now = at("2026-09-22 09:00")
    walks.complete(office, told, ("applicant_hearing_request", "chen", {"result": "ask"}))
    assert "hearing_schedule" in walks.open_elements(office, told), "who has not spoken yet holds up no hearing"
    clock.now = at("2026-09-23 09:00")
    walks.return_to(office, told, ("hearing_schedule", "huang"), "name_parties")
    walks.complete(office, told, ("name_parties", "huang", {"result": "none"}))
    say(office, "lin", told, asks=True)
    walks.complete(office, told, ("applicant_hearing_request", "chen", {"result": "ask"}))
    with office.work(read_only=True) as work:
        # Twenty working days after 09-22; 09-26 and 10-10 are make-up Saturdays, 10-01 to 10-07 days of rest.
        assert countdowns.due(work, walks.case(work, told), "hearing").day.isoformat() == "2026-10-23"


@pytest.mark.article("行政许可法#47.1")
def test_article_47_the_applicant_s_request_bars_a_decision_until_they_are_heard_or_waive_it(office, told):
    walks.complete(office, told, ("applicant_hearing_request", "chen", {"result": "ask"}))
    say(office, "lin", told, "")
    say_in_writing(office, told)
    with office.work() as work, pytest.raises(Unheard):
        decisions.grant(work, walks.case(work, told))
    walks.return_to(office, told, ("hearing_schedule", "huang"), "name_parties")
    walks.walk(office, told, ("name_parties", "huang", {"result": "none"}), WAIVE, CONSIDER, GRANT)
    assert walks.outcome(office, told)["decision"] == "granted"


@pytest.mark.article("行政许可法#48.2")
def test_article_48_a_hearing_that_was_held_answers_no_later_request(office, clock, told):
    walks.complete(office, told, WAIVE)
    say(office, "lin", told, asks=True)
    walks.complete(office, told, schedule("2026-09-30"))
    clock.now = at("2026-09-30 11:00")
    invite(office, told, "林示例")
    walks.complete(office, told, MINUTES)
    say_in_writing(office, told)
    walks.return_to(office, told, ("consider_statements", "huang"), "name_parties")
    walks.walk(office, told, named({"name": "苏消防", "id_number": "350502199610200108"}), WAIVE)
    say(office, "su", told, asks=True)
    assert "hearing_schedule" in walks.open_elements(office, told)
    with office.work() as work, pytest.raises(Unheard):
        decisions.grant(work, walks.case(work, told))


def invite(office, number, name):
    """Hand over the notice of the hearing."""
    with office.work(by=walks.signed_in(office, "huang")) as work:
        case = walks.case(work, number)
        (party,) = [one for one in parties.of_case(work, case) if one.name == name]
        formal = [formal for formal in parties.sent_to(work, party) if formal.kind == "hearing"][-1]
        deliveries.record(work, formal.id, "hand", receiver=name, at=work.now, note="当面签收")


@pytest.mark.article("行政许可法#48.1.1")
def test_article_48_a_hearing_is_not_over_for_a_party_whom_its_notice_did_not_reach(office, clock, told):
    walks.complete(office, told, WAIVE)
    say(office, "lin", told, asks=True)
    walks.complete(office, told, schedule("2026-09-30"))
    clock.now = at("2026-09-30 11:00")
    with pytest.raises(PartiesUnheard) as refused:
        walks.complete(office, told, MINUTES)
    assert refused.value.facts["parties"] == [1], "the other asked for nothing"


@pytest.mark.article("行政许可法#48.1.1")
def test_article_48_parties_are_told_that_a_hearing_is_called_off_and_get_its_minutes(office, clock, told):
    walks.complete(office, told, WAIVE)
    say(office, "lin", told, asks=True)
    walks.complete(office, told, schedule("2026-09-30"))
    walks.return_to(office, told, ("hold_hearing", "fang"), "hearing_schedule")
    walks.complete(office, told, schedule("2026-09-30"))
    clock.now = at("2026-09-30 11:00")
    invite(office, told, "林示例")
    walks.complete(office, told, MINUTES)
    with office.work(read_only=True) as work:
        sent = [formal.kind for formal in parties.sent_to(work, parties.of_case(work, walks.case(work, told))[0])]
    assert sorted(sent) == ["hearing", "hearing", "hearing-called-off", "hearing-minutes", parties.LETTER]


def test_a_case_that_was_returned_to_where_it_waits_goes_on_by_itself(office, told):
    say(office, "lin", told)
    say_in_writing(office, told)
    assert workers.settle(office) == 0, "the message came when it was waited for"
    walks.complete(office, told, WAIVE)
    assert walks.open_elements(office, told) == {"consider_statements"}


@pytest.mark.article("行政许可法#36")
def test_article_36_what_was_taken_down_for_a_party_does_not_silence_them(office, told):
    with office.work(by=walks.signed_in(office, "wang")) as work:
        statements.record(work, of_case(office, told)[0].id, "没有意见。", asks_hearing=False, note="电话记录")
    say(office, "lin", told, "有意见。", asks=True)
    assert (of_case(office, told)[0].statement, of_case(office, told)[0].note) == ("有意见。", "")
    with pytest.raises(AlreadyDone):
        say(office, "lin", told, "再说一次。")


@pytest.mark.article("行政许可法#47.1")
def test_article_47_a_party_takes_back_a_request_that_was_taken_down_for_them(office, told):
    walks.complete(office, told, WAIVE)
    with office.work(by=walks.signed_in(office, "huang")) as work:
        statements.record(work, of_case(office, told)[0].id, "", asks_hearing=True, note="电话记录")
    assert "hearing_schedule" in walks.open_elements(office, told), "nobody waits for the rest"
    say(office, "lin", told, "不要求听证。")
    say_in_writing(office, told)
    with office.work(read_only=True) as work:
        case = walks.case(work, told)
        assert not petitions.pending(work, case)
        assert not countdowns.going(work, case, "hearing")


def test_a_number_that_is_another_s_names_nobody(office, accepted):
    for row in (
        YE | {"id_number": LIN["id_number"]},
        {"name": "陈示例", "id_number": "３５０５０２１９８７０１１１００１５"},
    ):
        with pytest.raises(AnswersInvalid) as refused:
            walks.complete(office, accepted, named(row))
        assert [missing.why for missing in refused.value.facts["missing"]] == ["not-theirs"]


def test_who_is_enrolled_afterwards_finds_the_letter_and_keeps_out_of_the_case(office, accepted):
    number = id_number(7)
    walks.complete(office, accepted, named({"name": "周邻居", "id_number": number}))
    with office.work() as work:
        people.enrol(work, "zhou", "周邻居", number, posts=(Held("SCJ", "signer"),))
    say(office, "zhou", accepted)
    with office.work(by=walks.signed_in(office, "zhou"), read_only=True) as work:
        assert access.in_own_matter(work, walks.case(work, accepted))


def test_nobody_is_told_of_a_case_that_is_not_accepted(office, accepted):
    with office.work() as work:
        case = walks.case(work, accepted)
        answers.keep(work, case, "name_parties", NEIGHBOURS[2])
        case.status = "filed"
        with pytest.raises(IllegalStep):
            parties.tell(work, case)
        work.session.rollback()


def test_no_party_is_asked_to_sign_and_none_presides(office, accepted):
    walks.complete(office, accepted, named({"name": "方听证", "id_number": "350502199002240130"}))
    with office.work(by=walks.signed_in(office, "huang"), read_only=True) as work:
        case = walks.case(work, accepted)
        task = work.session.scalars(select(Task).where(Task.case_id == case.id, Task.role == "applicant")).one()
        asked = {person.code for person in countersigns.may_be_asked(work, task)}
        assert ("fang" in asked, "cai" in asked) == (False, True)
        assert hearings.presiders(work, case) == []


def test_of_a_party_and_an_officer_at_once_one_is_first_and_nothing_is_half_done(office, told):
    def own():
        say(office, "lin", told, "有意见。", asks=True)

    def written():
        with office.work(by=walks.signed_in(office, "huang")) as work:
            statements.record(work, of_case(office, told)[0].id, "没有意见。", asks_hearing=False, note="书面意见")

    ended = races.at_once(own, written)
    assert {type(each) for each in ended} <= {type(None), AlreadyDone, Overtaken}
    if ended[0] is None:
        assert of_case(office, told)[0].statement == "有意见。", "what a party says themselves counts"


def test_nothing_begins_and_nothing_is_taken_down_once_a_case_is_over(office, told):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, told, "不办了。")
    hand_over(office, told, "叶住建", at("2026-09-21 09:00"))
    with office.work(read_only=True) as work:
        case = walks.case(work, told)
        assert not any(countdowns.going(work, case, party.countdown) for party in parties.of_case(work, case))
    with pytest.raises(TimePassed):
        say(office, "lin", told)


def test_the_applicant_takes_no_letter_that_is_for_another_of_that_name(office, accepted):
    walks.complete(office, accepted, named({"name": "陈示例"}))
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(NotFound):
        statements.claim(work, letter(office, accepted, "陈示例").token)


@pytest.mark.article("行政许可法#48.1.1")
def test_article_48_a_notice_of_a_hearing_that_is_issued_by_hand_goes_to_the_parties_too(office, told):
    given = schedule("2026-09-30")[2]
    with office.work(by=walks.signed_in(office, "huang")) as work:
        notices.issue(work, told, "hearing", given)
        case = walks.case(work, told)
        assert [parties.sent_to(work, party)[-1].kind for party in parties.of_case(work, case)] == ["hearing"] * 2
