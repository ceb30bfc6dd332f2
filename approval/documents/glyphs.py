"""Glyphs (字形): which characters our fonts can draw, told without drawing anything."""

from collections.abc import Iterable
from functools import cache

from approval.domain.errors import Unavailable
from approval.paths import FONTS

WEIGHTS = {"NotoSansSC-Regular.ttf": 400, "NotoSansSC-Bold.ttf": 700}


def missing_glyphs(texts: Iterable[str]) -> str:
    """Tell the characters that our fonts lack (缺字), sorted, each once; white space is never one of them.

    Raises `Unavailable` when the fonts are not set up.
    """
    lacking = set().union(*texts) - _drawable()
    return "".join(sorted(character for character in lacking if not character.isspace()))


@cache
def _drawable() -> frozenset[str]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 -- most processes never ask, and need not import it

    drawable: list[set[str]] = []
    for file in WEIGHTS:
        if not (FONTS / file).is_file():
            raise Unavailable(font=file)
        with TTFont(FONTS / file, lazy=True) as font:
            drawable.append({chr(code) for code in font.getBestCmap()})
    return frozenset(set.intersection(*drawable))
