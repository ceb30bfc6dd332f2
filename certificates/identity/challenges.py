"""Challenges (挑战): a number used once, that only the holder of a key can answer, for this site and for now."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

from certificates.errors import ChallengeStale, OriginForeign

# Long enough to look for a file and type its password, short enough that a page left open proves nothing.
LASTS = timedelta(minutes=5)
_BYTES = 32


def make() -> str:
    """Make a challenge (出题): 32 random bytes in base64, as Web eID has it."""
    return base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def fingerprint(nonce: str) -> str:
    """Name a challenge by its SHA-256 (挑战指纹), in hex."""
    return hashlib.sha256(nonce.encode(errors="replace")).hexdigest()


def require_timely(made_at: datetime, now: datetime) -> None:
    """Hold an answer to its time (时效); raises ChallengeStale after five minutes."""
    if now - made_at > LASTS:
        raise ChallengeStale(minutes=LASTS // timedelta(minutes=1))


def require_origin(claimed: str, origin: str) -> None:
    """Tell who signed for another site (来源核对) so in words; raises OriginForeign.

    The proof is the signature, which is over our origin whatever the browser claims; no claim is no fault.
    """
    if claimed and claimed != origin:
        raise OriginForeign(claimed=claimed[:100], origin=origin)
