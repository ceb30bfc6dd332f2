import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from approval.models.people import Person, Session
from tests.web.conftest import NOW, PASSWORD, send

COOKIE = "session"


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
    page = client.get("/sign-in").text
    assert "示例环境" in page
    assert "陈示例" in page
    assert "泉州市行政审批局 综合窗口" in page


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
