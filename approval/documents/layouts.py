"""Layouts (版面): where the texts of a laid-out page stand, and which of them may change without moving anything else.

A group is the lines that break together: from a forced break, or the start of a block, to the next. It is *free* when
the width that its lines have does not depend on what stands in them, and nothing but its glyphs does: no table or box
that shrinks to fit, no decoration, nothing else in the line. Its height does not either: our fonts are of one height.
Everything that is not known to be so is not free.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from weasyprint.formatting_structure import boxes

from approval.documents.composing import Unfit
from approval.documents.skeletons import BLANKS

_ROUNDING = 1e-3  # CSS pixels
_SAID = frozenset({"string", "counter()", "counters()", "quote"})  # generated content that no text of the page changes
_RUN_OF_BLANKS = re.compile(f"[{BLANKS}]+")
_FLOWING = ("normal", "nowrap")
# How much of what a line leaves free stands before it.
_ALIGNED = {"start": 0.0, "left": 0.0, "center": 0.5, "right": 1.0, "end": 1.0}
_CARRIERS = (boxes.PageBox, boxes.TableRowGroupBox, boxes.TableRowBox, boxes.TableCellBox)


@dataclass(eq=False)
class Fragment:
    """A text, or what of it stands in one line (文本片段): which text, its box, and what stands around it there."""

    box: Any
    node: int | None
    before: str = ""
    after: str = ""


class Row(NamedTuple):
    """One line as it was laid out (行): its box, the fragments in it, and whether it ends where it must."""

    box: Any
    fragments: tuple[Fragment, ...]
    ends: bool


class Group(NamedTuple):
    """Lines that break together (断行组), in a block; `free` when their texts may change."""

    block: Any
    rows: tuple[Row, ...]
    free: bool

    @property
    def nodes(self) -> set[int]:
        """The texts that stand in these lines (文本编号)."""
        return {part.node for row in self.rows for part in row.fragments if part.node is not None}


def groups(page: Any, owners: Sequence[Any], texts: Sequence[str]) -> list[Group]:
    """Find the groups of a page (断行组): all its texts, each once; `owners` are the elements of `texts`.

    Raises `Unfit` where the texts of the page cannot be told from each other.
    """
    if any(_quotes(box) for box in page.descendants()):
        raise Unfit("a style sheet that says what stands elsewhere")
    blocks = list(_blocks(page, steady=True))
    _assign([part for _, rows, _ in blocks for row in rows for part in row.fragments], owners, texts)
    return [group for block, rows, steady in blocks for group in _grouped(block, rows, steady)]


def _blocks(box: Any, *, steady: bool) -> Iterator[tuple[Any, list[Row], bool]]:
    """Walk the boxes of a page: each block with lines of its own, and whether its width is its own too."""
    if isinstance(box, boxes.MarginBox) or box.is_floated():
        raise Unfit("a margin box, or a float")
    steady = steady and _keeps_its_width(box)
    children = [getattr(child, "_box", child) for child in getattr(box, "children", ())]
    if lines := [child for child in children if isinstance(child, boxes.LineBox)]:
        yield box, [_row(line) for line in lines], steady
    for child in children:
        yield from _inner(child, steady=steady)


def _quotes(box: Any) -> bool:
    """Tell whether a style sheet puts a text here that it takes from elsewhere, as `target-text()` does."""
    said = box.style["content"] if "::" in (box.element_tag or "") else "normal"
    return not isinstance(said, str) and any(kind not in _SAID for kind, _ in said)


def _inner(child: Any, *, steady: bool) -> Iterator[tuple[Any, list[Row], bool]]:
    if not isinstance(child, boxes.LineBox | boxes.InlineBox):
        if isinstance(child, boxes.Box) and not isinstance(child, boxes.TextBox):
            yield from _blocks(child, steady=steady)
        return
    for inner in child.children:
        # Whatever stands in a line moves with the line's text.
        yield from _inner(getattr(inner, "_box", inner), steady=False)


def _keeps_its_width(box: Any) -> bool:
    style = box.style
    if isinstance(box, _CARRIERS):
        return True
    if style["direction"] != "ltr" or style["column_width"] != "auto" or style["column_count"] != "auto":
        return False
    given = not isinstance(style["width"], str)
    if isinstance(box, boxes.TableBox):
        return given and bool(style["table_layout"] == "fixed")
    if type(box) is not boxes.BlockBox:
        return False
    if box.is_absolutely_positioned():
        return given or "auto" not in (style["left"], style["right"])
    return given or bool(style["width"] == "auto")


def _row(line: Any) -> Row:
    last = line.children[-1] if line.children else None
    ends = isinstance(last, boxes.InlineBox) and last.element_tag == "br"
    return Row(line, tuple(Fragment(box, None) for box in _texts(line)), ends)


def _texts(box: Any) -> Iterator[Any]:
    for child in box.children:
        if isinstance(child, boxes.TextBox):
            if child.text.strip(BLANKS):
                yield child
        elif isinstance(child, boxes.InlineBox):
            yield from _texts(child)


def _assign(parts: Sequence[Fragment], owners: Sequence[Any], texts: Sequence[str]) -> None:
    """Tell which text each fragment is of: those of one element follow one another as its texts do."""
    waiting: dict[Any, list[tuple[int, str]]] = defaultdict(list)
    for number, owner in enumerate(owners):
        waiting[owner].append((number, _RUN_OF_BLANKS.sub(" ", texts[number])))
    for part in parts:
        if part.box.element is None or part.box.element_tag != part.box.element.tag:
            continue  # what a style sheet says, not the page
        mine = waiting[part.box.element]
        shown = part.box.text.strip(BLANKS)
        if not mine or not mine[0][1].startswith(shown):
            raise Unfit(f"a text that the page shows otherwise: {shown}")
        part.before, part.after = part.box.text.split(shown, 1)
        part.node, text = mine.pop(0)
        if rest := text[len(shown) :].lstrip(" "):
            mine.insert(0, (part.node, rest))


def _grouped(block: Any, rows: Sequence[Row], steady: bool) -> Iterator[Group]:
    start = 0
    for at, row in enumerate(rows, 1):
        if row.ends or at == len(rows):
            some = tuple(rows[start:at])
            start = at
            yield Group(block, some, steady and _is_free(block, some))


def _is_free(block: Any, rows: Sequence[Row]) -> bool:
    parts = [part for row in rows for part in row.fragments]
    simple = all(_simple(row.box) and _placed(block, row) for row in rows)
    # Several lines are broken anew only where one text has them for itself.
    alone = len(rows) == 1 or (
        len({part.node for part in parts}) == 1
        and all(len(row.fragments) == 1 and row.fragments[0].box in row.box.children for row in rows)
    )
    return simple and alone and all(part.node is not None and _plain(part.box.style) for part in parts)


def _simple(box: Any) -> bool:
    for child in box.children:
        if isinstance(child, boxes.TextBox):
            continue
        if type(child) is not boxes.InlineBox or _seen(child):
            return False
        if not _simple(child):
            return False
    return True


def _seen(box: Any) -> bool:
    """Tell whether anything of an inline box is drawn but its text."""
    style = box.style
    image = any(image is not None and image[0] != "none" for image in style["background_image"])
    return bool(
        style["background_color"].alpha
        or image
        or box.border_left_width
        or box.border_right_width
        or box.border_top_width
        or box.border_bottom_width
        or style["outline_width"]
    )


def _plain(style: Any) -> bool:
    return (
        style["white_space"] in _FLOWING
        and style["text_decoration_line"] == "none"
        and style["text_transform"] == "none"
        and style["direction"] == "ltr"
        and style["visibility"] == "visible"
        and style["hyphens"] != "auto"
    )


def _placed(block: Any, row: Row) -> bool:
    """Tell whether the line stands where its width and `text-align` put it, and nothing else has moved it."""
    style = block.style
    align = style["text_align_all"]
    known = align in _ALIGNED and style["text_align_last"] in ("auto", align)
    cut = style["text_overflow"] == "ellipsis" or style["block_ellipsis"] != "none"
    if not known or cut or not row.fragments:
        return False
    moved: float = block.content_box_x() + aligned(block, row.box.width) - row.box.position_x
    return abs(moved) < _ROUNDING


def aligned(block: Any, width: float) -> float:
    """Tell how far right a line of this width starts in its block (对齐), in CSS pixels."""
    left: float = block.width - width
    if left <= 0:
        return 0.0
    return left * _ALIGNED[block.style["text_align_all"]]


def gaps(row: Row) -> list[float]:
    """Tell what is left free in a line before each fragment and after the last (间距), in CSS pixels."""
    ends = [(row.box.position_x, row.box.position_x)]
    ends += [(part.box.position_x, part.box.position_x + part.box.width) for part in row.fragments]
    ends.append((row.box.position_x + row.box.width, 0))
    return [after[0] - before[1] for before, after in pairwise(ends)]
