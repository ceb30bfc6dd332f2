import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certificates import (
    Authority,
    AuthorityUnusable,
    Outcome,
    SealRefused,
    SoftSealer,
    Trust,
    create_authority,
    open_authority,
)
from certificates.checks import conclude
from certificates.seals import examine, seal
from tests.certificates.samples import FIRE, MARKET, NOW


def test_creating_twice_opens_the_same_authority(tmp_path: Path):
    first = create_authority(tmp_path / "authority", [MARKET], NOW)
    again = create_authority(tmp_path / "authority", [MARKET], NOW + timedelta(days=1))
    assert again.root == first.root
    assert again.sealer("market").certificate == first.sealer("market").certificate


def test_a_later_department_gets_a_seal_of_the_same_root(tmp_path: Path):
    create_authority(tmp_path / "authority", [MARKET], NOW)
    both = create_authority(tmp_path / "authority", [MARKET, FIRE], NOW)
    both.sealer("fire").certificate.verify_directly_issued_by(both.root)
    assert open_authority(tmp_path / "authority").sealers.keys() == {"market", "fire"}


def test_seals_are_set_without_the_key_of_the_root_and_only_new_ones_need_it(tmp_path: Path):
    create_authority(tmp_path / "authority", [MARKET], NOW)
    (tmp_path / "authority" / "root.key").unlink()
    assert open_authority(tmp_path / "authority").sealer("market").sign(b"x")
    with pytest.raises(AuthorityUnusable):
        create_authority(tmp_path / "authority", [MARKET, FIRE], NOW)


def test_keys_are_private(tmp_path: Path):
    create_authority(tmp_path / "authority", [MARKET], NOW)
    files = [file for file in (tmp_path / "authority").rglob("*") if file.is_file()]
    secret = [file for file in files if b"PRIVATE KEY" in file.read_bytes()]
    assert len(secret) == 2
    assert {file.stat().st_mode & 0o077 for file in secret} == {0}
    assert (tmp_path / "authority").stat().st_mode & 0o077 == 0


def test_a_power_cut_while_creating_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class PowerCutError(Exception): ...

    def cut(self: Path, target: Path) -> Path:
        raise PowerCutError

    monkeypatch.setattr(Path, "rename", cut)
    with pytest.raises(PowerCutError):
        create_authority(tmp_path / "authority", [MARKET], NOW)
    monkeypatch.undo()
    assert not (tmp_path / "authority").exists()
    assert create_authority(tmp_path / "authority", [MARKET], NOW).sealer("market")


def test_two_creators_at_once_open_the_same_authority(tmp_path: Path):
    with ThreadPoolExecutor(2) as creators:
        made = list(creators.map(lambda _: create_authority(tmp_path / "authority", [MARKET], NOW), range(2)))
    assert made[0].root == made[1].root
    assert [path.name for path in tmp_path.iterdir()] == ["authority"]


def test_an_incomplete_directory_is_refused(tmp_path: Path):
    create_authority(tmp_path / "authority", [MARKET], NOW)
    (tmp_path / "authority" / "crl.pem").unlink()
    with pytest.raises(AuthorityUnusable):
        open_authority(tmp_path / "authority")


def test_somebody_elses_revocation_list_is_refused(tmp_path: Path):
    create_authority(tmp_path / "ours", [MARKET], NOW)
    create_authority(tmp_path / "theirs", [MARKET], NOW)
    shutil.copy(tmp_path / "theirs" / "crl.pem", tmp_path / "ours" / "crl.pem")
    with pytest.raises(AuthorityUnusable):
        Trust.load(tmp_path / "ours")


def test_a_key_of_another_certificate_is_refused(authority: Authority):
    with pytest.raises(SealRefused):
        SoftSealer(authority.sealer("market").certificate, authority.sealer("fire").key)


def test_a_department_without_a_seal_is_named(authority: Authority):
    with pytest.raises(SealRefused) as refusal:
        authority.sealer("tax")
    assert refusal.value.facts["department"] == "tax"


def test_every_certificate_says_that_it_is_a_demonstration(authority: Authority):
    for certificate in (authority.root, authority.sealer("market").certificate):
        assert "示例" in certificate.subject.rfc4514_string()


def test_a_withdrawn_seal_counts_from_its_date(authority: Authority):
    sealer = authority.sealer("market")
    trust = Trust(authority.root, _withdrawing(authority, sealer.certificate.serial_number, NOW + timedelta(days=1)))

    def seal_not_revoked(days: int) -> bool | None:
        jws = seal(b"{}", sealer, NOW + timedelta(days=days))
        return {check.question: check.holds for check in examine(jws, b"{}", MARKET.uscc, trust)}["seal_not_revoked"]

    assert seal_not_revoked(days=0) is True
    assert seal_not_revoked(days=2) is False


def test_a_revocation_list_that_has_ended_answers_nothing(authority: Authority):
    sealer = authority.sealer("market")
    trust = Trust(authority.root, _withdrawing(authority, 1, NOW))
    jws = seal(b"{}", sealer, NOW + timedelta(days=31))
    checks = examine(jws, b"{}", MARKET.uscc, trust)
    assert {check.question: check.holds for check in checks}["seal_not_revoked"] is None
    assert conclude(checks) is Outcome.UNVERIFIABLE


def test_a_module_that_signs_wrongly_makes_no_seal(authority: Authority):
    class Broken:
        certificate = authority.sealer("market").certificate
        chain = ()

        def sign(self, data: bytes) -> bytes:
            return authority.sealer("fire").sign(data)

    with pytest.raises(SealRefused):
        seal(b"{}", Broken(), NOW)


def _withdrawing(authority: Authority, serial: int, at) -> x509.CertificateRevocationList:
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.root.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=30))
        .add_revoked_certificate(entry)
        .sign(authority.root_key, hashes.SHA256())
    )
