"""Procedures drawn in a real browser: marked, moved by the keyboard, told as a list, and under bpmn.io's licence."""

from dataclasses import replace

import pytest

from approval.paths import WORKFLOWS
from approval.services import packs, rehearsals, workshops
from tests.kit import walks
from tests.kit.browsers import NARROW, WIDE, require_fair
from tests.kit.samples import ITEM

pytestmark = pytest.mark.long

FILES = packs.from_folder(WORKFLOWS / ITEM)
HOSTILE = "&lt;img src=x onerror=alert(1)&gt;"
DRAWN = "[data-diagram][data-drawn=yes]"
# Whether each corner and the middle of a thing is inside the window and nothing lies over it.
UNCOVERED = """logo => {
  const box = logo.getBoundingClientRect();
  const points = [[.5, .5], [.1, .1], [.9, .1], [.1, .9], [.9, .9]];
  return points.every(([x, y]) => {
    const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
    return top && (logo === top || logo.contains(top));
  });
}"""


@pytest.fixture(scope="module")
def number(live):
    pack = packs.read(FILES)
    scenario = next(each for each in rehearsals.scenarios(pack) if each.file.endswith("/granted.toml"))
    return rehearsals.play(live.office, replace(scenario, steps=scenario.steps[:1]), ITEM)


@pytest.fixture(scope="module")
def faulty(live):
    """A draft whose main diagram has a fault on a drawn element, and names that would be markup."""
    main = FILES["process.bpmn"].decode()
    main = main.replace('processId="accept"', 'processId="nothing"', 1).replace(
        'name="书面审查"', f'name="{HOSTILE}"', 1
    )
    assert "nothing" in main
    assert HOSTILE in main
    files = FILES | {"process.bpmn": main.encode(), "broken.bpmn": b"<not-bpmn/>", "forms/filing.json": b"{"}
    verdict = workshops.judge(files, live.settings)
    assert any(fault.element == "accept" for fault in verdict.faults)
    with live.office.work(by=walks.signed_in(live.office, "admin")) as work:
        draft = workshops.begin(work, "草稿", files).id
        workshops.note(work, draft, verdict)
    return f"/admin/drafts/{draft}"


@pytest.fixture
def opened(visit):
    def opened(path, size=WIDE, **how):
        page = visit("admin", size=size, **how)
        page.goto(path)
        page.wait_for_selector(DRAWN)
        return page

    return opened


def view(page):
    return page.locator(f"{DRAWN} .viewport").first.get_attribute("transform")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("where", ["case", "draft"])
def test_the_logo_of_bpmn_io_stays_fully_visible_and_leads_there(opened, number, faulty, where, size):
    page = opened(f"/admin/cases/{number}" if where == "case" else faulty, size)
    logo = page.locator(f"{DRAWN} a.bjs-powered-by").first
    page.locator(".diagram-canvas").first.scroll_into_view_if_needed()
    logo.scroll_into_view_if_needed()
    assert logo.is_visible()
    assert logo.get_attribute("href") in {"http://bpmn.io", "https://bpmn.io"}
    box, frame = logo.bounding_box(), page.locator(".diagram-canvas").first.bounding_box()
    assert box["width"] >= 50
    assert frame["x"] <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert box["y"] + box["height"] <= frame["y"] + frame["height"]
    assert page.evaluate("e => getComputedStyle(e).opacity", logo.element_handle()) == "1"
    assert logo.evaluate(UNCOVERED)
    for _ in range(8):  # whatever is drawn under it, wherever the drawing is moved
        page.locator(".diagram-canvas svg").first.press("ArrowDown")
        assert logo.evaluate(UNCOVERED)


def test_no_inline_style_or_script_is_allowed_for_a_diagram(opened, number):
    page = opened(f"/admin/cases/{number}")
    policy = page.request.get(f"/admin/cases/{number}").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert page.locator(".djs-element.mark-current").count() >= 1


