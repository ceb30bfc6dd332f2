"""The certificate page: what it sets, what it takes, and that it tells every refusal in words."""

import re
from datetime import timedelta
from typing import NamedTuple

import pytest
from flask.testing import FlaskClient

import certificates
from approval.office import Office
from approval.services import identities
from approval.services.rehearsals import Clock
from certificates import Authority
from tests.kit.identities import FILE_PASSWORD, Holder, opened
from tests.kit.pages import form_token
from tests.web.conftest import NOW, send

ORIGIN = "http://localhost"
PAGE = "/sign-in/certificate"


@pytest.fixture
def chen(office):
    return issue(office, "chen")


def issue(office, code):
    with office.work() as work:
        identities.found_authority(work)
        return opened(identities.issue(work, code, FILE_PASSWORD))


def visit(client, path=PAGE, **options):
    page = client.get(path, **options).text
    return re.search(r'name="challenge" value="([^"]+)"', page)[1], form_token(page)


def answer(client, holder, *, origin=ORIGIN, seen=None, base=ORIGIN, **fields):
    nonce, csrf = seen or visit(client, base_url=base)
    told = {"csrf_token": csrf, "challenge": nonce, "token": holder.answer(nonce, origin), "next": ""}
    told["origin"] = fields.pop("origin_told", origin)
    return client.post(PAGE, data=told | fields, base_url=base, headers={"Referer": base + PAGE})


def test_a_certificate_opens_the_right_door(client, chen):
    reply = answer(client, chen)
    assert (reply.status_code, reply.location) == (303, "/my/cases")
    assert "陈示例" in client.get("/my/cases").text
    assert any(re.match(r"session=[\w-]{43}; HttpOnly", line) for line in reply.headers.getlist("Set-Cookie"))


def test_one_goes_on_where_one_was_and_nowhere_else(app, chen):
    assert answer(app.test_client(), chen, next="/my/cases?page=2").location == "/my/cases?page=2"
    assert answer(app.test_client(), chen, next="//evil.example").location == "/"


def test_signing_in_by_certificate_ends_the_session_that_was_brought(signed_in, office, app, chen):
    client = signed_in("wang")
    old = client.get_cookie("session").value
    assert answer(client, chen).status_code == 303
    thief = app.test_client()
    thief.set_cookie("session", old)
    assert thief.get("/my/cases").status_code == 401


def test_an_answer_sent_twice_is_refused_the_second_time(client, app, chen):
    seen = visit(client)
    assert answer(client, chen, seen=seen).status_code == 303
    again = answer(client, chen, seen=seen)
    assert again.status_code in {400, 401}
    client = app.test_client()
    seen = visit(client)
    assert answer(client, chen, seen=seen, token="{}").status_code == 401
    refused = answer(client, chen, seen=seen)
    assert refused.status_code == 401
    assert "这次登录请求已经用过" in refused.text


def test_the_challenge_of_another_browser_is_refused(app, chen):
    thief, victim = app.test_client(), app.test_client()
    nonce, _ = visit(victim)
    _, csrf = visit(thief)
    refused = answer(thief, chen, seen=(nonce, csrf))
    assert refused.status_code == 401
    assert "不是在这个浏览器中打开的" in refused.text
    assert thief.get_cookie("session") is None


class Scene(NamedTuple):
    """What a refusal is arranged with; an arrangement returns what `answer` is given."""

    client: FlaskClient
    office: Office
    clock: Clock
    seals: Authority
    chen: Holder

    @property
    def authority(self):
        return certificates.open_identity_authority(self.office.settings.authority_folder / "identity" / "demo")

    def issue(self, begins=NOW, authority=None):
        return opened((authority or self.authority).issue("another", "陈示例", FILE_PASSWORD, begins))


def _stale(scene):
    seen = visit(scene.client)
    scene.clock.now += timedelta(minutes=6)
    return {"seen": seen}


def _signed_elsewhere_in_secret(scene):
    seen = visit(scene.client)
    return {"seen": seen, "token": scene.chen.answer(seen[0], "https://evil.example")}


def _another_algorithm(scene):
    seen = visit(scene.client)
    return {"seen": seen, "token": scene.chen.answer(seen[0], ORIGIN, algorithm="RS256")}


def _expired(scene):
    scene.clock.now += timedelta(days=4 * 365)
    return {}


def _revoked(scene):
    with scene.office.work() as work:
        identities.revoke(work, "chen")
    return {}


