"""Filling templates (填写文书): Jinja in its sandbox, because an author outside this house wrote them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from approval.domain.errors import Unavailable


class _Sandbox(ImmutableSandboxedEnvironment):
    """No template multiplies: two numbers and a star are enough to fill a worker's memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, _context: Any, operator: str, _left: Any, _right: Any) -> Any:
        raise SecurityError(f"{operator!r} is not offered in templates")


# What is printed in these can be had as a value.
_CAPTURING = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock, nodes.Block)
_environment = _Sandbox(autoescape=True, undefined=StrictUndefined)
_environment.globals = {}


class TemplateFault(NamedTuple):
    """What is wrong in a template (模板缺陷), and on which line."""

    line: int
    message: str


def fault(template: str) -> TemplateFault | None:
    """Find a syntax fault in a template (校验模板); None when it can be filled.

    Whatever else stops the reading, such as brackets nested too deep, is a fault of the whole template: line 0.
    """
    try:
        _environment.compile(template)
    except TemplateSyntaxError as reason:
        return TemplateFault(reason.lineno, reason.message or "syntax")
    except Exception as reason:  # noqa: BLE001 -- an author's text must not end the one who reads it
        return TemplateFault(0, f"{type(reason).__name__}: {reason}")
    return None


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template (填写模板) and return HTML; every value is escaped.

    Raises `Unavailable` for a name the template uses and nobody gave, for what the sandbox forbids, and for
    whatever else goes wrong in it.
    """
    try:
        return _read(template).render(values)
    except Exception as reason:
        raise Unavailable(template=f"{type(reason).__name__}: {reason}") from reason


@lru_cache(maxsize=16)
def prints_only(template: str, name: str) -> bool:
    """Tell whether a template does nothing with a value but print it (仅输出), so that something may stand for it.

    Raises `TemplateSyntaxError`.
    """
    return _prints_only(_environment.parse(template), name)


def _prints_only(node: nodes.Node, name: str) -> bool:
    if isinstance(node, nodes.Name):
        return node.name != name
    if isinstance(node, _CAPTURING):
        return all(inner.name != name for inner in node.find_all(nodes.Name))
    inside = node.iter_child_nodes()
    if isinstance(node, nodes.Output):
        inside = (one for one in inside if not (isinstance(one, nodes.Name) and one.name == name))
    return all(_prints_only(one, name) for one in inside)


@lru_cache(maxsize=16)
def _read(template: str) -> Template:
    return _environment.from_string(template)
