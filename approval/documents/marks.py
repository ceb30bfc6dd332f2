"""Marks (加注): what a copy is for, across the whole page, so that it cannot be used for anything else unseen."""

from markupsafe import Markup, escape

_LINES = 7
_STYLE = (
    "position: fixed; z-index: 999; left: -20%; top: {top}%; width: 140%; text-align: center; white-space: nowrap; "
    "font-size: 15pt; color: #9c1f1f; opacity: .28; transform: rotate(-18deg)"
)


def marked(page: str, text: str) -> str:
    """Write a text across an HTML page (加注水印), line below line; the text is escaped."""
    line = Markup("　　").join([escape(text)] * 3)
    lines = "".join(
        f'<div style="{_STYLE.format(top=round(100 * (number + 0.5) / _LINES - 3))}">{line}</div>'
        for number in range(_LINES)
    )
    before, end, after = page.rpartition("</body>")
    return f"{before}{lines}{end}{after}" if end else page + lines
