"""Skeletons (骨架): a filled page taken apart into what its template gave it and the texts that change.

The pieces are cut at every `<`, more simply than HTML is read. Whether the texts found so are those that a reader of
HTML finds must be asked of one page (`texts`); then it holds for every page with the same skeleton, because no text
has a `<` in it, and without one no text ends the state in which HTML is read.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from typing import Any, NamedTuple

BLANKS = " \t\n\f\r"
_TAG = re.compile(r"""(<!--.*?-->|<(?:[^<>"']|"[^"]*"|'[^']*')*>)""", re.DOTALL)
# What a template's value becomes: single spaces, no line break of any kind, and no entity but those of escaping.
_PLAIN = re.compile(r"(?:[^\s&]|[ \u3000\xa0](?! )|&(?:amp|lt|gt|#34|#39);)+")
_HOLE = "\0"


class Skeleton(NamedTuple):
    """A page's skeleton (骨架), as a hash, and its texts in their order, without the blanks around them."""

    key: bytes
    texts: tuple[str, ...]


def split(page: str) -> Skeleton | None:
    """Take a page apart (拆分页面); None for one that has a `<` which begins no tag.

    A text that is not plain belongs to the skeleton: it is the same wherever the skeleton is.
    """
    kept, found = [], []
    for index, piece in enumerate(_TAG.split(page)):
        core = piece.strip(BLANKS)
        if index % 2 or not core:
            kept.append(piece)
            continue
        if "<" in core or _HOLE in core:
            return None
        before, after = piece.split(core, 1)
        kept += [before, _HOLE if _PLAIN.fullmatch(core) else core, after]
        found.append(unescape(core))
    return Skeleton(sha256("".join(kept).encode(errors="surrogatepass")).digest(), tuple(found))


def texts(root: Any) -> Iterator[tuple[Any, str]]:
    """Find the texts of a parsed page (页面文本) in their order, each with the element that it belongs to."""
    yield from _text(root, root.text if isinstance(root.tag, str) else None)
    for child in root:
        yield from texts(child)
        yield from _text(root, child.tail)


def _text(owner: Any, text: str | None) -> Iterator[tuple[Any, str]]:
    if text and (core := text.strip(BLANKS)):
        yield owner, core
