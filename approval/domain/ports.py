"""Ports (端口): what the office needs of the world outside, in the office's own words."""

from datetime import datetime
from typing import Protocol


class Storage(Protocol):
    """Keeps the bytes of materials (材料存储) by their SHA-256, so that the same file is kept once."""

    def put(self, content: bytes) -> str:
        """Keep bytes (保存), noting when, and return their SHA-256, 64 hexadecimal digits."""
        ...

    def get(self, sha256: str) -> bytes:
        """Bring bytes back (读取); raises `NotFound`."""
        ...

    def drop(self, sha256: str, unless_since: datetime) -> None:
        """Drop bytes (清除) that nobody refers to, unless somebody has put them again since an instant."""
        ...
