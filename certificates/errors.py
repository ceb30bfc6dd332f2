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


class NotLogged(CertificateError):
    """The log has no such entry or file."""


class CheckpointInvalid(CertificateError):
    """This is no head of the log that this key signed."""


class IllegalAct(CertificateError):
    """The law does not allow this act on a licence in this state."""


class ReasonMissing(CertificateError):
    """An act against a holder states its reason and its legal basis."""


class SealRefused(CertificateError):
    """This seal may not or cannot be set here."""


class TimestampUnavailable(CertificateError):
    """The timestamping authority does not answer."""


class AuthorityUnusable(CertificateError):
    """The seal authority's files are incomplete or damaged."""


class IdentityRefused(CertificateError):
    """This certificate signs nobody in."""


class TokenMalformed(IdentityRefused):
    """What the browser sent is no proof of a certificate."""


class ChallengeUnknown(IdentityRefused):
    """This challenge was never set to this browser, or was answered before."""


class ChallengeStale(IdentityRefused):
    """This challenge was set too long ago."""


class OriginForeign(IdentityRefused):
    """The challenge was signed for another site."""


class KeyUnsuitable(IdentityRefused):
    """A key of this kind, or this algorithm with it, is not accepted."""


class SignatureWrong(IdentityRefused):
    """The signature is not the certificate's over this challenge and this site."""


class UsageWrong(IdentityRefused):
    """This certificate was not issued to sign a person in."""


class IssuerUntrusted(IdentityRefused):
    """No authority that we trust issued this certificate."""


class CertificateExpired(IdentityRefused):
    """The certificate's term is over."""


class CertificateNotYetValid(IdentityRefused):
    """The certificate's term has not begun."""


class CertificateRevoked(IdentityRefused):
    """The certificate, or an authority above it, was revoked."""


class RevocationUnknown(IdentityRefused):
    """Nobody can say now whether the certificate was revoked."""
