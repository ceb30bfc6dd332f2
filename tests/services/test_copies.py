"""Copies for a purpose: made by the holder for one use, told what for on every verification, ended in time."""

from datetime import timedelta
from io import BytesIO

import pikepdf
import pypdfium2
import pytest

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import AnswersInvalid, NotFound, NotSignedIn
from approval.services import copies, journal, licences, workers
from certificates import Act, IllegalAct, Outcome, Question
from tests.kit import walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN

ASKED = {"purpose": "办理银行开户", "recipient": "示例银行泉州分行"}


@pytest.fixture
def number(office):
    walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
    walks.run_errands(office)
    workers.sequence(office)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        return licences.mine(work)[0].number


@pytest.fixture
def until(office):
    with office.work(read_only=True) as work:
        return lambda days: (work.today + timedelta(days=days)).isoformat()


def made(office, number, until, who="chen", **asked):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        prepared = copies.prepare(work, number, **{**ASKED, "until": until, **asked})
    pdf = copies.make(office, prepared)
    with office.work(by=walks.signed_in(office, who)) as work:
        return copies.keep(work, prepared, pdf).token, pdf


def verified(office, **asked):
    with office.work(by=VISITOR, read_only=True) as work:
        return licences.verify(work, **asked)


def test_a_copy_says_what_for_on_its_page_and_wherever_it_is_verified(office, number, until):
    token, pdf = made(office, number, until(30))
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    assert f"仅供示例银行泉州分行用于办理银行开户，{until(30)}前有效" in text
    for answer in (verified(office, token=token), verified(office, document=pdf)):
        assert (answer.outcome, answer.failures) == (Outcome.VALID, ())
        assert (answer.copy.purpose, answer.copy.recipient) == (ASKED["purpose"], ASKED["recipient"])
        assert answer.licence.number == number
    with pikepdf.open(BytesIO(pdf)) as document:
        assert list(document.attachments) == [certificates.COPY_FILE], "the seal of the original stays with its holder"
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        licence = licences.own(work, number)
        assert licence.check_code not in text.replace("\r\n", ""), "what holds for whatever purpose"
        assert certificates.find_by_token(work.session, token) is None
        assert licences.own_rendition(work, number) != pdf
        assert [copy.token for copy in copies.listed(work, number)] == [token]
        case = work.session.get_one(walks.Case, licences.origin(licences.own(work, number)))
        (line,) = [line for line in journal.read(work, case) if line.tag == "licence:copied"]
        assert line.facts == {"number": number, "recipient": ASKED["recipient"]}


def test_a_copy_ends_with_its_day_with_its_licence_or_by_its_holder(office, number, until, clock):
    token, pdf = made(office, number, until(1))
    clock.now += timedelta(days=1)
    assert verified(office, token=token).holds
    clock.now += timedelta(days=1)
    ended = verified(office, document=pdf)
    assert (ended.outcome, ended.copy.purpose) == (Outcome.COPY_ENDED, ASKED["purpose"])
    with office.work(read_only=True) as work:
        today = work.today
    token, _ = made(office, number, (today + timedelta(days=9)).isoformat())
    with office.work(by=walks.signed_in(office, "chen")) as work:
        copies.cancel(work, number, token, "交易没有成立。")
        assert copies.cancel(work, number, token, "另一个理由").cancelled_why == "交易没有成立。"
    answer = verified(office, token=token)
    assert answer.outcome is Outcome.COPY_ENDED
    assert {check.detail for check in answer.checks if check.question is Question.COPY_COUNTS} == {"交易没有成立。"}
    token, _ = made(office, number, (today + timedelta(days=9)).isoformat())
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.REVOKE, reason="理由", basis="依据")
    assert verified(office, token=token).outcome is Outcome.REVOKED


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({"purpose": " "}, "answers.purpose"),
        ({"recipient": "x" * 201}, "answers.recipient"),
        ({"recipient": "示例银行🏦"}, "answers.recipient"),
        ({"until": "soon"}, "answers.until"),
        ({"until": "2020-01-01"}, "answers.until"),
        ({"until": "2099-01-01"}, "answers.until"),
    ],
)
def test_what_is_missing_is_told(office, number, until, asked, missing):
    with pytest.raises(AnswersInvalid) as refused:
        made(office, number, **{"until": until(1), **asked})
    assert [each.where for each in refused.value.facts["missing"]] == [missing]


def test_nobody_copies_anothers_licence_or_sees_its_copies(office, number, until):
    token, _ = made(office, number, until(1))
    for act in (
        lambda work: copies.prepare(work, number, until=until(1), **ASKED),
        lambda work: copies.listed(work, number),
        lambda work: copies.obtain(work, number, token),
        lambda work: copies.cancel(work, number, token, "x"),
    ):
        with office.work(by=walks.signed_in(office, "lin")) as work, pytest.raises(NotFound):
            act(work)
        with office.work(by=VISITOR) as work, pytest.raises(NotSignedIn):
            act(work)


def test_a_licence_that_is_not_in_force_is_not_copied_not_even_when_it_fell_while_it_was_drawn(office, number, until):
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        prepared = copies.prepare(work, number, until=until(1), **ASKED)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, number, Act.SUSPEND, reason="理由", basis="依据")
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(IllegalAct):
        copies.keep(work, prepared, b"%PDF-")
    with office.work(by=walks.signed_in(office, "chen")) as work, pytest.raises(IllegalAct):
        copies.prepare(work, number, until=until(1), **ASKED)


def test_what_is_written_across_is_text_and_no_markup(office, number, until):
    _, pdf = made(office, number, until(1), purpose="<script>alert(1)</script>")
    assert "<script>" in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize(
    ("purpose", "recipient"),
    [("办理银行开户", "示例银行泉州分行"), ("零一二三四五六七八九" * 20, "甲乙丙丁戊己庚辛壬癸" * 20)],
)
def test_all_that_is_written_across_lies_on_the_page(office, number, until, purpose, recipient):
    _, pdf = made(office, number, until(1), purpose=purpose, recipient=recipient)
    page = pypdfium2.PdfDocument(pdf)[0]
    text, (width, height) = page.get_textpage(), page.get_size()
    said = text.get_text_range()
    seen = [char for at, char in enumerate(said) if not char.isspace() and lies(text.get_charbox(at), width, height)]
    mark = f"仅供{recipient}用于{purpose}，{until(1)}前有效"
    assert all(seen.count(char) >= mark.count(char) for char in set(mark))


def lies(box, width, height):
    left, bottom, right, top = box
    return 0 <= left < right <= width and 0 <= bottom < top <= height
