"""What an officer takes along to a site: who gets the page, what stands on it, and photographs that are sent twice."""

import re
from io import BytesIO

import pytest
from sqlalchemy import func, select, update

from approval.models.cases import Case
from approval.models.evidence import Evidence
from approval.models.people import Person
from approval.services import cases, evidence, tasks
from tests.kit import walks
from tests.kit.samples import ACCEPT, FIRE, RESTAURANT, REVIEW, VISIT
from tests.services.test_take import photograph
from tests.web.conftest import send

PROGRAM = {"Accept": "application/problem+json, application/json"}


@pytest.fixture
def visit(office):
    """A case whose site visit wu has claimed: its number, the id of the task, and the page that is taken along."""
    number = walks.walk(office, walks.file(office, RESTAURANT), ACCEPT, FIRE, REVIEW)
    task = walks.open_task(office, number, VISIT[0])
    with office.work(by=walks.signed_in(office, "wu")) as work:
        tasks.claim(work, task)
    return number, task, f"/window/site/{task}"


def release(office, _number, task):
    with office.work(by=walks.signed_in(office, "wu")) as work:
        tasks.release(work, task)


def take_over(office, number, task):
    release(office, number, task)
    with office.work(by=walks.signed_in(office, "zheng")) as work:
        tasks.claim(work, task)


def finish(office, number, _task):
    walks.complete(office, number, VISIT)


def withdraw(office, number, _task):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不再经营。")


def hold(office, number, _task):
    with office.work() as work:
        work.session.execute(update(Case).where(Case.number == number).values(held_at=work.now))


def test_only_the_form_is_taken_along_and_nothing_of_the_dossier(visit, officer):
    number, task, at = visit
    wu = officer("wu")
    page = wu.get(at)
    assert page.status_code == 200
    for told in (number, "核查结论", "食品经营", 'id="hand-in"', f'action="/window/tasks/{task}"'):
        assert told in page.text
    for kept_back in ("陈示例", RESTAURANT["premises"], RESTAURANT["contact_phone"], "黄", "没有意见"):
        assert kept_back not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert f'action="{at}" hidden' in wu.get(f"/window/tasks/{task}").text


def test_a_question_stands_with_the_answers_that_bring_it_up(visit, officer):
    page = officer("wu").get(visit[2]).text
    assert re.findall(r"data-when=\"(\w+)\" data-values='([^']+)'", page) == [("result", '["rectify"]')]
    assert 'name="answers.demands"' in page


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        (release, "已经退回待签收"),
        (take_over, "已经由别人签收"),
        (finish, "这一步您已经办结"),
        (withdraw, "已经不需要办理"),
        (hold, "管理员暂停了这个办件的流转"),
    ],
)
def test_what_happened_meanwhile_is_told_and_nothing_can_be_handed_in(office, visit, officer, meanwhile, told):
    meanwhile(office, *visit[:2])
    page = officer("wu").get(visit[2])
    assert (page.status_code, told in page.text) == (409, True)
    assert 'id="hand-in"' not in page.text
    assert "郑" not in page.text, "nobody is named"


def test_nobody_else_takes_it_along(visit, officer, signed_in, client):
    at = visit[2]
    assert client.get(at).status_code == 401
    assert client.get("/window/site/").status_code == 401
    assert signed_in("chen").get(at).status_code == 403
    assert signed_in("chen").get("/window/site/").status_code == 403
    assert signed_in("wang").get(at).status_code == 404
    for code in ("zheng", "huang"):
        page = officer(code).get(at)
        assert (page.status_code, 'id="hand-in"' in page.text) in {(409, False), (403, False)}


def test_a_form_whose_rows_a_server_adds_is_not_taken_along(office, signed_in, city):
    wang, task = signed_in("wang"), walks.open_task(office, city.filed, "formal_check")
    send(wang, f"/window/tasks/{task}/claim", form="/window/tasks")
    assert "take-along" not in wang.get(f"/window/tasks/{task}").text
    assert wang.get(f"/window/site/{task}").status_code == 409


def test_the_script_that_keeps_the_pages_speaks_for_all_of_them(officer):
    with officer("wu").get("/window/site/worker.js") as reply:
        assert (reply.status_code, reply.mimetype) == (200, "text/javascript")


def test_the_device_learns_whose_it_is_and_what_was_completed(office, visit, officer):
    number, task, _at = visit
    finish(office, number, task)
    with office.work(read_only=True) as work:
        person = work.session.scalars(select(Person.id).where(Person.code == "wu")).one()
    page = officer("wu").get(f"/window/tasks?done={task}").text
    assert f'data-person="{person}"' in page
    assert f'data-done="{task}"' in page
    assert f'data-done="{task}"' not in officer("zheng").get(f"/window/tasks?done={task}").text


def put(client, visit, token="once", content=None, **more):
    file = BytesIO(photograph().content if content is None else content), "现场.png"
    _number, task, at = visit
    page = client.get(at)
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    fields = {"csrf_token": csrf, "done_token": token, "file": file, **more}
    return client.post(f"/window/tasks/{task}/evidence", data=fields, headers=PROGRAM)


def stored(office):
    with office.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Evidence))


def test_a_photograph_that_is_sent_twice_is_put_once_and_confirmed_twice(office, visit, officer):
    wu = officer("wu")
    for _again in range(2):
        reply = put(wu, visit)
        assert (reply.status_code, reply.json) == (200, {"kept": "once"})
    assert stored(office) == 1
    assert put(wu, visit, token="another").json == {"kept": "another"}
    assert stored(office) == 2


def test_a_photograph_that_was_refused_may_come_again_under_its_token(office, visit, officer, monkeypatch):
    wu = officer("wu")
    monkeypatch.setattr(evidence, "_MOST", 0)
    reply = put(wu, visit)
    assert (reply.status_code, [fault["words"] for fault in reply.json["missing"]]) == (422, ["太多了"])
    monkeypatch.undo()
    assert put(wu, visit).json == {"kept": "once"}
    assert stored(office) == 1
    wrong = put(wu, visit, token="broken", content=b"nothing")
    assert (wrong.status_code, wrong.json["missing"][0]["why"]) == (422, "wrong-type")


def test_a_photograph_needs_the_token_of_a_form_and_the_task(office, visit, officer):
    wu = officer("wu")
    assert put(wu, visit, csrf_token="of another session").status_code == 400
    release(office, *visit[:2])
    assert put(wu, visit).status_code == 403
    take_over(office, *visit[:2])
    assert put(wu, visit).status_code == 409
    assert stored(office) == 0
