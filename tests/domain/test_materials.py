"""What a file is, is what its first bytes and its name agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain.materials import Upload, media_format, plain_name

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
    ],
)
def test_a_name_is_only_shown_and_so_made_harmless(given, kept):
    assert plain_name(given) == kept


@given(st.text())
def test_no_name_keeps_a_way_out_or_breaks_a_line(name):
    kept = plain_name(name)
    assert kept
    assert len(kept) <= 120
    assert kept.isprintable()
    assert not {"/", "\\"} & set(kept)
    assert kept.strip(".")
