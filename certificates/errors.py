# ruff: noqa: N818 -- not all our exceptions are errors
"""What the strong-house refuses (证照拒绝): a class is a reason, the docstring its sentence.

Same manner as the office's refusals, but knowing nobody outside: the caller maps classes to its own words.
"""

import re
from typing import Any, ClassVar

from sqlalchemy.exc import DontWrapMixin


class CertificateError(Exception):
    """The strong-house cannot do this."""

    code: ClassVar[str] = "certificate-error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the code after the class, so that neither can drift from the other."""
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = facts

    def __str__(self) -> str:
        sentence = (self.__class__.__doc__ or "").strip().splitlines()[0]
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{sentence} ({facts})" if facts else sentence


class IdentifierInvalid(CertificateError):
    """This code is malformed, or its check character is wrong."""


class NumberPatternInvalid(CertificateError):
    """This licence number pattern cannot be filled in."""


class NumbersExhausted(CertificateError):
    """The serial numbers of this pattern are used up."""


class NotCanonical(CertificateError):
    """This JSON has more than one way to be read."""


class NaiveInstant(CertificateError, DontWrapMixin):
    """An instant needs its time zone."""


class LicenceUnknown(CertificateError):
    """The store holds no such licence."""


class IllegalAct(CertificateError):
    """The law does not allow this act on a licence in this state."""


class ReasonMissing(CertificateError):
    """An act against a holder states its reason and its legal basis."""


class SealRefused(CertificateError):
    """This seal may not or cannot be set here."""


class AuthorityUnusable(CertificateError):
    """The seal authority's files are incomplete or damaged."""
