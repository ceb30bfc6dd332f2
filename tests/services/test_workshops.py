"""Workshops: packs in the making, put together file by file, checked as a whole, published by one of two at once."""

import zipfile
from io import BytesIO

import pytest
from sqlalchemy import select

from approval.domain.actors import Post
from approval.domain.errors import ItemClosed, NotAllowed, NotFound, Overtaken, PackRefused
from approval.models.items import ItemVersion, PackDraft, PackDraftFile, ServiceItem
from approval.paths import WORKFLOWS
from approval.services import items, packs, people, workshops
from approval.settings import Settings
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ITEM, id_number

SETTINGS = Settings()
FILES = packs.from_folder(WORKFLOWS / ITEM)
STRICTER = FILES["item.toml"].replace(b'code = "safety_rules"', b'code = "stricter_rules"', 1)


@pytest.fixture
def admin(office):
    return walks.signed_in(office, "admin")


@pytest.fixture
def begun(office, admin):
    def begin(files=FILES, title="草稿"):
        with office.work(by=admin) as work:
            return workshops.begin(work, title, files).id

    return begin


def held(office, draft):
    with office.work(read_only=True) as work:
        return workshops.files(work, workshops.find(work, draft))


def put(office, by, draft, path, content=b"x"):
    with office.work(by=by) as work:
        workshops.put(work, draft, path, content)


def versions(office):
    with office.work(read_only=True) as work:
        return work.session.scalars(select(ItemVersion.ordinal).order_by(ItemVersion.ordinal)).all()


def test_only_administrators_make_packs(office, begun):
    draft = begun({})
    before = walks.everything(office)
    acts = [
        lambda work: workshops.begin(work, "x", {}),
        lambda work: workshops.find(work, draft),
        lambda work: workshops.put(work, draft, "a.md", b""),
        lambda work: workshops.remove(work, draft, "a.md"),
        lambda work: workshops.discard(work, draft),
        lambda work: workshops.copy(work, items.find(work, ITEM).id),
        workshops.shelves,
        workshops.drafts,
        lambda work: workshops.publish(work, draft, packs.read(FILES)),
        lambda work: workshops.cases(work, items.find(work, ITEM), limit=1, offset=0),
    ]
    for act in acts:
        with office.work(by=walks.signed_in(office, "wang")) as work, pytest.raises(NotAllowed):
            act(work)
    assert walks.everything(office) == before


def test_a_copy_of_a_version_has_its_bytes(office, admin):
    with office.work(by=admin) as work:
        draft = workshops.copy(work, items.find(work, ITEM).id).id
    assert held(office, draft) == FILES
    assert packs.from_zip(workshops.zipped(held(office, draft)), SETTINGS) == FILES


def test_the_same_files_are_the_same_zip():
    assert workshops.zipped(FILES) == workshops.zipped(dict(reversed(FILES.items())))


def test_files_are_put_in_replaced_and_taken_out(office, admin, begun):
    draft = begun({})
    put(office, admin, draft, "forms/filing.json", b"{}")
    put(office, admin, draft, "forms/filing.json", b"[]")
    put(office, admin, draft, "guide.md", "说明".encode())
    assert held(office, draft) == {"forms/filing.json": b"[]", "guide.md": "说明".encode()}
    with office.work(by=admin) as work:
        workshops.remove(work, draft, "guide.md")
    assert held(office, draft) == {"forms/filing.json": b"[]"}
    with office.work(by=admin) as work, pytest.raises(NotFound):
        workshops.remove(work, draft, "guide.md")


STRANGE = [
    "../evil.md",
    "a/../../evil.md",
    "/etc/passwd.md",
    "./a.md",
    "a//b.md",
    "a/./b.md",
    "..\\evil.md",
    "C:\\packs\\a.md",
    "",
    ".",
    "a",
    "a.py",
    "a.exe",
    "x" * 300 + ".md",
    "a\u202egnp.md",
    "a\n.md",
    "\ud800.md",
]


