"""What a file is, is what its first bytes and its name agree on."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain.materials import Upload, download_name, media_format, plain_name

PDF, PNG, JPEG = b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n....", b"\xff\xd8\xff\xe0...."


@pytest.mark.parametrize(
    ("filename", "content", "kind"),
    [
        ("a.pdf", PDF, "pdf"),
        ("a.PDF", PDF, "pdf"),
        ("营业执照.png", PNG, "png"),
        ("a.jpg", JPEG, "jpeg"),
        ("a.jpeg", JPEG, "jpeg"),
        ("../../a.pdf", PDF, "pdf"),
        ("a.pdf", PNG, None),
        ("a.png", PDF, None),
        ("a.pdf", b"", None),
        ("a.pdf", b"%PDF", None),
        ("a.pdf", b" %PDF-1.7", None),
        ("a.pdf", b"MZ\x90\x00", None),
        ("a.pdf.exe", PDF, None),
        ("a.svg", b"<svg/>", None),
        ("pdf", PDF, None),
        (".pdf", PDF, None),
        ("", PDF, None),
        ("a.pdf\0.png", PDF, None),
    ],
)
def test_name_and_first_bytes_must_agree(filename, content, kind):
    assert media_format(Upload("layout_plan", filename, content)) == kind


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\0b.pdf", "ab.pdf"),
        ("a%00b.pdf", "a%00b.pdf"),
        ("CON", "CON"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("\u202egpj.exe", "gpj.exe"),
        ("\ud800.pdf", "pdf"),
        ("䶮𬭊.pdf", "䶮𬭊.pdf"),
        (".htaccess", "htaccess"),
        ("长" * 200 + ".pdf", "长" * 116 + ".pdf"),
        ("𠮷野.pdf", "𠮷野.pdf"),
        ("\U000313af\U00031350.pdf", "\U000313af\U00031350.pdf"),
        ("\U0002ffff\U000e0001\ue000.pdf", "pdf"),
        ("x|y.pdf", "x|y.pdf"),
        ("." * 130 + "a.pdf", "a.pdf"),
        ("a" + " ." * 100 + "pdf", "pdf"),
    ],
)
def test_a_name_is_only_shown_and_so_made_harmless(given, kept):
    assert plain_name(given) == kept


@given(st.text())
def test_no_name_keeps_a_way_out_or_breaks_a_line(name):
    kept = plain_name(name)
    assert kept
    assert len(kept) <= 120
    assert all(char.isprintable() or 0x20000 <= ord(char) < 0x40000 for char in kept)
    assert not {"/", "\\"} & set(kept)
    assert kept.strip(". ") == kept


@pytest.mark.parametrize(
    ("filename", "media_type", "saved"),
    [
        ("a.pdf", "application/pdf", "a.pdf"),
        ("A.PDF", "application/pdf", "A.PDF"),
        ("a.jpeg", "image/jpeg", "a.jpeg"),
        ("pdf", "application/pdf", "pdf.pdf"),
        ("unnamed", "image/png", "unnamed.png"),
        ("a.html", "application/pdf", "a.html.pdf"),
        ("a.jpg", "application/pdf", "a.jpg.pdf"),
        ("a%00.pdf", "application/pdf", "a_00.pdf"),
        ('x|y?"<>*:.pdf', "application/pdf", "x_y______.pdf"),
        ("CON.pdf", "application/pdf", "CON_.pdf"),
        ("con", "application/pdf", "con_.pdf"),
        ("com1.tar.pdf", "application/pdf", "com1_.tar.pdf"),
        ("console.pdf", "application/pdf", "console.pdf"),
        ("../../etc/passwd", "application/pdf", "passwd.pdf"),
        ("\u202egpj.pdf", "application/pdf", "gpj.pdf"),
        ("䶮𬭊𠮷.pdf", "application/pdf", "䶮𬭊𠮷.pdf"),
        ("", "application/pdf", "unnamed.pdf"),
    ],
)
def test_a_file_is_saved_under_a_name_that_every_system_takes_and_that_says_what_it_is(filename, media_type, saved):
    assert download_name(Kept(filename, media_type)) == saved


class Kept(NamedTuple):
    filename: str
    media_type: str
    size: int = 1
    sha256: str = ""
