"""The log as it is kept (日志账本): rows come in as salted hashes, in batches; proofs and public files go out."""

import hashlib
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import insert, select, true
from sqlalchemy.orm import Session

from certificates.errors import CheckpointInvalid, NotLogged
from certificates.log import checkpoints, trees
from certificates.log.checkpoints import LogKey, LogSigner
from certificates.log.tables import LogEntry, LogHead, LogTile

_SALT_BYTES = 16
_ENTRY: Final = insert(LogEntry)
NEWEST: Final = select(LogHead.size, LogHead.note).order_by(LogHead.size.desc()).limit(1).subquery()
"""The newest head (最新检查点), to be read beside an entry."""
PLACE: Final = (LogEntry.index, LogEntry.salt, LogEntry.entry, NEWEST.c.size, NEWEST.c.note)
"""What `Place` is made of (日志位置所需字段), for a statement that reads more than that."""
# Tiles that were read for proofs, by database: under a head what stands in them never changes. Most are 8 KB.
_READ: WeakKeyDictionary[object, OrderedDict[tuple[int, int, int], Sequence[bytes]]] = WeakKeyDictionary()
_MOST_READ = 2_000
# C2SP tlog-tiles: tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>], N in groups of three digits, all but the last
# with an x before them.
_TILE = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Record(NamedTuple):
    """A row to be logged (入账记录): of which kind, under which reference, and its canonical bytes."""

    kind: str
    reference: str
    content: bytes


class Place(NamedTuple):
    """Where a row is in the log (日志位置): its number, salt and entry, and the newest head, its size and note."""

    number: int
    salt: bytes
    entry: bytes
    size: int
    note: str


@dataclass(frozen=True)
class Inclusion:
    """That a row is in the log (入账证明): its place, its salt, the path to the root of a signed head."""

    index: int
    salt: bytes
    entry: bytes
    path: tuple[bytes, ...]
    note: str


def append(session: Session, records: Sequence[Record], signer: LogSigner, now: datetime) -> int:
    """Append rows to the log (入账) and sign its new head; return the index of the first, the others follow it.

    In the caller's transaction, and one at a time: the caller keeps others out. Rows are hashed with a salt of 16
    random bytes each (RFC 9162 section 2.1.1 over the hash). Raises IntegrityError for a row that was logged before,
    CheckpointInvalid when what is kept does not lead to the head that was signed: nothing false is ever signed.
    """
    size = first = _require_whole(session, signer.public)
    entries: list[dict[str, Any]] = []
    for record in records:
        salt = secrets.token_bytes(_SALT_BYTES)
        entry = seal_entry(salt, record.content)
        entries.append(
            {"index": size, "kind": record.kind, "reference": record.reference, "salt": salt, "entry": entry}
        )
        size += 1
    session.connection().execute(_ENTRY, entries)
    _grow(session, first, [trees.leaf(each["entry"]) for each in entries])
    note = signer.sign(size, trees.root(size, tiles(session)))
    session.add(LogHead(size=size, note=note, at=now))
    session.flush()
    return first


def seal_entry(salt: bytes, content: bytes) -> bytes:
    """Hash a row with its salt (加盐摘要): SHA-256, 32 bytes, which is what the log publishes."""
    return hashlib.sha256(salt + content).digest()


def plain(said: Mapping[str, Any]) -> bytes:
    """Write a row for the log (入账内容): JSON with sorted keys, in ASCII, without spaces.

    Stricter canonical JSON would refuse text that got into a row before; the log must take all there is.
    """
    return json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def head(session: Session) -> LogHead | None:
    """Fetch the newest signed head (最新检查点); None while nothing was logged."""
    return session.scalar(select(LogHead).order_by(LogHead.size.desc()).limit(1))


def prove(session: Session, kind: str, reference: str) -> Inclusion | None:
    """Prove that a row is in the log under its newest head (出具入账证明); None for one that is not logged yet."""
    placed = select(*PLACE).join(NEWEST, true()).where(LogEntry.kind == kind, LogEntry.reference == reference)
    found = session.execute(placed).first()
    return lead(session, Place(*found)) if found else None


def lead(session: Session, place: Place) -> Inclusion:
    """Lead from a row's place to the newest head (入账路径); raises LookupError where the tree has a gap."""
    path = trees.inclusion(place.number, place.size, _tiles_under(session, place.size))
    return Inclusion(place.number, place.salt, place.entry, tuple(path), place.note)


