"""Sheets (底版): all of a document that WeasyPrint wrote but its texts, ready to be written again around others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydyf

from approval.documents import codes, writing
from approval.documents.composing import Unfit
from approval.documents.faces import faces

_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
# What a catalogue may have: no links, forms or files of the page's own.
_ENTRIES = {"Type", "Pages", "OutputIntents", "Metadata", "Lang", "Outlines", "Names"}
_CODE = "Code"
# Draws the QR code into the square of one unit in which the page's placeholder stood.
SHOW_CODE = f"n\nq\n0 0 0 rg\n1 0 0 -1 0 1 cm\n/{_CODE} Do\nQ".encode()


@dataclass(frozen=True)
class Sheet:
    """Objects of a document that stay (不变对象), and the numbers of those that are written each time."""

    made: Mapping[int, bytes]
    catalog: bytes
    page: bytes
    info: Mapping[str, Any]
    metadata: tuple[bytes, ...]
    """Cut where the title stands, if it may change."""
    page_at: int
    content_at: int
    fonts_at: int
    code_at: int

    def write(
        self,
        content: bytes,
        glyphs: Mapping[int, Mapping[int, str]],
        title: str | None,
        code: str | None,
        attached: Mapping[str, str],
    ) -> bytes:
        """Write a document (书写文件): the page's operators, the glyphs of each face, and what goes with it."""
        document = writing.Document(self.made)
        document.stream(content, number=self.content_at)
        fonts = [f"/F{face} {writing.font(document, faces()[face], some)} 0 R" for face, some in sorted(glyphs.items())]
        document.write(f"<<{''.join(fonts)}>>".encode(), self.fonts_at)
        if code is not None:
            document.write(_image(codes.squares(code)), self.code_at)
        form, annotations = writing.leave_room(document, self.page_at)
        document.write(b"%b%b>>" % (self.page, annotations.encode()), self.page_at)
        info = {**self.info, "Title": pydyf.String(title)} if title else self.info
        metadata = _xml(title or "").join(self.metadata)
        metadata_at = document.stream(metadata, "/Type/Metadata/Subtype/XML")
        entries = f"/Metadata {metadata_at} 0 R{form}{writing.attach(document, attached)}>>"
        root = document.write(self.catalog + entries.encode())
        return document.close(root, document.write(pydyf.Dictionary(info).data))


def take(pdf: Any, title: str | None) -> tuple[Sheet, list[bytes]]:
    """Take a sheet from what WeasyPrint wrote (取底版), and the operators of its one page.

    `title` is what the page's own says and may say otherwise next time; None for one that stays. Raises `Unfit` for a
    document that has more than a page, or a title that cannot be told from the rest.
    """
    if not pdf.catalog.keys() <= _ENTRIES or pdf.pages["Count"] != 1:
        raise Unfit("several pages, links, forms or attachments")
    page = pdf.objects[pdf.pages["Kids"][0]]
    content, resources = (pdf.objects[_number(page[name])] for name in ("Contents", "Resources"))
    fonts_at, code_at = _number(resources["Font"]), len(pdf.objects)
    if "Annots" in page or _CODE in resources["XObject"]:
        raise Unfit("annotations")
    # Elements with an `id` are destinations of links, and there are none.
    pdf.catalog.pop("Names", None)
    resources["XObject"][_CODE] = f"{code_at} 0 R".encode()
    (metadata,) = pdf.objects[_number(pdf.catalog.pop("Metadata"))].stream
    cut = tuple(metadata.split(b">%b<" % _xml(title))) if title else (metadata,)
    if title:
        if len(cut) != 2:  # noqa: PLR2004 -- before and after
            raise Unfit("a title that stands nowhere, or in more than one place")
        cut = (cut[0] + b">", b"<" + cut[1])
    fresh = {page.number, content.number, fonts_at, code_at}
    made = _needed(pdf, page.data + pdf.catalog.data, fresh) | dict.fromkeys(fresh, b"null")
    sheet = Sheet(
        made, pdf.catalog.data[:-2], page.data[:-2], pdf.info, cut, page.number, content.number, fonts_at, code_at
    )
    return sheet, [operator if isinstance(operator, bytes) else operator.encode() for operator in content.stream]


def _needed(pdf: Any, start: bytes, fresh: set[int]) -> dict[int, bytes]:
    """Find the objects that stay: those that something refers to, but what is written each time."""
    found: dict[int, bytes] = {}
    todo = [start]
    while todo:
        for number in {int(digits) for digits in _REFERENCE.findall(todo.pop())} - found.keys() - fresh:
            thing = pdf.objects[number]
            found[number] = thing.data
            # What is packed refers to nothing; what stands beside it may.
            todo.append(pydyf.Dictionary(thing.extra).data if isinstance(thing, pydyf.Stream) else thing.data)
    return found


def _xml(text: str) -> bytes:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()


def _number(reference: bytes) -> int:
    return int(reference.split()[0])


def _image(squares: codes.Squares) -> bytes:
    return writing.packed(
        squares.bits,
        f"/Type/XObject/Subtype/Image/Width {squares.side}/Height {squares.side}/ImageMask true/BitsPerComponent 1"
        "/Decode[1 0]",
    )
