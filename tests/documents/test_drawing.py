"""Drawing: only our fonts, nothing fetched, no character left blank."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from threading import Thread

import pytest
from pypdf import PdfReader

from approval.documents import drawing, glyphs
from approval.domain.errors import Unavailable
from approval.paths import FONTS

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """Serve a picture on this machine and remember who asked."""
    asked: list[str] = []

    class Picture(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Picture)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def drawn(page: str) -> PdfReader:
    return PdfReader(BytesIO(drawing.draw(page)))


def pictures(pdf: PdfReader) -> int:
    return sum(len(page.images) for page in pdf.pages)


def test_text_is_drawn_in_our_font_and_can_be_read_back():
    pdf = drawn("<p>食品经营许可证 䶮𬭊</p><p><b>第 1 号</b></p>")
    text = pdf.pages[0].extract_text()
    assert "食品经营许可证" in text
    assert "䶮𬭊" in text
    fonts = {str(font.get_object()["/BaseFont"]) for font in pdf.pages[0]["/Resources"]["/Font"].values()}
    assert fonts
    assert all("Noto-Sans-SC" in font for font in fonts), fonts


@pytest.mark.parametrize("page", ["<p>🍜</p>", "<p>&#x1F35C;</p>", "<p>a<b>\ue000</b></p>", "<p>\u200b</p>"])
def test_a_character_that_the_fonts_lack_is_refused_by_name(page):
    with pytest.raises(Unavailable) as refused:
        drawing.draw(page)
    assert refused.value.facts["glyphs"] in "🍜\ue000\u200b"


@pytest.mark.parametrize(
    "page",
    [
        '<img src="{}">',
        '<link rel="stylesheet" href="{}"><p>a</p>',
        '<style>@import url("{}"); p {{ background: url("{}") }}</style><p>a</p>',
        '<style>@font-face {{ font-family: x; src: url("{}") }} p {{ font-family: x }}</style><p>a</p>',
        '<object data="{}"></object>',
        '<link rel="attachment" href="{}">',
        '<a rel="attachment" href="{}">a</a>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}" width="9" height="9"/></svg>',
        '<base href="{}"><img src="x.png">',
    ],
)
def test_nothing_is_fetched_from_anywhere(tmp_path, page):
    secret = tmp_path / "x.png"
    secret.write_bytes(PIXEL)
    with listening() as (address, asked):
        for source in (address, secret.as_uri(), str(secret)):
            pdf = drawn(page.format(source, source))
            assert pictures(pdf) == 0
            assert list(pdf.attachments) == []
            assert str(secret) not in str(pdf.pages[0].extract_text())
    assert asked == []


def test_a_picture_that_the_page_brings_itself_is_drawn():
    pdf = drawn(f'<img src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}">')
    assert pictures(pdf) == 1


def test_a_page_is_never_run():
    pdf = drawn("<p>a</p><script>document.write('b')</script><p onclick='x()'>c</p>")
    assert "b" not in pdf.pages[0].extract_text()
    assert "/JavaScript" not in str(pdf.trailer["/Root"])


def test_a_page_brings_no_font_that_would_stay_for_the_pages_after_it():
    brought = base64.b64encode((FONTS / "NotoSansSC-Bold.ttf").read_bytes()).decode()
    face = f"@font-face {{ font-family: 'Noto Sans SC'; font-weight: 900; src: url('data:font/ttf;base64,{brought}') }}"
    drawn(f"<style>{face}</style><p>a</p>")
    fonts, _ = drawing._fonts()
    assert len(list(fonts._folder.iterdir())) == len(glyphs.WEIGHTS)


def test_what_nobody_sees_needs_no_glyph():
    assert drawn("<style>/* 🍜 */</style><!-- 🍜 --><p>a</p>").pages[0].extract_text().strip() == "a"
