"""The journal: every verb leaves its line, numbers have no gaps, and what was written stays."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from approval.models.cases import JournalEntry
from approval.services import cases, journal, licences, tasks, workers
from certificates import Act
from tests.kit import races, walks
from tests.kit.samples import (
    ACCEPT,
    ADVISE,
    ASK,
    COUNTERSIGN,
    FIRE,
    MATERIALS,
    RESTAURANT,
    REVIEW,
    SIGN,
    VISIT,
    uploads,
)

DECLINE = ("formal_check", "wang", {"result": "not_required", "reason": "依法备案即可。"})


def lines(office, number):
    with office.work(read_only=True) as work:
        read = journal.read(work, walks.case(work, number))
        return [(line.sequence, line.at, line.actor, line.tag, str(line.facts)) for line in read]


def test_the_whole_road_is_written_down_by_whoever_walked_it(office, quick):
    number = walks.walk(office, walks.file(office), ASK)
    walks.correct(office, number)
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    written = [(who, tag) for _, _, who, tag, _ in lines(office, number)]
    actors = {code: str(walks.signed_in(office, code).person) for code in ("chen", "wang", "huang", "xu", "cai")}
    assert written == [
        (actors["chen"], "case:filed"),
        (actors["wang"], "task:completed"),
        (actors["wang"], "case:correction-asked"),
        (actors["chen"], "case:corrected"),
        (actors["chen"], "task:completed"),
        (actors["wang"], "task:completed"),
        (actors["wang"], "case:accepted"),
        (actors["huang"], "task:completed"),
        (actors["xu"], "task:completed"),
        (actors["cai"], "task:completed"),
        (actors["cai"], "case:granted"),
        (actors["cai"], "licence:issued"),
        ("system", "licence:drawn"),
        ("system", "case:delivered"),
        ("system", "case:concluded"),
        ("system", "procedure:finished"),
    ]


def _decline(office, number):
    walks.walk(office, number, DECLINE)


def _claim(office, number):
    task = walks.open_task(office, number, "formal_check")
    with office.work(by=walks.signed_in(office, "wang")) as work:
        tasks.claim(work, task)
        tasks.release(work, task)


def _withdraw(office, number):
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不再经营。")


def _silence(office, number):
    office.clock.now = office.clock.now.replace(month=10)
    workers.sweep(office)


@pytest.mark.parametrize(
    ("act", "tags"),
    [
        (_decline, ["task:completed", "case:declined"]),
        (_claim, ["task:claimed", "task:released"]),
        (_withdraw, ["case:withdrawn"]),
        (_silence, ["timer:fired", "case:deemed-accepted"]),
    ],
    ids=["decline", "claim", "withdraw", "silence"],
)
def test_every_verb_leaves_its_line(office, act, tags):
    number = walks.file(office)
    act(office, number)
    assert [tag for _, _, _, tag, _ in lines(office, number)][1 : len(tags) + 1] == tags


def test_what_was_written_stays_as_it_was_and_the_numbers_have_no_gaps(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    before = lines(office, number)
    for step in (ACCEPT, REVIEW, FIRE, VISIT, COUNTERSIGN, ADVISE, SIGN):
        walks.walk(office, number, step)
        after = lines(office, number)
        assert after[: len(before)] == before
        assert len(after) > len(before)
        before = after
    with office.work(by=walks.signed_in(office, "cai")) as work:
        (licence,) = work.session.scalars(select(licences.Licence.number))
        licences.perform(work, licence, Act.REVOKE, reason="示例理由。", basis="示例依据")
    after = lines(office, number)
    assert after[:-1] == before
    assert [sequence for sequence, *_ in after] == list(range(1, len(after) + 1))


def test_two_departments_at_once_leave_no_gap_and_no_double(office):
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    walks.walk(office, number, ACCEPT)
    races.at_once(lambda: walks.walk(office, number, REVIEW), lambda: walks.walk(office, number, FIRE))
    written = lines(office, number)
    assert [sequence for sequence, *_ in written] == list(range(1, len(written) + 1))
    assert sorted(walks.outcome(office, number)["trail"]) == ["document_review", "fire_opinion", "formal_check"]
    assert walks.open_elements(office, number) == {"site_visit"}


def test_no_second_line_takes_the_place_of_one(office):
    number = walks.file(office)
    with pytest.raises(IntegrityError), office.work() as work:  # noqa: PT012 -- the database finds out
        case = walks.case(work, number)
        forged = {"case_id": case.id, "sequence": 1, "at": work.now, "actor": "x", "tag": "x", "facts": {}}
        work.session.execute(JournalEntry.__table__.insert().values(**forged))


def test_free_text_and_names_stay_out_of_the_journal(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    written = str(lines(office, number))
    for said in ("陈示例", "示例街", REVIEW[2]["opinion"], "350502"):
        assert said not in written.replace(number, "")
