"""What keeps an office honest: nobody decides in their own matter, nothing is asked twice, no clock stands wrong."""

import time
import tomllib
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from approval.domain.errors import AlreadyDone, AnswersInvalid, IllegalStep, Incomplete, NotAllowed, Overtaken
from approval.models.cases import Case, CountdownEntry
from approval.models.tasks import Timer
from approval.services import cases, countdowns, packs, people, timers, workers
from approval.services.rehearsals import CITY
from tests.kit import races, walks
from tests.kit.samples import (
    ACCEPT,
    ADVISE,
    ASK,
    FIRE,
    RESTAURANT,
    REVIEW,
    SIGN,
    at,
    id_number,
    uploads,
)

SCENES = uploads("business_licence", "layout_plan", "safety_rules", "health_certificates", "authorisation")


def restaurant(office):
    return walks.file(office, RESTAURANT, SCENES, by=walks.signed_in(office, "lin", "restaurant"))


@pytest.mark.parametrize(
    ("who", "steps", "forbidden"),
    [("wang", (), ACCEPT), ("huang", (ACCEPT,), REVIEW), ("cai", (ACCEPT, REVIEW, ADVISE), SIGN)],
)
def test_an_officer_does_not_work_on_an_own_case(office, who, steps, forbidden):
    number = walks.walk(office, walks.file(office, by=walks.signed_in(office, who)), *steps)
    with pytest.raises(NotAllowed) as refused:
        walks.walk(office, number, forbidden)
    assert refused.value.facts["recused"] is True


def test_an_agent_of_the_applicant_does_not_work_on_its_case(office):
    number = restaurant(office)
    with office.work() as work:
        window = people.enrol(
            work,
            "chen2",
            "陈兼职",
            id_number(7),
            posts=(people.Post("SPJ", "window"),),
            agent_for=("restaurant",),
        )
        agent = people.actor(work, window.id)
    with pytest.raises(NotAllowed):
        walks.complete(office, number, ("formal_check", agent, {"result": "complete"}))


@pytest.mark.parametrize("element", ["decision_review", "sign_off", "formal_check"])
def test_who_visits_a_site_does_not_take_in_review_or_sign(pack, element):
    for visit in ("site_visit", "site_visit_countersign", "site_revisit", "site_revisit_countersign"):
        assert any({element, visit} <= rule.tasks for rule in pack.manifest.apart), visit


@pytest.mark.article("行政许可法#32.1.4")
def test_a_correction_is_asked_for_once(office):
    number = walks.walk(office, walks.file(office), ASK)
    walks.correct(office, number)
    before = walks.everything(office)
    with pytest.raises(IllegalStep):
        walks.walk(office, number, ASK)
    assert walks.everything(office) == before
    walks.walk(office, number, ACCEPT)


def test_a_corrected_calendar_moves_what_runs_and_adds_to_the_ledger(office, clock):
    number = walks.file(office)
    data = tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8"))
    data["work"].remove(at("2026-09-26 12:00").date())
    clock.now = at("2026-09-22 09:00")
    with office.work() as work:
        assert countdowns.import_calendar(work, data) == 1
    with office.work(read_only=True) as work:
        assert work.session.scalar(select(Timer.due_at)) == at("2026-09-29 00:00")
        ledger = list(work.session.scalars(select(CountdownEntry.type).order_by(CountdownEntry.ordinal)))
    assert ledger == ["start", "recount"]
    clock.now = at("2026-09-27 00:00")
    assert workers.sweep(office) == 0
    clock.now = at("2026-09-29 00:00")
    assert workers.sweep(office) == 1
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        # As of the receipt, not of the day the calendar was corrected.
        assert (case.deemed_accepted, case.accepted_at) == (True, at("2026-09-21 09:00"))


def test_importing_the_same_calendar_again_moves_nothing(office):
    walks.file(office)
    with office.work() as work:
        data = tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8"))
        assert countdowns.import_calendar(work, data) == 0


def test_a_department_that_answered_is_no_longer_late(office):
    number = walks.walk(office, restaurant(office), ACCEPT, REVIEW, FIRE)
    with office.work(read_only=True) as work:
        assert countdowns.due(work, walks.case(work, number), "fire_opinion").stopped_on is not None


def test_a_department_that_answers_late_is_stopped_at_its_answer(office, clock):
    number = walks.walk(office, restaurant(office), ACCEPT, REVIEW)
    clock.now = at("2026-09-27 09:00")
    workers.sweep(office)
    clock.now = at("2026-09-28 09:00")
    walks.walk(office, number, FIRE)
    with office.work(read_only=True) as work:
        due = countdowns.due(work, walks.case(work, number), "fire_opinion")
    assert due.stopped_on == at("2026-09-28 09:00").date() > due.day


