"""Drawing HTML as PDF (绘制版式文件), with the fonts that set-up brought and nothing else from anywhere."""

import atexit
import html
import re
from functools import cache
from threading import Lock
from typing import Any

from approval.domain.errors import Unavailable
from approval.paths import FONTS

_FAMILY = "Noto Sans SC"
_WEIGHTS = {"NotoSansSC-Regular.ttf": 400, "NotoSansSC-Bold.ttf": 700}
_TAGS = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL | re.IGNORECASE)
# Pango's font map belongs to the process; drawing takes tens of milliseconds, so drawers take turns.
_turn = Lock()


def draw(page: str) -> bytes:
    """Draw an HTML page as PDF (绘制版式文件): A4 as its style says, `Noto Sans SC` as its only family.

    Nothing is fetched: `data:` addresses only. Raises `Unavailable` when the fonts are not set up, or when
    they lack a character of the page: a licence with a blank where a name should be is worse than none.
    """
    if lacking := _characters(page) - _drawable():
        raise Unavailable(glyphs="".join(sorted(lacking)))
    from weasyprint import HTML  # noqa: PLC0415 -- takes a second and 130 MB, see the room's first page
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    with _turn:
        fonts, styles = _fonts()
        drawn = HTML(string=page, base_url="about:blank", url_fetcher=URLFetcher(allowed_protocols={"data"})).write_pdf(
            stylesheets=[styles], font_config=fonts
        )
    assert isinstance(drawn, bytes)
    return drawn


def _characters(page: str) -> set[str]:
    return {character for character in html.unescape(_TAGS.sub("", page)) if not character.isspace()}


@cache
def _drawable() -> set[str]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 -- as above

    drawable: set[str] | None = None
    for file in _WEIGHTS:
        if not (FONTS / file).is_file():
            raise Unavailable(font=file)
        with TTFont(FONTS / file, lazy=True) as font:
            characters = {chr(code) for code in font.getBestCmap()}
        drawable = characters if drawable is None else drawable & characters
    return drawable or set()


@cache
def _fonts() -> tuple[Any, Any]:
    from weasyprint import CSS  # noqa: PLC0415 -- as above
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    fonts = FontConfiguration()
    faces = (
        f"@font-face {{ font-family: '{_FAMILY}'; font-weight: {weight}; src: url('{(FONTS / file).as_uri()}') }}"
        for file, weight in _WEIGHTS.items()
    )
    # This style sheet is ours and may read our fonts; the page itself may read nothing, and no font of the machine.
    only = f"* {{ font-family: '{_FAMILY}' !important }}"
    return fonts, CSS(string="\n".join([*faces, only]), font_config=fonts)


# WeasyPrint lets its fonts go in a destructor, which fails once the interpreter is half gone.
atexit.register(_fonts.cache_clear)
