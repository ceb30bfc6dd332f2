"""The words of JUEL and plain comparisons (词法): texts cut into tokens and templates into their parts."""

import json
import re
from typing import Final

from approval.expressions.feel import ExpressionRefused

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[lLfFdD]?(?![\w]))
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>\*\*|//|&&|\|\||==|!=|<>|<=|>=|[-+*/%<>=!?:.,()\[\]]))""",
    re.VERBOSE | re.DOTALL,
)
_WORDS: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
    "and": "&&", "or": "||", "div": "/", "mod": "%", "AND": "&&", "OR": "||",
}  # fmt: skip


class Unplain(ExpressionRefused):
    """This is not one of the expressions that are translated."""


def unplain(written: str, why: str) -> Unplain:
    """Say why an expression is not translated (不予翻译), and what to write instead."""
    why += "; write a comparison such as a == 1 && b != null, or FEEL after an equals sign"
    return Unplain(expression=written[:200], why=why)


def read(written: str) -> list[tuple[str, str]]:
    """Cut an expression into tokens (分词), each its kind and its text; raises Unplain for any other sign."""
    tokens, at, text = [], 0, written.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise unplain(written, f"{text[at:].strip()[:20]!r} is not understood here")
        kind = found.lastgroup or ""
        word = found[kind]
        tokens.append(("sign", _WORDS[word]) if kind == "name" and word in _WORDS else (kind, word))
        at = found.end()
    return tokens


def templated(written: str) -> bool:
    """Say whether a text holds `${` or `#{` (识别 JUEL)."""
    return "${" in written or "#{" in written


def parts(written: str) -> list[tuple[bool, str]]:
    """Cut a text into what is evaluated and what is not (模板分段); raises ExpressionRefused for an open brace."""
    pieces: list[tuple[bool, str]] = []
    at = 0
    for found in re.finditer(r"""[$#]\{((?:[^}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}""", written, re.DOTALL):
        if found.start() > at:
            pieces.append((False, written[at : found.start()]))
        pieces.append((True, found[1]))
        at = found.end()
    if at < len(written):
        pieces.append((False, written[at:]))
    if any(not evaluated and templated(text) for evaluated, text in pieces):
        raise ExpressionRefused(expression=written[:200], why="a ${ is not closed; close it with }")
    return pieces


def quoted(text: str) -> str:
    """Write a text as a FEEL string (字符串)."""
    return json.dumps(text, ensure_ascii=False)


def unquoted(word: str) -> str:
    """Read a string literal of either quotes (字符串字面量)."""
    special = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: special.get(found[1], found[1]), word[1:-1], flags=re.DOTALL)
