"""The Merkle log: roots and proofs as RFC 9162 has them, tiles and checkpoints as C2SP does."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import certificates
from certificates import CheckpointInvalid, LogKey, NotLogged, Record
from certificates.log import checkpoints, ledgers, trees
from tests.certificates.samples import NOW

# The leaves and roots that Certificate Transparency's reference implementation is tested with.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = 700
HASHES = [trees.leaf(str(number).encode()) for number in range(MANY)]


def tiles_of(hashes):
    levels = [hashes]
    while len(levels[-1]) >= trees.WIDTH:
        below = levels[-1]
        whole = range(0, len(below) - len(below) % trees.WIDTH, trees.WIDTH)
        levels.append([trees.fold(below[at : at + trees.WIDTH]) for at in whole])
    return lambda level, number: levels[level][number * trees.WIDTH : (number + 1) * trees.WIDTH]


TILES = tiles_of(HASHES)


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log") / "key"
    certificates.make_log_key(folder, "example.org/log")
    return certificates.open_log_signer(folder)


def plain_root(hashes):
    """The root by the very words of RFC 9162 section 2.1.1."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return trees.node(plain_root(hashes[:split]), plain_root(hashes[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size):
    hashes = [trees.leaf(bytes.fromhex(each)) for each in LEAVES[:size]]
    assert trees.root(size, tiles_of(hashes)).hex() == ROOTS[size - 1]


def test_a_tree_of_nothing_has_the_hash_of_nothing():
    assert trees.root(0, TILES) == hashlib.sha256().digest()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MANY), st.data())
def test_every_leaf_is_proved_and_nothing_else_is(size, data):
    index = data.draw(st.integers(0, size - 1))
    root, proof = plain_root(HASHES[:size]), trees.inclusion(index, size, TILES)
    assert trees.root(size, TILES) == root
    assert trees.includes(HASHES[index], index, size, proof, root)
    assert not trees.includes(trees.leaf(b"another"), index, size, proof, root)
    assert not trees.includes(HASHES[index], index, size, [*proof, bytes(32)], root)
    if size > 1:
        assert not trees.includes(HASHES[index], (index + 1) % size, size, proof, root)
        assert not trees.includes(HASHES[index], index, size, proof[:-1], root)
    assert not trees.includes(HASHES[index], size, size, proof, root)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MANY), st.data())
def test_growth_is_proved_and_a_changed_past_is_not(new, data):
    old = data.draw(st.integers(0, new))
    before, after = trees.root(old, TILES), trees.root(new, TILES)
    proof = trees.consistency(old, new, TILES)
    assert trees.grew(old, new, proof, before, after)
    if 0 < old < new:
        assert not trees.grew(old, new, proof, trees.leaf(b"another"), after)
        assert not trees.grew(old, new, proof, before, trees.leaf(b"another"))
        assert not trees.grew(old, new, [], before, after)
        assert not trees.grew(old, new, [*proof, bytes(32)], before, after)
    assert not trees.grew(new + 1, new, proof, before, after)


def test_a_key_and_a_signature_of_the_go_note_package_are_understood():
    key = LogKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    body = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert checkpoints._signed(body, f"— PeterNeumann {signature}", key)
    assert not checkpoints._signed(body + " ", f"— PeterNeumann {signature}", key)
    assert str(key) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize(
    "odd", ["", "x", "a+b+c", "PeterNeumann+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"]
)
def test_what_is_no_key_is_refused(odd):
    with pytest.raises(CheckpointInvalid):
        LogKey.parse(odd)


def test_a_checkpoint_is_read_back_and_every_change_is_refused(signer):
    note = signer.sign(8, bytes.fromhex(ROOTS[7]))
    assert certificates.read_checkpoint(note, signer.public) == certificates.Checkpoint(
        "example.org/log", 8, bytes.fromhex(ROOTS[7])
    )
    witnessed = note + "— witness.example AAAAAAAA\n"
    assert certificates.read_checkpoint(witnessed, signer.public).size == 8
    for broken in (
        "",
        note.replace("\n8\n", "\n9\n"),
        note.replace("\n8\n", "\n08\n"),
        note.replace("example.org/log\n8", "example.net/log\n8"),
        note.split("\n\n")[0],
        note.split("\n\n")[0] + "\n\n— example.org/log AAAA\n",
    ):
        with pytest.raises(CheckpointInvalid):
            certificates.read_checkpoint(broken, signer.public)


