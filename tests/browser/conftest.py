"""A live office for real browsers: one a module, founded once, with processes that a test may kill.

`visit(code, …)` opens a new browser window, signed in by password; `live` is the office behind it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from approval.settings import Settings
from tests.kit import browsers, catalogues
from tests.kit.browsers import CHROMIUM
from tests.kit.databases import Template
from tests.kit.live import LiveOffice, found, free_port


@pytest.fixture(scope="session", autouse=True)
def _catalogues() -> None:
    catalogues.compile_all()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """The demonstration city as `approval dev` founds it, its packs deployed; copied, never used."""
    folder = tmp_path_factory.mktemp("city")

    template = Template(folder, lambda url: found(Settings(instance=folder / "instance", database_url=url)))
    yield template
    template.drop()


@pytest.fixture(scope="module")
def live(city: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOffice]:
    folder = tmp_path_factory.mktemp("live")
    instance = folder / "instance"
    shutil.copytree(city.folder / "instance", instance)
    with city.copy(instance) as url:
        origin = f"http://127.0.0.1:{free_port()}"
        live = LiveOffice(Settings(instance=instance, database_url=url, origin=origin))
        try:
            live.open()
            yield live
        finally:
            live.close()
        assert not live.faults()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not CHROMIUM.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"NOTHING IS PROVED IN A BROWSER: {CHROMIUM} is missing; run deploy/browser.sh as root")
    with browsers.launched(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, live: LiveOffice) -> Iterator[Callable[..., Page]]:
    """Open a window of its own: `visit("chen", by="certificate", language="en", size=NARROW, scripts=False)`."""
    pages: list[Page] = []
    complaints: list[str] = []

    def visit(code: str | None = None, *, by: str = "password", **how: Any) -> Page:
        page = browsers.come(browser, live.origin, **how)
        pages.append(page)
        browsers.watch(page.context, complaints)
        if code and by == "certificate":
            return browsers.sign_in_by_certificate(page, live.settings.instance / "people" / f"{code}.p12")
        return browsers.sign_in(page, code) if code else page

    yield visit
    for page in pages:
        page.context.close()
    assert not complaints


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    """A window in which nobody is signed in."""
    return visit()
