"""Airplane mode: a page that was opened once judges a printed QR code with no network at all."""

import json
import time
from io import BytesIO

import pypdfium2
import pytest

from approval.domain.actors import VISITOR
from approval.services import licences, offline
from certificates import CODE_FILE, Act, jose
from certificates.renditions import inside
from tests.kit import walks
from tests.kit.browsers import NARROW, require_fair
from tests.kit.live import wait_for
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN

pytestmark = pytest.mark.long


@pytest.fixture
def licence(live):
    """The number, token, code and picture of a licence that the worker of a living office drew."""

    def issue(office):
        number = walks.file(office)
        walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
        return number

    case = live.do(issue)

    def drawn(office):
        with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
            pdf = licences.rendition(work, case)
            found = licences.of_case(work, walks.case(work, case))
            return pdf and (found.number, found.token, inside(pdf)[1][CODE_FILE].decode(), picture(pdf))

    wait_for(lambda: live.do(drawn), "the worker drew no licence")
    return live.do(drawn)


def picture(pdf):
    out = BytesIO()
    pypdfium2.PdfDocument(pdf)[0].render(scale=200 / 72).to_pil().save(out, "PNG")
    return {"name": "licence.png", "mimeType": "image/png", "buffer": out.getvalue()}


def published(live):
    def known(office):
        with office.work(by=VISITOR, read_only=True) as work:
            return b'"lists":{}' not in offline.kit(work)

    wait_for(lambda: live.do(known), "the worker signed no status list")


def verdict(page):
    page.wait_for_selector("#result:not([hidden])")
    return page.inner_text("#outcome")


def perform(office, number, act):
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, act, reason="整改", basis="第六十四条")


def said(jws):
    return json.loads(jose.unb64(jws.split(".")[1]))


def test_a_printed_code_is_judged_in_airplane_mode(visit, live, licence):
    number, token, code, print_ = licence
    published(live)
    page = visit(size=NARROW)
    page.goto("/verify/offline")
    page.wait_for_selector("#kit:not([hidden])")
    page.evaluate("navigator.serviceWorker.ready")
    wait_for(lambda: page.evaluate("caches.match('/verify/offline').then(found => !!found)"), "the page was not kept")
    page.context.set_offline(True)
    page.reload()
    page.set_input_files("#picture", print_)
    assert verdict(page) == "证照真实、有效"
    assert number in page.inner_text("#licence")
    require_fair(page)
    # A camera that reads the code opens its address: the page is there too, and reads what stands behind the #.
    page.goto("about:blank")
    page.goto(f"/verify/{token}#{code}")
    assert verdict(page) == "证照真实、有效"
    page.fill("#code", code[:-8] + "AAAAAAAA")
    page.click("#typed button")
    page.wait_for_selector("#outcome:text('内容被改动过')")
    # With a network again, what befell the licence since is known.
    live.do(lambda office: perform(office, number, Act.SUSPEND))
    page.context.set_offline(False)

    def told():
        page.goto("about:blank")
        page.goto(f"/verify/offline#{code}")
        return "暂扣" in verdict(page)

    wait_for(told, "the page did not learn of the suspension")


def test_a_seal_that_was_not_good_when_it_signed_is_never_a_yes(visit, live, licence):
    number, _, code, _ = licence
    at, issuer = said(code)["iat"], said(code)["id"].split(".")[6]
    time.sleep(1.1)  # so that the list is signed in a later second than the code
    for act in (Act.SUSPEND, Act.RESUME):
        live.do(lambda office, act=act: perform(office, number, act))

    def fetched(office):
        with office.work(by=VISITOR, read_only=True) as work:
            kit = json.loads(offline.kit(work))
        return kit if said(kit["lists"].get(issuer, code))["iat"] > at else None

    wait_for(lambda: live.do(fetched), "no list was signed anew")
    kit = live.do(fetched)
    for changes, verdict_ in (
        ({}, "证照真实、有效"),
        ({"terms": [0, at]}, "现在无法得出结论"),
        ({"withdrawn": at + 1}, "现在无法得出结论"),
        ({"known_until": at - 1}, "现在无法得出结论"),
    ):
        altered = json.dumps({**kit, "seals": [{**seal, **changes} for seal in kit["seals"]]})
        page = visit()
        page.add_init_script(f"""const real = fetch;
            window.fetch = async (what, how) => what === "/verify/kit.json"
                ? new Response({json.dumps(altered)}) : real(what, how);""")
        page.goto(f"/verify/offline#{code}")
        assert verdict(page) == verdict_, changes


def test_nobody_is_left_with_a_blank_page_without_scripts(visit):
    page = visit(scripts=False, language="en")
    page.goto("/verify/offline")
    assert "JavaScript" in page.inner_text("main")
    assert not page.locator("#ways").is_visible()
