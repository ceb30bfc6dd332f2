"""Filing on pages: one thing a page, saved at every step, checked as a whole, handed in once; without JavaScript."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import select

from approval.models.cases import Answers, Case
from approval.models.drafts import Draft
from approval.models.materials import Material
from approval.services import drafts, people, tasks
from tests.kit.pages import form_token, tokenless
from tests.kit.roads import pdf
from tests.kit.samples import ASK, ITEM, MATERIALS, RESTAURANT, RETAIL
from tests.web.conftest import send

ENGLISH = {"Accept-Language": "en"}
SECTIONS = ("operator", "business", "site", "people")


@pytest.fixture
def chen(signed_in):
    return signed_in("chen")


def begin(client, **applicant):
    reply = send(client, f"/items/{ITEM}/begin", form="/my/cases", **applicant)
    assert reply.status_code == 303, reply.text
    assert reply.location.startswith("/drafts/")
    return reply.location


def answer(client, page, answers, do=""):
    """Send a page of questions as a browser does: only the questions that stand on it."""
    text = client.get(page).text
    shown = re.findall(r'name="shown" value="([^"]+)"', text)
    fields = {f"answers.{key}": answers[key] for key in shown if key in answers}
    fields = {name: ("true" if value is True else value) for name, value in fields.items() if value is not False}
    return send(client, page, form=page, shown=shown, do=do, **fields)


def put(client, draft, code, content=None, name=None):
    file = (BytesIO(pdf() if content is None else content), name or f"{code}.pdf")
    return send(client, f"{draft}/materials/{code}", form=f"{draft}/materials", file=file)


def filled(client, answers=RETAIL, codes=MATERIALS, **applicant):
    draft = begin(client, **applicant)
    for section in SECTIONS:
        reply = answer(client, f"{draft}/answers/{section}", answers)
        if reply.status_code == 200:  # an answer brought up more questions
            reply = answer(client, f"{draft}/answers/{section}", answers)
        assert reply.status_code == 303, reply.text
    for code in codes:
        assert put(client, draft, code).status_code == 303
    return draft


def file(client, draft):
    return send(client, f"{draft}/file", form=f"{draft}/check")


def cases(office):
    with office.work(read_only=True) as work:
        return len(work.session.scalars(select(Case.id)).all())


def test_a_citizen_files_step_by_step_to_the_receipt(chen, office):
    draft = begin(chen)
    page = chen.get(draft).text
    assert page.count("还没有填写") == 5
    assert "草稿保存到" in page
    at = f"{draft}/answers/operator"
    for section in SECTIONS:
        assert at == f"{draft}/answers/{section}", "each step leads to the next that is open"
        reply = answer(chen, at, RETAIL)
        assert reply.status_code == 303
        at = reply.location
    assert at == f"{draft}/materials"
    for code in MATERIALS:
        reply = put(chen, draft, code)
        assert (reply.status_code, reply.location) == (303, at)
    page = chen.get(f"{draft}/check").text
    assert "还没有提交" in page
    assert 'class="problem"' not in page
    for told in ("泉州市鲤城区示例街18号一层", "食品销售经营者", "散装食品销售（不含直接入口食品）", "layout_plan.pdf"):
        assert told in page
    reply = file(chen, draft)
    assert re.fullmatch(r"/my/cases/\d{24}/receipt", reply.location)
    receipt = chen.get(reply.location).text
    for told in ("您的申请已经提交", reply.location.split("/")[3], "2026年10月8日", "即为受理", "0595-00000001"):
        assert told in receipt
    assert chen.get(reply.location).status_code == 200, "it survives bookmarking"
    with office.work(read_only=True) as work:
        assert not work.session.scalars(select(Draft)).all()


def test_wrong_answers_are_kept_and_told_with_links_to_their_fields(chen):
    draft = begin(chen)
    page = f"{draft}/answers/operator"
    reply = answer(chen, page, {"representative": "陈示例", "contact_phone": "12 <b>"})
    assert reply.status_code == 422
    assert "<title>有错误：经营者" in reply.text
    assert 'href="#answers.contact_phone"' in reply.text
    assert 'id="answers.contact_phone"' in reply.text
    again = unescape(chen.get(page).text)
    assert 'value="12 <b>"' in again
    assert 'value="陈示例"' in again
    assert "填写中" in chen.get(draft).text


def test_an_english_page_names_what_is_wrong_in_english(chen):
    draft = begin(chen)
    page = f"{draft}/answers/operator"
    token = form_token(chen.get(page).text)
    shown = ["representative", "residence", "contact_name", "contact_phone"]
    reply = chen.post(page, data={"csrf_token": token, "shown": shown}, headers=ENGLISH)
    assert reply.status_code == 422
    problem = re.search(r'<div class="problem".*?</div>', reply.text, re.DOTALL)[0]
    assert "Legal representative" in problem
    assert not re.search("[\u4e00-\u9fff]", problem)
    check = chen.get(f"{draft}/check", headers=ENGLISH).text
    problem = re.search(r'<div class="problem".*?</div>', check, re.DOTALL)[0]
    assert "Layout of premises" in problem
    assert not re.search("[\u4e00-\u9fff]", problem)


def test_an_answer_that_brings_up_questions_shows_them_before_it_goes_on(chen):
    draft = begin(chen)
    answer(chen, f"{draft}/answers/business", RESTAURANT)
    answer(chen, f"{draft}/answers/site", {"premises": "一层"})
    assert 'name="answers.seats"' in chen.get(f"{draft}/answers/site").text
    answer(chen, f"{draft}/answers/business", RETAIL)
    assert 'name="answers.seats"' not in chen.get(f"{draft}/answers/site").text


def test_the_check_page_tells_everything_missing_and_leads_there_and_back(chen):
    draft = begin(chen)
    answer(chen, f"{draft}/answers/operator", RETAIL | {"contact_phone": "12"})
    page = unescape(chen.get(f"{draft}/check").text)
    for place in (
        f"{draft}/answers/operator?then=check#answers.contact_phone",
        f"{draft}/answers/site?then=check#answers.premises",
        f"{draft}/materials?then=check#materials.layout_plan",
    ):
        assert f'href="{place}"' in page
    assert re.search(r'id="materials\.layout_plan"', chen.get(f"{draft}/materials?then=check").text)
    reply = file(chen, draft)
    assert reply.status_code == 422
    assert "<title>有错误：" in reply.text
    back = answer(chen, f"{draft}/answers/operator?then=check", RETAIL)
    assert (back.status_code, back.location) == (303, f"{draft}/check")


def test_a_draft_is_resumed_on_another_device(signed_in):
    desk, phone = signed_in("chen"), signed_in("chen")
    draft = begin(desk)
    answer(desk, f"{draft}/answers/operator", RETAIL)
    assert draft in phone.get("/my/cases").text
    assert begin(phone) == draft
    answer(phone, f"{draft}/answers/people", RETAIL)
    assert desk.get(draft).text.count("已填好") == 2


def test_a_second_click_and_the_back_button_lead_to_the_case(chen, office):
    draft = filled(chen)
    page = chen.get(f"{draft}/check").text
    before = cases(office)
    token = form_token(page)
    first, second = (chen.post(f"{draft}/file", data={"csrf_token": token}) for _ in range(2))
    assert first.location == second.location
    assert cases(office) == before + 1
    case = first.location.removesuffix("/receipt")
    for old in ("", "/answers/operator", "/materials", "/check", "/discard"):
        reply = chen.get(draft + old)
        assert (reply.status_code, reply.location) == (303, case)
    late = chen.post(f"{draft}/answers/operator", data={"csrf_token": token, "answers.residence": "x"})
    assert (late.status_code, late.location) == (303, case)


def test_an_agent_chooses_for_whom_and_the_draft_remembers(signed_in, office):
    lin = signed_in("lin")
    reply = send(lin, f"/items/{ITEM}/begin", form="/my/cases")
    assert reply.location == f"/items/{ITEM}/begin"
    page = lin.get(reply.location).text
    assert "林示例" in page
    assert "泉州示例餐饮有限公司" in page
    nobody = send(lin, f"/items/{ITEM}/begin", form="/my/cases", applicant="elsewhere")
    assert nobody.status_code == 422
    draft = filled(lin, RESTAURANT, (*MATERIALS, "authorisation"), applicant="restaurant")
    assert "泉州示例餐饮有限公司" in lin.get(draft).text
    reply = file(lin, draft)
    assert reply.location.endswith("/receipt?for=restaurant")
    assert "泉州示例餐饮有限公司" in lin.get(reply.location).text
    assert lin.get(f"/items/{ITEM}/begin?for=restaurant").status_code == 200
    assert begin(lin, applicant="") != begin(lin, applicant="restaurant")
    with office.work(read_only=True) as work:
        filed = work.session.scalars(select(Case).order_by(Case.filed_at.desc())).first()
        assert people.applicant(work, filed.applicant_id, filed.filed_by)["kind"] == "organization"


def test_nobody_begins_for_an_organization_without_agency(chen):
    assert send(chen, f"/items/{ITEM}/begin", form="/my/cases", applicant="restaurant").status_code == 422
    assert send(chen, f"/items/{ITEM}/begin?for=restaurant", form="/my/cases").status_code == 403
    assert send(chen, "/items/nothing/begin", form="/my/cases").status_code == 404


def test_another_persons_draft_is_not_found(signed_in):
    chen, lin = signed_in("chen"), signed_in("lin")
    draft = filled(chen)
    for page in ("", "/answers/operator", "/materials", "/check", "/discard", "/materials/layout_plan"):
        assert lin.get(draft + page).status_code == 404
    for act in ("/answers/operator", "/file", "/discard", "/materials/layout_plan", "/materials/layout_plan/remove"):
        assert send(lin, draft + act, form="/my/cases").status_code == 404
    assert draft not in lin.get("/my/cases").text
    unknown = f"/drafts/{uuid4()}"
    said = [tokenless(lin.get(at).text).replace(at, "D") for at in (draft, unknown)]
    assert said[0] == said[1]


def test_an_expired_draft_says_so(chen, clock, office):
    draft = begin(chen)
    with office.work() as work:
        for kept in work.session.scalars(select(Draft)):
            kept.expires_at = kept.saved_at
    for page in ("", "/answers/operator", "/materials", "/check"):
        reply = chen.get(draft + page)
        assert reply.status_code == 410
        assert "草稿已经过期" in reply.text
    assert file_anyway(chen, draft).status_code == 410
    assert begin(chen) != draft


def file_anyway(client, draft):
    return send(client, f"{draft}/file", form="/my/cases")


def test_an_unknown_section_is_not_found(chen):
    draft = begin(chen)
    for page in ("answers/nothing", "answers/..%2f", "replies", "nothing"):
        assert chen.get(f"{draft}/{page}").status_code == 404
    assert chen.get("/drafts/no-uuid").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("plan.pdf", b"MZ\x90", "文件格式不对"),
        ("plan.pdf", b"%PDF-1.7 nothing", "文件"),
        ("plan.exe", b"%PDF-1.7", "文件格式不对"),
        ("../../etc/passwd", b"root:x:0:0", "文件格式不对"),
        ("plan.pdf", b"", "文件是空的"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_beside_its_requirement(chen, name, content, told):
    draft = begin(chen)
    reply = put(chen, draft, "layout_plan", content, name)
    assert reply.status_code == 422
    assert "<title>有错误：" in reply.text
    assert 'href="#materials.layout_plan"' in reply.text
    assert told in reply.text
    assert "已上传" not in chen.get(f"{draft}/materials").text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\secret\\图.pdf", "图.pdf"),
        ("𠮷野家\u202efdp.pdf", "𠮷野家fdp.pdf"),
        ("<script>alert(1)<.pdf", "<script>alert(1)<.pdf"),
    ],
)
def test_a_file_is_shown_under_a_harmless_name(chen, name, shown):
    draft = begin(chen)
    assert put(chen, draft, "layout_plan", name=name).status_code == 303
    page = chen.get(f"{draft}/materials").text
    assert "<script>alert" not in page
    assert shown in unescape(page)


def test_a_file_is_taken_off_again_and_another_put(chen):
    draft = begin(chen)
    put(chen, draft, "layout_plan", name="one.pdf")
    put(chen, draft, "layout_plan", name="two.pdf")
    page = chen.get(f"{draft}/materials").text
    assert ("one.pdf" in page, "two.pdf" in page) == (False, True)
    for _ in range(2):
        assert send(chen, f"{draft}/materials/layout_plan/remove", form=f"{draft}/materials").status_code == 303
    assert "two.pdf" not in chen.get(f"{draft}/materials").text
    assert send(chen, f"{draft}/materials/layout_plan", form=f"{draft}/materials").status_code == 422
    assert put(chen, draft, "x_ray").status_code == 422


def test_materials_follow_the_answers(chen):
    draft = begin(chen)
    assert "从业人员健康证明" not in chen.get(f"{draft}/materials").text
    answer(chen, f"{draft}/answers/people", RETAIL)
    assert "从业人员健康证明" in chen.get(f"{draft}/materials").text
    answer(chen, f"{draft}/answers/people", RETAIL | {"staff": 0})
    assert "从业人员健康证明" not in chen.get(f"{draft}/materials").text


def test_what_no_browser_sends_changes_nothing(chen):
    draft = begin(chen)
    page = f"{draft}/answers/operator"
    assert send(chen, page, form=page, shown="residence", **{"answers.residence": "a\0b"}).status_code == 400
    for nonsense in ("drop:x:y", "add:", "add:residence", "drop:residence:0", "look:look", "\u202e", "drop:" * 500):
        reply = send(chen, page, form=page, do=nonsense, shown="residence", **{"answers.residence": "一"})
        assert reply.status_code in {200, 303, 422}
    assert 'value="一"' in chen.get(page).text
    reply = send(chen, page, form=page, shown=["staff", "nothing"], **{"answers.staff": "7", "answers.nothing": "x"})
    assert reply.status_code in {200, 422}
    assert "7" not in re.findall(r'name="answers.staff" value="([^"]*)"', chen.get(f"{draft}/answers/people").text)


def test_a_hundred_kilobytes_of_text_are_kept_and_called_too_long(chen):
    draft = begin(chen)
    page = f"{draft}/answers/operator"
    reply = answer(chen, page, RETAIL | {"residence": "长" * 34_000})
    assert reply.status_code == 422
    assert "太长了" in reply.text
    assert "长" * 34_000 in chen.get(page).text


def test_a_draft_is_thrown_away_after_a_question(chen):
    draft = begin(chen)
    assert "不能恢复" in chen.get(f"{draft}/discard").text
    assert chen.get(draft).status_code == 200
    reply = send(chen, f"{draft}/discard", form=f"{draft}/discard")
    assert (reply.status_code, reply.location) == (303, "/my/cases")
    assert chen.get(draft).status_code == 404


@pytest.fixture
def asked(office, city):
    """The case that waits for acceptance is asked for a correction."""
    element, who, given = ASK
    with office.work() as work:
        case = work.session.scalars(select(Case).where(Case.number == city.filed)).one()
        (task,) = [each for each in tasks.of_case(work, case) if each.element == element]
        tasks.complete(work.acting_as(people.actor_by_code(work, who)), task.id, given)
    return city.filed


def correcting(client, number):
    return send(client, f"/my/cases/{number}/correct", form=f"/my/cases/{number}").location


def test_a_correction_is_answered_item_by_item(chen, office, asked):
    page = chen.get(f"/my/cases/{asked}").text
    for told in ("需要您办理", "布局图", "没有标明贮存区。", "补画后重新上传。", "补正期限"):
        assert told in page
    draft = correcting(chen, asked)
    assert chen.get(draft).text.count("已填好") == 5, "what was filed is there already"
    replies = f"{draft}/replies"
    assert f'href="{draft}/materials"' in chen.get(replies).text
    reply = send(chen, replies, form=replies, shown="reply1", **{"answers.reply1": " "})
    assert reply.status_code == 422
    assert 'href="#answers.reply1"' in reply.text
    assert 'id="answers.reply1"' in reply.text
    assert file(chen, draft).status_code == 422
    reply = send(chen, replies, form=replies, shown="reply1", **{"answers.reply1": "已补画贮存区。"})
    assert (reply.status_code, reply.location) == (303, f"{draft}/check")
    put(chen, draft, "layout_plan", name="new.pdf")
    check = chen.get(f"{draft}/check").text
    for told in ("已补画贮存区。", "new.pdf", "提交补正"):
        assert told in check
    reply = file(chen, draft)
    assert reply.location == f"/my/cases/{asked}/receipt"
    assert file_anyway(chen, draft).location == reply.location
    assert "待受理" in chen.get(f"/my/cases/{asked}").text
    with office.work(read_only=True) as work:
        (told,) = work.session.scalars(select(Answers.content).where(Answers.element == "correction"))
        assert told["replies"][0]["reply"] == "已补画贮存区。"
        kept = select(Material.filename).where(Material.requirement == "layout_plan", Material.replaced_at.is_(None))
        assert "new.pdf" in work.session.scalars(kept).all()


def test_a_correction_of_another_person_or_of_nothing_is_refused(signed_in, asked, city):
    lin, wang, chen = signed_in("lin"), signed_in("wang"), signed_in("chen")
    assert send(lin, f"/my/cases/{asked}/correct", form="/my/cases").status_code == 404
    assert send(wang, f"/my/cases/{asked}/correct", form="/my/cases").status_code == 403
    assert send(chen, f"/my/cases/{city.accepted}/correct", form="/my/cases").status_code == 409


def test_a_correction_that_came_too_late_leads_to_the_case(chen, office, asked):
    draft = correcting(chen, asked)
    send(chen, f"/my/cases/{asked}/withdraw", form="/my/cases", reason="不再经营")
    reply = chen.get(draft)
    assert (reply.status_code, reply.location) == (303, f"/my/cases/{asked}")


def test_no_two_devices_lose_a_section(office, signed_in):
    desk, phone = signed_in("chen"), signed_in("chen")
    draft = begin(desk)
    stale = form_token(desk.get(f"{draft}/answers/site").text)
    answer(phone, f"{draft}/answers/operator", RETAIL)
    desk.post(f"{draft}/answers/site", data={"csrf_token": stale, "shown": "premises", "answers.premises": "二层"})
    with office.work(read_only=True) as work:
        (kept,) = work.session.scalars(select(Draft.answers))
    assert (kept["premises"], kept["residence"]) == ("二层", RETAIL["residence"])


def test_expired_drafts_are_swept_away(chen, office, clock):
    begin(chen)
    clock.now += timedelta(days=30)
    with office.work() as work:
        assert drafts.forget(work) == 1
