"""Web and worker processes die by kill -9 at random moments: every case ends, and everything happened once."""

import pytest

from tests.kit import crashes, databases


@pytest.mark.long
def test_whatever_is_killed_every_case_ends_and_nothing_happens_twice(empty_settings):
    workers = 2 if databases.URL else 1
    toll = crashes.drill(empty_settings, cases=40, workers=workers, lives=(0.2, 4.0))
    assert sum(toll.kills.values()) > 3, toll
