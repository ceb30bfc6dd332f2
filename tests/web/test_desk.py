"""The officers' desk on pages: handing over, countersigning, memos, standing in, saved filters, many at once."""

import re
from uuid import UUID

import pytest

from approval.services import people, posts, tasks
from tests.kit import walks
from tests.kit.samples import ACCEPT, REVIEW
from tests.web.conftest import send

ANSWERED = {f"answers.{name}": said for name, said in REVIEW[2].items()} | {"shown": list(REVIEW[2])}


@pytest.fixture
def colleague(office):
    """A second examiner: zhao of the window."""
    with office.work(by=walks.signed_in(office, "admin")) as work:
        zhao = people.actor_by_code(work, "zhao").person
        for post in people.actor_by_code(work, "huang").posts:
            posts.give(work, zhao, post)
    return zhao


@pytest.fixture
def review(office, officer):
    """A claimed document review: case number, the address of its page, and huang who claimed it."""
    number = walks.walk(office, walks.file(office), ACCEPT)
    at = f"/window/tasks/{walks.open_task(office, number, 'document_review')}"
    huang = officer("huang")
    send(huang, f"{at}/claim", form="/window/tasks")
    return number, at, huang


def value(page, name, label):
    """The value of the choice that is called so."""
    found = re.search(rf'<option value="([0-9a-f-]{{36}})">{label}</option>', page) or re.search(
        rf'name="{name}" value="([0-9a-f-]{{36}})"> {label}', page
    )
    return found[1]


def test_a_task_waits_for_a_colleague_s_signature_and_shows_the_no(review, officer):
    number, at, huang = review
    page = huang.get(at).text
    cai = value(page, "whom", "蔡签批")
    refused = send(huang, f"{at}/countersign", form=at, whom=cai, question=" ")
    assert refused.status_code == 422
    tried = refused.text.split('<details class="return" open>')[1].split("</details>")[0]
    assert [said in tried for said in ("<summary>请同事会签", 'id="question-why"')] == [True, True]
    assert f'value="{cai}" checked' in refused.text, "what was chosen stays"
    refused = send(huang, f"{at}/countersign", form=at, question="现场条件是否符合？")
    assert 'id="whom-why"' in refused.text
    assert "现场条件是否符合？</textarea>" in refused.text, "what was written stays"
    send(huang, f"{at}/countersign", form=at, whom=cai, question="现场条件是否符合？")
    assert "等待答复" in huang.get(at).text
    fields = ANSWERED
    refused = send(huang, at, form=at, done_token="t", **fields)
    assert refused.status_code == 409
    assert "会签或者协办还没有完成" in refused.text
    signer = officer("cai")
    assert '<span class="count">1</span>' in signer.get("/window/tasks").text
    desk = signer.get("/window/desk").text
    answer = re.search(r'action="(/window/countersigns/[0-9a-f-]+)"', desk)[1]
    assert send(signer, answer, form="/window/desk", agrees="no", opinion="").status_code == 422
    wrong = send(signer, answer, form="/window/desk", opinion="写到一半")
    assert wrong.status_code == 422
    assert [said in wrong.text for said in ('id="agrees-why"', "写到一半</textarea>")] == [True, True]
    assert send(signer, answer, form="/window/desk", agrees="no", opinion="面积不足。").status_code == 303
    assert "面积不足。" in huang.get(at).text
    assert send(huang, at, form=at, done_token="t", **fields).status_code == 303
    assert "面积不足。" in signer.get(f"/window/cases/{number}").text


def test_a_task_is_passed_on_urged_and_taken_back(review, officer, colleague):
    number, at, huang = review
    assert f'<option value="{colleague}">赵窗口' in huang.get(at).text
    assert send(huang, f"{at}/pass-on", form=at, to=colleague, reason="下午出差。").status_code == 303
    cai = officer("cai")
    assert "收回待办" in cai.get(at).text
    assert 'id="urge-text-why"' in send(cai, f"{at}/urge", form=at, text="").text
    assert send(cai, f"{at}/urge", form=at, text="请尽快。").location == f"/window/cases/{number}"
    assert send(cai, f"{at}/urge", form=at, text="请尽快。").status_code == 409
    assert 'id="back-reason-why"' in send(cai, f"{at}/take-back", form=at, reason="").text
    send(cai, f"{at}/take-back", form=at, reason="不在岗。")
    assert "还没有人签收" in huang.get(at).text


