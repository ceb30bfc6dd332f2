"""Signing in by certificate: challenges used once, people bound to a stable key, revocation at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, select

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import AlreadyDone, Disabled, NotAllowed, NotEnrolled, NotFound, NotSignedIn, TooMany
from approval.models.people import Challenge, Identity, Person, Session
from approval.services import identities, people
from approval.services.identities import Answer
from certificates import errors
from tests.kit import races, walks
from tests.kit.identities import FILE_PASSWORD, opened

ORIGIN = "https://approval.example"
BROWSER = "one browser"


@pytest.fixture(autouse=True)
def _authority(office):
    with office.work() as work:
        identities.found_authority(work)


@pytest.fixture
def chen(office):
    return issue(office)


def issue(office, code="chen"):
    with office.work() as work:
        return opened(identities.issue(work, code, FILE_PASSWORD))


def challenge(office, browser=BROWSER):
    with office.work() as work:
        return identities.challenge(work, browser)


def sign_in(office, holder, nonce=None, *, browser=BROWSER, signed_for=ORIGIN, signed_at="", source="here"):
    nonce = nonce or challenge(office)
    answer = Answer(holder.answer(nonce, signed_for), nonce, browser, signed_at, ORIGIN, source)
    with office.work(by=VISITOR) as work:
        return identities.sign_in(work, answer)


def challenges(office):
    with office.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Challenge))


def test_a_certificate_opens_a_session_of_its_person(office, chen):
    person, token = sign_in(office, chen)
    with office.work(read_only=True) as work:
        assert people.resume(work, token).person_id == person == people.actor_by_code(work, "chen").person


def test_a_renewed_certificate_is_the_same_person_and_the_old_one_still_is(office, chen):
    renewed = issue(office)
    assert sign_in(office, renewed)[0] == sign_in(office, chen)[0]
    with office.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(Identity)) == 1


def test_the_key_a_person_is_bound_to_says_nothing_about_them(office, chen):
    with office.work(read_only=True) as work:
        bound = work.session.scalars(select(Identity)).one()
        person = work.session.get_one(Person, bound.person_id)
        assert len(bound.identifier) == 32
        assert person.id_number not in str(chen.certificate.subject)
        assert person.id.hex not in bound.identifier


def test_a_challenge_is_answered_once(office, chen):
    nonce = challenge(office)
    assert sign_in(office, chen, nonce)[0]
    assert isinstance(sign_in(office, chen, nonce), errors.ChallengeUnknown)
    assert challenges(office) == 0


def test_a_wrong_answer_uses_the_challenge_up_as_well(office, chen):
    nonce = challenge(office)
    assert isinstance(sign_in(office, chen, nonce, signed_for="https://evil.example"), errors.SignatureWrong)
    assert isinstance(sign_in(office, chen, nonce), errors.ChallengeUnknown)


def test_of_two_answers_at_once_one_signs_in(office, chen):
    nonce = challenge(office)
    found = races.at_once(lambda: sign_in(office, chen, nonce), lambda: sign_in(office, chen, nonce))
    assert sorted(type(each).__name__ for each in found) == ["ChallengeUnknown", "tuple"]
    with office.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(Session)) == 1


def test_a_challenge_of_another_browser_is_refused_and_stays_theirs(office, chen):
    nonce = challenge(office)
    assert isinstance(sign_in(office, chen, nonce, browser="another"), errors.ChallengeUnknown)
    assert isinstance(sign_in(office, chen, nonce, browser=""), errors.ChallengeUnknown)
    assert sign_in(office, chen, nonce)[0]


@pytest.mark.parametrize("nonce", ["A" * 43 + "=", "x", "长", "\udc80"])
def test_a_challenge_that_was_never_set_is_refused(office, chen, nonce):
    with office.work(by=VISITOR) as work:
        answer = Answer(chen.answer("x", ORIGIN), nonce, BROWSER, "", ORIGIN, "here")
        assert isinstance(identities.sign_in(work, answer), errors.ChallengeUnknown)


def test_a_stale_challenge_is_told_to_be_stale_and_forgotten_later(office, chen, clock):
    nonce, forgotten = challenge(office), challenge(office)
    clock.now += timedelta(minutes=6)
    assert isinstance(sign_in(office, chen, nonce), errors.ChallengeStale)
    clock.now += timedelta(hours=1)
    challenge(office)
    assert challenges(office) == 1
    assert isinstance(sign_in(office, chen, forgotten), errors.ChallengeUnknown)


def test_a_browser_at_another_address_is_told_so(office, chen):
    away = "https://approva1.example"
    refused = sign_in(office, chen, signed_for=away, signed_at=away)
    assert isinstance(refused, errors.OriginForeign)
    assert isinstance(sign_in(office, chen, signed_for=away, signed_at=ORIGIN), errors.SignatureWrong)


def test_a_revoked_certificate_signs_nobody_in_and_ends_the_sessions(office, chen):
    _, token = sign_in(office, chen)
    with office.work() as work:
        assert identities.revoke(work, "chen") == 1
    assert isinstance(sign_in(office, chen), errors.CertificateRevoked)
    with office.work(read_only=True) as work, pytest.raises(NotSignedIn):
        people.resume(work, token)
    assert sign_in(office, issue(office))[0]


def test_a_good_certificate_of_nobody_here_is_told_so(office):
    folder = office.settings.authority_folder / "identity" / "demo"
    authority = certificates.open_identity_authority(folder)
    stranger = opened(authority.issue("nobody", "陈示例", FILE_PASSWORD, office.clock()))
    assert isinstance(sign_in(office, stranger), NotEnrolled)


def test_a_disabled_person_is_told_so(office, chen):
    with office.work() as work:
        work.session.scalars(select(Person).where(Person.code == "chen")).one().disabled_at = work.now
    assert isinstance(sign_in(office, chen), Disabled)


def test_a_citys_certificate_is_bound_once_and_signs_in(office):
    city = certificates.create_identity_authority(
        office.settings.authority_folder / "identity" / "city", office.clock()
    )
    lin = opened(city.issue("4711", "林示例", FILE_PASSWORD, office.clock()))
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in (lin.certificate, *lin.above))
    with office.work() as work:
        assert identities.bind_certificate(work, "lin", pem) == ("city", "4711", "林示例")
    assert sign_in(office, lin)[0] == walks.signed_in(office, "lin").person
    with office.work() as work, pytest.raises(AlreadyDone):
        identities.bind_certificate(work, "chen", pem)
    with office.work() as work, pytest.raises(errors.TokenMalformed):
        identities.bind_certificate(work, "chen", b"no certificate")
    stranger = certificates.create_identity_authority(office.settings.instance / "stranger", office.clock())
    unknown = opened(stranger.issue("4711", "林示例", FILE_PASSWORD, office.clock()))
    with office.work() as work, pytest.raises(errors.IssuerUntrusted):
        identities.bind_certificate(work, "chen", unknown.certificate.public_bytes(Encoding.PEM))


def test_one_key_of_two_authorities_is_two_people(office, chen):
    with office.work(read_only=True) as work:
        identifier = work.session.scalars(select(Identity.identifier)).one()
    city = certificates.create_identity_authority(
        office.settings.authority_folder / "identity" / "city", office.clock()
    )
    other = opened(city.issue(identifier, "陈示例", FILE_PASSWORD, office.clock()))
    assert isinstance(sign_in(office, other), NotEnrolled)
    with office.work() as work:
        identities.bind(work, "lin", certificates.Subject("city", identifier, "林示例"))
    assert sign_in(office, other)[0] != sign_in(office, chen)[0]


def test_whoever_fails_too_often_waits(office, chen):
    for _ in range(office.settings.address_failures):
        sign_in(office, chen, signed_for="https://evil.example")
    with pytest.raises(TooMany):
        sign_in(office, chen)
    assert sign_in(office, chen, source="elsewhere")[0]


def test_without_any_authority_nobody_is_trusted(office, chen):
    (office.settings.authority_folder / "identity").rename(office.settings.authority_folder / "away")
    assert isinstance(sign_in(office, chen), errors.IssuerUntrusted)


def test_only_who_administers_issues_binds_and_revokes(office):
    actor = walks.signed_in(office, "wang")
    with office.work(by=actor) as work:
        for act in (
            lambda: identities.issue(work, "chen", FILE_PASSWORD),
            lambda: identities.revoke(work, "chen"),
            lambda: identities.bind(work, "chen", certificates.Subject("demo", "x", "x")),
            lambda: identities.bind_certificate(work, "chen", b""),
        ):
            with pytest.raises(NotAllowed):
                act()
    with office.work() as work, pytest.raises(NotFound):
        identities.issue(work, "nobody", FILE_PASSWORD)


def test_switching_is_for_the_demonstration_only(office):
    with office.work() as work:
        person, token = people.switch(work, "chen")
        assert people.resume(work, token).person_id == person
    with office.work() as work, pytest.raises(NotFound):
        people.switch(work, "nobody")
    office.settings = replace(office.settings, environment="production")
    with office.work() as work, pytest.raises(NotAllowed):
        people.switch(work, "chen")
