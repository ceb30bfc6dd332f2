"""Licence numbers (证照编号), drawn from a pattern: `JY{business_form}{region}{serial:06d}{check}`."""

import re
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session
from stdnum.iso7064 import mod_11_10

from certificates.errors import NumberPatternInvalid, NumbersExhausted

_PLACE = re.compile(r"\{([a-z_]+)\}")
_SERIAL = re.compile(r"\{serial:0([1-9])d\}")
_CHECK = "{check}"
_LONGEST = 64  # as the column that holds it
# A number stands in addresses, and these mean something there.
_NOT_IN_ADDRESSES = frozenset("/\\?#%")
_PART = re.compile(r"[0-9A-Z]+")

# One statement is the lock: both databases let the second caller wait here until the first has committed.
_TAKE = text(
    "INSERT INTO licence_counters (scope, last) VALUES (:scope, 1) "
    "ON CONFLICT (scope) DO UPDATE SET last = licence_counters.last + 1 RETURNING last"
)
_GIVE = text("UPDATE licence_counters SET last = last - 1 WHERE scope = :scope")


def require_pattern(pattern: str) -> None:
    """Hold a number pattern to its form (编号规则): a `{serial:0Nd}`, names in braces, `{check}` last if any.

    What stands between them must be seen, and may stand in an address.
    Raises NumberPatternInvalid.
    """
    rest = _PLACE.sub("", _SERIAL.sub("", pattern))
    checks_in_place = pattern.count(_CHECK) == pattern.endswith(_CHECK)
    plain = rest.isprintable() and len(rest) <= _LONGEST and _NOT_IN_ADDRESSES.isdisjoint(rest)
    if len(_SERIAL.findall(pattern)) != 1 or not checks_in_place or not plain or "{" in rest or "}" in rest:
        raise NumberPatternInvalid(pattern=pattern)


def give_back(session: Session, pattern: str, parts: Mapping[str, str]) -> None:
    """Give the number back that was drawn last in this transaction (退回编号), which still keeps all others waiting."""
    session.execute(_GIVE, {"scope": _scope(pattern, parts)})


def draw(session: Session, pattern: str, parts: Mapping[str, str]) -> str:
    """Draw the next licence number (证照编号) of a pattern; whoever rolls back gives the number back.

    Numbers that share everything but the serial share one counter. The check digit is ISO 7064 MOD 11,10 over
    the digits before it, as in 食品经营许可证 JY numbers. Raises NumberPatternInvalid when a part is missing
    or not of digits and capitals or the number has more than 64 characters, NumbersExhausted when the serial outgrows
    its width.
    """
    require_pattern(pattern)
    scope = _scope(pattern, parts)
    serial = str(session.execute(_TAKE, {"scope": scope}).scalar_one())

    def padded(place: re.Match[str]) -> str:
        if len(serial) > int(place[1]):
            raise NumbersExhausted(scope=scope)
        return serial.zfill(int(place[1]))

    number = _SERIAL.sub(padded, scope)
    if not pattern.endswith(_CHECK):
        return number
    return number + mod_11_10.calc_check_digit(re.sub(r"[^0-9]", "", number))


def _scope(pattern: str, parts: Mapping[str, str]) -> str:
    prefix = pattern.removesuffix(_CHECK)
    if unfit := [name for name in _PLACE.findall(prefix) if not _PART.fullmatch(parts.get(name, ""))]:
        raise NumberPatternInvalid(pattern=pattern, unfit=unfit)
    filled = _PLACE.sub(lambda place: parts[place[1]], prefix)
    if len(_SERIAL.sub(lambda place: "0" * int(place[1]), filled)) + pattern.endswith(_CHECK) > _LONGEST:
        raise NumberPatternInvalid(pattern=pattern, longest=_LONGEST)
    return filled
