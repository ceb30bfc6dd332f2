"""The queue: what is due first comes first, each sees what their posts may do, and the day moves with the law."""

import tomllib
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from approval.domain.actors import SYSTEM, Post
from approval.domain.errors import NotAllowed, NotFound, Overtaken
from approval.domain.manifests import Limit
from approval.models.tasks import Progress, Task
from approval.services import access, countdowns, dossiers, people, tasks, workers
from approval.services.rehearsals import CITY
from approval.services.tasks import Tab
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, FIRE, MATERIALS, RESTAURANT, REVIEW, SIGN, at, id_number, uploads


@pytest.fixture
def number(office):
    return walks.file(office)


@pytest.fixture
def busy(office):
    """A restaurant's case whose papers are being reviewed here while the fire brigade is asked."""
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    return walks.walk(office, number, ACCEPT)


def due(office, number):
    with office.work(by=SYSTEM, read_only=True) as work:
        rows = select(Task.element, Task.due_on).where(Task.progress == Progress.OPEN)
        return dict(work.session.execute(rows.where(Task.case_id == walks.case(work, number).id)).all())


def listed(office, who, tab=Tab.ALL, **narrowed):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        return [(task.case.number, task.element) for task in tasks.queue(work, tab, **narrowed)]


def counted(office, who, **narrowed):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        return tasks.count(work, **narrowed)


def claim(office, who, number, element="formal_check"):
    task = walks.open_task(office, number, element)
    with office.work(by=walks.signed_in(office, who)) as work:
        return tasks.claim(work, task).id


def calendar(**changed):
    return tomllib.loads((CITY / "calendar.toml").read_text(encoding="utf-8")) | changed


def test_the_day_of_a_task_is_that_of_the_countdown_its_case_awaits(office, number, clock):
    assert due(office, number) == {"formal_check": date(2026, 9, 26)}
    clock.now = at("2026-09-22 10:00")
    walks.walk(office, number, ACCEPT)
    with office.work(read_only=True) as work:
        decision = countdowns.due(work, walks.case(work, number), "decision")
    assert due(office, number) == {"document_review": decision.day}
    walks.walk(office, number, REVIEW, ADVISE)
    assert due(office, number) == {"sign_off": decision.day}
    walks.walk(office, number, SIGN)
    assert due(office, number) == {}


def test_a_task_with_a_countdown_of_its_own_is_due_when_the_earlier_one_is(office, busy):
    days = due(office, busy)
    assert days["fire_opinion"] == date(2026, 9, 24)
    assert days["document_review"] > days["fire_opinion"]


def test_who_was_urged_stays_late(office, busy, clock):
    clock.now = at("2026-09-28 09:00")
    assert workers.sweep(office) == 1
    walks.walk(office, busy, REVIEW)
    assert due(office, busy) == {"fire_opinion": date(2026, 9, 24)}


def test_a_countdown_of_its_own_that_ends_later_leaves_the_cases_day(office, busy):
    with office.work() as work:
        case = walks.case(work, busy)
        countdowns.begin(work, case, "fire_opinion", Limit(200, "示例依据"), since=work.now)
        countdowns.mark_due(work, case)
    days = due(office, busy)
    assert days["fire_opinion"] == days["document_review"]


def test_the_applicants_task_is_due_when_the_correction_is(office, number):
    walks.walk(office, number, ASK)
    with office.work(read_only=True) as work:
        correction = countdowns.due(work, walks.case(work, number), "correction")
    assert due(office, number) == {"correct": correction.day}


def test_the_day_moves_with_an_imported_calendar(office, number, busy):
    before = due(office, busy)
    with office.work() as work:
        assert countdowns.calendar(work).is_workday(date(2026, 9, 22))
        moved = countdowns.import_calendar(work, calendar(rest=[date(2026, 9, 22), date(2026, 9, 23)]))
        assert not countdowns.calendar(work).is_workday(date(2026, 9, 22)), "a calendar kept is let go"
    assert moved == 4
    assert due(office, number) == {"formal_check": date(2026, 9, 29)}
    assert due(office, busy)["fire_opinion"] == date(2026, 9, 26)
    assert due(office, busy)["document_review"] != before["document_review"]


