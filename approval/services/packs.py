"""Packs (事项包): reading, checking and deploying what an administrator uploads.

A pack is data only: its files are read as bytes, checked as a whole, and every fault is told at once.
"""

import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from approval import documents, engine
from approval.domain import answers, manifests
from approval.domain.answers import Form
from approval.domain.errors import Fault, PackRefused
from approval.domain.manifests import LicenceRule, Manifest
from approval.expressions import feel, markup
from approval.models.items import ItemVersion, PackFile, ServiceItem
from approval.models.people import Department
from approval.office import Work
from approval.services import errands, numbers
from approval.settings import Settings
from certificates import CertificateError, LicenceType

SHARED = "_shared"
MAIN = "process.bpmn"
_PROCEDURES = (".bpmn", ".dmn")
# 行政许可法第三十八条第二款: every refusal tells where to turn to.
_REMEDIES = frozenset({"review_body", "court"})
# What reading a cut, forged or encrypted archive may raise.
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Pack:
    """A pack that was understood (事项包): its manifest, procedure and forms; files and digest as uploaded."""

    files: Mapping[str, bytes]
    digest: str
    manifest: Manifest
    definition: engine.Definition
    forms: Mapping[str, Form]


# Bytes never change under their digest, so what was read once is read for this process.
KNOWN: dict[str, Pack] = {}


def from_folder(folder: Path) -> dict[str, bytes]:
    """Bring the files of a pack from its bed in the garden (读取事项包目录), with the procedures all packs share.

    Raises `PackRefused` when there is no such folder.
    """
    if not (folder / manifests.FILE).is_file():
        raise PackRefused(faults=[Fault(manifests.FILE, "", 0, f"no such file in {folder.name}")])
    files = dict(_files(folder, ""))
    return files | dict(_files(folder.parent / SHARED, f"{SHARED}/"))


def from_zip(content: bytes, settings: Settings) -> dict[str, bytes]:
    """Bring the files of a pack from an uploaded zip (读取事项包压缩件), within the limits of the settings.

    Raises `PackRefused` for what is no whole zip, too large once unpacked, or names a path outside itself.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return dict(_unzipped(archive, settings))
    except (*_BROKEN_ZIP, ValueError) as reason:
        raise PackRefused(faults=[Fault("", "", 0, f"not a whole zip file: {reason}")]) from None


def digest(files: Mapping[str, bytes]) -> str:
    """Tell packs apart by their bytes (事项包摘要): SHA-256 over paths and contents, 64 hexadecimal digits."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    return whole.hexdigest()


def read(files: Mapping[str, bytes]) -> Pack:
    """Understand the files of a pack (解读事项包); raises `PackRefused` with the faults of all its parts."""
    faults: list[Fault] = []
    manifest = definition = None
    try:
        manifest = manifests.read(files.get(manifests.FILE, b""))
    except PackRefused as refused:
        faults += refused.facts["faults"]
    try:
        definition = engine.load(_procedures(files), _main_process(files))
    except PackRefused as refused:
        faults += refused.facts["faults"]
    forms: dict[str, Form] = {}
    for path in sorted(files):
        if path.endswith(".json"):
            try:
                form = answers.read_form(path, files[path])
                forms[form.id] = form
            except PackRefused as refused:
                faults += refused.facts["faults"]
    if faults or manifest is None or definition is None:
        raise PackRefused(faults=faults)
    return Pack(dict(files), digest(files), manifest, definition, forms)


def check(files: Mapping[str, bytes], settings: Settings) -> Pack:
    """Check a pack before anyone trusts it (校验事项包); raises `PackRefused` with every fault found.

    The procedure is first read in a child process that a hang or a flood of memory takes down alone; then
    everything the parts name of one another must be there. Scenarios are played by `rehearsals.check`.
    """
    engine.check(
        _procedures(files),
        process=_main_process(files),
        seconds=settings.parse_seconds,
        megabytes=settings.parse_megabytes,
    )
    pack = read(files)
    if faults := [*_wiring(pack), *_expressions(pack)]:
        raise PackRefused(faults=faults)
    return pack


def deploy(work: Work, pack: Pack) -> ItemVersion:
    """Publish a checked pack as the item's next version (发布事项版本); the same bytes are the same version.

    Cases under way stay with the version they were filed under. Raises `PackRefused` for an unknown department.
    """
    code = pack.manifest.code
    faults = [
        Fault(manifests.FILE, "department", 0, f"no department {department!r} here")
        for department in sorted(_departments(pack.manifest))
        if work.session.get(Department, department) is None
    ]
    if faults:
        raise PackRefused(faults=faults)
    item = work.session.get(ServiceItem, code, with_for_update=True)
    if item is None:
        item = ServiceItem(code=code)
        work.session.add(item)
        work.session.flush()
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
    item.version_id = version.id
    work.session.flush()
    return version


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield prefix + path.relative_to(folder).as_posix(), path.read_bytes()


