"""Meters (计量): how long strangers' texts have run in this thread and how much they have made."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple


class Reading(NamedTuple):
    """What a meter shows (读数): seconds and bytes since the thread began."""

    seconds: float
    made: int


_used = threading.local()


def read() -> Reading:
    """Read this thread's meter (读表)."""
    return getattr(_used, "reading", Reading(0.0, 0))


@contextmanager
def running() -> Iterator[None]:
    """Count the time of what runs inside (计时), also when it fails."""
    began = perf_counter()
    try:
        yield
    finally:
        before = read()
        _used.reading = before._replace(seconds=before.seconds + perf_counter() - began)


def made(size: int) -> None:
    """Count the bytes of a result (计量)."""
    before = read()
    _used.reading = before._replace(made=before.made + size)
