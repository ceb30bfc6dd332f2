"""The clerk's half of the road: the queue, a task beside its case, and completing it once."""

import re
from io import BytesIO

import pytest
from sqlalchemy import event, update

from approval.domain.actors import Post
from approval.models.cases import Case
from approval.paths import WORKFLOWS
from approval.services import cases, packs, people, tasks
from tests.kit import blocks, walks
from tests.kit.samples import ACCEPT, ASK, FIRE, MATERIALS, RESTAURANT, RETAIL, REVIEW, id_number, uploads
from tests.services.test_take import photograph
from tests.web.conftest import ITEM, PASSWORD, send

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
QUEUE = "/window/tasks"
COMPLETE = {"shown": "result", "answers.result": "complete"}


@pytest.fixture
def desk(office, signed_in, city):
    """Claim a case's open task for a clerk, and hand over the client and the address of the task."""

    def claimed(code, number=city.filed, element="formal_check"):
        client, task = signed_in(code), walks.open_task(office, number, element)
        send(client, f"{QUEUE}/{task}/claim", form=QUEUE)
        return client, f"{QUEUE}/{task}"

    return claimed


@pytest.fixture
def everybody(office):
    with office.work() as work:
        for code in ("wu", "zheng", "xu", "cai", "su", "admin"):
            people.set_password(work, code, PASSWORD)


def post(client, path, **fields):
    """Send a task's page as it stands, with its own one-time token."""
    if "done_token" not in fields:
        fields["done_token"] = re.search(r'name="done_token" value="([^"]+)"', client.get(path).text)[1]
    return send(client, path, form=path, **fields)


def told(reply):
    return " ".join(re.sub(r"<[^>]+>", " ", reply.text).split())


def test_a_claim_leads_to_the_task_and_its_form(desk, city):
    wang, path = desk("wang")
    page = wang.get(path)
    assert page.status_code == 200
    for said in ("形式审查", city.filed, "陈示例", "材料齐全、符合法定形式，予以受理", "办结这一步", "还剩"):
        assert said in page.text


def test_an_unclaimed_task_is_claimed_before_it_is_filled_in(signed_in, office, city):
    page = signed_in("wang").get(f"{QUEUE}/{walks.open_task(office, city.filed, 'formal_check')}").text
    assert "签收并办理" in page
    assert "done_token" not in page


def test_the_page_tells_what_was_applied_for_in_both_languages(desk):
    wang, path = desk("wang")
    chinese, english = told(wang.get(path)), told(wang.get(path, headers=ENGLISH))
    for said in ("经营场所", "主体业态 食品销售经营者", "预包装食品销售", "营业执照"):
        assert said in chinese
    assert "Form of business" in english
    assert "Opinions so far" not in english


def test_a_licence_from_the_store_stands_beside_what_was_applied_for(office, desk):
    # An item that asks for the food licence which the applicant has from the case that was granted.
    files = packs.from_folder(WORKFLOWS / ITEM)
    manifest = files["item.toml"].replace(b'code = "food-business-licence"', b'code = "catering-filing"', 1)
    files["item.toml"] = manifest.replace(b'["11100000MB0143028R001"]', b'["11100000000013338W032"]')
    with office.work() as work:
        packs.deploy(work, packs.read(files))
    given = [upload for upload in uploads() if upload.requirement != "business_licence"]
    with office.work(by=walks.signed_in(office, "chen")) as work:
        answers = RETAIL | {"premises": "泉州市鲤城区<b>别处</b>路9号"}
        number = cases.file(work, "catering-filing", answers, given).number
    wang, path = desk("wang", number)
    chinese, english = wang.get(path), wang.get(path, headers=ENGLISH)
    assert "&lt;b&gt;别处" in chinese.text
    assert f"经营场所 {RETAIL['premises']} 与申请不一致 申请填写：" in told(chinese)
    assert f"住所 {RETAIL['residence']} 与申请一致" in told(chinese)
    assert " Differs " in told(english)
    assert "与证照库比对" not in english.text
    wang, path = desk("wang")
    assert "与证照库比对" not in wang.get(path).text


def test_completing_leads_back_and_says_what_was_done_and_what_follows(desk):
    wang, path = desk("wang")
    reply = post(wang, path, **COMPLETE)
    assert (reply.status_code, reply.location) == (303, f"{QUEUE}?done={path.rpartition('/')[2]}")
    for _reload in range(2):
        page = told(wang.get(reply.location))
        assert "已办结：形式审查 接下来：书面审查（泉州市市场监督管理局 审查岗）" in page
    assert "已办结" not in told(wang.get(QUEUE))