def _untrusted(scene):
    elsewhere = scene.office.settings.instance / "elsewhere" / "demo"
    return {"holder": scene.issue(authority=certificates.create_identity_authority(elsewhere, NOW))}


def _seal(scene):
    sealer = scene.seals.sealer("SPJ")
    return {"holder": Holder(sealer.key, sealer.certificate)}


def _disabled(scene):
    with scene.office.work() as work:
        identities._person(work, "chen").disabled_at = NOW
    return {}


def _list_ended(scene):
    (scene.authority.folder / "root.crl").unlink()
    return {}


REFUSED = {
    "这次登录请求已经过期": _stale,
    "签名是在另一个网址上做的": lambda _: {"origin_told": "https://evil.example"},
    "签名不正确": _signed_elsewhere_in_secret,
    "没有收到完整的证书签名": lambda _: {"token": "{"},
    "证书的密钥或者算法不能用来登录": _another_algorithm,
    "证书已经过期": _expired,
    "证书还没有到生效日期": lambda scene: {"holder": scene.issue(NOW + timedelta(days=1))},
    "证书已经被吊销": _revoked,
    "证书不是本市认可的机构签发的": _untrusted,
    "这不是个人登录用的证书": _seal,
    "没有与这张证书对应的人员": lambda scene: {"holder": scene.issue()},
    "这个账户已经停用": _disabled,
    "目前查不到证书是否已被吊销": _list_ended,
}


@pytest.fixture
def scene(client, office, clock, city, chen):
    return Scene(client, office, clock, city.authority, chen)


@pytest.mark.parametrize("said", REFUSED)
def test_every_refusal_is_told_with_its_reason(scene, said):
    refused = answer(scene.client, **{"holder": scene.chen} | REFUSED[said](scene))
    assert refused.status_code == (503 if "目前查不到" in said else 401)
    assert said in refused.text
    assert "<title>有错误：" in refused.text
    assert scene.client.get_cookie("session") is None
    assert visit(scene.client)


def test_the_reason_is_told_in_english_too(client, chen):
    client.set_cookie("lang", "en")
    assert "No complete certificate signature was received" in answer(client, chen, token="{").text


def test_a_megabyte_is_turned_away_before_it_is_read(client, chen):
    assert answer(client, chen, token="A" * 2**20).status_code == 413
    assert answer(client, chen, token="A" * 100_000).status_code == 401


def test_whoever_fails_too_often_waits(client, app, chen):
    for _ in range(30):
        answer(client, chen, token="{")
    assert answer(app.test_client(), chen).status_code == 429


def test_production_takes_its_own_address_only(open_app, office, chen):
    real = {"authority": str(office.settings.authority_folder), "secret_key": "k" * 40, "environment": "production"}
    app = open_app(origin="https://approval.example", **real)
    base = "https://approval.example"
    assert answer(app.test_client(), chen, origin=base, base=base).status_code == 303
    for elsewhere in ("https://127.0.0.1", "https://evil.example"):
        refused = answer(app.test_client(), chen, origin=elsewhere, base=elsewhere)
        assert refused.status_code == 401
        assert "签名是在另一个网址上做的" in refused.text


def test_a_demonstration_may_be_opened_under_any_name_of_this_machine(app, chen):
    for base in ("http://127.0.0.1:8000", "http://localhost:41234", "http://[::1]:8000"):
        assert answer(app.test_client(), chen, origin=base, base=base).status_code == 303
    away = "http://evil.example"
    assert answer(app.test_client(), chen, origin=away, base=away).status_code == 401


def test_without_scripts_the_page_offers_the_password_and_sends_nothing(client):
    page = client.get(PAGE).text
    assert "用数字证书登录需要浏览器运行 JavaScript" in page
    assert 'href="/sign-in"' in page
    assert re.search(r'<form [^>]*id="certificate" hidden', page)
    for field in ("certificate-file", "certificate-password"):
        assert "name=" not in re.search(rf'<input [^>]*id="{field}"[^>]*>', page)[0]


def test_every_page_sets_another_challenge(client):
    assert visit(client)[0] != visit(client)[0]


def test_an_answer_needs_the_token_of_the_form(client, chen):
    nonce, _ = visit(client)
    assert answer(client, chen, seen=(nonce, "")).status_code == 400


def test_nothing_changes_by_opening_the_page_but_the_challenge(client, office):
    send(client, PAGE)
    assert client.get_cookie("session") is None
