"""The press (印制): a child process that fills and draws what strangers wrote; see `children`."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from approval.documents.children import Child
from approval.documents.filling import TemplateFault
from approval.domain.errors import Unavailable

_PDF = b"%PDF-"
_press = Child("approval.documents")


def render(
    template: str,
    values: Mapping[str, Any],
    *,
    attached: Mapping[str, str] = MappingProxyType({}),
    mark: str = "",
    seconds: float = 20,
    megabytes: int = 2048,
) -> bytes:
    """Fill a template and draw it as PDF/A-3u (印制版式文件), in a child process with limits.

    `attached` are files that go with it, text by name, such as the data that it shows; `mark` is written across it.
    `values` are plain data; dates arrive in the template as ISO text, and `qr`, if given, as the drawing of its text.
    `seconds` is the wall time it may take, `megabytes` its address space. Raises `Unavailable`
    with `template` for what is wrong there or for reached limits, with `glyphs` for characters that our fonts lack.
    """
    answer = _press.ask(
        {"template": template, "values": dict(values), "attached": dict(attached), "mark": mark}, seconds, megabytes
    )
    if answer is None:
        raise Unavailable(template=_too_much(seconds, megabytes))
    if answer.startswith(_PDF):
        return answer
    raise Unavailable(**json.loads(answer))


def fault(template: str, *, seconds: float = 20, megabytes: int = 2048) -> TemplateFault | None:
    """Find a syntax fault in a template (校验模板), in a child with the limits of `render`; None when it is sound.

    What cannot be read within the limits has a fault too; line 0 is the template as a whole.
    """
    answer = _press.ask({"template": template}, seconds, megabytes)
    if answer is None:
        return TemplateFault(0, _too_much(seconds, megabytes))
    found = json.loads(answer)
    return found and TemplateFault(*found)


def _too_much(seconds: float, megabytes: int) -> str:
    return f"took more than {seconds:g} s or {megabytes} MB"
