"""What the verbs are tried with."""

from dataclasses import replace

import pytest

from approval.services.errands import CARRIED

DRAW = "draw_rendition"


@pytest.fixture
def quick(monkeypatch):
    """Drawing takes a second at first; where the drawing is not the point, a few bytes do."""
    monkeypatch.setitem(CARRIED, DRAW, replace(CARRIED[DRAW], make=lambda _office, _sheet: b"%PDF-quick"))
