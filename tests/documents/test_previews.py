"""Previews: a stranger's file is opened where it can do no harm, and what is shown of it is drawn anew."""

import os
import signal
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, PngImagePlugin
from pypdf import PdfWriter

from approval.documents import previews
from approval.documents.previews import Limits, Seen, Source, source
from approval.domain.errors import Unavailable
from approval.services.rehearsals import SAMPLE_PDF

LIMITS = Limits(pages=5, pixels=1_000_000, seconds=10, megabytes=1024)


def pdf(pages=1, **lock):
    made = PdfWriter()
    for _ in range(pages):
        made.add_blank_page(595, 842)
    if lock:
        made.encrypt(algorithm="AES-256", **lock)
    written = BytesIO()
    made.write(written)
    return written.getvalue()


def drawn_pdf(content, resources="", more="", box="0 0 200 100"):
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<<{resources}>>{more}>>"
    return (
        f"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[8 0 R]>>>>endobj\n"
        f"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj{page}endobj\n"
        f"4 0 obj<</Length {len(content)}>>stream\n{content}\nendstream endobj\n"
        f"{_OBJECTS}trailer<</Root 1 0 R>>\n%%EOF\n"
    ).encode()


# A font that the file does not bring along, and a form field that somebody filled with black.
_OBJECTS = """5 0 obj<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H
/DescendantFonts[6 0 R]>>endobj
6 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R
/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>endobj
7 0 obj<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880
/StemV 93/FontBBox[-25 -254 1000 880]>>endobj
8 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(x)/F 4/P 3 0 R/Rect[0 0 200 100]/AP<</N 9 0 R>>>>endobj
9 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 200 100]/Length 16>>stream
0 0 200 100 re f
endstream endobj
"""


def picture(kind="PNG", size=(60, 40), mode="RGB", color="red", **how):
    written = BytesIO()
    Image.new(mode, size, color).save(written, kind, **how)
    return written.getvalue()


def zipped():
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return written.getvalue()


def draw(kind, content, page=1, width=600, limits=LIMITS):
    png = previews.draw(source(kind, content), page, width, limits)
    return None if png is None else Image.open(BytesIO(png))


def children():
    """Bring every child up and name its process."""
    for child in previews._children:
        assert child.ask({"kind": "png", "pixels": 9}, 10, 1024)
    return [child._child.pid for child in previews._children]


@contextmanager
def hung():
    """Let every child hang, and bring up others afterwards."""
    pids = children()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield pids
    for child in previews._children:
        child.close()


@pytest.mark.parametrize(
    ("kind", "content", "seen"),
    [
        ("pdf", SAMPLE_PDF, Seen(1, "")),
        ("pdf", pdf(5), Seen(5, "")),
        ("pdf", pdf(6), Seen(6, "too-many-pages")),
        ("pdf", pdf() + zipped(), Seen(1, "")),
        ("pdf", zipped(), Seen(0, "unreadable")),
        ("pdf", b"%PDF-1.7\n<html><script>alert(1)</script>", Seen(0, "unreadable")),
        ("pdf", b"%PDF-1.7\n" + picture(), Seen(0, "unreadable")),
        ("pdf", b"%PDF-", Seen(0, "unreadable")),
        ("pdf", pdf(0), Seen(0, "unreadable")),
        ("pdf", SAMPLE_PDF.replace(b"/Count 1", b"/Count 3"), Seen(0, "unreadable")),
        ("pdf", pdf(user_password="secret"), Seen(0, "encrypted")),
        ("pdf", pdf(user_password="", owner_password="secret"), Seen(1, "encrypted")),
        ("png", picture(), Seen(1, "")),
        ("png", picture() + zipped(), Seen(1, "")),
        ("png", picture(size=(1000, 1000)), Seen(1, "")),
        ("png", picture(size=(1001, 1000)), Seen(0, "too-many-pixels")),
        ("png", picture(mode="1", color=1, size=(30_000, 30_000)), Seen(0, "too-many-pixels")),
        ("png", picture(size=(500, 500), compress_level=0)[:-9000], Seen(0, "unreadable")),
        ("png", b"\x89PNG\r\n\x1a\n<html>", Seen(0, "unreadable")),
        ("png", picture("JPEG"), Seen(0, "unreadable")),
        ("jpeg", picture("JPEG"), Seen(1, "")),
        ("jpeg", picture("JPEG", size=(900, 900))[:-2000], Seen(0, "unreadable")),
        ("jpeg", b"\xff\xd8\xff" + b"GIF89a" * 100, Seen(0, "unreadable")),
    ],
)
def test_a_file_is_what_it_opens_as(kind, content, seen):
    assert previews.examine(source(kind, content), LIMITS) == seen


