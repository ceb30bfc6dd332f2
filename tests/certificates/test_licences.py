from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

import certificates
from certificates import Act, IllegalAct, LicenceUnknown, NaiveInstant, NotCanonical, ReasonMissing, SealRefused, State
from tests.certificates.samples import DRAFT, FIELDS, FOOD, HOLDER, MARKET, NOW, issue_in


def intend(session: Session, now: datetime = NOW, **changes: Any) -> certificates.Licence:
    return certificates.intend(session, replace(DRAFT, **changes), now=now, actor="officer-1")


def count(session: Session, table: type[certificates.Base]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_issued_licence_is_valid_and_sealed(session: Session, issue):
    licence = issue()
    session.commit()
    assert licence.state is State.VALID
    assert licence.number == "JY23505020000012"
    assert certificates.Identifier.parse(licence.identifier).serial == "JY23505020000012"
    assert (len(licence.token), len(licence.check_code)) == (20, 6)
    assert licence.sealed_at == NOW
    assert [act.act for act in certificates.acts(session, licence)] == ["intend", "seal"]


def test_asking_twice_issues_once(session: Session, issue):
    first = issue()
    assert issue(holder=certificates.Holder("别人（示例数据）", "x", "other")) is first
    assert count(session, certificates.Licence) == 1


def test_two_at_once_issue_once(sessions: sessionmaker[Session], authority: certificates.Authority):
    def issue_once(_: int) -> str:
        with sessions.begin() as session:
            return issue_in(session, authority).number

    with ThreadPoolExecutor(2) as workers:
        numbers = list(workers.map(issue_once, range(8)))
    assert set(numbers) == {"JY23505020000012"}
    with sessions() as session:
        assert count(session, certificates.Licence) == 1
        assert count(session, certificates.LicenceAct) == 2


def test_a_power_cut_before_the_commit_leaves_nothing(session: Session, issue):
    number = issue().number
    session.rollback()
    assert count(session, certificates.Licence) == 0
    assert count(session, certificates.LicenceAct) == 0
    assert issue().number == number


def test_a_licence_intended_in_one_transaction_is_sealed_in_the_next(session: Session, authority, issue):
    intended = intend(session)
    session.commit()
    assert intended.state is State.INTENDED
    assert intended.seal is None
    assert issue() is intended
    assert intended.state is State.VALID
    with pytest.raises(IllegalAct):
        certificates.seal(session, intended, authority.sealer("market"), now=NOW, actor="officer-1")


def test_another_departments_seal_is_refused_and_the_licence_stays_intended(session: Session, authority):
    licence = intend(session)
    with pytest.raises(SealRefused) as refusal:
        certificates.seal(session, licence, authority.sealer("fire"), now=NOW, actor="officer-1")
    assert refusal.value.facts["issuer"] == MARKET.uscc
    assert licence.state is State.INTENDED


def test_a_seal_out_of_its_term_is_refused(session: Session, authority):
    with pytest.raises(SealRefused):
        certificates.seal(
            session, intend(session), authority.sealer("market"), now=NOW - timedelta(days=1), actor="officer-1"
        )


def perform(session, number, act, reason="甲", basis="乙"):
    return certificates.perform(session, number, act, reason=reason, basis=basis, actor="officer-2", now=NOW)


@pytest.mark.article("行政许可法#69")
def test_revoking_tells_who_when_why_and_by_which_law(session: Session, issue):
    number = issue().number
    licence = perform(session, number, Act.REVOKE, reason="骗取许可", basis="行政许可法第六十九条")
    session.commit()
    assert (licence.state, licence.ended_at) == (State.REVOKED, NOW)
    act = certificates.acts(session, licence)[-1]
    assert (act.act, act.actor, act.at, act.reason) == ("revoke", "officer-2", NOW, "骗取许可")


def test_a_licence_is_revoked_only_once(session: Session, issue):
    number = issue().number
    perform(session, number, Act.REVOKE, reason="甲", basis="乙")
    with pytest.raises(IllegalAct) as refusal:
        perform(session, number, Act.REVOKE, reason="丙", basis="丁")
    assert refusal.value.facts["state"] is State.REVOKED


def test_an_intended_licence_cannot_be_revoked(session: Session):
    licence = intend(session)
    with pytest.raises(IllegalAct):
        perform(session, licence.number, Act.REVOKE, reason="甲", basis="乙")


def test_revoking_needs_a_reason_a_basis_and_a_licence(session: Session, issue):
    number = issue().number
    for reason, basis in (("", "乙"), ("甲", " ")):
        with pytest.raises(ReasonMissing):
            perform(session, number, Act.REVOKE, reason=reason, basis=basis)
    with pytest.raises(LicenceUnknown):
        perform(session, "JY0", Act.REVOKE, reason="甲", basis="乙")


@pytest.mark.parametrize(
    ("before", "possible"),
    [
        ((), [Act.SUSPEND, Act.REVOKE, Act.RESCIND, Act.CANCEL]),
        ((Act.SUSPEND,), [Act.RESUME, Act.REVOKE, Act.RESCIND, Act.CANCEL]),
        ((Act.SUSPEND, Act.RESUME), [Act.SUSPEND, Act.REVOKE, Act.RESCIND, Act.CANCEL]),
        ((Act.REVOKE,), [Act.CANCEL]),
        ((Act.SUSPEND, Act.RESCIND), [Act.CANCEL]),
        ((Act.CANCEL,), []),
        ((Act.REVOKE, Act.CANCEL), []),
    ],
)
def test_what_may_be_done_follows_from_what_was_done(session: Session, issue, before, possible):
    licence = issue()
    for act in before:
        perform(session, licence.number, act)
    assert list(certificates.lawful(licence)) == possible
    for act in set(Act) - set(possible):
        with pytest.raises(IllegalAct):
            perform(session, licence.number, act)
    assert [act.act for act in certificates.acts(session, licence)][2:] == list(before)


@pytest.mark.article("行政处罚法#9", "行政许可法#70")
def test_a_licence_that_is_cancelled_after_it_was_revoked_ended_when_it_was_revoked(session: Session, issue):
    number = issue().number
    perform(session, number, Act.REVOKE)
    later = NOW + timedelta(days=9)
    licence = certificates.perform(session, number, Act.CANCEL, reason="甲", basis="乙", actor="officer-2", now=later)
    assert (licence.state, licence.ended_at) == (State.CANCELLED, NOW)


@pytest.mark.parametrize(
    "sabotage",
    [
        "UPDATE licences SET seal = NULL",
        "UPDATE licences SET state = 'revoked'",
        "UPDATE licences SET state = 'cancelled'",
        "UPDATE licences SET ended_at = sealed_at",
        "UPDATE licences SET state = 'granted'",
        "UPDATE licences SET valid_until = '2020-01-01'",
        "UPDATE licence_acts SET act = 'revoke'",
        "UPDATE licence_acts SET act = 'suspend'",
    ],
)
def test_the_database_repeats_the_law(session: Session, issue, sabotage: str):
    issue()
    with pytest.raises(IntegrityError):
        session.execute(text(sabotage))


def test_a_licence_is_found_by_number_token_source_and_holder(session: Session, issue):
    licence = issue()
    token = licence.token.lower()
    assert certificates.find_by_number(session, f" {licence.number} ") is licence
    assert certificates.find_by_token(session, f"{token[:4]}-{token[4:]}") is licence
    assert certificates.find_by_source(session, "case-1") is licence
    assert certificates.find_by_holder(session, HOLDER.code) == [licence]
    assert certificates.find_by_token(session, "0" * 20) is None


def test_a_naive_instant_and_ambiguous_text_are_refused(session: Session):
    with pytest.raises(NaiveInstant):
        intend(session, now=datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001 -- that is the point
    session.rollback()
    with pytest.raises(NotCanonical):
        intend(session, fields=FIELDS | {"premises": "cafe\u0301"})


def test_an_instant_comes_back_in_utc(session: Session, issue):
    issue()
    session.commit()
    session.expire_all()
    licence = certificates.find_by_source(session, "case-1")
    assert licence
    assert (licence.intended_at, licence.intended_at.utcoffset()) == (NOW, timedelta(0))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 22), date(2031, 11, 21)),
        (date(2027, 1, 1), date(2031, 12, 31)),
        (date(2028, 2, 29), date(2033, 2, 28)),
    ],
)
def test_five_years_end_the_day_before_the_anniversary(first: date, last: date):
    assert FOOD.last_day(first) == last


