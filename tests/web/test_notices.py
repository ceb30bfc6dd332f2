"""Formal notices on the pages: opened, downloaded, verified by anybody, recorded by officers, sent where one wants."""

import re

import pytest
from sqlalchemy import select

from approval.models.cases import Case
from approval.models.notices import Delivery, FormalNotice
from approval.services import people, workers
from tests.kit import walks
from tests.kit.mailboxes import Mailbox
from tests.kit.samples import MATERIALS, RESTAURANT, uploads
from tests.web.conftest import PASSWORD, send

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


@pytest.fixture(autouse=True)
def _drawn_quickly(monkeypatch):
    monkeypatch.setattr("approval.documents.render", lambda *_given, **_named: b"%PDF-quick")
    monkeypatch.setattr("certificates.seal_document", lambda drawn, *_given, **_named: drawn)


def formal(office, number, kind="receipt"):
    with office.work(read_only=True) as work:
        wanted = select(FormalNotice).join(Case).where(Case.number == number, FormalNotice.kind == kind)
        return work.session.scalars(wanted).one()


def delivery(office, formal_id, way="portal"):
    with office.work(read_only=True) as work:
        wanted = select(Delivery).where(Delivery.formal_id == formal_id, Delivery.way == way)
        return work.session.scalars(wanted).one()


def told(reply):
    return " ".join(re.sub(r"<[^>]+>", " ", reply.text).split())


def test_the_inbox_leads_to_the_notice_and_opening_it_is_its_delivery(signed_in, office, city):
    chen, found = signed_in("chen"), formal(office, city.filed)
    assert f'href="/my/notices/{found.id}"' in chen.get("/my/notices").text
    assert f'href="/my/notices/{found.id}"' in chen.get(f"/my/cases/{city.filed}").text
    assert delivery(office, found.id).delivered_at is None, "a list is not the notice"
    first = chen.get(f"/my/notices/{found.id}")
    assert found.number in first.text
    assert "您打开本页，即为网上送达" in first.text
    assert delivery(office, found.id).receiver == "陈示例"
    assert "以此为准" in chen.get(f"/my/notices/{found.id}").text


def test_the_file_is_there_once_it_is_drawn(signed_in, office, city):
    chen, found = signed_in("chen"), formal(office, city.filed)
    path = f"/my/notices/{found.id}/notice.pdf"
    assert chen.get(path).status_code == 404
    assert delivery(office, found.id).delivered_at is None, "there was nothing to open"
    while workers.draw_notices(office):
        continue
    reply = chen.get(path)
    assert (reply.data, reply.mimetype) == (b"%PDF-quick", "application/pdf")
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert delivery(office, found.id).delivered_at is not None


def test_an_agent_comes_by_a_letter_that_does_not_say_for_whom(signed_in, office):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    found = formal(office, number)
    page = signed_in("lin").get(f"/my/notices/{found.id}")
    assert f'href="/my/cases/{number}?for=restaurant"' in page.text
    assert delivery(office, found.id).receiver == "林示例"
    assert signed_in("chen").get(f"/my/notices/{found.id}").status_code == 404


@pytest.mark.parametrize("who", ["lin", "wang"])
def test_nobody_else_opens_it(signed_in, office, city, who):
    found = formal(office, city.filed)
    for path in (f"/my/notices/{found.id}", f"/my/notices/{found.id}/notice.pdf"):
        assert signed_in(who).get(path).status_code == 404
    assert delivery(office, found.id).delivered_at is None


def test_anybody_verifies_a_notice_and_learns_nobodys_name(client, office, city):
    workers.draw_notices(office)
    found = formal(office, city.granted, "grant")
    reply = client.get(f"/verify/notices/{found.token}")
    for said in ("准予行政许可决定书", found.number, "泉州市市场监督管理局", "这份文书是真实的"):
        assert said in reply.text
    for secret in ("陈示例", "3505021987", city.granted, "鲤城区"):
        assert secret not in reply.text
    assert "Decision to grant" in client.get(f"/verify/notices/{found.token}", headers=ENGLISH).text


def test_whoever_tries_out_codes_must_wait(open_app):
    client = open_app(address_failures=2).test_client()
    replies = [client.get(f"/verify/notices/{guess}") for guess in ("a", "b", "c")]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert "没有查到这份文书" in replies[0].text


def test_officers_see_how_notices_went_and_record_a_delivery(signed_in, office, city):
    wang, found = signed_in("wang"), formal(office, city.filed)
    page = wang.get(f"/window/cases/{city.filed}")
    assert f'href="/window/notices/{found.id}"' in page.text
    assert "等待制作" in page.text
    path = f"/window/notices/{found.id}"
    wrong = send(wang, path, form=path, way="hand", receiver="", at="gestern", note="")
    assert wrong.status_code == 422
    assert wrong.text.count('class="wrong"') == 3
    right = {"way": "hand", "receiver": "陈示例<b>", "at": "2026-09-24T15:30", "note": "当场签名"}
    assert send(wang, path, form=path, **right).status_code == 303
    assert "陈示例&lt;b&gt;" in wang.get(path).text
    assert "2026年9月24日 15:30" in told(wang.get(path))
    assert "当面送达" in wang.get(f"/window/cases/{city.filed}").text
    assert "文书送达" in wang.get(f"/window/cases/{city.filed}").text


def test_an_applicant_opens_no_officers_page_and_issues_nothing(signed_in, office, city):
    chen, found = signed_in("chen"), formal(office, city.filed)
    for path in (f"/window/notices/{found.id}", f"/window/cases/{city.filed}/notices/hearing"):
        assert chen.get(path).status_code == 403


