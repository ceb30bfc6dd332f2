"""Materials: opened before they come in, and shown to whoever may see the case, drawn anew."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.domain.errors import NotFound, NotSignedIn
from approval.domain.materials import Upload
from approval.models.cases import Case
from approval.models.materials import Material
from approval.services import access, materials
from approval.services.rehearsals import SAMPLE_PDF
from tests.kit import walks
from tests.kit.samples import ASK, MATERIALS, RESTAURANT, RETAIL, uploads

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def examined(office, pack):
    def examine(filename, content, requirement="layout_plan"):
        with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
            return [
                (fault.where, fault.why, fault.label)
                for fault in materials.examine(work, pack.manifest, Upload(requirement, filename, content))
            ]

    return examine


def only_material(office, number, requirement="layout_plan"):
    wanted = select(Material.id).join(Case, Case.id == Material.case_id).where(Case.number == number)
    with office.work(read_only=True) as work:
        return work.session.scalars(
            wanted.where(Material.requirement == requirement).order_by(Material.handed_in_at)
        ).first()


def seen_by(office, who, material, organization=None):
    with office.work(by=walks.signed_in(office, who, organization), read_only=True) as work:
        return access.material(work, material)[0].requirement


@pytest.mark.parametrize(
    ("filename", "content", "requirement", "why"),
    [
        ("a.pdf", SAMPLE_PDF, "layout_plan", None),
        ("a.pdf", SAMPLE_PDF, "x_ray", "not-asked-for"),
        ("a.pdf", b"", "layout_plan", "empty"),
        ("a.png", SAMPLE_PDF, "layout_plan", "wrong-type"),
        ("a.pdf", b"<html>" + SAMPLE_PDF, "layout_plan", "wrong-type"),
        ("a.exe", SAMPLE_PDF, "layout_plan", "wrong-type"),
        ("a.pdf", b"%PDF-1.7 and nothing else", "layout_plan", "unreadable"),
        ("a.png", PNG, "layout_plan", "unreadable"),
        ("a.pdf", SAMPLE_PDF + b"PK\x03\x04", "layout_plan", None),
    ],
)
def test_a_file_is_opened_before_it_comes_in(examined, filename, content, requirement, why):
    assert [fault[1] for fault in examined(filename, content, requirement)] == ([why] if why else [])


def test_what_is_wrong_is_told_by_the_name_of_the_material(examined, office, pack):
    plan = next(asked.name.zh for asked in pack.manifest.materials if asked.code == "layout_plan")
    assert examined("a.pdf", b"%PDF-junk") == [("materials.layout_plan", "unreadable", plan)]
    too_large = SAMPLE_PDF.ljust(office.settings.material_bytes + 1, b" ")
    assert [fault[1] for fault in examined("a.pdf", too_large)] == ["too-large"]


def test_files_are_opened_while_nobody_is_kept_from_writing(office, pack, monkeypatch):
    opened = []

    def examine(_file, _limits):
        with office.work() as other:  # SQLite has one writer: this would wait in vain for a writing Work
            other.session.execute(select(Material)).all()
        opened.append(1)
        return materials.Seen(1, "")

    monkeypatch.setattr(materials.previews, "examine", examine)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert not materials.examine(work, pack.manifest, Upload("layout_plan", "a.pdf", b"%PDF-"))
    assert opened
    number = walks.file(office, materials=uploads(content=b"%PDF-not opened here"))
    walks.walk(office, number, ASK)
    walks.correct(office, number)
    assert len(opened) == 1, "filing and correcting open nothing in their writing Work"


def test_the_applicant_and_the_departments_at_work_see_a_material_and_nobody_else_knows_of_it(office):
    plan = only_material(office, walks.file(office))
    assert seen_by(office, "chen", plan) == "layout_plan"
    assert seen_by(office, "wang", plan) == "layout_plan"
    assert seen_by(office, "cai", plan) == "layout_plan", "who signs for the item's department answers for the case"
    for stranger in ("lin", "su", "huang"):
        refused = []
        for material in (plan, uuid4()):
            with pytest.raises(NotFound) as refusal:
                seen_by(office, stranger, material)
            refused.append((refusal.value.code, list(refusal.value.facts)))
        assert refused[0] == refused[1] == ("not-found", ["material"]), stranger
    with office.work(by=VISITOR) as work, pytest.raises(NotSignedIn):
        access.material(work, plan)


def test_an_agent_sees_an_organizations_material_only_while_acting_for_it(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    plan = only_material(office, walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent))
    assert seen_by(office, "lin", plan, "restaurant") == "layout_plan"
    with pytest.raises(NotFound):
        seen_by(office, "lin", plan)


def test_what_a_correction_replaced_can_still_be_seen(office):
    number = walks.walk(office, walks.file(office, RETAIL), ASK)
    before = only_material(office, number)
    walks.correct(office, number)
    with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
        assert access.material(work, before)[0].replaced_at is not None
        assert before not in {material.id for material in materials.of_case(work, access.case(work, number))}


def test_a_page_is_drawn_after_the_work_was_closed(office):
    plan = only_material(office, walks.file(office))
    with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
        viewing = materials.view(work, access.material(work, plan)[0])
    assert materials.look(viewing) == (1, "")
    assert materials.draw(viewing, 1, 600).startswith(PNG)
    with pytest.raises(NotFound):
        materials.draw(viewing, 2, 600)


def test_the_original_is_saved_under_its_own_name(office):
    files = [Upload(each.requirement, "../CON.pdf", each.content) for each in uploads()]
    plan = only_material(office, walks.file(office, materials=files))
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert materials.content(work, access.material(work, plan)[0]) == ("CON_.pdf", SAMPLE_PDF)
