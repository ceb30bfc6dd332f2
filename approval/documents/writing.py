"""Writing PDF (书写版式文件): objects one after another, one revision, with room left for a seal (预留签章).

The room is the object that `/Perms /DocMDP` names and that is the value of the only signature field: `null` and blanks
up to its end. As long as nobody fills it, the document is one with an empty field; who fills it moves no other byte.
"""

import zlib
from collections.abc import Iterable, Mapping
from hashlib import md5, sha256
from mimetypes import guess_type

from approval.documents.faces import Face

SEAL_ROOM = 12_288  # bytes: a seal with its certificates, in hexadecimal
_HEAD = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
_QUICK = 1  # a thirtieth larger than with the usual effort, in a third of the time
_MANY = 100  # more lines a table of characters may not have in one go
_CMAP = (
    "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) "
    "/Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
    "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{}\nendcmap\n"
    "CMapName currentdict /CMap defineresource pop\nend\nend"
)


class Document:
    """A PDF that is being written (书写中的文件).

    `made` are objects that are there already, by their numbers. Numbers below the highest that are free are used up
    first, so that none is left out of the table.
    """

    def __init__(self, made: Mapping[int, bytes]) -> None:
        self._objects = dict(made)
        self._free = iter([number for number in range(1, max(made, default=0)) if number not in made])
        self._next = max(made, default=0)

    def reserve(self) -> int:
        """Take a number for an object that is written later (预留编号)."""
        number = next(self._free, None)
        if number is None:
            self._next += 1
            number = self._next
        return number

    def write(self, body: bytes, number: int = 0) -> int:
        """Write an object (写对象) and return its number."""
        number = number or self.reserve()
        self._objects[number] = body
        return number

    def stream(self, content: bytes, extra: str = "", number: int = 0) -> int:
        """Write a stream (写数据流), compressed, and return its number."""
        return self.write(packed(content, extra), number)

    def close(self, root: int, info: int) -> bytes:
        """Write the table of objects (交叉引用表) and the end, and return the whole."""
        for number in self._free:
            self._objects[number] = b"null"
        parts, at, table = [_HEAD], len(_HEAD), [b"0000000000 65535 f \n"]
        for number in range(1, self._next + 1):
            part = b"%d 0 obj\n%b\nendobj\n" % (number, self._objects[number])
            parts.append(part)
            table.append(b"%010d 00000 n \n" % at)
            at += len(part)
        body = b"".join(parts)
        name = sha256(body).hexdigest()[:32]
        trailer = f"<</Size {len(table)}/Root {root} 0 R/Info {info} 0 R/ID[<{name}><{name}>]>>"
        end = f"trailer\n{trailer}\nstartxref\n{at}\n%%EOF\n"
        return b"".join([body, b"xref\n0 %d\n" % len(table), *table, end.encode()])


def packed(content: bytes, extra: str = "") -> bytes:
    """Compress a stream (压缩数据流) with its dictionary, whose further entries are `extra`."""
    pressed = zlib.compress(content, _QUICK)
    return f"<</Length {len(pressed)}/Filter/FlateDecode{extra}>>stream\n".encode() + pressed + b"\nendstream"


def text(value: str) -> str:
    """Write a text string (文本串) for a dictionary."""
    return f"<feff{value.encode('utf-16-be').hex()}>"


def font(document: Document, face: Face, glyphs: Mapping[int, str]) -> int:
    """Write a font with only these glyphs (嵌入字体子集), each with what it stands for, and return its number."""
    cut = face.subset(glyphs)
    name = "".join(chr(65 + byte % 26) for byte in md5(cut.file, usedforsecurity=False).digest()[:6])
    name = f"/{name}+{face.name.replace('NotoSansSC', 'Noto-Sans-SC')}"
    file = document.stream(cut.file, f"/Length1 {len(cut.file)}")
    places = bytearray(2 * max(glyphs) + 2)
    for old, new in cut.glyphs.items():
        if old in glyphs:
            places[2 * old : 2 * old + 2] = new.to_bytes(2, "big")
    places_at = document.stream(bytes(places))
    characters = document.stream(_CMAP.format("\n".join(_ranges(sorted(glyphs.items())))).encode())
    widest = max(map(face.advance, glyphs))
    descriptor = document.write(
        f"<</Type/FontDescriptor/FontName{name}/Flags 4/FontBBox[0 {face.descender} {widest} {face.ascender}]"
        f"/ItalicAngle 0/Ascent {face.ascender}/Descent {face.descender}/CapHeight {face.ascender}/StemV 80"
        f"/FontFile2 {file} 0 R>>".encode()
    )
    widths = "".join(f"{glyph}[{face.advance(glyph)}]" for glyph in sorted(glyphs))
    inner = document.write(
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        f"/Supplement 0>>/CIDToGIDMap {places_at} 0 R/W[{widths}]/FontDescriptor {descriptor} 0 R>>".encode()
    )
    return document.write(
        f"<</Type/Font/Subtype/Type0/BaseFont{name}/Encoding/Identity-H/ToUnicode {characters} 0 R"
        f"/DescendantFonts[{inner} 0 R]>>".encode()
    )


def _ranges(glyphs: list[tuple[int, str]]) -> Iterable[str]:
    for start in range(0, len(glyphs), _MANY):
        some = glyphs[start : start + _MANY]
        yield f"{len(some)} beginbfchar"
        yield from (f"<{glyph:04x}> <{stands.encode('utf-16-be').hex()}>" for glyph, stands in some)
        yield "endbfchar"


def attach(document: Document, files: Mapping[str, str]) -> str:
    """Attach files (附件) as the data that the document shows, and return what the catalogue says of them.

    They have no dates: nobody here reads a clock, and the seal names its own instant.
    """
    if not files:
        return ""
    names, listed = [], []
    for name, content in sorted(files.items(), key=lambda file: text(file[0])):
        data = content.encode()
        kind = (guess_type(name, strict=False)[0] or "application/octet-stream").replace("/", "#2f")
        check = md5(data, usedforsecurity=False).hexdigest()
        file = document.stream(
            data,
            f"/Type/EmbeddedFile/Subtype/{kind}/Params<</CheckSum<{check}>/Size {len(data)}>>",
        )
        written = text(name)
        number = document.write(
            f"<</Type/Filespec/F{written}/UF{written}/EF<</F {file} 0 R>>/Desc()/AFRelationship/Data>>".encode()
        )
        names.append(f"{written}{number} 0 R")
        listed.append(f"{number} 0 R")
    return f"/Names<</EmbeddedFiles<</Names[{''.join(names)}]>>>>/AF[{' '.join(listed)}]"


def leave_room(document: Document, page: int) -> tuple[str, str]:
    """Leave room for a seal (预留签章); what the catalogue and the page say of it."""
    room = document.write(b"null".ljust(SEAL_ROOM))
    field = document.write(
        f"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/Rect[0 0 0 0]/F 132/P {page} 0 R/V {room} 0 R>>".encode()
    )
    form = f"/AcroForm<</Fields[{field} 0 R]/SigFlags 3>>/Perms<</DocMDP {room} 0 R>>"
    return form, f"/Annots[{field} 0 R]"
