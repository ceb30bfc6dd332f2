"""The portal: where each case stands and what to do now, tasks of applicants, withdrawal, notices, licences."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from approval.models.cases import Case
from approval.models.tasks import Progress, Task
from approval.services import cases, people, tasks
from tests.kit.pages import form_token
from tests.kit.samples import ACCEPT, ASK, COUNTERSIGN, ITEM, MATERIALS, RESTAURANT, REVIEW, uploads
from tests.web.conftest import send

ENGLISH = {"Accept-Language": "en"}
SMALL = RESTAURANT | {"activities": ["hot_food", "drinks"], "dining_area": 80, "seats": 30}
RECTIFY = ("site_visit", "wu", {"result": "rectify", "findings": "缺洗手池。", "demands": "增设洗手池。"})


def walk(office, number, *steps):
    for element, who, given in steps:
        with office.work() as work:
            wanted = select(Task.id).join(Case).where(Case.number == number, Task.element == element)
            task = work.session.scalars(wanted.where(Task.progress == Progress.OPEN)).one()
            tasks.complete(work.acting_as(people.actor_by_code(work, who)), task, given)


def open_task(office, number):
    with office.work(read_only=True) as work:
        wanted = select(Task.id).join(Case).where(Case.number == number, Task.role == "applicant")
        return work.session.scalars(wanted.where(Task.progress == Progress.OPEN)).one()


@pytest.fixture
def restaurant(office):
    """A case of the organization, filed by its agent."""
    with office.work() as work:
        agent = people.actor_by_code(work, "lin", "restaurant")
        files = uploads(*MATERIALS, "authorisation")
        return cases.file(work.acting_as(agent), ITEM, SMALL, files).number


@pytest.fixture
def rectifying(office, restaurant):
    walk(office, restaurant, ACCEPT, REVIEW, RECTIFY, COUNTERSIGN)
    return restaurant


@pytest.fixture
def asked(office, city):
    walk(office, city.filed, ASK)
    return city.filed


def stages(page):
    return re.findall(r'<li class="stage-(\w+)"', page)


def test_the_line_of_stages_says_where_a_case_stands(signed_in, office, city):
    chen = signed_in("chen")

    def line(number):
        return stages(chen.get(f"/my/cases/{number}").text)

    assert line(city.filed) == ["done", "current", "next", "next", "next"]
    assert line(city.accepted) == ["done", "done", "current", "next", "next"]
    assert line(city.granted) == ["done"] * 5
    walk(office, city.accepted, REVIEW)
    assert line(city.accepted) == ["done", "done", "done", "current", "next"]
    for number, stopped in ((city.filed, 1), (city.accepted, 2)):
        send(chen, f"/my/cases/{number}/withdraw", form="/my/cases", reason="不再经营")
        assert line(number) == ["done"] * stopped + ["stopped"] + ["next"] * (4 - stopped)


def test_what_waits_for_me_comes_first(signed_in, city, asked):
    page = signed_in("chen").get("/my/cases").text
    numbers = re.findall(r'href="/my/cases/(\d{24})"', page)
    assert numbers[0] == asked
    assert set(numbers) == {city.filed, city.accepted, city.granted}
    assert page.count("需要您办理") == 1
    assert "第 3 步，共 5 步：审查" in page
    assert "市场监管部门正在审查您的申请材料。" in page


def test_a_case_shows_its_materials_its_diagram_and_its_receipt(signed_in, city):
    chen = signed_in("chen")
    page = chen.get(f"/my/cases/{city.accepted}").text
    assert len(re.findall(r'href="/materials/[0-9a-f-]{36}"', page)) == len(MATERIALS)
    assert f"/my/cases/{city.accepted}/procedure.bpmn" in page
    receipt = chen.get(f"/my/cases/{city.accepted}/receipt")
    assert city.accepted in receipt.text
    assert "营业执照" in receipt.text


def test_an_officer_who_looks_at_a_case_may_not_act_as_its_applicant(signed_in, asked):
    wang = signed_in("wang")
    page = wang.get(f"/my/cases/{asked}").text
    assert "开始补正" not in page
    assert "撤回这个申请" not in page
    assert wang.get(f"/my/cases/{asked}/withdraw").status_code == 404


def test_a_case_is_withdrawn_after_a_question_and_with_a_reason(signed_in, city):
    chen = signed_in("chen")
    path = f"/my/cases/{city.filed}/withdraw"
    assert "不能恢复" in chen.get(path).text
    for reason in ("", "  \n ", "x" * 2001):
        reply = send(chen, path, form=path, reason=reason)
        assert reply.status_code == 422
        assert 'href="#reason"' in reply.text
        assert reason.strip() in reply.text
    assert send(chen, path, form=path, reason="不再经营。").location == f"/my/cases/{city.filed}"
    page = chen.get(f"/my/cases/{city.filed}").text
    assert "已撤回" in page
    assert "撤回这个申请</a>" not in page
    assert chen.get(path).status_code == 303
    assert send(chen, path, form="/my/cases", reason="再撤").status_code == 409
    assert chen.get(f"/my/cases/{city.granted}/withdraw").status_code == 303


def test_nobody_withdraws_another_persons_case(signed_in, city):
    lin = signed_in("lin")
    path = f"/my/cases/{city.filed}/withdraw"
    assert lin.get(path).status_code == 404
    assert send(lin, path, form="/my/cases", reason="x").status_code == 404
    assert lin.get(f"/my/cases/{city.filed}/receipt").status_code == 404


def test_an_applicant_does_a_step_of_the_procedure(signed_in, office, rectifying):
    lin = signed_in("lin")
    case = f"/my/cases/{rectifying}?for=restaurant"
    page = lin.get(case).text
    path = f"/my/tasks/{open_task(office, rectifying)}?for=restaurant"
    assert f'href="{path}"' in page
    assert "整改期限" in page
    assert "整改情况" in lin.get(path).text
    wrong = send(lin, path, form=path, shown="measures", **{"answers.measures": " "})
    assert wrong.status_code == 422
    assert 'href="#answers.measures"' in wrong.text
    english = lin.get(path, headers=ENGLISH).text
    assert "What was rectified" in english
    done = {"shown": "measures", "answers.measures": "已增设洗手池。"}
    token_page = lin.get(path).text
    token = form_token(token_page)
    replies = [lin.post(path, data={"csrf_token": token, **done}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [303, 303], "a second click is the same"
    assert [reply.location for reply in replies] == [case] * 2
    assert lin.get(path).location == case, "the back button leads to the case"
    assert "现在办理" not in lin.get(case).text


def test_a_task_of_another_is_not_found(signed_in, office, city, rectifying, asked):
    path = f"/my/tasks/{open_task(office, rectifying)}"
    for code in ("chen", "wang", "huang", "lin"):  # lin acts for nobody here
        client = signed_in(code)
        assert client.get(path).status_code == 404
        assert send(client, path, form="/my/cases", shown="measures").status_code == 404
    chen = signed_in("chen")
    assert chen.get(f"/my/tasks/{uuid4()}").status_code == 404
    with office.work(read_only=True) as work:
        clerks = work.session.scalars(select(Task.id).join(Case).where(Case.number == city.accepted)).first()
    assert chen.get(f"/my/tasks/{clerks}").status_code == 404
    correction = chen.get(f"/my/tasks/{open_task(office, asked)}")
    assert (correction.status_code, correction.location) == (303, f"/my/cases/{asked}")


def test_the_inbox_marks_what_is_new_until_it_was_looked_at(signed_in, city):
    chen = signed_in("chen")
    header = r"通知（(\d+)）"
    new = int(re.search(header, chen.get("/verify").text)[1])
    assert new > 3
    page = chen.get("/my/notices").text
    assert page.count("未读") == new
    assert page.index(city.filed) > 0
    again = chen.get("/my/notices").text
    assert "未读" not in again
    assert not re.search(header, again)


def test_looking_at_a_case_reads_its_notices_and_no_others(signed_in, city):
    chen = signed_in("chen")
    chen.get(f"/my/cases/{city.accepted}")
    page = chen.get("/my/notices").text
    items = re.findall(r"<li>.*?</li>", page, re.DOTALL)
    assert not [item for item in items if city.accepted in item and "未读" in item]
    assert [item for item in items if city.filed in item and "未读" in item]


def test_an_officer_reads_no_applicants_notices_for_them(signed_in, city):
    signed_in("wang").get(f"/my/cases/{city.filed}")
    page = signed_in("chen").get("/my/notices").text
    assert [item for item in re.findall(r"<li>.*?</li>", page, re.DOTALL) if city.filed in item and "未读" in item]


def test_a_notice_of_an_organization_leads_to_its_case(signed_in, restaurant):
    lin = signed_in("lin")
    assert f'href="/my/cases/{restaurant}?for=restaurant"' in lin.get("/my/notices").text
    assert restaurant not in signed_in("chen").get("/my/notices").text


def test_my_licences_are_cards_with_a_code_to_verify(signed_in, city):
    chen = signed_in("chen")
    page = chen.get("/my/licences").text
    for told in (city.number, "有效", "泉州市市场监督管理局", f"/verify/{city.token}"):
        assert told in page
    drawn = chen.get(f"/my/licences/{city.number}/code.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert b"<svg" in drawn.data
    assert drawn.headers["Content-Security-Policy"].startswith("sandbox")
    assert chen.get(f"/my/licences/{city.number}/licence.pdf").data == city.pdf


def test_a_licence_says_when_it_is_over(signed_in, clock):
    assert "已过期" not in signed_in("chen").get("/my/licences").text
    clock.now += timedelta(days=5 * 366)
    assert "已过期" in signed_in("chen").get("/my/licences").text


def test_licences_of_others_are_not_found(signed_in, city):
    lin = signed_in("lin")
    for path in ("/my/licences", "/my/licences?for=restaurant"):
        assert city.number not in lin.get(path).text
    for path in ("code.svg", "licence.pdf"):
        assert lin.get(f"/my/licences/{city.number}/{path}").status_code == 404
        assert lin.get(f"/my/licences/nothing/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/my/cases", "/my/notices", "/my/licences", f"/items/{ITEM}/begin"])
def test_only_who_signed_in_has_anything_of_their_own(client, path):
    assert client.get(path).status_code == 401


def test_pages_of_an_applicant_are_whole_in_english(signed_in, office, city, asked, rectifying):
    chen, lin = signed_in("chen"), signed_in("lin")
    draft = send(chen, f"/items/{ITEM}/begin", form="/my/cases").location
    correction = send(chen, f"/my/cases/{asked}/correct", form="/my/cases").location
    pages = [
        (chen, "/my/cases"),
        (chen, "/my/notices"),
        (chen, "/my/licences"),
        *((chen, f"/my/cases/{number}") for number in (city.granted, asked)),
        (chen, f"/my/cases/{city.granted}/receipt"),
        (chen, f"/my/cases/{city.accepted}/withdraw"),
        *((chen, draft + page) for page in ("", "/answers/business", "/materials", "/check", "/discard")),
        *((chen, correction + page) for page in ("", "/replies", "/check", "/materials")),
        (lin, f"/items/{ITEM}/begin"),
        (lin, f"/my/tasks/{open_task(office, rectifying)}?for=restaurant"),
    ]
    for client, path in pages:
        page = client.get(path, headers=ENGLISH)
        assert page.status_code == 200, path
        assert page.text.count("<h1>") == 1, path
        marked = re.sub(r'<(\w+)[^>]* lang="zh-CN"[^>]*>.*?</\1>', "", page.text, flags=re.DOTALL)
        for text in re.findall(r">([^<]+)<", marked):
            assert not re.search(r"[\u4e00-\u9fff]", text), (path, text)