def test_a_page_is_drawn_as_wide_as_asked_and_no_other_is_there():
    assert draw("pdf", SAMPLE_PDF).size == (600, 850)
    assert draw("pdf", SAMPLE_PDF, width=1200).size == (1200, 1699)
    assert draw("pdf", SAMPLE_PDF).getextrema() == ((0, 255),) * 3, "black on white"
    assert [draw("pdf", pdf(2), page) is None for page in (0, 1, 2, 3)] == [True, False, False, True]
    assert draw("pdf", b"%PDF-1.7 nothing") is None


def test_a_long_thin_page_is_drawn_narrower_instead_of_filling_the_memory():
    across, down = draw("pdf", drawn_pdf("", box="0 0 10 14400")).size
    assert across * down <= 4.2 * 600 * 600
    across, down = draw("png", picture(size=(10, 90_000))).size
    assert across * down <= 4.2 * 600 * 600


def test_text_without_its_font_is_drawn_with_ours():
    page = draw("pdf", drawn_pdf("BT /F 60 Tf 20 30 Td <793A4F8B> Tj ET", "/Font<</F 5 0 R>>"))
    ink = sum(page.convert("L").histogram()[:128])
    assert 6000 < ink < 40_000, "two characters, neither blank nor boxes"


def test_what_was_filled_into_a_form_is_seen():
    assert draw("pdf", drawn_pdf("", more="/Annots[8 0 R]")).getpixel((300, 150)) == (0, 0, 0)


def test_a_photo_is_shown_upright_and_without_what_it_knows_about_its_owner():
    photo, told = Image.new("RGB", (60, 40), "white"), Image.Exif()
    photo.paste("red", (0, 0, 20, 20))
    told[0x0112], told[0x010F], told[0x9286] = 6, "SECRET-CAMERA", "SECRET-COMMENT"
    written = BytesIO()
    photo.save(written, "JPEG", exif=told, quality=95)
    png = previews.draw(source("jpeg", written.getvalue()), 1, 600, LIMITS)
    shown = Image.open(BytesIO(png))
    assert shown.size == (40, 60), "turned, and not enlarged"
    assert shown.getpixel((35, 5))[1] < 80, "the red corner is now at the right"
    assert shown.getpixel((5, 5))[1] > 200
    assert shown.info == {}
    assert b"SECRET" in written.getvalue()
    assert b"SECRET" not in png


def test_a_picture_is_made_anew_from_what_can_be_seen():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    png = previews.draw(source("png", picture(pnginfo=notes) + zipped()), 1, 600, LIMITS)
    assert b"script" not in png
    assert b"run.js" not in png
    assert Image.open(BytesIO(png)).info == {}


