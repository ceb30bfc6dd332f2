import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from approval.models.people import Organization
from tests.kit.pages import form_token, tokenless
from tests.web.conftest import ITEM, PASSWORD, send

EVERYWHERE = ["/", f"/items/{ITEM}", "/verify", "/verify/none", "/sign-in", "/nowhere", "/my/cases", "/static/app.css"]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_reply_wears_the_headers(client, path):
    with client.get(path) as reply:
        headers = reply.headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "object-src 'none'"):
        assert rule in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_errors_wear_the_headers_too(trial):
    client = trial(_fail)
    for reply in (client.get("/trial"), client.post("/sign-in"), client.delete("/")):
        assert reply.status_code >= 400
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_over_tls_browsers_are_told_to_stay_there(open_app):
    secured = open_app(origin="https://approval.example").test_client()
    assert secured.get("/").headers["Strict-Transport-Security"].startswith("max-age=")


def test_pages_are_not_kept_by_anyone(signed_in):
    client = signed_in("chen")
    assert client.get("/my/cases").headers["Cache-Control"] == "no-store"
    with client.get("/static/app.css") as sheet:
        assert sheet.headers["Cache-Control"] != "no-store"


def test_a_form_without_its_token_is_refused(app, signed_in):
    client = app.test_client()
    assert client.post("/sign-in", data={"name": "chen", "password": PASSWORD}).status_code == 400
    assert client.get_cookie("session") is None
    chen = signed_in("chen")
    assert chen.post("/sign-out").status_code == 400
    assert chen.post("/verify").status_code == 400
    assert chen.get("/my/cases").status_code == 200


def test_a_token_of_another_browser_is_refused(app, signed_in):
    token = form_token(app.test_client().get("/verify").text)
    assert signed_in("chen").post("/sign-out", data={"csrf_token": token}).status_code == 400


def test_a_form_of_another_site_is_refused_even_with_a_token(signed_in):
    chen = signed_in("chen")
    token = form_token(chen.get("/my/cases").text)
    for origin in ("https://evil.example", "null"):
        reply = chen.post("/sign-out", data={"csrf_token": token}, headers={"Origin": origin})
        assert reply.status_code == 400
    assert chen.post("/sign-out", data={"csrf_token": token}, headers={"Origin": "http://localhost"}).status_code == 303


def test_nothing_changes_by_get(signed_in):
    client = signed_in("wang")
    task = re.search(r"/window/tasks/([0-9a-f-]{36})/", client.get("/window/tasks").text)[1]
    assert client.get(f"/window/tasks/{task}/claim").status_code == 405
    assert client.get("/sign-out").status_code == 405


def test_headers_that_a_visitor_sends_open_no_door(client):
    forged = {"X-Forwarded-User": "chen", "X-Client-Cert": "x", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "e"}
    assert client.get("/my/cases", headers=forged).status_code == 401
    assert "evil" not in client.get("/", headers={"X-Forwarded-Host": "evil.example"}).text


def _fail(work):
    raise RuntimeError


def _found_organization(work):
    work.session.add(Organization(id=uuid4(), code="new", uscc="new", name="new"))
    return "founded"


def _organizations(office):
    with office.work(read_only=True) as work:
        return set(work.session.scalars(select(Organization.code)))


def test_a_get_cannot_write(trial, office):
    assert trial(_found_organization).get("/trial").status_code == 500
    assert "new" not in _organizations(office)


def test_a_get_that_says_so_may_write(trial, office):
    assert trial(_found_organization, writes=True).get("/trial").text == "founded"
    assert "new" in _organizations(office)


def test_a_reply_goes_out_only_after_the_commit(trial, office):
    client = trial(_found_organization)
    seen = []
    client.application.after_request(lambda reply: (seen.append("new" in _organizations(office)), reply)[1])
    send(client, "/trial")
    assert seen == [False, True]


def test_a_commit_that_fails_is_no_success(trial, office):
    client = trial(_found_organization)
    assert send(client, "/trial").status_code == 200
    assert send(client, "/trial").status_code == 500


def test_what_a_visitor_typed_is_never_markup(client):
    reply = send(client, "/sign-in", name='"><script>alert(1)</script>', password="x")
    assert "<script>" not in reply.text


def test_no_case_number_says_more_than_another(signed_in, city):
    stranger = signed_in("lin")
    replies = [stranger.get(f"/my/cases/{number}") for number in (city.granted, "350500102202600000000000")]
    said = [
        tokenless(reply.text).replace(city.granted, "N").replace("350500102202600000000000", "N") for reply in replies
    ]
    assert said[0] == said[1]
