"""The public log of journal lines and licence acts: whatever is changed behind the doors is found."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import certificates
from approval.domain.actors import SYSTEM
from approval.models.cases import JournalEntry
from approval.services import licences, logs, workers
from certificates import CheckpointInvalid, Licence, LicenceAct, LogEntry, LogTile, NotLogged, Outcome, Question
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN


@pytest.fixture
def logged(office):
    """A granted case whose lines and acts stand in the log."""
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    assert workers.sequence(office) > 5
    return number


def findings(office):
    with office.work(read_only=True, steady=True) as work:
        return [(finding.trouble, finding.where.split()[0]) for finding in logs.verify(work)]


def change(office, statement):
    with office.work() as work:
        work.session.connection().exec_driver_sql(statement)


def test_every_line_and_act_gets_a_place_of_its_own(office, logged):
    with office.work(read_only=True) as work:
        places = [
            *work.session.scalars(select(JournalEntry.log_index)),
            *work.session.scalars(select(LicenceAct.log_index)),
        ]
        assert sorted(places) == list(range(len(places)))
        assert not logs.waiting(work)
    assert findings(office) == []
    assert workers.sequence(office) == 0
    walks.run_errands(office)
    assert workers.sequence(office) > 0
    assert findings(office) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE journal SET tag = 'case:refused' WHERE tag = 'case:granted'", [("changed", "journal")]),
        ("UPDATE journal SET facts = '{}' WHERE tag = 'licence:issued'", [("changed", "journal")]),
        ("UPDATE journal SET actor = 'x' WHERE tag = 'case:granted'", [("changed", "journal")]),
        ("UPDATE licence_acts SET at = '2020-01-01 00:00:00.000000' WHERE act = 'seal'", [("changed", "licence_act")]),
        ("UPDATE licences SET statement = '{}'", [("changed", "licence_act")]),
        ("UPDATE licences SET seal = 'x'", [("changed", "licence_act")]),
        ("DELETE FROM journal WHERE tag = 'case:granted'", [("deleted", "journal")]),
        ("UPDATE journal SET log_index = NULL WHERE tag = 'case:granted'", [("deleted", "journal")]),
        ("UPDATE journal SET log_index = log_index + 1 WHERE tag = 'case:granted'", [("reordered", "journal")]),
        ('DELETE FROM log_entries WHERE "index" = 3', [("entry_missing", "3")]),
        ("DELETE FROM log_heads", [("root_wrong", "0")]),
        ("DELETE FROM log_tiles", [("tile_wrong", "0/0")]),
    ],
)
def test_a_row_changed_deleted_or_moved_is_found(office, logged, statement, found):
    change(office, statement)
    assert findings(office) == found


def test_whoever_writes_the_log_anew_cannot_sign_what_was_signed(office, logged):
    change(office, "UPDATE journal SET actor = 'x' WHERE tag = 'case:granted'")
    with office.work() as work:
        line = work.session.scalars(select(JournalEntry).where(JournalEntry.tag == "case:granted")).one()
        record = logs._of_line(line)
        entry = work.session.scalars(select(LogEntry).where(LogEntry.reference == record.reference)).one()
        entry.entry = certificates.log.ledgers.seal_entry(entry.salt, record.content)
    assert {trouble for trouble, _ in findings(office)} == {"root_wrong", "tile_wrong"}


def test_a_stranger_checks_that_a_licence_was_sealed_when_the_log_says(office, logged):
    with office.work(read_only=True) as work:
        licence = work.session.scalars(select(Licence)).one()
        proof, content, key = logs.of_licence(work, licence), logs.sealing(work, licence), office.log_key
    assert certificates.log_proof_holds(proof, content, key)
    said = json.loads(content)
    assert (said["act"], said["licence"]) == ("seal", licence.identifier)
    assert not certificates.log_proof_holds(proof, content.replace(b"2026", b"2025", 1), key)


def test_before_the_sequencer_came_by_there_is_no_proof(office):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    with office.work(read_only=True) as work:
        assert logs.of_licence(work, work.session.scalars(select(Licence)).one()) is None
        with pytest.raises(NotLogged):
            logs.public_file(work, "checkpoint")
        assert logs.waiting(work)
    assert findings(office) == []


def verified(office):
    with office.work(read_only=True) as work:
        token = work.session.scalars(select(Licence.token)).one()
        return licences.verify(work, token=token)


def answer(verification):
    return next((check.holds for check in verification.checks if check.question is Question.IN_PUBLIC_LOG), "unasked")


def test_verification_asks_the_log_once_a_licence_must_be_in_it(office, clock):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    assert (answer(verified(office)), verified(office).outcome) == ("unasked", Outcome.VALID)
    clock.now += timedelta(seconds=office.settings.log_seconds + 1)
    assert (answer(verified(office)), verified(office).outcome) == (None, Outcome.UNVERIFIABLE)
    workers.sequence(office)
    assert (answer(verified(office)), verified(office).outcome) == (True, Outcome.VALID)


def test_a_sealing_dated_back_contradicts_the_log(office, logged):
    change(office, "UPDATE licence_acts SET actor = 'somebody else' WHERE act = 'seal'")
    assert (answer(verified(office)), verified(office).outcome) == (False, Outcome.TAMPERED)


def test_a_sequencer_that_dies_half_way_leaves_nothing(office):
    walks.file(office)
    before = walks.everything(office)
    with pytest.raises(ZeroDivisionError), office.work(by=SYSTEM) as work:  # noqa: PT012 -- the cut comes after the act
        assert logs.sequence(work)
        raise ZeroDivisionError
    assert walks.everything(office) == before
    with office.work(read_only=True) as work:
        assert certificates.log_head(work.session) is None


def test_two_sequencers_at_once_log_every_row_once(office):
    for _ in range(3):
        walks.file(office)
    races.at_once(lambda: workers.sequence(office), lambda: workers.sequence(office))
    workers.sequence(office)
    with office.work(read_only=True) as work:
        rows = work.session.scalar(select(func.count()).select_from(JournalEntry))
        assert work.session.scalar(select(func.count()).select_from(LogEntry)) == rows
    assert findings(office) == []


def test_people_who_work_do_not_wait_for_the_log(office):
    number = walks.file(office)
    stop = threading.Event()

    def log():
        while not stop.is_set():
            workers.sequence(office)

    sequencer = threading.Thread(target=log)
    sequencer.start()
    try:
        walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    finally:
        stop.set()
        sequencer.join()
    workers.sequence(office)
    assert findings(office) == []
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.mine(work)


def test_the_public_files_hold_nothing_about_anybody(office, logged):
    with office.work(read_only=True) as work:
        size = certificates.log_head(work.session).size
        shown = b"".join(logs.public_file(work, path) for path in certificates.log_paths(size))
        for secret in (logged, "chen", "陈示例", "case:filed"):
            assert secret.encode() not in shown
        checkpoint, found = certificates.audit_public(lambda path: logs.public_file(work, path), office.log_key)
    assert (checkpoint.size, found) == (size, [])


def test_a_line_that_was_logged_and_unmarked_stops_the_sequencer_aloud(office, logged):
    with office.work() as work:
        work.session.execute(update(JournalEntry).values(log_index=None))
    with pytest.raises(Exception, match=r"(?i)unique"):
        workers.sequence(office)
    assert {trouble for trouble, _ in findings(office)} == {"deleted"}


def test_nothing_false_is_signed_over_a_tile_that_was_changed(office, logged):
    with office.work() as work:
        tile = work.session.get_one(LogTile, (0, 0))
        tile.hashes = bytes(32) + tile.hashes[32:]
    walks.file(office)
    with pytest.raises(CheckpointInvalid):
        workers.sequence(office)
    assert "tile_wrong" in {trouble for trouble, _ in findings(office)}
    change(office, "DELETE FROM log_tiles")
    assert verified(office).outcome is Outcome.TAMPERED
    with pytest.raises(CheckpointInvalid):
        workers.sequence(office)


def test_an_older_head_in_place_of_the_newest_is_found(office, logged):
    with office.work(read_only=True) as work:
        kept = certificates.log_head(work.session).note
    walks.file(office)
    workers.sequence(office)
    with office.work() as work:
        certificates.log_head(work.session).note = kept
    assert {trouble for trouble, _ in findings(office)} == {"root_wrong"}


def test_a_log_made_anew_is_found_by_whoever_kept_a_head(office, logged):
    with office.work(read_only=True) as work:
        kept = certificates.log_head(work.session).note
    for statement in ("DELETE FROM log_heads", "DELETE FROM log_tiles", "DELETE FROM log_entries"):
        change(office, statement)
    with office.work() as work:
        work.session.execute(update(JournalEntry).values(log_index=None))
        work.session.execute(update(LicenceAct).values(log_index=None))
    workers.sequence(office)
    with office.work(read_only=True, steady=True) as work:
        assert [finding.trouble for finding in logs.verify(work, kept)] == ["shrunk"]


def test_a_steady_work_sees_one_moment_while_the_log_grows(office, logged):
    with office.work(read_only=True, steady=True) as work:
        lines = select(func.count()).select_from(JournalEntry)
        before = work.session.scalar(lines)
        walks.file(office)
        workers.sequence(office)
        assert work.session.scalar(lines) == before
        assert logs.verify(work) == []


def test_a_great_backlog_is_logged_a_little_a_turn(office, monkeypatch):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    monkeypatch.setattr(logs, "_BATCH", 2)
    monkeypatch.setattr(workers, "_MOST_BATCHES", 3)
    assert 6 <= workers.sequence(office) <= 12
    with office.work(read_only=True) as work:
        assert logs.waiting(work)
    while workers.sequence(office):
        assert findings(office) == []
    with office.work(read_only=True) as work:
        assert not logs.waiting(work)
