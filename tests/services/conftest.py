"""What the verbs are tried with."""

from dataclasses import replace

import pytest

from approval.services.errands import CARRIED
from tests.kit import drills

DRAW = "draw_rendition"


@pytest.fixture
def quick(monkeypatch):
    """Drawing takes a second at first; where the drawing is not the point, a few bytes do."""
    monkeypatch.setitem(CARRIED, DRAW, replace(CARRIED[DRAW], make=lambda _office, _sheet: b"%PDF-quick"))


@pytest.fixture
def register(office):
    """A system outside that the drilled item calls."""
    register = drills.Register()
    office.outside = {"register": register}
    return register
