"""Wallets at the door: the whole way over HTTP, and refusals in the words of the standards."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

import certificates
from approval.models.people import FailedAttempt
from approval.services import offline, workers
from approval.web.wallets import GRANT
from certificates import Outcome
from tests.kit.wallets import Wallet, claims
from tests.web.conftest import send

METADATA = "/.well-known/openid-credential-issuer"


@pytest.fixture
def wallet(office):
    return Wallet(office.settings.origin)


@pytest.fixture
def offered(signed_in, city, office):
    """Offer the licence on the page, and read what the page shows: the offer and the PIN."""

    def offer():
        chen = signed_in("chen")
        page = send(chen, f"/my/licences/{city.number}/offer", form="/verify").text
        link = re.search(r'href="(openid-credential-offer://[^"]+)"', page)[1]
        address = parse_qs(urlsplit(link).query)["credential_offer_uri"][0]
        assert address.startswith(office.settings.origin)
        return address.removeprefix(office.settings.origin), re.search(r'class="code">(\d{6})<', page)[1]

    return offer


def exchange(client, code, pin, **changes):
    return client.post(
        "/wallet/token", data={"grant_type": GRANT, "pre-authorized_code": code, "tx_code": pin} | changes
    )


def ask(client, token, kind, proof):
    body = {"credential_configuration_id": kind, "proofs": {"jwt": [proof]}}
    return client.post("/wallet/credential", json=body, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def begun(client, offered):
    """Walk up to the token."""

    def walk():
        path, pin = offered()
        told = client.get(path).get_json()
        code = told["grants"][GRANT]["pre-authorized_code"]
        return told["credential_configuration_ids"][0], exchange(client, code, pin).get_json()["access_token"]

    return walk


def test_a_wallet_collects_a_licence_with_what_the_page_shows(client, offered, wallet, office, *, clock, city):
    path, pin = offered()
    told = client.get(path)
    offer = told.get_json()
    assert told.mimetype == "application/json"
    metadata = client.get(METADATA).get_json()
    server = client.get("/.well-known/oauth-authorization-server").get_json()
    assert offer["credential_issuer"] == metadata["credential_issuer"] == server["issuer"] == office.settings.origin
    grant = offer["grants"][GRANT]
    assert grant["tx_code"] == {"input_mode": "numeric", "length": 6}
    (kind,) = offer["credential_configuration_ids"]
    configuration = metadata["credential_configurations_supported"][kind]
    assert configuration["format"] == "dc+sd-jwt"
    assert configuration["proof_types_supported"] == {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}

    def at(address):
        return address.removeprefix(office.settings.origin)

    form = {"grant_type": GRANT, "pre-authorized_code": grant["pre-authorized_code"], "tx_code": pin}
    given = client.post(at(server["token_endpoint"]), data=form)
    token = given.get_json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 60 * office.settings.wallet_minutes)
    nonce = client.post(at(metadata["nonce_endpoint"]))
    proof = wallet.prove(nonce.get_json()["c_nonce"], clock.now)
    body = {"credential_configuration_id": kind, "proofs": {"jwt": [proof]}}
    key = {"Authorization": f"{token['token_type']} {token['access_token']}"}
    reply = client.post(at(metadata["credential_endpoint"]), json=body, headers=key)
    assert reply.status_code == 200
    for each in (told, given, nonce, reply):
        assert each.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in each.headers
    (collected,) = reply.get_json()["credentials"]
    assert claims(collected["credential"])["vct"] == configuration["vct"]
    workers.publish(office)
    with office.work(read_only=True) as work:
        kit = certificates.OfflineKit.read(offline.kit(work))
        answer = certificates.verify_presentation(collected["credential"], kit, today=work.today, now=work.now)
    assert (answer.outcome, answer.licence.number) == (Outcome.VALID, city.number)
    assert client.get(path).status_code == 404


def test_fields_are_called_in_both_languages(client):
    (configuration, *_) = client.get(METADATA).get_json()["credential_configurations_supported"].values()
    shown = configuration["credential_metadata"]
    assert [each["locale"] for each in shown["display"]] == ["zh-CN", "en"]
    premises = next(claim for claim in shown["claims"] if claim["path"] == ["fields", "premises"])
    assert [each["name"] for each in premises["display"]] == ["经营场所", "Place of business"]


def said(reply):
    body = reply.get_json()
    assert {"error", "error_description"} == body.keys()
    assert body["error_description"].isascii()
    return reply.status_code, body["error"]


def test_a_code_that_does_not_open_is_refused_as_oauth_has_it(client, offered):
    path, pin = offered()
    code = path.rsplit("/", 1)[1]
    wrong = f"{(int(pin) + 1) % 10**6:06}"
    assert said(exchange(client, code, pin, grant_type="password")) == (400, "unsupported_grant_type")
    assert said(exchange(client, "", pin)) == (400, "invalid_request")
    assert said(exchange(client, code, "")) == (400, "invalid_request")
    assert said(exchange(client, code, wrong)) == (400, "invalid_grant")
    assert said(exchange(client, "nothing", pin)) == (400, "invalid_grant")
    assert exchange(client, code, pin).status_code == 200
    assert said(exchange(client, code, pin)) == (400, "invalid_grant")
    assert said(client.get(path)) == (404, "invalid_request")


def test_wrong_pins_are_counted_over_the_door(client, offered, office):
    path, pin = offered()
    code, wrong = path.rsplit("/", 1)[1], f"{(int(pin) + 1) % 10**6:06}"
    for _ in range(office.settings.sign_in_failures):
        assert said(exchange(client, code, wrong)) == (400, "invalid_grant")
    reply = exchange(client, code, pin)
    assert said(reply) == (429, "temporarily_unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    with office.work(read_only=True) as work:
        assert (
            work.session.query(FailedAttempt).filter_by(kind="wallet-pin").count() == office.settings.sign_in_failures
        )


def test_a_request_that_does_not_hold_is_refused_as_the_standard_has_it(client, begun, wallet, clock):
    kind, token = begun()

    def nonce():
        return client.post("/wallet/nonce").get_json()["c_nonce"]

    used = nonce()
    proof = wallet.prove(used, clock.now)
    no_token = ask(client, "nothing", kind, proof)
    assert said(no_token) == (401, "invalid_token")
    assert no_token.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert said(client.post("/wallet/credential", json={})) == (401, "invalid_token")
    bearer = {"Authorization": f"Bearer {token}"}
    for body, error in (
        (None, "invalid_credential_request"),
        ([], "invalid_credential_request"),
        ({"proofs": {"jwt": [proof]}}, "invalid_credential_request"),
        (
            {"credential_configuration_id": kind, "proofs": {"jwt": [proof]}, "credential_response_encryption": {}},
            "invalid_credential_request",
        ),
        ({"credential_configuration_id": kind}, "invalid_proof"),
        ({"credential_configuration_id": kind, "proofs": {"jwt": [proof, proof]}}, "invalid_proof"),
        ({"credential_configuration_id": kind, "proofs": {"jwt": [7]}}, "invalid_proof"),
        ({"credential_configuration_id": "x", "proofs": {"jwt": [proof]}}, "unknown_credential_configuration"),
    ):
        assert said(client.post("/wallet/credential", json=body, headers=bearer)) == (400, error), body
    foreign = wallet.prove(used, clock.now, aud="https://other.example")
    assert said(ask(client, token, kind, foreign)) == (400, "invalid_proof")
    assert said(ask(client, token, kind, wallet.prove("00", clock.now))) == (400, "invalid_nonce")
    assert ask(client, token, kind, proof).status_code == 200
    assert said(ask(client, token, kind, proof)) == (401, "invalid_token")
    _, later = begun()
    assert said(ask(client, later, kind, proof)) == (400, "invalid_nonce")


def test_a_wallet_page_of_another_site_and_nonsense_are_turned_away_in_json(client):
    reply = client.post("/wallet/token", data={}, headers={"Origin": "https://evil.example"})
    assert said(reply) == (400, "invalid_request")
    assert said(exchange(client, "a\0b", "1")) == (400, "invalid_request")
    assert client.get("/wallet/token").content_type == "application/problem+json"


def test_the_pages_offer_what_can_be_had_and_forms_are_protected(signed_in, city, client, clock):
    chen = signed_in("chen")
    assert f'href="/my/licences/{city.number}/export"' in chen.get("/my/licences").text
    page = chen.get(f"/my/licences/{city.number}/export")
    assert page.text.count('method="post"') >= 4
    for language, told in (("zh", "存入手机钱包"), ("en", "Into a wallet on your telephone")):
        assert told in chen.get(f"/my/licences/{city.number}/export", headers={"Accept-Language": language}).text
    assert chen.post(f"/my/licences/{city.number}/offer").status_code == 400
    assert client.get(f"/my/licences/{city.number}/export").status_code in {303, 401}
    clock.now += timedelta(days=6 * 366)
    chen = signed_in("chen")
    late = chen.get(f"/my/licences/{city.number}/export").text
    assert "目前不在有效状态" in late
    assert "/offer" not in late
    assert send(chen, f"/my/licences/{city.number}/offer", form="/verify").status_code == 409


def test_files_are_downloaded_without_a_wallet(signed_in, city, office):
    chen = signed_in("chen")
    workers.publish(office)
    with office.work(read_only=True) as work:
        kit, today, now = certificates.OfflineKit.read(offline.kit(work)), work.today, work.now
    for form, ending, kind in (("sd-jwt", "sd-jwt", "application/dc+sd-jwt"), ("vc", "vc.jwt", "application/vc+jwt")):
        reply = send(chen, f"/my/licences/{city.number}/export/{form}", form="/verify")
        assert (reply.status_code, reply.content_type) == (200, kind)
        assert f"{city.number}.{ending}" in reply.headers["Content-Disposition"]
        answer = certificates.verify_file_offline(reply.data, kit, today=today, now=now)
        assert (answer.outcome, answer.licence.number) == (Outcome.VALID, city.number)
    data = chen.get(f"/my/licences/{city.number}/licence.json")
    assert data.content_type == "application/json"
    assert chen.post("/api/v1/verify", data=data.data).get_json()["outcome"] == "valid"
    for strange in ("wallet", "pdf"):
        assert send(chen, f"/my/licences/{city.number}/export/{strange}", form="/verify").status_code == 404


def test_nobody_else_takes_a_licence_along(signed_in, city):
    lin = signed_in("lin")
    for path in ("export", "licence.json"):
        assert lin.get(f"/my/licences/{city.number}/{path}").status_code == 404
    for path in ("offer", "export/sd-jwt"):
        assert send(lin, f"/my/licences/{city.number}/{path}", form="/verify").status_code == 404


def test_the_offer_is_shown_with_a_picture_and_its_time(signed_in, city):
    page = send(signed_in("chen"), f"/my/licences/{city.number}/offer", form="/verify")
    assert 'src="data:image/svg+xml' in page.text
    assert "10 分钟内有效" in page.text
    assert page.headers["Cache-Control"] == "no-store"
