"""Where a case may go: every pair of statuses is either the law's or refused."""

from itertools import product

import pytest

from approval.domain.cases import DECISIONS, FINAL, Status, step
from approval.domain.errors import IllegalStep

# Written here a second time, from 行政许可法第三十二条、第三十八条 and not from the code.
LAWFUL = {
    ("filed", "correcting"),
    ("filed", "accepted"),
    ("filed", "declined"),
    ("filed", "withdrawn"),
    ("correcting", "filed"),
    ("correcting", "withdrawn"),
    ("correcting", "terminated"),
    ("accepted", "granted"),
    ("accepted", "refused"),
    ("accepted", "withdrawn"),
    ("accepted", "terminated"),
    ("granted", "concluded"),
    ("refused", "concluded"),
}


@pytest.mark.parametrize(("old", "new"), list(product(Status, Status)))
def test_every_step_is_lawful_or_refused(old, new):
    if (old, new) in LAWFUL:
        assert step(old, new) is new
        return
    with pytest.raises(IllegalStep) as refused:
        step(old, new)
    assert refused.value.facts == {"status": old.value, "asked": new.value}


def test_final_ones_lead_nowhere_and_only_they():
    assert {"concluded", "declined", "withdrawn", "terminated"} == FINAL
    assert not {old for old, _ in LAWFUL} & FINAL


def test_nothing_is_decided_before_it_is_accepted():
    assert {old for old, new in LAWFUL if new in DECISIONS} == {"accepted"}
