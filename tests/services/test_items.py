from dataclasses import replace

import pytest
from sqlalchemy import event

from approval.domain.errors import ItemClosed, NotFound
from approval.domain.texts import Words
from approval.models.items import ServiceItem
from approval.services import items, packs

ITEM = "food-business-licence"
ANOTHER = "signboard-permit"


@pytest.fixture
def another(office, pack):
    """A second item, of another department and for organizations only."""
    source = pack.files["item.toml"].decode()
    for old, new in (
        (f'code = "{ITEM}"', f'code = "{ANOTHER}"'),
        ('zh = "食品经营许可（新办）"', 'zh = "户外招牌设置（50%_以上）"'),
        ('en = "Food business licence (new)"', 'en = "Signboard permit"'),
        ('serves = ["person", "organization"]', 'serves = ["organization"]'),
        ('code = "SCJ"\njoint = ["SPJ", "XFJ"]', 'code = "XFJ"\njoint = ["SPJ", "SCJ"]'),
    ):
        assert old in source
        source = source.replace(old, new, 1)
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": source.encode()}))


@pytest.fixture
def found(office):
    def search(text="", **asked):
        with office.work(read_only=True) as work:
            return [entry.version.item_code for entry in items.search(work, text, **asked)]

    return search


@pytest.mark.usefixtures("another")
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", [ANOTHER, ITEM]),
        ("食品", [ANOTHER, ITEM]),
        ("食品经营许可（新办）", [ITEM]),
        ("新办", [ITEM]),
        ("招牌", [ANOTHER]),
        ("SIGNBOARD", [ANOTHER]),
        ("ｓｉｇｎｂｏａｒｄ", [ANOTHER]),
        ("business food", [ANOTHER, ITEM]),
        ("signboard fire", [ANOTHER]),
        ("signboard market", []),
        ("signboard-permit", [ANOTHER]),
        ("消防", [ANOTHER]),
        ("Market Supervision", [ITEM]),
        ("食品经营许可证", [ANOTHER, ITEM]),
        ("健康证明", [ANOTHER, ITEM]),
        ("50%_", [ANOTHER]),
        ("%", [ANOTHER]),
        ("_", [ANOTHER]),
        ("[K]", []),
        ("%%", []),
        ("’; drop table items", []),
        ("食" * 10_000, []),
        ("\0", []),
        (" \t\u3000\n", [ANOTHER, ITEM]),
    ],
)
def test_items_are_found_by_what_they_say_of_themselves(found, text, codes):
    assert sorted(found(text)) == sorted(codes)


@pytest.mark.usefixtures("another")
def test_items_are_found_by_whom_they_serve_and_who_offers_them(found):
    assert found(serves="person") == [ITEM]
    assert sorted(found(serves="organization")) == sorted([ITEM, ANOTHER])
    assert found(department="XFJ") == [ANOTHER]
    assert found("新办", department="XFJ") == []
    assert found(serves="nobody") == found(department="nowhere") == []


def test_the_catalogue_follows_the_version_in_force(office, pack, found):
    manifest = replace(pack.manifest, name=Words("食品经营许可（改版）", "Food business licence (revised)"))
    source = pack.files["item.toml"].replace("（新办）".encode(), "（改版）".encode(), 1)
    with office.work() as work:
        packs.deploy(work, packs.read({**pack.files, "item.toml": source}))
    assert (found("改版"), found("新办")) == ([ITEM], [])
    with office.work(read_only=True) as work:
        [entry] = items.catalogue(work)
        assert entry.manifest.name.zh == manifest.name.zh


def test_manifests_are_read_once_a_process(office):
    asked = []
    event.listen(office.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(3):
        with office.work(read_only=True) as work:
            items.search(work, "食品")
    assert sum("pack_files" in statement for statement in asked) <= 1


def test_an_item_that_takes_no_new_cases_is_still_shown_and_says_so(office):
    with office.work() as work:
        work.session.get_one(ServiceItem, ITEM).closed_at = work.now
    with office.work(read_only=True) as work:
        [entry] = items.catalogue(work)
        assert not entry.open
        assert not items.is_open(work, ITEM)
        with pytest.raises(ItemClosed):
            items.find_open(work, ITEM)


def test_what_nobody_offers_is_not_there(office):
    with office.work(read_only=True) as work:
        assert not items.is_open(work, "nothing")
        for code in ("nothing", "\0", "", "x" * 10_000):
            with pytest.raises(NotFound):
                items.find(work, code)
