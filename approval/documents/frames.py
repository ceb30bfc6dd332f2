"""Frames (帧): bytes with their length before them, so that a pipe carries one message after another."""

import struct
from typing import IO

_LENGTH = struct.Struct(">Q")
_CHUNK = 2**20


def write(pipe: IO[bytes], message: bytes) -> None:
    """Write one message (写一帧) to an unbuffered pipe; raises BrokenPipeError when nobody reads any more."""
    rest = memoryview(_LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[pipe.write(rest) :]


def read(pipe: IO[bytes]) -> bytes | None:
    """Read one message (读一帧) from an unbuffered pipe; None when it ended before the message did."""
    head = _exactly(pipe, _LENGTH.size)
    return None if head is None else _exactly(pipe, *_LENGTH.unpack(head))


def _exactly(pipe: IO[bytes], size: int) -> bytes | None:
    got = bytearray()
    while len(got) < size:
        chunk = pipe.read(min(_CHUNK, size - len(got)))
        if not chunk:
            return None
        got += chunk
    return bytes(got)
