"""Drafts: saved as typed, resumed anywhere, handed in once, and forgotten in time with all that belongs to them."""

from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.domain.errors import (
    DraftExpired,
    Incomplete,
    ItemClosed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OutOfTurn,
)
from approval.domain.materials import Upload
from approval.models.cases import Answers, Case
from approval.models.drafts import Draft, DraftMaterial
from approval.models.items import ServiceItem
from approval.models.materials import Material, StoredContent
from approval.models.people import Agency
from approval.services import cases, drafts, packs, surveys, workers
from approval.services.rehearsals import SAMPLE_PDF
from approval.services.surveys import Part, Progress
from tests.kit import races, walks
from tests.kit.samples import ASK, ITEM, MATERIALS, OPENING, RESTAURANT, RETAIL, at, uploads


@pytest.fixture
def chen(office):
    return walks.signed_in(office, "chen")


PLAN = "经营场所设备设施布局图和操作流程"


def begin(office, by):
    with office.work(by=by) as work:
        return drafts.begin(work, ITEM).id


@contextmanager
def opened(office, by, draft_id):
    with office.work(by=by) as work:
        yield drafts.enter(work, draft_id, lock=True)


def save(office, by, draft_id, answers):
    with opened(office, by, draft_id) as (work, draft):
        for section in surveys.look(work, draft).form.sections:
            drafts.save(work, draft, section, answers)


def attach(office, by, draft_id, *files):
    for upload in files:
        with opened(office, by, draft_id) as (work, draft):
            drafts.attach(work, draft, upload)


def filled(office, by, answers=RETAIL, codes=MATERIALS):
    draft_id = begin(office, by)
    save(office, by, draft_id, answers)
    attach(office, by, draft_id, *uploads(*codes))
    return draft_id


def hand_in(office, by, draft_id):
    with office.work(by=by) as work:
        return drafts.hand_in(work, draft_id).number


def look(office, by, draft_id):
    with office.work(by=by, read_only=True) as work:
        return surveys.look(*drafts.enter(work, draft_id))


def steps(office, by, draft_id):
    return [
        (step.section.key if step.section else step.part, step.progress) for step in look(office, by, draft_id).steps
    ]


def kept(office):
    with office.work(read_only=True) as work:
        return set(work.session.scalars(select(StoredContent.sha256)))


def test_a_draft_is_handed_in_whole_and_gone(office, chen):
    draft_id = filled(office, chen)
    number = hand_in(office, chen, draft_id)
    assert walks.outcome(office, number)["status"] == "filed"
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Material.requirement)).all() == sorted(MATERIALS)
        assert work.session.scalars(select(Answers.content)).one()["premises"] == RETAIL["premises"]
        assert not work.session.scalars(select(Draft)).all()
        assert not work.session.scalars(select(DraftMaterial)).all()


def test_coming_back_resumes_the_draft_and_another_applicant_has_another(office):
    lin, agent = walks.signed_in(office, "lin"), walks.signed_in(office, "lin", "restaurant")
    own, theirs = begin(office, lin), begin(office, agent)
    assert own != theirs
    assert (begin(office, lin), begin(office, agent)) == (own, theirs)


def test_two_who_begin_at_once_have_one_draft(office, chen):
    one, other = races.at_once(*[lambda: begin(office, chen)] * 2)
    assert one == other


def test_answers_are_kept_as_typed_right_or_wrong(office, chen):
    draft_id = begin(office, chen)
    save(office, chen, draft_id, {"representative": "  陈 ", "contact_phone": "12", "staff": "many"})
    survey = look(office, chen, draft_id)
    assert survey.given == {"representative": "  陈 ", "contact_phone": "12", "staff": "many"}
    assert {("answers.contact_phone", "wrong-form"), ("answers.staff", "not-a-number")} <= {
        (entry.where, entry.why) for entry in survey.missing
    }


def test_two_tabs_never_lose_each_others_sections(office, chen):
    draft_id = begin(office, chen)

    def tab(key, **answers):
        def send():
            with opened(office, chen, draft_id) as (work, draft):
                section = next(each for each in surveys.look(work, draft).form.sections if each.key == key)
                drafts.save(work, draft, section, answers)

        return send

    for _ in range(5):
        races.at_once(tab("operator", residence="一"), tab("site", premises="二", residence="not its own"))
        assert look(office, chen, draft_id).given == {"residence": "一", "premises": "二"}


def test_steps_say_how_far_each_is(office, chen):
    draft_id = begin(office, chen)
    everything = ["operator", "business", "site", "people", Part.MATERIALS]
    assert steps(office, chen, draft_id) == [(step, Progress.NOT_STARTED) for step in everything]
    save(office, chen, draft_id, RETAIL | {"contact_phone": "12"})
    attach(office, chen, draft_id, *uploads("layout_plan"))
    done, begun = Progress.DONE, Progress.BEGUN
    assert steps(office, chen, draft_id) == list(zip(everything, [begun, done, done, done, begun], strict=True))
    save(office, chen, draft_id, RESTAURANT | {"seats": ""})
    assert dict(steps(office, chen, draft_id))["site"] == begun, "what an answer brought up is asked for"


