"""People: who they are, how they sign in, when it ends."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from approval.domain.actors import Post
from approval.domain.errors import AnswersInvalid, NotFound, NotSignedIn, TooMany
from approval.models.people import Person, Session
from approval.services import people
from tests.kit import walks
from tests.kit.samples import id_number

PASSWORD = "correct horse 电池"


@pytest.fixture
def chen(office):
    with office.work() as work:
        people.set_password(work, "chen", PASSWORD)
    return walks.signed_in(office, "chen")


def sign_in(office, name="chen", password=PASSWORD):
    with office.work() as work:
        return people.sign_in(work, name, password)


def resume(office, token):
    with office.work(read_only=True) as work:
        return people.resume(work, token).person_id


@pytest.mark.parametrize(
    "number",
    ["35050219870111001X", "350502198701110016", "35050219870111001", "", "350502199902300010", "\0" * 18, "①" * 18],
)
def test_an_identity_number_that_is_none_is_refused(office, number):
    before = walks.everything(office)
    with pytest.raises(AnswersInvalid) as refused, office.work() as work:
        people.enrol(work, "new", "新示例", number)
    assert [missing.where for missing in refused.value.facts["missing"]] == ["answers.id_number"]
    assert walks.everything(office) == before


def test_an_enrolled_person_holds_the_posts_given_and_no_other(office):
    with office.work() as work:
        people.enrol(work, "new", "新示例", id_number(3), posts=(Post("SCJ", "signer"),))
    new = walks.signed_in(office, "new")
    assert new.holds("SCJ", "signer")
    assert not new.holds("SCJ", "reviewer")
    assert not new.holds("SPJ", "signer")


def test_founding_a_city_twice_changes_nothing(office, city):
    before = walks.everything(office)
    with office.work() as work:
        people.found(work, city)
    assert walks.everything(office) == before


def test_the_right_password_opens_a_session_and_its_token_is_stored_nowhere(office, chen):
    person, token = sign_in(office)
    assert person == chen.person
    assert resume(office, token) == chen.person
    assert token not in str(walks.everything(office))


@pytest.mark.parametrize(
    ("name", "password"),
    [("chen", "wrong"), ("chen", ""), ("nobody", PASSWORD), ("lin", ""), ("", ""), ("chen\0", PASSWORD)],
)
def test_whatever_is_wrong_looks_the_same(office, chen, name, password):
    assert sign_in(office, name, password) is None
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Session)).all() == []


def test_too_many_failures_make_a_name_wait_even_for_the_right_password(office, chen, clock):
    for _ in range(office.settings.sign_in_failures):
        assert sign_in(office, password="wrong") is None
    with pytest.raises(TooMany):
        sign_in(office)
    clock.now += timedelta(minutes=office.settings.failure_minutes)
    assert sign_in(office)


def test_one_name_that_waits_holds_up_no_other(office, chen):
    for _ in range(office.settings.sign_in_failures):
        sign_in(office, "lin", "wrong")
    assert sign_in(office)


def test_a_success_forgets_the_failures_before_it(office, chen):
    for _ in range(office.settings.sign_in_failures - 1):
        sign_in(office, password="wrong")
    assert sign_in(office)
    assert sign_in(office, password="wrong") is None
    assert sign_in(office)


def test_an_idle_session_ends(office, chen, clock):
    _, token = sign_in(office)
    clock.now += timedelta(minutes=office.settings.idle_minutes)
    assert resume(office, token)
    clock.now += timedelta(seconds=1)
    with pytest.raises(NotSignedIn):
        resume(office, token)


def test_a_session_in_use_still_ends_after_its_hours(office, chen, clock):
    _, token = sign_in(office)
    for _ in range(2 * office.settings.session_hours):
        clock.now += timedelta(minutes=30)
        assert resume(office, token)
        with office.work() as work:
            people.keep_alive(work, token)
    clock.now += timedelta(seconds=1)
    with pytest.raises(NotSignedIn):
        resume(office, token)


def test_signing_out_ends_the_session_everywhere_and_only_that_one(office, chen):
    (_, one), (_, other) = sign_in(office), sign_in(office)
    with office.work() as work:
        people.sign_out(work, one)
    with pytest.raises(NotSignedIn):
        resume(office, one)
    assert resume(office, other)
    with office.work() as work:
        people.keep_alive(work, one)
    with pytest.raises(NotSignedIn):
        resume(office, one)


def test_a_new_password_ends_all_sessions_and_the_old_password(office, chen):
    _, token = sign_in(office)
    with office.work() as work:
        people.set_password(work, "chen", "another")
    with pytest.raises(NotSignedIn):
        resume(office, token)
    assert sign_in(office) is None
    assert sign_in(office, password="another")
    with office.work() as work, pytest.raises(NotFound):
        people.set_password(work, "nobody", "another")


@pytest.mark.parametrize("token", ["", "guess", "\0", "长"])
def test_a_guessed_token_opens_nothing(office, chen, token):
    with pytest.raises(NotSignedIn):
        resume(office, token)


def test_a_disabled_person_signs_in_no_more_and_does_nothing_with_an_old_session(office, chen, clock):
    _, token = sign_in(office)
    with office.work() as work:
        person = work.session.scalars(select(Person).where(Person.code == "chen")).one()
        person.disabled_at = clock.now
    assert sign_in(office) is None
    with pytest.raises(NotFound):
        walks.signed_in(office, "chen")
    with pytest.raises((NotSignedIn, NotFound)), office.work(read_only=True) as work:
        people.actor(work, people.resume(work, token).person_id)


def test_nobody_without_a_name_is_an_actor(office):
    for code in ("", "nobody", "Chen"):
        with pytest.raises(NotFound):
            walks.signed_in(office, code)
