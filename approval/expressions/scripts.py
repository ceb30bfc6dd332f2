"""Python that authors write (脚本): script tasks and conditions, run by Monty in a process of its own, never here.

Nothing is evaluated in this process: the text is parsed to learn its names, and that only below hard limits.
"""

import ast
import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple

from pydantic_monty import (
    Frame,
    Monty,
    MontyConversionError,
    MontyCrashedError,
    MontyError,
    MontySession,
    OSPolicy,
    ResourceLimits,
)

from approval.domain.errors import Unavailable
from approval.expressions import feel, meters
from approval.expressions.feel import ExpressionRefused, ValueRefused

SECONDS: Final = 0.5
MEMORY: Final = 32 * 2**20
DEPTH: Final = 100
LONGEST: Final = 20_000
DEEPEST: Final = 40

# What a script may import: nothing that reads the clock, throws dice or touches files.
MODULES: Final = {"collections", "datetime", "decimal", "functools", "itertools", "json", "math", "re"}
NOT_PYTHON: Final = "this is not Python"
_CLOSED: Final = {"compile", "eval", "exec", "globals", "input", "locals", "open", "vars"}
_CHANGING: Final = {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse"} | {
    "setdefault",
    "sort",
    "update",
}
_WORLD: Final[OSPolicy] = {"datetime": "call_host", "sleep": "call_host", "random_start": "call_host"}
_LIMITS: Final = (
    "time limit exceeded",
    "memory limit",
    "maximum recursion depth",
    "suspension limit",
    "too deeply nested",
)
_ABSENT: Final = "is not supported in this environment"
_BEFORE: Final = "__locals = locals\n__type = type"
_AFTER: Final = "[(name, __type(value).__name__, value) for name, value in __locals().items() if name in {names!r}]"


class ScriptRefused(ExpressionRefused):
    """This script cannot be run."""


class _Study(NamedTuple):
    """What a text was found to read and to write."""

    reads: frozenset[str]
    writes: tuple[str, ...]


def check(text: str) -> None:
    """Refuse a script (脚本检查) that is not Python, or not the part of Python that runs here.

    Raises ScriptRefused with the line and what to write instead.
    """
    _study(text, "exec")
    _parsed(text, "\n".join(f" {line}" for line in text.splitlines()))


def check_expression(text: str) -> None:
    """Refuse a Python expression (Python 表达式检查) that could not be evaluated; raises ScriptRefused."""
    _study(text, "eval")
    _parsed(text, f" ({text}\n )")


