"""Plates (印版): a page laid out once, from which further licences of the same skeleton are drawn without a layout.

A plate is what WeasyPrint wrote for one page, with its texts as openings in the page's operators. A page is drawn from
it when it differs only in texts whose groups are free (`layouts`), and each of these still has as many lines as
before: then everything else is where it was. What is not known to be so is laid out anew, into a plate of its own, and
what cannot be made a plate WeasyPrint draws as a whole.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approval.documents import codes, composing, drawing, layouts, sheets, skeletons
from approval.documents.composing import Line, Unfit
from approval.documents.glyphs import missing_glyphs
from approval.documents.layouts import Fragment, Group
from approval.documents.sheets import Sheet
from approval.documents.skeletons import Skeleton

_MOST_PLATES = 32
_MOST_SKELETONS = 256
_TRIES = 3  # a skeleton of which no plate could be made so often is drawn as a whole from then on
_CLOSE = 1e-3  # CSS pixels
_SPARE = 0.1  # CSS pixels: a line that is filled to its end may break
_EXACTLY = 1 + 1e-9  # as WeasyPrint has it
Place = tuple[float, Line]


@dataclass(frozen=True)
class Plate:
    """A page ready to be drawn again with other texts (印版)."""

    texts: tuple[str, ...]
    groups: tuple[Group, ...]
    title: int | None
    """Which text is the document's title; it stands in no line."""
    fixed: frozenset[int]
    """The texts that stand elsewhere in the document too, and so may not change."""
    parts: tuple[bytes | Fragment, ...]
    """The page's operators, with a fragment where its text goes."""
    places: Mapping[Fragment, Place]
    """Where each fragment starts, in CSS pixels, and its line."""
    sheet: Sheet

    def draw(self, texts: Sequence[str], code: str | None, attached: Mapping[str, str]) -> bytes:
        """Draw the page with these texts (印制); raises `Unfit` when they do not fit."""
        changed = {number for number, text in enumerate(texts) if text != self.texts[number]}
        free = {self.title}.union(*(group.nodes for group in self.groups if group.free))
        if not changed <= free - self.fixed:
            raise Unfit("a text that does not stand free has changed")
        places = dict(self.places)
        for group in self.groups:
            if changed & group.nodes:
                places.update(_composed(group, texts))
        shown = [part if isinstance(part, bytes) else _shown(part, *places[part]) for part in self.parts]
        glyphs: dict[int, dict[int, str]] = {}
        for part in self.parts:
            for (face, glyph), stands in places[part][1].glyphs.items() if isinstance(part, Fragment) else ():
                # A glyph that stands for two characters is read as the first.
                glyphs.setdefault(face, {}).setdefault(glyph, stands)
        title = None if self.title is None else texts[self.title]
        return self.sheet.write(b"\n".join(shown), glyphs, title, code, attached)


def make(page: str, skeleton: Skeleton) -> Plate:
    """Make a plate of a page (制版) and prove it: what it writes for the page's own texts is what WeasyPrint wrote.

    Raises `Unfit` for a page of which that does not hold.
    """
    parsed = drawing.parse(page)
    owned = list(skeletons.texts(parsed.etree_element))
    texts = skeleton.texts
    if tuple(text for _, text in owned) != texts:
        raise Unfit("HTML is read otherwise than it was cut")
    document, pdf = drawing.lay_out(parsed)
    titles = [number for number, (owner, text) in enumerate(owned) if owner.tag == "title"]
    title = titles[0] if len(titles) == 1 and texts[titles[0]] == document.metadata.title else None
    sheet, operators = sheets.take(pdf, None if title is None else texts[title])
    box = document.pages[0]._page_box  # noqa: SLF001 -- nobody else has it
    groups = layouts.groups(box, [owner for owner, _ in owned], texts)
    places = {part: _as_drawn(part.box) for group in groups for row in group.rows for part in row.fragments}
    parts = tuple(_parts(operators, places, page.count(codes.CORNER)))
    for at, group in enumerate(groups):
        again = _proven(group, texts, places) if group.free else None
        groups[at] = group._replace(free=again is not None)
        places.update(again or {})
    labels = " ".join(label for label, *_ in _flat(document.make_bookmark_tree()))
    fixed = frozenset(number for number, text in enumerate(texts) if text in labels)
    return Plate(texts, tuple(groups), title, fixed, parts, places, sheet)


def _flat(bookmarks: Sequence[Any]) -> Iterator[Any]:
    for bookmark in bookmarks:
        yield bookmark
        yield from _flat(bookmark[2])


def _proven(group: Group, texts: Sequence[str], places: Mapping[Fragment, Place]) -> dict[Fragment, Place] | None:
    try:
        again = _composed(group, texts)
    except Unfit:
        return None
    same = all(_same(again[part], _without_blanks(part.box, places[part])) for part in again)
    return again if same else None


def _as_drawn(box: Any) -> Place:
    shown, glyphs = composing.read(box.pango_layout, box.style)
    return box.position_x, Line(box.width, shown, glyphs)


