"""Delivery: opened on the portal, sent once at most, handed over or announced; what shows it is on record."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound, NotSignedIn, TooMany, Unavailable
from approval.domain.notices import Way
from approval.models.cases import Case
from approval.models.notices import Delivery, DeliveryAddress, FormalNotice
from approval.services import addresses, deliveries, drawings, issuances, mailings, workers
from tests.kit import races, walks
from tests.kit.mailboxes import Mailbox
from tests.kit.samples import ACCEPT, ADVISE, MATERIALS, RESTAURANT, REVIEW, at, uploads
from tests.services.test_issuances import REFUSE

MAIL = "chen@mail.example"


@pytest.fixture(autouse=True)
def _drawn_quickly(monkeypatch):
    """How a notice is drawn is tried elsewhere."""
    monkeypatch.setattr("approval.documents.render", lambda *_given, **_named: b"%PDF-quick")
    monkeypatch.setattr("certificates.seal_document", lambda drawn, *_given, **_named: drawn)


@pytest.fixture
def box(office):
    """A mail server that the office sends by."""
    box = Mailbox()
    with box.served() as port:
        smtp = {"smtp": f"smtp+plain://127.0.0.1:{port}", "mail_from": "office@city.example"}
        office.settings = replace(office.settings, **smtp, spool=str(office.settings.instance / "spool"))
        yield box


def chen(office):
    return walks.signed_in(office, "chen")


def choose(office, way=Way.EMAIL, address=MAIL):
    """Let chen choose a way and confirm it by the code that was sent."""
    with office.work(by=chen(office)) as work:
        letter = addresses.ask(work, way, address)
    if letter:
        with office.work(by=chen(office)) as work:
            assert addresses.confirm(work, way, code_in(letter))


def code_in(letter):
    return letter.text.partition("：")[2][:8]


def refused(office):
    """A refused case, and its refusal."""
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, REFUSE)
    workers.draw_notices(office)
    with office.work(read_only=True) as work:
        listed = issuances.of_case(work, walks.case(work, number))
        return number, next(one.id for one in listed if one.kind == "refusal")


def filed(office):
    number = walks.file(office)
    workers.draw_notices(office)
    with office.work(read_only=True) as work:
        return work.session.scalars(select(FormalNotice.id).join(Case).where(Case.number == number)).one()


def ways(office, formal_id):
    with office.work(read_only=True) as work:
        return {
            one.way: one
            for one in deliveries.of_notices(work, [work.session.get_one(FormalNotice, formal_id)])[formal_id]
        }


# On the portal (电子送达).


@pytest.mark.article("民事诉讼法#90")
def test_whoever_it_is_for_opens_it_and_that_is_its_delivery(office, clock):
    number, formal_id = refused(office)
    clock.now = at("2026-09-24 10:00")
    who = chen(office)
    with office.work() as work:
        assert deliveries.opened(work, formal_id, who.person, who.name)
    clock.now = at("2026-09-25 10:00")
    with office.work() as work:
        assert not deliveries.opened(work, formal_id, who.person, who.name)
    opened = ways(office, formal_id)[Way.PORTAL]
    assert (opened.delivered_at, opened.receiver) == (at("2026-09-24 10:00"), "陈示例")
    assert opened.evidence == {"opened_by": str(who.person)}
    assert walks.outcome(office, number)["journal"].count("notice:delivered") == 1


@pytest.mark.article("行政复议法#20", "行政诉讼法#46")
def test_the_remedies_run_from_the_day_of_delivery(office, clock):
    _, formal_id = refused(office)
    clock.now = at("2026-09-24 10:00")
    with office.work() as work:
        deliveries.opened(work, formal_id, chen(office).person, "陈示例")
    opened = ways(office, formal_id)[Way.PORTAL]
    assert (opened.review_until, opened.suit_until) == (date(2026, 11, 23), date(2027, 3, 24))


def test_a_notice_without_remedies_gets_no_days_for_them(office):
    formal_id = filed(office)
    with office.work() as work:
        deliveries.opened(work, formal_id, chen(office).person, "陈示例")
    assert ways(office, formal_id)[Way.PORTAL].review_until is None


def test_opened_in_two_tabs_at_once_is_one_delivery(office):
    number, formal_id = refused(office)
    who = chen(office)
    opening = [lambda: office.do(lambda work: deliveries.opened(work, formal_id, who.person, who.name))] * 2
    assert sorted(races.at_once(*opening)) == [False, True]
    assert walks.outcome(office, number)["journal"].count("notice:delivered") == 1


@pytest.mark.parametrize(
    ("who", "organization", "is_for"),
    [("lin", "restaurant", True), ("chen", None, False), ("wang", None, False)],
)
def test_an_agent_opens_for_the_organization_and_nobody_else_does(office, who, organization, is_for):
    agent = walks.signed_in(office, "lin", "restaurant")
    walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    with office.work(by=walks.signed_in(office, who, organization), read_only=True) as work:
        formal = work.session.scalars(select(FormalNotice)).one()
        assert deliveries.addressed(work, formal) is is_for


# Recorded by officers (送达登记).


def record(office, formal_id, way=Way.HAND, who="wang", **given):
    told = {"receiver": "陈示例", "at": office.clock(), "note": "当场签收", **given}
    with office.work(by=walks.signed_in(office, who)) as work:
        return deliveries.record(work, formal_id, way, **told).id


def test_article_44_a_hand_delivery_names_receiver_time_and_what_shows_it(office, clock):
    number, formal_id = refused(office)
    clock.now = at("2026-09-24 10:00")
    record(office, formal_id, at=at("2026-09-23 15:30"), token="click")
    record(office, formal_id, at=at("2026-09-23 15:30"), token="click")
    found = ways(office, formal_id)[Way.HAND]
    assert (found.receiver, found.delivered_at) == ("陈示例", at("2026-09-23 15:30"))
    assert found.evidence == {"note": "当场签收"}
    assert found.review_until == date(2026, 11, 23)
    assert walks.outcome(office, number)["journal"].count("notice:delivered") == 1


def test_everything_that_a_record_lacks_is_told_at_once(office):
    _, formal_id = refused(office)
    with pytest.raises(AnswersInvalid) as wrong:
        record(office, formal_id, receiver=" ", at=None, note="")
    wheres = [missing.where for missing in wrong.value.facts["missing"]]
    assert wheres == ["answers.receiver", "answers.note", "answers.at"]


@pytest.mark.parametrize("moment", ["2026-09-20 10:00", "2026-09-22 10:00"])
def test_nothing_is_delivered_before_it_is_issued_or_in_the_future(office, moment):
    _, formal_id = refused(office)
    with pytest.raises(AnswersInvalid) as wrong:
        record(office, formal_id, at=at(moment))
    assert wrong.value.facts["missing"][0].why == "out-of-range"


@pytest.mark.parametrize(
    ("who", "way", "why"),
    [
        ("chen", Way.HAND, NotAllowed),
        ("lin", Way.HAND, NotFound),
        ("wang", Way.PORTAL, NotAllowed),
        ("wang", "pigeon", NotAllowed),
    ],
)
def test_only_officers_of_the_case_record_and_only_what_they_see(office, who, way, why):
    _, formal_id = refused(office)
    with pytest.raises(why):
        record(office, formal_id, way, who=who)


@pytest.mark.article("民事诉讼法#95")
def test_an_announcement_counts_once_its_period_has_passed(office, clock):
    number, formal_id = refused(office)
    record(office, formal_id, Way.ANNOUNCEMENT, note="市政府网站公告栏", receiver="")
    announced = ways(office, formal_id)[Way.ANNOUNCEMENT]
    assert (announced.until, announced.delivered_at) == (date(2026, 10, 21), None)
    assert workers.settle(office) == 0
    clock.now = at("2026-10-22 00:10")
    assert workers.settle(office) == 1
    assert workers.settle(office) == 0
    settled = ways(office, formal_id)[Way.ANNOUNCEMENT]
    assert settled.delivered_at == at("2026-10-21 23:59") + timedelta(seconds=59)
    assert settled.review_until == date(2026, 12, 21)
    assert walks.outcome(office, number)["journal"][-1] == "notice:delivered"


def test_the_first_delivery_is_the_one_that_counts(office, clock):
    _, formal_id = refused(office)
    clock.now = at("2026-09-24 10:00")
    record(office, formal_id, at=at("2026-09-23 15:30"))
    with office.work() as work:
        deliveries.opened(work, formal_id, chen(office).person, "陈示例")
    assert deliveries.proof(ways(office, formal_id).values()).way == Way.HAND
    assert deliveries.proof([]) is None


# By e-mail, short message and post (外发).


def test_the_letter_names_item_and_case_and_nobody(office, box):
    choose(office)
    formal_id = filed(office)
    assert workers.send(office) == 1
    (message,) = box.messages
    text = str(message) + message.get_content()
    facts = json.loads(formal(office, formal_id).facts)
    assert (message["To"], facts["case_number"] in message["Subject"]) == (MAIL, True)
    assert f"/my/notices/{formal_id}" in text
    for secret in ("陈示例", "350502", "受理通知书", "鲤城区"):
        assert secret not in message.get_content().replace(facts["case_number"], "")
    sent = ways(office, formal_id)[Way.EMAIL]
    assert sent.evidence["message_id"] == f"<{sent.id}@city.example>"
    assert sent.delivered_at is None, "a letter that says where to look is no delivery"


def formal(office, formal_id):
    with office.work(read_only=True) as work:
        return work.session.get_one(FormalNotice, formal_id)


def test_nothing_is_sent_before_there_is_something_to_read(office, box):
    choose(office)
    walks.file(office)
    assert workers.send(office) == 0
    workers.draw_notices(office)
    assert workers.send(office) == 1


def test_a_power_cut_between_sending_and_noting_sends_nothing_twice(office, box, clock, monkeypatch):
    choose(office)
    formal_id = filed(office)

    def cut(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mailings, "_sent", cut)
        with pytest.raises(KeyboardInterrupt):
            workers.send(office)
    clock.now += timedelta(days=2)
    assert workers.send(office) == 0
    assert len(box.taken) == 1
    with office.work() as work:
        (lost,) = mailings.failed(work)
        assert lost.formal_id == formal_id
        mailings.again(work, lost.id)
        assert mailings._claim(work, lost.id) is not None  # another worker has it already
        mailings.again(work, lost.id)  # clicked twice
        assert mailings.waiting(work) == []
        lost.claimed_at, lost.try_at = None, work.now
    assert workers.send(office) == 1
    first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"], "a reader sees what came twice"


def test_two_workers_at_once_send_it_once(office, box):
    choose(office)
    filed(office)
    with office.work(read_only=True) as work:
        (delivery_id,) = mailings.waiting(work)
    assert sorted(races.at_once(*[lambda: mailings.send(office, delivery_id)] * 4)) == [False, False, False, True]
    assert len(box.taken) == 1


def test_what_the_server_refuses_is_tried_later_and_later_and_then_waits_for_a_person(office, box, clock):
    box.answers["RCPT"] = "450 later"
    choose(office)
    formal_id, waits = filed(office), []
    for _ in range(office.settings.errand_attempts):
        assert workers.send(office) == 0
        if (try_at := ways(office, formal_id)[Way.EMAIL].try_at) is not None:
            waits.append(try_at - clock.now)
            clock.now = try_at
    assert waits == sorted(waits)
    assert len(waits) == office.settings.errand_attempts - 1
    assert box.taken == []
    with office.work() as work:
        (stuck,) = mailings.failed(work)
        assert "450" in stuck.why
        mailings.again(work, stuck.id)
    del box.answers["RCPT"]
    assert workers.send(office) == 1


def test_a_line_that_breaks_after_the_text_waits_for_a_person(office, box, clock):
    box.answers["END"] = None
    choose(office)
    formal_id = filed(office)
    assert workers.send(office) == 0
    assert ways(office, formal_id)[Way.EMAIL].why.startswith("unconfirmed")
    clock.now += timedelta(days=1)
    assert workers.send(office) == 0
    assert len(box.taken) == 1
    with office.work(read_only=True) as work:
        assert len(mailings.failed(work)) == 1


def test_no_transaction_is_open_while_a_letter_is_sent(office, box):
    box.on_taken = lambda: seen.append(office.engine.pool.checkedout())
    seen = []
    choose(office)
    filed(office)
    workers.send(office)
    assert seen == [0]


def test_without_a_server_nothing_is_tried_and_nothing_is_lost(office, box):
    choose(office)
    office.settings = replace(office.settings, smtp="", spool="")
    formal_id = filed(office)
    assert workers.send(office) == 0
    assert ways(office, formal_id)[Way.EMAIL].attempts == 0


def test_post_and_messages_are_handed_over_as_files(office, box):
    choose(office, Way.SMS, "+8613800000000")
    choose(office, Way.POST, "泉州市鲤城区示例街18号\r\nBcc: x")
    formal_id = filed(office)
    assert workers.send(office) == 2
    spool = office.settings.instance / "spool"
    (message,) = [json.loads(file.read_text()) for file in (spool / "sms").glob("*.json")]
    (post,) = [json.loads(file.read_text()) for file in (spool / "post").glob("*.json")]
    assert (message["to"], "name" in message) == ("+8613800000000", False)
    assert (post["to"], post["name"]) == ("泉州市鲤城区示例街18号 Bcc: x", "陈示例")
    assert (spool / "post" / post["file"]).read_bytes() == b"%PDF-quick"
    assert post["sha256"] == formal(office, formal_id).sha256


# Addresses (送达地址).


def ask(office, way=Way.EMAIL, address=MAIL, by=None):
    with office.work(by=by or chen(office)) as work:
        return addresses.ask(work, way, address)


def confirm(office, code, way=Way.EMAIL):
    with office.work(by=chen(office)) as work:
        return addresses.confirm(work, way, code)


def kept(office):
    with office.work(by=chen(office), read_only=True) as work:
        return {way: row.address for way, row in addresses.mine(work).items()}


def test_an_address_counts_once_the_code_came_back_and_a_code_is_used_once(office):
    code = code_in(ask(office))
    assert kept(office) == {"email": None}
    assert confirm(office, f" {code.lower()} ")
    assert kept(office) == {"email": MAIL}
    assert not confirm(office, code)


def test_the_old_address_counts_until_the_new_one_is_confirmed(office):
    choose(office)
    code = code_in(ask(office, address="new@mail.example"))
    assert kept(office) == {"email": MAIL}
    assert confirm(office, code)
    assert kept(office) == {"email": "new@mail.example"}


def test_of_a_code_only_a_hash_is_kept(office):
    code = code_in(ask(office))
    assert code not in str(walks.everything(office))


def test_a_code_ends_by_itself_and_with_the_next(office, clock):
    first = code_in(ask(office))
    second = code_in(ask(office))
    assert not confirm(office, first)
    clock.now += timedelta(minutes=office.settings.code_minutes, seconds=1)
    assert not confirm(office, second)


def test_whoever_guesses_must_wait(office, clock):
    code = code_in(ask(office))
    for _ in range(office.settings.sign_in_failures):
        assert not confirm(office, "AAAAAAAA")
    with pytest.raises(TooMany):
        confirm(office, code)


def test_nobody_floods_an_address_with_codes_alone_or_together(office):
    for _ in range(office.settings.sign_in_failures):
        ask(office)
    with pytest.raises(TooMany):
        ask(office, address="other@mail.example")
    with pytest.raises(TooMany):
        ask(office, by=walks.signed_in(office, "lin"))


@pytest.mark.parametrize(
    ("way", "address"),
    [
        (Way.EMAIL, "a@b.example\r\nBcc: c@d.example"), (Way.EMAIL, "a b@c.example"), (Way.EMAIL, "a@b"),
        (Way.EMAIL, ""), (Way.EMAIL, "<a@b.example>"), (Way.EMAIL, "a@b.example,c@d.example"),
        (Way.EMAIL, "张@例子.中国"), (Way.EMAIL, "a@" + "b" * 300 + ".example"), (Way.SMS, "12"), (Way.SMS, "138\n00"),
        (Way.SMS, "tel:13800000000"), (Way.POST, " "), (Way.POST, "a\x00b"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(office, way, address):
    with pytest.raises(AnswersInvalid):
        ask(office, way, address)
    assert kept(office) == {}


def test_a_way_that_is_dropped_sends_nothing_any_more(office, box):
    choose(office)
    with office.work(by=chen(office)) as work:
        addresses.drop(work, Way.EMAIL)
    filed(office)
    assert workers.send(office) == 0


def test_only_ones_own_addresses_and_only_ways_that_are_offered(office):
    choose(office)
    with office.work(by=walks.signed_in(office, "lin"), read_only=True) as work:
        assert addresses.mine(work) == {}
    with office.work() as work:
        for verb in (lambda: addresses.mine(work), lambda: addresses.drop(work, "email")):
            with pytest.raises(NotSignedIn):
                verb()
    for way in (Way.HAND, "pigeon"):
        with pytest.raises(NotAllowed):
            ask(office, way)
        with pytest.raises(NotAllowed):
            confirm(office, "AAAAAAAA", way)


def test_two_pages_at_once_are_one_address(office):
    asked = races.at_once(*[lambda: ask(office)] * 2)
    assert not [one for one in asked if isinstance(one, Exception)]
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(DeliveryAddress)).all()) == 1


def test_an_unknown_failure_of_one_letter_is_logged_and_holds_up_no_drawing(office, box, monkeypatch, caplog):
    choose(office)
    filed(office)
    monkeypatch.setattr(mailings, "_letter", lambda *_given: 1 // 0)
    assert workers.send(office) == 0
    assert "ZeroDivisionError" in caplog.text
    with office.work(read_only=True) as work:
        assert work.session.scalars(select(Delivery).where(Delivery.way == Way.EMAIL)).one().claimed_at is None
        assert drawings.failed(work) == []


def test_a_carriage_is_a_port_that_another_can_stand_at(office, box):
    class Away:
        def send(self, letter):
            raise Unavailable(carriage=letter.id)

    office.carriages = {Way.EMAIL: Away()}
    choose(office)
    formal_id = filed(office)
    assert workers.send(office) == 0
    assert "carriage" in ways(office, formal_id)[Way.EMAIL].why
