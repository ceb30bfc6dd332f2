import re
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from secrets import token_urlsafe

import pytest
from flask import render_template_string, request
from sqlalchemy import delete, select
from werkzeug.datastructures import MultiDict

from approval.models.people import Person, Session
from approval.services import identities
from approval.web.door import Door
from tests.kit.identities import FILE_PASSWORD, opened
from tests.kit.pages import form_token
from tests.web.conftest import NOW, PASSWORD, send

COOKIE = "session"


@pytest.fixture
def app(open_app):
    """An application of one's own, which takes another door."""
    return open_app()


def _cookie(client):
    found = client.get_cookie(COOKIE)
    return found.value if found else None


def test_the_right_password_opens_the_right_door(client, app):
    assert send(client, "/sign-in", name="chen", password=PASSWORD).location == "/my/cases"
    assert send(app.test_client(), "/sign-in", name="wang", password=PASSWORD).location == "/window/tasks"
    assert "陈示例" in client.get("/my/cases").text


def test_a_wrong_name_and_a_wrong_password_look_alike(client):
    replies = [
        send(client, "/sign-in", name="chen", password="wrong"),
        send(client, "/sign-in", name="nobody", password=PASSWORD),
    ]
    for reply in replies:
        assert reply.status_code == 401
        assert "登录名或者密码不正确" in reply.text
    assert _cookie(client) is None


def test_after_too_many_failures_even_the_right_password_waits(client, clock):
    for _ in range(5):
        send(client, "/sign-in", name="chen", password="wrong")
    locked = send(client, "/sign-in", name="chen", password=PASSWORD)
    assert (locked.status_code, locked.headers["Retry-After"]) == (429, "600")
    assert "请等待 10 分钟。" in locked.text
    clock.now += timedelta(minutes=11)
    assert send(client, "/sign-in", name="chen", password=PASSWORD).status_code == 303


def test_who_is_disabled_cannot_sign_in_and_is_signed_out_everywhere(signed_in, office, app):
    chen = signed_in("chen")
    with office.work() as work:
        work.session.scalars(select(Person).where(Person.code == "chen")).one().disabled_at = NOW
    assert chen.get("/my/cases").status_code == 401
    assert send(app.test_client(), "/sign-in", name="chen", password=PASSWORD).status_code == 401


def test_signing_in_again_ends_the_session_that_was_brought(signed_in, app):
    client = signed_in("chen")
    old = _cookie(client)
    assert send(client, "/sign-in", name="wang", password=PASSWORD).status_code == 303
    assert _cookie(client) != old
    thief = app.test_client()
    thief.set_cookie(COOKIE, old)
    assert thief.get("/my/cases").status_code == 401


def test_a_token_planted_before_signing_in_is_worth_nothing(client, app):
    client.set_cookie(COOKIE, "planted")
    send(client, "/sign-in", name="chen", password=PASSWORD)
    other = app.test_client()
    other.set_cookie(COOKIE, "planted")
    assert other.get("/my/cases").status_code == 401


def test_a_session_ends_when_nobody_uses_it(signed_in, clock):
    client = signed_in("chen")
    clock.now += timedelta(minutes=31)
    assert client.get("/my/cases").status_code == 401


def test_using_a_session_keeps_it_alive_but_not_for_ever(signed_in, clock):
    client = signed_in("chen")
    for _ in range(24):
        clock.now += timedelta(minutes=20)
        assert client.get("/my/cases").status_code == 200
    clock.now += timedelta(minutes=20)
    assert client.get("/my/cases").status_code == 401


def test_signing_out_ends_the_session_on_our_side(signed_in, app):
    client = signed_in("chen")
    old = _cookie(client)
    assert send(client, "/sign-out", form="/my/cases").location == "/"
    assert _cookie(client) is None
    client.set_cookie(COOKIE, old)
    assert client.get("/my/cases").status_code == 401


def test_a_session_ended_by_somebody_else_is_over_at_once(signed_in, office):
    client = signed_in("chen")
    with office.work() as work:
        work.session.execute(delete(Session))
    refused = client.get("/my/cases")
    assert refused.status_code == 401
    assert 'href="/sign-in?next=/my/cases"' in refused.text


