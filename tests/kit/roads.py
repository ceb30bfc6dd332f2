"""What people do on the pages: file, correct, claim, complete; with JavaScript or without."""

import re
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import pikepdf
from playwright.sync_api import Locator, Page

from tests.kit.samples import ITEM

Answers = Mapping[str, Any]
Look = Callable[[Page], None]

_LONGEST_ROAD = 20  # pages of one filing, many more than there are


def nothing(page: Page) -> None:
    """Look at nothing."""


def go(link: Locator) -> None:
    """Follow a link or press a button, and wait for the page that comes."""
    with link.page.expect_navigation():
        link.click()


def each_once(look: Look) -> Look:
    """Look at every kind of page once, however often the road leads over it."""
    seen: set[tuple[str, str]] = set()

    def first(page: Page) -> None:
        kind = re.sub(r"[0-9a-f-]{8,}", "", urlsplit(page.url).path), page.locator("h1").inner_text()
        if kind not in seen:
            seen.add(kind)
            look(page)

    return first


def pdf(*, pages: int = 1) -> bytes:
    """Make a PDF that opens."""
    made = BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        document.save(made)
    return made.getvalue()


def fill(page: Page, given: Answers) -> None:
    """Answer every question on the page that there is an answer for, those too that answers bring up."""
    for key, answer in given.items():
        if isinstance(answer, list) and answer and isinstance(answer[0], dict):
            for number, row in enumerate(answer):
                for inner, text in row.items():
                    _write(page.locator(f"[name='answers.{key}-{number}-{inner}']"), str(text))
            continue
        asked = page.locator(f"[name='answers.{key}']:visible")
        if not asked.count():
            continue
        if asked.first.get_attribute("type") in {"radio", "checkbox"}:
            for value in answer if isinstance(answer, list) else [answer]:
                _tick(page, asked, value)
        else:
            _write(asked, str(answer))


def _write(field: Locator, text: str) -> None:
    if field.evaluate("one => one.tagName") == "SELECT":
        field.select_option(text)
    else:
        field.fill(text)


def _tick(page: Page, asked: Locator, value: Any) -> None:
    if value is False:
        asked.first.uncheck()
    else:
        told = "true" if value is True else value
        page.locator(f"[name='{asked.first.get_attribute('name')}'][value='{told}']").check()
    # What an answer brings up comes before the next one is given.
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")


def answer(page: Page, given: Answers) -> None:
    """Fill in the form on the page and send it; without JavaScript, questions that it brings up come after."""
    new = True
    while new:
        fill(page, given)
        shown = _shown(page)
        go(page.locator("form:has(#questions) button.btn-primary"))
        new = _shown(page) > shown


def _shown(page: Page) -> set[str]:
    return {str(one.get_attribute("value")) for one in page.locator("input[name=shown]").all()}


def file(page: Page, answers: Answers, materials: tuple[str, ...], *, applicant: str = "", look: Look = nothing) -> str:
    """File a case from the first page to the receipt, and return its number; `look` sees every page on the way."""
    page.goto("/")
    look(page)
    go(page.locator(f"a[href*='/items/{ITEM}']").first)
    look(page)
    go(page.locator("form.start button"))
    if "/begin" in page.url:
        look(page)
        page.check(f"[name=applicant][value='{applicant}']")
        go(page.locator("main form button.btn-primary"))
    look(page)
    go(page.locator(".task-list a").first)
    for _ in range(_LONGEST_ROAD):
        if "/answers/" not in page.url:
            break
        look(page)
        here = page.url
        answer(page, answers)
        assert page.url != here, page.inner_text("main")
    attach(page, materials)
    hand_in(page, look)
    found = re.search(r"/my/cases/([^/?]+)/receipt", page.url)
    assert found, page.inner_text("main")
    return found[1]


def hand_in(page: Page, look: Look = nothing) -> None:
    """Go on from the materials, check everything, and hand it in."""
    look(page)
    go(page.locator(".onward a"))
    look(page)
    go(page.locator("form.onward button"))
    look(page)


def attach(page: Page, materials: tuple[str, ...]) -> None:
    """Put a file to each of these requirements."""
    for code in materials:
        put(page, code, f"{code}.pdf", pdf())
        assert page.locator("form[action*='/remove']").count(), page.inner_text("main")


def put(page: Page, code: str, name: str, content: bytes) -> None:
    page.set_input_files(f"#file-{code}", {"name": name, "mimeType": "application/pdf", "buffer": content})
    go(page.locator(f"form:has(#file-{code}) button"))


def correct(page: Page, number: str, reply: str, materials: tuple[str, ...], *, look: Look = nothing) -> None:
    """Answer everything that was to be put right, put files to it, and hand it in."""
    page.goto(f"/my/cases/{number}?{urlsplit(page.url).query}")
    look(page)
    go(page.locator(".to-do form button"))
    look(page)
    go(page.locator(".task-list a").first)
    look(page)
    for asked in page.locator("main textarea").all():
        asked.fill(reply)
    go(page.locator("main form:has(textarea) button.btn-primary"))
    page.goto(re.sub(r"/drafts/([^/?]+).*", r"/drafts/\1/materials", page.url))
    attach(page, materials)
    hand_in(page, look)


def claim(page: Page, number: str, *, look: Look = nothing) -> None:
    """Find the case's open task in the queue, claim it, and stand before it."""
    page.goto(f"/window/tasks?tab=free&number={quote(number)}")
    look(page)
    go(page.locator("table form button"))


def complete(page: Page, number: str, given: Answers, *, look: Look = nothing) -> None:
    """Claim a task of a case and complete it."""
    claim(page, number, look=look)
    look(page)
    answer(page, given)
    assert "done=" in page.url, page.inner_text("main")
    look(page)
