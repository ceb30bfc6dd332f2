"""Interested parties on pages: who holds the letter finds it, speaks once, and officers see it; no JavaScript."""

import re

import pytest

from approval.services import parties
from tests.kit import blocks, walks
from tests.kit.samples import at
from tests.services.test_hear import schedule
from tests.services.test_parties import LIN, WAIVE, YE, letter, named, of_case, say
from tests.web.conftest import send


@pytest.fixture
def number(office):
    number = blocks.accepted(office, "interested_parties_procedure")
    walks.complete(office, number, named(LIN, YE))
    return number


def test_a_party_finds_the_letter_reads_it_and_speaks_once(signed_in, office, number):
    lin = signed_in("lin")
    path = f"/my/concerns/{of_case(office, number)[0].id}"
    assert f'href="{path}"' in lin.get("/my/cases").text
    page = lin.get(path).text
    assert "陈示例" in page
    assert "350502198701110015" not in page, "the applicant's number is not the neighbour's business"
    assert "自您打开或者收到告知书之日起计算" in page
    notice = lin.get(re.search(r'href="(/my/notices/[^"]+)"', page)[1]).text
    assert "住宅相邻，夜间噪声。" in notice
    assert f'href="{path}"' in notice
    assert 'datetime="2026-10-10"' in lin.get(path).text, "opening the letter was its delivery"
    long = send(lin, path, form=path, page_token="one", statement="长" * 2001)
    assert (long.status_code, 'id="statement-why"' in long.text) == (422, True)
    assert "长" * 2001 in long.text, "nothing that was typed is lost"
    assert send(lin, path, form=path, page_token="two", statement="噪声\r\n太大", hearing="ask").location.endswith(path)
    page = lin.get(path).text
    assert "要求听证" in page
    assert 'name="statement"' not in page
    assert of_case(office, number)[0].statement == "噪声\n太大"
    assert send(lin, path, form="/my/cases", page_token="three", statement="再说").status_code == 409


def test_nobody_else_sees_what_concerns_a_party(officer, signed_in, office, number):
    path = f"/my/concerns/{of_case(office, number)[0].id}"
    for visitor in (signed_in("chen"), officer("ye"), officer("huang")):
        assert visitor.get(path).status_code == 404
    assert "与您有利害关系的办件" not in signed_in("chen").get("/my/cases").text
    applicants = signed_in("chen").get(f"/my/cases/{number}").text
    assert "林示例" not in applicants
    assert "告知利害关系人" in applicants, "the applicant learns that somebody was told, and not who"


def test_the_code_on_the_letter_leads_whom_it_names_to_it(client, officer, signed_in, office, number):
    token = letter(office, number, "叶住建").token
    assert f'href="/my/concerns/letter/{token}"' in client.get(f"/verify/notices/{token}").text
    path = f"/my/concerns/letter/{token}"
    assert client.get(path).status_code in {302, 303, 401}
    assert signed_in("lin").get(path).status_code == 404
    ye = officer("ye")
    assert "叶住建" in ye.get(path).text
    there = send(ye, path, form=path).location
    assert there == f"/my/concerns/{of_case(office, number)[1].id}"
    assert ye.get(there).status_code == 200
    assert ye.get(path).location == there


def test_officers_see_whom_it_concerns_and_take_down_what_they_say(officer, signed_in, office, number):
    huang = signed_in("huang")
    case = huang.get(f"/window/cases/{number}").text
    assert case.count("还没有送达") == 2
    path = f"/window/parties/{of_case(office, number)[1].id}"
    assert f'href="{path}"' in case
    without = send(huang, path, form=path, page_token="one", statement="没有意见")
    assert (without.status_code, "没有意见</textarea>" in without.text) == (422, True)
    done = send(huang, path, form=path, page_token="two", statement="没有意见", note="书面意见一页")
    assert done.location == f"/window/cases/{number}#parties"
    case = huang.get(f"/window/cases/{number}").text
    assert "书面意见一页" in case
    assert case.count("还没有送达") == 1
    assert f'href="{path}"' not in case
    assert officer("su").get(path).status_code == 404


def test_each_of_several_letters_is_previewed_before_they_go_out(signed_in, office, monkeypatch):
    monkeypatch.setattr("approval.documents.render", lambda _form, values, **_: values["facts"]["addressee"].encode())
    number = blocks.accepted(office, "interested_parties_procedure")
    huang, at = signed_in("huang"), f"/window/tasks/{walks.open_task(office, number, 'name_parties')}"
    send(huang, f"{at}/claim", form="/window/tasks")
    given = {"answers.result": "some", "shown": ["result", "parties"]}
    for place, row in enumerate((LIN, YE)):
        told = {"id_number": "", "address": "示例路2号", "interest": "噪声", **row}
        given |= {f"answers.parties-{place}-{name}": text for name, text in told.items()}
    page = send(huang, f"{at}/preview", form=at, **given)
    rows = re.findall(r'name="which" value="(\d)">(?:<[^>]+>)?([^<]+)', page.text)
    assert [title for _, title in rows] == ["利害关系人告知书 · 林示例", "利害关系人告知书 · 叶住建", "听证告知书"]
    assert 'name="answers.parties-1-name" value="叶住建"' in page.text
    seen = send(huang, f"{at}/preview", form=at, **given, which="1")
    assert (seen.content_type, seen.text) == ("application/pdf", "叶住建")
    assert of_case(office, number) == []


def test_a_page_that_was_open_when_the_time_ran_out_loses_nothing(signed_in, office, number, clock):
    lin = signed_in("lin")
    path = f"/my/concerns/{of_case(office, number)[0].id}"
    lin.get(re.search(r'href="(/my/notices/[^"]+)"', lin.get(path).text)[1])
    clock.now = at("2026-10-11 00:05")
    late = send(signed_in("lin"), path, form=path, page_token="one", statement="有意见。", hearing="ask")
    assert (late.status_code, "有意见。</textarea>" in late.text) == (422, True)
    assert 'name="hearing"' not in late.text
    assert "要求听证的期限已过" in late.text
    assert send(signed_in("lin"), path, form=path, page_token="two", statement="有意见。").status_code == 303


def test_a_party_finds_every_notice_that_went_to_them_and_the_applicant_none_of_theirs(signed_in, office, number):
    walks.complete(office, number, WAIVE)
    say(office, "lin", number, asks=True)
    walks.complete(office, number, schedule("2026-10-13"))
    lin = signed_in("lin")
    page = lin.get(f"/my/concerns/{of_case(office, number)[0].id}").text
    links = re.findall(r'href="(/my/notices/[^"]+)"', page)
    assert len(links) == 2
    assert "听证通知书" in page
    for link in links:
        assert lin.get(link).status_code == 200
        assert signed_in("chen").get(link).status_code == 404
    shown = signed_in("chen").get(f"/my/cases/{number}").text
    with office.work(read_only=True) as work:
        party = parties.of_case(work, walks.case(work, number))[0]
        assert not any(formal.number in shown for formal in parties.sent_to(work, party))


def test_an_officer_lets_somebody_go_with_a_reason(signed_in, office, number):
    huang = signed_in("huang")
    path = f"/window/parties/{of_case(office, number)[1].id}"
    without = send(huang, f"{path}/drop", form=path, page_token="one", reason="")
    assert (without.status_code, 'id="reason-why"' in without.text) == (422, True)
    assert send(huang, f"{path}/drop", form=path, page_token="two", reason="列错了。").status_code == 303
    case = huang.get(f"/window/cases/{number}").text
    assert "不再列为利害关系人" in case
    assert "列错了。" in case
    assert huang.get(path).status_code == 404