def test_after_signing_in_one_goes_on_where_one_was(client):
    asked = client.get("/sign-in?next=/my/cases%3Fpage%3D2").text
    assert re.search(r'name="next" value="/my/cases\?page=2"', asked)
    reply = send(client, "/sign-in", name="wang", password=PASSWORD, next="/my/cases?page=2")
    assert reply.location == "/my/cases?page=2"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", r"/\evil.example", "javascript:x"])
def test_signing_in_leads_nowhere_else(client, elsewhere):
    assert send(client, "/sign-in", name="chen", password=PASSWORD, next=elsewhere).location == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_neighbours(client, open_app):
    plain = send(client, "/sign-in", name="chen", password=PASSWORD).headers.getlist("Set-Cookie")
    assert any(re.match(r"session=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax$", line) for line in plain)
    secured = open_app(origin="https://approval.example").test_client()
    reply = send(secured, "/sign-in", name="chen", password=PASSWORD)
    lines = reply.headers.getlist("Set-Cookie")
    assert any(re.match(r"__Host-session=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax$", line) for line in lines)
    assert all(line.startswith("__Host-") and "Secure" in line for line in lines)


def test_the_database_does_not_know_the_token(signed_in, office):
    token = _cookie(signed_in("chen"))
    with office.work(read_only=True) as work:
        assert token not in work.session.scalars(select(Session.token_sha256)).all()


def test_a_demonstration_says_who_is_there_and_says_so_loudly(client):
    assert 'href="/switch"' in client.get("/sign-in").text
    page = client.get("/switch").text
    assert "示例环境" in page
    assert '<p class="demonstration">仅供演示：这里不问密码。正式环境没有这个页面。</p>' in page
    assert "陈示例" in page
    assert "泉州市行政审批局 综合窗口" in page
    for role in ("个人", "企业和其他组织", "综合窗口", "审查岗", "核查岗", "复核岗", "签批岗", "管理员"):
        assert re.search(rf'<h2 id="role-[a-z]+">{role}</h2>', page)


def test_in_the_demonstration_anybody_becomes_anybody(client):
    assert send(client, "/switch", form="/switch", code="chen").location == "/my/cases"
    assert "陈示例" in client.get("/my/cases").text
    assert 'href="/switch"' in client.get("/my/cases").text
    old = _cookie(client)
    assert send(client, "/switch", form="/switch", code="wang").location == "/window/tasks"
    assert send(client, "/switch", form="/switch", code="admin").location == "/admin/packs"
    assert _cookie(client) != old
    assert send(client, "/switch", form="/switch", code="lin").location == "/my/cases?for=restaurant"
    assert send(client, "/switch", form="/switch", code="nobody").status_code == 404


def test_changing_who_one_is_needs_the_token_of_the_form(client):
    assert client.post("/switch", data={"code": "admin"}).status_code == 400
    assert client.get("/switch?code=admin").status_code == 200
    assert _cookie(client) is None


def test_a_demo_persons_certificate_is_handed_out_and_no_other_file(client, office):
    folder = office.settings.instance / "people"
    folder.mkdir()
    (folder / "chen.p12").write_bytes(b"a certificate")
    (folder / "stranger.p12").write_bytes(b"another")
    with client.get("/switch/chen.p12") as handed:
        assert handed.data == b"a certificate"
        assert handed.headers["Content-Disposition"] == "attachment; filename=chen.p12"
    for path in ("stranger", "wang", "../approval", "%2e%2e%2fapproval", "chen%00"):
        assert client.get(f"/switch/{path}.p12").status_code in {400, 404}


@pytest.mark.parametrize("line", [{"environment": "production"}, {}], ids=["production", "a city's authority"])
def test_beyond_the_demonstration_nobody_changes_who_they_are(open_app, line):
    real = {"authority": "/authority", "origin": "https://approval.example", "secret_key": "k" * 40}
    client = open_app(**real, **line).test_client()
    for reply in (client.get("/switch"), client.get("/switch/chen.p12"), send(client, "/switch", code="chen")):
        assert reply.status_code == 404
    assert "/switch" not in client.get("/sign-in").text


