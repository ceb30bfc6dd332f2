"""Merkle trees (默克尔树), RFC 9162: roots, and proofs that a leaf is in a tree and that a tree grew into another.

What is asked of a tree is read from tiles, so that a proof costs a few reads however large the tree is.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache

HASH_BYTES = 32
WIDTH = 256
"""Hashes in a full tile, C2SP tlog-tiles; a tile of level L stands for 8·L levels of the tree."""
_LEVELS = 8
_FOLDED = 4_096

# Level and number of a tile to as many of its hashes as there are.
Tiles = Callable[[int, int], Sequence[bytes]]


def leaf(entry: bytes) -> bytes:
    """Hash an entry (叶哈希), RFC 9162 section 2.1.1: 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one (节点哈希), RFC 9162 section 2.1.1: 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(size: int, tiles: Tiles) -> bytes:
    """Compute the root of a tree (树根) of `size` leaves, RFC 9162 section 2.1.1: 32 bytes."""
    return _range(0, size, tiles) if size else hashlib.sha256().digest()


def inclusion(index: int, size: int, tiles: Tiles) -> list[bytes]:
    """Prove that a leaf is in a tree (包含证明), RFC 9162 section 2.1.3.1; `index` counts from 0, below `size`."""
    return _path(index, 0, size, tiles)


def consistency(old: int, new: int, tiles: Tiles) -> list[bytes]:
    """Prove that a tree only grew (一致性证明) from `old` to `new` leaves, RFC 9162 section 2.1.4.1."""
    return _subproof(old, 0, new, tiles, whole=True) if 0 < old < new else []


def includes(hash_: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Check a proof that a leaf hash is in a tree with this root (验证包含证明), RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, hash_
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == expected


def grew(old: int, new: int, proof: Sequence[bytes], before: bytes, after: bytes) -> bool:
    """Check a proof that one tree grew into another (验证一致性证明), RFC 9162 section 2.1.4.2, by their roots."""
    if old > new or old < 0:
        return False
    if old in {0, new}:
        return not proof and (old == 0 or before == after)
    steps = [before, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(sibling, first), node(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and (first, second) == (before, after)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash a power of two of neighbours into their subtree (合并子树)."""
    return _folded(b"".join(hashes))


@lru_cache(maxsize=_FOLDED)
def _folded(hashes: bytes) -> bytes:
    # Kept, because proofs share most of theirs; as one piece, because 256 small ones take more than twice the memory.
    level = [hashes[place : place + HASH_BYTES] for place in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = [node(level[place], level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


def _range(start: int, end: int, tiles: Tiles) -> bytes:
    size = end - start
    if size & (size - 1) == 0:  # every split leaves such a part where a multiple of its size begins
        return _subtree(size.bit_length() - 1, start // size, tiles)
    middle = start + _split(size)
    return node(_range(start, middle, tiles), _range(middle, end, tiles))


def _subtree(height: int, number: int, tiles: Tiles) -> bytes:
    level, above = divmod(height, _LEVELS)
    first, count = number << above, 1 << above
    found = tiles(level, first // WIDTH)[first % WIDTH : first % WIDTH + count]
    if len(found) != count:
        raise LookupError(f"tile {level}/{first // WIDTH} has no hash {first % WIDTH + len(found)}")
    return fold(found)


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _path(index: int, start: int, end: int, tiles: Tiles) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, tiles), _range(middle, end, tiles)]
    return [*_path(index, middle, end, tiles), _range(start, middle, tiles)]


def _subproof(old: int, start: int, end: int, tiles: Tiles, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [_range(start, end, tiles)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, tiles, whole=whole), _range(middle, end, tiles)]
    return [*_subproof(old, middle, end, tiles, whole=False), _range(start, middle, tiles)]
