"""Licences at the window: found by a signer of the department that issued them, and done to what the law allows."""

import re

import pytest

from approval.services import people
from tests.web.conftest import PASSWORD, send

FIND = "/window/licences"
WORDS = {"reason": "经营场所停业整顿。", "basis": "《中华人民共和国行政处罚法》第九条第三项。"}


@pytest.fixture
def signer(office, signed_in):
    with office.work() as work:
        people.set_password(work, "cai", PASSWORD)
        people.set_password(work, "su", PASSWORD)
    return signed_in("cai")


def act(client, page, deed, **words):
    token = re.search(r'name="page_token" value="([^"]+)"', client.get(page).text)[1]
    return send(client, page, form=page, page_token=token, deed=deed, **{**WORDS, **words})


def test_a_licence_is_found_by_its_number_from_the_queue(signer, city):
    assert f'href="{FIND}"' in signer.get("/window/tasks").text
    reply = signer.get(FIND, query_string={"number": f" {city.number} "})
    assert (reply.status_code, reply.location) == (303, f"{FIND}/{city.number}")
    page = signer.get(reply.location).text
    for told in ("有效", "证照行为记录", "暂扣</option>", "吊销</option>", "撤销</option>", "注销</option>"):
        assert told in page
    assert "发还</option>" not in page


@pytest.mark.parametrize("number", ["JY0", "\1", "é" * 500, "<b>"])
def test_what_the_department_did_not_issue_is_told_beside_the_field(signer, number):
    page = signer.get(FIND, query_string={"number": number}).text
    assert "本部门没有颁发过这个编号的证照" in page
    assert "<b>" not in page


def test_what_was_done_is_seen_by_the_clerk_the_holder_and_the_public(signer, signed_in, client, city):
    page = f"{FIND}/{city.number}"
    reply = act(signer, page, "suspend")
    assert (reply.status_code, reply.location) == (303, f"{page}?done=suspend")
    told = signer.get(reply.location).text
    assert "已暂扣" in told
    assert WORDS["reason"] in told
    assert "发还</option>" in told
    assert "暂扣</option>" not in told
    seen = client.get(f"/verify/{city.token}").text
    assert "正在暂扣" in seen
    assert WORDS["basis"] in seen
    chen = signed_in("chen")
    assert "已暂扣" in chen.get("/my/licences").text
    notices = chen.get("/my/notices").text
    assert "您的证照已经被暂扣。" in notices
    assert city.number in notices
    act(signer, page, "resume")
    assert "证照真实、有效" in client.get(f"/verify/{city.token}").text


@pytest.mark.parametrize("missing", ["deed", "reason", "basis"])
def test_what_is_missing_is_told_and_what_was_typed_stays(signer, city, missing):
    page = f"{FIND}/{city.number}"
    reply = act(
        signer, page, "revoke" if missing != "deed" else "seal", **({missing: "  "} if missing != "deed" else {})
    )
    assert reply.status_code == 422
    assert f'id="{missing}-why"' in reply.text
    assert [kept in reply.text for kept in WORDS.values()].count(True) == (2 if missing == "deed" else 1)
    assert "已吊销" not in signer.get(page).text


def test_a_reason_that_is_too_long_is_told_as_that(signer, city):
    reply = act(signer, f"{FIND}/{city.number}", "revoke", reason="长" * 5000)
    assert reply.status_code == 422
    assert "太长了" in re.search(r'id="reason-why">(.*?)</p>', reply.text)[1]


def test_a_page_sent_twice_is_done_once_and_an_illegal_act_is_told(signer, city):
    page = f"{FIND}/{city.number}"
    token = re.search(r'name="page_token" value="([^"]+)"', signer.get(page).text)[1]
    for _ in range(2):
        reply = send(signer, page, form=page, page_token=token, deed="cancel", **WORDS)
        assert reply.status_code == 303
    assert signer.get(page).text.count("<strong>注销</strong>") == 1
    assert send(signer, page, form=page, page_token="another", deed="revoke", **WORDS).status_code == 409


def test_only_a_signer_of_the_department_comes_in(signed_in, signer, client, city):
    page = f"{FIND}/{city.number}"
    assert client.get(page).status_code == 401
    for code in ("chen", "wang", "su", "admin"):
        assert signed_in(code).get(page).status_code == 404, "numbers can be guessed, and nobody learns which there are"
    assert signer.get(f"{FIND}/JY0").status_code == 404


def test_a_clerk_looks_at_a_licence_and_its_holder_sees_who_and_why(office, signed_in, client, city):
    with office.work() as work:
        people.set_password(work, "wang", PASSWORD)
    wang, chen = signed_in("wang"), signed_in("chen")
    assert 'href="/window/sharing"' in wang.get("/window/tasks").text
    page = wang.get("/window/sharing", query_string={"case": city.filed}).text
    assert f'value="{city.filed}"' in page
    asked = {"case": city.filed, "purpose": "核对<b>证照</b>。", "basis": "《行政许可法》第三十四条"}
    wrong = send(wang, "/window/sharing", form="/window/sharing", **{**asked, "purpose": " "})
    assert (wrong.status_code, 'id="purpose-why"' in wrong.text, asked["basis"] in wrong.text) == (422, True, True)
    shown = send(wang, "/window/sharing", form="/window/sharing", **asked)
    assert (shown.status_code, city.number in shown.text, "预包装食品销售" in shown.text) == (200, True, True)
    assert "投诉举报电话" not in shown.text
    seen = chen.get("/my/licences/looks").text
    assert "核对&lt;b&gt;证照&lt;/b&gt;。" in seen
    assert "您提交的申请" in seen
    assert client.get("/my/licences/looks").status_code == 401
    assert send(wang, "/window/sharing", form="/window/sharing", **{**asked, "case": "0"}).status_code == 404


def test_a_holder_gives_a_code_that_nobody_else_can_make(signed_in, city):
    chen, lin = signed_in("chen"), signed_in("lin")
    page = send(chen, f"/my/licences/{city.number}/authorise", form="/my/licences")
    assert re.search(r'class="code">[2-9B-Z]{5}-[2-9B-Z]{5}<', page.text)
    assert send(lin, f"/my/licences/{city.number}/authorise", form="/my/licences").status_code in {400, 404}
