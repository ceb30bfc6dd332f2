"""Previews (材料预览): what a stranger's file is when it is opened, and its pages as plain pictures.

Files are opened in children of their own, apart from the press that draws licences: see `pictures`. A few of them
a process; who finds all of them busy for too long is refused. Answers are kept a while, by what was asked of what.
"""

import hashlib
import json
import os
import queue
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

from approval.documents.children import Child
from approval.domain.errors import Unavailable

_CHILDREN = 2
_PATIENCE = 10.0  # seconds to wait for a child that is free
_KEPT = 48 * 2**20
_PNG = b"\x89PNG"
_UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Limits:
    """How much a file may ask for (预览限度): pages, pixels of a picture, seconds of wall time, MiB of memory."""

    pages: int
    pixels: int
    seconds: float
    megabytes: int


class Seen(NamedTuple):
    """What a file turned out to be (审阅结果): its pages, none if none can be drawn, and a code of what is wrong."""

    pages: int
    fault: str


@dataclass(frozen=True)
class Source:
    """A file to look at (预览来源): its format, its SHA-256, and how to fetch its bytes if they are needed."""

    kind: str
    sha256: str
    fetch: Callable[[], bytes]


def source(kind: str, content: bytes) -> Source:
    """Make a source of bytes that are at hand (现有内容)."""
    return Source(kind, hashlib.sha256(content).hexdigest(), lambda: content)


def examine(file: Source, limits: Limits) -> Seen:
    """Open a file and see whether it is what it claims (打开审阅).

    Whatever cannot be opened within the limits is `unreadable`, like a broken one: trying again would not help. A
    child that died early is asked once more, since not every death is the file's doing. Raises `Unavailable` when
    no child is free.
    """
    question = {"pages": limits.pages, "pixels": limits.pixels}
    began = time.monotonic()
    answer = _asked(file, question, limits)
    if answer is None and time.monotonic() - began < limits.seconds:
        answer = _asked(file, question, limits)
    found: dict[str, Any] = {"fault": _UNREADABLE} if answer is None else json.loads(answer)
    return Seen(found.get("pages", 0), found.get("fault", ""))


def draw(file: Source, page: int, width: int, limits: Limits) -> bytes | None:
    """Draw one page (绘制预览), from 1, as a PNG at most `width` pixels wide; None for what cannot be drawn.

    Raises `Unavailable` when it took too long, the child died, or none is free.
    """
    answer = _asked(file, {"page": page, "width": width, "pixels": limits.pixels}, limits)
    if answer is None:
        raise Unavailable(preview=f"took more than {limits.seconds:g} s or {limits.megabytes} MB, or was killed")
    return answer if answer.startswith(_PNG) else None


def _asked(file: Source, question: dict[str, Any], limits: Limits) -> bytes | None:
    question = {"kind": file.kind, **question}
    key = (file.sha256, json.dumps(question))
    if (known := _shelf.get(key)) is not None:
        return known
    content = file.fetch()
    try:
        child = _idle.get(timeout=_PATIENCE)
    except queue.Empty:
        raise Unavailable(preview="every child is busy") from None
    try:
        # Somebody else may have asked the same while we waited.
        answer = _shelf.get(key) or child.ask(question, limits.seconds, limits.megabytes, content)
    finally:
        _idle.put(child)
    if answer is not None:
        _shelf.put(key, answer)
    return answer


class _Shelf:
    """Answers by what was asked, those asked for last, up to so many bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, str]) -> bytes | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: tuple[str, str], answer: bytes) -> None:
        with self._lock:
            self._size += len(answer) - len(self._answers.pop(key, b""))
            self._answers[key] = answer
            while self._size > self._limit:
                _, dropped = self._answers.popitem(last=False)
                self._size -= len(dropped)

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
            self._size = 0


_children = tuple(Child("approval.documents.pictures") for _ in range(_CHILDREN))


def _open() -> None:
    """Begin with every child idle; in a fork too, whatever the other process was doing at that moment."""
    global _idle, _shelf  # noqa: PLW0603 -- locks that somebody held while forking stay behind
    _idle = queue.LifoQueue()
    for child in _children:
        _idle.put(child)
    _shelf = _Shelf(_KEPT)


_idle: queue.LifoQueue[Child]
_shelf: _Shelf
_open()
os.register_at_fork(after_in_child=_open)
