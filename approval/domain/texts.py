"""Texts (文字): what a page can show and a column can keep."""

import unicodedata
from typing import NamedTuple

from approval.domain.errors import AnswersInvalid, Missing

LONGEST_CODE = 80  # as the columns that hold codes and ids
LONGEST_REASON = 2000

_LINES = str.maketrans("", "", "\n\r\t")
# Controls, marks without a shape, half characters and separators that no page shows.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Words(NamedTuple):
    """One thing said in both languages (双语文字)."""

    zh: str
    en: str


def unseen(text: str, *, lines: bool) -> bool:
    """Say whether a text holds characters that nobody sees (不可见字符); with `lines` it may be of several lines."""
    return not _UNSEEN.isdisjoint(map(unicodedata.category, text.translate(_LINES) if lines else text))


def reason(text: str, *, where: str = "answers.reason", label: str = "理由") -> str:
    """Read the reason that must be given for an act (理由), or another such text that `where` and `label` name.

    Raises `AnswersInvalid` for none, for far too much, and for characters that nobody sees.
    """
    text = " ".join(text.split())
    why = "too-long" if len(text) > LONGEST_REASON else "" if text.isprintable() else "wrong-form"
    if why or not text:
        raise AnswersInvalid(missing=[Missing(where, why or "required", label)])
    return text


def reasons(*asked: tuple[str, str, str, int]) -> tuple[list[str], list[Missing]]:
    """Read several texts that must be given (理由与依据): where each stands, its label, the text, how long it may be.

    What cannot be read is told instead of refused, so that the caller can tell everything at once.
    """
    read, missing = [], []
    for where, label, text, longest in asked:
        try:
            read.append(reason(text, where=where, label=label))
        except AnswersInvalid as refused:
            missing += refused.facts["missing"]
        else:
            if len(read[-1]) > longest:
                missing.append(Missing(where, "too-long", label))
    return read, missing
