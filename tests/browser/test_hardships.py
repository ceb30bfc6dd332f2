"""What goes wrong for people in real browsers: two at once, a session that ends, two clicks, a button pressed late."""

import pytest
from sqlalchemy import delete, func, select

from approval.domain.actors import SYSTEM
from approval.models.cases import Case
from approval.models.people import Session
from tests.kit import roads, walks
from tests.kit.browsers import NARROW, PASSWORD, require_fair
from tests.kit.samples import ACCEPT, ITEM, MATERIALS, RETAIL

pytestmark = pytest.mark.long


def test_of_two_clerks_who_claim_at_once_one_wins_and_the_other_is_told(visit, live):
    number = live.do(walks.file)
    pages = [visit("wang"), visit("zhao")]
    for page in pages:
        page.goto(f"/window/tasks?tab=free&number={number}")
    for page in pages:
        # Both buttons are pressed at one moment, not one after the other.
        page.evaluate("setTimeout(() => document.querySelector('table form').requestSubmit(), 500)")
    for page in pages:
        page.wait_for_url("**/window/tasks/**")
        require_fair(page)
    winners = [page for page in pages if page.locator("#questions").count()]
    (loser,) = set(pages) - set(winners)
    assert "别人" in loser.inner_text("main")
    assert loser.locator("main a").count()
    roads.answer(winners[0], ACCEPT[2])
    assert "done=" in winners[0].url


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without"])
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(visit, live, scripts):
    page = visit("chen", size=NARROW, scripts=scripts)
    page.goto(f"/items/{ITEM}/begin")
    roads.go(page.locator("main form button.btn-primary"))
    roads.go(page.locator(".task-list a").first)
    typed = "陈示例 & <改名>"
    roads.fill(page, RETAIL | {"contact_name": typed})
    live.do(end_all_sessions)
    roads.go(page.locator("form:has(#questions) button.btn-primary"))
    assert "刚才填写的内容还在" in page.inner_text("main")
    page.fill("input[name=name]", "chen")
    page.fill("input[name=password]", PASSWORD)
    roads.go(page.locator("form:has(input[name=password]) button"))
    roads.go(page.locator("main form button.btn-primary"))
    assert "/answers/" in page.url
    page.goto(page.url.rsplit("/", 1)[0].replace("/answers", "/check"))
    assert typed in page.inner_text("main")


def end_all_sessions(office):
    with office.work(by=SYSTEM) as work:
        work.session.execute(delete(Session))


def test_a_double_click_files_one_case_and_the_way_back_leads_to_it(visit, live):
    def count(office):
        with office.work(by=SYSTEM, read_only=True) as work:
            return work.session.scalar(select(func.count()).select_from(Case))

    before = live.do(count)
    page = visit("chen")
    page.goto(f"/items/{ITEM}/begin")
    roads.go(page.locator("main form button.btn-primary"))
    draft = page.url
    for key in ("operator", "business", "site", "people"):
        page.goto(f"{draft}/answers/{key}")
        roads.answer(page, RETAIL)
    page.goto(f"{draft}/materials")
    roads.attach(page, MATERIALS)
    page.goto(f"{draft}/check")
    page.locator("form.onward button").dblclick(no_wait_after=True)
    page.wait_for_url("**/receipt*")
    assert live.do(count) == before + 1
    for _ in range(2):
        page.go_back()
    assert "/my/cases/" in page.url


def test_a_file_with_a_wild_name_is_kept_under_a_plain_one_and_a_false_one_is_refused(visit):
    page = visit("chen", language="en")
    page.goto(f"/items/{ITEM}/begin")
    roads.go(page.locator("main form button.btn-primary"))
    page.goto(f"{page.url}/materials")
    roads.put(page, "business_licence", "../../etc/𠮷示例 \u202efdp.pdf", roads.pdf())
    assert "𠮷示例" in page.inner_text("main")
    assert "etc" not in page.inner_text("main")
    roads.put(page, "layout_plan", "plan.pdf", b"GIF89a not a plan")
    require_fair(page)
    assert page.title().startswith("Error:")
    assert page.locator(".problem a").get_attribute("href") == "#materials.layout_plan"
