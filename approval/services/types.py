"""The catalogue of licence types (证照类型目录): packs bring types, administrators publish further versions of them.

The newest version counts from the day it was published: for what is issued, drawn and shown from then on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from approval import documents
from approval.domain.errors import NotFound, Unavailable
from approval.domain.licence_types import TypeDefinition
from approval.domain.manifests import Manifest
from approval.domain.texts import Words
from approval.models.licences import LicenceTypeVersion
from approval.office import Work
from certificates import LicenceType


def kind(definition: TypeDefinition) -> LicenceType:
    """Say a type as the strong-house takes it (证照类型); raises what `LicenceType` does."""
    return LicenceType(
        definition.code,
        definition.name.zh,
        definition.number,
        definition.validity_years,
        definition.public,
        definition.shared,
    )


def newest(work: Work, code: str) -> tuple[TypeDefinition, str] | None:
    """Find a type as it counts now (现行证照类型): its definition and template; None for one not in the catalogue."""
    found = work.session.scalar(
        select(LicenceTypeVersion).where(LicenceTypeVersion.code == code).order_by(LicenceTypeVersion.ordinal.desc())
    )
    return (TypeDefinition.read(found.definition), found.template) if found else None


def in_force(work: Work, manifest: Manifest) -> TypeDefinition:
    """Find the type by which a pack issues now (现行证照类型): the catalogue's, or its own.

    A case of an earlier version goes by its own where its pack does not fill in all that the newest type says.
    """
    own = TypeDefinition.of(manifest)
    assert own is not None
    found = newest(work, own.code)
    names = {field.name for field in own.fields}
    return found[0] if found and all(field.name in names for field in found[0].fields) else own


def catalogue(work: Work) -> list[LicenceTypeVersion]:
    """List the types as they count now (证照类型目录), by code."""
    later = aliased(LicenceTypeVersion)
    behind = select(later.code).where(later.code == LicenceTypeVersion.code, later.ordinal > LicenceTypeVersion.ordinal)
    return list(
        work.session.scalars(select(LicenceTypeVersion).where(~behind.exists()).order_by(LicenceTypeVersion.code))
    )


def versions(work: Work, code: str) -> Sequence[LicenceTypeVersion]:
    """List all versions of a type (历次版本), the newest first; raises `NotFound`."""
    found = work.session.scalars(
        select(LicenceTypeVersion).where(LicenceTypeVersion.code == code).order_by(LicenceTypeVersion.ordinal.desc())
    ).all()
    if not found:
        raise NotFound(type=code)
    return found


def labels(work: Work, code: str = "") -> dict[str, Words]:
    """Tell what the fields of a type are called (字段名称), or without its code those of all types."""
    chosen = [one for one in catalogue(work) if code in {"", one.code}]
    return {field.name: field.label for one in chosen for field in TypeDefinition.read(one.definition).fields}


def bring(work: Work, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Take the type that a pack brings into the catalogue (事项包登记证照类型) when the pack is published.

    Only when the pack says something else than it did before, so that what an administrator published since stays.
    """
    definition, rule = TypeDefinition.of(manifest), manifest.licence
    if definition is None or rule is None:
        return
    template = files[rule.template].decode()
    before = work.session.scalar(
        select(LicenceTypeVersion.digest)
        .where(LicenceTypeVersion.code == definition.code, LicenceTypeVersion.origin == manifest.code)
        .order_by(LicenceTypeVersion.ordinal.desc())
    )
    if before != _digest(definition, template):
        keep(work, definition, template, manifest.code)


def trial(template: str, names: Iterable[str]) -> str:
    """Draw a template with samples for these fields (试制) and say what stops it, empty if nothing does; slow."""
    sample = {
        **dict.fromkeys(("number", "identifier", "check_code", "name"), "示例"),
        **dict.fromkeys(("issued_on", "valid_from", "valid_until"), "2026-01-01"),
        "fields": dict.fromkeys(names, "示例"),
        "holder": {"name": "示例", "code": "示例"},
        "issuer": {"name": "示例"},
    }
    try:
        documents.render(template, {"licence": sample, "verify_url": "示例", "qr": "示例", "sample": False})
    except Unavailable as refused:
        return str(refused.facts.get("template", refused))
    return ""


def keep(work: Work, definition: TypeDefinition, template: str, origin: str) -> LicenceTypeVersion:
    """Keep a type as its next version (归存证照类型版本); the same content from the same origin is the same version."""
    digest = _digest(definition, template)
    last = work.session.scalar(
        select(LicenceTypeVersion)
        .where(LicenceTypeVersion.code == definition.code)
        .order_by(LicenceTypeVersion.ordinal.desc())
    )
    if last is not None and last.digest == digest and last.origin == origin:
        return last
    count = select(func.count()).where(LicenceTypeVersion.code == definition.code)
    version = LicenceTypeVersion(
        code=definition.code,
        ordinal=1 + (work.session.scalar(count) or 0),
        definition=definition.data(),
        template=template,
        digest=digest,
        origin=origin,
        published_at=work.now,
        published_by=work.actor.label,
    )
    work.session.add(version)
    work.session.flush()
    return version


def _digest(definition: TypeDefinition, template: str) -> str:
    said = json.dumps([definition.data(), template], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
