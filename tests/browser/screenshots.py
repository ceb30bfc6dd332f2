"""Pictures of the main pages, 1280 and 320 px wide: `python -m tests.browser.screenshots FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page
from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.models.items import ItemVersion
from approval.settings import Settings
from certificates import Licence
from tests.kit import browsers, catalogues, roads, walks
from tests.kit.browsers import NARROW, WIDE
from tests.kit.live import LiveOffice, found, free_port, wait_for
from tests.kit.samples import (
    ACCEPT,
    ADVISE,
    COUNTERSIGN,
    FIRE,
    ITEM,
    MATERIALS,
    RESTAURANT,
    REVIEW,
    SIGN,
    VISIT,
    uploads,
)


def main(folder: Path) -> None:
    """Walk as everybody, and save a picture of each page."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogues.compile_all()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(instance=Path(home) / "instance", origin=f"http://127.0.0.1:{free_port()}")
        found(settings)
        live = LiveOffice(settings)
        try:
            live.open()
            under_way, licence, version = live.do(_walk)
            with browsers.launched(Path(home)) as browser:
                for size in (WIDE, NARROW):
                    _take(browsers.come(browser, live.origin, size=size), folder, under_way, licence, version)
        finally:
            live.close()


def _walk(office):
    lin = walks.signed_in(office, "lin", "restaurant")
    papers = uploads(*MATERIALS, "authorisation", content=roads.pdf())
    granted = walks.file(office, RESTAURANT, papers, by=lin)
    walks.walk(office, granted, ACCEPT, FIRE, REVIEW, VISIT, COUNTERSIGN, ADVISE, SIGN)
    under_way = walks.file(office, RESTAURANT, papers, by=lin)
    walks.walk(office, under_way, ACCEPT)

    def concluded():
        with office.work(by=SYSTEM, read_only=True) as work:
            return walks.case(work, granted).status == "concluded"

    wait_for(concluded, "the licence was not drawn")
    with office.work(by=SYSTEM, read_only=True) as work:
        licence = work.session.scalars(select(Licence)).one()
        return under_way, licence.token, work.session.scalars(select(ItemVersion.id)).one()


def _take(page: Page, folder: Path, under_way: str, licence: str, version: object) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0

    def take(name: str, path: str = "") -> None:
        if path:
            page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)

    take("01-home", "/")
    take("02-guide", f"/items/{ITEM}")
    browsers.sign_in(page, "chen")
    page.goto(f"/items/{ITEM}/begin")
    roads.go(page.locator("main form button.btn-primary"))
    draft = page.url
    page.goto(f"{draft}/answers/business")
    roads.answer(page, RESTAURANT)
    take("03-filing", f"{draft}/answers/site")
    take("04-materials", f"{draft}/materials")
    take("05-check", f"{draft}/check")
    browsers.sign_in(page, "lin")
    take("06-case", f"/my/cases/{under_way}?for=restaurant")
    take("07-licences", "/my/licences?for=restaurant")
    take("08-verification", f"/verify/{licence}")
    browsers.sign_in(page, "huang")
    take("09-queue", "/window/tasks")
    if page.locator("table form button").count():
        roads.claim(page, under_way)
    else:
        page.click("table td.name a")
    take("10-task")
    browsers.sign_in(page, "admin")
    take("11-version", f"/admin/versions/{version}")
    take("12-packs", "/admin/packs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
