"""What whoever verifies without a network fetches: the same for everyone, and about nobody."""

import json
import re

import pytest

from approval.models.people import Department
from approval.services import workers
from certificates import Outcome


@pytest.fixture
def market(office):
    workers.publish(office)
    with office.work(read_only=True) as work:
        return work.session.get_one(Department, "SCJ").uscc


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/verify/kit.json", "application/json"), ("/verify/statuses/{}", "application/statuslist+jwt")],
)
def test_what_is_published_may_be_kept_for_a_while_and_read_from_anywhere(signed_in, market, path, kind):
    reply = signed_in("chen").get(path.format(market))
    assert (reply.status_code, reply.content_type) == (200, kind)
    assert reply.headers["Cache-Control"] == "public, max-age=60"
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Cookie" not in reply.headers.get("Vary", "")
    assert "Set-Cookie" not in reply.headers


def test_an_unknown_department_has_no_list(client, market):
    assert client.get("/verify/statuses/113505000038000989").status_code == 404


def test_the_page_says_in_both_languages_what_it_will_answer(client):
    told = {"zh": ("证照真实、有效", "证照没有被吊销"), "en": ("Genuine and in force", "The licence is not revoked")}
    for language, (valid, not_revoked) in told.items():
        page = client.get("/verify/offline", headers={"Accept-Language": language})
        words = json.loads(re.search(r'<script type="application/json" id="words">(.*?)</script>', page.text)[1])
        assert (words["outcomes"]["valid"][0], words["questions"]["not_revoked"]) == (valid, not_revoked)
        assert words["outcomes"].keys() == {one.value for one in Outcome}
        assert page.headers["Cache-Control"] == "no-store"


def test_the_script_that_keeps_the_page_speaks_for_all_of_verify(client):
    with client.get("/verify/worker.js") as reply:
        assert (reply.status_code, reply.mimetype) == (200, "text/javascript")
    assert client.get("/verify").text.count("/verify/offline") == 1
