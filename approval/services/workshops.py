"""Workshops (事项包制作): packs in the making, put together file by file, checked as a whole, then published.

A draft belongs to the office: every administrator may go on with what another began.
"""

import zipfile
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import func, select

from approval.domain.cases import FINAL
from approval.domain.errors import Fault, NotFound, Overtaken, PackRefused
from approval.domain.laws import Library
from approval.models.cases import Case
from approval.models.items import ItemVersion, PackDraft, PackDraftFile, PackFile, ServiceItem
from approval.office import Work
from approval.services import access, packs, rehearsals
from approval.services.packs import Pack
from approval.settings import Settings

KINDS: Final = (".bpmn", ".dmn", ".json", ".toml", ".html", ".md")
LONGEST_TITLE: Final = 80
_MOST_FAULTS: Final = 500
_LONGEST_LINE: Final = 200


class Shelf(NamedTuple):
    """An item on the shelf (事项及其版本): its versions, the newest first, each with how many cases run on it."""

    item: ServiceItem
    versions: list[tuple[ItemVersion, int]]


class Verdict(NamedTuple):
    """What a check found (校验结论) about the bytes of one digest: the pack, or none, and every fault and warning."""

    digest: str
    pack: Pack | None
    faults: list[Fault]


class Row(NamedTuple):
    """A case of a version as an administrator sees it in a list (办件概要)."""

    number: str
    status: str
    filed_at: datetime


def shelves(work: Work) -> list[Shelf]:
    """List all items and their versions (事项与版本); raises `NotAllowed` unless an administrator looks."""
    access.require_administrator(work)
    running = select(Case.item_version_id, func.count()).where(Case.status.not_in(FINAL)).group_by(Case.item_version_id)
    counts: dict[UUID, int] = dict(work.session.execute(running).all())
    versions = work.session.scalars(select(ItemVersion).order_by(ItemVersion.ordinal.desc())).all()
    return [
        Shelf(item, [(version, counts.get(version.id, 0)) for version in versions if version.item_code == item.code])
        for item in work.session.scalars(select(ServiceItem).order_by(ServiceItem.code))
    ]


def version(work: Work, version_id: UUID) -> ItemVersion:
    """Find a published version (事项版本); raises `NotAllowed`, `NotFound`."""
    access.require_administrator(work)
    found = work.session.get(ItemVersion, version_id)
    if found is None:
        raise NotFound(version=str(version_id))
    return found


def cases(work: Work, of: ItemVersion, *, limit: int, offset: int) -> list[Row]:
    """List the cases of a version (版本下的办件), the newest first, without whose they are; raises `NotAllowed`."""
    access.require_administrator(work)
    listed = select(Case.number, Case.status, Case.filed_at).where(Case.item_version_id == of.id)
    rows = work.session.execute(listed.order_by(Case.filed_at.desc(), Case.id).limit(limit).offset(offset))
    return [Row(*row) for row in rows]


def drafts(work: Work) -> list[PackDraft]:
    """List the packs in the making (草稿列表), the last changed first; raises `NotAllowed`."""
    access.require_administrator(work)
    return list(work.session.scalars(select(PackDraft).order_by(PackDraft.changed_at.desc(), PackDraft.id)))


def begin(work: Work, title: str, files: Mapping[str, bytes]) -> PackDraft:
    """Begin a draft (新建草稿) with files, or none; raises `NotAllowed`, `PackRefused` beyond the limits."""
    access.require_administrator(work)
    packs.limit(files, work.office.settings)
    draft = PackDraft(
        id=uuid4(),
        title=title[:LONGEST_TITLE],
        made_by=work.actor.person,
        changed_at=work.now,
        faults=[],
        files=[PackDraftFile(path=path, content=content) for path, content in files.items()],
    )
    work.session.add(draft)
    work.session.flush()
    return draft


def copy(work: Work, version_id: UUID) -> PackDraft:
    """Begin a draft as a copy of a published version (复制为草稿); raises `NotAllowed`, `NotFound`."""
    of = version(work, version_id)
    rows = work.session.scalars(select(PackFile).where(PackFile.version_id == of.id))
    return begin(work, f"{of.name_zh} v{of.ordinal}", {row.path: row.content for row in rows})


def find(work: Work, draft_id: UUID, *, lock: bool = False) -> PackDraft:
    """Find a draft (查找草稿); `lock` keeps others from changing it meanwhile. Raises `NotAllowed`, `NotFound`."""
    access.require_administrator(work)
    draft = work.session.get(PackDraft, draft_id, with_for_update=lock or None, populate_existing=True)
    if draft is None:
        raise NotFound(draft=str(draft_id))
    return draft