def test_nobody_is_told_what_another_completed(desk, signed_in):
    wang, path = desk("wang")
    reply = post(wang, path, **COMPLETE)
    for stranger in ("zhao", "huang"):
        assert "已办结：" not in signed_in(stranger).get(reply.location).text
    assert signed_in("zhao").get(f"{QUEUE}?done=nonsense").status_code == 200


def test_a_double_click_is_one_completion(desk, office, city):
    wang, path = desk("wang")
    first = post(wang, path, done_token="once", **COMPLETE)
    again = send(wang, path, done_token="once", **COMPLETE)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert walks.outcome(office, city.filed)["journal"].count("task:completed") == 1


def test_the_token_of_another_page_completes_nothing_twice(desk):
    wang, path = desk("wang")
    post(wang, path, done_token="once", **COMPLETE)
    assert send(wang, path, done_token="another", **COMPLETE).status_code == 409
    assert send(wang, path, **COMPLETE).status_code == 409


def test_going_back_to_a_done_task_says_that_it_is_done(desk):
    wang, path = desk("wang")
    post(wang, path, **COMPLETE)
    page = told(wang.get(path))
    assert "这一步您已经办结" in page
    assert "办结这一步" not in page


def test_wrong_answers_stay_on_the_page_with_what_is_wrong(desk, office, city):
    wang, path = desk("wang")
    given = {"shown": ["result", "reason"], "answers.result": "not_required", "answers.reason": ""}
    reply = post(wang, path, done_token="kept", **given)
    assert reply.status_code == 422
    assert "有错误：" in reply.text
    assert re.search(r"<a href=\"#answers.reason\">不予受理的理由：请填写", reply.text)
    assert re.search(r'value="not_required"\s+type="radio" checked', reply.text)
    assert 'name="done_token" value="kept"' in reply.text
    assert walks.open_elements(office, city.filed) >= {"formal_check"}


def test_asking_for_corrections_adds_and_drops_rows_without_losing_any(desk, office, city):
    wang, path = desk("wang")
    asked = {"shown": "result", "answers.result": "incomplete"}
    first = post(wang, path, **asked)
    assert first.status_code == 200
    assert 'name="answers.missing-0-what"' in first.text, "the list begins with a row to write in"
    row = {
        "shown": ["result", "missing"],
        "answers.result": "incomplete",
        "answers.missing-0-what": "materials.layout_plan",
    }
    more = post(wang, path, **row, do="add:missing")
    chosen = 'value="materials.layout_plan" selected'
    assert (more.status_code, 'name="answers.missing-1-what"' in more.text, chosen in more.text) == (200, True, True)
    two = {**row, "answers.missing-1-what": "materials.health_certificates"}
    fewer = post(wang, path, **two, do="drop:missing:0").text
    assert (chosen in fewer, 'value="materials.health_certificates" selected' in fewer) == (False, True)
    assert post(wang, path, **two).status_code == 422
    whole = {f"answers.missing-{n}-{key}": "示例" for n in range(2) for key in ("problem", "how")}
    assert post(wang, path, **two | whole).status_code == 303
    (facts,) = walks.told(office, "correction")
    assert len(facts["missing"]) == 2
    assert walks.outcome(office, city.filed)["status"] == "correcting"


def test_whoever_checks_a_correction_reads_what_the_applicant_says_was_done(desk, office, city):
    walks.walk(office, city.filed, ASK)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        row = ASK[2]["missing"][0] | {"basis": "", "reply": "贮存区已经补画。"}
        cases.correct(work, city.filed, RETAIL, uploads("layout_plan"), replies=[row])
    wang, path = desk("wang")
    assert "申请人答复 贮存区已经补画。" in told(wang.get(path))


def test_what_a_colleague_claimed_is_seen_and_not_done(desk, signed_in):
    _wang, path = desk("wang")
    zhao = signed_in("zhao")
    page = told(zhao.get(path))
    assert "已经由别人签收。 签收人：王窗口" in page
    assert "办结这一步" not in page
    assert send(zhao, path, form=QUEUE, **COMPLETE).status_code == 409


def test_a_case_that_moved_on_meanwhile_is_told_and_nothing_is_done(desk, office, city):
    wang, path = desk("wang")
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, city.filed, "不再经营。")
    assert post(wang, path, done_token="late", **COMPLETE).status_code == 409
    assert "这一步已经不需要办理" in wang.get(path).text
    assert walks.outcome(office, city.filed)["status"] == "withdrawn"


