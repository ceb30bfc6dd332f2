"""What people do at a real browser, and what every page must hold in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from approval.paths import FONTS

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "demo-2026"
WIDE, NARROW = (1280, 800), (320, 640)
_LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
_PATIENCE = 15_000
# Chinese glyphs from the font that set-up brings, on machines that have none; all else from the machine.
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>/usr/share/fonts</dir><dir>{fonts}</dir>
<cachedir>{cache}</cachedir></fontconfig>"""


@contextmanager
def launched(folder: Path) -> Iterator[Browser]:
    """Launch Debian's Chromium; `folder` keeps what it needs on disk."""
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(fonts=FONTS, cache=folder / "fonts"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"],
            env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
        )
        yield browser
        browser.close()


def come(
    browser: Browser, origin: str, *, language: str = "zh", size: tuple[int, int] = WIDE, scripts: bool = True
) -> Page:
    """Come to an office as a new visitor; `page.complaints` of `watch` is what the browser had to say."""
    context = browser.new_context(
        base_url=origin,
        viewport={"width": size[0], "height": size[1]},
        locale=_LANGUAGES[language],
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    context.set_default_timeout(_PATIENCE)
    speak(context, origin, language)
    return context.new_page()


def speak(context: BrowserContext, origin: str, language: str) -> None:
    """Choose the language of the pages that come."""
    context.add_cookies([{"name": "lang", "value": language, "url": origin}])


def watch(context: BrowserContext, complaints: list[str]) -> None:
    """Note script errors, breaches of the content security policy, and static files that are not there."""
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    # A line without an address comes from what a test injects, such as axe.
    context.on(
        "console",
        lambda line: (
            complaints.append(f"{line.location['url']} {line.text}")
            if "Content Security Policy" in line.text and line.location["url"]
            else None
        ),
    )
    context.on(
        "response",
        lambda reply: (
            complaints.append(f"{reply.status} {reply.url}")
            if "/static/" in reply.url and not reply.ok and reply.status != 304
            else None
        ),
    )


def sign_in(page: Page, code: str, then: str = "/") -> Page:
    """Sign in by password, whoever was signed in before, and go on to a page."""
    page.context.clear_cookies(name="session")
    page.goto(f"/sign-in?next={then}")
    page.fill("input[name=name]", code)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def sign_in_by_certificate(page: Page, file: Path) -> Page:
    """Sign in with a .p12, whose key signs in the browser and stays there."""
    page.goto("/sign-in/certificate")
    page.set_input_files("#certificate-file", file)
    page.fill("#certificate-password", PASSWORD)
    page.click("#certificate button")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def require_fair(page: Page) -> None:
    """A page anyone can use: axe finds nothing, and nothing is wider than the window."""
    require_fit(page)
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
    assert not found.violations_count, f"{page.url}\n{found.generate_report()}"


def require_fit(page: Page) -> None:
    width, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width <= window, f"{page.url} is {width} px wide in a window of {window} px: {page.evaluate(_WIDEST)}"


# Names the elements that stick out, for whoever has to put it right.
_WIDEST = """[...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 100)).slice(0, 5).join("\\n")"""
