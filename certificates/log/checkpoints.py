"""Checkpoints (检查点): the head of a log as a signed note, C2SP tlog-checkpoint and signed-note, Ed25519."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from certificates import files
from certificates.errors import AuthorityUnusable, CheckpointInvalid
from certificates.log import trees

_KEY_FILE = "log.key"
_PUBLIC_FILE = "log.pub"
_ED25519 = b"\x01"
_ID_BYTES = 4
_DASH = "— "
_ORIGIN = re.compile(r"[^\s+]+")


@dataclass(frozen=True)
class LogKey:
    """The public key of a log (日志公钥): its name, which is the log's origin, and Ed25519, as signed-note has it."""

    origin: str
    key: Ed25519PublicKey

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the key."""
        return self.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def id(self) -> bytes:
        """The four bytes that say whose a signature is (密钥标识)."""
        return hashlib.sha256(f"{self.origin}\n".encode() + _ED25519 + self.raw).digest()[:_ID_BYTES]

    def __hash__(self) -> int:
        return hash((self.origin, self.raw))

    def __str__(self) -> str:
        shown = base64.b64encode(_ED25519 + self.raw).decode()
        return f"{self.origin}+{self.id.hex()}+{shown}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key (解析公钥) `name+id+base64`; raises CheckpointInvalid."""
        name, _, rest = text.strip().partition("+")
        id_, _, shown = rest.partition("+")
        try:
            raw = base64.b64decode(shown, validate=True)
            found = cls(name, Ed25519PublicKey.from_public_bytes(raw.removeprefix(_ED25519)))
        except (ValueError, binascii.Error):
            raise CheckpointInvalid(why="this is no key of a log") from None
        if not name or raw[:1] != _ED25519 or found.id.hex() != id_:
            raise CheckpointInvalid(why="this is no key of a log")
        return found


@dataclass(frozen=True)
class LogSigner:
    """Who signs the heads of a log (日志签名人)."""

    origin: str
    key: Ed25519PrivateKey

    @property
    def public(self) -> LogKey:
        """What a verifier pins."""
        return LogKey(self.origin, self.key.public_key())

    def sign(self, size: int, root: bytes) -> str:
        """Sign the head of a log (签发检查点): origin, size, root, and a line with the signature."""
        body = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.public.id + self.key.sign(body.encode())).decode()
        return f"{body}\n{_DASH}{self.origin} {signature}\n"


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log (检查点): how many leaves, and the root over them, 32 bytes."""

    origin: str
    size: int
    root: bytes


@lru_cache(maxsize=64)
def read(note: str, key: LogKey) -> Checkpoint:
    """Read a checkpoint that this key signed (验证检查点); further signatures are somebody else's and are left alone.

    Raises CheckpointInvalid for another origin, a broken note and a signature that is not the key's.
    """
    body, gap, signatures = note.partition("\n\n")
    try:
        origin, size, root, *_more = body.split("\n")
        found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise CheckpointInvalid(why="this is no checkpoint") from None
    if not gap or len(found.root) != trees.HASH_BYTES or str(found.size) != size or origin != key.origin:
        raise CheckpointInvalid(why="this is no checkpoint of this log")
    if not any(_signed(f"{body}\n", line, key) for line in signatures.splitlines()):
        raise CheckpointInvalid(why="the signature is not this log's")
    return found


def make_key(directory: Path, origin: str) -> None:
    """Make the key of a log in a directory of its own (生成日志密钥), unless there is one; for its owner only.

    `origin` is the log's name, without spaces and `+` (signed-note). Raises CheckpointInvalid for another.
    """
    if (directory / _PUBLIC_FILE).exists():
        return
    if not _ORIGIN.fullmatch(origin):
        raise CheckpointInvalid(why="the name of a log is without spaces and +", origin=origin)
    signer = LogSigner(origin, Ed25519PrivateKey.generate())
    pem = signer.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = {_KEY_FILE: pem, _PUBLIC_FILE: f"{signer.public}\n".encode()}
    if not directory.exists():
        files.lay_down(directory, made)
        return
    for name, content in made.items():  # the public half last: where it is, there is a key
        files.write(directory / name, content)


def open_signer(directory: Path) -> LogSigner:
    """Open the key of a log (打开日志密钥), which signs under the name it was made for; raises AuthorityUnusable."""
    public = open_key(directory)
    try:
        key = serialization.load_pem_private_key((directory / _KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AuthorityUnusable(directory=str(directory), why=str(error)) from None
    if not isinstance(key, Ed25519PrivateKey) or LogSigner(public.origin, key).public.raw != public.raw:
        raise AuthorityUnusable(directory=str(directory), why="the log's key and its public half are not a pair")
    return LogSigner(public.origin, key)


def open_key(directory: Path) -> LogKey:
    """Open the public half of a log's key (打开日志公钥), which verifiers pin; raises AuthorityUnusable."""
    try:
        return LogKey.parse((directory / _PUBLIC_FILE).read_text())
    except (OSError, ValueError, CheckpointInvalid) as error:
        raise AuthorityUnusable(directory=str(directory), why=str(error)) from None


def _signed(body: str, line: str, key: LogKey) -> bool:
    name, _, shown = line.removeprefix(_DASH).rpartition(" ")
    try:
        signature = base64.b64decode(shown, validate=True)
        if not line.startswith(_DASH) or name != key.origin or signature[:_ID_BYTES] != key.id:
            return False
        key.key.verify(signature[_ID_BYTES:], body.encode())
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True
