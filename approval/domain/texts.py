"""Texts (文字): what a page can show and a column can keep."""

import unicodedata

from approval.domain.errors import AnswersInvalid, Missing

LONGEST_CODE = 80  # as the columns that hold codes and ids
_LONGEST_REASON = 2000

_LINES = str.maketrans("", "", "\n\r\t")
# Controls, marks without a shape, half characters and separators that no page shows.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def unseen(text: str, *, lines: bool) -> bool:
    """Say whether a text holds characters that nobody sees (不可见字符); with `lines` it may be of several lines."""
    return not _UNSEEN.isdisjoint(map(unicodedata.category, text.translate(_LINES) if lines else text))


def reason(text: str, *, where: str = "answers.reason", label: str = "理由") -> str:
    """Read the reason that must be given for an act (理由), or another such text that `where` and `label` name.

    Raises `AnswersInvalid` for none, for far too much, and for characters that nobody sees.
    """
    text = " ".join(text.split())
    if not 0 < len(text) <= _LONGEST_REASON or not text.isprintable():
        raise AnswersInvalid(missing=[Missing(where, "required", label)])
    return text
