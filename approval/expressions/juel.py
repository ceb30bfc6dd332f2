"""JUEL and plain comparisons (JUEL 与普通比较式), translated into FEEL by a whitelist: what is not listed is refused.

There is no method call and no bean in it, so that an expression can reach nothing but the names it is given.
"""

import re
from decimal import Decimal
from typing import Final

from approval.expressions import tokens
from approval.expressions.feel import LONGEST, ExpressionRefused

_CONSTANTS: Final = {"true": "true", "True": "true", "false": "false", "False": "false"} | dict.fromkeys(
    ("null", "None"), "null"
)
_COMPARED: Final = {"==": "=", "=": "=", "!=": "!=", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
# FEEL's own functions of one word that mean the same to everybody.
_FUNCTIONS: Final = {"abs", "ceiling", "contains", "count", "date", "duration", "floor", "matches", "max", "min"} | {
    "modulo",
    "number",
    "string",
    "substring",
    "sum",
    "time",
}
# What to write instead of the methods that authors call most.
_INSTEAD: Final = {
    "contains": 'contains({0}, "…")',
    "equals": '{0} == "…"',
    "equalsIgnoreCase": '= lower case({0}) = "…"',
    "startsWith": '= starts with({0}, "…")',
    "endsWith": '= ends with({0}, "…")',
    "isEmpty": "empty {0}",
    "size": "count({0})",
    "length": "= string length({0})",
    "get": "{0}.name",
    "containsKey": "{0}.name != null",
    "booleanValue": "{0}",
    "intValue": "{0}",
    "toString": "string({0})",
}
_DEEPEST: Final = 60


def translate(written: str, *, python: bool = False) -> str:
    """Return the FEEL that means the same (翻译为 FEEL); `python` reads `not`, `in`, `is` and chains as Python does.

    Raises ExpressionRefused that says what to write instead; it is an Unplain where another language may be meant.
    """
    if len(written) > LONGEST:
        raise ExpressionRefused(expression=written[:200], why=f"it is longer than {LONGEST} characters")
    return _Translation(written, python=python).whole()


def fill(written: str) -> str:
    """Return the FEEL for a text with `${…}` or `#{…}` in it (模板文本); null becomes no text.

    Raises ExpressionRefused as `translate` does.
    """
    parts = tokens.parts(written)
    if len(parts) == 1 and parts[0][0]:
        return translate(parts[0][1])
    pieces = []
    for evaluated, text in parts:
        found = translate(text) if evaluated else ""
        pieces.append(f'(if ({found}) = null then "" else string({found}))' if evaluated else tokens.quoted(text))
    return " + ".join(pieces)


class _Translation:
    """One descent through an expression, from the loosest operator to the tightest."""

    def __init__(self, written: str, *, python: bool) -> None:
        self.written = written
        self.python = python
        self.tokens = tokens.read(written)
        self.at = 0
        self.deep = 0

    def unplain(self, why: str) -> tokens.Unplain:
        return tokens.unplain(self.written, why)

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ("end", "")

    def take(self, *words: str) -> str | None:
        kind, word = self.peek()
        if word in words and kind in {"sign", "name"}:
            self.at += 1
            return word
        return None

    def kept(self, found: str) -> str:
        """Let nothing grow beyond measure: some operators say their operands several times."""
        if len(found) > LONGEST:
            raise ExpressionRefused(expression=self.written[:200], why="it is too long once translated")
        return found

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.unplain(f"{word} is expected before {self.peek()[1] or 'the end'!r}")

    def whole(self) -> str:
        found = self.expression()
        if self.peek()[0] != "end":
            raise self.unplain(f"{self.peek()[1]!r} is not expected there")
        return found

    def expression(self) -> str:
        self.deep += 1
        if self.deep > _DEEPEST:
            raise ExpressionRefused(expression=self.written[:200], why="it is nested too deeply")
        found = self.either()
        if self.take("?"):
            then = self.expression()
            self.need(":")
            found = f"(if {found} then {then} else {self.expression()})"
        elif self.python and self.take("if"):
            condition = self.either()
            self.need("else")
            found = f"(if {condition} then {found} else {self.expression()})"
        self.deep -= 1
        return found

    def either(self) -> str:
        found = [self.both()]
        while self.take("||"):
            found.append(self.both())
        return f"({' or '.join(found)})" if len(found) > 1 else found[0]

    def both(self) -> str:
        found = [self.negation()]
        while self.take("&&"):
            found.append(self.negation())
        return f"({' and '.join(found)})" if len(found) > 1 else found[0]

    def negation(self) -> str:
        turns = 0
        while self.python and self.take("not"):
            turns += 1
        found = self.comparison()
        return f"not({found})" if turns % 2 else found

    def comparison(self) -> str:
        left, found = self.sum(), []
        while (sign := self.compared()) is not None:
            right = self.members() if sign in {"in", "not in"} else self.sum()
            match sign:
                case "in":
                    found.append(f"list contains({right}, {left})")
                case "not in":
                    found.append(f"not(list contains({right}, {left}))")
                case _:
                    found.append(f"{left} {_COMPARED[sign]} {right}")
            left = right
        if len(found) > 1 and not self.python:
            raise self.unplain("one comparison after another is not clear")
        return f"({' and '.join(found)})" if found else left

    def compared(self) -> str | None:
        if (sign := self.take(*_COMPARED)) is not None:
            return sign
        if self.take("in"):
            return "in"
        if self.python and self.peek()[1] == "not" and self.peek(1)[1] == "in":
            self.at += 2
            return "not in"
        if self.python and self.take("is"):
            negated = self.take("not")
            if self.peek()[1] not in _CONSTANTS:
                raise self.unplain("is asks for None, True or False only")
            return "!=" if negated else "=="
        return None

    def members(self) -> str:
        """Read what `in` looks into; text and the keys of a dict are looked into by Python alone."""
        if self.peek()[0] == "string":
            raise self.unplain("in looks into lists; for text write contains(text, part)")
        if self.peek()[1] == "(":
            self.at += 1
            return f"[{', '.join(self.listed(')'))}]"
        if self.peek()[1] != "[" and self.python:
            raise self.unplain("in looks into a list that is written out")
        return self.sum()

    def sum(self) -> str:
        found = self.product()
        while (sign := self.take("+", "-")) is not None:
            found = f"({found} {sign} {self.product()})"
        return found

    def product(self) -> str:
        found = self.unary()
        while (sign := self.take("*", "/", "%", "//")) is not None:
            right = self.unary()
            if sign == "//":
                found = f"floor({found} / {right})"
            elif sign == "%" and self.python:
                found = f"modulo({found}, {right})"
            elif sign == "%":
                # Java's remainder has the sign of what is divided, FEEL's that of the divisor.
                quotient = f"{found} / {right}"
                found = f"({found} - {right} * (if {quotient} < 0 then ceiling({quotient}) else floor({quotient})))"
            else:
                found = f"({found} {sign} {right})"
            self.kept(found)
        return found

    def unary(self) -> str:
        self.deep += 1
        if self.deep > _DEEPEST:
            raise ExpressionRefused(expression=self.written[:200], why="it is nested too deeply")
        if self.take("-"):
            found = f"(-{self.unary()})"
        elif self.take("+"):
            found = self.unary()
        elif self.take("!") or (not self.python and self.take("not")):
            found = f"not({self.unary()})"
        elif self.peek()[1] == "empty" and self.peek(1)[0] in {"name", "string"}:
            self.at += 1
            found = _empty(self.unary())
        else:
            found = self.postfix()
            if self.take("**"):
                found = f"({found} ** {self.unary()})"
        self.deep -= 1
        return self.kept(found)

    def postfix(self) -> str:
        found = self.primary()
        while True:
            if self.take("."):
                kind, name = self.peek()
                if kind != "name":
                    raise self.unplain("a name is expected after the dot")
                self.at += 1
                if self.peek()[1] == "(":
                    raise self.method(found, name)
                found = f"{found}.{name}"
            elif self.take("["):
                found = self.kept(self.indexed(found))
            else:
                return found

    def method(self, owner: str, name: str) -> ExpressionRefused:
        if self.python and name in PYTHON:
            return self.unplain(f"{name} is a method")
        instead = _INSTEAD.get(name, "").format(owner)
        why = f"methods cannot be called; instead of {owner}.{name}(…) write {instead or 'FEEL after an equals sign'}"
        return ExpressionRefused(expression=self.written[:200], why=why)

    def indexed(self, owner: str) -> str:
        kind, word = self.peek()
        if kind == "string" and self.peek(1)[1] == "]":
            self.at += 2
            return f"get value({owner}, {tokens.quoted(tokens.unquoted(word))})"
        index = self.expression()
        self.need("]")
        if index.isdigit():
            return f"{owner}[{int(index) + 1}]"
        if re.fullmatch(r"\(-\d+\)", index):
            return f"{owner}[{index[1:-1]}]"
        # From the end, -1 is the last in both languages; from the front, one of them counts from 1.
        number = f"(if {index} < 0 then {owner}[{index}] else {owner}[{index} + 1])"
        return f"(if {index} instance of number then {number} else get value({owner}, {index}))"

    def listed(self, end: str) -> list[str]:
        found: list[str] = []
        while not self.take(end):
            found.append(self.expression())
            if not self.take(","):
                self.need(end)
                break
        return found

    def primary(self) -> str:
        kind, word = self.peek()
        self.at += 1
        if kind == "name":
            return self.named(word)
        if kind == "number":
            return format(Decimal(word.rstrip("lLfFdD")), "f")
        if kind == "string":
            return tokens.quoted(tokens.unquoted(word))
        if word == "[":
            return f"[{', '.join(self.listed(']'))}]"
        if word != "(":
            raise self.unplain(f"{word or 'the end'!r} is not expected there")
        found = self.expression()
        self.need(")")
        return f"({found})"

    def named(self, word: str) -> str:
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if self.peek()[1] != "(":
            return word
        if word not in _FUNCTIONS:
            raise self.unplain(f"{word} is not a function that can be called here")
        self.at += 1
        return f"{word}({', '.join(self.listed(')'))})"


def _empty(found: str) -> str:
    return (
        f'(if {found} = null then true else if {found} instance of string then {found} = ""'
        f" else if {found} instance of list<Any> then count({found}) = 0 else false)"
    )


# The methods of Python's own values, which a condition in Python may call.
PYTHON: Final = frozenset(
    name for kind in (str, dict, list, set, int, float, Decimal) for name in dir(kind) if not name.startswith("_")
) - {"format", "format_map"}