def holds(proof: Inclusion, content: bytes, key: LogKey) -> bool:
    """Check that a row is in the log (验证入账证明) from the proof, the row's bytes and the pinned key alone.

    Raises CheckpointInvalid when the head is not this log's.
    """
    checkpoint = checkpoints.read(proof.note, key)
    entry = seal_entry(proof.salt, content)
    return trees.includes(trees.leaf(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)


def inclusion(session: Session, index: int, size: int) -> list[bytes]:
    """Prove by number that a leaf is in the tree of a size (包含证明); raises NotLogged beyond what there is."""
    if not 0 <= index < size <= _size(session):
        raise NotLogged(index=index, size=size)
    return trees.inclusion(index, size, tiles(session))


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Prove that the log only grew between two sizes (一致性证明); raises NotLogged beyond what there is."""
    if not 0 <= old <= new <= _size(session):
        raise NotLogged(old=old, new=new)
    return trees.consistency(old, new, tiles(session))


def public_file(session: Session, path: str) -> bytes:
    """Read one of the files that a log publishes (公开文件), C2SP tlog-tiles: `checkpoint`, `tile/…`.

    Raises NotLogged for any other, and for what has not grown that far.
    """
    if path == "checkpoint" and (newest := head(session)):
        return newest.note.encode()
    asked = _TILE.fullmatch(path)
    if asked is None:
        raise NotLogged(path=path)
    level, number = asked[1], int(asked[2].replace("x", "").replace("/", ""))
    width = int(asked[3] or trees.WIDTH)
    if number > _size(session) // trees.WIDTH:  # such numbers no column can hold
        raise NotLogged(path=path)
    found = list(_bundle(session, number)) if level == "entries" else tiles(session)(int(level), number)
    if len(found) < width or width > trees.WIDTH:
        raise NotLogged(path=path)
    return b"".join(found[:width])


def tile_path(level: int | str, number: int, width: int = trees.WIDTH) -> str:
    """Name a tile as C2SP tlog-tiles does (块路径); `level` may be `entries`, less than 256 wide it is partial."""
    groups = f"{number:03d}" if number < 1000 else f"{number:0{-(-len(str(number)) // 3) * 3}d}"  # noqa: PLR2004
    parts = [groups[place : place + 3] for place in range(0, len(groups), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < trees.WIDTH else "")


def paths(size: int) -> Iterator[str]:
    """Name every public file of a log of a size (公开文件清单), the checkpoint last, so that a copy is never ahead."""
    counts: list[tuple[int | str, int]] = [("entries", size)]
    level = 0
    while size:
        counts.append((level, size))
        level, size = level + 1, size // trees.WIDTH
    for name, count in counts:
        for number in range(-(-count // trees.WIDTH)):
            yield tile_path(name, number, min(trees.WIDTH, count - number * trees.WIDTH))
    yield "checkpoint"


def tiles(session: Session) -> trees.Tiles:
    """Read tiles from the store (读取哈希块), each once."""
    known: dict[tuple[int, int], list[bytes]] = {}

    def read(level: int, number: int) -> list[bytes]:
        place = level, number
        if place not in known:
            hashes = session.scalar(select(LogTile.hashes).where(LogTile.level == level, LogTile.number == number))
            known[place] = cut(hashes or b"")
        return known[place]

    return read


def _tiles_under(session: Session, size: int) -> trees.Tiles:
    """Read tiles as they are under a head of a size, those that were read before from memory.

    What is proved so is held against the root that was signed: a tile that was changed since proves nothing false.
    """
    stored, known = tiles(session), _READ.setdefault(session.get_bind(), OrderedDict())

    def read(level: int, number: int) -> Sequence[bytes]:
        width = min(trees.WIDTH, (size >> (level * 8)) - number * trees.WIDTH)
        place = (level, number, width)
        if (kept := known.get(place)) is not None:
            with suppress(KeyError):  # another thread may have made room meanwhile
                known.move_to_end(place)
            return kept
        found = stored(level, number)[: max(0, width)]
        if len(found) == width:
            known[place] = found
            while len(known) > _MOST_READ:
                known.popitem(last=False)
        return found

    return read


def cut(hashes: bytes) -> list[bytes]:
    """Take a tile apart into its hashes (拆分哈希块), 32 bytes each."""
    return [hashes[place : place + trees.HASH_BYTES] for place in range(0, len(hashes), trees.HASH_BYTES)]


def read_bundle(bundle: bytes) -> list[bytes]:
    """Take a bundle of entries apart (拆分条目块), each after its length in two bytes; raises NotLogged when broken."""
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entries.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(bundle):
        raise NotLogged(bundle="is cut short")
    return entries


def _require_whole(session: Session, key: LogKey) -> int:
    """Require that the tiles still lead to the newest head, and tell its size."""
    newest = head(session)
    if newest is None:
        return 0
    signed = checkpoints.read(newest.note, key)
    try:
        kept = trees.root(newest.size, tiles(session))
    except LookupError as error:
        raise CheckpointInvalid(why=str(error)) from None
    if (signed.size, signed.root) != (newest.size, kept):
        raise CheckpointInvalid(why="the tiles do not lead to the head that was signed", size=newest.size)
    return newest.size


def _size(session: Session) -> int:
    newest = head(session)
    return newest.size if newest else 0


def _bundle(session: Session, number: int) -> Iterator[bytes]:
    start = number * trees.WIDTH
    of_bundle = select(LogEntry.entry).where(LogEntry.index >= start, LogEntry.index < start + trees.WIDTH)
    for entry in session.scalars(of_bundle.order_by(LogEntry.index)):
        yield len(entry).to_bytes(2, "big") + entry


def _grow(session: Session, size: int, hashes: Sequence[bytes], level: int = 0) -> None:
    """Add hashes at the end of a level, and whatever gets full to the one above."""
    full = []
    ahead = list(hashes)
    while ahead:
        number, width = divmod(size, trees.WIDTH)
        tile = session.get(LogTile, (level, number)) if width else None
        if width and (tile is None or len(tile.hashes) != width * trees.HASH_BYTES):
            raise CheckpointInvalid(why="a tile is not as wide as the log is long", tile=f"{level}/{number}")
        if tile is None:
            tile = LogTile(level=level, number=number, hashes=b"")
            session.add(tile)
        part, ahead = ahead[: trees.WIDTH - width], ahead[trees.WIDTH - width :]
        tile.hashes += b"".join(part)
        size += len(part)
        if size % trees.WIDTH == 0:
            full.append(trees.fold(cut(tile.hashes)))
    session.flush()
    if full:
        _grow(session, size // trees.WIDTH - len(full), full, level + 1)
