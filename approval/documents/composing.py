"""Composing (排字): one text set in lines, by WeasyPrint's own line breaker and Pango, read out as PDF operators.

What stands here follows WeasyPrint's `draw_first_line`, to the same bytes: a plate proves that of itself before it is
used. Lengths are CSS pixels.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from weasyprint.text.ffi import FROM_UNITS, ffi, pango
from weasyprint.text.fonts import get_hb_object_data, get_pango_font_hb_face, get_pango_font_key
from weasyprint.text.line_break import split_first_line

from approval.documents.faces import faces

_KNOWN_FONTS: dict[int, int] = {}
_MOST_KNOWN = 64


class Unfit(Exception):  # noqa: N818 -- no error: the page goes the other way
    """This page cannot be drawn from a plate; it is drawn by WeasyPrint as a whole."""


class Line(NamedTuple):
    """One line of one text, composed (字行): how it is shown, and which text each glyph of each face stands for."""

    width: float
    shown: tuple[bytes, ...]
    glyphs: dict[tuple[int, int], str]


def lines(text: str, style: Any, widths: tuple[float | None, float | None]) -> list[Line]:
    """Compose a text in lines (断行), the first as wide as `widths` says first, the others as it says second.

    Without a width it is one line. Raises `Unfit` for glyphs that are none of our fonts'.
    """
    found: list[Line] = []
    rest = text
    while rest:
        layout, length, resume, width, *_ = split_first_line(rest, style, None, widths[bool(found)], 0)
        if not length:
            raise Unfit("an empty line")
        found.append(Line(width, *read(layout, style)))
        rest = "" if resume is None else rest.encode()[resume:].decode()
    return found


def read(layout: Any, style: Any) -> tuple[tuple[bytes, ...], dict[tuple[int, int], str]]:
    """Read a line that Pango laid out (读取字形): operators that show it, and what its glyphs stand for."""
    layout.reactivate(style)
    try:
        pango.pango_layout_set_single_paragraph_mode(layout.layout, True)
        line, _ = layout.get_first_line()
        shown: list[bytes] = []
        glyphs: dict[tuple[int, int], str] = {}
        text = layout.text.encode()
        face, string, before = 0, "", None
        for item in _items(line):
            font = item.item.analysis.font
            if font != before:
                if string:
                    shown.append(f"[{string}] TJ".encode())
                before, string = font, ""
                face, size = _font(font)
                shown.append(f"/F{face} {_number(size)} Tf".encode())
            string += _string(item, face, size, text, glyphs)
        shown.append(f"[{string}] TJ".encode())
        return tuple(shown), glyphs
    finally:
        layout.deactivate()


def _items(line: Any) -> Iterator[Any]:
    run = line.runs[0]
    while run != ffi.NULL:
        yield run.data
        run = run.next


def _string(item: Any, face: int, size: float, text: bytes, glyphs: dict[tuple[int, int], str]) -> str:
    number, clusters = item.glyphs.num_glyphs, item.glyphs.log_clusters
    string = "<"
    for index, info in enumerate(item.glyphs.glyphs[0:number]):
        glyph, width = info.glyph, info.geometry.width
        if glyph == pango.PANGO_GLYPH_EMPTY:
            string += f">{-width / size}<"
            continue
        if glyph & pango.PANGO_GLYPH_UNKNOWN_FLAG or info.geometry.y_offset or item.item.analysis.level % 2:
            raise Unfit("a glyph that is missing, raised or written backwards")
        end = item.item.length if index == number - 1 else clusters[index + 1]
        start = item.item.offset
        glyphs.setdefault((face, glyph), text[start + clusters[index] : start + end].decode())
        offset = info.geometry.x_offset / size
        if offset:
            string += f">{-offset}<"
        string += f"{glyph:04x}"
        kerning = faces()[face].advance(glyph) + offset - width * 1000 * FROM_UNITS / size
        if kerning:
            string += f">{int(kerning)}<"
    return string.removesuffix("<") if string.endswith("<") else string + ">"


def _font(font: Any) -> tuple[int, float]:
    key, _, size = get_pango_font_key(font)
    if key not in _KNOWN_FONTS:
        content = get_hb_object_data(get_pango_font_hb_face(font))
        ours = [index for index, face in enumerate(faces()) if face.content == content]
        if not ours or len(_KNOWN_FONTS) >= _MOST_KNOWN:
            raise Unfit("a font that is not ours")
        _KNOWN_FONTS[key] = ours[0]
    return _KNOWN_FONTS[key], size


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:f}".rstrip("0")