def test_memos_are_for_officers_only(review, officer, signed_in):
    number, at, huang = review
    send(huang, f"/window/cases/{number}/notes", form=at, text="<b>申请人来过电话</b>")
    page = huang.get(f"/window/cases/{number}").text
    assert "&lt;b&gt;申请人来过电话" in page
    send(huang, f"{at}/copy", form=at, whom=value(page := huang.get(at).text, "whom", "蔡签批"), text="请知悉。")
    cai = officer("cai")
    desk = cai.get("/window/desk").text
    assert "请知悉。" in desk
    send(cai, re.search(r'action="(/window/memos/[0-9a-f-]+/read)"', desk)[1], form="/window/desk")
    assert "请知悉。" not in cai.get("/window/desk").text
    assert "申请人来过电话" not in signed_in("chen").get(f"/my/cases/{number}").text
    assert signed_in("chen").get("/window/desk").status_code == 403


def test_a_colleague_stands_in_and_it_ends(officer):
    huang, cai = officer("huang"), officer("cai")
    wrong = send(huang, "/window/covers", form="/window/desk", by="nobody", since="2026-09-25", until="")
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    assert (
        send(
            huang, "/window/covers", form="/window/desk", by="wang", since="2026-09-25", until="2026-09-26"
        ).status_code
        == 422
    )
    send(huang, "/window/covers", form="/window/desk", by="cai", since="2026-09-25", until="2026-09-26")
    assert "审查岗" in cai.get("/window/tasks").text
    end = re.search(r'action="(/window/covers/[0-9a-f-]+/end)"', cai.get("/window/desk").text)[1]
    send(cai, end, form="/window/desk")
    assert "审查岗" not in cai.get("/window/tasks").text


def test_a_filter_is_saved_under_a_name_used_and_dropped(signed_in, city):
    wang = signed_in("wang")
    saved = send(
        wang, "/window/filters", form="/window/tasks?number=1", name="一号", number=city.filed[:6], tab="all", evil="x"
    )
    assert saved.location == f"/window/tasks?tab=all&number={city.filed[:6]}"
    page = wang.get("/window/tasks").text
    assert f"number={city.filed[:6]}" in page
    assert "evil" not in page
    assert send(wang, "/window/filters", form="/window/tasks?number=1", name=" ").status_code == 422
    drop = re.search(r'action="(/window/filters/[0-9a-f-]+/drop)"', wang.get("/window/desk").text)[1]
    send(signed_in("zhao"), drop, form="/window/desk")
    assert "一号" in wang.get("/window/tasks").text
    send(wang, drop, form="/window/desk")
    assert "一号" not in wang.get("/window/tasks").text


def test_many_alike_are_completed_at_once_each_by_itself(office, officer, colleague):
    numbers = [walks.walk(office, walks.file(office), ACCEPT) for _ in range(3)]
    ids = [str(walks.open_task(office, number, "document_review")) for number in numbers]
    huang = officer("huang")
    for task in ids[:2]:
        send(huang, f"/window/tasks/{task}/claim", form="/window/tasks")
    with office.work(by=walks.signed_in(office, "zhao")) as work:
        tasks.claim(work, UUID(ids[2]))
    asked = "/window/bulk?" + "&".join(f"task={task}" for task in ids)
    page = huang.get(asked).text
    assert "3 件" in page
    assert "现在不能由您办理" in page
    fields = ANSWERED
    wrong = send(huang, "/window/bulk", form=asked, task=ids, done_token="t", **{**fields, "answers.result": "x"})
    assert wrong.status_code == 422
    done = send(huang, "/window/bulk", form=asked, task=ids, done_token="t", **fields).text
    assert "办结了 2 件" in done
    assert done.count("没有办结") == 1
    assert "办结了 2 件" in send(huang, "/window/bulk", form=asked, task=ids, done_token="t", **fields).text