def test_a_key_is_made_once_and_is_its_owners(tmp_path):
    certificates.make_log_key(tmp_path / "log", "example.org/log")
    first = certificates.open_log_signer(tmp_path / "log")
    certificates.make_log_key(tmp_path / "log", "example.net/log")
    assert certificates.open_log_signer(tmp_path / "log").public.raw == first.public.raw
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700
    (tmp_path / "log" / "log.pub").write_text("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    with pytest.raises(certificates.AuthorityUnusable):
        certificates.open_log_signer(tmp_path / "log")


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_a_log_without_a_plain_name_gets_no_key(tmp_path, origin):
    (tmp_path / "log").mkdir()
    with pytest.raises(CheckpointInvalid):
        certificates.make_log_key(tmp_path / "log", origin)
    assert list((tmp_path / "log").iterdir()) == []
    certificates.make_log_key(tmp_path / "log", "example.org/log")
    assert certificates.open_log_signer(tmp_path / "log").origin == "example.org/log"


@pytest.mark.parametrize(
    ("number", "path"),
    [(0, "000"), (67, "067"), (1234, "x001/234"), (1234067, "x001/x234/067")],
)
def test_tiles_are_named_as_c2sp_names_them(number, path):
    assert ledgers.tile_path(0, number) == f"tile/0/{path}"
    assert ledgers.tile_path("entries", number, 7) == f"tile/entries/{path}.p/7"


def records(start, count):
    return [Record("sample", str(number), str(number).encode()) for number in range(start, start + count)]


def test_a_log_that_grows_in_odd_batches_is_the_same_log(session, signer):
    start, notes = 0, []
    for count in (1, 254, 1, 1, 300, 700, 3):
        assert certificates.append_to_log(session, records(start, count), signer, NOW) == start
        start += count
        notes.append(certificates.log_head(session).note)
    session.commit()
    key = signer.public
    for before, after in pairwise(notes):
        old, new = (certificates.read_checkpoint(note, key) for note in (before, after))
        proof = certificates.log_consistency(session, old.size, new.size)
        assert certificates.log_grew(old.size, new.size, proof, old.root, new.root)
    for number in (0, 255, 256, 1259):
        proof = certificates.prove_logged(session, "sample", str(number))
        assert proof.index == number
        assert certificates.log_proof_holds(proof, str(number).encode(), key)
        assert not certificates.log_proof_holds(proof, b"another", key)
    files = {path: certificates.log_file(session, path) for path in certificates.log_paths(start)}
    assert set(files) >= {"checkpoint", "tile/1/000.p/4", "tile/0/004.p/236", "tile/entries/003"}
    assert certificates.audit_public(files.__getitem__, key) == (certificates.read_checkpoint(notes[-1], key), [])
    assert certificates.audit_public(files.__getitem__, key, notes[0])[1] == []


def test_the_log_shows_nothing_of_a_row_and_no_file_that_is_not_there(session, signer):
    certificates.append_to_log(session, [Record("sample", "1", "陈示例".encode())], signer, NOW)
    shown = b"".join(certificates.log_file(session, path) for path in certificates.log_paths(1))
    assert "陈示例".encode() not in shown
    assert trees.leaf("陈示例".encode()) not in shown
    assert hashlib.sha256("陈示例".encode()).digest() not in shown
    for path in (
        "tile/0/000",
        "tile/0/000.p/2",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/001.p/1",
        "tile/64/000",
        "tile/0/0",
        "tile/0/x000/../000.p/1",
        "tile/entries/x999/x999/x999/x999/x999/999",
        "",
    ):
        with pytest.raises(NotLogged):
            certificates.log_file(session, path)
    for ask in (
        lambda: certificates.log_inclusion(session, 0, 2),
        lambda: certificates.log_inclusion(session, 1, 1),
        lambda: certificates.log_consistency(session, 0, 2),
        lambda: certificates.log_consistency(session, 1, 0),
    ):
        with pytest.raises(NotLogged):
            ask()


def test_an_outsider_finds_a_changed_missing_and_rewritten_past(session, signer):
    key = signer.public
    certificates.append_to_log(session, records(0, 300), signer, NOW)
    files = {path: certificates.log_file(session, path) for path in certificates.log_paths(300)}
    bundle = files["tile/entries/000"]
    for changed, trouble in (
        ({"tile/entries/000": bundle[:2] + bytes(32) + bundle[34:]}, "root_wrong"),
        ({"tile/entries/000": bundle[34:68] + bundle[:34] + bundle[68:]}, "root_wrong"),
        ({"tile/entries/000": bundle[34:]}, "entry_missing"),
        ({"tile/entries/000": bundle[:-1]}, "entry_missing"),
        ({"tile/1/000.p/1": bytes(32)}, "tile_wrong"),
    ):
        finding, *_ = certificates.audit_public((files | changed).__getitem__, key)[1]
        assert finding.trouble == trouble
    for seen in (signer.sign(301, bytes(32)), signer.sign(299, bytes(32))):
        (finding,) = certificates.audit_public(files.__getitem__, key, seen)[1]
        assert finding.trouble == "shrunk"
    with pytest.raises(CheckpointInvalid):
        certificates.audit_public((files | {"checkpoint": b"x"}).__getitem__, key)
