import re
import shutil

import pytest

import certificates
from approval.app import create_app, db
from approval.settings import Settings, SettingsRefused
from tests.web.conftest import ITEM, NOW, PASSWORD, send

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
PUBLIC = ["/", f"/items/{ITEM}", "/verify", "/sign-in"]


@pytest.fixture
def answers_in_both():
    def check(client, path):
        chinese, english = client.get(path), client.get(path, headers=ENGLISH)
        assert (chinese.status_code, english.status_code) == (200, 200)
        assert '<html lang="zh-CN">' in chinese.text
        assert "一站式行政审批" in chinese.text
        assert '<html lang="en">' in english.text
        assert "One-Stop Approval" in english.text
        # Whatever is still Chinese on an English page is data, and marked as such.
        marked = re.sub(r'<(\w+)[^>]* lang="zh-CN"[^>]*>.*?</\1>', "", english.text, flags=re.DOTALL)
        for text in re.findall(r">([^<]+)<", marked):
            assert not re.search(r"[\u4e00-\u9fff]", text), text
        for page in (chinese.text, english.text):
            assert page.count("<h1>") == 1
            assert "style=" not in page
            for script in re.findall(r"<script.*?</script>", page, flags=re.DOTALL):
                ours = r'<script (src="/static/[\w/.-]+" defer|type="module" src="[\w/.-]+")></script>'
                assert re.fullmatch(ours, script)

    return check


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_answers_in_chinese_and_in_english(client, path, answers_in_both):
    answers_in_both(client, path)


def test_the_pages_of_a_person_answer_in_chinese_and_in_english(signed_in, city, answers_in_both):
    chen, wang = signed_in("chen"), signed_in("wang")
    answers_in_both(chen, "/my/cases")
    answers_in_both(wang, "/window/tasks")
    for number in (city.granted, city.accepted, city.filed):
        answers_in_both(chen, f"/my/cases/{number}")
    answers_in_both(chen, f"/my/cases/{city.granted}/countdowns/decision")
    answers_in_both(signed_in("huang"), f"/window/cases/{city.accepted}/countdowns")


def test_the_first_page_names_what_can_be_asked_for(client):
    page = client.get("/").text
    assert f'href="/items/{ITEM}"' in page
    assert "食品经营许可（新办）" in page
    assert "10 个工作日办结" in page


def test_the_guide_says_what_the_law_wants_said(client):
    page = client.get(f"/items/{ITEM}").text
    for told in ("10 个工作日", "0 次", "不收费", "3 份", "营业执照", "行政许可法第四十二条第一款", "0595-00000001"):
        assert told in page
    assert "六十日内向泉州市人民政府申请行政复议" in page


def test_a_guide_that_does_not_exist_is_not_found(client):
    assert client.get("/items/nothing").status_code == 404


def test_a_chosen_language_outlasts_the_browsers(client):
    back = client.get("/language/en?next=/verify", headers={"Accept-Language": "zh"})
    assert (back.status_code, back.location) == (303, "/verify")
    assert "Verify a licence" in client.get("/verify", headers={"Accept-Language": "zh"}).text
    client.get("/language/zh")
    assert "证照查验" in client.get("/verify", headers=ENGLISH).text


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", r"/\evil.example", "/\n/x", "x", ""])
def test_nobody_is_sent_to_another_site(client, elsewhere):
    assert client.get("/language/en", query_string={"next": elsewhere}).location == "/"


def test_doors_that_are_closed_are_not_there(open_app, city):
    public = open_app(doors="public").test_client()
    assert [public.get(path).status_code for path in ("/", "/sign-in", "/my/cases", "/window/tasks")] == [
        200, 404, 404, 404,
    ]  # fmt: skip
    window = open_app(doors="window").test_client()
    assert [window.get(path).status_code for path in ("/", "/verify", "/my/cases", "/window/tasks")] == [
        303, 404, 404, 401,
    ]  # fmt: skip


def test_the_application_opens_an_office_of_its_own(tmp_path, city):
    shutil.copy(city.database, tmp_path / "approval.db")
    certificates.create_authority(tmp_path / "authority", [], NOW)
    app = create_app(Settings(instance=tmp_path))
    client = app.test_client()
    assert "食品经营许可（新办）" in client.get("/").text
    assert send(client, "/sign-in", name="chen", password=PASSWORD).location == "/my/cases"
    assert city.granted in client.get("/my/cases").text
    with app.app_context():
        assert db.engine.pool.checkedout() == 0
        db.engine.dispose()


