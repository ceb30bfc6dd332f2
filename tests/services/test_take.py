"""Taking evidence: photographs and papers that officers put to the task they hold; they stay once it is done."""

from io import BytesIO

import pytest
from PIL import Image

from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound, OutOfTurn
from approval.domain.materials import Upload
from approval.models.tasks import Task
from approval.services import drafts, evidence, issuances, tasks
from tests.kit import blocks, walks
from tests.services.test_joint import FINDINGS, VISIT, answer


def photograph(name="现场.png"):
    made = BytesIO()
    Image.new("RGB", (40, 30), "white").save(made, "PNG")
    return Upload("", name, made.getvalue())


def claim(office, number, element, by):
    task = walks.open_task(office, number, element)
    with office.work(by=walks.signed_in(office, by)) as work:
        tasks.claim(work, task)
    return task


def take(office, task, by, upload=None):
    with office.work(by=walks.signed_in(office, by)) as work:
        return evidence.attach(work, task, upload or photograph()).id


@pytest.fixture
def visit(office):
    number = blocks.accepted(office, "joint_visit_procedure", consulted=["消防岗"])
    return number, claim(office, number, "joint_visit", "wu")


def test_what_is_taken_on_site_stands_in_the_record_of_the_visit(office, visit):
    number, task = visit
    take(office, task, "wu")
    walks.complete(office, number, VISIT)
    answer(office, number, "XFJ", {"result": "agree", **FINDINGS}, "visit_finding")
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        (taken,) = evidence.of_case(work, case)
        formals = issuances.of_case(work, case)
        (record,) = [issuances.facts_of(one) for one in formals if one.kind == "site-visit-record"]
    assert record["evidence"] == [f"现场.png（SHA-256 {taken.sha256}）"]


def test_only_who_holds_the_task_puts_anything_to_it_and_takes_it_off_while_it_is_open(office, visit):
    number, task = visit
    with pytest.raises(NotAllowed):
        take(office, walks.open_task(office, number, "joint_visit"), "huang")
    kept = take(office, task, "wu")
    with office.work(by=walks.signed_in(office, "huang")) as work, pytest.raises(NotAllowed):
        evidence.remove(work, kept)
    with office.work(by=walks.signed_in(office, "wu")) as work:
        evidence.remove(work, kept)
    kept = take(office, task, "wu")
    walks.complete(office, number, VISIT)
    with office.work(by=walks.signed_in(office, "wu")) as work, pytest.raises(OutOfTurn):
        evidence.remove(work, kept)


def test_the_applicant_and_strangers_see_none_of_it(office, visit):
    _number, task = visit
    kept = take(office, task, "wu")
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work, pytest.raises(NotAllowed):
        evidence.obtain(work, kept)
    with office.work(by=walks.signed_in(office, "qiu"), read_only=True) as work, pytest.raises(NotFound):
        evidence.obtain(work, kept)


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (Upload("", "空.png", b""), "empty"),
        (Upload("", "照片.gif", b"GIF89a"), "wrong-type"),
        (Upload("", "坏.png", b"\x89PNG\r\n\x1a\nnothing"), "unreadable"),
    ],
)
def test_what_is_no_picture_and_no_paper_is_told(office, visit, upload, why):
    with office.work(by=walks.signed_in(office, "wu"), read_only=True) as work:
        assert [fault.why for fault in evidence.examine(work, upload)] == [why]


def test_there_is_an_end_to_what_one_task_holds(office, visit):
    for number in range(30):
        take(office, visit[1], "wu", photograph(f"{number}.png"))
    with pytest.raises(AnswersInvalid):
        take(office, visit[1], "wu")


def test_the_last_one_that_fits_may_be_sent_again_and_one_that_did_not_fit_too(office, visit):
    number, task = visit
    wu = walks.signed_in(office, "wu")
    kept = [
        office.do(lambda work, n=n: evidence.attach(work, task, photograph(), token=f"photo {n}").id, by=wu)
        for n in range(30)
    ]
    assert office.do(lambda work: evidence.attach(work, task, photograph(), token="photo 29"), by=wu) is None
    with pytest.raises(AnswersInvalid):
        office.do(lambda work: evidence.attach(work, task, photograph(), token="photo 30"), by=wu)
    with office.work(by=wu) as work:
        evidence.remove(work, kept[0])
    with office.work(by=wu) as work:
        assert evidence.room(work, work.session.get_one(Task, task)) == 1
        assert evidence.attach(work, task, photograph(), token="photo 0") is None, "what was taken off stays off"
        assert evidence.attach(work, task, photograph(), token="photo 30") is not None
        assert len(evidence.of_case(work, walks.case(work, number))) == 30


def test_bytes_that_evidence_refers_to_are_not_cleared(office, clock, visit):
    kept = take(office, visit[1], "wu")
    clock.now = clock.now.replace(year=2027)
    with office.work() as work:
        drafts.clear(work)
    with office.work(by=walks.signed_in(office, "wu"), read_only=True) as work:
        found, _case = evidence.obtain(work, kept)
        assert work.storage.get(found.sha256) == photograph().content