def test_who_must_not_do_two_steps_is_told_the_basis(office, signed_in, city):
    with office.work() as work:
        posts = (Post("SPJ", "window"), Post("SCJ", "examiner"))
        people.enrol(work, "many", "多岗示例", id_number(1), posts=posts, password=PASSWORD)
    many = signed_in("many")
    path = f"{QUEUE}/{walks.open_task(office, city.filed, 'formal_check')}"
    send(many, f"{path}/claim", form=QUEUE)
    post(many, path, **COMPLETE)
    page = told(many.get(f"{QUEUE}/{walks.open_task(office, city.filed, 'document_review')}"))
    assert "这一步应当由另一个人办理" in page
    assert "受办分离" in page
    assert "综合窗口" in told(many.get(QUEUE)), "somebody with two posts may choose one"


def test_in_ones_own_matter_nothing_of_colleagues_is_shown(office, signed_in, city):
    with office.work() as work:
        work.session.execute(
            update(Case).where(Case.number == city.accepted).values(filed_by=people.actor_by_code(work, "wang").person)
        )
    wang, task = signed_in("wang"), walks.open_task(office, city.accepted, "document_review")
    with office.work(read_only=True) as work:
        done = next(each.id for each in tasks.of_case(work, walks.case(work, city.accepted)) if each.done_by)
    for path in (f"{QUEUE}/{done}", f"/window/cases/{city.accepted}", f"{QUEUE}/{task}"):
        page = wang.get(path)
        assert page.status_code in {200, 403, 404}
        assert "办理经过" not in page.text
    assert "依法应当回避" in wang.get(f"{QUEUE}/{done}").text


def test_another_department_finds_no_task_and_no_case(office, signed_in, city, everybody):
    task = walks.open_task(office, city.filed, "formal_check")
    su = signed_in("su")
    for path in (f"{QUEUE}/{task}", f"/window/cases/{city.filed}"):
        assert su.get(path).status_code == 404
    assert send(su, f"{QUEUE}/{task}", form=QUEUE, **COMPLETE).status_code == 404


def test_an_applicant_opens_no_page_of_the_window(office, signed_in, city):
    chen, task = signed_in("chen"), walks.open_task(office, city.filed, "formal_check")
    for path in (QUEUE, f"{QUEUE}/{task}", f"/window/cases/{city.filed}"):
        assert chen.get(path).status_code == 403
    assert send(chen, f"{QUEUE}/{task}", **COMPLETE).status_code == 403


def test_officers_read_the_whole_case_with_the_opinions_of_others(signed_in, city):
    page = told(signed_in("huang").get(f"/window/cases/{city.granted}"))
    for said in ("已办结", "已有意见 形式审查", "王窗口", "审查岗 · 黄审查", "食品销售经营者", "颁发证照", "申请内容"):
        assert said in page
    english = signed_in("wang").get(f"/window/cases/{city.granted}", headers=ENGLISH)
    assert "Opinions so far" in english.text


def test_two_officers_visit_and_neither_signs_for_the_other(office, signed_in, everybody):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT, REVIEW, FIRE)
    wu, zheng = signed_in("wu"), signed_in("zheng")
    visit = f"{QUEUE}/{walks.open_task(office, number, 'site_visit')}"
    send(wu, f"{visit}/claim", form=QUEUE)
    found = {"shown": ["result", "findings"], "answers.result": "pass", "answers.findings": "与申报一致。"}
    assert post(wu, visit, **found).status_code == 303
    sign = f"{QUEUE}/{walks.open_task(office, number, 'site_visit_countersign')}"
    assert "这一步应当由另一个人办理" in wu.get(sign).text
    send(zheng, f"{sign}/claim", form=QUEUE)
    assert "与申报一致。" in zheng.get(sign).text, "the second officer reads what the first found"
    assert post(zheng, sign, shown="result", **{"answers.result": "agree"}).status_code == 303


def test_the_queue_is_searched_by_a_part_of_the_number(signed_in, city):
    wang = signed_in("wang")
    assert city.filed in wang.get(f"{QUEUE}?number={city.filed[-4:]}").text
    for nothing in ("%25", "_", "no-such"):
        assert city.filed not in wang.get(f"{QUEUE}?number={nothing}&tab=all").text.replace(f"number={city.filed}", "")