@pytest.mark.parametrize("query", ["", "task=x"])
def test_whoever_chose_nothing_to_do_in_bulk_is_back_at_the_queue_and_told_why(review, officer, query):
    huang = officer("huang")
    reply = huang.get(f"/window/bulk?{query}")
    assert (reply.status_code, reply.location) == (303, "/window/tasks?why=required")
    assert "请填写" in huang.get(reply.location).text


def test_nothing_unknown_is_done_in_bulk(officer):
    assert officer("huang").get(f"/window/bulk?task={UUID(int=1)}").status_code == 404


def test_an_officer_chooses_the_columns_of_the_queue_and_keeps_them_with_a_filter(signed_in, city):
    wang = signed_in("wang")
    usual = wang.get("/window/tasks?tab=all").text
    heads = re.findall(r'<th role="columnheader" scope="col">([^<]+)</th>', usual)
    assert heads == ["环节", "办件", "申请人", "到期日", "签收"]
    chosen = wang.get("/window/tasks?tab=all&columns=due&columns=opened&columns=status&columns=nonsense").text
    heads = re.findall(r'<th role="columnheader" scope="col">([^<]+)</th>', chosen)
    assert heads == ["环节", "办件", "到期日", "到达时间", "办件状态", "签收"]
    assert "待受理" in chosen
    fields = {"name": "看状态", "tab": "all", "columns": "due,opened,status"}
    kept = send(wang, "/window/filters", form="/window/tasks?tab=all&columns=due,opened,status", **fields)
    assert kept.status_code == 303
    again = wang.get(kept.location).text
    assert re.findall(r'<th role="columnheader" scope="col">([^<]+)</th>', again) == heads
    assert "columns=due%2Copened%2Cstatus" in again


def signing(office, advice):
    """Advise a case in one way, and give the task in which it is signed."""
    advise = ("decision_review", "xu", {"result": advice, "opinion": "见审查意见。"})
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, advise)
    return number, walks.open_task(office, number, "sign_off")


def test_a_signer_sees_where_colleagues_differ_and_says_why_a_grant_is_signed_all_the_same(office, officer, signed_in):
    number, task = signing(office, "refuse")
    cai, at = officer("cai"), f"/window/tasks/{task}"
    send(cai, f"{at}/claim", form="/window/tasks")
    page = cai.get(at).text
    assert "意见不一致" in page
    assert re.search(r'tag-good">建议准予</strong>.*tag-bad">不建议准予</strong>', page, re.DOTALL)
    grant = {"answers.result": "grant", "answers.remark": "", "shown": ["result", "remark"], "done_token": "one"}
    refused = send(cai, at, form=at, **grant)
    assert (refused.status_code, 'href="#answers.remark"' in refused.text) == (422, True)
    assert "与建议不一致的理由" in refused.text
    assert send(cai, at, form=at, **(grant | {"answers.remark": "现场已经整改。"})).status_code == 303
    said = "决定与建议不一致"
    assert said in cai.get(f"/window/cases/{number}").text
    assert said not in signed_in("chen").get(f"/my/cases/{number}").text, "who advised what stays inside"


def test_a_signer_sees_that_colleagues_are_of_one_mind_and_in_bulk_where_they_are_not(office, officer):
    (_, one), (_, other) = signing(office, "grant"), signing(office, "refuse")
    cai = officer("cai")
    page = cai.get(f"/window/tasks/{one}").text
    assert "意见一致" in page
    assert "不建议准予" not in page
    rows = re.findall(r"<li><input.*?</li>", cai.get(f"/window/bulk?task={one}&task={other}").text, re.DOTALL)
    assert ["意见不一致" in row for row in rows] == [False, True]