def _unzipped(archive: zipfile.ZipFile, settings: Settings) -> Iterator[tuple[str, bytes]]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    # The sizes in a zip's directory are claims; reading stops at them, so checking the claims is enough.
    if len(entries) > settings.pack_files or sum(entry.file_size for entry in entries) > settings.pack_bytes:
        raise ValueError(f"more than {settings.pack_files} files or {settings.pack_bytes} bytes")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ValueError("a file stands in it twice")
    for entry in entries:
        if ".." in Path(entry.filename).parts or entry.filename.startswith("/"):
            raise ValueError(f"a path outside the pack: {entry.filename!r}")
        yield entry.filename, archive.read(entry)


def _procedures(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.endswith(_PROCEDURES)}


def _main_process(files: Mapping[str, bytes]) -> str | None:
    """Name the process of `process.bpmn`: the others are called by it."""
    root = markup.read(MAIN, files.get(MAIN, b""))
    return next((node.get("id") for node in root if markup.local(node) == "process"), None)


def _departments(manifest: Manifest) -> set[str]:
    lanes = {lane.department for lane in manifest.lanes.values() if lane.department}
    return lanes | {manifest.department, *manifest.joint}


def _wiring(pack: Pack) -> Iterator[Fault]:
    """Find what one part names and another lacks."""
    manifest, definition = pack.manifest, pack.definition
    named = {
        "lane": (definition.lanes, manifest.lanes),
        "form": (definition.forms | {manifest.filing_form}, pack.forms),
        "errand": (set(definition.errands.values()), errands.known()),
        "limit": (definition.countdowns | {"acceptance", "decision", "delivery"}, manifest.limits),
        "task": (set().union(*(rule.tasks for rule in manifest.apart)), definition.tasks),
        "case kind": ({manifest.case_kind}, numbers.KINDS),
        "service": (_REMEDIES, manifest.service),
    }
    for kind, (asked, known) in named.items():
        for name in sorted(asked - set(known)):
            yield Fault(manifests.FILE, name, 0, f"{kind} {name!r} is named but stands nowhere")
    if manifest.licence:
        yield from _licence(manifest.licence, pack.files)


def _licence(rule: LicenceRule, files: Mapping[str, bytes]) -> Iterator[Fault]:
    try:
        LicenceType(rule.type, rule.name.zh, rule.number, rule.validity_years, rule.public)
    except CertificateError as reason:
        yield Fault(manifests.FILE, "licence", 0, str(reason))
    try:
        template = files[rule.template].decode()
    except KeyError:
        yield Fault(manifests.FILE, "licence.template", 0, f"{rule.template!r} is not in the pack")
    except UnicodeDecodeError as reason:
        yield Fault(rule.template, "", 0, str(reason))
    else:
        if why := documents.fault(template):
            yield Fault(rule.template, "", why.line, why.message)


def _expressions(pack: Pack) -> Iterator[Fault]:
    manifest = pack.manifest
    yield from _item_number(manifest)
    written = {f"facts.{name}": text for name, text in manifest.facts.items()}
    written |= {f"materials.{material.code}.when": material.when for material in manifest.materials if material.when}
    if manifest.licence:
        written |= {f"licence.fields.{name}": text for name, text in manifest.licence.fields.items()}
    for where, text in written.items():
        try:
            feel.check(text)
        except feel.ExpressionRefused as refused:
            yield Fault(manifests.FILE, where, 0, str(refused.facts["why"]))
    for form in pack.forms.values():
        for question in form.fields:
            if question.hidden_when:
                try:
                    feel.check(question.hidden_when)
                except feel.ExpressionRefused as refused:
                    yield Fault(form.id, question.key, 0, str(refused.facts["why"]))


def _item_number(manifest: Manifest) -> Iterator[Fault]:
    # The pattern is the author's: it runs where time and memory are limited.
    asked = {"number": manifest.item_number, "pattern": manifest.item_number_pattern}
    try:
        if feel.evaluate("matches(number, pattern)", asked) is not True:
            yield Fault(manifests.FILE, "item_number", 0, f"does not fit {manifest.item_number_pattern}")
    except feel.ExpressionRefused as refused:
        yield Fault(manifests.FILE, "item_number_pattern", 0, str(refused.facts["why"]))