def test_the_calendar_is_read_once_a_work(office, number):
    said = []
    event.listen(office.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        for _again in range(3):
            countdowns.days_left(work, case, countdowns.due(work, case, "acceptance").day)
    assert sum("work_calendars" in statement for statement in said) == 1


def test_what_is_due_first_comes_first_then_what_is_oldest(office, number, clock):
    clock.now += timedelta(minutes=1)
    younger = walks.file(office)
    with office.work() as work:
        case = walks.case(work, younger)
        countdowns.begin(work, case, "acceptance", Limit(2, "示例依据"), since=work.now)
        countdowns.mark_due(work, case)
    clock.now += timedelta(minutes=1)
    youngest = walks.file(office)
    never = walks.file(office)
    with office.work() as work:
        work.session.get_one(Task, walks.open_task(office, never, "formal_check")).due_on = None
    numbers = [found for found, _element in listed(office, "zhao")]
    assert numbers == [younger, number, youngest, never]
    assert listed(office, "zhao", limit=1, offset=1) == [(number, "formal_check")]


def test_a_queue_holds_what_the_posts_may_do_and_nothing_else(office, number, busy):
    assert listed(office, "wang") == [(number, "formal_check")]
    assert listed(office, "huang") == [(busy, "document_review")]
    assert listed(office, "su") == [(busy, "fire_opinion")]
    for nobody in ("chen", "admin", "xu"):
        assert listed(office, nobody) == []
        assert set(counted(office, nobody).values()) == {0}


def test_the_tabs_part_the_queue_and_the_counts_say_how(office, number):
    mine = walks.file(office)
    claim(office, "wang", mine)
    assert listed(office, "wang", Tab.MINE) == [(mine, "formal_check")]
    assert listed(office, "wang", Tab.FREE) == listed(office, "zhao", Tab.FREE) == [(number, "formal_check")]
    assert len(listed(office, "zhao")) == 2, "what a colleague has claimed is seen"
    assert counted(office, "wang") == {Tab.MINE: 1, Tab.FREE: 1, Tab.ALL: 2}
    assert counted(office, "zhao") == {Tab.MINE: 0, Tab.FREE: 1, Tab.ALL: 2}


def test_somebody_with_two_posts_may_look_at_one(office, number, busy):
    with office.work() as work:
        posts = (Post("SPJ", "window"), Post("SCJ", "examiner"))
        people.enrol(work, "many", "多岗示例", id_number(1), posts=posts)
    assert len(listed(office, "many")) == 2
    assert listed(office, "many", post=posts[1]) == [(busy, "document_review")]
    assert counted(office, "many", post=posts[0])[Tab.ALL] == 1
    assert listed(office, "wang", post=posts[1]) == [], "a post that one does not hold shows nothing"


def test_a_search_reads_signs_as_they_stand(office, number):
    other = walks.file(office)
    assert listed(office, "wang", number=number[-6:]) == [(number, "formal_check")]
    assert counted(office, "wang", number=other) == {Tab.MINE: 0, Tab.FREE: 1, Tab.ALL: 1}
    for nothing in ("%", "_", "\\", "\ud800", "'; --"):
        assert listed(office, "wang", number=nothing) == []


def test_of_two_who_claim_from_their_queues_one_has_it(office, number):
    results = races.at_once(*[lambda who=who: claim(office, who, number) for who in ("wang", "zhao")])
    assert [type(result) for result in results].count(Overtaken) == 1
    assert sorted(len(listed(office, who, Tab.MINE)) for who in ("wang", "zhao")) == [0, 1]
    assert listed(office, "wang", Tab.FREE) == []


def test_what_hinders_is_said_without_doing_anything(office, number):
    task = claim(office, "wang", number)
    before = walks.everything(office)
    for who, why in (("wang", type(None)), ("zhao", Overtaken), ("chen", NotAllowed)):
        with office.work(by=walks.signed_in(office, who), read_only=True) as work:
            assert type(access.hindrance(work, access.task_in_sight(work, task))) is why
    with office.work(by=walks.signed_in(office, "huang"), read_only=True) as work, pytest.raises(NotFound):
        access.task_in_sight(work, task)
    assert walks.everything(office) == before


def test_what_somebody_just_did_is_told_to_nobody_else(office, number):
    task = walks.open_task(office, number, "formal_check")
    for who in ("wang", "zhao"):
        with office.work(by=walks.signed_in(office, who), read_only=True) as work:
            assert tasks.just_done(work, task) is None
    walks.walk(office, number, ACCEPT)
    with office.work(by=walks.signed_in(office, "zhao"), read_only=True) as work:
        assert tasks.just_done(work, task) is None
    with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
        status, following = dossiers.follows(work, tasks.just_done(work, task))
        assert (status, [each.element for each in following]) == ("accepted", ["document_review"])


def test_a_dossier_holds_what_colleagues_said_and_who_they_are(office, busy):
    walks.walk(office, busy, REVIEW, FIRE)
    with office.work(by=walks.signed_in(office, "wu"), read_only=True) as work:
        dossier = dossiers.read(work, access.officers_case(work, busy))
        said = [(each.task.element, dossier.names[str(each.task.done_by)], each.content) for each in dossier.opinions]
        assert [(element, who) for element, who, _content in said] == [
            ("formal_check", "王窗口"),
            ("document_review", "黄审查"),
            ("fire_opinion", "苏消防"),
        ]
        assert said[1][2] == REVIEW[2]
        assert dossier.filed["seats"] == 60
        assert dossier.applicant["name"] == "泉州示例餐饮有限公司"
        assert [waiting.kind for waiting in dossier.running] == ["promised", "decision"]
        assert [task.element for task in dossier.now] == ["site_visit"]


def test_an_officers_own_case_is_not_read_from_the_inside(office, number):
    with office.work() as work:
        walks.case(work, number).filed_by = people.actor_by_code(work, "huang").person
    walks.walk(office, number, ACCEPT)
    with office.work(by=walks.signed_in(office, "huang"), read_only=True) as work, pytest.raises(NotAllowed) as why:
        access.officers_case(work, number)
    assert why.value.facts == {"case": number}


def test_running_the_office_is_no_reason_to_read_a_case(office, number):
    with office.work(by=walks.signed_in(office, "admin"), read_only=True) as work, pytest.raises(NotFound):
        access.officers_case(work, number)


def test_names_are_found_in_one_reading_and_strangers_have_none(office):
    with office.work(by=walks.signed_in(office, "lin", "restaurant"), read_only=True) as work:
        found = dossiers.names(work, [work.actor.person, work.actor.organization])
        assert sorted(found.values()) == ["林示例", "泉州示例餐饮有限公司"]
        assert dossiers.names(work, []) == {}
