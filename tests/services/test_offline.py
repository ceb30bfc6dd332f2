"""Without a network: what the worker signs and the office hands out is enough to judge a licence that it drew."""

import json
from datetime import timedelta

import pytest

import certificates
from approval.domain.actors import SYSTEM, VISITOR
from approval.domain.errors import NotFound
from approval.models.people import Department
from approval.services import licences, offline, workers
from certificates import Act, Outcome
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN

MARKET = "SCJ"


@pytest.fixture
def drawn(office):
    """The number of a licence and its sealed PDF."""
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        number = licences.mine(work)[0].number
        return number, licences.own_rendition(work, number)


@pytest.fixture
def judge(office):
    """Ask a kit as it was fetched, on a day."""

    def asked(pdf, data, *, days=0):
        kit, now = certificates.OfflineKit.read(data), office.clock() + timedelta(days=days)
        return certificates.verify_file_offline(pdf, kit, today=now.date(), now=now)

    return asked


def fetched(office):
    with office.work(by=VISITOR, read_only=True) as work:
        return offline.kit(work)


def test_a_licence_that_the_worker_drew_is_judged_by_the_kit_alone(office, drawn, judge):
    number, pdf = drawn
    unsigned = fetched(office)
    assert judge(pdf, unsigned).outcome is Outcome.UNVERIFIABLE
    assert workers.publish(office) > 0
    good = fetched(office)
    assert (judge(pdf, good).outcome, judge(pdf, good).failures) == (Outcome.VALID, ())
    assert judge(pdf, good).licence.number == number
    assert judge(pdf, good, days=2).outcome is Outcome.UNVERIFIABLE
    assert judge(pdf, unsigned).outcome is Outcome.UNVERIFIABLE
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.SUSPEND, reason="整改", basis="第六十四条")
    assert judge(pdf, good).outcome is Outcome.VALID, "an old kit knows what was known then"
    workers.sequence(office)
    assert (workers.publish(office), workers.publish(office)) == (1, 0)
    assert judge(pdf, fetched(office)).outcome is Outcome.SUSPENDED


def test_a_kit_names_no_holder_and_holds_no_key(office, drawn):
    workers.publish(office)
    kit = fetched(office).decode()
    assert "陈示例" not in kit
    assert "PRIVATE" not in kit
    assert not any("d" in key for key in json.loads(kit)["seals"])


def test_a_department_whose_list_cannot_be_signed_holds_up_no_other(office, caplog):
    with office.work(by=SYSTEM) as work:
        work.session.get_one(Department, MARKET).uscc = "113505000038000989"
        issuing = offline.issuing(work)
    assert workers.publish(office) == len(issuing) - 1
    assert MARKET in caplog.text


def test_a_list_is_fetched_by_the_department_s_credit_code(office):
    workers.publish(office)
    with office.work(by=VISITOR, read_only=True) as work:
        department = work.session.get_one(Department, MARKET)
        text = offline.status_list(work, department.uscc)
        read = certificates.OfflineKit.read(offline.kit(work)).statuses(department.uscc)
        assert text.count(".") == 2
        assert read.uscc == department.uscc
        with pytest.raises(NotFound):
            offline.status_list(work, "113505000038000989")