def test_the_way_leads_to_the_next_step_that_is_open(office, chen):
    draft_id = begin(office, chen)
    survey = look(office, chen, draft_id)
    last = survey.form.sections[-1]
    assert survey.after(Part.ANSWERS, last).part == Part.MATERIALS
    assert survey.after(Part.MATERIALS).section == survey.form.sections[0]
    survey = look(office, chen, filled(office, chen))
    assert survey.after(Part.ANSWERS, last) is None


def test_what_is_missing_is_told_at_once_and_nothing_is_filed(office, chen):
    draft_id = begin(office, chen)
    save(office, chen, draft_id, RETAIL | {"premises": ""})
    before = walks.everything(office)
    with pytest.raises(Incomplete) as refused:
        hand_in(office, chen, draft_id)
    assert {entry.where for entry in refused.value.facts["missing"]} == {
        "answers.premises",
        *(f"materials.{code}" for code in MATERIALS),
    }
    assert walks.everything(office) == before


def test_a_second_click_is_the_same_case(office, chen):
    draft_id = filled(office, chen)
    assert len(set(races.at_once(*[lambda: hand_in(office, chen, draft_id)] * 2))) == 1
    with office.work(by=chen, read_only=True) as work:
        assert drafts.settled(work, draft_id).number == hand_in(office, chen, draft_id)
        assert len(work.session.scalars(select(Case)).all()) == 1


def test_a_draft_is_nobody_elses(office, chen):
    draft_id = filled(office, chen)
    for stranger in (walks.signed_in(office, "lin"), walks.signed_in(office, "admin")):
        for act in (look, hand_in):
            with pytest.raises(NotFound):
                act(office, stranger, draft_id)
        with office.work(by=stranger) as work, pytest.raises(NotFound):
            drafts.file(work, draft_id, "layout_plan")
        with office.work(by=stranger, read_only=True) as work:
            assert drafts.mine(work) == []
    with office.work(by=VISITOR) as work, pytest.raises(NotFound):
        drafts.enter(work, draft_id)
    with office.work(by=VISITOR) as work, pytest.raises(NotSignedIn):
        drafts.begin(work, ITEM)
    hand_in(office, chen, draft_id)
    with office.work(by=walks.signed_in(office, "lin"), read_only=True) as work:
        assert drafts.settled(work, draft_id) is None
    with pytest.raises(NotFound):
        look(office, chen, uuid4())


def test_who_is_no_agent_any_more_loses_the_organizations_draft(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    draft_id = begin(office, agent)
    lin = walks.signed_in(office, "lin")
    assert look(office, lin, draft_id), "the draft knows for whom it is"
    with office.work(by=lin) as work, pytest.raises(NotFound):
        drafts.obtain(work, draft_id)
    with office.work() as work:
        work.session.delete(work.session.scalars(select(Agency)).one())
    with pytest.raises(NotFound):
        look(office, lin, draft_id)


def test_an_item_that_is_closed_or_serves_others_takes_no_draft(office, chen, pack):
    toml = pack.files["item.toml"].replace(b'serves = ["person", "organization"]', b'serves = ["organization"]')
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": toml}))
    with pytest.raises(NotAllowed):
        begin(office, chen)
    agent = walks.signed_in(office, "lin", "restaurant")
    draft_id = begin(office, agent)
    with office.work() as work:
        work.session.get_one(ServiceItem, ITEM).closed_at = OPENING
    with pytest.raises(ItemClosed):
        begin(office, agent)
    save(office, agent, draft_id, RESTAURANT)
    attach(office, agent, draft_id, *uploads(*MATERIALS, "authorisation"))
    with pytest.raises(ItemClosed):
        hand_in(office, agent, draft_id)


def test_a_draft_follows_its_item_to_a_new_version(office, chen, pack):
    draft_id = filled(office, chen)
    form = pack.files["forms/filing.json"].replace(b'"staff"', b'"workers"').replace(b'"delivery"', b'"handing_over"')
    toml = pack.files["item.toml"].replace(b"answers.staff", b"answers.workers")
    toml = toml.replace(b'code = "safety_rules"', b'code = "house_rules"')
    scenarios = {path: content for path, content in pack.files.items() if not path.startswith("scenarios/")}
    with office.work() as work:
        packs.deploy(work, packs.read({**scenarios, "item.toml": toml, "forms/filing.json": form}))
    with pytest.raises(Incomplete) as refused:
        hand_in(office, chen, draft_id)
    assert {entry.where for entry in refused.value.facts["missing"]} == {
        "answers.workers",
        "answers.handing_over",
        "materials.house_rules",
    }
    save(office, chen, draft_id, {"workers": 2, "handing_over": "electronic"})
    attach(office, chen, draft_id, *uploads("house_rules"))
    assert hand_in(office, chen, draft_id)


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (Upload("layout_plan", "plan.pdf", b"MZ"), "wrong-type"),
        (Upload("layout_plan", "../../etc/passwd", SAMPLE_PDF), "wrong-type"),
        (Upload("layout_plan", ".pdf", SAMPLE_PDF), "wrong-type"),
        (Upload("layout_plan", "", b""), "empty"),
        (Upload("safety_rules", "rules.png", b"\x89PNG\r\n\x1a\n"), "wrong-type"),
        (Upload("x_ray", "x.pdf", SAMPLE_PDF), "not-asked-for"),
    ],
)
def test_a_file_that_is_not_what_was_asked_for_is_refused_at_once(office, chen, upload, why):
    draft_id = begin(office, chen)
    with pytest.raises(Incomplete) as refused:
        attach(office, chen, draft_id, upload)
    assert [(entry.where, entry.why) for entry in refused.value.facts["missing"]] == [
        (f"materials.{upload.requirement}", why)
    ]
    assert kept(office) == set()


