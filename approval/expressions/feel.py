"""FEEL, the expression language of DMN (条件表达式), inside a small JavaScript engine with hard limits.

What goes in and out is JSON. A Decimal becomes the nearest number (FEEL here reckons in binary: compare
money in whole fen); a date or an aware datetime becomes its ISO 8601 string, so an author writes
`date(applied_on)`. Names that are not in the context are null, as FEEL says; `holds` is what a condition is
asked with, because there null must not quietly mean no. Nothing here reads the clock or throws dice:
`today()` is refused.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
import quickjs

from approval.domain.errors import Refusal, Unavailable
from approval.expressions import meters

MEMORY: Final = 64 * 2**20
SECONDS: Final = 0.7
LONGEST: Final = 10_000
DEEPEST: Final = 100

_BUNDLE = Path(__file__).with_name("feel.bundle.js")
# The bundle's calendar asks for Intl once while loading; dates with an offset need nothing of it.
_WORLD = """
globalThis.Intl = { DateTimeFormat: class {
  resolvedOptions() { return { timeZone: "UTC", calendar: "iso8601", locale: "en" }; }
  formatToParts() { return []; }
  format() { return ""; }
} };
Date.now = () => { throw new Error("the clock cannot be read here; give the date as a fact instead"); };
Math.random = () => { throw new Error("there are no dice here"); };
"""
_rooms = threading.local()


class ExpressionRefused(Refusal):
    """This expression cannot be evaluated."""


class ValueRefused(Refusal):
    """This value cannot be kept with a case or used in an expression."""


class Machine:
    """One thread's JavaScript engine; whoever breaks a limit in it gets the next caller a fresh one."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.eval(_WORLD)
        if not _BUNDLE.is_file():
            raise Unavailable(part=_BUNDLE.name, why="set-up builds it: node deploy/assets.mjs")
        self._context.eval(_BUNDLE.read_text("utf-8"))
        self._context.set_memory_limit(MEMORY)
        self._context.set_time_limit(SECONDS)

    def call(self, name: str, *arguments: str) -> Any:
        """Call one of the bundle's functions and read the JSON it answers."""
        with meters.running():
            answer = self._context.get(name)(*arguments)
        if answer is None:
            return None
        meters.made(len(answer))
        try:
            return orjson.loads(answer)
        except orjson.JSONDecodeError as problem:  # half a character, which JavaScript lets pass
            raise ValueRefused(why=f"the result cannot be read: {problem.msg}") from None


def machine() -> Machine:
    """Return this thread's engine, loading it at the first need (about 40 ms)."""
    try:
        found: Machine = _rooms.machine
    except AttributeError:
        found = _rooms.machine = Machine()
    return found


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """Evaluate an expression (求值) against named values and return the JSON value it has.

    Raises ExpressionRefused for bad syntax, for a result that is no value, and for one that takes more than
    0.7 s, 64 MB, 10,000 characters or 100 brackets in one another.
    """
    return ask(expression, "evaluate", within(expression), dump(_read(expression, context)))["value"]


def holds(expression: str, context: Mapping[str, Any]) -> bool:
    """Say whether a condition holds (条件判断); anything but true or false is an ExpressionRefused.

    The refusal repeats what FEEL warned about, which for a null is most often a name nobody gave.
    """
    found = ask(expression, "evaluate", within(expression), dump(_read(expression, context)))
    if not isinstance(found["value"], bool):
        given = orjson.dumps(found["value"]).decode()[:80]
        warnings = "; ".join(found["warnings"])
        raise ExpressionRefused(
            expression=expression,
            why=f"a condition must be true or false, and this is {given}{': ' if warnings else ''}{warnings}",
        )
    return found["value"]


def matches(tests: str, value: Any, context: Mapping[str, Any]) -> bool:
    """Say whether a value passes unary tests (一元测试), the language of a decision table's input cells."""
    answer: bool = ask(tests, "test", within(tests), dump({**context, "?": value}))
    return answer


def check(expression: str) -> None:
    """Refuse an expression whose syntax is wrong (语法检查) or that would read the clock."""
    ask(expression, "check", "evaluate", within(expression))


def check_tests(tests: str) -> None:
    """Refuse unary tests whose syntax is wrong (语法检查)."""
    ask(tests, "check", "unaryTest", within(tests))


def ask(expression: str, name: str, *arguments: str) -> Any:
    """Call the engine on behalf of an expression; every JavaScript error becomes an ExpressionRefused."""
    try:
        return machine().call(name, *arguments)
    except (quickjs.JSException, quickjs.StackOverflow) as problem:
        why = str(problem).partition("\n")[0].removeprefix("Error: ")
        # A want of memory can leave no message at all, only null.
        if isinstance(problem, quickjs.StackOverflow) or why.startswith(("InternalError", "null")):
            _rooms.__dict__.pop("machine", None)  # it may have died while it was being made
            why = "it needs more time or memory than an expression may take"
        raise ExpressionRefused(expression=expression[:200], why=why) from None


def dump(context: Mapping[str, Any]) -> str:
    """Write a context as JSON (上下文); a value that JSON cannot carry is a ValueRefused that says why."""
    try:
        return orjson.dumps(
            dict(context), default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
        ).decode()
    except TypeError as problem:
        raise ValueRefused(why=str(problem.__cause__ or problem)) from None


def _read(expression: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what an expression cannot mean, because a case may hold far more than a condition asks of it."""
    return {name: value for name, value in context.items() if name in expression or not name.isidentifier()}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError("a datetime without a zone")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a value")


@lru_cache(maxsize=2048)
def within(expression: str) -> str:
    """Return an expression that is within the limits of length and nesting (限额); raises ExpressionRefused."""
    if len(expression) > LONGEST:
        raise ExpressionRefused(expression=expression[:200], why=f"it is longer than {LONGEST} characters")
    depth = 0
    for letter in expression:
        depth += (letter in "([{") - (letter in ")]}")
        if depth > DEEPEST:
            raise ExpressionRefused(expression=expression[:200], why=f"its brackets are deeper than {DEEPEST}")
    return expression
