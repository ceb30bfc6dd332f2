"""The interface for programs: what it offers is described, it takes no cookie, and it refuses in RFC 9457."""

import json
import re

import pytest
from sqlalchemy import select

from approval.models.sharing import LicenceAccess
from approval.services import clients
from tests.kit import walks
from tests.kit.samples import ACCEPT

QUERY = "/api/v1/licences/query"
WHY = {"purpose": "核对经营者是否已有食品经营许可。", "basis": "《中华人民共和国行政许可法》第三十四条"}


@pytest.fixture
def system(office):
    with office.work() as work:
        key = clients.enrol(work, "SPJ", "spj-hall", "行政审批局大厅系统")
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def case(office):
    return walks.walk(office, walks.file(office), ACCEPT)


def test_what_is_described_is_what_there_is(app, client):
    with client.get("/api/v1/openapi.json") as reply:
        described = reply.get_json()
    offered = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert {(path, method) for path, methods in described["paths"].items() for method in methods} == offered
    known = described["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(described)):
        assert name in known


def test_a_licence_is_verified_by_token_by_number_and_by_file(client, city):
    answers = [
        client.get(f"/api/v1/verify?token={city.token}"),
        client.get(f"/api/v1/verify?number={city.number}&code={city.check_code}"),
        client.post("/api/v1/verify", data=city.pdf, content_type="application/pdf"),
    ]
    for reply in answers:
        said = reply.get_json()
        assert (reply.status_code, said["outcome"], said["holds"]) == (200, "valid", True)
        assert said["licence"]["number"] == city.number
        assert {"question", "holds", "detail", "at"} == set(said["checks"][0])
    unknown = client.get("/api/v1/verify?token=AAAA").get_json()
    assert (unknown["outcome"], unknown["licence"]) == ("unknown", None)


@pytest.mark.parametrize("path", ["/api/v1/verify", "/api/v1/verify?number=JY1", "/api/v1/nothing"])
def test_a_program_is_refused_in_its_own_words(client, path):
    reply = client.get(path)
    assert reply.content_type == "application/problem+json"
    assert reply.status_code in {404, 422}


def test_whoever_tries_out_numbers_waits(open_app):
    client = open_app(address_failures=2).test_client()
    replies = [client.get(f"/api/v1/verify?token={n}") for n in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert int(replies[-1].headers["Retry-After"]) > 0


def test_a_department_s_system_looks_at_licences_for_its_officer(client, office, system, case, city):
    reply = client.post(QUERY, json={"officer": "wang", "case": case, **WHY}, headers=system)
    (shown,) = reply.get_json()["licences"]
    assert (reply.status_code, shown["number"], shown["state"]) == (200, city.number, "valid")
    assert "operator" in shown["fields"]
    assert "uscc" not in shown["fields"]
    with office.work(read_only=True) as work:
        (look,) = work.session.scalars(select(LicenceAccess).where(LicenceAccess.ground == "case"))
        assert (look.via, look.department_code, look.purpose) == ("spj-hall", "SPJ", WHY["purpose"])


def test_without_a_key_nobody_asks_whatever_cookie_they_bring(signed_in, client, case):
    for visitor, headers in ((client, {}), (signed_in("wang"), {}), (client, {"Authorization": "Basic eA=="})):
        reply = visitor.post(QUERY, json={"officer": "wang", "case": case, **WHY}, headers=headers)
        assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_file_may_be_as_large_as_on_the_page(client, city):
    large = city.pdf + b"%" + bytes(2**21)
    reply = client.post("/api/v1/verify", data=large, content_type="application/pdf")
    assert reply.status_code == 200
    assert client.post("/api/v1/verify", data=large, content_type="application/json").status_code == 413


@pytest.mark.parametrize("body", ["[" * 100_000, "", "[]", "{", '{"officer": 7}', '{"officer": "wang", "case": ["x"]}'])
def test_what_is_no_question_is_refused(client, system, body):
    reply = client.post(QUERY, data=body, content_type="application/json", headers=system)
    assert (reply.status_code, reply.content_type) == (422, "application/problem+json")


def test_what_is_missing_is_told_at_once_and_a_strange_case_tells_nothing(client, system, city):
    missing = client.post(QUERY, json={"officer": "wang"}, headers=system).get_json()["missing"]
    assert {each["where"] for each in missing} == {"answers.case", "answers.purpose", "answers.basis"}
    replies = [
        client.post(QUERY, json={"officer": "wang", "case": number, **WHY}, headers=system)
        for number in (city.granted, "350500102202600000000000")
    ]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].data == replies[1].data
