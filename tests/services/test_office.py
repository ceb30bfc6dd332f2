"""One Work is one transaction: all of it or none of it."""

import re
from contextlib import suppress

import pytest
from sqlalchemy import delete, event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from approval.domain.actors import SYSTEM, VISITOR
from approval.domain.errors import NotFound, NotSignedIn, Overtaken
from approval.models import saving
from approval.models.cases import Case, Serial
from approval.models.tasks import Task
from approval.services import cases, journal
from tests.kit import walks
from tests.kit.samples import ITEM, RETAIL, at, uploads


def test_a_work_that_fails_leaves_no_trace(office):
    before = walks.everything(office)
    chen = walks.signed_in(office, "chen")
    with pytest.raises(ZeroDivisionError), office.work(by=chen) as work:  # noqa: PT012 -- the cut comes after the act
        cases.file(work, ITEM, RETAIL, uploads())
        raise ZeroDivisionError
    assert walks.everything(office) == before


def test_a_work_that_ends_well_stays(office):
    before = walks.everything(office)
    number = walks.file(office)
    assert walks.everything(office) != before
    assert walks.outcome(office, number)["status"] == "filed"


def test_a_read_only_work_cannot_write(office):
    walks.file(office)
    before = walks.everything(office)
    with pytest.raises(DBAPIError, match="read"), office.work(read_only=True) as work:
        work.session.add(Serial(name="x", value=1))
    with pytest.raises(DBAPIError, match="read"), office.work(read_only=True) as work:
        work.session.execute(update(Case).values(incidents=9))
    for names in ("a", "ab"):
        with pytest.raises(DBAPIError, match="read"), office.work(read_only=True) as work:
            _ = [saving.add(work.session, Serial, {"name": name, "value": 1}) for name in names]
    assert walks.everything(office) == before
    with office.work(read_only=True) as work:
        assert not work.session.scalars(select(Serial).where(Serial.name.in_(["x", "a", "b"]))).all()


def test_a_read_only_work_on_postgresql_neither_locks_nor_hides_a_write(office):
    if office.engine.dialect.name != "postgresql":
        pytest.skip("SQLite knows no lock on a row and no writing within a SELECT")
    for statement in (
        select(Serial).with_for_update(),
        select(Serial).with_for_update(read=True),
        select(func.pg_advisory_xact_lock(1)),
        text("WITH gone AS (DELETE FROM serials RETURNING name) SELECT name FROM gone"),
        text("TRUNCATE serials"),
    ):
        with pytest.raises(DBAPIError, match="read"), office.work(read_only=True) as work:
            work.session.execute(statement)


def test_a_writing_work_writes_again_after_a_reading_one_on_the_same_connection(office):
    for name in "ab":
        with office.work(read_only=True) as work:
            assert work.session.get(Serial, name) is None
        with office.work() as work:
            work.session.add(Serial(name=name, value=1))
    with office.work(read_only=True) as work:
        assert set(work.session.scalars(select(Serial.name))) == {"a", "b"}


def test_whoever_holds_a_stale_version_is_overtaken(office):
    number = walks.file(office)
    with pytest.raises(Overtaken), office.work() as work:  # noqa: PT012 -- it is the commit that finds out
        case = work.session.scalars(select(Case)).one()
        faster = update(Case).values(version=Case.version + 1).execution_options(synchronize_session=False)
        work.session.execute(faster)
        case.deemed_accepted = True
    assert walks.outcome(office, number)["deemed_accepted"] is False


@pytest.fixture
def updates(office):
    """Every UPDATE of the cases and tasks that the office makes."""
    made = []

    def see(_connection, _cursor, statement, *_):
        made.extend(re.findall(r"UPDATE (?:cases|tasks) SET .*?(?= WHERE)", statement))

    event.listen(office.engine, "before_cursor_execute", see)
    yield made
    event.remove(office.engine, "before_cursor_execute", see)


def test_a_change_is_one_update_a_row_of_the_columns_that_changed(office, updates):
    number = walks.file(office)
    updates.clear()
    with office.work() as work:
        case = walks.case(work, number)
        task = work.session.scalars(select(Task)).first()
        before, task_id = case.version, task.id
        case.incidents, case.lines, case.status = 3, case.lines + 1, case.status
        task.name = "又名"
    assert [update.split(" SET ")[0] for update in updates] == ["UPDATE cases", "UPDATE tasks"]
    assert "incidents" in updates[0]
    assert "status" not in updates[0]
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        assert (case.incidents, case.version) == (3, before + 1)
        assert work.session.get(Task, task_id).name == "又名"


def test_a_new_row_is_there_for_whoever_reads_next(office):
    number = walks.file(office)
    with office.work() as work:
        case = walks.case(work, number)
        journal.write(work, case, "case:noted")
        assert journal.has(work, case, "case:noted")
        assert (
            work.session.connection().exec_driver_sql("SELECT count(*) FROM journal WHERE tag = 'case:noted'").scalar()
        )
        journal.write(work, case, "case:ended")
    with office.work(read_only=True) as work:
        assert [line.tag for line in journal.read(work, walks.case(work, number))][-2:] == ["case:noted", "case:ended"]


