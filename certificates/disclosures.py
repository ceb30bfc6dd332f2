"""Selective disclosure (选择性披露, RFC 9901): a signed JSON whose holder shows some claims and keeps the others.

What is signed are salted digests; name and value stand in disclosures beside it. Whoever sees a digest alone cannot
even try values out, because the salt has 128 bits.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from certificates import canonical, jose
from certificates.errors import SealRefused

ALGORITHM: Final = "sha-256"
SEPARATOR: Final = "~"
DIGESTS, NAMED, ELEMENT = "_sd", "_sd_alg", "..."
_SALT_BYTES = 16


def hide(claims: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Put claims behind digests (隐藏声明): the digests, in an order that tells nothing, and the disclosures."""
    salted = [[jose.b64(secrets.token_bytes(_SALT_BYTES)), name, value] for name, value in claims.items()]
    disclosures = [jose.b64(canonical.dump(one)) for one in salted]
    return sorted(map(digest, disclosures)), disclosures


def digest(disclosure: str) -> str:
    """Digest a disclosure as it is written (披露摘要), section 4.2.3."""
    return jose.b64(hashlib.sha256(disclosure.encode()).digest())


def reveal(said: Mapping[str, Any], disclosures: Sequence[str]) -> dict[str, Any]:
    """Put back what was disclosed (还原声明), section 7.1: every disclosure stands for one digest, and each once.

    Raises SealRefused or NotCanonical for disclosures that are malformed, given twice, not signed for, or that say
    what the signed JSON says already; ValueError for what is no base64url.
    """
    if said.get(NAMED, ALGORITHM) != ALGORITHM:
        raise SealRefused(why="only SHA-256 digests are known here")
    given = {digest(one): _read(one) for one in disclosures}
    if len(given) != len(disclosures):
        raise SealRefused(why="a disclosure is given twice")
    met: set[str] = set()
    revealed = _opened({name: value for name, value in said.items() if name != NAMED}, given, met)
    if given.keys() - met:
        raise SealRefused(why="a disclosure is not one that was signed")
    assert isinstance(revealed, dict)
    return revealed


def _read(disclosure: str) -> list[Any]:
    parts = canonical.load(jose.unb64(disclosure))
    if isinstance(parts, list) and parts and isinstance(parts[0], str):
        return parts
    raise SealRefused(why="a disclosure begins with its salt")


def _opened(value: Any, given: Mapping[str, list[Any]], met: set[str]) -> Any:
    match value:
        case dict():
            return _members(value, given, met)
        case list():
            return [one for each in value for one in _elements(each, given, met)]
    return value


def _members(value: Mapping[str, Any], given: Mapping[str, list[Any]], met: set[str]) -> dict[str, Any]:
    if ELEMENT in value:
        raise SealRefused(why="a placeholder stands where no element of a list is")
    opened = {name: _opened(member, given, met) for name, member in value.items() if name != DIGESTS}
    for hidden in value.get(DIGESTS, []):
        _meet(hidden, met)
        match given.get(hidden, ()):
            case ():
                continue
            case [_, str(name), member] if name not in {DIGESTS, ELEMENT, *opened}:
                opened[name] = _opened(member, given, met)
            case _:
                raise SealRefused(why="a disclosure is malformed, or its name is taken")
    return opened


def _elements(each: Any, given: Mapping[str, list[Any]], met: set[str]) -> list[Any]:
    if not (isinstance(each, dict) and each.keys() == {ELEMENT}):
        return [_opened(each, given, met)]
    _meet(each[ELEMENT], met)
    match given.get(each[ELEMENT], ()):
        case ():
            return []
        case [_, element]:
            return [_opened(element, given, met)]
    raise SealRefused(why="a disclosure is malformed")


def _meet(hidden: Any, met: set[str]) -> None:
    if not isinstance(hidden, str) or hidden in met:
        raise SealRefused(why="a digest is none, or stands in more than one place")
    met.add(hidden)