@pytest.mark.parametrize("path", STRANGE)
def test_a_file_of_a_strange_name_stays_out(office, admin, begun, path):
    draft = begun({})
    before = walks.everything(office)
    with pytest.raises(PackRefused):
        put(office, admin, draft, path)
    assert walks.everything(office) == before


@pytest.mark.parametrize("path", ["../evil.md", "/evil.md", "a/../b.md", "a//b.md", "x" * 201])
def test_a_zip_with_a_strange_path_is_refused_as_well(path):
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(path, b"x")
    with pytest.raises(PackRefused):
        packs.from_zip(written.getvalue(), SETTINGS)


def test_a_draft_keeps_to_the_limits_of_a_pack(office, admin, begun):
    draft = begun({f"{number}.md": b"" for number in range(SETTINGS.pack_files)})
    with pytest.raises(PackRefused):
        put(office, admin, draft, "one-more.md")
    put(office, admin, draft, "1.md", b"replaced")
    with pytest.raises(PackRefused):
        put(office, admin, draft, "1.md", bytes(SETTINGS.pack_bytes + 1))
    with pytest.raises(PackRefused), office.work(by=admin) as work:
        workshops.begin(work, "x", {"a.md": bytes(5 * 2**20)})


def test_a_check_is_noted_with_the_bytes_it_was_of(office, admin, begun):
    draft = begun()
    with office.work(by=admin) as work:
        workshops.note(work, draft, workshops.Verdict(packs.digest(FILES), None, []))
    with office.work(by=admin) as work:
        found = workshops.find(work, draft)
        assert (found.checked_digest, found.checked_at) == (packs.digest(FILES), work.now)


def test_faults_of_every_kind_are_found_at_once_and_kept_with_the_draft(office, admin, begun):
    script = b'<bpmn:scriptTask id="evil"/><bpmn:serviceTask'
    files = FILES | {
        "process.bpmn": FILES["process.bpmn"].replace(b"<bpmn:serviceTask", script, 1),
        "forms/filing.json": b"{",
        "item.toml": FILES["item.toml"].replace(b'court = "', b'kort = "', 1),
        "_shared/deliver.bpmn": b'<!DOCTYPE x [<!ENTITY e "boom">]><x>&e;</x>',
    }
    draft = begun(files)
    verdict = workshops.judge(files, SETTINGS)
    assert verdict.pack is None
    with office.work(by=admin) as work:
        workshops.note(work, draft, verdict)
    with office.work(by=admin, read_only=True) as work:
        kept = workshops.faults(workshops.find(work, draft))
    assert kept == verdict.faults
    assert {fault.file for fault in kept} >= {"process.bpmn", "forms/filing.json", "item.toml", "_shared/deliver.bpmn"}
    by_element = {fault.element: fault for fault in kept}
    assert 'id="evil"' in workshops.line(files, by_element["evil"])
    assert workshops.line(files, by_element["court"]) == ""


def test_what_no_database_keeps_is_told_without_it(office, admin, begun):
    draft = begun({})
    strange = packs.Fault("a\0b.json", "\ud800", 1, "half a character: \udc00 <script>")
    with office.work(by=admin) as work:
        workshops.note(work, draft, workshops.Verdict("0" * 64, None, [strange]))
    with office.work(by=admin, read_only=True) as work:
        (kept,) = workshops.faults(workshops.find(work, draft))
    assert (kept.file, kept.element, kept.line) == ("a�b.json", "?", 1)


def test_a_scenario_that_comes_out_otherwise_is_a_fault():
    path = next(path for path in FILES if path.startswith("scenarios/"))
    files = {key: value for key, value in FILES.items() if not key.startswith("scenarios/")}
    files[path] = FILES[path].replace(b"[expect]", b'[expect]\nwonder = "of the world"', 1)
    verdict = workshops.judge(files, SETTINGS)
    assert [(fault.file, fault.element) for fault in verdict.faults] == [(path, "expect.wonder")]


