"""Time limits on pages: suspended, resumed and extended by forms, and proved day by day to everybody concerned."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from approval.services import people, sheets
from tests.kit import blocks, walks
from tests.kit.blocks import ACCEPT, GRANT
from tests.kit.samples import ASK, uploads
from tests.services.test_pledge import COMMITMENT, COMMITTED, MATERIALS, VERDICT
from tests.web.conftest import PASSWORD, send

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


@pytest.fixture
def cai(office, signed_in):
    with office.work() as work:
        people.set_password(work, "cai", PASSWORD)
    return signed_in("cai")


def path(number):
    return f"/window/cases/{number}/countdowns"


def post(client, number, **fields):
    token = re.search(r'name="page_token" value="([^"]+)"', client.get(path(number)).text)[1]
    return send(client, path(number), form=path(number), page_token=token, **fields)


def test_an_examiner_suspends_on_the_page_and_ends_it_again(signed_in, city, office, clock):
    huang = signed_in("huang")
    assert path(city.accepted) in huang.get(f"/window/cases/{city.accepted}").text
    fields = {"act": "suspend", "cause": "testing", "since": "2026-09-28", "days": "7", "reason": "检测（示例）。"}
    assert post(huang, city.accepted, **fields).status_code == 303
    (told,) = walks.told(office, "suspended")
    assert told["since"] == "2026-09-28"
    assert "正在进行特别程序" not in signed_in("chen").get(f"/my/cases/{city.accepted}").text
    clock.now = datetime(2026, 9, 28, 1, tzinfo=UTC)
    assert "检测" in re.search(r"正在进行特别程序.*", signed_in("chen").get(f"/my/cases/{city.accepted}").text)[0]
    huang = signed_in("huang")
    page = huang.get(path(city.accepted)).text
    for said in ("暂停计算", told["notice"], "恢复计算"):
        assert said in page
    assert post(huang, city.accepted, act="resume", notice=told["notice"]).status_code == 303
    assert len(walks.told(office, "resumed")) == 1


@pytest.mark.article("行政许可法#42.2")
def test_article_42_who_ranks_above_the_departments_extends_on_the_page_and_reads_the_proof(signed_in, office):
    above = 'days = 15\ndepartment = "CGJ"\nrole = "examiner"\nbasis = "行政许可法第四十二条第二款"\n'
    number = blocks.accepted(office, more=f'\n[limits."decision".extension]\n{above}')
    with office.work() as work:
        for code in ("qiu", "ye"):
            people.set_password(work, code, PASSWORD)
    qiu = signed_in("qiu")
    assert qiu.get(f"/window/cases/{number}").status_code == 404, "no task in the case, nothing else of it to read"
    assert "延期" in qiu.get(path(number)).text
    assert qiu.get(f"{path(number)}/decision").status_code == 200
    assert post(qiu, number, act="extend", reason="需要进一步论证（示例）。").status_code == 303
    assert [told["decision_due"] for told in walks.told(office, "extended")] == ["2026-11-18"]
    assert signed_in("ye").get(path(number)).status_code == 404


def test_a_signer_repairs_on_the_page_what_a_broken_commitment_closed(cai, office):
    blocks.deploy(office, "deferral_procedure", materials=MATERIALS, more=COMMITMENT, after=("commitment_check",))
    number = blocks.file(office, uploads("insurance"), promise=COMMITTED)
    visit = ("commitment_visit", "wu", {"result": "broken", "findings": "没有安全方案。"})
    walks.walk(office, number, ACCEPT, GRANT, visit, VERDICT)
    assert "信用修复" in cai.get(path(number)).text
    assert post(cai, number, act="repair", reason="").status_code == 422
    assert post(cai, number, act="repair", reason="整改完毕。").status_code == 303
    assert "信用修复" not in cai.get(path(number)).text


def test_what_is_wrong_stays_on_the_page_with_what_was_given(signed_in, city, office):
    huang = signed_in("huang")
    reply = post(huang, city.accepted, act="suspend", cause="testing", since="2026-09-28", days="many", reason="")
    assert reply.status_code == 422
    assert '<a href="#suspend-days">' in reply.text
    assert re.search(r'value="testing" selected', reply.text)
    assert 'aria-invalid="true"' in reply.text
    assert post(huang, city.accepted, act="suspend", since="tomorrow").status_code == 422
    assert walks.told(office, "suspended") == []


def test_a_day_that_has_passed_is_refused(signed_in, city):
    fields = {"act": "suspend", "cause": "testing", "since": "2026-09-24", "days": "7", "reason": "检测（示例）。"}
    reply = post(signed_in("huang"), city.accepted, **fields)
    assert (reply.status_code, "已经过去的日子不能暂停计算" in reply.text) == (409, True)


def test_only_the_signer_is_offered_to_extend_and_does(signed_in, cai, city, office):
    assert 'id="extend"' not in signed_in("huang").get(path(city.accepted)).text
    assert 'id="extend"' in cai.get(path(city.accepted)).text
    assert post(cai, city.accepted, act="extend", reason=" ").status_code == 422
    assert post(cai, city.accepted, act="extend", reason="案情复杂（示例）。").status_code == 303
    assert len(walks.told(office, "extended")) == 1
    assert 'id="extend"' not in cai.get(path(city.accepted)).text


def test_a_second_round_of_correction_is_allowed_on_the_page_by_the_signer(signed_in, cai, office, clock):
    number = walks.walk(office, walks.file(office), ASK)
    walks.correct(office, number)
    assert 'id="correct"' not in signed_in("wang").get(path(number)).text
    assert 'id="correct"' in cai.get(path(number)).text
    assert post(cai, number, act="correct", reason="").status_code == 422
    assert post(cai, number, act="correct", reason="场所变更（示例）。").status_code == 303
    assert 'id="correct"' not in cai.get(path(number)).text
    page = cai.get(f"/window/cases/{number}").text
    assert "同意再次补正" in page
    assert "场所变更（示例）。" in page
    clock.now += timedelta(minutes=5)
    again = (
        "formal_check",
        "wang",
        {"result": "incomplete", "missing": [{"what": "materials.safety_rules", "problem": "缺页。", "how": "补齐。"}]},
    )
    walks.walk(office, number, again)
    page = signed_in("chen").get(f"/my/cases/{number}").text
    assert "场所变更（示例）。" not in page, "what the office says to itself"
    to_do = page.split('class="aside to-do"')[1].split("</section>")[0]
    assert ("规章制度" in to_do, "布局图" in to_do) == (True, False), "only what is asked for now"


@pytest.mark.parametrize("who", ["chen", "lin", "admin"])
def test_nobody_else_opens_the_page(signed_in, city, who):
    assert signed_in(who).get(path(city.accepted)).status_code in {403, 404}


def test_the_applicant_and_the_officer_read_the_same_sheet(signed_in, city, office):
    chen, huang = signed_in("chen"), signed_in("huang")
    own = f"/my/cases/{city.granted}/countdowns/decision"
    assert own in chen.get(f"/my/cases/{city.granted}").text
    data = chen.get(own + ".json")
    assert data.data == huang.get(f"{path(city.granted)}/decision.json").data
    verdict = sheets.verify(data.data, walks.told(office, "granted")[0]["sheet"])
    assert (data.mimetype, verdict.holds) == ("application/json", True)
    for page in (chen.get(own).text, huang.get(f"{path(city.granted)}/decision").text):
        for said in ("时限计算书", verdict.digest, "期限内办结", "逐日计算", "不计"):
            assert said in page
    english = chen.get(own, headers=ENGLISH).text
    assert "Done in time" in english
    assert "Day of the event" in english


def test_a_sheet_shows_why_a_day_does_not_count_and_the_number_of_the_notice(signed_in, city):
    huang = signed_in("huang")
    fields = {"act": "suspend", "cause": "testing", "since": "2026-09-28", "days": "3", "reason": "检测（示例）。"}
    post(huang, city.accepted, **fields)
    page = huang.get(f"{path(city.accepted)}/decision").text
    for said in ("特别程序", "行政许可法第四十五条", "特〔2026〕1号", "检测", "放假", "调休上班", "周末"):
        assert said in page


def test_a_sheet_is_no_strangers_business(signed_in, city, client):
    own = f"/my/cases/{city.granted}/countdowns/decision"
    for address in (own, own + ".json"):
        assert signed_in("lin").get(address).status_code == 404
    assert client.get(own + ".json", headers={"Accept": "application/json"}).status_code == 401
    assert signed_in("chen").get(f"/my/cases/{city.granted}/countdowns/lunch").status_code == 404
    assert signed_in("chen").get(f"{path(city.granted)}/decision").status_code == 403