def _without_blanks(box: Any, place: Place) -> Place:
    # At the end of a line WeasyPrint takes blanks from the box, and its width, but draws them.
    if box.text == box.pango_layout.text:
        return place
    return place[0], composing.lines(box.text, box.style, (None, None))[0]


def _same(one: Place, other: Place) -> bool:
    return one[1].shown == other[1].shown and abs(one[0] - other[0]) < _CLOSE


def _parts(operators: Sequence[bytes], places: Mapping[Fragment, Place], openings: int) -> Iterator[bytes | Fragment]:
    """Cut the page's operators at its texts; every text is drawn once, and as it was read."""
    waiting = {_start(part, x): part for part, (x, _) in places.items()}
    if len(waiting) != len(places):
        raise Unfit("texts on top of each other")
    at = 0
    while at < len(operators):
        operator = operators[at]
        at += 1
        if operator == f"{codes.CORNER} m".encode():
            at = operators.index(b"f", at) + 1
            openings -= 1
            yield sheets.SHOW_CODE
        elif operator.endswith(b" Tm"):
            end = next(end for end in range(at, len(operators)) if not operators[end].endswith((b" Tf", b" TJ")))
            part = waiting.pop(operator, None)
            if part is None or _strings(operators[at:end]) != _strings(places[part][1].shown):
                raise Unfit("a text that is drawn otherwise than it was read")
            at = end
            yield part
        else:
            yield operator
    if waiting or openings:
        raise Unfit("a text or a QR code that is drawn elsewhere, or not at all")


def _strings(operators: Sequence[bytes]) -> list[bytes]:
    return [operator for operator in operators if not operator.endswith(b" Tf")]


def _composed(group: Group, texts: Sequence[str]) -> dict[Fragment, Place]:
    """Compose the lines of a group (排字); raises `Unfit` for more lines than it has, or fewer."""
    block, parts = group.block, [part for row in group.rows for part in row.fragments]
    gaps = [layouts.gaps(row) for row in group.rows]
    left = block.content_box_x()
    if len(group.rows) == 1:
        lines = [_only(part, texts[part.node or 0]) for part in parts]
        places = _beside(lines, gaps[0])
        if places[-1] > block.width - _SPARE:
            raise Unfit("a line that may have to break")
        x = left + layouts.aligned(block, places.pop())
        return {part: (x + place, line) for part, place, line in zip(parts, places, lines, strict=True)}
    text = f"{parts[0].before}{texts[parts[0].node or 0]}{parts[-1].after}"
    end = (left + block.width) * _EXACTLY - left
    lines = composing.lines(text, parts[0].box.style, (end - gaps[0][0], end - gaps[1][0]))
    if len(lines) != len(parts):
        raise Unfit("more lines, or fewer")
    found = {}
    for part, line, gap in zip(parts, lines, gaps, strict=True):
        place, width = _beside([line], gap)
        found[part] = (left + layouts.aligned(block, width) + place, line)
    return found


def _only(part: Fragment, text: str) -> Line:
    line, *more = composing.lines(f"{part.before}{text}{part.after}", part.box.style, (None, None))
    if more:
        raise Unfit("a forced line break")
    return line


def _beside(lines: Sequence[Line], gaps: Sequence[float]) -> list[float]:
    """Put lines beside each other with gaps between: where each starts, and the width of all."""
    at, found = 0.0, []
    for line, gap in zip(lines, gaps, strict=False):
        found.append(at + gap)
        at += gap + line.width
    return [*found, at + gaps[-1]]


def _start(part: Fragment, x: float) -> bytes:
    return f"1 0 0 -1 {_number(x)} {_number(part.box.position_y + part.box.baseline)} Tm".encode()


def _number(value: float) -> str:
    # As pydyf writes it, so that a text is found by where it starts.
    return str(int(value)) if float(value).is_integer() else f"{value:f}".rstrip("0")


def _shown(part: Fragment, x: float, line: Line) -> bytes:
    return b"\n".join([_start(part, x), *line.shown])


_plates: OrderedDict[tuple[bytes, int], Plate] = OrderedDict()
_failed: OrderedDict[bytes, int] = OrderedDict()


def draw(page: str, code: str | None, attached: Mapping[str, str]) -> bytes | None:
    """Draw a filled page from a plate (按印版印制), which is made if there is none yet that fits.

    `code` goes where `codes.OPENING` was printed. None when the page has to be drawn as a whole, or refused: whoever
    draws it so finds out which.
    """
    skeleton = skeletons.split(page)
    if skeleton is None or _failed.get(skeleton.key, 0) >= _TRIES or missing_glyphs(skeleton.texts):
        return None
    for name in [name for name in reversed(_plates) if name[0] == skeleton.key]:
        try:
            drawn = _plates[name].draw(skeleton.texts, code, attached)
        except Unfit:
            continue
        _plates.move_to_end(name)
        return drawn
    try:
        plate = make(page, skeleton)
    except Unfit:
        _failed[skeleton.key] = _failed.get(skeleton.key, 0) + 1
        _forget(_failed, _MOST_SKELETONS)
        return None
    _plates[skeleton.key, id(plate)] = plate
    _forget(_plates, _MOST_PLATES)
    return plate.draw(skeleton.texts, code, attached)


def _forget(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
