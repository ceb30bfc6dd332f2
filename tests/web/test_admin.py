"""The administration: versions, what runs on them and where a case stands; for administrators only."""

import json
import re

import pytest
from sqlalchemy import select

from approval.models.items import ServiceItem
from approval.models.people import Person
from approval.paths import WORKFLOWS
from approval.services import packs
from tests.kit import walks
from tests.web.conftest import ITEM, send

FILES = packs.from_folder(WORKFLOWS / ITEM)
OURS = ("admin.", "workshops.", "rosters.", "operations.", "types.", "lawbook.")


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


def marks(page, file):
    return json.loads(re.search(f"file={file}\" data-marks='([^']+)'", page)[1])


def addresses(app):
    """Every address of the administration with values that stand for something, and the methods it takes."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(OURS):
            chosen = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)
            path = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", chosen.replace("<int:ordinal>", "1"))
            yield re.sub(r"<code>", ITEM, re.sub(r"<number>", "350500", path)), rule.methods - {"HEAD", "OPTIONS"}


def test_nobody_but_an_administrator_comes_in_anywhere(app, client, signed_in, office):
    before = walks.everything(office)
    clerk = signed_in("wang")
    asked = list(addresses(app))
    assert len(asked) > 20
    for path, methods in asked:
        for method in methods:
            for who, status in ((client, 401), (clerk, 403)):
                reply = who.get(path) if method == "GET" else send(who, path)
                assert reply.status_code == status, path
    after = walks.everything(office)
    assert {name: rows for name, rows in after.items() if name != "sessions"} == {
        name: rows for name, rows in before.items() if name != "sessions"
    }


def test_the_items_their_versions_and_their_cases_are_listed(admin, office):
    page = admin.get("/admin/packs").text
    assert ITEM in page
    assert "第 1 版" in page
    assert re.search(r"在办 \d 件", page)


def version_page(admin):
    return re.search(r'href="(/admin/versions/[0-9a-f-]+)"', admin.get("/admin/packs").text)[1]


def test_a_version_shows_what_it_says_and_what_runs_on_it(admin, city):
    path = version_page(admin)
    page = admin.get(path).text
    assert "5 个工作日" in page
    assert marks(page, "process.bpmn")["accept"] == {"count": 1, "state": "current", "text": "受理"}
    assert city.filed in page
    assert "陈示例" not in page
    assert admin.get(f"{path}/procedure.bpmn?file=_shared/accept.bpmn").data == FILES["_shared/accept.bpmn"]
    assert admin.get(f"{path}/procedure.bpmn?file=item.toml").status_code == 404
    copied = send(admin, f"{path}/draft", form=path)
    assert "_shared/accept.bpmn" in admin.get(copied.location).text


def test_an_administrator_sees_where_a_case_stands_and_nothing_of_whose_it_is(admin, city, office):
    page = admin.get(f"/admin/cases/{city.accepted}").text
    assert "书面审查" in page
    with office.work(read_only=True) as work:
        names = work.session.scalars(select(Person.name)).all()
    main = page[page.index("<main") :]
    assert not [name for name in names if name in main]
    assert admin.get("/admin/cases/350500000000000000000000").status_code == 404


def test_an_applicant_and_an_officer_get_the_diagram_of_their_case_and_a_stranger_does_not(signed_in, city, client):
    path = f"/my/cases/{city.accepted}/procedure.bpmn"
    assert client.get(path).status_code == 401
    assert signed_in("wang").get(path).data == FILES["process.bpmn"]
    assert signed_in("huang").get(f"{path}?file=_shared/decide.bpmn").data == FILES["_shared/decide.bpmn"]
    assert signed_in("chen").get(path).data == FILES["process.bpmn"]
    assert signed_in("lin").get(path).status_code == 404
    assert signed_in("wang").get(f"{path}?file=item.toml").status_code == 404


def test_an_item_is_closed_after_a_question_and_opened_again(admin, office):
    path = f"/admin/items/{ITEM}/close"
    assert "暂停申请" in admin.get(path).text
    assert send(admin, path, form=path).location == "/admin/packs"
    with office.work(read_only=True) as work:
        assert work.session.get(ServiceItem, ITEM).closed_by
    assert "已暂停申请" in admin.get("/admin/packs").text
    send(admin, f"/admin/items/{ITEM}/reopen", form="/admin/packs")
    with office.work(read_only=True) as work:
        assert work.session.get(ServiceItem, ITEM).closed_at is None
    assert admin.get("/admin/items/nothing/close").status_code == 404


@pytest.mark.parametrize("path", ["/admin/packs", "/admin/people", "/admin/people/new"])
def test_the_pages_are_in_english_too(admin, path):
    page = admin.get(path, headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in page
