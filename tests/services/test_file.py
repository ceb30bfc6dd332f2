"""Filing: one case or one complete list of what is missing, nothing in between."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest
from sqlalchemy import select
from stdnum.iso7064 import mod_11_10

from approval.domain.actors import VISITOR
from approval.domain.errors import Incomplete, ItemClosed, NotAllowed, NotFound, NotSignedIn
from approval.domain.materials import Upload
from approval.models.cases import Case, Notice
from approval.models.items import ServiceItem
from approval.models.materials import Material, StoredContent
from approval.services import cases, packs
from tests.kit import races, walks
from tests.kit.samples import ITEM, MATERIALS, OPENING, RESTAURANT, RETAIL, at, uploads

ALL_OF_A_RESTAURANT = (*MATERIALS, "authorisation")


def refusal(office, answers=RETAIL, materials=None, **filing):
    before = walks.everything(office)
    with pytest.raises(Incomplete) as refused:
        walks.file(office, answers, materials, **filing)
    assert walks.everything(office) == before, "a refused filing leaves nothing behind"
    return {(missing.where, missing.why) for missing in refused.value.facts["missing"]}


@pytest.mark.article("行政许可法#32")
def test_what_is_missing_is_told_at_once(office):
    answers = RETAIL | {"contact_phone": "12", "business_form": "9", "premises": " ", "staff": -1}
    del answers["representative"]
    wrong = [
        Upload("layout_plan", "plan.pdf", b"MZ"),
        Upload("safety_rules", "rules.png", b"\x89PNG\r\n\x1a\n"),
        Upload("health_certificates", "h.pdf", b""),
        Upload("x_ray", "x.pdf", b"%PDF-"),
    ]
    assert refusal(office, answers, wrong) == {
        ("answers.representative", "required"),
        ("answers.contact_phone", "wrong-form"),
        ("answers.business_form", "not-a-choice"),
        ("answers.premises", "required"),
        ("answers.staff", "out-of-range"),
        ("materials.business_licence", "missing"),
        ("materials.layout_plan", "wrong-type"),
        ("materials.safety_rules", "wrong-type"),
        ("materials.health_certificates", "empty"),
        ("materials.x_ray", "not-asked-for"),
    }


def test_every_missing_thing_has_a_label_to_show(office):
    with pytest.raises(Incomplete) as refused:
        walks.file(office, {}, [])
    labels = {missing.where: missing.label for missing in refused.value.facts["missing"]}
    assert labels["answers.business_form"] == "主体业态"
    assert labels["materials.business_licence"] == "营业执照"


def test_a_question_that_nobody_asked_is_refused_and_one_that_is_hidden_is_not_kept(office):
    assert refusal(office, RETAIL | {"bribe": "1"}) == {("answers.bribe", "not-asked-for")}
    number = walks.file(office, RETAIL | {"seats": 900, "open_flame": True, "dining_area": 900})
    walks.walk(office, number, ("formal_check", "wang", {"result": "complete"}))
    assert "fire_opinion" not in walks.open_elements(office, number), "hidden answers decide nothing"


@pytest.mark.article("食品安全法#45")
def test_a_material_is_asked_for_only_when_the_answers_say_so(office):
    assert walks.file(office, RETAIL | {"staff": 0}, uploads(*MATERIALS[:3]))
    assert refusal(office, RETAIL | {"staff": 1}, uploads(*MATERIALS[:3])) == {
        ("materials.health_certificates", "missing")
    }


def test_a_material_larger_than_the_office_takes_is_refused(office):
    limit = office.settings.material_bytes
    assert walks.file(office, RETAIL, [*uploads(*MATERIALS[1:]), _pdf_of(limit)])
    assert refusal(office, RETAIL, [*uploads(*MATERIALS[1:]), _pdf_of(limit + 1)]) == {
        ("materials.business_licence", "too-large")
    }


def _pdf_of(size):
    return Upload("business_licence", "a.pdf", b"%PDF-".ljust(size, b" "))


def test_a_filed_case_stands_with_its_materials_countdown_journal_and_receipt(office):
    number = walks.file(office, materials=uploads() + uploads("layout_plan", content=b"%PDF-new"))
    stands = walks.outcome(office, number)
    assert (stands["status"], stands["journal"], stands["licence"]) == ("filed", ["case:filed"], None)
    assert stands["acceptance_due"].isoformat() == "2026-09-26"
    assert walks.open_elements(office, number) == {"formal_check", "acceptance_expired"}
    with office.work(read_only=True) as work:
        kept = work.session.scalars(select(Material).where(Material.replaced_at.is_(None))).all()
        assert {material.requirement for material in kept} == set(MATERIALS)
        (plan,) = (material for material in kept if material.requirement == "layout_plan")
        assert work.storage.get(plan.sha256) == b"%PDF-new", "the later file counts"
        (receipt,) = work.session.scalars(select(Notice))
        assert (receipt.code, receipt.facts) == ("receipt", {"number": number, "acceptance_due": "2026-09-26"})


def test_the_day_of_filing_is_the_legal_day(office, clock):
    clock.now = at("2026-09-21 00:10")  # still the 20th in UTC
    number = walks.file(office)
    assert number[9:17] == "20260921"
    assert walks.outcome(office, number)["acceptance_due"].isoformat() == "2026-09-26"


def test_a_case_number_says_where_when_and_what_and_checks_itself(office):
    first, second = walks.file(office), walks.file(office)
    assert first[:23] == "350500" + "102" + "20260921" + "2" + "00001"
    assert second[18:23] == "00002"
    assert len(first) == 24
    assert mod_11_10.is_valid(first)
    assert mod_11_10.is_valid(second)
    assert not mod_11_10.is_valid(f"{first[:22]}2{first[23]}")


def test_serials_begin_anew_every_day_and_a_failed_filing_gives_its_number_back(office, clock):
    walks.file(office)
    chen = walks.signed_in(office, "chen")
    with pytest.raises(ZeroDivisionError), office.work(by=chen) as work:  # noqa: PT012 -- the cut comes after the act
        cases.file(work, ITEM, RETAIL, uploads())
        raise ZeroDivisionError
    assert walks.file(office)[18:23] == "00002"
    clock.now = at("2026-09-22 09:00")
    assert walks.file(office)[9:23] == "20260922" + "2" + "00001"


def test_two_at_once_never_share_a_number(office):
    one, other = races.at_once(
        lambda: walks.file(office),
        lambda: walks.file(office, RESTAURANT, uploads(*ALL_OF_A_RESTAURANT), by=walks.signed_in(office, "wang")),
    )
    assert {one[18:23], other[18:23]} == {"00001", "00002"}


def test_a_second_click_is_the_same_case(office):
    first = walks.file(office, token="click")
    before = walks.everything(office)
    assert walks.file(office, token="click") == first
    assert walks.file(office, {}, [], token="click") == first, "the answer was given already"
    assert walks.everything(office) == before
    assert walks.file(office, token="another") != first
    assert walks.file(office) != first


def test_the_same_file_handed_in_by_two_at_once_is_kept_once(office):
    def put():
        with office.work() as work:
            return work.storage.put(b"%PDF-same")

    with ThreadPoolExecutor(1) as pool, office.work() as work:
        mine = work.storage.put(b"%PDF-same")
        theirs = pool.submit(put)
        sleep(0.2)  # until they wait for us to commit
        work.session.commit()
        assert theirs.result(60) == mine
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(StoredContent.sha256)).all()) == 1


def test_two_clicks_at_once_are_one_case(office):
    one, other = races.at_once(*[lambda: walks.file(office, token="click")] * 2)
    assert one == other
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(Case)).all()) == 1


def test_a_token_belongs_to_whoever_sent_it(office):
    assert walks.file(office, token="click") != walks.file(office, token="click", by=walks.signed_in(office, "wang")), (
        "nobody obtains a stranger's case with a guessed token"
    )


def test_an_item_that_is_closed_or_unknown_takes_no_case(office):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        for unknown in ("no-such-item", "", "_shared", "\0"):
            with pytest.raises(NotFound):
                cases.file(work, unknown, RETAIL, uploads())
    with office.work() as work:
        work.session.get_one(ServiceItem, ITEM).closed_at = OPENING
    before = walks.everything(office)
    with pytest.raises(ItemClosed):
        walks.file(office)
    assert walks.everything(office) == before


@pytest.mark.article("行政许可法#29")
def test_an_agent_files_for_an_organization_with_a_letter(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    assert refusal(office, RESTAURANT, uploads(), by=agent) == {("materials.authorisation", "missing")}
    number = walks.file(office, RESTAURANT, uploads(*ALL_OF_A_RESTAURANT), by=agent)
    with office.work(by=agent, read_only=True) as work:
        assert [case.number for case in cases.mine(work)] == [number]
    with office.work(by=walks.signed_in(office, "lin"), read_only=True) as work:
        assert cases.mine(work) == [], "what is the organization's is not the agent's own"


def test_nobody_acts_for_an_organization_without_agency(office):
    with pytest.raises(NotAllowed):
        walks.signed_in(office, "chen", "restaurant")
    with pytest.raises(NotFound):
        walks.signed_in(office, "lin", "no-such-organization")


def test_an_item_serves_only_whom_its_manifest_names(office, pack):
    toml = pack.files["item.toml"].replace(b'serves = ["person", "organization"]', b'serves = ["organization"]')
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": toml}))
    with pytest.raises(NotAllowed) as refused:
        walks.file(office)
    assert refused.value.facts["serves"] == ["organization"]


def test_a_visitor_signs_in_first(office):
    with pytest.raises(NotSignedIn):
        walks.file(office, by=VISITOR)
