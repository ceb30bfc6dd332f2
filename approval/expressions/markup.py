"""XML that a stranger uploaded (上传的 XML): read without entities, DTD or network, within limits."""

from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from approval.domain.errors import Fault, PackRefused

LARGEST: Final = 2 * 2**20
DEEPEST: Final = 100
MOST: Final = 50_000


def read(file: str, source: bytes, *, largest: int = LARGEST, deepest: int = DEEPEST, most: int = MOST) -> Any:
    """Return the root (根元素) of an XML file; `largest` counts bytes, `deepest` and `most` elements.

    Raises PackRefused for a DOCTYPE, for anything over the limits and for text that is not XML.
    """
    if len(source) > largest:
        raise PackRefused(faults=[Fault(file, "", 0, f"the file is larger than {largest} bytes")])
    _scan(file, source, deepest, most)
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(source, parser)
    except etree.XMLSyntaxError as problem:
        why = f"this is not XML: {problem.msg}"
        raise PackRefused(faults=[Fault(file, "", problem.lineno or 0, why)]) from None


def local(node: Any) -> str:
    """Return a tag without its namespace."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _scan(file: str, source: bytes, deepest: int, most: int) -> None:
    """Walk the text once with expat, which can stop at a DOCTYPE before anything of it is expanded."""
    parser = expat.ParserCreate()
    depth = count = 0

    def refuse(why: str) -> PackRefused:
        return PackRefused(faults=[Fault(file, "", parser.CurrentLineNumber, why)])

    def doctype(*_: object) -> None:
        raise refuse("a DOCTYPE is not accepted; remove it")

    def opened(*_: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > deepest:
            raise refuse(f"elements are nested deeper than {deepest}")
        if count > most:
            raise refuse(f"there are more than {most} elements")

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        parser.Parse(source, True)
    except expat.ExpatError as problem:
        why = f"this is not XML: {expat.errors.messages[problem.code]}"
        raise PackRefused(faults=[Fault(file, "", problem.lineno, why)]) from None
