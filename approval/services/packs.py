"""Packs (事项包): reading, checking and deploying what an administrator uploads.

A pack is data only: its files are read as bytes, checked as a whole, and every fault is told at once.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from approval import engine
from approval.domain import answers, manifests
from approval.domain.answers import CATALOGUE, Form, Option
from approval.domain.errors import Fault, NotAllowed, PackRefused
from approval.domain.laws import Library
from approval.domain.manifests import Manifest
from approval.domain.texts import unseen
from approval.expressions import markup
from approval.models.items import ItemVersion, PackFile, ServiceItem
from approval.models.people import Department
from approval.office import Work
from approval.services import citations, laws, types, wirings
from approval.settings import Settings

SHARED = "_shared"
MAIN = "process.bpmn"
_LONGEST_PATH = 200  # in characters; a database that indexes paths takes no more than a few thousand bytes
_PROCEDURES = (".bpmn", ".dmn")
# What reading a cut, forged or encrypted archive may raise.
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
# The others unpack without measure.
_MEASURED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True)
class Pack:
    """A pack that was understood (事项包): its manifest, procedure and forms; files and digest as uploaded.

    `warnings` are what a check found that stops nothing: in the procedure, and citations that nobody knows.
    """

    files: Mapping[str, bytes]
    digest: str
    manifest: Manifest
    definition: engine.Definition
    forms: Mapping[str, Form]
    warnings: tuple[Fault, ...] = ()


class _Parts(NamedTuple):
    """The parts of a pack as far as each can be understood by itself; None is what cannot."""

    manifest: Manifest | None
    definition: engine.Definition | None
    forms: Mapping[str, Form] | None
    faults: list[Fault]


_T = TypeVar("_T")

# Bytes never change under their digest, so what was read once is read for this process.
KNOWN: dict[str, Pack] = {}


def from_folder(folder: Path, settings: Settings | None = None) -> dict[str, bytes]:
    """Bring the files of a pack from its bed in the garden (读取事项包目录), with the procedures all packs share.

    Raises `PackRefused` when there is no such folder, for links in it, and for more than the settings allow.
    """
    folder, settings = folder.resolve(), settings or Settings()
    if not (folder / manifests.FILE).is_file():
        raise PackRefused(faults=[Fault(manifests.FILE, "", 0, f"no such file in {folder.name}")])
    found = [*_found(folder, ""), *_found(folder.parent / SHARED, f"{SHARED}/")]
    faults = [Fault(name, "", 0, "a link; put the file itself here") for name, path in found if path.is_symlink()]
    files = {name: path for name, path in found if path.is_file()}
    if len(files) < len([path for _, path in found if path.is_file()]):
        faults.append(Fault(SHARED, "", 0, "a file stands both in the pack and among what packs share"))
    try:
        _limit(files, sum(path.stat().st_size for path in files.values()), settings)
    except ValueError as reason:
        faults.append(Fault("", "", 0, str(reason)))
    if faults:
        raise PackRefused(faults=faults)
    return {name: path.read_bytes() for name, path in files.items()}


def from_zip(content: bytes, settings: Settings) -> dict[str, bytes]:
    """Bring the files of a pack from an uploaded zip (读取事项包压缩件), within the limits of the settings.

    Raises `PackRefused` for what is no whole zip, too large once unpacked, or names a path outside itself.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return dict(_unzipped(archive, settings))
    except (*_BROKEN_ZIP, ValueError) as reason:
        raise PackRefused(faults=[Fault("", "", 0, f"not a whole zip file: {reason}")]) from None


def limit(files: Mapping[str, bytes], settings: Settings) -> None:
    """Hold files that were gathered one by one against the limits of a pack (事项包限额); raises `PackRefused`."""
    try:
        _limit(files, sum(map(len, files.values())), settings)
    except ValueError as reason:
        raise PackRefused(faults=[Fault("", "", 0, str(reason))]) from None