def test_a_door_nobody_knows_is_refused(open_app):
    with pytest.raises(SettingsRefused, match="no door is called cellar"):
        open_app(doors="public cellar")


def test_my_cases_say_where_each_stands_and_how_long_is_left(signed_in, city):
    page = signed_in("chen").get("/my/cases").text
    assert [number in page for number in (city.granted, city.accepted, city.filed)] == [True] * 3
    for told in ("已办结", "准予许可", "待受理", "受理期限", "还剩 1 个工作日", "决定期限", "还剩 17 个工作日"):
        assert told in page


def test_a_case_tells_its_story_in_plain_words(signed_in, city):
    page = " ".join(signed_in("chen").get(f"/my/cases/{city.granted}").text.split())
    for told in ("提交申请", "完成环节 · 形式审查 · 泉州市行政审批局", "作出决定：准予许可", "颁发证照", city.number):
        assert told in page
    assert "市场监管部门正在审查您的申请材料。" in signed_in("chen").get(f"/my/cases/{city.accepted}").text


def test_the_licence_is_handed_out_as_it_was_sealed(signed_in, city):
    reply = signed_in("chen").get(f"/my/cases/{city.granted}/licence.pdf")
    assert reply.data == city.pdf
    assert reply.headers["Content-Disposition"] == f"attachment; filename={city.granted}.pdf"
    assert reply.headers["Content-Security-Policy"].startswith("sandbox")


def test_there_is_no_licence_before_it_is_granted(signed_in, city):
    assert signed_in("chen").get(f"/my/cases/{city.filed}/licence.pdf").status_code == 404


def test_a_case_of_another_person_is_not_found(signed_in, city):
    stranger = signed_in("lin")
    for number in (city.granted, city.filed, "000"):
        assert stranger.get(f"/my/cases/{number}").status_code == 404
        assert stranger.get(f"/my/cases/{number}/licence.pdf").status_code == 404
    assert city.filed not in stranger.get("/my/cases").text


def test_an_agent_acts_only_for_those_who_gave_agency(signed_in):
    agent = signed_in("lin")
    assert "泉州示例餐饮有限公司" in agent.get("/my/cases").text
    assert agent.get("/my/cases?for=restaurant").status_code == 200
    assert signed_in("chen").get("/my/cases?for=restaurant").status_code == 403


def test_a_clerk_sees_only_the_tasks_of_own_posts(signed_in, city):
    window, examiner = signed_in("wang").get("/window/tasks").text, signed_in("huang").get("/window/tasks").text
    assert (city.filed in window, city.accepted in window) == (True, False)
    assert (city.filed in examiner, city.accepted in examiner) == (False, True)


def test_who_holds_no_post_has_no_tasks(signed_in):
    assert signed_in("chen").get("/window/tasks").status_code == 403


def _task(client):
    return re.search(r"/window/tasks/([0-9a-f-]{36})/", client.get("/window/tasks").text)[1]


def test_of_two_who_claim_one_wins(signed_in):
    first, second = signed_in("wang"), signed_in("zhao")
    path = f"/window/tasks/{_task(first)}/claim"
    assert send(first, path, form="/window/tasks").status_code == 303
    assert "我已签收" in first.get("/window/tasks").text
    late = send(second, path, form="/verify")
    assert late.status_code == 409
    assert "别人先办了一步" in late.text
    assert "没有待办。" in second.get("/window/tasks").text


def test_a_task_given_back_is_free_again(signed_in):
    wang = signed_in("wang")
    task = _task(wang)
    send(wang, f"/window/tasks/{task}/claim", form="/window/tasks")
    send(wang, f"/window/tasks/{task}/release", form="/window/tasks")
    assert f"/window/tasks/{task}/claim" in signed_in("zhao").get("/window/tasks").text


def test_a_task_of_another_department_cannot_be_claimed(signed_in):
    task = _task(signed_in("huang"))
    assert send(signed_in("wang"), f"/window/tasks/{task}/claim", form="/window/tasks").status_code == 404
