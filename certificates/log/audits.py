"""Audits (核对日志): whether the log, its public files and the rows it speaks of still say the same."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.errors import CheckpointInvalid, NotLogged
from certificates.log import checkpoints, ledgers, trees
from certificates.log.checkpoints import Checkpoint, LogKey
from certificates.log.tables import LogEntry, LogHead, LogTile

_BATCH = 2_000


class Trouble(StrEnum):
    """What an audit may find (核对结论)."""

    CHANGED = "changed"
    """The row is not what was logged."""
    DELETED = "deleted"
    """The row that was logged is not there."""
    REORDERED = "reordered"
    """The row claims another place than the log gives it, or one that the log does not know."""
    ENTRY_MISSING = "entry_missing"
    """The log's own entries have a gap."""
    ROOT_WRONG = "root_wrong"
    """The entries do not lead to the root that was signed."""
    TILE_WRONG = "tile_wrong"
    """A tile does not hold the hashes of the entries."""
    HEAD_FOREIGN = "head_foreign"
    """The head was not signed by this log."""
    SHRUNK = "shrunk"
    """The log is shorter than a head that was seen before, or grew out of another."""


class Finding(NamedTuple):
    """One thing that does not agree (核对发现): what, and where."""

    trouble: Trouble
    where: str


# The rows of a kind that say they are logged: reference, claimed index, canonical bytes; in any order.
Rows = Callable[[], Iterator[tuple[str, int, bytes]]]


def audit(session: Session, key: LogKey, rows: Mapping[str, Rows], seen: str | None = None) -> list[Finding]:
    """Compare every entry with its row, tiles and heads with the entries (全面核对); no finding means that all agree.

    `rows` gives for each kind the rows that claim a place in the log, `seen` is a head that was kept elsewhere. The
    caller sees to it that all is read as it was at one moment. Raises CheckpointInvalid for a foreign `seen`.
    """
    found: list[Finding] = []
    entries: dict[tuple[str, str], tuple[int, bytes, bytes]] = {}
    hashes: list[bytes] = []
    for entry in session.scalars(select(LogEntry).order_by(LogEntry.index).execution_options(yield_per=_BATCH)):
        if entry.index != len(hashes) and not found:
            found.append(Finding(Trouble.ENTRY_MISSING, str(len(hashes))))
        hashes.append(trees.leaf(entry.entry))
        entries[entry.kind, entry.reference] = (entry.index, entry.salt, entry.entry)
    if found:  # nothing behind a gap is where it was
        return found
    for kind, read in rows.items():
        for reference, index, content in read():
            logged = entries.pop((kind, reference), None)
            if logged is None or logged[0] != index:
                found.append(Finding(Trouble.REORDERED, f"{kind} {reference}"))
            elif ledgers.seal_entry(logged[1], content) != logged[2]:
                found.append(Finding(Trouble.CHANGED, f"{kind} {reference}"))
    found += [Finding(Trouble.DELETED, f"{kind} {reference}") for kind, reference in entries]
    tree = _Grown(hashes)
    covered = 0
    for covered, note in session.execute(select(LogHead.size, LogHead.note).order_by(LogHead.size)):
        found += _head(covered, note, key, tree)
    if covered != len(hashes):
        found.append(Finding(Trouble.ROOT_WRONG, str(covered)))
    stored = select(LogTile.level, LogTile.number, LogTile.hashes).order_by(LogTile.level, LogTile.number)
    tiles = {(level, number): hashes_ for level, number, hashes_ in session.execute(stored)}
    wanted = tree.tiles()
    found += [
        Finding(Trouble.TILE_WRONG, f"{level}/{number}")
        for level, number in sorted(tiles.keys() | wanted.keys())
        if tiles.get((level, number)) != wanted.get((level, number))
    ]
    return found + _grew_from(seen, key, tree)


def audit_public(
    fetch: Callable[[str], bytes], key: LogKey, seen: str | None = None
) -> tuple[Checkpoint, list[Finding]]:
    """Check a log from its public files alone (公众核对): entries lead to the signed root, and to one `seen` before.

    `fetch` reads a file by its path. Raises CheckpointInvalid when the head is not this log's.
    """
    checkpoint = checkpoints.read(fetch("checkpoint").decode(errors="replace"), key)
    hashes: list[bytes] = []
    for start in range(0, checkpoint.size, trees.WIDTH):
        width = min(trees.WIDTH, checkpoint.size - start)
        try:
            bundle = ledgers.read_bundle(fetch(ledgers.tile_path("entries", start // trees.WIDTH, width)))
        except (NotLogged, OSError):
            bundle = []
        if len(bundle) != width:
            return checkpoint, [Finding(Trouble.ENTRY_MISSING, str(start + len(bundle)))]
        hashes += [trees.leaf(entry) for entry in bundle]
    tree = _Grown(hashes)
    found = [] if tree.root(checkpoint.size) == checkpoint.root else [Finding(Trouble.ROOT_WRONG, str(checkpoint.size))]
    for (level, number), hashes_ in tree.tiles().items():
        path = ledgers.tile_path(level, number, len(hashes_) // trees.HASH_BYTES)
        try:
            same = fetch(path) == hashes_
        except (NotLogged, OSError):
            same = False
        if not same:
            found.append(Finding(Trouble.TILE_WRONG, path))
    return checkpoint, found + _grew_from(seen, key, tree)


def _grew_from(seen: str | None, key: LogKey, tree: "_Grown") -> list[Finding]:
    if seen is None:
        return []
    before = checkpoints.read(seen, key)
    grew = before.size <= tree.size and tree.root(before.size) == before.root
    return [] if grew else [Finding(Trouble.SHRUNK, str(before.size))]


def _head(size: int, note: str, key: LogKey, tree: "_Grown") -> list[Finding]:
    try:
        checkpoint = checkpoints.read(note, key)
    except CheckpointInvalid:
        return [Finding(Trouble.HEAD_FOREIGN, str(size))]
    if checkpoint.size != size or checkpoint.size > tree.size or tree.root(checkpoint.size) != checkpoint.root:
        return [Finding(Trouble.ROOT_WRONG, str(checkpoint.size))]
    return []


class _Grown:
    """A tree made anew from its leaves (重建的树)."""

    def __init__(self, hashes: list[bytes]) -> None:
        self.size = len(hashes)
        self._levels = [hashes]
        while len(below := self._levels[-1]) >= trees.WIDTH:
            whole = range(0, len(below) - len(below) % trees.WIDTH, trees.WIDTH)
            self._levels.append([trees.fold(below[at : at + trees.WIDTH]) for at in whole])

    def root(self, size: int) -> bytes:
        """Tell the root it had at a size."""
        return trees.root(size, self._tile)

    def tiles(self) -> dict[tuple[int, int], bytes]:
        """Tell what every tile should hold."""
        return {
            (level, number): b"".join(self._tile(level, number))
            for level, hashes in enumerate(self._levels)
            for number in range(-(-len(hashes) // trees.WIDTH))
        }

    def _tile(self, level: int, number: int) -> list[bytes]:
        return self._levels[level][number * trees.WIDTH : (number + 1) * trees.WIDTH]
