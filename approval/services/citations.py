"""Citations (法条引用): where a pack cites the law, and whether the library knows what it cites."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from approval.domain import manifests
from approval.domain.errors import Fault
from approval.domain.laws import Citation, Library, parse
from approval.domain.manifests import Manifest
from approval.expressions import markup

NOTICES = "notices/"
# What was judged once is read again without being judged by its size.
_ANY = markup.Limits(2**31, 2**31, 2**31)
_DRAWN = (".bpmn", ".dmn")
_SAYING = frozenset({"documentation", "description"})
# What packs say as a basis, by digest: bytes never change under it.
_KNOWN: dict[str, tuple["Basis", ...]] = {}


class Basis(NamedTuple):
    """A text of a pack that may cite (依据): where it stands; `place` is an element's id or a key of the manifest."""

    file: str
    place: str
    line: int
    text: str


def of_pack(digest: str, bring: Callable[[], Mapping[str, bytes]]) -> tuple[Basis, ...]:
    """List all that a published pack says as a basis (事项包中的依据), its files read once a process."""
    if digest not in _KNOWN:
        files = bring()
        _KNOWN[digest] = (*of_manifest(manifests.read(files[manifests.FILE])), *of_files(files))
    return _KNOWN[digest]


def of_manifest(manifest: Manifest) -> Iterator[Basis]:
    """List what a manifest says as a basis (清单中的依据); tasks that are kept apart each have the basis of that."""
    said = {f"limits.{name}": limit.basis for name, limit in manifest.limits.items()}
    said |= {f"materials.{material.code}": material.basis for material in manifest.materials}
    said |= {f"conditions[{at}]": condition.zh for at, condition in enumerate(manifest.conditions, start=1)}
    said |= {
        f"legal_basis[{at}]": f"《{basis.law}》{basis.article}"
        for at, basis in enumerate(manifest.legal_basis, start=1)
    }
    said |= {"fee": manifest.fee_basis, "licence": manifest.licence.basis if manifest.licence else ""}
    yield from (Basis(manifests.FILE, place, 0, text) for place, text in said.items())
    for rule in manifest.apart:
        yield from (Basis(manifests.FILE, task, 0, rule.basis) for task in sorted(rule.tasks))
    for place, cited in manifest.cites.items():
        yield from (Basis(manifests.FILE, place, 0, text) for text in cited)


def of_files(files: Mapping[str, bytes]) -> Iterator[Basis]:
    """List what drawings, tables and notices of a pack say (流程、决策表和文书中的依据).

    Raises `PackRefused` for XML that cannot be read.
    """
    for path in sorted(files):
        if path.endswith(_DRAWN):
            for node in markup.read(path, files[path], _ANY).iter():
                if markup.local(node) in _SAYING and node.text and node.text.strip():
                    yield Basis(path, _identified(node.getparent()), node.sourceline, node.text)
        elif path.startswith(NOTICES):
            yield Basis(path, path, 0, files[path].decode(errors="replace"))


def faults(
    manifest: Manifest, files: Mapping[str, bytes], elements: frozenset[str], library: Library
) -> Iterator[Fault]:
    """Find what a pack cites wrongly (引用校验), each once.

    An element that is not there and a `[cites]` that is no citation are errors; what the library does not know is a
    warning, or an error where the manifest says `law = "strict"`.
    """
    places = elements | {path for path in files if path.startswith(NOTICES)}
    for place, cited in manifest.cites.items():
        if place not in places:
            yield Fault(manifests.FILE, f"cites.{place}", 0, "no element and no notice of this pack has this id")
        for text in cited:
            if parse(text) is None:
                yield Fault(manifests.FILE, f"cites.{place}", 0, f"{text!r} is no citation, such as 行政许可法#32.1.4")
    level = "error" if manifest.law == manifests.STRICT else "warning"
    told: set[tuple[str, Citation]] = set()
    for basis in [*of_manifest(manifest), *of_files(files)]:
        for citation in library.find(basis.text):
            if library.held(citation) is None and (basis.file, citation) not in told:
                told.add((basis.file, citation))
                why = f"{citation.human} is not in the library of laws"
                yield Fault(basis.file, basis.place, basis.line, why, level=level)


def _identified(node: Any) -> str:
    while node is not None and not node.get("id"):
        node = node.getparent()
    return str(node.get("id")) if node is not None else ""