def test_the_drawing_says_the_same_as_the_list(opened, number):
    page = opened(f"/admin/cases/{number}")
    first = page.locator(DRAWN).first
    told = {
        item.locator("[data-shows]").get_attribute("data-shows"): "current" if "进行中" in item.inner_text() else "done"
        for item in first.locator(".diagram-steps li").all()
    }
    assert told
    for element, state in told.items():
        assert first.locator(f"[data-element-id={element}].mark-{state}").count() == 1
    assert first.locator(".diagram-badge").count() == len(told)


def test_the_keyboard_zooms_moves_and_brings_the_whole_back(opened, number):
    page = opened(f"/admin/cases/{number}")
    page.locator("[data-tool=fit]").first.focus()
    page.keyboard.press("Enter")
    whole = view(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "svg"
    page.keyboard.press("+")
    larger = view(page)
    page.keyboard.press("ArrowRight")
    moved = view(page)
    page.keyboard.press("0")
    assert len({whole, larger, moved}) == 3
    assert view(page) == whole


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_fault_in_the_list_shows_its_element_on_the_diagram(opened, faulty, size):
    page = opened(faulty, size)
    page.locator("a[data-shows=accept]").first.click()
    shape = page.locator("[data-element-id=accept].mark-fault.mark-shown").first
    assert page.evaluate("document.activeElement.closest('.diagram-canvas') !== null")
    # Both at one moment: the page may still be scrolling.
    box, frame = shape.evaluate(
        "shape => [shape, shape.closest('.diagram-canvas')].map(one => one.getBoundingClientRect().toJSON())"
    )
    assert frame["x"] <= box["x"] + box["width"] / 2 <= frame["x"] + frame["width"]
    assert frame["y"] <= box["y"] + box["height"] / 2 <= frame["y"] + frame["height"]
    assert page.locator(".diagram-badge.mark-fault").first.inner_text().startswith("!")


def test_names_in_a_stranger_s_diagram_are_drawn_as_text(opened, faulty):
    page = opened(faulty)
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.dismiss()))
    assert "<img" in "".join(page.locator("[data-element-id=document_review] tspan").all_text_contents())
    assert page.locator(".diagram-canvas img").count() == 0
    assert not dialogs


def test_a_diagram_that_cannot_be_drawn_leaves_the_list(opened, faulty):
    page = opened(faulty)
    page.locator("summary", has_text="broken.bpmn").scroll_into_view_if_needed()
    broken = page.locator("details", has_text="broken.bpmn")
    if broken.get_attribute("open") is None:
        broken.locator("summary").click()
    page.wait_for_selector("[data-drawn=no]")
    assert broken.locator(".diagram-failed").is_visible()
    assert not broken.locator(".diagram-tools").is_visible()


def test_without_scripts_the_list_is_all_there_is(visit, number):
    page = visit("admin", scripts=False)
    page.goto(f"/admin/cases/{number}")
    assert page.locator(".diagram-steps li").first.is_visible()
    assert not page.locator(".diagram-tools").first.is_visible()
    assert not page.locator("[data-shows]").first.is_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_the_administration_are_fair_to_everyone(visit, number, faulty, language, size):
    page = visit("admin", language=language, size=size)
    paths = [
        "/admin/packs",
        faulty,
        f"{faulty}/discard",
        f"/admin/cases/{number}",
        "/admin/types",
        "/admin/types/11100000000013338W032",
        "/admin/types/new?code=11100000000013338W032",
        "/admin/people",
        "/admin/people/new",
    ]
    for path in paths:
        page.goto(path)
        if path in {faulty, f"/admin/cases/{number}"}:
            page.wait_for_selector(DRAWN)
        require_fair(page)
    for listed, link in (("/admin/packs", ".version-list a"), ("/admin/people", ".rows a")):
        page.goto(listed)
        page.goto(page.locator(link).first.get_attribute("href"))
        require_fair(page)