def test_a_file_has_a_harmless_name_and_replaces_the_one_before(office, chen):
    draft_id = begin(office, chen)
    attach(office, chen, draft_id, *uploads("layout_plan"), Upload("layout_plan", "../../etc/𠮷.pdf", b"%PDF-new"))
    with opened(office, chen, draft_id) as (work, draft):
        (file,) = surveys.look(work, draft).attached.values()
        assert (file.filename, file.size) == ("𠮷.pdf", 8)
    with opened(office, chen, draft_id) as (work, draft):
        drafts.remove(work, draft, "layout_plan")
        drafts.remove(work, draft, "layout_plan")
    assert look(office, chen, draft_id).attached == {}


def test_what_later_answers_made_needless_is_not_handed_in(office, chen):
    draft_id = filled(office, chen)
    save(office, chen, draft_id, RETAIL | {"staff": 0})
    assert "health_certificates" not in {material.code for material in look(office, chen, draft_id).wanted}
    hand_in(office, chen, draft_id)
    with office.work(read_only=True) as work:
        assert "health_certificates" not in work.session.scalars(select(Material.requirement)).all()


def test_an_expired_draft_is_refused_and_then_forgotten_with_its_files(office, clock, chen):
    draft_id = filled(office, chen)
    clock.now += timedelta(days=29)
    save(office, chen, draft_id, RETAIL)
    clock.now += timedelta(days=29, hours=23)
    assert look(office, chen, draft_id), "saving keeps it for another month"
    assert workers.tidy(office) == 0
    clock.now += timedelta(hours=1)
    with pytest.raises(DraftExpired):
        look(office, chen, draft_id)
    with pytest.raises(DraftExpired):
        hand_in(office, chen, draft_id)
    with office.work(by=chen, read_only=True) as work:
        assert drafts.mine(work) == []
    assert workers.tidy(office) == 2, "the draft, and the one file behind its four"
    assert kept(office) == set()
    with pytest.raises(NotFound):
        look(office, chen, draft_id)


def test_who_begins_again_after_a_draft_expired_begins_with_nothing(office, clock, chen):
    draft_id = filled(office, chen)
    clock.now += timedelta(days=30)
    again = begin(office, chen)
    assert again != draft_id
    assert look(office, chen, again).given == {}


def test_bytes_stay_while_anybody_refers_to_them_or_may_be_about_to(office, clock, chen):
    first = filled(office, chen)
    hand_in(office, chen, first)
    second = begin(office, chen)
    attach(office, chen, second, Upload("layout_plan", "a.pdf", b"%PDF-a"), Upload("safety_rules", "b.pdf", b"%PDF-b"))
    with opened(office, chen, second) as (work, draft):
        drafts.remove(work, draft, "layout_plan")
    assert workers.tidy(office) == 0, "a day has not passed"
    clock.now += timedelta(days=1, seconds=1)
    assert workers.tidy(office) == 1
    assert len(kept(office)) == 2, "what the case has, and what the draft has"


def test_bytes_that_somebody_hands_in_again_are_not_dropped_under_their_feet(office, clock):
    with office.work() as work:
        sha256 = work.storage.put(b"%PDF-same")
    clock.now += timedelta(days=2)
    since = clock.now - timedelta(days=1)
    with office.work() as work:
        work.storage.put(b"%PDF-same")
    with office.work() as work:
        work.storage.drop(sha256, since)
    assert kept(office) == {sha256}
    with office.work() as work:
        work.storage.drop(sha256, clock.now + timedelta(seconds=1))
    assert kept(office) == set()


