"""Codes (二维码): one QR code, as a drawing for a page or as squares for a plate."""

import re
import secrets
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from io import BytesIO
from itertools import chain, islice, zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

import segno
from markupsafe import Markup
from segno import consts, encoder

# What segno makes a code of, and the tables it does it by; neither says of what type it is.
_PARTS: Any = encoder
_TABLES: Any = consts
QUIET = 2  # modules left blank on each side
# The eight masks differ in how well they mix long runs; what stands in our codes is mixed already, and trying all takes
# four times as long as making one.
_MASK = 0
_LEVELS = (_TABLES.ERROR_LEVEL_L, _TABLES.ERROR_LEVEL_M, _TABLES.ERROR_LEVEL_Q, _TABLES.ERROR_LEVEL_H)
_FREE = 2  # what segno has in a place that is not taken
# Texts of these alone are written in fewer bits.
_NARROW = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_DIGITS = bytes.maketrans(b"\0\1", b"01")

# Six digits are what a content stream has; nobody outside this process knows which.
CORNER = " ".join(f"0.{100_001 + 10 * secrets.randbelow(89_999)}" for _ in "xy")


class Squares(NamedTuple):
    """A QR code's modules (码元), row by row from the top, one bit each, 1 for dark, rows filled up to whole bytes."""

    side: int
    bits: bytes


def svg(text: str) -> Markup:
    """Draw a QR code (绘制二维码) as an inline SVG that scales with its box."""
    drawn = BytesIO()
    code = segno.make(text, error="l", micro=False, mask=_MASK)
    code.save(drawn, kind="svg", xmldecl=False, omitsize=True, border=QUIET)
    return Markup(drawn.getvalue().decode())  # noqa: S704 -- drawn here from squares only


# A real one, but for what is inside: so that it is laid out as a real one, down to the blank after it.
OPENING = Markup(  # noqa: S704 -- as above
    re.sub(r'viewBox="[^"]*"(.*)<path [^>]*/>', rf'viewBox="0 0 1 1"\1<path d="M{CORNER}h1v1z"/>', str(svg("0")))
)
"""Stands in a page for a QR code that is drawn later (二维码位置): as large, and begun at `CORNER`."""


def squares(text: str) -> Squares:
    """Tell a QR code's modules (二维码码元), with the blank border that it needs: those of `svg`, and faster.

    What every code of a size has in common is asked of segno once; what is left is the message itself, ISO/IEC 18004.
    """
    if not text.isascii() or not set(text) - _NARROW:
        return _packed(segno.make(text, error="l", micro=False, mask=_MASK).matrix)
    message = text.encode()
    version, level = _size(len(message))
    frame = _frame(version, level)
    bits = f"{int.from_bytes(_message(message, version, level)):0{frame.bits}b}"
    # After the message's own bits stand those that fill the symbol, a light one and a dark one.
    dark = int("".join(frame.order(bits + "0000000" + "01")), 2) ^ frame.mask
    return Squares(frame.side, dark.to_bytes(frame.side * _row_bytes(frame.side)))


class _Frame(NamedTuple):
    side: int
    bits: int
    order: Callable[[str], tuple[str, ...]]
    mask: int


def _size(length: int) -> tuple[int, int]:
    """Find the smallest version that holds so many bytes, and the best correction that it then has room for."""
    for version in range(1, 41):
        needed = 4 + _count_bits(version) + 8 * length
        rooms = _TABLES.SYMBOL_CAPACITY[version]
        if fitting := [level for level in _LEVELS if rooms[level] >= needed]:
            return version, fitting[-1]
    raise segno.DataOverflowError(f"{length} bytes")


def _count_bits(version: int) -> int:
    return 8 if version < 10 else 16  # noqa: PLR2004 -- ISO/IEC 18004, table 3


def _message(message: bytes, version: int, level: int) -> bytes:
    """Write the codewords of a message, and those that correct them, in the order in which they are placed."""
    count = _count_bits(version)
    head = (0b0100 << count | len(message)) << 8 * len(message) | int.from_bytes(message)
    words = (head << 4).to_bytes((4 + count + 4) // 8 + len(message))
    # segno ends a message with one word of zeros more than it must; so do we, to have the same code.
    whole = iter(words + b"\0" + b"\xec\x11" * (_TABLES.SYMBOL_CAPACITY[version][level] // 16))
    data, correction = [], []
    for kind in _TABLES.ECC[version][level]:
        for _ in range(kind.num_blocks):
            data.append(bytes(islice(whole, kind.num_data)))
            correction.append(_remainder(data[-1], kind.num_total - kind.num_data))
    mixed = chain.from_iterable(chain(zip_longest(*data), zip_longest(*correction)))
    return bytes(word for word in mixed if word is not None)


def _remainder(block: bytes, size: int) -> bytes:
    products, rest, top, most = _products(size), 0, 8 * (size - 1), (1 << 8 * size) - 1
    for word in block:
        rest = (rest << 8 & most) ^ products[word ^ rest >> top]
    return rest.to_bytes(size)


@cache
def _products(size: int) -> list[int]:
    """Multiply the polynomial that makes so many correcting codewords by each word there is."""
    logarithms, powers, polynomial = _TABLES.GALIOS_LOG, _TABLES.GALIOS_EXP, _TABLES.GEN_POLY[size]
    rows = [bytes(powers[logarithms[word] + factor] for factor in polynomial) for word in range(1, 256)]
    return [0, *map(int.from_bytes, rows)]


@lru_cache(maxsize=16)
def _frame(version: int, level: int) -> _Frame:
    width = _PARTS.calc_matrix_size(version)
    bits = 8 * sum(kind.num_blocks * kind.num_total for kind in _TABLES.ECC[version][level])
    matrix = _PARTS.make_matrix(width, width)
    _PARTS.add_finder_patterns(matrix, width, width)
    _PARTS.add_alignment_patterns(matrix, width, width)
    free = sum(row.count(_FREE) for row in matrix)
    # Each place of the message gets its number, above what a matrix has in its other places.
    places = [list(row) for row in matrix]
    _PARTS.add_codewords(places, range(_FREE + 1, _FREE + 1 + free), version)
    _PARTS.add_format_info(matrix, version, level, _MASK)
    _PARTS.add_version_info(matrix, version)
    light, pattern = bits + 7, _PARTS.get_data_mask_functions(is_micro=False)[_MASK]
    side = width + 2 * QUIET
    blank = [light] * (8 * _row_bytes(side))
    order, mask = list(blank * QUIET), list("0" * len(blank) * QUIET)
    for i, row in enumerate(places):
        line, masked = list(blank), ["0"] * len(blank)
        for j, place in enumerate(row):
            ours = place > _FREE
            line[QUIET + j] = place - _FREE - 1 if ours else light + matrix[i][j]
            masked[QUIET + j] = str(int(ours and pattern(i, j)))
        order += line
        mask += masked
    return _Frame(side, bits, itemgetter(*order, *blank * QUIET), int("".join(mask) + "0" * len(blank) * QUIET, 2))


def _packed(matrix: Sequence[bytearray]) -> Squares:
    side = len(matrix) + 2 * QUIET
    width = _row_bytes(side)
    blank, after = bytes(QUIET * width), 8 * width - QUIET - len(matrix)
    rows = [(int(row.translate(_DIGITS), 2) << after).to_bytes(width) for row in matrix]
    return Squares(side, blank + b"".join(rows) + blank)


def _row_bytes(side: int) -> int:
    return (side + 7) // 8
