"""The administrator's pages: incidents, operations and migrations, without a line of JavaScript."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from approval import engine
from approval.domain.actors import SYSTEM
from approval.models.incidents import Incident
from approval.models.tasks import Errand, Progress
from approval.services import workers
from tests.kit import drills, walks
from tests.kit.drills import CHECK, REVIEW, Register
from tests.web.conftest import send

REASON = "示例：对方系统已经恢复。"


@pytest.fixture
def register(office):
    office.outside = {"register": (register := Register())}
    return register


@pytest.fixture
def number(office, register):
    drills.deploy(office)
    return walks.walk(office, drills.file(office), CHECK)


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


def token(page):
    return re.search(r'name="page_token" value="([^"]+)"', page.text)[1]


def operate(client, path, **fields):
    return send(client, path, form=path, page_token=token(client.get(path)), **fields)


def fail(office, number, register):
    register.failures = [engine.NoWayOn(element="ask", why="示例原因")] * 3
    for _ in range(3):
        workers.carry(office, drills.errand(office, number))


def test_an_incident_is_listed_with_its_reason_and_retried(admin, office, number, register):
    assert "没有需要处理的异常" in admin.get("/admin/incidents").text
    fail(office, number, register)
    page = admin.get("/admin/incidents").text
    for told in (number, "call:register", "流程走不下去了", "示例原因", "<dd>3</dd>"):
        assert told in page
    assert "陈示例" not in page
    path = re.search(r'href="(/admin/incidents/[0-9a-f-]+/retry)"', page)[1]
    assert operate(admin, path, reason=" ").status_code == 422
    assert operate(admin, path, reason=REASON).location == "/admin/incidents"
    assert workers.carry(office, drills.errand(office, number)) is True
    assert "没有需要处理的异常" in admin.get("/admin/incidents").text


def test_a_page_that_is_sent_twice_retries_once(admin, office, number, register):
    fail(office, number, register)
    with office.work(read_only=True) as work:
        path = f"/admin/incidents/{work.session.scalars(select(Incident.id)).one()}/retry"
    sent = token(admin.get(path))
    for _ in range(2):
        assert send(admin, path, form=path, page_token=sent, reason=REASON).status_code == 303
    assert send(admin, path, form=path, page_token="another", reason=REASON).status_code == 409
    assert walks.outcome(office, number)["journal"].count("errand:retried") == 1


def test_a_case_is_held_released_and_terminated(admin, office, number):
    case = f"/admin/cases/{number}"
    assert operate(admin, f"{case}/hold", reason="").status_code == 422
    assert operate(admin, f"{case}/hold", reason=REASON).location == case
    assert "已暂停" in admin.get(case).text
    assert operate(admin, f"{case}/release", reason=REASON).status_code == 303
    assert "已暂停" not in admin.get(case).text
    assert operate(admin, f"{case}/terminate", reason=REASON).status_code == 303
    assert walks.outcome(office, number)["status"] == "terminated"
    assert admin.get("/admin/cases/350500000000000000000000/hold").status_code == 404


def test_whoever_has_a_held_task_is_told_why_it_waits(admin, office, signed_in, register):
    drills.deploy(office)
    number = drills.file(office)
    operate(admin, f"/admin/cases/{number}/hold", reason=REASON)
    page = signed_in("wang").get(f"/window/tasks/{walks.open_task(office, number, 'formal_check')}")
    assert "管理员暂停了这个办件的流转" in page.text


def test_an_errand_is_skipped_from_the_page_of_its_case(admin, office, number):
    page = admin.get(f"/admin/cases/{number}").text
    path = re.search(r'href="([^"]+/skip/[0-9a-f-]+)"', page)[1]
    assert operate(admin, path, reason=REASON).status_code == 303
    with office.work(by=SYSTEM, read_only=True) as work:
        assert set(work.session.scalars(select(Errand.progress).where(Errand.errand == drills.CALL))) == {
            Progress.DROPPED
        }
    assert admin.get(path).status_code == 404


def test_cases_are_surveyed_migrated_and_taken_back(admin, office, number):
    new = drills.deploy(office, more=("second_review",))
    path = f"/admin/versions/{new}/migration"
    assert path in admin.get(f"/admin/versions/{new}").text
    page = admin.get(path)
    assert number in page.text
    fields = {"page_token": token(page), "reason": REASON, "case": number}
    nobody = send(admin, path, form=path, page_token=fields["page_token"], reason=REASON)
    assert nobody.status_code == 422
    refused = send(admin, path, form=path, **{**fields, "reason": ""})
    assert refused.status_code == 422
    assert "checked" in refused.text
    moved = send(admin, path, form=path, **fields)
    assert moved.status_code == 303
    assert "已经把 1 件办件转到这一版" in admin.get(moved.location).text
    assert drills.version_of(office, number) == 2
    assert "撤销版本迁移" in admin.get(f"/admin/cases/{number}").text
    assert operate(admin, f"/admin/cases/{number}/undo-migration", reason=REASON).status_code == 303
    assert drills.version_of(office, number) == 1


def test_a_case_that_has_no_place_in_the_new_version_cannot_be_chosen(admin, office, number, register, clock):
    workers.carry(office, drills.errand(office, number))
    clock.now += timedelta(seconds=2)
    workers.sweep(office)
    page = admin.get(f"/admin/versions/{drills.deploy(office, review='examination')}/migration").text
    assert "不能迁移" in page
    assert 'type="checkbox"' not in page
    assert '<option value="examination">' in page, "and one may say what takes its place"


@pytest.mark.parametrize("path", ["/admin/incidents"])
def test_the_pages_are_in_english_too(admin, office, number, register, path):
    fail(office, number, register)
    page = admin.get(path, headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in page
    assert "Try again" in page


def test_an_officer_returns_a_case_to_an_earlier_step(signed_in, office, register, clock):
    drills.deploy(office, more=("second_review",))
    number = walks.walk(office, drills.file(office), CHECK)
    workers.carry(office, drills.errand(office, number))
    clock.now += timedelta(seconds=2)
    workers.sweep(office)
    walks.walk(office, number, REVIEW)
    huang, task = signed_in("huang"), walks.open_task(office, number, "second_review")
    path = f"/window/tasks/{task}"
    send(huang, f"{path}/claim", form=path)
    page = huang.get(path).text
    fields = {"target": "review", "done_token": re.search(r'name="done_token" value="([^"]+)"', page)[1]}
    assert '<option value="review">' in page
    refused = send(huang, f"{path}/return", form=path, **fields, reason="")
    assert refused.status_code == 422
    assert '<details class="return" open>' in refused.text
    for _ in range(2):
        assert send(huang, f"{path}/return", form="/window/tasks", **fields, reason=REASON).status_code == 303
    assert drills.open_tasks(office, number) == {"review"}
