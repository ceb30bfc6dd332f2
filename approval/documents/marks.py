"""Marks (加注): what a copy is for, across the whole page, so that it cannot be used for anything else unseen."""

from markupsafe import Markup, escape

# As much of a page as text takes up: lines, and characters in one of them.
_LINES, _WIDTH = 7, 45
_STYLE = (
    "position: fixed; z-index: 999; left: 8%; top: {top}%; width: 84%; text-align: center; overflow-wrap: anywhere; "
    "font-size: 15pt; line-height: 1.25; color: #9c1f1f; opacity: .28; transform: rotate(-9deg)"
)


def marked(page: str, text: str) -> str:
    """Write a text across an HTML page (加注水印), as often as there is room for all of it; the text is escaped."""
    lines = -(-len(text) // _WIDTH)
    times = max(1, _LINES // lines)
    blocks = Markup().join(
        Markup('<div style="{}">{}</div>').format(_STYLE.format(top=round(100 * (number + 0.3) / times)), escape(text))
        for number in range(times)
    )
    before, end, after = page.rpartition("</body>")
    return f"{before}{blocks}{end}{after}" if end else page + blocks
