"""Seals whose key is in a cryptographic module, tried on SoftHSM: the module is real, only it is no hardware."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.orm import Session

from certificates import (
    AuthorityUnusable,
    ModuleSealer,
    Outcome,
    SealRefused,
    create_authority,
    modules,
    open_authority,
    seal_document,
    verify_token,
)
from certificates.pades import examine
from tests.certificates.samples import FIRE, MARKET, NOW, TODAY, issue_in

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "271828"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    """A folder of tokens, for the whole process: SoftHSM reads where it is when it begins."""
    if not LIBRARY.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"NO KEY IN A MODULE IS PROVED: {LIBRARY} is missing; run deploy/browser.sh as root")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        yield folder / "tokens"


@pytest.fixture
def folder(tokens, tmp_path):
    """An authority whose market department has its key in a token of its own, and nowhere else."""
    directory = tmp_path / "authority"
    soft = create_authority(directory, [MARKET, FIRE], NOW).sealer("market")
    put(tmp_path, soft.key)
    (directory / "seals" / "market.pem").write_bytes(soft.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "pin").write_text(f"{PIN}\n")
    say(directory)
    return directory


def token_of(tmp_path):
    return f"{tmp_path.parent.name}/{tmp_path.name}"[-32:]


def put(tmp_path, key):
    pem = tmp_path / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    token = token_of(tmp_path)
    for words in (
        ["--init-token", "--free", "--label", token, "--so-pin", "314159", "--pin", PIN],
        ["--import", pem, "--token", token, "--label", "seal", "--id", "01af", "--pin", PIN],
    ):
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    pem.unlink()


def say(directory, **changes):
    """Write where the key is, with changes; None leaves a line out."""
    tmp_path = directory.parent
    said = {"module": LIBRARY, "token": token_of(tmp_path), "label": "seal", "pin_file": tmp_path / "pin"}
    lines = {**said, "certificate": "market.pem", **changes}
    text = "".join(f'{name} = "{value}"\n' for name, value in lines.items() if value is not None)
    (directory / "seals" / "market.toml").write_text(text)


def refused(directory):
    with pytest.raises(SealRefused) as refusal:
        open_authority(directory).sealer("market").sign(b"x")
    assert PIN not in str(refusal.value)
    return refusal.value.facts


def test_a_licence_and_its_pdf_are_sealed_by_a_key_that_is_in_no_file(folder, session: Session, pdf: bytes):
    assert [path for path in folder.rglob("market.*") if b"PRIVATE KEY" in path.read_bytes()] == []
    authority = open_authority(folder)
    sealer = authority.sealer("market")
    assert isinstance(sealer, ModuleSealer)
    licence = issue_in(session, authority, sealer)
    assert verify_token(session, licence.token, trust=authority.trust, today=TODAY).outcome is Outcome.VALID
    sealed = seal_document(pdf, sealer, reason="颁发证照", now=NOW)
    assert [check.question for check in examine(sealed, authority.trust, NOW) if not check.holds] == []
    assert authority.sealer("fire").sign(b"x"), "soft seals stand beside it"


def test_a_key_is_found_by_its_identifier_and_the_pin_by_a_variable(folder, monkeypatch):
    say(folder, label=None, id="01af", pin_file=None, pin_env="MARKET_PIN")
    monkeypatch.setenv("MARKET_PIN", PIN)
    assert len(open_authority(folder).sealer("market").sign(b"x")) == 64
    say(folder, label=None, id="02af")
    assert refused(folder)["key"] == "02af"


def test_what_is_missing_is_named_and_the_pin_never(folder, tmp_path):
    for changes, why in (
        ({"module": "/nowhere/module.so"}, "/nowhere/module.so"),
        ({"token": "no such token"}, "NoSuchToken"),
        ({"label": "no such key"}, "NoSuchKey"),
        ({"pin_file": tmp_path / "no-pin"}, "the PIN cannot be read"),
    ):
        say(folder, **changes)
        facts = refused(folder) if "pin_file" not in changes else refused_afresh(folder)
        assert why in facts["why"]
        assert facts["module"] == str(changes.get("module", LIBRARY))
        assert facts["token"] == changes.get("token", token_of(tmp_path))


def refused_afresh(folder):
    """A session that is open asks for no PIN: in a new process none is."""
    return in_a_child(refused, folder)


def test_a_wrong_pin_is_tried_once_so_that_the_token_does_not_lock_itself(folder, tmp_path):
    (tmp_path / "pin").write_text("000000")

    def tried(directory):
        asked, pin = [], modules._pin
        modules._pin = lambda place: asked.append(place) or pin(place)
        return [refused(directory)["why"] for _ in range(9)], len(asked)

    whys, tries = in_a_child(tried, folder)
    assert all("PinIncorrect" in why for why in whys)
    assert tries == 1
    (tmp_path / "pin").write_text(PIN)
    assert in_a_child(lambda directory: len(open_authority(directory).sealer("market").sign(b"x")), folder) == 64


def test_a_key_that_is_not_the_certificates_makes_no_seal(folder):
    other = folder / "seals" / "other.pem"
    other.write_bytes(open_authority(folder).sealer("fire").certificate.public_bytes(Encoding.PEM))
    say(folder, certificate="other.pem")
    (folder / "seals" / "market.pem").unlink()
    assert "not the certificate's" in refused(folder)["why"]


def test_a_file_that_does_not_say_where_the_key_is_is_refused(folder):
    for changes in ({"token": None}, {"id": "01af"}, {"pin": PIN}, {"certificate": "none.pem"}, {"label": None}):
        say(folder, **changes)
        with pytest.raises(SealRefused) as refusal:
            open_authority(folder)
        assert refusal.value.facts["path"].endswith("market.toml")
    (folder / "seals" / "market.toml").write_text("nothing = [")
    with pytest.raises(SealRefused):
        open_authority(folder)


def test_two_seals_of_one_department_are_one_too_many(folder):
    shutil.copy(folder / "seals" / "market.pem", folder / "seals" / "shown.pem")
    shutil.copy(folder / "seals" / "fire.pem", folder / "seals" / "market.pem")
    say(folder, certificate="shown.pem")
    with pytest.raises(AuthorityUnusable) as refusal:
        open_authority(folder)
    assert refusal.value.facts["department"] == "market"


def test_without_the_extra_it_is_told_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert "extra pkcs11" in refused(folder)["why"]


def test_a_session_that_was_lost_is_opened_once_more(folder):
    sealer = open_authority(folder).sealer("market")
    assert sealer.sign(b"x")
    pkcs11.lib(str(LIBRARY)).reinitialize()
    assert sealer.sign(b"x")


def test_a_token_that_is_out_is_refused_and_back_in_signs_again(folder, tokens):
    sealer = open_authority(folder).sealer("market")
    assert sealer.sign(b"x")
    shutil.move(tokens, tokens.with_name("out"))
    tokens.mkdir()
    assert refused(folder)["module"] == str(LIBRARY)
    tokens.rmdir()
    shutil.move(tokens.with_name("out"), tokens)
    assert sealer.sign(b"x")


def test_a_child_signs_after_a_fork_and_so_does_its_parent(folder):
    sealer = open_authority(folder).sealer("market")
    assert sealer.sign(b"x")
    assert in_a_child(lambda one: len(one.sign(b"x")), sealer) == 64
    assert sealer.sign(b"x")


def test_threads_sign_one_after_another(folder):
    sealer = open_authority(folder).sealer("market")
    with ThreadPoolExecutor(8) as hands:
        assert len(set(hands.map(sealer.sign, [b"%d" % each for each in range(64)]))) == 64


def in_a_child(do, given):
    """Fork, as a worker's server does, and hear what came of it there."""
    here, there = get_context("fork").Pipe()
    child = get_context("fork").Process(target=lambda: there.send(do(given)))
    child.start()
    try:
        assert here.poll(30), "the child hangs"
        return here.recv()
    finally:
        child.kill()
        child.join()
