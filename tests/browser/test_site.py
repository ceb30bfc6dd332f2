"""A site without a network: an officer takes a visit along, fills it in, and hands it in later; nothing twice."""

import os
import re
import signal
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from approval.models.evidence import Evidence
from approval.services import answers, tasks
from tests.kit import browsers, roads, walks
from tests.kit.browsers import NARROW, WIDE, require_fair
from tests.kit.live import wait_for
from tests.kit.samples import ACCEPT, FIRE, RESTAURANT, REVIEW, VISIT

pytestmark = pytest.mark.long

FOUND = "冷库温度 -18℃，<b>与申报一致</b>。"


@pytest.fixture
def visited(live):
    """A case whose site visit is open: its number, and the id of the task, which wu has claimed."""

    def prepare(office):
        number = walks.walk(office, walks.file(office, RESTAURANT), ACCEPT, FIRE, REVIEW)
        task = walks.open_task(office, number, VISIT[0])
        with office.work(by=walks.signed_in(office, "wu")) as work:
            tasks.claim(work, task)
        return number, task

    return live.do(prepare)


@pytest.fixture
def take_along(visit, visited):
    """Come as wu to the claimed task, and take it along; answers the page once this device keeps it."""

    def come(**how):
        page = visit("wu", **how)
        page.goto(f"/window/tasks/{visited[1]}")
        roads.go(page.locator("#take-along button"))
        kept(page)
        return page

    return come


def kept(page):
    page.locator("#state", has_text=re.compile("已保存在本机|Kept on this device")).wait_for()


def said(page, text):
    """Wait until a page says it."""
    page.locator("main", has_text=text).wait_for()


