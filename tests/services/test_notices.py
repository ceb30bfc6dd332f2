"""Notices: each person has an inbox of their own, what is new is counted, and reading is noted once."""

import pytest
from sqlalchemy import select

from approval.domain.actors import VISITOR
from approval.models.cases import Notice
from approval.models.people import Agency
from approval.services import notices
from tests.kit import walks
from tests.kit.samples import ACCEPT, ASK, MATERIALS, RESTAURANT, at, uploads


@pytest.fixture
def told(office, clock):
    """Two cases of chen's, one of them asked for a correction a day later."""
    one, other = walks.file(office), walks.file(office)
    clock.now = at("2026-09-22 10:00")
    walks.walk(office, other, ASK)
    return one, other


def inbox(office, code, organization=None):
    with office.work(by=walks.signed_in(office, code, organization), read_only=True) as work:
        return [(notice.code, notice.case.number) for notice in notices.inbox(work)], notices.unread(work)


def test_the_inbox_holds_all_cases_the_newest_first(office, told):
    _one, other = told
    listed, unread = inbox(office, "chen")
    assert listed[0] == ("correction", other)
    assert sorted(listed[1:]) == sorted(("receipt", number) for number in told)
    assert unread == 3


def test_nobody_reads_what_another_was_told(office, told):
    for code in ("lin", "wang", "admin"):
        assert inbox(office, code) == ([], 0)
    with office.work(by=VISITOR, read_only=True) as work:
        assert notices.unread(work) == 0


def test_reading_is_noted_once_and_only_by_the_one_who_was_told(office, clock, told):
    chen, lin = walks.signed_in(office, "chen"), walks.signed_in(office, "lin")
    with office.work(by=chen) as work:
        ids = [notice.id for notice in notices.inbox(work)]
        notices.mark_read(work, lin.person, ids)
        assert notices.unread(work) == 3
        notices.mark_read(work, chen.person, ids[:1])
        assert notices.unread(work) == 2
    first = clock.now
    clock.now = at("2026-09-23 10:00")
    with office.work() as work:
        notices.mark_read(work, chen.person, ids)
        read_at = dict(work.session.execute(select(Notice.id, Notice.read_at)).all())
        assert [read_at[each] for each in ids] == [first, clock.now, clock.now]


def test_what_an_organization_was_told_is_read_by_its_agent_as_long_as_there_is_agency(office):
    lin = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=lin)
    assert inbox(office, "lin") == inbox(office, "lin", "restaurant") == ([("receipt", number)], 1)
    with office.work() as work:
        work.session.delete(work.session.scalars(select(Agency)).one())
    assert inbox(office, "lin") == ([], 0)


def test_the_newest_of_a_kind_is_found(office, clock, told):
    one, other = told
    with office.work(by=walks.signed_in(office, "chen")) as work:
        case = walks.case(work, other)
        assert (
            notices.latest(work, case, "correction").facts["missing"][0]["what"] == "经营场所设备设施布局图和操作流程"
        )
        assert notices.latest(work, walks.case(work, one), "correction") is None
    clock.now = at("2026-09-24 10:00")
    walks.correct(office, other)
    with office.work(by=walks.signed_in(office, "chen")) as work:
        assert notices.latest(work, walks.case(work, other), "receipt").made_at == clock.now


def test_long_lists_come_in_pages(office, told):
    walks.walk(office, told[0], ACCEPT)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        everything = [notice.id for notice in notices.inbox(work)]
        pages = [notice.id for offset in (0, 2) for notice in notices.inbox(work, limit=2, offset=offset)]
    assert pages == everything
