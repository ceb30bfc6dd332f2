"""Codes: the modules that a plate shows are those that segno makes."""

import pytest
import segno

from approval.documents import codes


@pytest.mark.parametrize(
    "text", ["a", "示例", "HTTPS://A", "12345", *("a" * length for length in (17, 271, 272, 980, 2953))]
)
def test_modules_are_those_that_segno_makes(text):
    assert codes.squares(text) == codes._packed(segno.make(text, error="l", micro=False, mask=codes._MASK).matrix)


def test_a_code_too_long_for_any_symbol_is_refused():
    with pytest.raises(segno.DataOverflowError):
        codes.squares("a" * 2954)
