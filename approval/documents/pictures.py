"""The previews' child: opens a stranger's PDF or picture and makes plain PNG of its pages, nothing of the original.

It writes no file, and reads none but our fonts, which stand in for those that a PDF does not bring along.
"""

import ctypes
import json
import math
import resource
from io import BytesIO
from typing import Any

import pypdfium2
from PIL import Image
from pypdfium2 import _library_scope, raw

from approval.documents.children import serve
from approval.paths import FONTS

_TRIAL = 200  # pixels across; enough to see that a page can be drawn
_TALLEST = 4  # times the width; what is taller still is drawn narrower
_OPEN_FILES = 32
_LOCKED = frozenset({raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY})
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})
_DEEP = ("I", "F")
_FOLDERS = (ctypes.c_char_p * 2)(str(FONTS).encode(), None)  # pdfium may look at it at any time

Image.MAX_IMAGE_PIXELS = None  # we ask for the size ourselves, before anything is decoded


class _Fault(Exception):  # noqa: N818 -- a finding about the file
    """The file is not as it should be."""


def _answer(question: dict[str, Any], content: bytes) -> bytes:
    try:
        if "page" in question:
            return _drawn(content, question)
        return json.dumps(_examined(content, question)).encode()
    except _Fault as found:
        return json.dumps({"fault": str(found)}).encode()
    except MemoryError:
        raise  # whatever ran out halfway is not asked again
    except Exception:  # noqa: BLE001 -- whatever a stranger's file brings about says that it cannot be read
        return json.dumps({"fault": "unreadable"}).encode()


def _examined(content: bytes, question: dict[str, Any]) -> dict[str, Any]:
    """Open it, and say how many pages it has and what is wrong; no page can be drawn where none is told."""
    if question["kind"] != "pdf":
        _picture(content, question, None)
        return {"pages": 1}
    with _opened(content) as pdf:
        pages = len(pdf)
        if pages < 1:
            raise _Fault("unreadable")
        if raw.FPDF_GetSecurityHandlerRevision(pdf) != -1:
            return {"pages": pages, "fault": "encrypted"}
        if pages > question["pages"]:
            return {"pages": pages, "fault": "too-many-pages"}
        for number in range(pages):
            pdf.get_page_size(number)  # a page that the count promises and nobody finds
        _paper(pdf, 0, _TRIAL)
        return {"pages": pages}


def _drawn(content: bytes, question: dict[str, Any]) -> bytes:
    if question["kind"] != "pdf":
        image = _picture(content, question, question["width"])
    else:
        with _opened(content) as pdf:
            image = _paper(pdf, question["page"] - 1, question["width"])
    # A new picture takes over nothing but what can be seen: no metadata, and white where nothing was.
    bare = Image.new("RGB", image.size, "white")
    bare.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    drawn = BytesIO()
    bare.save(drawn, "PNG", compress_level=4)  # the rest is slow and saves little
    return drawn.getvalue()


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as reason:
        raise _Fault("encrypted" if reason.err_code in _LOCKED else "unreadable") from None
    pdf.init_forms()  # what was filled in belongs to the page; no script runs
    return pdf


def _paper(pdf: pypdfium2.PdfDocument, index: int, width: int) -> Image.Image:
    page = pdf[index]
    across, down = page.get_size()
    image = page.render(scale=_scale(across, down, width)).to_pil()
    assert isinstance(image, Image.Image)
    return image


def _picture(content: bytes, question: dict[str, Any], width: int | None) -> Image.Image:
    """Decode a picture, all of it without a width; with one, upright and no wider than that."""
    image: Image.Image = Image.open(BytesIO(content), formats=[question["kind"]])
    if image.width * image.height > question["pixels"]:
        raise _Fault("too-many-pixels")
    if width is None:
        image.load()
        return image
    turn = _orientation(image)
    across, down = (image.height, image.width) if turn in _SIDEWAYS else image.size
    scale = min(1.0, _scale(across, down, width))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image.draft("RGB", size)
    small = _plain(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return small.transpose(_TURNS[turn]) if turn in _TURNS else small


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 -- a picture that does not say how it was held is shown as it is
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """Bring a picture to 8 bits a channel, with transparency where it has any."""
    if image.mode.startswith(_DEEP):
        # 16 bits a pixel: cut off at 255, all but the black would be white.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _scale(across: float, down: float, width: int) -> float:
    # A hair less, because pdfium's pixels are rounded up.
    return min(width / across, math.sqrt(_TALLEST * width * width / (across * down))) * (1 - 1e-9)


def _lend_fonts() -> None:
    """Let pdfium look for fonts in our folder and nowhere else, so that a page looks the same on every machine."""
    _library_scope.destroy_lib()
    folders = ctypes.cast(_FOLDERS, ctypes.POINTER(ctypes.POINTER(ctypes.c_char)))
    raw.FPDF_InitLibraryWithConfig(raw.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=folders))
    _library_scope.bases.LIBRARY_AVAILABLE = True


if __name__ == "__main__":
    _lend_fonts()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    serve(_answer)
