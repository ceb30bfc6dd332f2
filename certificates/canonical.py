"""Canonical JSON (规范化 JSON): one value, one sequence of bytes, one hash. RFC 8785."""

import hashlib
import json
import unicodedata
from typing import Any, NoReturn

import rfc8785

from certificates.errors import NotCanonical


def dump(value: Any) -> bytes:
    """Write a value as canonical JSON (规范化 JSON), UTF-8, RFC 8785.

    Raises NotCanonical for text that is not NFC, for NUL (no database keeps it) and for what JSON cannot say.
    """
    _inspect(value)
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(why=str(error)) from None


def load(data: bytes) -> Any:
    """Read JSON from outside (外来 JSON) so that it can mean one thing only.

    Raises NotCanonical for duplicate keys, NaN, text that is not NFC, bytes that are not UTF-8, broken JSON.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        _inspect(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(why=str(error)) from None
    return value


def sha256(data: bytes) -> str:
    """Digest bytes (摘要), SHA-256, 64 hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCanonical(why="duplicate keys")
    return members


def _no_constant(name: str) -> NoReturn:
    raise NotCanonical(why=f"{name} is no JSON number")


def _inspect(value: Any, where: str = "$") -> None:
    match value:
        case str():
            if not unicodedata.is_normalized("NFC", value) or "\x00" in value:
                raise NotCanonical(where=where, why="text is not NFC or holds NUL")
        case dict():
            for key, member in value.items():
                _inspect(key, where)
                _inspect(member, f"{where}.{key}")
        case list() | tuple():
            for index, member in enumerate(value):
                _inspect(member, f"{where}[{index}]")