def digest(files: Mapping[str, bytes]) -> str:
    """Tell packs apart by their bytes (事项包摘要): SHA-256 over paths and contents, 64 hexadecimal digits."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    return whole.hexdigest()


def read(files: Mapping[str, bytes]) -> Pack:
    """Understand the files of a pack (解读事项包); raises `PackRefused` with the faults of all its parts."""
    return _whole(files, _parts(files, lambda: _load(files, engine.ANY)))


def check(files: Mapping[str, bytes], settings: Settings, library: Library | None = None) -> Pack:
    """Check a pack before anyone trusts it (校验事项包); raises `PackRefused` with every fault found.

    `library` is what the library of laws holds; without an office it is that of the shipped acts.

    The procedure is first read in a child process that a hang or a flood of memory takes down alone; then
    everything the parts name of one another must be there, as far as they can be understood. Scenarios are
    played by `rehearsals.check`.
    """

    def load() -> engine.Definition:
        limits = _limits(settings)
        _check(_procedures(files), _main_process(files, limits), settings)
        return _load(files, limits)

    parts = _parts(files, load)
    parts.faults.extend(wirings.faults(parts.manifest, parts.definition, parts.forms, files))
    warnings: list[Fault] = []
    if parts.manifest and parts.definition:
        warnings += parts.definition.warnings
        elements = frozenset(parts.definition.nodes)
        for fault in citations.faults(parts.manifest, files, elements, library or laws.shipped()):
            (parts.faults if fault.level == "error" else warnings).append(fault)
    return replace(_whole(files, parts), warnings=tuple(warnings))


def check_file(name: str, source: bytes, settings: Settings) -> list[Fault]:
    """Check one procedure or decision by itself (校验单个流程文件), in a child, and return the warnings.

    Raises `PackRefused` with every fault found.
    """
    return _check({name: source}, None, settings)


def deploy(work: Work, pack: Pack) -> ItemVersion:
    """Publish a checked pack as the item's next version (发布事项版本); the same bytes are the same version.

    Cases under way stay with the version they were filed under. Raises `NotAllowed` unless an administrator or the
    system publishes, `PackRefused` for an unknown department.
    """
    if not work.actor.administers:
        raise NotAllowed(item=pack.manifest.code)
    code = pack.manifest.code
    faults = [
        Fault(manifests.FILE, "department", 0, f"no department {department!r} here")
        for department in sorted(_departments(pack.manifest))
        if work.session.get(Department, department) is None
    ]
    if faults:
        raise PackRefused(faults=faults)
    if work.session.get(ServiceItem, code) is None:
        # A savepoint, because another Work may deploy the same item for the first time at this very moment.
        with suppress(IntegrityError), work.session.begin_nested():
            work.session.add(ServiceItem(code=code))
    item = work.session.get_one(ServiceItem, code, with_for_update=True, populate_existing=True)
    same = select(ItemVersion).where(ItemVersion.item_code == code, ItemVersion.digest == pack.digest)
    version = work.session.scalars(same).one_or_none()
    if version is None:
        version = ItemVersion(
            id=uuid4(),
            item_code=code,
            ordinal=1 + (work.session.scalar(select(func.count()).where(ItemVersion.item_code == code)) or 0),
            digest=pack.digest,
            name_zh=pack.manifest.name.zh,
            name_en=pack.manifest.name.en,
            department_code=pack.manifest.department,
            published_at=work.now,
            published_by=work.actor.label,
            files=[PackFile(path=path, content=content) for path, content in pack.files.items()],
        )
        work.session.add(version)
        work.session.flush()
    types.bring(work, pack.manifest, pack.files)
    item.version_id = version.id
    work.session.flush()
    return version


def _found(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        yield prefix + path.relative_to(folder).as_posix(), path


def _limit(names: Iterable[str], size: int, settings: Settings) -> None:
    names = list(names)
    if len(names) > settings.pack_files or size > settings.pack_bytes:
        raise ValueError(f"more than {settings.pack_files} files or {settings.pack_bytes} bytes")
    if strange := next((name for name in names if unseen(name, lines=False)), None):
        raise ValueError(f"a name with characters that cannot be seen: {strange!r}")
    if outside := next((name for name in names if not _is_inside(name)), None):
        raise ValueError(f"a path outside the pack: {outside[:_LONGEST_PATH]!r}")


def _is_inside(name: str) -> bool:
    """Tell a plain relative path from one that leads elsewhere, stands still or is too long for the database."""
    path = PurePosixPath(name)
    return (
        0 < len(name) <= _LONGEST_PATH
        and str(path) == name != "."
        and not path.is_absolute()
        and ".." not in path.parts
    )


def _unzipped(archive: zipfile.ZipFile, settings: Settings) -> Iterator[tuple[str, bytes]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    _limit((entry.filename for entry in entries), sum(entry.file_size for entry in entries), settings)
    if len({entry.filename for entry in entries}) < len(entries):
        raise ValueError("a file stands in it twice")
    for entry in entries:
        if entry.compress_type not in _MEASURED:
            raise ValueError(f"{entry.filename!r} must be stored or deflated")
        # The size in the directory is a claim: one byte more is let through to see whether it comes.
        claimed, entry.file_size = entry.file_size, entry.file_size + 1
        with archive.open(entry) as packed:
            content = packed.read(claimed + 1)
        if len(content) != claimed:
            raise ValueError(f"{entry.filename!r} is not of the size it claims")
        yield entry.filename, content


def _tried(faults: list[Fault], part: Callable[[], _T]) -> _T | None:
    try:
        return part()
    except PackRefused as refused:
        faults += refused.facts["faults"]
        return None


def _parts(files: Mapping[str, bytes], load: Callable[[], engine.Definition]) -> _Parts:
    faults: list[Fault] = []
    manifest = _tried(faults, lambda: manifests.read(files.get(manifests.FILE, b"")))
    definition = _tried(faults, load)
    return _Parts(manifest, definition, _tried(faults, lambda: _forms(files)), faults)


def _forms(files: Mapping[str, bytes]) -> dict[str, Form]:
    faults: list[Fault] = []
    forms: dict[str, Form] = {}
    for path in sorted(files):
        if not path.endswith(".json"):
            continue
        form = _tried(faults, lambda path=path: answers.read_form(path, files[path]))  # type: ignore[misc]
        if form and forms.setdefault(form.id, form) is not form:
            faults.append(Fault(path, form.id, 0, "another form has this id too"))
    if faults:
        raise PackRefused(faults=faults)
    return forms


def _whole(files: Mapping[str, bytes], parts: _Parts) -> Pack:
    manifest, definition, forms, faults = parts
    if faults or manifest is None or definition is None or forms is None:
        raise PackRefused(faults=faults)
    listed = tuple(_catalogue(manifest, forms.get(manifest.filing_form)))
    forms = {form.id: form.offering(CATALOGUE, listed) for form in forms.values()}
    return Pack(dict(files), digest(files), manifest, definition, forms)


def _catalogue(manifest: Manifest, filing: Form | None) -> Iterator[Option]:
    """List what may be found wanting in an application (补正范围): the item's materials, and what its form asks."""
    for material in manifest.materials:
        yield Option(f"materials.{material.code}", *material.name)
    for question in filing.fields if filing else ():
        yield Option(f"answers.{question.key}", question.label, question.label_en)


