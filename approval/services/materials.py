"""Materials of a case (申请材料): what the item asks for, what was handed in, what is still missing."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update

from approval.domain.errors import Missing
from approval.domain.manifests import Manifest, MaterialRequirement
from approval.domain.materials import MEDIA_TYPES, Upload, media_format, plain_name
from approval.expressions import feel
from approval.models.cases import Case
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
    """
    catalogue = {material.code: material for material in manifest.materials}
    faults = []
    for upload in uploads:
        where = f"materials.{upload.requirement}"
        material = catalogue.get(upload.requirement)
        if material is None:
            faults.append(Missing(where, "not-asked-for", upload.requirement))
        elif not upload.content:
            faults.append(Missing(where, "empty", material.name.zh))
        elif len(upload.content) > work.office.settings.material_bytes:
            faults.append(Missing(where, "too-large", material.name.zh))
        elif media_format(upload) not in material.formats:
            faults.append(Missing(where, "wrong-type", material.name.zh))
    given = {upload.requirement for upload in uploads} | set(present)
    faults += [
        Missing(f"materials.{material.code}", "missing", material.name.zh)
        for material in asked_for(manifest, context)
        if material.code not in given
    ]
    return faults


def keep(work: Work, case: Case, uploads: Iterable[Upload]) -> None:
    """Keep checked materials with their case (收存材料); a newer one replaces the older for its requirement."""
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
            )
        )
        work.session.flush()


def of_case(work: Work, case: Case) -> list[Material]:
    """List the materials of a case that count now (现行材料)."""
    current = select(Material).where(Material.case_id == case.id, Material.replaced_at.is_(None))
    return list(work.session.scalars(current.order_by(Material.handed_in_at, Material.requirement)))