def picture(name="现场.png", size=(40, 30)):
    made = BytesIO()
    Image.new("RGB", size, "white").save(made, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": made.getvalue()}


def fill_in(page):
    page.check("[name='answers.result'][value=pass]")
    page.fill("[name='answers.findings']", FOUND)
    page.set_input_files("#photo", picture())
    page.locator("#photos li").wait_for()


def require_filled_in(page):
    kept(page)
    page.locator("#photos li", has_text="现场.png").wait_for()
    assert page.input_value("[name='answers.findings']") == FOUND
    assert page.is_checked("[name='answers.result'][value=pass]")


def reopened(page):
    """The tab is lost; another one opens the same address, still without what the first had in its memory."""
    address, context = page.url, page.context
    page.close()
    page = context.new_page()
    page.goto(address)
    return page


def evidence_of(live, task):
    def read(office):
        with office.work(read_only=True) as work:
            return list(work.session.scalars(select(Evidence.filename).where(Evidence.task_id == task)))

    return live.do(read)


def answered(live, number):
    def read(office):
        with office.work(read_only=True) as work:
            said = answers.by_task(work, walks.case(work, number))
            return next((content for task, content in said if task.element == VISIT[0]), None)

    return live.do(read)


def drafts(page):
    """What this device keeps, of anybody."""
    return page.evaluate("""() => new Promise((resolve) => {
        const opening = indexedDB.open("site-visits");
        opening.onsuccess = () => {
            const [visits, photos] = ["visits", "photos"].map((name) =>
                opening.result.transaction(name).objectStore(name).count());
            photos.transaction.oncomplete = () => resolve([visits.result, photos.result]);
        };
    })""")


def cached(page, address):
    return page.evaluate("address => caches.match(address, {ignoreSearch: true}).then(Boolean)", address)


def test_a_visit_is_filled_in_without_a_network_and_handed_in_once(live, visited, take_along):
    number, task = visited
    page = take_along(size=NARROW)
    require_fair(page)
    page.context.set_offline(True)
    page.reload()
    said(page, "没有网络")
    # What one answer brings up comes and goes without a server.
    assert not page.is_visible("[name='answers.demands']")
    page.check("[name='answers.result'][value=rectify]")
    assert page.is_visible("[name='answers.demands']")
    fill_in(page)
    assert not page.is_visible("[name='answers.demands']")
    page = reopened(page)
    require_filled_in(page)
    require_fair(page)
    page.context.set_offline(False)
    said(page, "可以提交")
    assert evidence_of(live, task) == []
    roads.go(page.locator("#hand-in"))
    assert page.url.endswith(f"/window/tasks/{task}")
    assert page.input_value("[name='answers.findings']") == FOUND
    assert evidence_of(live, task) == ["现场.png"]
    assert drafts(page) == [1, 0], "the answers stay on the device until the task is completed"
    assert answered(live, number) is None
    roads.go(page.locator("form:has(#questions) button.btn-primary"))
    assert "done=" in page.url, page.inner_text("main")
    assert answered(live, number) == {"result": "pass", "findings": FOUND}
    wait_for(lambda: drafts(page) == [0, 0], "the draft stayed")
    assert not cached(page, f"/window/site/{task}")


def test_what_could_not_be_kept_is_said_at_once_and_tried_again(take_along):
    page = take_along()
    page.evaluate("() => { window.put = IDBObjectStore.prototype.put; }")
    page.evaluate("() => { IDBObjectStore.prototype.put = () => { throw new Error('no space'); }; }")
    page.fill("[name='answers.findings']", FOUND)
    said(page, "没有能保存在本机")
    page.set_input_files("#photo", picture())
    page.locator("#trouble", has_text="现场.png：没有能保存在本机").wait_for()
    page.evaluate("() => { IDBObjectStore.prototype.put = window.put; }")
    page.check("[name='answers.result'][value=pass]")
    page.set_input_files("#photo", picture())
    page.locator("#photos li").wait_for()
    require_filled_in(reopened(page))


def test_what_two_windows_type_is_kept_side_by_side(take_along):
    page = take_along()
    other = page.context.new_page()
    other.goto(page.url)
    kept(other)
    page.fill("[name='answers.findings']", FOUND)
    other.check("[name='answers.result'][value=pass]")
    page.set_input_files("#photo", picture())
    page.locator("#photos li").wait_for()
    require_filled_in(reopened(page))


def test_a_network_that_does_not_answer_is_none(live, take_along):
    page = take_along()
    fill_in(page)
    web = live.web._process.pid
    os.killpg(web, signal.SIGSTOP)
    try:
        require_filled_in(reopened(page))
    finally:
        os.killpg(web, signal.SIGCONT)


def test_a_photograph_whose_answer_was_lost_is_put_once(live, visited, take_along):
    _number, task = visited
    page = take_along()
    fill_in(page)

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/evidence", lose)
    page.click("#hand-in")
    said(page, "提交中断")
    assert evidence_of(live, task) == ["现场.png"]
    assert drafts(page) == [1, 1]
    page.unroute("**/evidence")
    # Nor is anything believed that does not say that it has this very photograph.
    page.route("**/evidence", lambda route: route.fulfill(json={}))
    page.click("#hand-in")
    wait_for(lambda: page.locator("#trouble p").count() == 1, "nothing was said")
    assert drafts(page) == [1, 1]
    page.unroute("**/evidence")
    roads.go(page.locator("#hand-in"))
    assert evidence_of(live, task) == ["现场.png"]
    assert drafts(page) == [1, 0]


def test_who_signs_in_on_the_same_device_sees_nothing_of_it(live, visited, take_along):
    _number, task = visited
    page = take_along()
    fill_in(page)
    address = page.url
    old = page.context.new_page()
    old.goto(address)
    kept(old)
    browsers.sign_in(page, "zheng", "/window/tasks")
    # The page that is still open hands nothing in for another.
    old.click("#hand-in")
    wait_for(lambda: "/window/site/" in old.url and not old.locator("#hand-in").count(), "the page stayed as it was")
    assert evidence_of(live, task) == []
    page.goto("/window/site/")
    said(page, "没有保存任何办件")
    page.goto(address)
    said(page, "已经由别人签收")
    assert not page.locator("#visit").is_visible()
    assert page.locator("#visits li").count() == 0
    page.goto("/window/site/")
    wait_for(lambda: cached(page, "/window/site/"), "zheng's own page was not kept")
    assert not cached(page, address)
    page.context.set_offline(True)
    page.goto(address)
    said(page, "没有保存任何办件")
    page.context.set_offline(False)
    browsers.sign_in(page, "wu", "/window/tasks")
    page.goto(address)
    require_filled_in(page)


def test_a_task_given_back_meanwhile_is_told_and_the_draft_stays_until_it_is_discarded(live, visited, take_along):
    _number, task = visited
    page = take_along(size=NARROW)
    fill_in(page)

    def release(office):
        with office.work(by=walks.signed_in(office, "wu")) as work:
            tasks.release(work, task)

    live.do(release)
    page.click("#hand-in")
    said(page, "已经退回待签收")
    wait_for(lambda: not cached(page, page.url), "the kept page says that it can be handed in")
    assert evidence_of(live, task) == []
    page.locator("#photos li").wait_for()
    assert page.input_value("[name='answers.findings']") == FOUND
    assert not page.locator("#hand-in").count()
    require_fair(page)
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.click("#visits button")
    assert drafts(page) == [1, 1]
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#visits button")
    page.locator("#visit").wait_for(state="hidden")
    assert drafts(page) == [0, 0]


def test_a_task_that_was_completed_elsewhere_is_told_and_leaves_what_was_not_handed_in(live, visited, take_along):
    number, task = visited
    page = take_along()
    page.fill("[name='answers.findings']", FOUND)
    wait_for(lambda: drafts(page) == [1, 0], "nothing was kept")
    live.do(lambda office: walks.complete(office, number, VISIT))
    page.click("#hand-in")
    said(page, "这一步您已经办结")
    page.locator("#visit").wait_for()
    page.goto(f"/window/tasks?done={task}")
    page.goto("/window/site/")
    page.locator("#visits li", has_text=number).wait_for()
    assert drafts(page) == [1, 0]


def test_a_photograph_that_came_after_the_answers_were_handed_in_stays(visited, take_along):
    number, _task = visited
    page = take_along()
    late = page.context.new_page()
    late.goto(page.url)
    kept(late)
    fill_in(page)
    roads.go(page.locator("#hand-in"))
    late.set_input_files("#photo", picture("后来.png"))
    late.locator("#photos li").wait_for()
    roads.go(page.locator("form:has(#questions) button.btn-primary"))
    page.goto("/window/site/")
    page.locator("#visits li", has_text=number).wait_for()
    assert drafts(page) == [1, 1]


def test_nothing_is_handed_in_under_the_session_of_another(live, visited, take_along):
    _number, task = visited
    page = take_along()
    fill_in(page)

    def pass_on(office):
        with office.work(by=walks.signed_in(office, "wu")) as work:
            tasks.release(work, task)
        with office.work(by=walks.signed_in(office, "zheng")) as work:
            tasks.claim(work, task)

    live.do(pass_on)
    browsers.sign_in(page.context.new_page(), "zheng", "/window/tasks")
    page.click("#hand-in")
    said(page, "现在登录的不是您本人")
    assert evidence_of(live, task) == []


def test_a_page_from_before_the_session_asks_for_a_token_that_holds(live, visited, take_along):
    _number, task = visited
    page = take_along()
    fill_in(page)
    page.context.clear_cookies(name="form")
    browsers.sign_in(page.context.new_page(), "wu", "/window/tasks")
    roads.go(page.locator("#hand-in"))
    assert page.input_value("[name='answers.findings']") == FOUND
    assert evidence_of(live, task) == ["现场.png"]


def test_a_session_that_ended_leads_to_signing_in_and_back(live, visited, take_along):
    _number, task = visited
    page = take_along()
    fill_in(page)
    page.context.clear_cookies(name="session")
    page.context.clear_cookies(name="form")
    page.click("#hand-in")
    roads.go(page.locator("main a.btn-primary"))
    page.fill("input[name=name]", "wu")
    page.fill("input[name=password]", browsers.PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"**/window/site/{task}")
    require_filled_in(page)
    roads.go(page.locator("#hand-in"))
    assert evidence_of(live, task) == ["现场.png"]


def test_signing_out_empties_the_device_and_asks_first_where_something_is_unsent(take_along):
    page = take_along()
    fill_in(page)
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".visitor button")
    wait_for(lambda: page.title() and asked, "nobody was asked")  # the question may come while the click still waits
    assert "尚未提交" in asked[0]
    assert drafts(page) == [1, 1]
    page.once("dialog", lambda dialog: dialog.accept())
    roads.go(page.locator(".visitor button"))
    assert drafts(page) == [0, 0]
    assert page.evaluate("caches.keys()") == []
    assert page.locator("header form[data-person]").count() == 0


