"""Who issues and who holds (签发机关与持证主体)."""

import re
from dataclasses import dataclass

from stdnum.cn import uscc

from certificates.errors import IdentifierInvalid

_CODE = re.compile(r"[0-9A-Za-z_-]{1,40}")
_SHOWN_HEAD, _SHOWN_TAIL = 3, 2


@dataclass(frozen=True)
class Issuer:
    """A department that issues (签发机关): its short code, its credit code (USCC, GB 32100), its name.

    Raises IdentifierInvalid for a code that cannot name a file or a credit code with a wrong check digit.
    """

    code: str
    uscc: str
    name: str

    def __post_init__(self) -> None:
        """Refuse a mistyped department before anything is signed in its name."""
        if not _CODE.fullmatch(self.code):
            raise IdentifierInvalid(part="issuer.code", value=self.code)
        if not uscc.is_valid(self.uscc) or uscc.compact(self.uscc) != self.uscc:
            raise IdentifierInvalid(part="issuer.uscc", value=self.uscc)

    @property
    def region(self) -> str:
        """Where it is registered (行政区划): digits 3 to 8 of its credit code, GB/T 2260."""
        return self.uscc[2:8]


@dataclass(frozen=True)
class Holder:
    """Whom a licence belongs to (持证主体): name, code, and the kind of code, `uscc` for an organisation."""

    name: str
    code: str
    code_type: str

    def masked(self) -> "Holder":
        """Show a stranger no more than needed (脱敏).

        An organisation's name is public by law (企业信息公示暂行条例) and stays; a person keeps the family
        name; of a code only the ends remain.
        """
        name = self.name if self.code_type == "uscc" else self.name[:1] + "*" * len(self.name[1:])
        hidden = "*" * max(0, len(self.code) - _SHOWN_HEAD - _SHOWN_TAIL)
        code = self.code[:_SHOWN_HEAD] + hidden + self.code[-_SHOWN_TAIL:] if hidden else "*" * len(self.code)
        return Holder(name, code, self.code_type)
