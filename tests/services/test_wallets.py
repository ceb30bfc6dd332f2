"""A holder's wallet takes up a licence: once, with code, PIN and key, and only while it counts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import NotFound, NotSignedIn, TooMany, WalletRefused
from approval.models.people import Department
from approval.models.wallets import SpentNonce, WalletOffer
from approval.services import exports, journal, licences, offline, reissues, wallets, workers
from approval.services.exports import Form
from certificates import Act, IllegalAct, Outcome
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN
from tests.kit.wallets import Wallet, claims

HERE = "a" * 64
MARKET = "SCJ"


@pytest.fixture
def case(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    return number


@pytest.fixture
def number(office, case):
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.mine(work)[0].number


@pytest.fixture
def wallet(office):
    return Wallet(office.settings.origin)


@pytest.fixture
def kind(office, number):
    with office.work(read_only=True) as work:
        return certificates.find_by_number(work.session, number).type_code


def offer(office, number, who="chen", organization=None):
    with office.work(by=walks.signed_in(office, who, organization)) as work:
        made = wallets.offer(work, number)
        return made.code, made.pin


def redeem(office, code, pin):
    with office.work(by=VISITOR) as work:
        return wallets.redeem(work, code, pin, HERE)


def nonce(office):
    with office.work(by=VISITOR, read_only=True) as work:
        return wallets.nonce(work)


@pytest.fixture
def take(office, wallet, kind):
    def issue(token, *, proof=None, asked=kind):
        proof = proof or wallet.prove(nonce(office), office.clock())
        with office.work(by=VISITOR) as work:
            return wallets.issue(work, token, asked, proof, HERE)

    return issue


def error(act, *given, **more):
    with pytest.raises(WalletRefused) as refused:
        act(*given, **more)
    assert refused.value.facts["why"].isascii()
    return refused.value.facts["error"]


def exported(office, case):
    with office.work(read_only=True) as work:
        return [line for line in journal.read(work, walks.case(work, case)) if line.tag == "licence:exported"]


def perform(office, number, act):
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, act, reason="整改", basis="第六十四条")


@pytest.fixture
def judge(office):
    def asked(text):
        workers.sequence(office)
        workers.publish(office)
        with office.work(by=VISITOR, read_only=True) as work:
            kit = certificates.OfflineKit.read(offline.kit(work))
            return certificates.verify_presentation(text, kit, today=work.today, now=work.now)

    return asked


def test_a_wallet_takes_a_licence_up_and_shows_it_until_it_is_revoked(office, case, number, wallet, take, *, judge):
    code, pin = offer(office, number)
    sealed = take(redeem(office, code, pin))
    said = claims(sealed)
    assert (said["iss"], said["cnf"]["jwk"]) == (office.settings.origin, wallet.jwk)
    with office.work(read_only=True) as work:
        uscc = work.session.get_one(Department, MARKET).uscc
    assert said["status"]["status_list"]["uri"] == f"{office.settings.origin}/verify/statuses/{uscc}"
    assert (said["exp"] - said["nbf"]) % 86400 == 0
    assert said["nbf"] % 86400 == 16 * 3600, "midnight of the legal zone"
    answer = judge(sealed)
    assert (answer.outcome, answer.licence.number) == (Outcome.VALID, number)
    assert answer.licence.holder.name == "陈示例"
    (line,) = exported(office, case)
    assert line.facts == {"number": number, "form": "wallet"}
    assert line.actor == walks.signed_in(office, "chen").label
    perform(office, number, Act.REVOKE)
    assert judge(sealed).outcome is Outcome.REVOKED


def test_nothing_that_opens_anything_is_kept(office, number, take):
    code, pin = offer(office, number)
    token = redeem(office, code, pin)
    (kept,) = walks.everything(office)["wallet_offers"]
    for secret in (code, pin, token):
        assert secret not in kept


def test_a_code_is_good_once_and_a_token_is_good_once(office, number, take):
    code, pin = offer(office, number)
    token = redeem(office, code, pin)
    assert error(redeem, office, code, pin) == "invalid_grant"
    assert take(token)
    assert error(take, token) == "invalid_token"


def test_of_two_who_redeem_a_code_at_once_one_is_turned_away(office, number):
    code, pin = offer(office, number)
    results = races.at_once(*[lambda: redeem(office, code, pin)] * 2)
    assert sorted(type(one).__name__ for one in results) == ["WalletRefused", "str"]


def test_of_two_who_use_a_token_at_once_one_is_turned_away(office, case, number, take):
    token = redeem(office, *offer(office, number))
    results = races.at_once(*[lambda: take(token)] * 2)
    assert sorted(type(one).__name__ for one in results) == ["WalletRefused", "str"]
    assert len(exported(office, case)) == 1


def test_of_two_who_use_one_nonce_at_once_one_is_turned_away(office, case, number, wallet, take):
    given = nonce(office)
    token = redeem(office, *offer(office, number))
    assert take(token, proof=wallet.prove(given, office.clock()))
    later = redeem(office, *offer(office, number))
    for again in (given, given.upper(), f"{given[:8]} {given[8:]}"):
        assert error(take, later, proof=wallet.prove(again, office.clock())) == "invalid_nonce"
    assert len(exported(office, case)) == 1
    assert take(later), "what was refused has spent nothing"


def test_a_wrong_pin_is_counted_and_the_code_waits(office, number):
    code, pin = offer(office, number)
    wrong = f"{(int(pin) + 1) % 10**6:06}"
    assert error(redeem, office, code, "") == "invalid_request"
    for _ in range(office.settings.sign_in_failures):
        assert error(redeem, office, code, wrong) == "invalid_grant"
    with pytest.raises(TooMany):
        redeem(office, code, pin)
    other, right = offer(office, number)
    assert redeem(office, other, right), "the holder begins again"


def test_whoever_guesses_codes_or_tokens_is_slowed_down(office, number, take):
    most = office.settings.address_failures
    for guess in range(most):
        refused = error(redeem, office, f"guess{guess}", "1") if guess % 2 else error(take, f"guess{guess}")
        assert refused == ("invalid_grant" if guess % 2 else "invalid_token")
    code, pin = offer(office, number)
    with pytest.raises(TooMany):
        redeem(office, code, pin)
    with pytest.raises(TooMany):
        take("guess")


def test_codes_tokens_and_nonces_run_out(office, number, take, clock, wallet):
    lasts = timedelta(minutes=office.settings.wallet_minutes)
    code, pin = offer(office, number)
    clock.now += lasts
    assert error(redeem, office, code, pin) == "invalid_grant"
    code, pin = offer(office, number)
    clock.now += lasts - timedelta(seconds=1)
    token, given = redeem(office, code, pin), nonce(office)
    clock.now += lasts
    assert error(take, token) == "invalid_token"
    fresh = redeem(office, *offer(office, number))
    assert error(take, fresh, proof=wallet.prove(given, clock.now)) == "invalid_nonce"
    assert take(fresh)


def test_a_proof_is_the_wallet_s_own_for_this_office_and_fresh(office, number, take, wallet, *, clock):
    token = redeem(office, *offer(office, number))
    given = nonce(office)
    for proof in (
        wallet.prove(given, clock.now, aud="https://other.example"),
        wallet.prove(given, clock.now - timedelta(minutes=6)),
        wallet.prove(given, clock.now)[:-4] + "AAAA",
        "nonsense",
    ):
        assert error(take, token, proof=proof) == "invalid_proof"
    for forged in ("", "zz", "00" * 56, given[:-2] + ("00" if given[-2:] != "00" else "11")):
        assert error(take, token, proof=wallet.prove(forged, clock.now)) == "invalid_nonce"
    assert error(take, token, asked="another") == "unknown_credential_configuration"
    assert take(token, proof=wallet.prove(given, clock.now))


def test_a_licence_that_does_not_count_is_not_offered(office, number, clock):
    perform(office, number, Act.SUSPEND)
    with pytest.raises(IllegalAct):
        offer(office, number)
    perform(office, number, Act.RESUME)
    assert offer(office, number)
    clock.now += timedelta(days=6 * 366)
    with pytest.raises(IllegalAct):
        offer(office, number)


def test_a_licence_that_was_suspended_since_is_not_issued(office, case, number, take):
    token = redeem(office, *offer(office, number))
    perform(office, number, Act.SUSPEND)
    assert error(take, token) == "credential_request_denied"
    assert exported(office, case) == []
    perform(office, number, Act.RESUME)
    assert take(token)


def test_only_the_holder_offers_and_a_new_offer_ends_the_one_before(office, number):
    for who in ("lin", "wang"):
        with pytest.raises(NotFound):
            offer(office, number, who)
    with pytest.raises(NotSignedIn), office.work(by=VISITOR) as work:
        wallets.offer(work, number)
    old, new = offer(office, number), offer(office, number)
    assert error(redeem, office, *old) == "invalid_grant"
    assert redeem(office, *new)


def test_what_is_offered_is_told_until_it_was_taken_up(office, number, kind):
    code, pin = offer(office, number)

    def told(code):
        with office.work(by=VISITOR, read_only=True) as work:
            return wallets.offered(work, code)

    assert told(code) == kind
    redeem(office, code, pin)
    for gone in (code, "nothing"):
        with pytest.raises(NotFound):
            told(gone)


def test_a_file_is_written_for_the_holder_only_while_the_licence_counts(office, case, number, judge):
    def export(form, who="chen"):
        with office.work(by=walks.signed_in(office, who)) as work:
            return exports.export(work, number, form)

    files = [export(Form.SD_JWT), export(Form.VC)]
    assert [judge(file).outcome for file in files] == [Outcome.VALID] * 2
    assert "cnf" not in claims(files[0])
    assert [name["@language"] for name in claims(files[1])["name"]] == ["zh", "en"]
    assert [line.facts["form"] for line in exported(office, case)] == ["sd-jwt", "vc"]
    with pytest.raises(NotFound):
        export(Form.VC, "lin")
    perform(office, number, Act.SUSPEND)
    with pytest.raises(IllegalAct):
        export(Form.VC)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.verify(work, document=exports.data(work, number)).outcome is Outcome.SUSPENDED


def test_a_version_that_was_made_without_an_application_is_exported_like_any_other(office, case, number, take):
    with office.work(by=walks.signed_in(office, "cai")) as work:
        reissues.again(work, number, reason="遗失。", basis="第二十九条")
    with office.work(by=walks.signed_in(office, "chen")) as work:
        assert exports.export(work, number, Form.VC)
    assert take(redeem(office, *offer(office, number)))
    assert len(exported(office, case)) == 2


def test_what_is_over_is_forgotten(office, number, take, clock):
    take(redeem(office, *offer(office, number)))
    offer(office, number)
    with office.work() as work:
        assert wallets.forget(work) == 0
    clock.now += timedelta(minutes=office.settings.wallet_minutes)
    assert workers.tidy(office) >= 3
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(WalletOffer)).all() == work.session.scalars(select(SpentNonce)).all() == []
