"""Changing, renewing, reissuing and expiring: the number stays, and every version can be read."""

from uuid import uuid4

import pytest
from sqlalchemy import select, update

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import Incomplete, NotFound, TimePassed
from approval.services import cases, journal, licences, packs, sheets, workers
from certificates import Act, IllegalAct, Licence, Outcome, State
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, RETAIL, REVIEW, SIGN, at, uploads


@pytest.fixture
def number(office, clock):
    """The licence of a case that was granted on 2026-09-25."""
    case = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    clock.now = at("2026-09-25 10:00")
    walks.walk(office, case, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        return licences.mine(work)[0].number


@pytest.fixture
def applied(office, pack, clock):
    """Apply for an act on the licence that the contact's name says, and walk to the last signature."""

    def apply(act, of, answers=(), *, by="chen", steps=(ACCEPT, REVIEW, ADVISE), more=""):
        manifest = pack.files["item.toml"].replace(b'code = "food-business-licence"', f'code = "{act}"'.encode())
        asked = f'[licence]\nact = "{act}"\nof = "answers.contact_name"\n{more}'.encode()
        with office.work() as work:
            packs.deploy(work, packs.read({**pack.files, "item.toml": manifest.replace(b"[licence]", asked, 1)}))
        with office.work(by=walks.signed_in(office, by)) as work:
            case = cases.file(work, act, RETAIL | {"contact_name": of} | dict(answers), uploads()).number
        return walks.walk(office, case, *steps)

    return apply


def mine(office, who="chen"):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        return [(one.number, one.version, one.state, one.fields["premises"]) for one in licences.mine(work)]


@pytest.mark.article("行政许可法#49")
def test_a_granted_change_gives_the_licence_a_new_version(office, number, applied, clock):
    (before,) = mine(office)
    case = applied("change", number, {"premises": "泉州市鲤城区示例街19号"})
    assert mine(office) == [before]
    clock.now = at("2026-10-12 10:00")
    walks.walk(office, case, SIGN)
    walks.run_errands(office)
    assert mine(office) == [(number, 2, State.VALID, "泉州市鲤城区示例街19号")]
    assert walks.outcome(office, case)["status"] == "concluded"
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.own_rendition(work, number).startswith(b"%PDF-")
        new, old = certificates.versions(work.session, number)
        assert (new.valid_until, old.valid_until) == (old.valid_until, new.valid_until)
        assert old.fields["premises"] == before[3]
        assert {one.tag for one in journal.read(work, walks.case(work, case))} >= {"licence:changed", "licence:drawn"}
        told = [act.act for act in licences.history(work, old)]
        assert told == [Act.INTEND, Act.SEAL, Act.INTEND, Act.CHANGE, Act.SEAL]
        old_token, new_token = old.token, new.token
    with office.work(by=VISITOR, read_only=True) as work:
        assert licences.verify(work, token=old_token).outcome is Outcome.SUPERSEDED
        assert licences.verify(work, token=new_token).outcome is Outcome.VALID


def test_a_renewal_holds_five_years_from_the_decision(office, number, applied, clock):
    case = applied("renew", number)
    clock.now = at("2026-10-12 10:00")
    walks.walk(office, case, SIGN)
    with office.work(read_only=True) as work:
        licence = certificates.find_by_number(work.session, number)
        assert [str(day) for day in (licence.valid_from, licence.valid_until)] == ["2026-10-12", "2031-10-11"]


@pytest.mark.parametrize(("by", "of"), [("lin", None), ("chen", "JY0"), ("chen", " ")])
def test_whose_licence_it_is_not_is_told_when_it_is_filed(office, number, applied, by, of):
    with pytest.raises(Incomplete) as refused:
        applied("change", of or number, by=by)
    assert [missing.why for missing in refused.value.facts["missing"]][-1] in {"no-such-licence", "required"}


def test_a_licence_that_went_to_another_meanwhile_is_not_changed(office, number, applied):
    case = applied("change", number)
    with office.work() as work:
        work.session.connection().exec_driver_sql("UPDATE licences SET holder_code = 'another'")
    before = walks.everything(office)
    with pytest.raises(NotFound):
        walks.walk(office, case, SIGN)
    assert walks.everything(office) == before


@pytest.mark.article("行政许可法#50")
def test_a_renewal_applied_for_in_time_outlives_the_last_day(office, number, applied, clock):
    clock.now = at("2031-09-24 20:00")
    case = applied("renew", number)
    clock.now = at("2031-09-26 10:00")
    workers.expire(office)
    assert mine(office)[0][2] is State.EXPIRED
    walks.walk(office, case, SIGN)
    assert mine(office)[0][:3] == (number, 2, State.VALID)
    clock.now = at("2036-10-10 10:00")
    with pytest.raises(Incomplete):
        applied("renew", number)


def test_article_50_a_renewal_not_decided_before_the_last_day_is_renewed_by_law(office, number, applied, clock):
    clock.now = at("2031-08-25 20:00")  # thirty days before the last one, 2031-09-24
    case = applied("renew", number)
    clock.now = at("2031-09-24 23:59")
    assert workers.expire(office) == 0
    clock.now = at("2031-09-27 10:00")
    races.at_once(lambda: workers.expire(office), lambda: workers.expire(office))
    assert workers.expire(office) == 0
    stands = walks.outcome(office, case)
    assert (stands["status"], stands["decision"]) == ("concluded", "granted")
    assert stands["journal"].count("case:deemed-renewed") == 1
    assert walks.open_elements(office, case) == set()
    assert mine(office)[0][:3] == (number, 2, State.VALID)
    with office.work(read_only=True) as work:
        new = certificates.find_by_number(work.session, number)
        assert [str(day) for day in (new.valid_from, new.valid_until)] == ["2031-09-25", "2036-09-24"]
        proof = sheets.digest(sheets.of_case(work, walks.case(work, case), "decision"))
    (told,) = walks.told(office, "deemed-renewed")
    assert told == {"number": case, "licence": number, "basis": "行政许可法第五十条", "sheet": proof}
    assert walks.told(office, "licence-expired") == []
    workers.draw(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.own_rendition(work, number).startswith(b"%PDF-")


@pytest.mark.parametrize("step", [SIGN, ("sign_off", "cai", {"result": "refuse", "reason": "不符合条件。"})])
def test_article_50_nobody_decides_otherwise_because_the_worker_slept(office, number, applied, clock, step):
    clock.now = at("2031-08-20 10:00")
    case = applied("renew", number)
    clock.now = at("2031-09-25 00:00")
    with pytest.raises(TimePassed):
        walks.walk(office, case, step)
    assert workers.expire(office) == 1
    assert walks.outcome(office, case)["journal"].count("case:deemed-renewed") == 1


def test_article_50_a_renewal_that_was_asked_for_too_late_is_not_renewed_by_silence(office, number, applied, clock):
    clock.now = at("2031-08-26 10:00")
    case = applied("renew", number)
    clock.now = at("2031-09-25 00:01")
    assert workers.expire(office) == 1
    assert mine(office)[0][2] is State.EXPIRED
    assert walks.outcome(office, case)["status"] == "accepted"


def test_article_50_a_pack_may_say_otherwise_until_when_a_renewal_is_in_time(office, number, applied, clock):
    clock.now = at("2031-09-14 10:00")
    applied("renew", number, more="renew_days = 10\n")
    clock.now = at("2031-09-25 00:01")
    assert workers.expire(office) == 1
    assert mine(office)[0][:3] == (number, 2, State.VALID)


def test_article_50_what_waits_for_the_applicant_is_not_renewed(office, number, applied, clock):
    clock.now = at("2031-08-20 10:00")
    filed = applied("renew", number, steps=(ASK,))
    clock.now = at("2031-09-25 00:01")
    workers.expire(office)
    assert mine(office)[0][2] is State.EXPIRED
    assert walks.outcome(office, filed)["status"] == "correcting"


def test_article_50_what_was_put_right_only_after_the_last_day_is_not_renewed(office, number, applied, clock):
    clock.now = at("2031-08-20 10:00")
    filed = applied("renew", number, steps=(ASK,))
    clock.now = at("2031-09-25 00:00")
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.correct(work, filed, RETAIL | {"contact_name": number}, uploads("layout_plan"))
    assert workers.expire(office) == 1
    assert mine(office)[0][2] is State.EXPIRED
    assert walks.outcome(office, filed)["status"] == "filed"


def test_article_50_a_renewal_that_silence_had_not_even_accepted_is_renewed(office, number, applied, clock):
    clock.now = at("2031-08-20 10:00")
    case = applied("renew", number, steps=())
    clock.now = at("2031-09-25 00:01")
    assert workers.expire(office) == 1
    stands = walks.outcome(office, case)
    assert (stands["status"], stands["deemed_accepted"]) == ("concluded", True)


def test_article_50_a_licence_that_is_withheld_lapses(office, number, applied, clock):
    clock.now = at("2031-08-20 10:00")
    applied("renew", number)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.SUSPEND, reason="检查中发现问题。", basis="示例条款")
    clock.now = at("2031-09-25 00:01")
    assert workers.expire(office) == 1
    assert mine(office)[0][2] is State.EXPIRED


def test_a_licence_revoked_meanwhile_is_not_changed(office, number, applied):
    case = applied("change", number)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.REVOKE, reason="隐瞒真实情况。", basis="食品安全法第一百三十八条")
    with pytest.raises(IllegalAct):
        walks.walk(office, case, SIGN)
    with office.work(read_only=True) as work:
        assert [one.version for one in certificates.versions(work.session, number)] == [1]


def test_the_worker_writes_down_that_a_licence_expired_and_tells_its_holder(office, number, clock):
    clock.now = at("2031-09-24 23:59")
    assert workers.expire(office) == 0
    clock.now = at("2031-09-25 00:01")
    races.at_once(lambda: workers.expire(office), lambda: workers.expire(office))
    assert workers.expire(office) == 0
    assert mine(office)[0][2] is State.EXPIRED
    assert walks.told(office, "licence-expired") == [{"licence": number, "day": "2031-09-24"}]


def test_all_that_expired_is_written_down_and_what_cannot_be_holds_nobody_up(office, number, clock, monkeypatch):
    for _ in range(2):
        walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    with office.work() as work:
        lost = str(uuid4())
        work.session.execute(update(Licence).where(Licence.number == number).values(source=lost))
    clock.now = at("2031-09-26 00:01")
    monkeypatch.setattr(licences, "_LAPSED_AT_ONCE", 2)
    assert workers.expire(office) == 2
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Licence.number).where(Licence.state != State.EXPIRED)).all() == [number]
