"""Systems of departments: let in by a key, each time for an officer of that department, ended at once."""

import pytest

from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, NotFound, NotSignedIn, TooMany
from approval.models.people import Client
from approval.services import clients, limits


@pytest.fixture
def key(office):
    with office.work() as work:
        return clients.enrol(work, "SPJ", "spj-hall", "行政审批局大厅系统")


def recognised(office, key, officer="wang"):
    with office.work() as work:
        return clients.recognise(work, key, officer, "192.0.2.1")


def test_a_system_asks_for_an_officer_in_its_own_department_only(office, key):
    actor = recognised(office, key)
    assert (actor.via, {post.department for post in actor.posts}) == ("spj-hall", {"SPJ"})
    assert actor.name
    for stranger in ("huang", "chen", "nobody", "", "\ud800", "\0"):
        with pytest.raises(NotAllowed):
            recognised(office, key, stranger)


def test_only_its_own_key_opens(office, key):
    code, _, secret = key.partition(".")
    for wrong in ("", "x", code, f"{code}.", f"{code}.{secret}x", f"other.{secret}", f"{code}.\ud800", "."):
        with pytest.raises(NotSignedIn):
            recognised(office, wrong)
    with office.work(read_only=True) as work:
        assert secret not in str(vars(work.session.get_one(Client, code)))


def test_an_ended_system_is_out_at_once_and_stays_on_the_list(office, key):
    with office.work() as work:
        clients.end(work, "spj-hall")
        clients.end(work, "spj-hall")
    with pytest.raises(NotSignedIn):
        recognised(office, key)
    with office.work(read_only=True) as work:
        assert [(one.code, one.ended_at is None) for one in clients.enrolled(work)] == [("spj-hall", False)]
        with pytest.raises(NotFound):
            clients.end(work, "another")


def test_whoever_guesses_keys_waits(office, key):
    with office.work() as work:
        for _ in range(office.settings.address_failures - 1):
            limits.note_failure(work, "client", "192.0.2.1")
    with pytest.raises(NotSignedIn):
        recognised(office, "spj-hall.guess")
    with pytest.raises(TooMany):
        recognised(office, key)


@pytest.mark.parametrize(
    ("department", "code", "refusal"),
    [("XXX", "hall", NotFound), ("SPJ", "spj-hall", AlreadyDone), ("SPJ", "Hall.1", AnswersInvalid)],
)
def test_what_cannot_be_enrolled_is_refused(office, key, department, code, refusal):
    with office.work() as work, pytest.raises(refusal):
        clients.enrol(work, department, code, "x")
