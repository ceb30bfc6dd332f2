"""Children (子进程): processes that read and draw what strangers made, and are killed when they take too long.

A child is kept, because importing what it draws with takes time. It is started at first need and forgotten when it
dies; the next asker gets a fresh one. A question is two frames, JSON and the bytes it is about; an answer is one.
"""

import atexit
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Any

from approval.documents import frames
from approval.domain.errors import Unavailable

_STARTING = 30  # seconds to import what it draws with: a busy machine is no fault of the question


class Child:
    """One child, which is a module of ours run by itself, and a queue of those who ask it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._turn = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._folder = ""
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.close)

    def ask(self, question: dict[str, Any], seconds: float, megabytes: int, content: bytes = b"") -> bytes | None:
        """Ask the child; None when it died or was killed before it had answered.

        Raises `Unavailable` when it could not even begin: then the question is not to blame, and its time has not
        begun either.
        """
        # ASCII, so that half a surrogate pair crosses too and is refused as a character without a glyph.
        asked = json.dumps(question | {"seconds": seconds, "megabytes": megabytes}, default=str).encode()
        answer = None
        with self._turn:
            child = self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            until = time.monotonic() + seconds
            try:
                with self._killed_after(child, seconds), suppress(BrokenPipeError):
                    frames.write(child.stdin, asked)
                    frames.write(child.stdin, content)
                    answer = frames.read(child.stdout)
            finally:
                # An interrupted question leaves an answer behind that nobody asked for.
                if answer is None or time.monotonic() >= until:
                    self.close()
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child and self._child.poll() is None:
            return self._child
        self.close()
        self._folder = tempfile.mkdtemp(prefix="approval-child-")
        # The office's secrets stay outside, the child's copies of our fonts go when it goes, and Ctrl-C is not for it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("APPROVAL_")}
        self._child = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own module
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment | {"TMPDIR": self._folder},
            start_new_session=True,
        )
        assert self._child.stdout is not None
        ready = False
        try:
            with self._killed_after(self._child, _STARTING):
                ready = frames.read(self._child.stdout) is not None
        finally:
            if not ready:
                self.close()
        if not self._child:
            raise Unavailable(child=self._module)
        return self._child

    @staticmethod
    @contextmanager
    def _killed_after(child: "subprocess.Popen[bytes]", seconds: float) -> Iterator[None]:
        killer = Timer(seconds, child.kill)
        killer.daemon = True
        killer.start()
        try:
            yield
        finally:
            killer.cancel()
            killer.join()

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


def serve(answer: Callable[[dict[str, Any], bytes], bytes]) -> None:
    """Be a child: answer every question on standard input, within its own limits, until the asker is gone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    with suppress(BrokenPipeError):  # the asker was killed meanwhile: nobody is left to tell
        frames.write(answers, b"ready")
        while (asked := frames.read(questions)) is not None and (content := frames.read(questions)) is not None:
            frames.write(answers, _found(answer, json.loads(asked), content))


def _found(
    answer: Callable[[dict[str, Any], bytes], bytes],
    question: dict[str, Any],
    content: bytes,
) -> bytes:
    # Both hold where the asker cannot: one against the memory, one for when the asker is gone and kills nobody.
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (question["megabytes"] * 2**20, hardest))
    signal.setitimer(signal.ITIMER_REAL, question["seconds"])
    try:
        return answer(question, content)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
