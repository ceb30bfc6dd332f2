"""Sealed PDFs are kept up for the years: a worker adds long-term validation data, once, whatever happens meanwhile."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select

import certificates
from approval.adapters.timestamps import HttpTimestamper
from approval.domain.actors import VISITOR
from approval.services import licences, renditions, workers
from certificates import Outcome
from certificates.tables import Rendition
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN
from tests.kit.timestamps import TimestampAuthority

LATER = timedelta(hours=1, seconds=1)


@pytest.fixture
def drawn(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    return number


@pytest.fixture
def tsa(office):
    """A timestamping authority that the office pins; `office.timestamper` is whoever a test sets."""
    tsa = TimestampAuthority(office.clock())
    office.trust = replace(office.trust, tsas=(tsa.certificate,))
    office.timestamper = tsa.stamp
    return tsa


def pdf_of(office, number):
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.rendition(work, number)


def outcome(office, pdf):
    with office.work(by=VISITOR, read_only=True) as work:
        return licences.verify(work, document=pdf).outcome


def signatures(pdf):
    return [str(one.sig_object_type) for one in PdfFileReader(BytesIO(pdf)).embedded_signatures]


def wait(office, long=LATER):
    clock = office.clock
    office.clock = lambda: clock() + long
    workers.sequence(office)


def test_without_an_authority_the_validation_data_are_added_and_both_files_hold(office, drawn):
    first = pdf_of(office, drawn)
    assert workers.extend(office) == 1
    newest = pdf_of(office, drawn)
    assert newest.startswith(first)
    assert b"/DSS" in newest[len(first) :]
    assert signatures(newest) == ["/Sig"]
    assert {outcome(office, first), outcome(office, newest)} == {Outcome.VALID}
    assert outcome(office, newest[:-3]) is Outcome.TAMPERED
    assert workers.extend(office) == 0
    wait(office)
    assert workers.extend(office) == 0


def test_an_authority_over_http_puts_the_time_under_it(office, drawn, tsa):
    with tsa.served() as url:
        office.timestamper = HttpTimestamper(url)
        assert workers.extend(office) == 1
    newest = pdf_of(office, drawn)
    assert signatures(newest) == ["/Sig", "/DocTimeStamp"]
    assert len(tsa.asked) == 1, "a token may cost money"
    assert outcome(office, newest) is Outcome.VALID
    stranger = newest + b" "
    with office.work(by=VISITOR, read_only=True) as work:
        checks = certificates.verify_document(
            work.session, stranger, trust=office.trust, now=work.now, today=work.today, limit=10**8
        ).checks
    assert [check for check in checks if check.holds is False]


def test_an_authority_that_is_away_is_asked_again_later(office, drawn, tsa):
    first = pdf_of(office, drawn)
    tsa.status = 503
    with tsa.served() as url:
        office.timestamper = HttpTimestamper(url)
        assert workers.extend(office) == 0
        assert pdf_of(office, drawn) == first
        tsa.status = 200
        assert workers.extend(office) == 0, "not at once"
        wait(office)
        assert workers.extend(office) == 1


def test_an_authority_that_nobody_pinned_puts_nothing_under_anything(office, drawn, tsa):
    first = pdf_of(office, drawn)
    for pinned in ((), (TimestampAuthority(office.clock()).certificate,)):
        office.trust = replace(office.trust, tsas=pinned)
        assert workers.extend(office) == 0
        assert pdf_of(office, drawn) == first
        wait(office)


def test_one_that_cannot_be_extended_holds_up_no_other(office, drawn, quick):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    with office.work() as work:
        broken = work.session.scalars(select(Rendition).where(Rendition.pdf == b"%PDF-quick")).one()
        broken.extend_at = work.now - timedelta(days=1)
    assert workers.extend(office) == 1
    assert b"/DSS" in pdf_of(office, drawn)


@pytest.mark.parametrize("moment", ["make", "keep"])
def test_a_power_cut_leaves_the_first_file_and_the_next_round_ends_it(office, drawn, monkeypatch, moment):
    first = pdf_of(office, drawn)
    name = "extend_document" if moment == "make" else "keep_extended_rendition"
    whole = getattr(certificates, name)

    def cut(*given, **named):
        whole(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(certificates, name, cut)
    with pytest.raises(KeyboardInterrupt):
        workers.extend(office)
    assert pdf_of(office, drawn) == first
    monkeypatch.setattr(certificates, name, whole)
    wait(office)
    assert workers.extend(office) == 1
    assert outcome(office, pdf_of(office, drawn)) is Outcome.VALID


def test_two_workers_at_once_extend_it_once(office, drawn, tsa):
    assert sorted(races.at_once(*[lambda: renditions.extend(office)] * 2)) == [False, True]
    assert len(tsa.asked) == 1


def test_no_transaction_is_open_while_the_authority_is_asked(office, drawn, tsa):
    def stamp(query):
        assert office.engine.pool.checkedout() == 0
        return tsa.stamp(query)

    office.timestamper = stamp
    assert workers.extend(office) == 1


def test_a_round_is_bounded(office, monkeypatch):
    asked = []
    monkeypatch.setattr(renditions, "extend", lambda office: asked.append(office) or True)
    assert workers.extend(office) == len(asked) == workers._MOST_EXTENDED
