"""Seals whose key never leaves a cryptographic module (密码模块印章): PKCS#11 version 2.40 and later, P-256.

A file beside the soft seals, `seals/<department>.toml`, says where the key is:

    module = "/usr/lib/softhsm/libsofthsm2.so"
    token = "market"                # the token's label
    label = "seal"                  # the private key's, or its identifier: id = "01af"
    pin_file = "/run/secrets/pin"   # or pin_env = "MARKET_PIN"
    certificate = "market.pem"      # the seal's, then those between it and the root; beside this file

Needs the extra `pkcs11`. A module is asked when the first seal is set, not before: one that is away holds up nobody
but its own department. Whether a module is certified is a matter of the module.
"""

import hashlib
import os
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, NoReturn, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from certificates import jose
from certificates.errors import SealRefused

_ALWAYS: Final = ("module", "token", "certificate")
_FORMS: Final = [{*_ALWAYS, key, pin} for key in ("label", "id") for pin in ("pin_file", "pin_env")]


@dataclass(frozen=True)
class ModuleSealer:
    """A seal whose key is in a cryptographic module (密码模块印章); `place` is what its file says."""

    certificate: x509.Certificate
    place: tuple[tuple[str, str], ...]
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read where a seal's key is (加载密码模块印章); raises SealRefused for a file that does not say it."""
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
            if said.keys() not in _FORMS or not all(isinstance(value, str) for value in said.values()):
                raise SealRefused(path=str(path), why="module, token, label or id, pin_file or pin_env, certificate")
            bytes.fromhex(said.get("id", ""))
            certificate, *chain = x509.load_pem_x509_certificates((path.parent / said["certificate"]).read_bytes())
        except (OSError, ValueError) as error:
            raise SealRefused(path=str(path), why=str(error)) from None
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise SealRefused(path=str(path), why="the certificate's key is not a P-256 key")
        return cls(certificate, tuple(sorted(said.items())), tuple(chain))

    def sign(self, data: bytes) -> bytes:
        """Sign in the module (签名), raw ES256.

        A module that was shut, or a token that was out and is back, is opened once more. Raises SealRefused naming
        module, token and key when that does not help, and when the key is not the certificate's.
        """
        digest = hashlib.sha256(data).digest()
        with _hall.lock:
            try:
                signature = _hall.sign(dict(self.place), digest)
            except _Shut:
                _hall.leave(dict(self.place)["module"])
                try:
                    signature = _hall.sign(dict(self.place), digest)
                except _Shut as shut:
                    _refuse(dict(self.place), str(shut))
        key = self.certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # looked at when it was read
        try:
            key.verify(jose.der(signature), data, jose.ES256)
        except InvalidSignature:
            _refuse(dict(self.place), "the key is not the certificate's")
        return signature


class _Shut(Exception):  # noqa: N818 -- it may well open again
    """The module, the token or the session in it is not to be had now."""


class _Hall:
    """The modules of this process, each open once for all its seals: a token knows one log-in for a whole process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.sessions: dict[tuple[str, str], Any] = {}
        self.keys: dict[tuple[str, ...], Any] = {}
        self.spent: dict[tuple[str, str], str] = {}
        self.stale: set[str] = set()

    def sign(self, place: dict[str, str], digest: bytes) -> bytes:
        """Sign a digest; raises _Shut for what may help itself, SealRefused for what will not."""
        pkcs11 = _library(place)
        try:
            key = self._key(pkcs11, place)
            signature: bytes = key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        except pkcs11.PKCS11Error as error:
            raise _Shut(f"{type(error).__name__} {error}".strip()) from None
        return signature

    def leave(self, module: str) -> None:
        """Forget what is open in a module, which is then begun afresh."""
        self.sessions = {place: one for place, one in self.sessions.items() if place[0] != module}
        self.keys = {place: one for place, one in self.keys.items() if place[0] != module}
        self.stale.add(module)

    def _key(self, pkcs11: Any, place: dict[str, str]) -> Any:
        name = (place["module"], place["token"], place.get("label", ""), place.get("id", ""))
        if name not in self.keys:
            wanted = {"label": place["label"]} if "label" in place else {"id": bytes.fromhex(place["id"])}
            self.keys[name] = self._session(pkcs11, place).get_key(pkcs11.ObjectClass.PRIVATE_KEY, **wanted)
        return self.keys[name]

    def _session(self, pkcs11: Any, place: dict[str, str]) -> Any:
        at = (place["module"], place["token"])
        if at in self.spent:  # a token locks itself after a few wrong numbers
            _refuse(place, self.spent[at])
        if at not in self.sessions:
            module = pkcs11.lib(place["module"])
            if place["module"] in self.stale:
                with suppress(pkcs11.PKCS11Error):  # after a fork there may be nothing to end
                    module.finalize()
                module.initialize()
                self.stale.remove(place["module"])
            token = module.get_token(token_label=place["token"])
            try:
                self.sessions[at] = token.open(user_pin=_pin(place))
            except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, pkcs11.PinLocked) as error:
                self.spent[at] = f"{type(error).__name__}: not tried again before the process is started again"
                _refuse(place, self.spent[at])
        return self.sessions[at]


_hall = _Hall()


def _after_fork() -> None:
    # What the parent opened is not the child's, and a lock that a thread of the parent held would never open.
    global _hall
    parents, _hall = _hall, _Hall()
    _hall.spent = parents.spent
    _hall.stale = {module for module, _ in parents.sessions} | parents.stale


os.register_at_fork(after_in_child=_after_fork)


def _library(place: dict[str, str]) -> Any:
    try:
        import pkcs11  # noqa: PLC0415 -- an extra
    except ImportError:
        _refuse(place, "the extra pkcs11 is not installed")
    return pkcs11


def _pin(place: dict[str, str]) -> str:
    if "pin_env" in place:
        pin = os.environ.get(place["pin_env"], "")
    else:
        try:
            pin = Path(place["pin_file"]).read_text(encoding="utf-8").strip()
        except OSError as error:
            _refuse(place, f"the PIN cannot be read: {error}")
    if not pin:
        _refuse(place, "there is no PIN where its file says")
    return pin


def _refuse(place: dict[str, str], why: str) -> NoReturn:
    key = place.get("label") or place["id"]
    raise SealRefused(why=why, module=place["module"], token=place["token"], key=key) from None