def test_the_statement_says_everything_in_names_that_the_standard_knows(session: Session, issue):
    data = certificates.canonical.load(certificates.sealed_json(issue()))
    assert data["licence"].keys() - {"schema"} == certificates.METADATA_NAMES.keys()
    assert data["licence"]["holder_name"] == HOLDER.name
    assert data["licence"]["valid_until"] == "2031-11-21"
    assert data["licence"]["fields"] == FIELDS


def succession(act: Act, **changes: Any) -> certificates.Succession:
    return replace(certificates.Succession(act, "case-2", date(2027, 3, 1), "甲", "乙"), **changes)


@pytest.fixture
def succeed(session: Session, authority):
    def done(number: str, act: Act, **changes: Any) -> certificates.Licence:
        new = succession(act, **changes)
        later = NOW + timedelta(days=99)
        return certificates.succeed(session, number, new, authority.sealer("market"), now=later, actor="officer-2")

    return done


@pytest.mark.article("行政许可法#49")
def test_a_change_keeps_number_and_days_and_says_the_new_fields(session: Session, issue, succeed):
    old = issue()
    holder = replace(HOLDER, name="新名小馆（示例数据）")
    new = succeed(old.number, Act.CHANGE, holder=holder, fields=FIELDS | {"premises": "示例路 2 号"})
    assert (old.state, new.state) == (State.SUPERSEDED, State.VALID)
    assert (new.number, new.version, new.succession) == (old.number, 2, Act.CHANGE)
    assert (new.valid_from, new.valid_until, new.issued_on) == (old.valid_from, old.valid_until, date(2027, 3, 1))
    assert (new.holder_name, new.fields["premises"]) == (holder.name, "示例路 2 号")
    assert certificates.Identifier.parse(new.identifier).version == 2
    assert {new.token, new.check_code, new.source}.isdisjoint({old.token, old.check_code, old.source})
    assert certificates.find_by_number(session, old.number) is new
    assert list(certificates.versions(session, old.number)) == [new, old]
    (act,) = [act for act in certificates.acts(session, old) if act.act is Act.CHANGE]
    assert (act.reason, act.basis, act.actor) == ("甲", "乙", "officer-2")