def test_an_officer_issues_a_notice_by_hand_and_learns_at_once_what_it_lacks(signed_in, office, city):
    huang = signed_in("huang")
    assert "听证通知书" in huang.get(f"/window/cases/{city.accepted}").text
    path = f"/window/cases/{city.accepted}/notices/hearing"
    wrong = send(huang, path, form=path, place="示例会议室", held_on="31.12.2026")
    assert wrong.status_code == 422
    assert wrong.text.count('class="wrong"') == 4
    assert "示例会议室" in wrong.text
    given = {"held_on": "2026-10-20", "hour": "9:00", "place": "示例", "presider": "周示例", "examiner": "黄审查"}
    reply = send(huang, path, form=path, page_token="click", **given)
    again = send(huang, path, form=path, page_token="click", **given)
    assert reply.status_code == again.status_code == 303
    assert reply.location == again.location == f"/window/notices/{formal(office, city.accepted, 'hearing').id}"
    assert "您有一份新的文书" in signed_in("chen").get("/my/notices").text
    for text in ("字" * 2001, "藏\u202e字"):
        bad = send(huang, path, form=path, **{**given, "place": text})
        assert bad.status_code == 422


@pytest.mark.parametrize("kind", ["refusal", "licence", "nothing"])
def test_what_a_procedure_brings_about_nobody_issues_by_hand(signed_in, city, kind):
    assert signed_in("huang").get(f"/window/cases/{city.accepted}/notices/{kind}").status_code == 403


def test_an_address_is_confirmed_by_the_code_that_was_sent_to_it(open_app, city):
    box = Mailbox()
    with box.served() as port:
        app = open_app(smtp=f"smtp+plain://127.0.0.1:{port}", mail_from="office@city.example")
        chen = app.test_client()
        send(chen, "/sign-in", name="chen", password=PASSWORD)
        page = "/my/delivery"
        wrong = send(chen, f"{page}/email", form=page, address="chen@x.example\r\nBcc: a@b.example")
        assert wrong.status_code == 422
        assert box.taken == []
        assert send(chen, f"{page}/email", form=page, address="chen@mail.example").status_code == 303
        code = box.messages[0].get_content()[4:12]
        assert send(chen, f"{page}/email/confirm", form=page, code="AAAAAAAA").status_code == 422
        assert send(chen, f"{page}/email/confirm", form=page, code=code).status_code == 303
        assert "已确认" in chen.get(page).text
        assert send(chen, f"{page}/email/drop", form=page).status_code == 303
        assert "chen@mail.example" not in chen.get(page).text
        assert send(chen, f"{page}/post", form=page, address="x").status_code == 503


def test_without_other_ways_the_page_says_so(signed_in):
    assert "目前没有其他送达方式" in signed_in("chen").get("/my/delivery").text


def test_post_needs_no_code(open_app, tmp_path):
    app = open_app(spool=str(tmp_path / "spool"))
    chen = app.test_client()
    send(chen, "/sign-in", name="chen", password=PASSWORD)
    assert send(chen, "/my/delivery/post", form="/my/delivery", address="泉州市 362000").status_code == 303
    assert "泉州市 362000" in chen.get("/my/delivery").text


def test_administrators_draw_again_what_could_not_be_drawn(signed_in, office, city, monkeypatch):
    with office.work() as work:
        people.set_password(work, "admin", PASSWORD)
        stuck = work.session.scalars(select(FormalNotice).join(Case).where(Case.number == city.filed)).one()
        stuck.try_at, stuck.attempts, stuck.why = None, 10, "unavailable <示例>"
        stuck_id = stuck.id
        lost = work.session.scalars(select(Delivery).where(Delivery.formal_id != stuck_id)).first()
        lost.way, lost.address, lost.claimed_at, lost.try_at = "email", "a@b.example", lost.made_at, None
        lost_id = lost.id
    admin = signed_in("admin")
    page = admin.get("/admin/notices")
    assert "unavailable &lt;示例&gt;" in page.text
    assert "可能已经发出" in page.text
    for row in (stuck_id, lost_id):
        assert send(admin, f"/admin/notices/{row}/again", form="/admin/notices").status_code == 303
    assert "没有需要处理的文书和信件" in admin.get("/admin/notices").text
    assert signed_in("wang").get("/admin/notices").status_code == 403
    assert send(signed_in("wang"), f"/admin/notices/{row}/again", form="/window/tasks").status_code == 403


def test_a_refusal_is_told_with_its_days_on_the_page(signed_in, office, city):
    with office.work() as work:
        for code in ("xu", "cai"):
            people.set_password(work, code, PASSWORD)
    refuse = {"result": "refuse", "reason": "不具备安全条件。", "article": "食品安全法第三十三条"}
    review = ("document_review", "huang", {"result": "pass", "opinion": "符合。"})
    advise = ("decision_review", "xu", {"result": "grant", "opinion": "同意。"})
    walks.walk(office, city.accepted, review, advise, ("sign_off", "cai", refuse))
    found = formal(office, city.accepted, "refusal")
    chen = signed_in("chen")
    chen.get(f"/my/notices/{found.id}")
    page = told(chen.get(f"/my/notices/{found.id}"))
    assert "申请行政复议的最后一日 2026年11月24日" in page
    assert "食品安全法第三十三条" in page
    assert "Decision to refuse" in chen.get(f"/my/notices/{found.id}", headers=ENGLISH).text