def run(text: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script (运行脚本) on the names it reads and return those it assigned or changed, as JSON has them.

    Names that begin with an underscore stay inside. Raises ScriptRefused, with `raised` naming the class when it is
    an exception of the script's own, and ValueRefused for a value that cannot be kept.
    """
    study = _study(text, "exec")
    found = _INTERPRETER.feed(text, _seen(study, context), _BEFORE, _AFTER.format(names=study.writes))
    for name, kind, _ in found:
        if kind in {"function", "module", "type"}:
            raise ValueRefused(why=f"{name} is a {kind}; let its name begin with an underscore")
    assigned = {name: _plain(value, name, kind) for name, kind, value in found}
    meters.made(len(feel.dump(assigned)))
    return assigned


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """Evaluate a Python expression (求值) on the names it reads; raises as `run` does."""
    return _plain(_INTERPRETER.feed(f"({text}\n)", _seen(_study(text, "eval"), context)), "the result", "")


def _parsed(text: str, indented: str) -> None:
    """Have Monty parse a text without running any of it."""
    try:
        _INTERPRETER.feed(f"if False:\n{indented}\n pass", {})
    except ScriptRefused as refusal:
        facts = {**refusal.facts, "script": text[:200], "line": max(refusal.facts["line"] - 1, 1)}
        facts.pop("raised", None)
        raise ScriptRefused(**facts) from None


def _seen(study: _Study, context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: context[name] for name in study.reads if name in context}


@lru_cache(maxsize=1024)
def _study(text: str, mode: str) -> _Study:
    _limit(text)
    if mode == "eval" and not text.strip():
        raise _refused(text, f"{NOT_PYTHON}: it is empty", 1)
    try:
        # Parsing only, within limits: nothing is compiled or run.
        tree = ast.parse(f"({text}\n)" if mode == "eval" else text, mode=mode)
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None) or 1
        raise _refused(text, f"{NOT_PYTHON}: {getattr(problem, 'msg', problem)}", line) from None
    except (MemoryError, RecursionError):
        raise _refused(text, "it is nested too deeply", 1) from None
    reads: set[str] = set()
    writes: dict[str, None] = {}
    for node in ast.walk(tree):
        _judge(text, node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            reads.add(node.id)
        for name in _written(node):
            writes[name] = None
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            reads.add(node.target.id)
    return _Study(frozenset(reads), tuple(name for name in writes if not name.startswith("_")))


def _limit(text: str) -> None:
    if len(text) > LONGEST:
        raise _refused(text, f"it is longer than {LONGEST} characters", 1)
    depth = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if depth > DEEPEST:
            raise _refused(text, f"its brackets are nested deeper than {DEEPEST}", 1)


def _judge(text: str, node: ast.AST) -> None:
    """Refuse what could only fail later, with words that say what to do about it."""
    line = getattr(node, "lineno", 1)
    used = [getattr(node, field, None) for field in ("id", "attr", "name", "arg")]
    used += node.kwd_attrs if isinstance(node, ast.MatchClass) else []
    for name in used:
        if isinstance(name, str) and name.startswith("__"):
            raise _refused(text, f"{name}: names that begin with two underscores are not used", line)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CLOSED:
        raise _refused(text, f"{node.func.id} cannot be used in a script", line)
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
    for name in names:
        if name not in MODULES:
            allowed = ", ".join(sorted(MODULES))
            raise _refused(text, f"{name} cannot be imported; a script may import {allowed}", line)


def _written(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    changed: ast.AST | None = None
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
        changed = node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        changed = node.func
    while isinstance(changed, ast.Subscript | ast.Attribute):
        changed = changed.value
    if isinstance(changed, ast.Name):
        yield changed.id


def _refused(text: str, why: str, line: int, **facts: Any) -> ScriptRefused:
    return ScriptRefused(script=text[:200], why=why, line=line, **facts)


def _plain(value: Any, name: str, kind: str, deep: int = DEEPEST) -> Any:
    """Return a value as JSON has it, or say why it cannot be kept."""
    if deep == 0:
        raise ValueRefused(why=f"{name} is nested too deeply")
    plain: Any = None
    match value:
        case None | bool() | str():
            plain = value
        case int() if abs(value) < 2**63:
            plain = value
        case float() if isfinite(value):
            plain = value
        case Decimal() if value.is_finite():
            plain = int(value) if value == value.to_integral_value() else float(value)
        case datetime() if value.tzinfo is None:
            raise ValueRefused(why=f"{name} is a datetime without a zone")
        case date() | time():
            plain = value.isoformat()
        case list() | tuple():
            plain = [_plain(item, name, "", deep - 1) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            plain = {key: _plain(item, name, "", deep - 1) for key, item in value.items()}
        case _:
            shown = kind or type(value).__name__
            raise ValueRefused(why=f"{name} is a {shown} that cannot be kept; use text, numbers, lists and dicts")
    return plain


class Interpreter:
    """Monty's processes (沙箱解释器), opened at the first need; the only class that knows them."""

    def __init__(self) -> None:
        self._pool: Monty | None = None
        self._process = 0
        self._opening = threading.Lock()
        atexit.register(self.close)

    def feed(self, text: str, names: dict[str, Any], before: str = "", after: str = "") -> Any:
        """Run a text in a fresh session, one line before and one after it, and return the last one's value.

        Raises ScriptRefused for whatever goes wrong inside.
        """
        try:
            with meters.running(), self._session() as session:
                if before:
                    session.feed_run(before)
                value = session.feed_run(text, inputs=names, external_lookup={}, print_callback=_unheard)
                return session.feed_run(after) if after else value
        except MontyConversionError as problem:
            raise ValueRefused(why=str(problem).partition(" — ")[0]) from None
        except MontyCrashedError:
            raise _refused(text, "it needs more time or memory than a script may take", 1) from None
        except MontyError as problem:
            raise _told(text, problem) from None

    def close(self) -> None:
        """End the processes; the next script opens new ones."""
        if self._pool is not None and self._process == os.getpid():
            pool, self._pool = self._pool, None
            with suppress(MontyError):
                pool.__exit__(None, None, None)

    def _session(self) -> MontySession:
        limits: ResourceLimits = {
            "max_feed_duration_secs": SECONDS,
            "max_memory": MEMORY,
            "max_recursion_depth": DEPTH,
            "max_suspensions": 50,
        }
        return self._opened().checkout(limits=limits, os_policy=_WORLD)

    def _opened(self) -> Monty:
        with self._opening:
            if self._pool is None:
                pool = Monty(request_timeout=2.0, feed_duration_limit_grace=0.2, turn_duration_limit_grace=0.2)
                self._pool, self._process = pool.__enter__(), os.getpid()
            elif self._process != os.getpid():
                # Its threads stayed behind, and whoever waits for them waits for ever.
                raise Unavailable(part="scripts", why="this process was forked from one that had run a script")
            return self._pool


def _told(text: str, problem: MontyError) -> ScriptRefused:
    kind, _, message = str(problem).partition(": ")
    frames: list[Frame] = getattr(problem, "traceback", list)()
    line = frames[-1].line if frames else 1
    if any(limit in message for limit in _LIMITS):
        return _refused(text, "it needs more time or memory than a script may take", line)
    if message.endswith(_ABSENT):
        return _refused(text, f"{message.partition(' is not ')[0]} cannot be asked here; give it as a fact", line)
    if "monty syntax parser" in message:
        return _refused(text, f"{message.partition('support ')[2]} cannot be used in a script", line)
    return _refused(text, f"{kind}: {message}" if message else kind, line, raised=kind)


def _unheard(stream: str, text: str) -> None:
    """Let what a script prints fall on deaf ears."""
    del stream, text


_INTERPRETER: Final = Interpreter()