def test_a_renewal_holds_from_the_day_it_is_decided(issue, succeed):
    old = issue()
    new = succeed(old.number, Act.RENEW, valid_until=date(2032, 2, 29), fields={"premises": "unheard"})
    assert (new.valid_from, new.valid_until, new.fields) == (date(2027, 3, 1), date(2032, 2, 29), old.fields)


def test_a_reissue_says_the_same_once_more(issue, succeed):
    old = issue()
    new = succeed(old.number, Act.REISSUE, fields={}, valid_until=date(2099, 1, 1))
    same = ("fields", "issued_on", "valid_from", "valid_until", "holder_name", "public_fields")
    assert all(getattr(new, name) == getattr(old, name) for name in same)


def test_a_succession_asked_twice_happens_once(session: Session, issue, succeed):
    number = issue().number
    assert succeed(number, Act.CHANGE) is succeed(number, Act.CHANGE)
    assert count(session, certificates.Licence) == 2
    assert succeed(number, Act.REISSUE, source="case-3").version == 3


@pytest.mark.parametrize("before", [Act.SUSPEND, Act.REVOKE, Act.RESCIND, Act.CANCEL])
def test_only_a_valid_licence_is_succeeded(session: Session, issue, succeed, before: Act):
    number = issue().number
    perform(session, number, before)
    for act in (Act.CHANGE, Act.RENEW, Act.REISSUE):
        with pytest.raises(IllegalAct):
            succeed(number, act)


