"""Asked once: a material that is a licence in the store comes from there, on record, and nobody uploads it."""

import pytest

from approval.domain.errors import Incomplete, PackRefused
from approval.services import cases, dossiers, drafts, journal, licences, materials, packs, sharing, surveys
from certificates import Act, State
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, RETAIL, REVIEW, SIGN, at, uploads

FOOD = b"11100000000013338W032"
# An item that asks for a food licence where the other asks for a business licence.
ITEM = "catering-filing"
ASKED = b'licences = ["11100000MB0143028R001"]'
OTHERS = [upload for upload in uploads() if upload.requirement != "business_licence"]


@pytest.fixture
def number(office):
    """The food licence of chen, drawn and sealed."""
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.mine(work)[0].number


@pytest.fixture
def offered(office, pack):
    manifest = pack.files["item.toml"].replace(b'code = "food-business-licence"', b'code = "catering-filing"', 1)
    assert ASKED in manifest
    manifest = manifest.replace(ASKED, b'licences = ["%b"]' % FOOD)
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": manifest}))


def filed(office, who="chen", given=OTHERS, answers=RETAIL):
    with office.work(by=walks.signed_in(office, who)) as work:
        return cases.file(work, ITEM, answers, given).number


def of_case(office, case):
    with office.work(read_only=True) as work:
        return {one.requirement: one for one in materials.of_case(work, walks.case(work, case))}


@pytest.mark.article("国务院关于在线政务服务的若干规定#13")
def test_a_licence_in_the_store_answers_what_is_asked_for(office, offered, number):
    case = filed(office)
    found = of_case(office, case)["business_licence"]
    assert (found.licence, found.filename, found.media_type) == (number, f"{number}.pdf", "application/pdf")
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert materials.content(work, found)[1] == licences.own_rendition(work, number)
        (look,) = sharing.looks(work)
        assert (look.number, look.ground, look.department_code) == (number, sharing.Ground.FILING, "SCJ")
        assert "营业执照" in look.purpose
        assert look.basis
        assert {"operator", "premises"} <= set(look.fields)
        assert "licence:shown" in {line.tag for line in journal.read(work, walks.case(work, case))}


def test_the_licence_from_the_store_stands_beside_the_application(office, offered, number):
    same, other = filed(office), filed(office, answers=RETAIL | {"premises": "泉州市鲤城区别处路9号"})
    for case, agrees in ((same, True), (other, False)):
        with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
            found = dossiers.read(work, walks.case(work, case)).licences[number]
            elements = {element.name: element for element in found.elements}
            assert (found.licence.number, found.licence.state) == (number, State.VALID)
            assert elements["premises"].agrees is agrees
            assert elements["residence"].agrees
            assert elements["business_form"].agrees
            assert elements["premises"].value == RETAIL["premises"]
            assert elements["premises"].label.zh == "经营场所"
            assert (elements["activities"].agrees, elements["operator"].agrees) == (None, None)


def test_what_befell_the_licence_since_shows_beside_the_application(office, offered, number):
    case = filed(office)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.SUSPEND, reason="整改", basis="第六十四条")
    with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
        assert dossiers.read(work, walks.case(work, case)).licences[number].licence.state == State.SUSPENDED


def test_a_file_that_was_handed_in_is_compared_with_nothing(office, offered, number):
    case = filed(office, given=uploads())
    with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
        assert dossiers.read(work, walks.case(work, case)).licences == {}


def test_whoever_uploads_a_file_is_taken_at_their_word_and_nobody_looks(office, offered, number):
    found = of_case(office, filed(office, given=uploads()))["business_licence"]
    assert found.licence is None
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert sharing.looks(work) == []


@pytest.mark.parametrize("case", ["another's", "suspended", "expired", "not drawn yet"])
def test_no_other_licence_answers_it(office, offered, number, clock, case):
    who = "lin" if case == "another's" else "chen"
    if case == "suspended":
        with office.work(by=walks.signed_in(office, "cai")) as work:
            licences.perform(work, number, Act.SUSPEND, reason="整改", basis="第六十四条")
    if case == "expired":
        clock.now = at("2032-01-05 10:00")
    if case == "not drawn yet":
        with office.work(by=walks.signed_in(office, "cai")) as work:
            licences.perform(work, number, Act.SUSPEND, reason="整改", basis="第六十四条")
        walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    with pytest.raises(Incomplete) as refused:
        filed(office, who)
    assert [missing.where for missing in refused.value.facts["missing"]] == ["materials.business_licence"]


def test_a_draft_says_what_comes_from_the_store_and_goes_in_without_it(office, offered, number):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        draft = drafts.begin(work, ITEM)
        draft.answers = dict(RETAIL)
        survey = surveys.look(work, draft)
        assert {code: licence.number for code, licence in survey.held.items()} == {"business_licence": number}
        assert "materials.business_licence" not in {each.where for each in survey.lacking}
        for upload in OTHERS:
            drafts.attach(work, draft, upload)
        case = drafts.hand_in(work, draft.id).number
    assert of_case(office, case)["business_licence"].licence == number


def test_a_correction_finds_what_came_into_the_store_since(office, offered):
    case = filed(office, given=uploads())
    walks.walk(office, case, ASK)
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.correct(work, case, RETAIL, [])
    assert of_case(office, case)["business_licence"].licence is None, "what was handed in stays"


def test_a_pack_that_names_no_type_of_licence_is_refused(pack):
    for wrong in (b'licences = ["business"]', b"licences = []", ASKED + b'\nformats = ["png"]\nx = 1'):
        text = pack.files["item.toml"].replace(ASKED, wrong, 1)
        if b"png" in wrong:
            text = text.replace(b'copies = 1\nformats = ["pdf", "png", "jpeg"]\n', b"copies = 1\n", 1)
        with pytest.raises(PackRefused) as refused:
            packs.read({**pack.files, "item.toml": text})
        assert [fault.element for fault in refused.value.facts["faults"]] == ["materials[1].licences"]