@pytest.mark.parametrize(
    ("mode", "color", "shown"),
    [
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("LA", (0, 255), (0, 0, 0)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("I;16", 32_768, (128, 128, 128)),
    ],
)
def test_every_kind_of_png_is_shown_as_it_looks(mode, color, shown):
    assert draw("png", picture(mode=mode, color=color)).getpixel((5, 5)) == shown


def test_a_cmyk_photo_and_a_restricted_pdf_are_shown():
    assert draw("jpeg", picture("JPEG", mode="CMYK", color=(0, 0, 0, 0))).getpixel((5, 5)) == (255, 255, 255)
    with pikepdf.new() as locked:
        locked.add_blank_page()
        written = BytesIO()
        locked.save(written, encryption=pikepdf.Encryption(user="", owner="secret"))
    assert draw("pdf", written.getvalue()) is not None


def test_the_same_page_is_drawn_once():
    fetched = []

    def fetch():
        fetched.append(1)
        return pdf(2)

    file = Source("pdf", "0" * 64, fetch)
    first = previews.draw(file, 1, 600, LIMITS)
    assert previews.draw(file, 1, 600, LIMITS) is first
    assert len(fetched) == 1
    assert previews.draw(file, 2, 600, LIMITS)
    assert previews.draw(file, 1, 700, LIMITS) != first
    assert len(fetched) == 3


def test_what_is_kept_has_a_limit_and_the_oldest_goes_first():
    shelf = previews._Shelf(100)
    for name in "abc":
        shelf.put((name, ""), bytes(40))
        shelf.get(("a", ""))
    assert [shelf.get((name, "")) is not None for name in "abc"] == [True, False, True]
    shelf.put(("a", ""), bytes(50))
    shelf.put(("d", ""), bytes(101))
    assert shelf._size == sum(map(len, shelf._answers.values())) <= 100


def test_a_child_that_hangs_is_killed_and_the_next_page_is_drawn():
    with hung() as pids:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            draw("pdf", pdf(3), 3, 333, replace(LIMITS, seconds=0.5))
        assert time.monotonic() - began < 3
        assert draw("pdf", pdf(3), 3, 333)
        assert previews._children[-1]._child.pid not in pids


def test_a_file_that_takes_too_long_to_open_is_told_so_once():
    with hung():
        began = time.monotonic()
        assert previews.examine(source("pdf", pdf(2)), replace(LIMITS, seconds=1)) == Seen(0, "unreadable")
        assert time.monotonic() - began < 1.9, "not tried again"
        assert previews.examine(source("pdf", pdf(2)), LIMITS) == Seen(2, ""), "and not held against it for ever"


def test_a_file_is_not_blamed_for_a_child_that_somebody_killed():
    def kill(pids):
        time.sleep(0.3)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    with hung() as pids, ThreadPoolExecutor(1) as killer:
        killing = killer.submit(kill, pids)
        assert previews.examine(source("pdf", pdf(1) + b"%"), LIMITS) == Seen(1, "")
        killing.result()


def test_more_memory_than_allowed_ends_the_child_and_not_the_asker():
    children()
    with pytest.raises(Unavailable):
        draw("png", picture(size=(990, 990)), limits=replace(LIMITS, megabytes=8))
    assert draw("png", picture(size=(990, 990)))


def test_who_finds_every_child_busy_is_refused_in_time(monkeypatch):
    monkeypatch.setattr(previews, "_PATIENCE", 0.1)
    taken = [previews._idle.get() for _ in previews._children]
    try:
        with pytest.raises(Unavailable):
            previews.examine(source("png", picture(color="blue")), LIMITS)
    finally:
        for child in taken:
            previews._idle.put(child)
    assert previews.examine(source("png", picture(color="blue")), LIMITS) == Seen(1, "")


def test_children_that_cannot_start_are_not_held_against_the_file(monkeypatch):
    broken = previews.Child("approval.documents.no_such_room")
    with pytest.raises(Unavailable):
        broken.ask({}, 10, 1024)


def test_askers_at_once_get_their_own_pages():
    with ThreadPoolExecutor(8) as askers:
        sizes = list(askers.map(lambda width: draw("pdf", SAMPLE_PDF, width=width).width, range(100, 140)))
    assert sizes == list(range(100, 140))


def test_a_child_writes_no_file_and_knows_no_secret(monkeypatch):
    monkeypatch.setenv("APPROVAL_SECRET_KEY", "kept")
    for child in previews._children:
        child.close()
    for pid in children():
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max file size")] == [["0", "0"]]
        assert b"APPROVAL_" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_fork_has_children_of_its_own():
    before = children()
    previews._idle.get()  # somebody is asking at the moment of the fork
    fork = os.fork()
    if fork == 0:
        code = 1
        with suppress(BaseException):
            own = previews._idle.qsize() == 2 and draw("pdf", pdf(2), 2) and not set(before) & set(children())
            code = 0 if own else 2
            for child in previews._children:
                child.close()
        os._exit(code)
    previews._open()
    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert children() == before