def test_what_is_no_succession_is_refused(session: Session, issue, succeed):
    number = issue().number
    for act in (Act.REVOKE, Act.SEAL, Act.EXPIRE):
        with pytest.raises(IllegalAct):
            succeed(number, act)
    with pytest.raises(IllegalAct):  # 行政许可法第九条: what was granted to one is not handed to another
        succeed(number, Act.CHANGE, holder=replace(HOLDER, code="91350500MA0000002A"))
    with pytest.raises(IllegalAct) as late:
        succeed(number, Act.RENEW, issued_on=date(2031, 11, 22))
    assert late.value.facts["state"] == State.EXPIRED
    with pytest.raises(ReasonMissing):
        succeed(number, Act.CHANGE, basis=" ")
    with pytest.raises(LicenceUnknown):
        succeed("JY0", Act.CHANGE)
    assert count(session, certificates.Licence) == 1


def test_a_version_in_waiting_is_not_sealed_once_the_licence_was_revoked(session: Session, authority, issue):
    old = issue()
    waiting = certificates.intend_succession(session, old.number, succession(Act.CHANGE), now=NOW, actor="a")
    assert (certificates.find_by_number(session, old.number), old.state) == (old, State.VALID)
    perform(session, old.number, Act.REVOKE)
    with pytest.raises(IllegalAct):
        certificates.seal(session, waiting, authority.sealer("market"), now=NOW, actor="a", reason="甲", basis="乙")
    assert (waiting.state, old.state) == (State.INTENDED, State.REVOKED)


def test_nothing_befalls_a_superseded_version(session: Session, issue, succeed):
    old = issue()
    new = succeed(old.number, Act.CHANGE)
    assert certificates.lawful(old) == ()
    assert perform(session, old.number, Act.REVOKE) is new
    assert old.state is State.SUPERSEDED


def test_a_licence_expires_on_record_the_day_after_its_last(session: Session, issue):
    licence = issue()
    with pytest.raises(IllegalAct):
        certificates.expire(session, licence, today=date(2031, 11, 21), now=NOW, actor="system")
    assert certificates.lapsed(session, date(2031, 11, 21), limit=9) == []
    assert certificates.lapsed(session, date(2031, 11, 22), limit=9) == [licence]
    certificates.expire(session, licence, today=date(2031, 11, 22), now=NOW, actor="system")
    assert (licence.state, certificates.lawful(licence)) == (State.EXPIRED, (Act.CANCEL,))
    assert certificates.lapsed(session, date(2031, 11, 22), limit=9) == []
    with pytest.raises(IllegalAct):
        certificates.expire(session, licence, today=date(2031, 11, 22), now=NOW, actor="system")


@pytest.mark.parametrize(
    ("rule", "sabotage"),
    [
        ("later_version_succeeds", "UPDATE licences SET version = 2"),
        ("later_version_succeeds", "UPDATE licences SET succession = 'change'"),
        ("succession_is_lawful", "UPDATE licences SET version = 2, succession = 'revoke'"),
        ("licence_state_known", "UPDATE licences SET state = 'superceded'"),
    ],
)
def test_the_database_repeats_the_law_of_versions(session: Session, issue, rule: str, sabotage: str):
    issue()
    with pytest.raises(IntegrityError, match=rule):
        session.execute(text(sabotage))