def test_production_shows_nobody(open_app):
    real = {"authority": "/authority", "origin": "https://approval.example", "secret_key": "k" * 40}
    page = open_app(environment="production", **real).test_client().get("/sign-in").text
    assert "登录名" in page
    assert "示例" not in page
    assert "chen" not in page


def test_a_copied_cookie_of_another_day_is_refused(signed_in, clock):
    client = signed_in("chen")
    clock.now = datetime(2027, 1, 1, tzinfo=UTC)
    assert client.get("/my/cases").status_code == 401


PATH = "/trial?for=restaurant&x=1"
TYPED = {"premises": '示例路 1 号 "<b>', "seats": "40", "do": "go"}


@pytest.fixture
def trial_form(app):
    """A form for people who are signed in; what arrives is said back."""
    door = Door("trial", __name__, for_people=True)

    def view(work):
        if request.method == "GET":
            return render_template_string('<input name="csrf_token" value="{{ csrf_token() }}">')
        return repr((work.actor.name, request.full_path, sorted(request.form.to_dict(flat=False).items())))

    door.route("/trial", methods=["GET", "POST"])(view)
    app.register_blueprint(door)


@pytest.fixture
def interrupted(trial_form, signed_in, clock):
    """Lin fills in a form for too long, and sends it."""
    client = signed_in("lin")
    token = re.search(r'value="([^"]+)"', client.get("/trial").text)[1]
    clock.now += timedelta(minutes=31)
    sent = {"csrf_token": token, **TYPED, "activities": ["a", "b"], "password_again": "secret"}
    return client, client.post(PATH, data=sent)


def _fields(page, path):
    form = re.search(rf'<form method="post" action="{re.escape(path)}".*?</form>', page, re.DOTALL)
    return form and [
        (unescape(name), unescape(value)) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form[0])
    ]


def _sign_in_with(client, page, **given):
    return client.post("/sign-in", data={**dict(_fields(page, "/sign-in")), **given})


def test_what_was_typed_when_the_session_ended_comes_back_after_signing_in(interrupted):
    client, asked = interrupted
    assert asked.status_code == 401
    assert "登录已经失效，刚才填写的内容还在。" in asked.text
    again = _sign_in_with(client, asked.text, name="lin", password=PASSWORD)
    assert again.status_code == 200
    assert "您已重新登录，刚才填写的内容还在" in again.text
    assert '<span class="name" lang="zh-CN">林示例</span>' in again.text
    fields = _fields(again.text, "/trial?for=restaurant&amp;x=1")
    assert "csrf_token" in dict(fields)
    sent = client.post(PATH, data=MultiDict(fields)).text
    expected = {**{name: [value] for name, value in TYPED.items()}, "activities": ["a", "b"]}
    expected["csrf_token"] = [dict(fields)["csrf_token"]]
    assert sent == repr(("林示例", PATH, sorted(expected.items())))


def test_neither_passwords_nor_what_was_typed_as_markup_come_back(interrupted):
    client, asked = interrupted
    again = _sign_in_with(client, asked.text, name="lin", password=PASSWORD)
    assert "secret" not in again.text
    assert "<b>" not in again.text


def test_a_wrong_password_first_loses_nothing(interrupted):
    client, asked = interrupted
    wrong = _sign_in_with(client, asked.text, name="lin", password="wrong")
    assert wrong.status_code == 401
    assert _sign_in_with(client, wrong.text, name="lin", password=PASSWORD).status_code == 200


def test_whoever_else_signs_in_gets_nothing_of_it(interrupted):
    client, asked = interrupted
    other = _sign_in_with(client, asked.text, name="chen", password=PASSWORD)
    assert (other.status_code, other.location) == (303, "/my/cases")
    assert "示例路" not in client.get("/my/cases").text


