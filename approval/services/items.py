"""Service items (事项): what can be asked for, and the pack behind a published version."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from approval.domain import manifests
from approval.domain.errors import ItemClosed, NotAllowed, NotFound
from approval.domain.manifests import Manifest
from approval.models.cases import Case
from approval.models.items import ItemVersion, PackFile, ServiceItem
from approval.models.people import Department
from approval.office import Work
from approval.services import packs, people
from approval.services.packs import Pack

# Read once a process, by digest, since the bytes under it never change.
_MANIFESTS: dict[str, Manifest] = {}
# A version's bytes never change either.
_BY_VERSION: dict[UUID, Pack] = {}


class Entry(NamedTuple):
    """An item as the catalogue shows it (目录条目); `open` is whether it takes new cases."""

    version: ItemVersion
    manifest: Manifest
    open: bool


def find(work: Work, code: str) -> ItemVersion:
    """Find the version in force of an item (现行事项版本); raises `NotFound`."""
    item = work.session.get(ServiceItem, code) if code.isprintable() else None
    if item is None or item.version is None:
        raise NotFound(item=code)
    return item.version


def find_open(work: Work, code: str) -> ItemVersion:
    """Find the version that new cases are filed under (可申请的事项版本); raises `NotFound`, `ItemClosed`."""
    version = find(work, code)
    if not is_open(work, code):
        raise ItemClosed(item=code)
    return version


def is_open(work: Work, code: str) -> bool:
    """Tell whether an item takes new cases (是否可申请)."""
    item = work.session.get(ServiceItem, code)
    return item is not None and item.closed_at is None


def published(work: Work) -> list[ItemVersion]:
    """List the versions in force (事项目录), by name."""
    in_force = select(ItemVersion).join(ServiceItem, ServiceItem.version_id == ItemVersion.id)
    return list(work.session.scalars(in_force.order_by(ItemVersion.name_zh)))


def catalogue(work: Work) -> list[Entry]:
    """List the items in force with their manifests (事项目录), by name; their procedures stay unread."""
    in_force = select(ItemVersion, ServiceItem.closed_at).join(ServiceItem, ServiceItem.version_id == ItemVersion.id)
    rows = work.session.execute(in_force.order_by(ItemVersion.name_zh)).all()
    if unread := {version.id: version.digest for version, _ in rows if version.digest not in _MANIFESTS}:
        _read_manifests(work, unread)
    return [Entry(version, _MANIFESTS[version.digest], closed_at is None) for version, closed_at in rows]


def search(work: Work, text: str, *, serves: str = "", department: str = "") -> list[Entry]:
    """Find the items that hold every word of a text (搜索事项), among those for one kind of applicant or department.

    Looked at are codes and, in both languages, the names of item, department, licence and materials; a word is
    found anywhere in them, whatever its case or width. No text finds all, an unknown kind or department none.
    """
    words, departments = _folded(text).split(), people.departments(work)
    return [
        entry
        for entry in catalogue(work)
        if (not serves or serves in entry.manifest.serves)
        and (not department or department == entry.manifest.department)
        and _holds(words, _folded("\n".join(_texts(entry.manifest, departments[entry.manifest.department]))))
    ]


def pack(work: Work, version: ItemVersion) -> Pack:
    """Bring the pack of a version (事项包): read once a process, since its bytes never change."""
    known = packs.KNOWN.get(version.digest)
    if known is None:
        rows = work.session.scalars(select(PackFile).where(PackFile.version_id == version.id))
        known = packs.KNOWN[version.digest] = packs.read({row.path: row.content for row in rows})
    return known


def pack_of(work: Work, case: Case) -> Pack:
    """Bring the pack a case runs on (办件的事项包), without reading its version again once it is known."""
    known = _BY_VERSION.get(case.item_version_id)
    if known is None:
        known = _BY_VERSION[case.item_version_id] = pack(work, case.item_version)
    return known


def _read_manifests(work: Work, digests: Mapping[UUID, str]) -> None:
    files = select(PackFile.version_id, PackFile.content).where(PackFile.path == manifests.FILE)
    for version_id, content in work.session.execute(files.where(PackFile.version_id.in_(digests))):
        _MANIFESTS[digests[version_id]] = manifests.read(content)


def _texts(manifest: Manifest, department: Department) -> Iterator[str]:
    yield from (manifest.code, manifest.item_number, *manifest.name, department.zh, department.en)
    if manifest.licence:
        yield from manifest.licence.name
    for material in manifest.materials:
        yield from material.name


def _folded(text: str) -> str:
    # Chinese keyboards type letters and digits in full width too.
    return unicodedata.normalize("NFKC", text).casefold()


def _holds(words: Iterable[str], text: str) -> bool:
    return all(word in text for word in words)


def close(work: Work, code: str) -> None:
    """Take no new cases of an item from now on (暂停申请); cases under way go on.

    Raises `NotAllowed` unless an administrator closes it, `NotFound`.
    """
    item = _to_change(work, code)
    if item.closed_at is None:
        item.closed_at, item.closed_by = work.now, work.actor.label


def reopen(work: Work, code: str) -> None:
    """Take new cases of an item again (恢复申请); raises as `close`."""
    item = _to_change(work, code)
    item.closed_at = item.closed_by = None


def _to_change(work: Work, code: str) -> ServiceItem:
    if not work.actor.administers:
        raise NotAllowed(item=code)
    find(work, code)
    return work.session.get_one(ServiceItem, code, with_for_update=True, populate_existing=True)
