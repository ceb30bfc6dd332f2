"""Texts (文字): what a page can show and a column can keep."""

import unicodedata

LONGEST_CODE = 80  # as the columns that hold codes and ids

_LINES = str.maketrans("", "", "\n\r\t")
# Controls, marks without a shape, half characters and separators that no page shows.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def unseen(text: str, *, lines: bool) -> bool:
    """Say whether a text holds characters that nobody sees (不可见字符); with `lines` it may be of several lines."""
    return not _UNSEEN.isdisjoint(map(unicodedata.category, text.translate(_LINES) if lines else text))
