"""Wallets (证照钱包): a holder offers a licence to a wallet, which takes it up once with a code, a PIN and a key.

OpenID for Verifiable Credential Issuance 1.0, pre-authorized code. Everything that opens anything is random and
short-lived, good once, and kept only as a hash.
"""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError

import certificates
from approval.domain.errors import NotFound, WalletRefused
from approval.domain.licence_types import TypeDefinition
from approval.models.wallets import SpentNonce, WalletOffer
from approval.office import Work
from approval.services import exports, licences, limits, types
from approval.services.exports import Form
from certificates import CertificateError, IllegalAct, Licence

PIN_LENGTH: Final = 6
_KIND = "wallet"
_PIN = "wallet-pin"
_SALT_BYTES = 16
_INSTANT_BYTES = 8


@dataclass(frozen=True)
class Offer:
    """What the holder is shown (领取要约), once: the code for the wallet, and the PIN to type there."""

    licence: Licence
    code: str
    pin: str


def kinds(work: Work) -> dict[str, TypeDefinition]:
    """List the licence types that wallets can hold (可领取的证照类型), by code: those of the catalogue."""
    return {one.code: TypeDefinition.read(one.definition) for one in types.catalogue(work)}


def offer(work: Work, number: str) -> Offer:
    """Offer one's own licence to a wallet (发出领取要约); an earlier offer of it that nobody took up ends.

    It holds for the minutes of the settings. Raises as `licences.own`, `IllegalAct` for a licence that is not in
    force, `NotFound` for a type that no published item gives.
    """
    licence = exports.locked(work, licences.own(work, number).id)
    if licence.type_code not in kinds(work) or work.actor.person is None:
        raise NotFound(licence=number)
    ended = delete(WalletOffer).where(WalletOffer.licence_id == licence.id, WalletOffer.issued_at.is_(None))
    work.session.execute(ended)
    code, pin = secrets.token_urlsafe(32), "".join(secrets.choice("0123456789") for _ in range(PIN_LENGTH))
    work.session.add(
        WalletOffer(
            digest=_digest(code),
            pin=_digest(code, pin),
            licence_id=licence.id,
            type_code=licence.type_code,
            person_id=work.actor.person,
            expires_at=_end(work),
        )
    )
    return Offer(licence, code, pin)


def offered(work: Work, code: str) -> str:
    """Tell the type of the licence that a code is for (查看要约), by its code; raises `NotFound` once it is over."""
    found = work.session.get(WalletOffer, _digest(code))
    if found is None or found.token or work.now >= found.expires_at:
        raise NotFound
    return found.type_code


def redeem(work: Work, code: str, pin: str, origin: str) -> str:
    """Give an access token for a code and its PIN (兑换令牌), once; `origin` tells callers apart.

    A wrong PIN counts against the code, an unknown code against who brought it. Raises `WalletRefused` with the
    error of RFC 6749 section 5.2, `TooMany`.
    """
    digest, settings = _digest(code), work.office.settings
    limits.require_below(work, _KIND, origin, settings.address_failures)
    limits.require_below(work, _PIN, digest, settings.sign_in_failures)
    found = work.session.get(WalletOffer, digest)
    if found is None or found.token or work.now >= found.expires_at:
        raise _guessed(work, _KIND, origin, "invalid_grant")
    if not pin:
        raise WalletRefused(error="invalid_request", why="tx_code is missing")
    if not hmac.compare_digest(found.pin, _digest(code, pin)):
        raise _guessed(work, _PIN, digest, "invalid_grant")
    token = secrets.token_urlsafe(32)
    spent = update(WalletOffer).where(WalletOffer.digest == digest, WalletOffer.token.is_(None))
    # Conditional, so that of two at once one is turned away.
    given = spent.values(token=_digest(token), expires_at=_end(work)).returning(WalletOffer.digest)
    if work.session.scalar(given) is None:
        raise WalletRefused(error="invalid_grant", why="the code was used")
    return token


def nonce(work: Work) -> str:
    """Give out a number for a key proof (发放随机数): nothing is written down before it comes back."""
    said = int(_end(work).timestamp()).to_bytes(_INSTANT_BYTES, "big") + secrets.token_bytes(_SALT_BYTES)
    return (said + _seal(work, said)).hex()


def issue(work: Work, token: str, type_code: str, proof: str, origin: str) -> str:
    """Issue the licence that a token stands for to the wallet whose key signed the proof (签发到钱包), once.

    An SD-JWT VC; it stands in the case's journal. Raises `TooMany`, `WalletRefused` with `invalid_token` (RFC 6750) or
    an error of OpenID4VCI section 8.3.1, and what the strong-house raises of the seal.
    """
    limits.require_below(work, _KIND, origin, work.office.settings.address_failures)
    found = work.session.scalar(select(WalletOffer).where(WalletOffer.token == _digest(token)))
    if found is None or found.issued_at or work.now >= found.expires_at:
        raise _guessed(work, _KIND, origin, "invalid_token")
    if type_code != found.type_code:
        raise WalletRefused(error="unknown_credential_configuration", why="the token is for another type")
    try:
        proved = certificates.read_proof(proof, audience=exports.address(work), now=work.now)
    except CertificateError as refused:
        raise WalletRefused(error="invalid_proof", why=(type(refused).__doc__ or "").strip()) from None
    try:
        licence = exports.locked(work, found.licence_id)
    except IllegalAct:
        raise WalletRefused(error="credential_request_denied", why="the licence is not in force") from None
    _spend(work, proved.nonce)
    once = update(WalletOffer).where(WalletOffer.digest == found.digest, WalletOffer.issued_at.is_(None))
    if work.session.scalar(once.values(issued_at=work.now).returning(WalletOffer.digest)) is None:
        raise WalletRefused(error="invalid_token", why="the token was used")
    holder = work.acting_as(replace(work.actor, person=found.person_id))
    return exports.written(holder, licence, Form.WALLET, key=proved.key)


def forget(work: Work) -> int:
    """Forget offers and numbers whose time is over (清理), and return how many."""
    gone = 0
    for kind in (WalletOffer, SpentNonce):
        done = work.session.execute(delete(kind).where(kind.expires_at <= work.now))
        assert isinstance(done, CursorResult)
        gone += done.rowcount
    return gone


def _spend(work: Work, given: str) -> None:
    refused = WalletRefused(error="invalid_nonce", why="the nonce is unknown, over or used")
    try:
        whole = bytes.fromhex(given)
    except ValueError:
        raise refused from None
    said, sealed = whole[: _INSTANT_BYTES + _SALT_BYTES], whole[_INSTANT_BYTES + _SALT_BYTES :]
    ends = int.from_bytes(said[:_INSTANT_BYTES], "big")
    if not hmac.compare_digest(sealed, _seal(work, said)) or work.now.timestamp() >= ends:
        raise refused
    try:
        with work.session.begin_nested():
            work.session.add(SpentNonce(digest=_digest(whole.hex()), expires_at=datetime.fromtimestamp(ends, UTC)))
            work.session.flush()
    except IntegrityError:
        raise refused from None


def _seal(work: Work, said: bytes) -> bytes:
    return hmac.new(work.office.settings.form_key().encode(), b"wallet-nonce\n" + said, sha256).digest()


def _guessed(work: Work, kind: str, key: str, error: str) -> WalletRefused:
    work.if_undone.append(lambda after: limits.note_failure(after, kind, key))
    return WalletRefused(error=error, why="unknown, over or used, or the PIN is wrong")


def _end(work: Work) -> datetime:
    return work.now + timedelta(minutes=work.office.settings.wallet_minutes)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode(errors="replace")).hexdigest()
