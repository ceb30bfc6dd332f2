"""The demo authority of people: whole or not there, private, and its list never loses a revocation."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509

from certificates import AuthorityUnusable, create_identity_authority, load_anchors, open_identity_authority
from tests.certificates.samples import NOW
from tests.kit.identities import FILE_PASSWORD, opened


@pytest.fixture
def people(tmp_path: Path):
    return create_identity_authority(tmp_path / "identity" / "demo", NOW)


def listed(people):
    return {entry.serial_number for entry in x509.load_pem_x509_crl((people.folder / "issuing.crl").read_bytes())}


def test_creating_twice_opens_the_same_authority(people):
    assert create_identity_authority(people.folder, NOW).certificate == people.certificate


def test_two_creators_at_once_open_the_same_authority(tmp_path: Path):
    with ThreadPoolExecutor(2) as creators:
        made = list(creators.map(lambda _: create_identity_authority(tmp_path / "demo", NOW), range(2)))
    assert made[0].certificate == made[1].certificate
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_power_cut_while_creating_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def cut(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            create_identity_authority(tmp_path / "demo", NOW)
    assert load_anchors(tmp_path) == ()
    assert create_identity_authority(tmp_path / "demo", NOW)


def test_a_power_cut_while_revoking_leaves_the_old_list(people, monkeypatch):
    people.issue("one", "某人", FILE_PASSWORD, NOW)
    before = (people.folder / "issuing.crl").read_bytes()

    def cut(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            people.revoke("one", NOW)
    assert (people.folder / "issuing.crl").read_bytes() == before
    assert people.revoke("one", NOW) == 1


def test_everything_is_for_its_owner_only(people):
    people.issue("one", "某人", FILE_PASSWORD, NOW)
    found = [people.folder, *people.folder.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in found if path.name != "lock"} == {0}
    assert [path.name for path in found if path.is_file() and b"PRIVATE KEY" in path.read_bytes()] == ["issuing.key"]


def test_two_revoking_at_once_lose_nothing(people):
    made = [opened(people.issue(key, "某人", FILE_PASSWORD, NOW)) for key in ("one", "two", "three", "four")]
    with ThreadPoolExecutor(4) as clerks:
        assert list(clerks.map(lambda key: people.revoke(key, NOW), ("one", "two", "three", "four"))) == [1, 1, 1, 1]
    assert listed(people) == {each.certificate.serial_number for each in made}


def test_the_file_opens_with_its_password_only_and_says_nothing_of_the_person_but_the_name(people):
    p12 = people.issue("0f" * 16, "陈示例", FILE_PASSWORD, NOW)
    with pytest.raises(ValueError, match="password"):
        opened(p12, "another")
    subject = opened(p12).certificate.subject.rfc4514_string()
    assert subject == f"CN=陈示例,2.5.4.5={'0f' * 16},O=一站式审批（示例数据）,C=CN"
    assert opened(p12).above == (people.certificate,)


def test_an_anchor_without_a_key_is_trusted_and_issues_nothing(people):
    (people.folder / "issuing.key").unlink()
    (anchor,) = load_anchors(people.folder.parent)
    assert anchor.name == "demo"
    with pytest.raises(AuthorityUnusable):
        open_identity_authority(people.folder)


def test_a_damaged_anchor_is_told_and_not_passed_over(people):
    (people.folder / "root.crl").write_text("half a li")
    with pytest.raises(AuthorityUnusable):
        load_anchors(people.folder.parent)