def files(work: Work, draft: PackDraft) -> dict[str, bytes]:
    """Bring the files of a draft (草稿文件), by path; raises `NotAllowed`."""
    access.require_administrator(work)
    rows = select(PackDraftFile.path, PackDraftFile.content).where(PackDraftFile.draft_id == draft.id)
    return dict(work.session.execute(rows.order_by(PackDraftFile.path)).all())


def put(work: Work, draft_id: UUID, path: str, content: bytes) -> None:
    """Put a file into a draft (放入文件), in place of one that stands there.

    Raises as `find`; `PackRefused` for a path outside the pack, a file of no kind that packs have, and beyond
    the limits of a pack.
    """
    draft = find(work, draft_id, lock=True)
    if PurePosixPath(path).suffix.lower() not in KINDS or "\\" in path:
        raise PackRefused(faults=[Fault(path[:_LONGEST_LINE], "", 0, f"a pack holds files of {', '.join(KINDS)}")])
    packs.limit(files(work, draft) | {path: content}, work.office.settings)
    work.session.merge(PackDraftFile(draft_id=draft.id, path=path, content=content))
    draft.changed_at = work.now
    work.session.flush()


def remove(work: Work, draft_id: UUID, path: str) -> None:
    """Take a file out of a draft (移除文件); raises as `find`, `NotFound` for a file that is not there."""
    draft = find(work, draft_id, lock=True)
    row = work.session.get(PackDraftFile, (draft.id, path))
    if row is None:
        raise NotFound(file=path)
    work.session.delete(row)
    draft.changed_at = work.now
    work.session.flush()


def discard(work: Work, draft_id: UUID) -> None:
    """Throw a draft away (删除草稿); raises as `find`."""
    draft = find(work, draft_id, lock=True)
    work.session.refresh(draft, ["files"])
    work.session.delete(draft)
    work.session.flush()


def zipped(pack_files: Mapping[str, bytes]) -> bytes:
    """Pack files up as one zip (打包下载), the same bytes for the same files."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(pack_files):
            archive.writestr(zipfile.ZipInfo(path), pack_files[path], zipfile.ZIP_DEFLATED)
    return written.getvalue()


def judge(pack_files: Mapping[str, bytes], settings: Settings, library: Library | None = None) -> Verdict:
    """Check a pack as deployment will (校验草稿): all its parts, what it cites, and every scenario played.

    Takes seconds and no Work: nobody waits for it. Raises nothing; faults and warnings are in the verdict, what
    stops the pack first.
    """
    pack = None
    try:
        pack = packs.check(pack_files, settings, library)
        rehearsals.check(pack, settings)
        found = list(pack.warnings)
    except PackRefused as refused:
        pack, found = None, sorted(refused.facts["faults"], key=lambda fault: fault.level != "error")
    return Verdict(packs.digest(pack_files), pack, found[:_MOST_FAULTS])


def note(work: Work, draft_id: UUID, verdict: Verdict) -> None:
    """Note on a draft what a check found (记录校验结论); raises as `find`."""
    draft = find(work, draft_id, lock=True)
    draft.checked_at, draft.checked_digest = work.now, verdict.digest
    # What a stranger's file is called or says may hold half characters, which no database keeps.
    draft.faults = [[_kept(part) for part in fault] for fault in verdict.faults]
    work.session.flush()


def faults(draft: PackDraft) -> list[Fault]:
    """Tell what the last check of a draft found (缺陷清单): faults, which stop it, and then warnings."""
    return [Fault(*fault) for fault in draft.faults]


def publish(work: Work, draft_id: UUID, pack: Pack) -> tuple[ItemVersion, bool]:
    """Publish what was just checked (发布草稿); also tells whether it became a new version.

    Raises as `find` and `packs.deploy`; `Overtaken` when somebody changed the draft since it was checked.
    """
    draft = find(work, draft_id, lock=True)
    if packs.digest(files(work, draft)) != pack.digest:
        raise Overtaken(draft=str(draft_id))
    known = select(ItemVersion.id).where(ItemVersion.item_code == pack.manifest.code, ItemVersion.digest == pack.digest)
    before = work.session.scalar(known)
    became = packs.deploy(work, pack)
    return became, became.id != before


def line(pack_files: Mapping[str, bytes], fault: Fault) -> str:
    """Quote the source line that a fault stands on (缺陷所在行); empty when it has none."""
    lines = pack_files.get(fault.file, b"").decode(errors="replace").splitlines()
    return lines[fault.line - 1].strip()[:_LONGEST_LINE] if 0 < fault.line <= len(lines) else ""


def _kept(part: Any) -> Any:
    return part.encode(errors="replace").decode().replace("\0", "�") if isinstance(part, str) else part
