"""Drawing HTML as PDF (绘制版式文件), with the fonts that set-up brought and nothing else from anywhere."""

import atexit
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from approval.documents.glyphs import WEIGHTS, missing_glyphs
from approval.domain.errors import Unavailable
from approval.paths import FONTS

_FAMILY = "Noto Sans SC"
_VARIANT = "pdf/a-3u"
_UNSEEN = {"style", "script"}


def draw(page: str, attached: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Draw an HTML page as PDF/A-3u (绘制版式文件): A4 as its style says, `Noto Sans SC` as its only family.

    `attached` are files that go with it, name by name, as the data it shows (ISO 19005-3, AFRelationship Data).
    Conformance is looked after and not certified: no validator of PDF/A-3 can be installed by a set-up.
    Nothing is fetched: `data:` addresses only. Raises `Unavailable` when the fonts are not set up, or when
    they lack a character of the page: a licence with a blank where a name should be is worse than none.
    """
    from weasyprint import Attachment  # noqa: PLC0415 -- takes a second and 130 MB: only the press's child draws

    data = [Attachment(string=text, name=name, relationship="Data") for name, text in attached.items()]
    drawn = parse(page).write_pdf(**_settings(), attachments=data)
    assert isinstance(drawn, bytes)
    return drawn


def parse(page: str) -> Any:
    """Read an HTML page (解析页面) as WeasyPrint does, all of whose characters can be drawn; raises as `draw`."""
    from weasyprint import HTML  # noqa: PLC0415 -- as above
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    parsed = HTML(string=page, base_url="about:blank", url_fetcher=URLFetcher(allowed_protocols={"data"}))
    if lacking := missing_glyphs(_texts(parsed.etree_element)):
        raise Unavailable(glyphs=lacking)
    return parsed


def lay_out(parsed: Any) -> tuple[Any, Any]:
    """Lay a page out (排版) as `draw` would: WeasyPrint's document, and the PDF it makes of it, not yet written."""
    settings = _settings()
    document, made = parsed.render(**settings), []
    document.write_pdf(pdf_variant=_VARIANT, finisher=lambda _, pdf: made.append(pdf))
    return document, made[0]


def _settings() -> dict[str, Any]:
    fonts, styles = _fonts()
    return {"stylesheets": [styles], "font_config": fonts, "pdf_variant": _VARIANT}


def _texts(root: Any) -> Iterator[str]:
    for element in root.iter():
        # A comment has a function for a tag, and SVG writes its namespace before the name.
        if isinstance(element.tag, str) and element.tag.rpartition("}")[2] not in _UNSEEN:
            yield element.text or ""
        yield element.tail or ""


@cache
def _fonts() -> tuple[Any, Any]:
    from weasyprint import CSS  # noqa: PLC0415 -- as above
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    fonts = FontConfiguration()
    faces = (
        f"@font-face {{ font-family: '{_FAMILY}'; font-weight: {weight}; src: url('{(FONTS / file).as_uri()}') }}"
        for file, weight in WEIGHTS.items()
    )
    # This style sheet is ours and may read our fonts; the page itself may read nothing, and no font of the machine.
    # PDF/A forbids pictures that a reader may smooth.
    only = f"* {{ font-family: '{_FAMILY}' !important; image-rendering: pixelated !important }}"
    styles = CSS(string="\n".join([*faces, only]), font_config=fonts)
    # Fonts are kept from page to page: one that a page brings, under our name, would draw the licences after it.
    fonts.add_font_face = lambda *_: None
    return fonts, styles


# WeasyPrint lets its fonts go in a destructor, which fails once the interpreter is half gone.
atexit.register(_fonts.cache_clear)
