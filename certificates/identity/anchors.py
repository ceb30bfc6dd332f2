"""Anchors (身份信任锚): the authorities whose certificates people may sign in with, several side by side.

Each is a folder of our own choosing: `root.pem` with the roots that are pinned, `issuing.pem` with authorities
known to stand below them, and `*.crl` with revocation lists. The folder's name is the issuer that people are bound
to: it outlives keys and certificates of the authority. Read anew at every sign-in: a list put there counts at once.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from certificates.errors import AuthorityUnusable, CertificateRevoked, RevocationUnknown

ROOT_FILE = "root.pem"
ISSUING_FILE = "issuing.pem"
_LONGEST = 3
_AUTHORITIES = ExtensionPolicy.webpki_defaults_ca()
# People's certificates name a person, not a host.
_PEOPLE = ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
Chain = tuple[x509.Certificate, ...]


@dataclass(frozen=True)
class Anchor:
    """One authority that we trust to say who somebody is (身份证书机构)."""

    name: str
    roots: tuple[x509.Certificate, ...]
    issuing: tuple[x509.Certificate, ...]
    lists: tuple[x509.CertificateRevocationList, ...]

    def path(self, leaf: x509.Certificate, between: Chain, at: datetime) -> Chain | None:
        """Find the way from a certificate to a pinned root (证书路径), at an aware instant; None without one."""
        policy = PolicyBuilder().store(Store(list(self.roots))).time(at).max_chain_depth(_LONGEST)
        policy = policy.extension_policies(ca_policy=_AUTHORITIES, ee_policy=_PEOPLE)
        try:
            return tuple(policy.build_client_verifier().verify(leaf, [*between, *self.issuing]).chain)
        except (VerificationError, ValueError, UnsupportedAlgorithm):
            return None

    def require_good(self, path: Chain, now: datetime) -> None:
        """Ask of every certificate on a path, the root's own excepted, whether it was revoked (吊销核查).

        Raises CertificateRevoked; RevocationUnknown without a current list of its issuer: no answer is no yes.
        """
        for certificate, issuer in pairwise(path):
            lists = [each for each in self.lists if _answers(each, issuer, now)]
            if not lists:
                raise RevocationUnknown(issuer=self.name)
            if any(each.get_revoked_certificate_by_serial_number(certificate.serial_number) for each in lists):
                raise CertificateRevoked(serial=f"{certificate.serial_number:x}")


def load(folder: Path) -> tuple[Anchor, ...]:
    """Read the authorities that a folder holds (加载信任锚); none without the folder. Raises AuthorityUnusable."""
    return tuple(_read(each) for each in sorted(folder.glob("*/")) if not each.name.startswith("."))


def _read(folder: Path) -> Anchor:
    try:
        known = folder / ISSUING_FILE
        return Anchor(
            folder.name,
            tuple(x509.load_pem_x509_certificates((folder / ROOT_FILE).read_bytes())),
            tuple(x509.load_pem_x509_certificates(known.read_bytes())) if known.exists() else (),
            tuple(x509.load_pem_x509_crl(file.read_bytes()) for file in sorted(folder.glob("*.crl"))),
        )
    except (OSError, ValueError) as error:
        raise AuthorityUnusable(directory=str(folder), why=str(error)) from None


def _answers(listed: x509.CertificateRevocationList, issuer: x509.Certificate, now: datetime) -> bool:
    if listed.issuer != issuer.subject or not listed.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        return False
    if not issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign:
        return False
    # A critical extension says that the list leaves something out: some certificates, or all but the latest changes.
    whole = not any(extension.critical for extension in listed.extensions)
    until = listed.next_update_utc
    return whole and until is not None and listed.last_update_utc <= now <= until