def test_the_other_ways_to_sign_in_carry_it_along(interrupted, office):
    client, asked = interrupted
    offered = client.post("/switch", data=dict(_fields(asked.text, "/switch")))
    assert "登录已经失效，刚才填写的内容还在。" in offered.text
    assert "以此人登录" in offered.text
    page = client.post("/sign-in/certificate", data=dict(_fields(asked.text, "/sign-in/certificate")))
    assert page.status_code == 200
    with office.work() as work:
        identities.found_authority(work)
        lin = opened(identities.issue(work, "lin", FILE_PASSWORD))
    fields = dict(_fields(page.text, "/sign-in/certificate"))
    fields |= {"token": lin.answer(fields["challenge"], "http://localhost"), "origin": "http://localhost"}
    assert "刚才填写的内容还在" in client.post("/sign-in/certificate", data=fields).text


def test_switching_to_the_same_person_brings_it_back(interrupted):
    client, asked = interrupted
    fields = dict(_fields(asked.text, "/switch"))
    assert "刚才填写的内容还在" in client.post("/switch", data=fields | {"code": "lin"}).text


def test_files_are_not_kept_and_the_page_says_so(trial_form, signed_in, clock):
    client = signed_in("lin")
    token = re.search(r'value="([^"]+)"', client.get("/trial").text)[1]
    clock.now += timedelta(minutes=31)
    sent = {"csrf_token": token, "seats": "40", "plan": (BytesIO(b"%PDF-secret"), "plan.pdf")}
    asked = client.post("/trial", data=sent)
    assert "选择的文件没有保留" in asked.text
    again = _sign_in_with(client, asked.text, name="lin", password=PASSWORD)
    assert "请重新选择文件" in again.text
    assert [name for name, _ in _fields(again.text, "/trial")] == ["csrf_token", "seats"]


def test_what_nobody_sealed_is_never_shown(client):
    for forged in ("x", "WzFd.x", '["p","/trial",[],false]'):
        reply = send(client, "/sign-in", name="lin", password=PASSWORD, kept=forged)
        assert reply.status_code == 303
        client = client.application.test_client()


def test_after_signing_out_nothing_is_kept_for_whoever_comes_next(trial_form, signed_in):
    client = signed_in("lin")
    send(client, "/sign-out", form="/trial")
    token = form_token(client.get("/sign-in").text)
    reply = client.post("/trial", data={"csrf_token": token, **TYPED})
    assert reply.status_code == 401
    assert 'name="kept"' not in reply.text


def test_a_form_left_open_is_still_good_once_the_same_person_signed_in_elsewhere(trial_form, signed_in, clock):
    client = signed_in("lin")
    token = re.search(r'value="([^"]+)"', client.get("/trial").text)[1]
    clock.now += timedelta(minutes=31)
    assert send(client, "/sign-in", name="lin", password=PASSWORD).status_code == 303
    assert "林示例" in client.post("/trial", data={"csrf_token": token, **TYPED}).text
    assert send(client, "/sign-in", form="/trial", name="chen", password=PASSWORD).status_code == 303
    assert client.post("/trial", data={"csrf_token": token, **TYPED}).status_code == 400


def test_more_than_a_page_can_carry_is_not_promised(trial_form, signed_in, clock):
    client = signed_in("lin")
    token = re.search(r'value="([^"]+)"', client.get("/trial").text)[1]
    clock.now += timedelta(minutes=31)
    reply = client.post("/trial", data={"csrf_token": token, "text": token_urlsafe(330_000)})
    assert reply.status_code == 401
    assert 'name="kept"' not in reply.text


def test_a_program_is_told_to_sign_in_and_nothing_else(trial_form, signed_in, clock):
    client = signed_in("lin")
    token = re.search(r'value="([^"]+)"', client.get("/trial").text)[1]
    clock.now += timedelta(minutes=31)
    for headers in ({"Accept": "application/problem+json"}, {"HX-Request": "true"}):
        reply = client.post("/trial", data={"csrf_token": token, **TYPED}, headers=headers)
        assert reply.status_code == 401
        assert 'name="kept"' not in reply.text
