"""Ports (端口): what the office needs of the world outside, in the office's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


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


class Connector(Protocol):
    """Asks one system outside the office (外部系统连接) something, by a procedure's errand."""

    def call(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask (调用), and return what the system answers; the same `key` is the same question, asked again.

        The system must answer a key that it knows with its first answer, and do nothing twice. Raises `Objected`
        with the code of an error that the procedure may catch, `Unavailable` when there is no answer to be had.
        """
        ...


@dataclass(frozen=True)
class Letter:
    """What is sent to one address (信件): `id` tells it from every other, and is the same when it is asked about again.

    `to` is an e-mail address, a telephone number, or a postal address with the receiver's `name`; `file` is the PDF
    that goes with it by post.
    """

    id: str
    way: str
    to: str
    subject: str
    text: str
    at: datetime
    name: str = ""
    file: bytes = b""


class Carriage(Protocol):
    """Takes letters to people outside (投递): by e-mail, or by whoever sends short messages and post."""

    def send(self, letter: Letter) -> dict[str, str]:
        """Send a letter (投递), and return what the other side answered, as evidence.

        Raises `Unavailable` when it was certainly not taken, `Unconfirmed` when nobody can know.
        """
        ...
