"""Licence identifiers (证照标识), GB/T 36904-2018."""

import re
from dataclasses import dataclass
from typing import Self

from stdnum.iso7064 import mod_37_36

from certificates.errors import IdentifierInvalid

ROOT = "1.2.156.3005.2"
_TYPE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_FORM = re.compile(
    rf"{re.escape(ROOT)}\.([0-9A-Z]{{18}}[0-9]{{3}})\.([0-9A-Z]{{18}})\.([0-9A-Z]{{1,32}})\.([0-9]{{3}})\.([0-9A-Z])"
)


@dataclass(frozen=True)
class Identifier:
    """A licence identifier (证照标识): root, type, issuer, serial, version (001 first), check character.

    The check (ISO 7064 MOD 37,36, GB/T 17710) finds typing errors and no security: serials are guessable.
    Raises IdentifierInvalid when a part has the wrong shape.
    """

    type_code: str
    issuer: str
    serial: str
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse parts that would not come back from parse."""
        if not _FORM.fullmatch(f"{ROOT}.{self._parts}.0"):
            raise IdentifierInvalid(value=self._parts)

    def __str__(self) -> str:
        check = mod_37_36.calc_check_digit(self._parts.replace(".", ""))
        return f"{ROOT}.{self._parts}.{check}"

    @property
    def _parts(self) -> str:
        return f"{self.type_code}.{self.issuer}.{self.serial}.{self.version:03d}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier (解析证照标识); raises IdentifierInvalid for a wrong shape or check."""
        form = _FORM.fullmatch(text)
        if not form or not mod_37_36.is_valid("".join(form.groups())):
            raise IdentifierInvalid(value=text)
        type_code, issuer, serial, version, _ = form.groups()
        return cls(type_code, issuer, serial, int(version))


def require_type_code(code: str) -> None:
    """Hold a type code to its form (证照类型代码): 18 characters of the defining body's USCC and 3 digits."""
    if not _TYPE.fullmatch(code):
        raise IdentifierInvalid(value=code)