def test_the_tabs_count_and_show_mine_unclaimed_and_all(desk, signed_in, city):
    wang, _path = desk("wang")
    zhao = signed_in("zhao")
    assert city.filed in wang.get(QUEUE).text, "who has claimed something sees it first"
    assert city.filed not in wang.get(f"{QUEUE}?tab=free").text
    assert "王窗口" in zhao.get(f"{QUEUE}?tab=all").text
    assert "没有待办。" in zhao.get(f"{QUEUE}?tab=mine").text
    assert re.search(r'全部 <span class="count">1</span>', zhao.get(QUEUE).text)


def test_the_statements_of_the_queue_do_not_grow_with_its_rows(office, signed_in):
    wang, said = signed_in("wang"), []
    event.listen(office.engine, "before_cursor_execute", lambda *given: said.append(given[2]))

    def statements():
        said.clear()
        assert wang.get(f"{QUEUE}?tab=all").status_code == 200
        return len(said)

    statements()  # reads packs, which are kept
    few = statements()
    for _each in range(3):
        walks.file(office)
    assert statements() == few
    assert few <= 18


def test_a_notice_is_previewed_as_pdf_in_a_window_of_its_own_and_nothing_happens(desk, office, city):
    wang, path = desk("wang")
    assert f'formaction="{path}/preview" formtarget="_blank"' in wang.get(path).text
    accept = {"shown": "result", "answers.result": "complete"}
    seen = send(wang, f"{path}/preview", form=path, **accept)
    assert (seen.status_code, seen.content_type) == (200, "application/pdf")
    assert seen.data.startswith(b"%PDF-")
    assert walks.outcome(office, city.filed)["status"] == "filed"
    wrong = send(wang, f"{path}/preview", form=path, shown="result")
    assert (wrong.status_code, "请填写" in wrong.text) == (422, True)


def test_a_step_that_issues_no_notice_says_so(signed_in, office, city):
    huang = signed_in("huang")
    path = f"/window/tasks/{walks.open_task(office, city.accepted, 'document_review')}"
    send(huang, f"{path}/claim", form=QUEUE)
    fields = {"shown": ["result", "opinion"], "answers.result": "pass", "answers.opinion": "相符。"}
    assert "不会制发文书" in send(huang, f"{path}/preview", form=path, **fields).text


def test_what_an_act_refuses_is_told_beside_its_field_and_nothing_is_half_done(signed_in, office, clock):
    number = blocks.accepted(office, "hearing_procedure")
    walks.complete(office, number, ("hearing_request", "chen", {"result": "ask"}))
    huang = signed_in("huang")
    path = f"/window/tasks/{walks.open_task(office, number, 'hearing_schedule')}"
    send(huang, f"{path}/claim", form=QUEUE)
    given = {"held_on": "2026-09-26", "hour": "09:30", "place": "听证室", "presider": "方听证", "examiner": "黄审查"}
    fields = {"shown": [*given, "public"], **{f"answers.{key}": text for key, text in given.items()}}
    for address in (path, f"{path}/preview"):
        refused = send(huang, address, form=path, **fields)
        assert refused.status_code == 422
        assert 'value="听证室"' in refused.text, "what was given stays on the page"
        assert re.search(r'id="answers\.held_on-why".*超出了允许的范围', refused.text)
    assert walks.open_elements(office, number) == {"hearing_schedule", "hearing_schedule_late"}


def test_a_photograph_is_put_to_a_task_seen_and_taken_off_without_javascript(desk, signed_in):
    wang, path = desk("wang")
    sent = send(wang, f"{path}/evidence", form=path, file=(BytesIO(photograph().content), "现场.png"))
    assert sent.location == f"{path}#evidence"
    page = wang.get(path).text
    show = re.search(r'href="(/window/evidence/[0-9a-f-]+)"', page)[1]
    assert wang.get(show).status_code == 200
    assert wang.get(f"{show}/pages/1.png").content_type == "image/png"
    assert wang.get(f"{show}/file").headers["Content-Disposition"].startswith("attachment")
    assert signed_in("chen").get(show).status_code in {403, 404}
    wrong = send(wang, f"{path}/evidence", form=path, file=(BytesIO(b"nothing"), "x.png"))
    assert (wrong.status_code, "文件格式不对" in wrong.text) == (422, True)
    assert send(wang, f"{show}/remove", form=path).status_code == 303
    assert show not in wang.get(path).text
