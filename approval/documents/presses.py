"""The press (印制): a child process that fills and draws what strangers wrote, and is killed when it takes too long.

The child is kept, because importing WeasyPrint takes a second. It is started at first need, one a process, and
forgotten when it dies; the next asker gets a fresh one. Questions and answers are frames of JSON; a PDF is itself.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock, Timer
from typing import Any

from approval.documents import frames
from approval.documents.filling import TemplateFault
from approval.domain.errors import Unavailable

_PDF = b"%PDF-"


def render(template: str, values: Mapping[str, Any], *, seconds: float = 20, megabytes: int = 2048) -> bytes:
    """Fill a template and draw it as PDF (印制版式文件), in a child process with limits.

    `values` are plain data; dates arrive in the template as ISO text, and `verify_url`, if given, also as the
    drawing `qr`. `seconds` is the wall time it may take, `megabytes` its address space. Raises `Unavailable`
    with `template` for what is wrong there or for reached limits, with `glyphs` for characters that our fonts lack.
    """
    answer = _press.ask({"template": template, "values": dict(values)}, seconds, megabytes)
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


class _Press:
    """One child, and a queue of those who ask it."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._folder = ""

    def ask(self, question: dict[str, Any], seconds: float, megabytes: int) -> bytes | None:
        """Ask the child; None when it died or was killed before it had answered."""
        # ASCII, so that half a surrogate pair crosses too and is refused as a character without a glyph.
        asked = json.dumps(question | {"seconds": seconds, "megabytes": megabytes}, default=str).encode()
        answer = None
        with self._turn:
            until = time.monotonic() + seconds
            child = self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            killer = Timer(seconds, child.kill)
            killer.daemon = True
            killer.start()
            try:
                with suppress(BrokenPipeError):
                    frames.write(child.stdin, asked)
                    answer = frames.read(child.stdout)
            finally:
                killer.cancel()
                killer.join()
                # An interrupted question leaves an answer behind that nobody asked for.
                if answer is None or time.monotonic() >= until:
                    self.close()
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child and self._child.poll() is None:
            return self._child
        self.close()
        self._folder = tempfile.mkdtemp(prefix="approval-press-")
        # The office's secrets stay outside, the child's copies of our fonts go when it goes, and Ctrl-C is not for it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("APPROVAL_")}
        self._child = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own module
            [sys.executable, "-m", __package__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment | {"TMPDIR": self._folder},
            start_new_session=True,
        )
        return self._child

    def close(self) -> None:
        """Kill the child, if there is one, and clear away what it left."""
        child, self._child = self._child, None
        if child:
            with child:
                child.kill()
            shutil.rmtree(self._folder, ignore_errors=True)

    def forget(self) -> None:
        """Leave the child to the process that started it: two askers on one pipe would get each other's answers."""
        if self._child:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe:
                    pipe.close()
            self._child.returncode = 0  # not ours to wait for
            self._child = None
        self._turn = Lock()  # whoever held the old one stayed behind


_press = _Press()
os.register_at_fork(after_in_child=_press.forget)
atexit.register(_press.close)