def publish(office, by, draft, pack):
    with office.work(by=by) as work:
        version, new = workshops.publish(work, draft, pack)
        return version.ordinal, new


def test_the_same_bytes_become_the_same_version_and_others_the_next(office, admin, begun, pack):
    number = walks.walk(office, walks.file(office), ACCEPT)
    draft = begun()
    assert publish(office, admin, draft, pack) == (1, False)
    put(office, admin, draft, "item.toml", STRICTER)
    stricter = packs.read(held(office, draft))
    assert publish(office, admin, draft, stricter) == (2, True)
    with office.work(read_only=True) as work:
        assert walks.case(work, number).item_version.ordinal == 1
        assert items.find(work, ITEM).ordinal == 2


def test_a_draft_that_was_changed_since_its_check_is_not_published(office, admin, begun, pack):
    draft = begun()
    put(office, admin, draft, "guide.md", b"something else")
    with pytest.raises(Overtaken):
        publish(office, admin, draft, pack)
    assert versions(office) == [1]


def test_two_administrators_who_publish_at_once_publish_one_version(office, admin, begun):
    with office.work() as work:
        people.enrol(work, "second", "第二管理", id_number(7), posts=(Post("SPJ", "administrator"),))
    draft = begun(FILES | {"item.toml": STRICTER})
    stricter = packs.read(held(office, draft))
    other = walks.signed_in(office, "second")
    outcomes = races.at_once(
        lambda: publish(office, admin, draft, stricter), lambda: publish(office, other, draft, stricter)
    )
    assert sorted(outcomes) == [(2, False), (2, True)]
    assert versions(office) == [1, 2]


def test_what_one_administrator_began_another_may_go_on_with(office, begun):
    with office.work() as work:
        people.enrol(work, "second", "第二管理", id_number(7), posts=(Post("XFJ", "administrator"),))
    draft = begun({})
    put(office, walks.signed_in(office, "second"), draft, "guide.md")
    assert set(held(office, draft)) == {"guide.md"}


def test_a_discarded_draft_is_gone_with_its_files(office, admin, begun, pack):
    draft = begun()
    with office.work(by=admin) as work:
        workshops.discard(work, draft)
        assert not work.session.scalars(select(PackDraft)).all()
        assert not work.session.scalars(select(PackDraftFile.path)).all()
    for act in (
        lambda work: workshops.find(work, draft),
        lambda work: workshops.put(work, draft, "a.md", b""),
        lambda work: workshops.publish(work, draft, pack),
        lambda work: workshops.note(work, draft, workshops.Verdict("", None, [])),
        lambda work: workshops.discard(work, draft),
    ):
        with pytest.raises(NotFound), office.work(by=admin) as work:
            act(work)


def test_the_shelf_counts_the_cases_that_run_on_each_version(office, admin, begun):
    walks.walk(office, walks.file(office), ACCEPT)
    walks.file(office)
    publish(office, admin, begun(FILES | {"item.toml": STRICTER}), packs.read(FILES | {"item.toml": STRICTER}))
    with office.work(by=admin, read_only=True) as work:
        (shelf,) = workshops.shelves(work)
        assert [(version.ordinal, running) for version, running in shelf.versions] == [(2, 0), (1, 2)]
        rows = workshops.cases(work, shelf.versions[1][0], limit=1, offset=1)
        assert len(rows) == 1
        assert "陈示例" not in repr(rows)


def test_a_closed_item_takes_no_cases_until_it_is_opened_again(office, admin):
    with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, "wang")) as work:
        items.close(work, ITEM)
    with office.work(by=admin) as work:
        items.close(work, ITEM)
        item = work.session.get_one(ServiceItem, ITEM)
        assert (item.closed_at, item.closed_by) == (work.now, admin.label)
    with pytest.raises(ItemClosed):
        walks.file(office)
    with office.work(by=admin) as work:
        items.reopen(work, ITEM)
    walks.file(office)
    with pytest.raises(NotFound), office.work(by=admin) as work:
        items.close(work, "no-such-item")
