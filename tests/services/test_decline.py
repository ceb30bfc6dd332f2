"""Declining (不予受理): what needs no licence, and what another authority decides."""

import pytest
from sqlalchemy import select

from approval.models.cases import Notice
from tests.kit import walks


@pytest.mark.article("行政许可法#32.1.1", "行政许可法#32.1.2")
@pytest.mark.parametrize(
    "given",
    [
        {"result": "not_required", "reason": "依法备案即可。"},
        {"result": "not_competent", "reason": "由省级机关受理。", "authority": "示例省级机关"},
    ],
)
def test_what_is_not_ours_to_license_is_declined_and_the_applicant_is_told_why_and_where_to_turn(office, given):
    number = walks.walk(office, walks.file(office), ("formal_check", "wang", given))
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        assert (case.status, case.decision, case.accepted_at) == ("declined", None, None)
        told = work.session.scalars(select(Notice).where(Notice.code == "declined")).one().facts
    assert {name: told[name] for name in given} == given