def _procedures(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.endswith(_PROCEDURES)}


def _load(files: Mapping[str, bytes], limits: engine.Limits) -> engine.Definition:
    return engine.load(_procedures(files), _main_process(files, limits), limits=limits)


def _limits(settings: Settings) -> engine.Limits:
    xml = markup.Limits(settings.parse_bytes, settings.parse_depth, settings.parse_elements)
    return engine.Limits(xml, settings.parse_nodes)


def _check(sources: Mapping[str, bytes], process: str | None, settings: Settings) -> list[Fault]:
    seconds, megabytes = settings.parse_seconds, settings.parse_megabytes
    limits = _limits(settings)
    return engine.check(sources, process=process, seconds=seconds, megabytes=megabytes, limits=limits)


def _main_process(files: Mapping[str, bytes], limits: engine.Limits) -> str | None:
    """Name the process of `process.bpmn`: the others are called by it."""
    root = markup.read(MAIN, files.get(MAIN, b""), limits.xml)
    return next((node.get("id") for node in root if markup.local(node) == "process"), None)


def _departments(manifest: Manifest) -> set[str]:
    lanes = {lane.department for lane in manifest.lanes.values() if lane.department}
    extending = (limit.extension.department for limit in manifest.limits.values() if limit.extension)
    return lanes | {manifest.department, *manifest.joint, *filter(None, extending)}
