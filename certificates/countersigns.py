"""SM2 countersignatures (国密附加签章, GM/T 0003.2, GM/T 0009): a second signature of a licence's statement, beside it.

Our statements are sealed with ES256 and verified so everywhere; this one is for whoever asks for the national
algorithms as well, detached, and kept by whoever asked. It is made and verified by the command `openssl` (3.0 or
newer), which is no certified cryptographic module (未经商用密码认证): a key that counts belongs into one.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from certificates.errors import SealRefused

# The signer's identifier that GM/T 0009 section 10 sets where the two sides agreed on no other.
_IDENTITY: Final = "distid:1234567812345678"
_SM3_WITH_SM2: Final = ("-rawin", "-digest", "sm3", "-pkeyopt", _IDENTITY)
_SECONDS: Final = 10


@dataclass(frozen=True)
class Sm2Sealer:
    """An SM2 key in a file (国密软件印章): PEM, unencrypted, for development and demonstration, never certified."""

    key: Path

    def public_key(self) -> bytes:
        """Hand out what the signatures are verified with (公钥), PEM; raises SealRefused for what is no key."""
        done = _openssl("pkey", "-in", str(self.key), "-pubout")
        if done.returncode:
            raise SealRefused(path=str(self.key), why="openssl reads no key there")
        return done.stdout


def countersign(statement: bytes, sealer: Sm2Sealer) -> bytes:
    """Sign a canonical statement with SM2 over SM3 (国密附加签章): DER, r and s, under GM/T 0009's default identifier.

    Raises SealRefused for what is no SM2 key, and where there is no OpenSSL 3; what came back was verified.
    """
    done = _openssl("pkeyutl", "-sign", *_SM3_WITH_SM2, "-inkey", str(sealer.key), data=statement)
    if done.returncode or not countersigned(statement, done.stdout, sealer.public_key()):
        raise SealRefused(path=str(sealer.key), why="openssl makes no SM2 signature with this key")
    return done.stdout


def countersigned(statement: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether a pinned SM2 key, PEM, countersigned exactly this statement (国密验签).

    Raises SealRefused where there is no OpenSSL 3.
    """
    with TemporaryDirectory() as folder:
        key, signed = Path(folder, "key.pem"), Path(folder, "signature")
        key.write_bytes(public_key)
        signed.write_bytes(signature)
        places = ("-pubin", "-inkey", str(key), "-sigfile", str(signed))
        return _openssl("pkeyutl", "-verify", *_SM3_WITH_SM2, *places, data=statement).returncode == 0


def _openssl(*what: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = shutil.which("openssl")
    if command is None:
        raise SealRefused(why="the command openssl, which signs with SM2, is not installed")
    return subprocess.run([command, *what], input=data, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 -- no shell, our own words
