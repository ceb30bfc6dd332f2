"""The yearly notice of holidays enters the calendar, and nothing that cannot be meant does."""

from datetime import date

import pytest

from approval.domain import holidays
from approval.domain.errors import NoticeUnreadable
from tests.domain.samples import CALENDAR

TOML = """
year = 2027
basis = "示例放假通知〔2026〕1号"
rest = [{ name = "元旦", from = 2026-12-31, until = 2027-01-03 }, 2027-10-01]
work = [2027-01-09]
"""
CSV = "day,kind\n2027-01-01,放假\n2027-01-09,上班\n"


def test_a_notice_adds_its_year_and_leaves_the_others_as_they_were():
    known = holidays.enter(CALENDAR, holidays.read(TOML, table=False))
    assert (known.covers_from, known.covers_until) == (date(2026, 1, 1), date(2027, 12, 31))
    assert not known.is_workday(date(2026, 12, 31)), "a New Year's holiday reaches into December"
    assert not known.is_workday(date(2027, 10, 1))
    assert known.is_workday(date(2027, 1, 9))
    assert not known.is_workday(date(2026, 10, 1))
    assert known.basis_of(date(2027, 3, 1)) == "示例放假通知〔2026〕1号"
    assert known.basis_of(date(2026, 3, 2)) == CALENDAR.basis


def test_a_notice_for_a_year_that_is_known_takes_the_place_of_what_was_known():
    known = holidays.enter(CALENDAR, holidays.read(TOML, table=False))
    again = holidays.enter(known, holidays.read(CSV, table=True, basis="更正通知"))
    assert again.is_workday(date(2027, 10, 1))
    assert not again.is_workday(date(2027, 1, 1))
    assert again.basis_of(date(2027, 1, 4)) == "更正通知"


def test_a_year_that_would_leave_a_gap_is_refused():
    later = TOML.replace("2027", "2028").replace("2026-12-31", "2027-12-31").replace("2028-01-09", "2028-01-08")
    with pytest.raises(NoticeUnreadable) as refused:
        holidays.enter(CALENDAR, holidays.read(later, table=False))
    assert "2026-12-31" in refused.value.facts["why"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((" 2027-10-01]", " 2029-10-01]"), "of another year"),
        (("work = [2027-01-09]", "work = [2027-01-08]"), "worked anyway"),
        (("work = [2027-01-09]", "work = [2027-01-02]"), "both"),
        (('"示例放假通知〔2026〕1号"', '" "'), "no basis"),
        (("until = 2027-01-03", "until = 2027-09-03"), "is no holiday"),
        (("year = 2027", ""), "year"),
        (("year = 2027", "year ="), "line"),
    ],
)
def test_what_cannot_be_meant_is_told(change, why):
    with pytest.raises(NoticeUnreadable) as refused:
        holidays.read(TOML.replace(*change), table=False)
    assert why in refused.value.facts["why"]


@pytest.mark.parametrize("table", ["day,kind\n2027-01-01,也许\n", "day\n2027-01-01\n", "day,kind\n"])
def test_a_table_with_other_words_or_columns_is_told(table):
    with pytest.raises(NoticeUnreadable):
        holidays.read(table, table=True, basis="示例")


def test_a_table_needs_the_number_of_its_notice():
    with pytest.raises(NoticeUnreadable):
        holidays.read(CSV, table=True)
