"""The main job in a real browser: file, correct, accept, opinions side by side, site visit, decide, licence, verify."""

import re
from io import BytesIO

import pikepdf
import pytest
import segno
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.models.cases import Case
from tests.kit import roads
from tests.kit.browsers import NARROW, require_fair, require_fit
from tests.kit.live import wait_for
from tests.kit.samples import ACCEPT, ADVISE, ASK, COUNTERSIGN, FIRE, MATERIALS, RESTAURANT, REVIEW, SIGN, VISIT

PAPERS = (*MATERIALS, "authorisation")
QUIET = 2  # modules of white around the code


def case_of(live, number):
    def look(office):
        with office.work(by=SYSTEM, read_only=True) as work:
            case = work.session.scalars(select(Case).where(Case.number == number)).one()
            return case.status, case.decision

    return live.do(look)


def read_code(picture, size):
    """Read the modules of a code from what the screen shows, as a camera would."""
    image = Image.open(BytesIO(picture)).convert("L")
    step = image.width / (size + 2 * QUIET)
    return tuple(
        bytes(image.getpixel((int((column + QUIET + 0.5) * step), int((row + QUIET + 0.5) * step))) < 128
              for column in range(size))
        for row in range(size)
    )  # fmt: skip


def require_licence(page, visit, live, number, look):
    """Download the licence, and verify it as a stranger: by its code, by its link, by the file; and not a forgery."""
    wait_for(lambda: case_of(live, number) == ("concluded", "granted"), "the licence was not drawn")
    page.goto(f"/my/cases/{number}?for=restaurant")
    look(page)
    with page.expect_download() as download:
        page.click("a[href*='licence.pdf']")
    pdf = download.value.path().read_bytes()

    page.goto("/my/licences?for=restaurant")  # the newest first
    look(page)
    address = live.origin + page.locator("figure a").first.get_attribute("href")
    code = segno.make(address, error="m", micro=False)
    assert read_code(page.locator("figure img").first.screenshot(), len(code.matrix)) == tuple(code.matrix)
    printed = re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(pdf)).pages))
    assert address in printed

    stranger = visit()
    stranger.goto(address)
    require_fair(stranger)
    assert stranger.locator(".verdict.holds").count()
    for content, verdict in ((pdf, "holds"), (forged(pdf), "fails")):
        stranger.goto("/verify")
        stranger.set_input_files(
            "input[type=file]", {"name": "l.pdf", "mimeType": "application/pdf", "buffer": content}
        )
        roads.go(stranger.locator("form[method=post][enctype] button"))
        require_fair(stranger)
        assert stranger.locator(f".verdict.{verdict}").count()


def forged(pdf):
    changed = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.pages[0].rotate(90, relative=True)
        document.save(changed)
    return changed.getvalue()


def test_the_road_by_password_with_the_citizen_on_a_small_screen_without_javascript(visit, live, twin):
    lin = visit("lin", size=NARROW, scripts=False)
    number = roads.file(lin, RESTAURANT, PAPERS, applicant="restaurant", look=twin)
    lin.go_back()
    assert "/my/cases/" in lin.url  # handed in is handed in

    look = roads.each_once(require_fair)
    wang = visit("wang")
    roads.complete(wang, number, ASK[2], look=look)
    lin.goto("/my/cases?for=restaurant")
    twin(lin)
    roads.correct(lin, number, "已经补画贮存区。", ("layout_plan",), look=twin)
    assert case_of(live, number) == ("filed", None)
    roads.complete(wang, number, ACCEPT[2], look=look)

    su, huang = visit("su"), visit("huang")
    roads.claim(su, number)
    roads.claim(huang, number)  # both departments at work on it at once
    roads.fill(su, FIRE[2])
    live.web.kill()
    live.worker.kill()
    live.web.start()
    live.worker.start()
    live.await_web()
    roads.answer(su, FIRE[2])
    roads.answer(huang, REVIEW[2])

    for _, code, given in (VISIT, COUNTERSIGN):  # on site, with a phone
        roads.complete(visit(code, size=NARROW), number, given, look=look)
    roads.complete(visit("xu"), number, ADVISE[2], look=look)
    roads.complete(visit("cai"), number, SIGN[2])
    live.worker.kill()
    live.worker.start()
    require_licence(lin, visit, live, number, twin)


@pytest.fixture
def twin(visit):
    """Look at the same page with JavaScript too: axe needs it. Without it, nothing is wider than the window."""
    other = visit(size=NARROW)

    def look(page):
        require_fit(page)
        if page.request.get(page.url).ok:
            other.context.add_cookies(page.context.cookies())
            other.goto(page.url)
            require_fair(other)

    return roads.each_once(look)


@pytest.mark.long
def test_the_road_by_certificate_in_english(visit, live):
    look = roads.each_once(require_fair)
    lin = visit("lin", by="certificate", language="en")
    number = roads.file(lin, RESTAURANT, PAPERS, applicant="restaurant", look=look)
    for _, code, given in (ACCEPT, REVIEW, FIRE, VISIT, COUNTERSIGN, ADVISE, SIGN):
        roads.complete(visit(code, by="certificate", language="en"), number, given, look=look)
    require_licence(lin, visit, live, number, look)
