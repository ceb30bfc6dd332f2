"""Every page there is, opened by whoever it is for: in both languages, wide and narrow, with a case under way."""

import pytest
from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.models.items import ItemVersion
from approval.models.materials import Material
from approval.models.notices import FormalNotice
from approval.models.people import Person
from approval.models.tasks import Task
from approval.services import drafts, licences, parties
from tests.kit import blocks, browsers, roads, walks
from tests.kit.browsers import NARROW, WIDE, require_fair, require_fit
from tests.kit.samples import ACCEPT, ADVISE, ITEM, RESTAURANT, REVIEW, SIGN, uploads
from tests.services.test_parties import NEIGHBOURS

pytestmark = pytest.mark.long

NOWHERE = "/nowhere"
PUBLIC = ("/", "/search?q=食品", f"/items/{ITEM}", "/verify", "/verify/unknown", "/verify/notices/none", "/sign-in",
          "/sign-in/certificate", "/switch", "/styles", NOWHERE)  # fmt: skip


@pytest.fixture(scope="module")
def places(live):
    """Lay everything out that a page can show, and say who sees which address."""
    return live.do(_lay_out)


def _lay_out(office):
    pdf = roads.pdf(pages=2)
    number = walks.file(office, RESTAURANT, uploads(content=pdf), by=walks.signed_in(office, "chen"))
    walks.walk(office, number, ACCEPT)
    waiting = walks.file(office, RESTAURANT, uploads(content=pdf), by=walks.signed_in(office, "chen"))
    granted = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    concerning = blocks.accepted(office, "interested_parties_procedure")
    walks.complete(office, concerning, NEIGHBOURS)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        draft = f"/drafts/{drafts.begin(work, ITEM).id}"
    with office.work(by=SYSTEM, read_only=True) as work:
        case = walks.case(work, number)
        task = work.session.scalars(select(Task.id).where(Task.element == "document_review", Task.case_id == case.id))
        material = work.session.scalars(select(Material.id).where(Material.case_id == case.id)).first()
        version = work.session.scalars(select(ItemVersion.id).where(ItemVersion.item_code == ITEM)).one()
        lin, ye = parties.of_case(work, walks.case(work, concerning))
        letter = parties.letters(work, walks.case(work, concerning))[ye.id].token
        licence = licences.of_case(work, walks.case(work, granted)).number
        person = work.session.scalars(select(Person.id).where(Person.code == "wang")).one()
        task = task.one()
        formal = work.session.scalars(select(FormalNotice.id).where(FormalNotice.case_id == case.id)).first()
    section = "answers/business"
    return {
        "chen": [
            *("/my/cases", "/my/notices", "/my/licences", f"/my/cases/{number}", f"/my/cases/{number}/receipt"),
            f"/my/cases/{granted}/countdowns/decision",
            *(f"/my/licences/{licence}/export", f"/my/notices/{formal}", "/my/delivery"),
            *(f"/my/cases/{number}/withdraw", f"/my/cases/{granted}", f"/materials/{material}"),
            *(f"/items/{ITEM}/begin", draft, f"{draft}/materials", f"{draft}/check", f"{draft}/discard"),
            f"{draft}/{section}",
        ],
        "huang": [
            *("/window/tasks", "/window/tasks?tab=free", "/window/tasks?tab=all&number=nothing"),
            *(f"/window/tasks/{task}", f"/window/cases/{number}", f"/window/cases/{granted}"),
            *(f"/window/cases/{number}/countdowns", f"/window/cases/{number}/countdowns/decision"),
            *(f"/window/notices/{formal}", f"/window/cases/{number}/notices/hearing"),
            *(f"/window/cases/{concerning}", f"/window/parties/{ye.id}"),
        ],
        "lin": ["/my/cases", f"/my/concerns/{lin.id}"],
        "ye": [f"/my/concerns/letter/{letter}"],
        "wang": [f"/window/tasks?number={waiting}"],
        "admin": [
            *("/admin/packs", f"/admin/versions/{version}", "/admin/people", "/admin/people/new"),
            *(f"/admin/people/{person}", f"/admin/people/{person}/disable", f"/admin/cases/{number}"),
            *(
                f"/admin/items/{ITEM}/close",
                "/admin/incidents",
                "/admin/notices",
                f"/admin/versions/{version}/migration",
            ),
            *(f"/admin/cases/{number}/hold", f"/admin/cases/{number}/move/{task}"),
        ],
    }


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_is_fair_to_everyone(visit, live, path):
    require_fair_in_both_languages(visit(), live.origin, path)


@pytest.mark.parametrize("code", ["chen", "lin", "ye", "huang", "wang", "admin"])
def test_the_pages_of_each_person_are_fair_to_everyone(visit, live, places, code):
    page = visit(code)
    for path in places[code]:
        require_fair_in_both_languages(page, live.origin, path)


def test_single_keys_work_on_the_queue_until_they_are_turned_off(visit, live, places):
    page = visit("wang")
    page.goto("/window/tasks?tab=all")
    first = page.locator("table.queue tbody tr .name a").first
    page.keyboard.press("j")
    assert first.evaluate("link => link === document.activeElement")
    page.get_by_text("键盘操作").click()
    page.get_by_label("在这个浏览器里停用单键操作").check()
    page.reload()
    page.keyboard.press("j")
    assert not first.evaluate("link => link === document.activeElement")


def test_an_offer_to_a_wallet_is_fair_to_everyone(visit, live, places):
    page = visit("chen")
    browsers.speak(page.context, live.origin, "zh")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.goto(next(path for path in places["chen"] if path.endswith("/export")))
    page.get_by_role("button", name="存入钱包").click()
    assert page.get_by_role("link", name="在钱包中打开").get_attribute("href").startswith("openid-credential-offer://?")
    assert page.get_by_role("img", name="领取二维码").evaluate("picture => picture.naturalWidth") > 0
    require_fair(page)
    require_fit(page)


def require_fair_in_both_languages(page, origin, path):
    """Chinese on a phone and English on a desk are looked at through and through, all four for their width."""
    for language, size in (("zh", NARROW), ("en", WIDE)):
        browsers.speak(page.context, origin, language)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        reply = page.goto(path)
        assert reply.ok or path == NOWHERE, f"{path} answers {reply.status}"
        require_fair(page)
        other = WIDE if size == NARROW else NARROW
        page.set_viewport_size({"width": other[0], "height": other[1]})
        require_fit(page)
