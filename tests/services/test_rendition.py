"""The rendition: drawn by the worker, kept once, sealed, never the source of truth."""

from dataclasses import replace
from io import BytesIO
from threading import Barrier

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from approval.domain.actors import VISITOR
from approval.domain.errors import NotFound, Unavailable
from approval.models.tasks import Errand, ErrandProgress
from approval.services import errands, licences, workers
from approval.services.errands import CARRIED
from certificates import Licence, Outcome
from certificates.tables import Rendition
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, RETAIL, REVIEW, SIGN

DRAW = "draw_rendition"


@pytest.fixture
def granted(office):
    return walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)


def errand(office):
    (waiting,) = walks.waiting(office, Errand, ErrandProgress.OPEN)
    return waiting


def kept(office):
    with office.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Rendition))


def pdf_of(office, number, who="chen"):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        return licences.rendition(work, number)


def test_the_pdf_is_sealed_verifies_and_can_be_read(office, granted):
    assert pdf_of(office, granted) is None, "while it is drawn there is none, and the licence holds already"
    walks.run_errands(office)
    pdf = pdf_of(office, granted)
    with office.work(by=VISITOR, read_only=True) as work:
        assert licences.verify(work, document=pdf).outcome is Outcome.VALID
        assert not licences.verify(work, document=pdf + b"\n").holds
        assert not licences.verify(work, document=pdf.replace(b"2026", b"2027", 1)).holds
        licence = work.session.scalars(select(Licence)).one()
        expected = [licence.number, "食品经营许可证", RETAIL["premises"], "陈示例", "泉州市市场监督管理局", "示例数据"]
    (page,) = PdfReader(BytesIO(pdf)).pages
    text = "".join(page.extract_text().split())
    assert [words for words in expected if words not in text] == []


def test_delivery_and_conclusion_follow_the_drawing(office, granted, quick):
    assert walks.outcome(office, granted)["status"] == "granted"
    walks.run_errands(office)
    stands = walks.outcome(office, granted)
    assert stands["status"] == "concluded"
    assert stands["journal"][-4:] == ["licence:drawn", "case:delivered", "case:concluded", "procedure:finished"]


def test_an_errand_run_twice_keeps_one(office, granted, quick):
    waiting = errand(office)
    assert workers.run_errand(office, waiting) is True
    before = walks.everything(office)
    assert workers.run_errand(office, waiting) is False
    assert walks.everything(office) == before
    assert kept(office) == 1


def test_two_workers_at_once_keep_one(office, granted, monkeypatch):
    both_draw = Barrier(2)

    def make(_office, _sheet):
        both_draw.wait(60)
        return b"%PDF-quick"

    monkeypatch.setitem(CARRIED, DRAW, replace(CARRIED[DRAW], make=make))
    waiting = errand(office)
    results = races.at_once(*[lambda: workers.run_errand(office, waiting)] * 2)
    assert sorted(results) == [False, True]
    assert kept(office) == 1
    assert walks.outcome(office, granted)["journal"].count("licence:drawn") == 1


@pytest.mark.parametrize("moment", ["make", "keep"])
def test_a_power_cut_leaves_the_errand_open_and_the_next_run_ends_it(office, granted, quick, monkeypatch, moment):
    waiting, whole = errand(office), CARRIED[DRAW]

    def cut(*given):
        if moment == "keep":
            whole.keep(*given)  # everything was written, and nothing committed
        raise KeyboardInterrupt

    monkeypatch.setitem(CARRIED, DRAW, replace(whole, **{moment: cut}))
    before = walks.outcome(office, granted)
    with pytest.raises(KeyboardInterrupt):
        workers.run_errand(office, waiting)
    assert walks.outcome(office, granted) == before
    assert errand(office) == waiting
    assert kept(office) == 0
    monkeypatch.setitem(CARRIED, DRAW, whole)
    assert workers.run_errand(office, waiting) is True
    assert kept(office) == 1
    assert walks.outcome(office, granted)["status"] == "concluded"


def test_the_slow_part_holds_no_transaction_open(office, granted, monkeypatch):
    def make(office, _sheet):
        assert office.engine.pool.checkedout() == 0
        return b"%PDF-quick"

    monkeypatch.setitem(CARRIED, DRAW, replace(CARRIED[DRAW], make=make))
    walks.run_errands(office)
    assert kept(office) == 1


def test_a_name_that_no_font_can_draw_is_told_before_anything_is_sealed(office):
    number = walks.file(office, RETAIL | {"premises": "示例街18号🍜"})
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE)
    with pytest.raises(Unavailable) as refused:
        walks.walk(office, number, SIGN)
    assert refused.value.facts == {"glyphs": "🍜"}
    assert walks.outcome(office, number)["status"] == "accepted"
    with office.work(read_only=True) as work:
        assert licences.of_case(work, walks.case(work, number)) is None


def test_rare_characters_that_the_font_has_are_drawn(office):
    number = walks.file(office, RETAIL | {"representative": "䶮𬭊"})
    walks.walk(office, number, ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    (page,) = PdfReader(BytesIO(pdf_of(office, number))).pages
    assert "䶮𬭊" in page.extract_text()


def test_the_pdf_is_for_those_who_may_see_the_case(office, granted, quick):
    walks.run_errands(office)
    assert pdf_of(office, granted) == pdf_of(office, granted, "huang") == b"%PDF-quick"
    for stranger in ("lin", "su"):
        with pytest.raises(NotFound):
            pdf_of(office, granted, stranger)


def test_every_errand_that_a_procedure_may_name_is_known():
    for name in ("accept", "deem_accepted", "decline", "ask_correction", "terminate", DRAW, "call:register"):
        assert errands.known(name)
    for name in ("", "call", "call:", "nothing", "draw_rendition:x", "nothing:x"):
        assert not errands.known(name)
