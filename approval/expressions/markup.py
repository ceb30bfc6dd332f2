"""XML that a stranger uploaded (上传的 XML): read without entities, DTD or network, within limits."""

import re
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from lxml import etree

from approval.domain.errors import Fault, PackRefused

# Chinese tools write these; expat knows none of them, and GB 18030 holds the other two.
_CHINESE: Final = re.compile(rb"""\A(<\?xml[^>]*?)\s+encoding\s*=\s*["'](?:gbk|gb2312|gb18030)["']""", re.IGNORECASE)


class Limits(NamedTuple):
    """How much a stranger's file may hold (上传限额): its bytes, the depth of its elements, and their number."""

    largest: int = 2 * 2**20
    deepest: int = 100
    most: int = 50_000


LIMITS: Final = Limits()
_MOST_ATTRIBUTES: Final = 500


def read(file: str, source: bytes, limits: Limits = LIMITS) -> Any:
    """Return the root (根元素) of an XML file.

    Raises PackRefused for a DOCTYPE, for anything over the limits, for text that is not XML and for an encoding
    that is neither Unicode nor Chinese (GB 18030 and the older ones in it).
    """
    if len(source) > limits.largest:
        raise PackRefused(faults=[Fault(file, "", 0, f"the file is larger than {limits.largest} bytes")])
    source = _in_unicode(file, source)
    _scan(file, source, limits)
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(source, parser)
    except etree.XMLSyntaxError as problem:
        why = f"this is not XML: {problem.msg}"
        raise PackRefused(faults=[Fault(file, "", problem.lineno or 0, why)]) from None


def local(node: Any) -> str:
    """Return a tag without its namespace."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _in_unicode(file: str, source: bytes) -> bytes:
    declared = _CHINESE.match(source)
    if declared is None:
        return source
    try:
        return (declared[1] + source[declared.end() :]).decode("gb18030").encode()
    except UnicodeDecodeError as problem:
        line = source.count(b"\n", 0, problem.start) + 1
        raise PackRefused(faults=[Fault(file, "", line, "this is not in the encoding it declares")]) from None


def _scan(file: str, source: bytes, limits: Limits) -> None:
    """Walk the text once with expat, which can stop at a DOCTYPE before anything of it is expanded."""
    parser = expat.ParserCreate()
    depth = count = 0

    def refuse(why: str) -> PackRefused:
        return PackRefused(faults=[Fault(file, "", parser.CurrentLineNumber, why)])

    def doctype(*_: object) -> None:
        raise refuse("a DOCTYPE is not accepted; remove it")

    def opened(_: object, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if len(attributes) > _MOST_ATTRIBUTES:
            raise refuse(f"an element has more than {_MOST_ATTRIBUTES} attributes")
        if depth > limits.deepest:
            raise refuse(f"elements are nested deeper than {limits.deepest}")
        if count > limits.most:
            raise refuse(f"there are more than {limits.most} elements")

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
    except (ValueError, LookupError) as problem:
        raise refuse(f"this encoding is not read here; save the file as UTF-8 ({problem})") from None