def test_what_the_server_would_not_take_is_told_at_once_in_its_words(live, visited, take_along):
    page = take_along()
    room = int(page.get_attribute("#visit", "data-room"))
    page.context.set_offline(True)
    for photo, why in (
        ({"name": "空.png", "mimeType": "image/png", "buffer": b""}, "文件是空的"),
        ({"name": "假.jpg", "mimeType": "image/jpeg", "buffer": b"GIF89a"}, "文件格式不对"),
    ):
        page.set_input_files("#photo", photo)
        page.locator("#trouble", has_text=f"{photo['name']}：{why}").wait_for()
    page.evaluate("document.getElementById('visit').dataset.largest = 10")
    page.set_input_files("#photo", picture("大.png"))
    page.locator("#trouble", has_text="大.png：文件太大").wait_for()
    page.evaluate("document.getElementById('visit').dataset.largest = 10000")
    page.set_input_files("#photo", [picture(f"{number}.png") for number in range(room + 1)])
    page.locator("#trouble", has_text=f"{room}.png：太多了").wait_for()
    assert page.locator("#photos li").count() == room
    # What only opening it tells, the server says when it is handed in; it stays until its taker removes it.
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("#photos li:first-child button")
    wait_for(lambda: page.locator("#photos li").count() == room - 1, "it was not removed")
    page.set_input_files("#photo", {"name": "坏.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nbroken"})
    page.locator("#photos li", has_text="坏.png").wait_for()
    page.context.set_offline(False)
    page.click("#hand-in")
    page.locator("#trouble", has_text="坏.png：打不开这个文件").wait_for(timeout=60_000)
    wait_for(lambda: drafts(page) == [1, 1], "the others were not handed in")
    assert len(evidence_of(live, visited[1])) == room - 1


def test_the_page_is_fair_in_english_on_a_desk_and_says_what_it_needs_without_scripts(visit, visited, take_along):
    page = take_along(size=WIDE, language="en")
    fill_in(page)
    require_fair(page)
    page.goto("/window/site/")
    page.locator("#visits li").wait_for()
    require_fair(page)
    plain = visit("wu", scripts=False)
    plain.goto(f"/window/tasks/{visited[1]}")
    assert not plain.locator("#take-along").is_visible()
    plain.goto(f"/window/site/{visited[1]}")
    assert "JavaScript" in plain.inner_text("main")
    assert not plain.locator("#visit").is_visible()
