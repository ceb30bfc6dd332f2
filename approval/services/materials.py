"""Materials of a case (申请材料): what the item asks for, what was handed in, what is still missing, how it looks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from approval.documents import previews
from approval.documents.previews import Limits, Seen, Source
from approval.domain.errors import Missing, NotFound
from approval.domain.manifests import Manifest, MaterialRequirement
from approval.domain.materials import MEDIA_TYPES, Kept, Upload, download_name, kept_format, media_format, plain_name
from approval.expressions import feel
from approval.models.cases import Case
from approval.models.drafts import Draft, DraftMaterial
from approval.models.materials import Material
from approval.office import Work


def asked_for(manifest: Manifest, context: Mapping[str, Any]) -> list[MaterialRequirement]:
    """List the materials that must be handed in (应交材料) for these answers."""
    return [
        material
        for material in manifest.materials
        if material.need == "required" or (material.need == "when" and feel.evaluate(material.when, context) is True)
    ]


def check(
    work: Work,
    manifest: Manifest,
    context: Mapping[str, Any],
    uploads: Iterable[Upload],
    present: Iterable[str] = (),
) -> list[Missing]:
    """Check all materials at once (材料形式核对): missing, unknown, of a wrong kind, empty or too large.

    `present` are the requirement codes already answered. 行政许可法第三十二条第一款第四项: everything is told once.
    This is quick and opens nothing, because a case is filed in one writing transaction: what strangers bring was
    opened before, by `examine`, when it came to their draft, and no door hands a file to a case but from a draft.
    """
    uploads = tuple(uploads)
    faults = [fault for upload in uploads for fault in _formal(work, manifest, upload)]
    given = {upload.requirement for upload in uploads} | set(present)
    faults += [
        Missing(f"materials.{material.code}", "missing", material.name.zh)
        for material in asked_for(manifest, context)
        if material.code not in given
    ]
    return faults


def examine(work: Work, manifest: Manifest, upload: Upload) -> list[Missing]:
    """Examine one upload that a stranger brought (材料审阅): as `check` does, and then by opening it.

    A PDF must open without a password or restrictions and have 1 to `material_pages` pages, a picture must decode
    to its last pixel and have at most `material_pixels`: `unreadable`, `encrypted`, `too-many-pages`,
    `too-many-pixels`. It takes up to twice `preview_seconds` and touches no database, so no writing Work should be
    open meanwhile. Raises `Unavailable` when nobody is free to open it.
    """
    if faults := _formal(work, manifest, upload):
        return faults
    label = next(material.name.zh for material in manifest.materials if material.code == upload.requirement)
    return [Missing(f"materials.{upload.requirement}", why, label)] if (why := fault(work, upload)) else []


def fault(work: Work, upload: Upload) -> str:
    """Open a file of a known format and tell what is wrong with it (打开文件核对), by a code; empty when nothing is."""
    kind = media_format(upload)
    assert kind is not None
    return previews.examine(previews.source(kind, upload.content), _limits(work)).fault or ""


def keep(
    work: Work, case: Case, uploads: Iterable[Upload], *, licences: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Keep checked materials with their case (收存材料); a newer one replaces the older for its requirement.

    `licences` name by requirement the number of the licence that a file is, where it came from the store.
    """
    uploads = tuple(uploads)
    # In one order for everybody: two people with the same two files must not wait for one another.
    kept = {content: work.storage.put(content) for content in sorted({upload.content for upload in uploads})}
    for upload in uploads:
        earlier = update(Material).where(
            Material.case_id == case.id,
            Material.requirement == upload.requirement,
            Material.replaced_at.is_(None),
        )
        work.session.execute(earlier.values(replaced_at=work.now))
        kind = media_format(upload)
        assert kind is not None
        work.session.add(
            Material(
                id=uuid4(),
                case_id=case.id,
                requirement=upload.requirement,
                filename=plain_name(upload.filename),
                media_type=MEDIA_TYPES[kind],
                size=len(upload.content),
                sha256=kept[upload.content],
                handed_in_at=work.now,
                licence=licences.get(upload.requirement),
            )
        )
        work.session.flush()


def of_case(work: Work, case: Case) -> list[Material]:
    """List the materials of a case that count now (现行材料)."""
    current = select(Material).where(Material.case_id == case.id, Material.replaced_at.is_(None))
    return list(work.session.scalars(current.order_by(Material.handed_in_at, Material.requirement)))


def of_draft(work: Work, draft: Draft, requirement: str) -> DraftMaterial:
    """Obtain a file of a draft (草稿材料) that the actor entered; raises `NotFound`."""
    found = work.session.get(DraftMaterial, (draft.id, requirement))
    if found is None:
        raise NotFound(material=requirement)
    return found


@dataclass(frozen=True)
class Viewing:
    """A file that somebody may see (调阅), with all that is needed to draw it once the Work is closed."""

    filename: str
    size: int
    source: Source
    limits: Limits


def view(work: Work, file: Kept) -> Viewing:
    """Make ready to look at a file (准备调阅) that the actor obtained by the funnel, of a case or of a draft."""
    office, sha256 = work.office, file.sha256

    def fetch() -> bytes:
        with office.work(read_only=True) as reading:
            return reading.storage.get(sha256)

    return Viewing(file.filename, file.size, Source(kept_format(file), sha256, fetch), _limits(work))


def look(viewing: Viewing) -> Seen:
    """Tell how many pages a file has (材料页数), none if it cannot be drawn; raises `Unavailable`."""
    return previews.examine(viewing.source, viewing.limits)


def draw(viewing: Viewing, page: int, width: int) -> bytes:
    """Draw one page of a file (材料预览), from 1, as a PNG at most `width` pixels wide: never the original bytes.

    Raises `NotFound` for a page that is not there or cannot be drawn, `Unavailable` when drawing it took too long.
    """
    drawn = previews.draw(viewing.source, page, width, viewing.limits)
    if drawn is None:
        raise NotFound(page=page)
    return drawn


def content(work: Work, file: Kept) -> tuple[str, bytes]:
    """Bring the original of a file to save (下载材料), with the name to save it under."""
    return download_name(file), work.storage.get(file.sha256)


def _formal(work: Work, manifest: Manifest, upload: Upload) -> list[Missing]:
    where = f"materials.{upload.requirement}"
    asked = next((material for material in manifest.materials if material.code == upload.requirement), None)
    if asked is None:
        return [Missing(where, "not-asked-for", upload.requirement)]
    if not upload.content:
        return [Missing(where, "empty", asked.name.zh)]
    if len(upload.content) > work.office.settings.material_bytes:
        return [Missing(where, "too-large", asked.name.zh)]
    if media_format(upload) not in asked.formats:
        return [Missing(where, "wrong-type", asked.name.zh)]
    return []


def _limits(work: Work) -> Limits:
    own = work.office.settings
    return Limits(own.material_pages, own.material_pixels, own.preview_seconds, own.preview_megabytes)
