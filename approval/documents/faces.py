"""Faces (字体): our font files as a document carries them: only the glyphs that it shows."""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import uharfbuzz as hb

from approval.documents.glyphs import WEIGHTS
from approval.paths import FONTS

# Layout is done before a font is embedded, and nobody writes upwards with it.
_NEEDLESS = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "VORG", "name", "OS/2", "post", "cmap")


class Subset(NamedTuple):
    """A font cut down to some glyphs (字体子集): its file, and which glyph of ours each of its glyphs is."""

    file: bytes
    glyphs: dict[int, int]


class Face:
    """One of our font files (字体文件); lengths are in thousandths of the font's size."""

    def __init__(self, file: str) -> None:
        self.name = file.removesuffix(".ttf").removesuffix("-Regular")
        self.content = (FONTS / file).read_bytes()
        face = hb.Face(self.content)
        self._font = hb.Font(face)
        self._cut = hb.subset_preprocess(face)
        self._scale = 1000 / face.upem
        self._advances: dict[int, int] = {}
        extents = self._font.get_font_extents("ltr")
        self.ascender, self.descender = round(extents.ascender * self._scale), round(extents.descender * self._scale)

    def advance(self, glyph: int) -> int:
        """Tell how wide a glyph is (字宽)."""
        if glyph not in self._advances:
            self._advances[glyph] = round(self._font.get_glyph_h_advance(glyph) * self._scale)
        return self._advances[glyph]

    def subset(self, glyphs: Collection[int]) -> Subset:
        """Cut the font down to these glyphs and what they are made of (字体子集)."""
        wanted = hb.SubsetInput()
        wanted.flags = hb.SubsetFlags.NO_HINTING
        wanted.sets(hb.SubsetInputSets.GLYPH_INDEX).update(glyphs)
        wanted.sets(hb.SubsetInputSets.DROP_TABLE_TAG).update(int.from_bytes(tag.encode(), "big") for tag in _NEEDLESS)
        plan = hb.SubsetPlan(self._cut, wanted)
        return Subset(bytes(plan.execute().blob.data), dict(plan.old_to_new_glyph_mapping.items()))


@cache
def faces() -> tuple[Face, ...]:
    """Open our fonts once (加载字体), in the order of `WEIGHTS`; raises OSError when they are not set up."""
    return tuple(Face(file) for file in WEIGHTS)
