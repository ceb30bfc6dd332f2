"""What the engine's rooms are tried with."""

import pytest

from approval.engine import runs


@pytest.fixture
def patient(monkeypatch):
    """No machine is too slow: where steps are counted, time is not."""
    monkeypatch.setattr(runs, "SECONDS", 600.0)
