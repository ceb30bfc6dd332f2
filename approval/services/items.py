"""Service items (事项): what can be asked for, and the pack behind a published version."""

from sqlalchemy import select

from approval.domain.errors import ItemClosed, NotFound
from approval.models.items import ItemVersion, PackFile, ServiceItem
from approval.office import Work
from approval.services import packs
from approval.services.packs import Pack


def find(work: Work, code: str) -> ItemVersion:
    """Find the version in force of an item (现行事项版本); raises `NotFound`."""
    item = work.session.get(ServiceItem, code) if code.isprintable() else None
    if item is None or item.version is None:
        raise NotFound(item=code)
    return item.version


def find_open(work: Work, code: str) -> ItemVersion:
    """Find the version that new cases are filed under (可申请的事项版本); raises `NotFound`, `ItemClosed`."""
    version = find(work, code)
    item = work.session.get(ServiceItem, code)
    if item is None or item.closed_at is not None:
        raise ItemClosed(item=code)
    return version


def published(work: Work) -> list[ItemVersion]:
    """List the versions in force (事项目录), by name."""
    in_force = select(ItemVersion).join(ServiceItem, ServiceItem.version_id == ItemVersion.id)
    return list(work.session.scalars(in_force.order_by(ItemVersion.name_zh)))


def pack(work: Work, version: ItemVersion) -> Pack:
    """Bring the pack of a version (事项包): read once a process, since its bytes never change."""
    known = packs.KNOWN.get(version.digest)
    if known is None:
        rows = work.session.scalars(select(PackFile).where(PackFile.version_id == version.id))
        known = packs.KNOWN[version.digest] = packs.read({row.path: row.content for row in rows})
    return known
