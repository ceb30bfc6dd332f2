"""Filling templates (填写文书): Jinja in its sandbox, because an author outside this house wrote them."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

import segno
from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from approval.domain.errors import Unavailable


class _Sandbox(ImmutableSandboxedEnvironment):
    """No template multiplies: two numbers and a star are enough to fill a worker's memory."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, _context: Any, operator: str, _left: Any, _right: Any) -> Any:
        raise SecurityError(f"{operator!r} is not offered in templates")


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
        return _environment.from_string(template).render(values)
    except Exception as reason:
        raise Unavailable(template=f"{type(reason).__name__}: {reason}") from reason


def qr(text: str) -> Markup:
    """Draw a QR code (二维码) as an inline SVG that scales with its box."""
    drawn = BytesIO()
    segno.make(text, error="l", micro=False).save(drawn, kind="svg", xmldecl=False, omitsize=True, border=2)
    return Markup(drawn.getvalue().decode())  # noqa: S704 -- drawn here from squares only