def test_new_rows_keep_to_their_savepoint(office):
    number = walks.file(office)
    with office.work() as work:
        case = walks.case(work, number)
        journal.write(work, case, "case:before")
        with suppress(ZeroDivisionError), work.session.begin_nested():
            raise ZeroDivisionError
        with suppress(ZeroDivisionError), work.session.begin_nested():
            work.session.connection()
            journal.write(work, case, "case:within")
            raise ZeroDivisionError
        case = walks.case(work, number)
        journal.write(work, case, "case:after")
    with office.work(read_only=True) as work:
        assert [line.tag for line in journal.read(work, walks.case(work, number))][-2:] == ["case:before", "case:after"]


def test_new_rows_alone_are_committed(office):
    with office.work() as work:
        saving.add(work.session, Serial, {"name": "x", "value": 1})
    with office.work(read_only=True) as work:
        assert work.session.get(Serial, "x").value == 1


def test_new_rows_that_wait_for_a_savepoint_that_is_undone_are_never_written(office):
    with office.work() as work:
        saving.add(work.session, Serial, {"name": "x", "value": 1})
        with suppress(ZeroDivisionError), work.session.begin_nested():
            work.session.connection()
            if office.engine.dialect.name == "postgresql":  # on SQLite it is written, and refused, at once
                saving.add(work.session, Serial, {"name": "x", "value": 2})
            raise ZeroDivisionError
        saving.replace(work.session, Serial, {"name": "x", "value": 3})
    with office.work(read_only=True) as work:
        assert work.session.get(Serial, "x").value == 3


def test_new_rows_of_a_work_that_failed_do_not_turn_up_in_the_next(office):
    number = walks.file(office)
    before = walks.everything(office)
    for _ in range(2):
        with suppress(ZeroDivisionError), office.work() as work:
            journal.write(work, walks.case(work, number), "case:noted")
            raise ZeroDivisionError
        with office.work() as work:
            work.session.get(Serial, "x")
    assert walks.everything(office) == before


def test_many_new_rows_and_a_change_are_all_written(office):
    number = walks.file(office)
    with office.work() as work:
        case = walks.case(work, number)
        first = case.lines
        for _ in range(100):
            journal.write(work, case, "case:noted")
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        assert case.lines == first + 100
        assert [line.sequence for line in journal.read(work, case)] == list(range(1, first + 101))


def test_whoever_is_overtaken_leaves_no_new_row(office):
    number = walks.file(office)
    before = walks.everything(office)
    with pytest.raises(Overtaken), office.work() as work:  # noqa: PT012 -- it is the commit that finds out
        case = walks.case(work, number)
        work.session.connection().execute(update(Case).values(version=Case.version + 1))
        journal.write(work, case, "case:noted")
    assert walks.everything(office) == before


def test_what_was_set_to_what_it_was_is_not_written(office, updates):
    number = walks.file(office)
    updates.clear()
    with office.work() as work:
        case = walks.case(work, number)
        case.incidents += 1
        case.incidents -= 1
    assert updates == []


def test_a_change_beside_something_new_and_a_changed_key_are_written_too(office):
    number = walks.file(office)
    with office.work() as work:
        walks.case(work, number).incidents = 2
        work.session.add(Serial(name="x", value=1))
    with office.work() as work:
        walks.case(work, number).incidents += 1
        work.session.get(Serial, "x").name = "y"
    with office.work(read_only=True) as work:
        assert walks.case(work, number).incidents == 3
        assert work.session.get(Serial, "y").value == 1


def test_a_row_that_somebody_removed_in_between_is_not_lost_in_silence(office):
    with office.work() as work:
        work.session.add(Serial(name="x", value=1))
    with pytest.raises(Overtaken), office.work() as work:  # noqa: PT012 -- it is the commit that finds out
        row = work.session.get(Serial, "x")
        work.session.connection().execute(delete(Serial))
        row.value = 2


def test_a_work_stands_at_one_instant_and_its_day_is_the_legal_one(office, clock):
    clock.now = at("2026-09-22 00:30")
    with office.work() as work:
        assert work.now.isoformat() == "2026-09-21T16:30:00+00:00"
        assert work.today.isoformat() == "2026-09-22"
        clock.now = at("2026-09-23 00:30")
        assert work.today.isoformat() == "2026-09-22"


def test_nobody_obtains_a_case_without_a_name_and_nobody_learns_that_it_exists(office):
    number = walks.file(office)
    with office.work(by=VISITOR, read_only=True) as work, pytest.raises(NotSignedIn):
        cases.withdraw(work, number, "")
    for stranger, wanted in (("lin", number), ("chen", number + "0"), ("chen", ""), ("chen", "'; --")):
        with office.work(by=walks.signed_in(office, stranger)) as work, pytest.raises(NotFound):
            cases.withdraw(work, wanted, "")


@pytest.mark.parametrize("number", ["\0", "\ud800", "1\0"])
def test_what_no_database_can_look_up_is_not_found(office, number):
    with office.work(by=SYSTEM) as work, pytest.raises(NotFound):
        cases.withdraw(work, number, "")
