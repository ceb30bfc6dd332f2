import logging
import pkgutil
from importlib import import_module

import pytest

import approval
import certificates
from approval.domain import errors as domain
from approval.domain.actors import SYSTEM
from approval.domain.errors import Incomplete, Missing, Overtaken, Refusal
from approval.services import people
from approval.web import errors, refusals
from certificates import CertificateError
from tests.web.conftest import PASSWORD, send

PROBLEM = {"Accept": "application/problem+json"}


def _family(kind):
    return {kind} | {each for child in kind.__subclasses__() for each in _family(child)}


def _everyone():
    for house in (approval, certificates):
        for module in pkgutil.walk_packages(house.__path__, f"{house.__name__}."):
            if not module.name.startswith(("approval.cli", "approval.models.migrations")):
                import_module(module.name)
    family = _family(Refusal) | _family(CertificateError)
    return sorted((each for each in family if not each.__module__.startswith("tests.")), key=lambda each: each.code)


def test_every_refusal_has_a_status_and_words_of_its_own(app):
    everyone = _everyone()
    assert len(everyone) > 25
    with app.test_request_context():
        for kind in everyone:
            assert 400 <= errors.status(kind) <= 503, kind
            assert kind.code in refusals.REFUSALS, kind
            assert str(refusals.refusal(kind).title)


def test_no_words_are_kept_for_refusals_that_are_gone():
    assert set(refusals.REFUSALS) == {kind.code for kind in _everyone()}


def test_a_refusal_without_a_row_inherits_its_parents():
    class Sample(Overtaken):
        """For this test only."""

    assert errors.status(Sample) == errors.status(domain.OutOfTurn) == 409
    assert refusals.refusal(Sample) is refusals.refusal(Overtaken)
    assert errors.status(KeyError) == 500


@pytest.fixture
def raising(trial):
    def client(problem):
        def view(work):
            raise problem

        return trial(view)

    return client


def test_a_program_is_answered_in_problem_details(client):
    reply = client.get("/items/nothing", headers=PROBLEM)
    assert (reply.status_code, reply.content_type) == (404, "application/problem+json")
    assert reply.json == {
        "type": "urn:one-stop-approval:not-found",
        "title": "没有找到",
        "detail": "地址或者编号可能有误，也可能您无权查看。",
        "status": 404,
        "item": "nothing",
    }
    assert client.get("/nowhere", headers=PROBLEM | {"Accept-Language": "en"}).json["title"] == "Nothing found"
    assert client.get("/my/cases", headers={"Accept": "application/json"}).json["status"] == 401


def test_all_that_is_missing_is_listed_with_links(raising):
    missing = [Missing("answers.premises", "required", "经营场所"), Missing("materials.plan", "missing", "布局图")]
    client = raising(Incomplete(missing=missing))
    page = client.get("/trial")
    assert page.status_code == 422
    assert '<a href="#answers.premises">经营场所</a>：请填写' in page.text
    problem = client.get("/trial", headers=PROBLEM).json
    assert problem["missing"][1] == {
        "where": "materials.plan",
        "why": "missing",
        "label": "布局图",
        "words": "请上传这份材料",
    }


def test_a_fault_is_logged_under_a_number_and_tells_nothing(raising, caplog):
    client = raising(RuntimeError("the password is swordfish"))
    with caplog.at_level(logging.ERROR, "approval.web.errors"):
        reply = client.get("/trial", headers=PROBLEM)
    assert (reply.status_code, reply.json["title"]) == (500, "系统出了故障")
    assert "swordfish" not in reply.text
    assert reply.json["incident"] in caplog.text
    assert "swordfish" in caplog.text
    assert "swordfish" not in client.get("/trial").text


def test_what_is_out_of_order_here_is_for_the_log(raising, caplog):
    reply = raising(domain.Unavailable(folder="/srv/secret")).get("/trial", headers=PROBLEM)
    assert (reply.status_code, reply.json["type"]) == (503, "urn:one-stop-approval:unavailable")
    assert "/srv/secret" not in reply.text
    assert reply.json["incident"] in caplog.text


def test_a_refusal_of_the_strong_house_is_answered_too(raising):
    reply = raising(certificates.LicenceUnknown(number="JY1")).get("/trial", headers=PROBLEM)
    assert (reply.status_code, reply.json["title"]) == (404, "没有这张证照")
    assert "number" not in reply.json


def test_what_flask_turns_away_looks_the_same(client):
    nowhere = client.post("/sign-out-everywhere")
    assert (nowhere.status_code, "没有找到" in nowhere.text) == (404, True)
    wrong_method = client.delete("/items/x")
    assert wrong_method.status_code == 405
    assert "GET" in wrong_method.headers["Allow"]
    assert "不能这样打开这个地址" in wrong_method.text


def test_a_request_that_is_too_large_is_told_so(open_app):
    client = open_app(request_bytes=2000).test_client()
    reply = send(client, "/verify", form="/verify", name="x" * 3000)
    assert reply.status_code == 413
    assert "内容太大" in reply.text


def test_what_was_written_before_a_refusal_is_undone(trial, office):
    def view(work):
        people.set_password(work.acting_as(SYSTEM), "chen", "another")
        work.session.flush()
        raise Overtaken

    assert send(trial(view), "/trial").status_code == 409
    with office.work() as work:
        assert people.sign_in(work, "chen", PASSWORD)