def test_bytes_from_before_anybody_noted_when_are_cleared_too(office):
    with office.work() as work:
        work.session.add(StoredContent(sha256="0" * 64, content=b"%PDF-old", kept_at=None))
    assert workers.tidy(office) == 1
    assert kept(office) == set()


def test_a_draft_is_thrown_away_whole(office, chen):
    draft_id = filled(office, chen)
    with opened(office, chen, draft_id) as (work, draft):
        drafts.discard(work, draft)
    with pytest.raises(NotFound):
        look(office, chen, draft_id)
    with office.work(read_only=True) as work:
        assert not work.session.scalars(select(DraftMaterial)).all()


@pytest.fixture
def asked(office, clock):
    number = walks.file(office)
    clock.now = at("2026-09-22 10:00")
    return walks.walk(office, number, ASK)


def begin_correction(office, by, number):
    with office.work(by=by) as work:
        return drafts.begin_correction(work, number).id


def reply(office, by, draft_id, text):
    with opened(office, by, draft_id) as (work, draft):
        drafts.reply(work, draft, {"reply1": text})


def test_a_correction_begins_with_what_was_answered_and_handed_in(office, chen, asked):
    draft_id = begin_correction(office, chen, asked)
    survey = look(office, chen, draft_id)
    assert survey.given["premises"] == RETAIL["premises"]
    assert set(survey.present) == set(MATERIALS)
    assert survey.asked == (
        {
            "what": PLAN,
            "problem": "没有标明贮存区。",
            "how": "补画后重新上传。",
            "basis": "食品经营许可和备案管理办法 [K]",
        },
    )
    progress = [step.progress for step in survey.steps]
    assert progress == [Progress.NOT_STARTED, *[Progress.DONE] * 5]
    assert begin_correction(office, chen, asked) == draft_id
    assert begin(office, chen) != draft_id, "a new filing is another matter"


def test_a_correction_answers_each_thing_that_was_asked(office, chen, asked):
    draft_id = begin_correction(office, chen, asked)
    before = walks.everything(office)
    with pytest.raises(Incomplete) as refused:
        hand_in(office, chen, draft_id)
    assert [(entry.where, entry.label) for entry in refused.value.facts["missing"]] == [("answers.reply1", PLAN)]
    assert walks.everything(office) == before
    reply(office, chen, draft_id, "x" * 2001)
    with pytest.raises(Incomplete):
        hand_in(office, chen, draft_id)
    reply(office, chen, draft_id, "已补画。\n")
    attach(office, chen, draft_id, Upload("layout_plan", "new.pdf", b"%PDF-new"))
    assert hand_in(office, chen, draft_id) == asked
    assert hand_in(office, chen, draft_id) == asked, "twice is once"
    stands = walks.outcome(office, asked)
    assert (stands["status"], stands["journal"].count("case:corrected")) == ("filed", 1)
    with office.work(read_only=True) as work:
        told = work.session.scalars(select(Answers.content).where(Answers.element == "correction")).one()
        assert [row["reply"] for row in told["replies"]] == ["已补画。"]
        assert [row["what"] for row in told["replies"]] == [PLAN]
        current = select(Material.filename).where(Material.replaced_at.is_(None), Material.requirement == "layout_plan")
        assert work.session.scalars(current).all() == ["new.pdf"]


def test_nothing_is_corrected_that_nobody_asked_for(office, chen):
    with pytest.raises(OutOfTurn):
        begin_correction(office, chen, walks.file(office))


def test_a_correction_is_its_applicants_and_nobody_elses(office, asked):
    for code, refusal in (("lin", NotFound), ("wang", NotAllowed)):
        with pytest.raises(refusal):
            begin_correction(office, walks.signed_in(office, code), asked)


def test_a_correction_whose_case_went_on_leads_to_the_case(office, clock, chen, asked):
    draft_id = begin_correction(office, chen, asked)
    with office.work(by=chen, read_only=True) as work:
        assert [draft.id for draft in drafts.mine(work)] == [draft_id]
        assert drafts.settled(work, draft_id) is None
    with office.work(by=chen) as work:
        cases.withdraw(work, asked, "不再经营。")
    with office.work(by=chen, read_only=True) as work:
        assert drafts.settled(work, draft_id).number == asked
        assert drafts.mine(work) == []


def test_another_agent_goes_on_with_a_correction(office, clock):
    lin = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=lin)
    walks.walk(office, number, ASK)
    draft_id = begin_correction(office, lin, number)
    with office.work() as work:
        work.session.add(Agency(person_id=walks.signed_in(office, "chen").person, organization_id=lin.organization))
    chen = walks.signed_in(office, "chen", "restaurant")
    assert begin_correction(office, chen, number) == draft_id
    with pytest.raises(NotFound):
        look(office, lin, draft_id)