def test_cases_that_cannot_fire_are_looked_at_less_often_than_others(office, clock):
    broken = [walks.file(office, token=str(n)) for n in range(3)]
    clock.now = at("2026-09-22 09:00")
    sound = walks.file(office)
    with office.work() as work:
        work.session.execute(update(Case).where(Case.number.in_(broken)).values(state=b"\x01rubbish"))
    clock.now = at("2026-10-20 09:00")
    assert workers.sweep(office) == 1, "whoever cannot fire is passed over in the same sweep"
    assert walks.outcome(office, sound)["status"] == "accepted"
    with office.work() as work:
        assert timers.claim(work) is None
    clock.now += timedelta(seconds=2)
    with office.work() as work:
        assert timers.claim(work).number in broken


def test_a_token_of_another_filing_is_refused_and_nothing_is_lost(office):
    walks.file(office, token="click", by=walks.signed_in(office, "lin"))
    with pytest.raises(AlreadyDone):
        walks.file(office, RESTAURANT, SCENES, by=walks.signed_in(office, "lin", "restaurant"), token="click")


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 2001, "\ud800", "a\0"])
def test_a_withdrawal_says_why_in_words(office, reason):
    number = walks.file(office)
    with pytest.raises(AnswersInvalid), office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, reason)
    assert walks.outcome(office, number)["status"] == "filed"


@pytest.mark.article("行政许可法#44")
def test_a_refusal_is_delivered(pack):
    tasks = pack.definition.errands
    assert (tasks["deliver_refusal"], tasks["conclude_case_refused"]) == ("deliver", "conclude")


def test_no_licence_is_sealed_with_an_empty_field(office, pack):
    files = {
        **pack.files,
        "item.toml": pack.files["item.toml"].replace(b'"answers.premises"', b'"if false then 1 else null"'),
    }
    with office.work() as work:
        packs.deploy(work, packs.read(files))
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)
    with pytest.raises(Incomplete) as refused:
        walks.walk(office, number, SIGN)
    assert [missing.where for missing in refused.value.facts["missing"]] == ["licence.premises"]
    assert walks.outcome(office, number)["status"] == "accepted"


def test_a_deadlock_is_told_as_being_overtaken(office):
    class Deadlock(Exception):  # noqa: N818 -- what a driver raises
        sqlstate = "40P01"

    with pytest.raises(Overtaken), office.work():
        raise OperationalError("UPDATE", {}, Deadlock())


def test_two_who_wait_for_one_another_do_not_wait_for_ever(office):
    numbers = [walks.file(office), walks.file(office)]

    def change(first, second):
        with office.work() as work:
            for number in (first, second):
                work.session.execute(update(Case).where(Case.number == number).values(decision_reason="x"))
                time.sleep(0.2)

    ends = races.at_once(lambda: change(*numbers), lambda: change(*reversed(numbers)))
    # One writer at a time on SQLite; on PostgreSQL the database undoes one of the two.
    assert {type(end) for end in ends} <= {type(None), Overtaken}
    assert None in ends


def test_guesses_at_once_do_not_pass_the_limit_together(office):
    def guess():
        with office.work() as work:
            return people.sign_in(work, "cai", "wrong")

    ends = races.at_once(*[guess] * 8)
    assert sum(end is None for end in ends) == office.settings.sign_in_failures


def test_one_who_guesses_over_many_names_is_slowed_down_too(office):
    ends = []
    for n in range(office.settings.address_failures + 2):
        try:
            with office.work() as work:
                ends.append(people.sign_in(work, f"name{n}", "wrong", "the same place"))
        except Exception as reason:  # noqa: BLE001 -- its kind is what is asked
            ends.append(type(reason).__name__)
    assert ends[-2:] == ["TooMany", "TooMany"]


def test_two_who_deploy_a_new_item_at_once_make_one_version(office, pack):
    manifest = pack.files["item.toml"].replace(b'code = "food-business-licence"', b'code = "another-item"')
    another = packs.read({**pack.files, "item.toml": manifest})

    def deploy():
        with office.work() as work:
            return packs.deploy(work, another).id

    one, two = races.at_once(deploy, deploy)
    assert one == two


@pytest.mark.parametrize("who", ["chen", "wang", "cai"])
def test_only_administrators_publish_and_set_passwords(office, pack, who):
    for act in (lambda work: packs.deploy(work, pack), lambda work: people.set_password(work, "chen", "x")):
        with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, who)) as work:
            act(work)
    with office.work(by=walks.signed_in(office, "admin")) as work:
        people.set_password(work, "chen", "x")
