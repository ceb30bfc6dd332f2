"""Formal notices: whole under the law or not at all, numbered without a gap, drawn and sealed by a worker."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

import certificates
from approval import documents
from approval.domain import notices as law
from approval.domain.errors import AnswersInvalid, NotAllowed, NoticeIncomplete, PackRefused, Unavailable
from approval.models.cases import Case, Serial
from approval.models.notices import FormalNotice
from approval.models.parties import InterestedParty
from approval.models.people import Department, Person
from approval.paths import WORKFLOWS
from approval.services import (
    countdowns,
    drawings,
    issuances,
    items,
    kinds,
    licences,
    notices,
    packs,
    parties,
    people,
    workers,
)
from approval.settings import Settings
from certificates import Act
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, ASK, ITEM, REVIEW, SIGN, at

REFUSE = ("sign_off", "cai", {"result": "refuse", "reason": "不具备安全条件。", "article": "食品安全法第三十三条"})
DECLINE = ("formal_check", "wang", {"result": "not_required", "reason": "依法办理备案，不需要许可。"})
HEARING = {"held_on": "2026-10-20", "hour": "9:00", "place": "示例会议室", "presider": "周示例", "examiner": "黄审查"}


def issued(office, number=None, kind=None):
    """What was issued, oldest first: the kind's code, the number and what it says."""
    wanted = select(FormalNotice).join(Case).order_by(FormalNotice.issued_at, FormalNotice.number)
    if number:
        wanted = wanted.where(Case.number == number)
    with office.work(read_only=True) as work:
        return [
            (formal.kind, formal.number, issuances.facts_of(formal))
            for formal in work.session.scalars(wanted)
            if kind in {None, formal.kind}
        ]


def said(office, number, kind):
    ((_kind, _number, facts),) = issued(office, number, kind)
    return facts


@pytest.fixture
def advised(office):
    return walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)


def test_article_32_the_receipt_lists_what_came_and_warns_of_silence(office):
    facts = said(office, walks.file(office), "receipt")
    assert next(row["name"] for row in facts["materials"]) == "营业执照"
    assert {row["level"] for row in facts["materials"]} <= set("ABCD")
    assert facts["acceptance_due"] == "2026-09-26"
    assert "即为受理" in facts["warning"]
    assert facts["received_at"] == "2026-09-21 09:00"


def test_article_32_4_a_correction_tells_what_why_how_and_by_which_article(office):
    number = walks.walk(office, walks.file(office), ASK)
    facts = said(office, number, "correction")
    assert facts["missing"] == [
        {
            "where": "materials.layout_plan",
            "what": "经营场所设备设施布局图和操作流程",
            "problem": "没有标明贮存区。",
            "how": "补画后重新上传。",
            "basis": "食品经营许可和备案管理办法 [K]",
        }
    ]
    assert facts["correction_days"] == 30


def test_article_32_4_a_material_that_is_named_brings_its_own_article(office):
    row = {"what": "materials.health_certificates", "problem": "过期。", "how": "换新的。"}
    number = walks.walk(office, walks.file(office), (*ASK[:2], {"result": "incomplete", "missing": [row]}))
    assert said(office, number, "correction")["missing"][0]["basis"] == "食品安全法第四十五条"


def test_article_32_4_an_answer_that_is_wrong_rests_on_the_law_itself(office):
    row = {"what": "answers.premises", "problem": "地址不全。", "how": "补全门牌号。"}
    number = walks.walk(office, walks.file(office), (*ASK[:2], {"result": "incomplete", "missing": [row]}))
    (told,) = said(office, number, "correction")["missing"]
    assert (told["what"], told["basis"]) == ("经营场所", "行政许可法第三十二条第一款第四项")


def test_article_32_5_the_acceptance_says_both_due_days_and_whom_to_ask(office):
    facts = said(office, walks.walk(office, walks.file(office), ACCEPT), "acceptance")
    with office.work(read_only=True) as work:
        decision = countdowns.due(work, walks.case(work, facts["case_number"]), "decision")
    assert facts["decision_due"] == decision.day.isoformat()
    assert facts["accepted_on"] < facts["promised_due"] < facts["decision_due"]
    assert (facts["phone"], facts["supervision_phone"]) == ("0595-00000001", "0595-00000002")


def test_article_32_4_an_acceptance_by_silence_says_that_it_is_one(office, clock):
    number = walks.file(office)
    clock.now = at("2026-09-27 00:10")
    workers.sweep(office)
    facts = said(office, number, "acceptance")
    assert facts["accepted_on"] == "2026-09-21"
    assert "即为受理" in facts["deemed"]
    assert facts["officer"] == "系统"
    assert workers.draw_notices(office) == 2


def test_article_32_2_what_is_not_accepted_says_why_and_the_remedies(office):
    facts = said(office, walks.walk(office, walks.file(office), DECLINE), "non-acceptance")
    assert facts["reason"] == DECLINE[2]["reason"]
    assert (facts["review_body"], facts["court"]) == ("泉州市人民政府", "泉州市丰泽区人民法院")


def test_article_38_a_grant_says_what_on_which_conditions_and_for_how_long(office, advised):
    facts = said(office, walks.walk(office, advised, SIGN), "grant")
    assert "食品经营许可证" in facts["content"]
    assert len(facts["conditions"]) == 2
    assert facts["validity"] == "5年"


def test_article_38_2_a_refusal_says_reasons_article_and_remedies_with_their_days(office, advised):
    facts = said(office, walks.walk(office, advised, REFUSE), "refusal")
    assert (facts["reason"], facts["article"]) == (REFUSE[2]["reason"], REFUSE[2]["article"])
    assert (facts["review_body"], facts["review_days"]) == ("泉州市人民政府", 60)
    assert (facts["court"], facts["suit_months"]) == ("泉州市丰泽区人民法院", 6)
    # Sixty days after Monday 2026-09-21; the twenty-first of March 2027 is a Sunday.
    assert (facts["review_until"], facts["suit_until"]) == ("2026-11-20", "2027-03-22")


def test_article_38_2_a_refusal_without_reasons_is_not_signed(office, advised):
    before = walks.everything(office)
    kind = kinds.catalogue()["refusal"]
    with pytest.raises(NoticeIncomplete) as refused, office.work() as work:
        issuances.issue(work, walks.case(work, advised), kind, {"reason": " \u3000", "article": None})
    assert {missing.where for missing in refused.value.facts["missing"]} == {"notice.reason", "notice.article"}
    assert walks.everything(office) == before


def test_article_38_2_the_rules_that_matched_are_reasons_too(office, advised):
    rules = [{"rule": "面积不足", "result": "不符合"}, {"rule": "", "result": "不符合"}]
    kind = kinds.catalogue()["refusal"]
    with pytest.raises(NoticeIncomplete) as refused, office.work() as work:
        issuances.issue(work, walks.case(work, advised), kind, {"rules": rules, "article": "示例法第一条"})
    assert [missing.where for missing in refused.value.facts["missing"]] == ["notice.rules[2].rule"]
    with office.work() as work:
        told = {"rules": rules[:1], "article": "示例法第一条"}
        formal = issuances.issue(work, walks.case(work, advised), kind, told)
        assert issuances.facts_of(formal)["rules"] == rules[:1]


def test_everything_that_lacks_is_told_at_once(office, advised):
    with pytest.raises(NoticeIncomplete) as refused, office.work(by=walks.signed_in(office, "cai")) as work:
        notices.issue(work, advised, "hearing", {"place": "示例"})
    wheres = [missing.where for missing in refused.value.facts["missing"]]
    assert wheres == ["notice.held_on", "notice.hour", "notice.presider", "notice.examiner"]


def test_article_69_a_rescission_names_licence_reason_and_remedies(office, advised):
    walks.walk(office, advised, SIGN)
    walks.run_errands(office)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        number = licences.of_case(work, walks.case(work, advised)).number
        licences.perform(work, number, Act.RESCIND, reason="提供虚假材料。", basis="行政许可法第六十九条")
    facts = said(office, advised, "rescission")
    assert (facts["licence"], facts["reason"], facts["basis"]) == (number, "提供虚假材料。", "行政许可法第六十九条")
    assert facts["review_until"]


def test_what_is_said_is_canonical_and_its_digest_is_kept(office):
    number = walks.file(office)
    with office.work(read_only=True) as work:
        formal = work.session.scalars(select(FormalNotice).join(Case).where(Case.number == number)).one()
        assert certificates.canonical_json(json.loads(formal.facts)).decode() == formal.facts
        assert formal.digest == hashlib.sha256(formal.facts.encode()).hexdigest()


def test_of_an_identity_number_a_notice_shows_the_ends_only(office):
    facts = said(office, walks.file(office), "receipt")
    assert facts["applicant"]["number"] == "3505**********0015"


def test_every_row_of_the_law_stands_in_the_catalogue_and_each_has_its_article():
    wanted = {
        "receipt", "correction", "acceptance", "non-acceptance", "special-procedure", "extension", "hearing-rights",
        "hearing", "hearing-minutes", "hearing-announcement", "statement-rights", "site-visit-record",
        "expert-opinion", "grant", "refusal", "licence", "delivery-receipt", "commitment", "deferral", "withdrawal",
        "termination", "voiding", "change", "renewal", "rescission", "cancellation", "archive-list",
    }  # fmt: skip
    found = kinds.catalogue()
    assert wanted <= set(found)
    assert all(kind.basis and kind.title.zh and kind.title.en for kind in found.values())
    words = [kind.word for kind in found.values()]
    assert len(set(words)) == len(words), "two kinds of one word would share a series"
    events = [event for kind in found.values() for event in kind.events]
    assert len(set(events)) == len(events)


_DRAWN = sorted(code for code, kind in kinds.catalogue().items() if kind.template)


@pytest.mark.parametrize(
    ("code", "of_party"), [*((code, code == parties.LETTER) for code in _DRAWN), ("hearing", True)]
)
def test_every_kind_is_drawn_in_its_frame(office, code, of_party):
    kind = kinds.catalogue()[code]
    samples = {"day": "2026-10-20", "number": 5, "list": ["其一", "其二"], "text": "示例文字"}
    told = {
        fact.name: [dict.fromkeys(fact.each, "示例")] if fact.type == "rows" else samples[fact.type]
        for fact in kind.facts
    }
    number = walks.file(office)
    with office.work() as work:
        case = walks.case(work, number)
        case.accepted_at = work.now
        party = InterestedParty(
            id=uuid4(), case=case, ordinal=1, name="林示例", id_number="", address="", interest="", named_at=work.now
        )
        formal = issuances.issue(work, case, kind, told, party=party if of_party else None)
        formal_id = formal.id
    assert drawings.draw(office, formal_id)


def test_a_kind_that_is_not_in_force_is_not_issued():
    assert kinds.of_event("refused", date(2019, 4, 22)) is None
    assert kinds.of_event("refused", date(2026, 4, 23)).code == "refusal"
    assert kinds.of_event("urged", date(2026, 4, 23)) is None


# The number (文号).


def test_numbers_run_by_department_year_and_kind(office, clock):
    for _ in range(2):
        walks.walk(office, walks.file(office), ACCEPT)
    numbers = [number for _, number, _ in issued(office)]
    words = ("受", "收")
    assert sorted(numbers) == sorted(f"泉市监食{word}〔2026〕{serial}号" for word in words for serial in (1, 2))
    clock.now += timedelta(days=200)
    walks.file(office)
    assert issued(office)[-1][1] == "泉市监食收〔2027〕1号"


def test_a_number_is_given_back_by_a_work_that_fails(office):
    number, receipt = walks.file(office), kinds.catalogue()["receipt"]

    def fail(work):
        issuances.issue(work, walks.case(work, number), receipt, {"acceptance_due": "2026-09-26"})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        office.do(fail)
    walks.file(office)
    assert [number for _, number, _ in issued(office)] == ["泉市监食收〔2026〕1号", "泉市监食收〔2026〕2号"]


def test_many_at_once_leave_no_gap_and_no_number_twice(office):
    filed = races.at_once(*[lambda: walks.file(office)] * 8)
    assert all(isinstance(one, str) for one in filed), filed
    assert sorted(number for _, number, _ in issued(office)) == sorted(f"泉市监食收〔2026〕{n}号" for n in range(1, 9))
    with office.work(read_only=True) as work:
        assert work.session.get(Serial, "notice:泉市监食收〔2026〕{serial}号").value == 8


def test_a_department_that_said_nothing_writes_its_name(office):
    with office.work() as work:
        department = work.session.get_one(Department, "SCJ")
        department.notice_word = department.notice_pattern = ""
    walks.file(office)
    assert issued(office)[0][1] == "泉州市市场监督管理局食收〔2026〕1号"


@pytest.mark.parametrize(
    "pattern", ["{kind}〔{year}〕号", "{serial}{kind}", "{year}{serial}{kind}{{}", "{year}{serial}", ""]
)
def test_a_pattern_that_would_give_one_number_twice_is_none(office, city, pattern):
    assert not law.sound(pattern)
    if pattern:
        broken = {"departments": [{**city["departments"][0], "code": "X", "notice_pattern": pattern}]}
        with pytest.raises(AnswersInvalid) as refused, office.work() as work:
            people.found(work, {**broken, "organizations": [], "people": []})
        assert refused.value.facts["missing"][0].where == "departments.notice_pattern"


# By hand (制发).


@pytest.mark.article("行政许可法#46", "行政许可法#47", "行政许可法#48")
def test_articles_46_to_48_an_officer_of_the_department_calls_a_hearing(office, advised):
    with office.work(by=walks.signed_in(office, "cai")) as work:
        formal = notices.issue(work, advised, "hearing", HEARING, "click")
        assert notices.issue(work, advised, "hearing", HEARING, "click") is formal
    facts = said(office, advised, "hearing")
    assert {name: facts[name] for name in HEARING} == HEARING
    assert facts["officer"] == "蔡签批"
    assert walks.outcome(office, advised)["journal"].count("notice:issued") == 1
    with office.work(by=walks.signed_in(office, "chen")) as work:
        assert "formal" in {notice.code for notice in notices.inbox(work)}


@pytest.mark.parametrize(
    ("who", "kind"), [("wang", "hearing"), ("cai", "refusal"), ("cai", "nothing"), ("huang", "extension")]
)
def test_nobody_issues_what_is_not_theirs_to_issue(office, advised, who, kind):
    with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, who)) as work:
        notices.issue(work, advised, kind, HEARING)


# Drawing (制作).


def only(office):
    with office.work(read_only=True) as work:
        return work.session.scalars(select(FormalNotice.id)).one()


def row(office, formal_id):
    with office.work(read_only=True) as work:
        formal = work.session.get_one(FormalNotice, formal_id)
        return formal.pdf, formal.sha256, formal.attempts, formal.try_at, formal.why


def test_a_worker_draws_and_seals_it(office):
    walks.file(office)
    assert workers.draw_notices(office) == 1
    pdf, sha256, _, try_at, _ = row(office, only(office))
    assert pdf.startswith(b"%PDF")
    assert b"/Sig" in pdf
    assert sha256 == hashlib.sha256(pdf).hexdigest()
    assert try_at is None
    assert workers.draw_notices(office) == 0


def test_two_workers_at_once_keep_one(office):
    walks.file(office)
    formal_id = only(office)
    assert sorted(races.at_once(*[lambda: drawings.draw(office, formal_id)] * 2)) == [False, True]
    assert row(office, formal_id)[0]


def test_what_cannot_be_drawn_is_tried_later_and_later_and_in_the_end_waits_for_a_person(office, clock, monkeypatch):
    def broken(*_given, **_named):
        raise Unavailable(template="示例")

    whole = documents.render
    monkeypatch.setattr(documents, "render", broken)
    walks.file(office)
    formal_id, waits = only(office), []
    for _ in range(office.settings.errand_attempts):
        assert workers.draw_notices(office) == 0
        try_at = row(office, formal_id)[3]
        if try_at is not None:
            waits.append(try_at - clock.now)
            clock.now = try_at
    assert waits == sorted(waits)
    assert len(waits) == office.settings.errand_attempts - 1
    with office.work() as work:
        (stuck,) = drawings.failed(work)
        assert "示例" in stuck.why
        drawings.again(work, stuck.id)
    monkeypatch.setattr(documents, "render", whole)
    assert workers.draw_notices(office) == 1
    with office.work(read_only=True) as work:
        assert drawings.failed(work) == []


def bring(office, monkeypatch, number, template):
    """Let the pack of a case have had a template of its own for receipts."""
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        pack = items.pack_of(work, case)
        files = {**pack.files, "notices/receipt.html": template.encode()}
        monkeypatch.setitem(items._BY_VERSION, case.item_version_id, replace(pack, files=files))


@pytest.mark.parametrize(
    "hostile",
    [
        "{% for a in range(10**9) %}{% endfor %}",
        "{{ nobody.said }}",
        "{{ ''.__class__.__mro__ }}",
        "<img src='file:///etc/passwd'>{{ 1 // 0 }}",
    ],
)
def test_a_hostile_template_of_a_pack_harms_nobody_else(office, monkeypatch, hostile):
    number = walks.file(office)
    bring(office, monkeypatch, number, hostile)
    walks.walk(office, number, ACCEPT)
    assert workers.draw_notices(office) == 1
    with office.work(read_only=True) as work:
        drawn = dict(work.session.execute(select(FormalNotice.kind, FormalNotice.drawn_at)).all())
    assert drawn["receipt"] is None
    assert drawn["acceptance"] is not None


def test_the_template_of_a_pack_comes_before_that_of_the_department(office, monkeypatch, tmp_path):
    (tmp_path / "SCJ").mkdir()
    (tmp_path / "SCJ" / "receipt.html").write_text("本局样式")
    monkeypatch.setattr(drawings, "_OF_DEPARTMENTS", tmp_path)
    number = walks.file(office)
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        assert "本局样式" in drawings.template(work, case, "receipt", "SCJ")
        assert "本局样式" not in drawings.template(work, case, "acceptance", "SCJ")
    bring(office, monkeypatch, number, "事项样式")
    with office.work(read_only=True) as work:
        case = walks.case(work, number)
        whole = drawings.template(work, case, "receipt", "SCJ")
    assert "事项样式" in whole
    assert "{{ qr }}" in whole
    assert "{{ notice.number }}" in whole


def test_a_template_of_no_kind_or_with_a_fault_is_told_before_a_pack_is_published():
    files = packs.from_folder(WORKFLOWS / ITEM)
    files |= dict.fromkeys(("notices/nothing.html", "notices/licence.html", "notices/receipt.txt"), b"")
    with pytest.raises(PackRefused) as refused:
        packs.check({**files, "notices/receipt.html": b"{% if %}"}, Settings())
    wrong = {fault.file for fault in refused.value.facts["faults"]}
    assert wrong == {path for path in (*files, "notices/receipt.html") if path.startswith("notices/")}


def test_a_template_that_is_not_utf_8_is_told_before_a_pack_is_published():
    files = packs.from_folder(WORKFLOWS / ITEM)
    with pytest.raises(PackRefused) as refused:
        packs.check({**files, "notices/receipt.html": "<p>受理</p>".encode("gbk")}, Settings())
    assert [(fault.file, fault.why) for fault in refused.value.facts["faults"]] == [
        ("notices/receipt.html", "the template is not UTF-8")
    ]


def test_what_a_verb_of_the_law_brings_about_is_not_issued_by_hand():
    by_hand = {code for code, kind in kinds.catalogue().items() if kind.roles and kind.events}
    assert by_hand == set(), "an extension without its entry in the ledger would tell a day that does not count"


def test_a_hostile_name_is_text_and_nothing_else(office):
    with office.work() as work:
        person = work.session.scalars(select(Person).where(Person.code == "chen")).one()
        person.name = "<script>{{ 7 }}</script>\r\nBcc: x@evil.example"
    walks.file(office)
    assert workers.draw_notices(office) == 1


def test_a_power_cut_while_it_is_drawn_leaves_it_on_the_list(office, monkeypatch):
    def cut(*_given, **_named):
        raise KeyboardInterrupt

    walks.file(office)
    with monkeypatch.context() as patch:
        patch.setattr(drawings, "_keep", cut)
        with pytest.raises(KeyboardInterrupt):
            workers.draw_notices(office)
    assert row(office, only(office))[0] is None
    assert workers.draw_notices(office) == 1


def test_what_a_refused_case_was_told_stays_one_row_each(office, advised):
    walks.walk(office, advised, REFUSE)
    with office.work(read_only=True) as work:
        counted = work.session.execute(select(FormalNotice.kind, func.count()).group_by(FormalNotice.kind)).all()
    assert dict(map(tuple, counted)) == {"receipt": 1, "acceptance": 1, "refusal": 1}


# The last days of remedies (救济期限).


@pytest.mark.parametrize(
    ("received", "review", "suit"),
    [
        (date(2026, 9, 21), date(2026, 11, 20), date(2027, 3, 22)),
        (date(2026, 8, 31), date(2026, 10, 30), date(2027, 3, 1)),  # February ends on a Sunday, the 28th
        (date(2026, 11, 2), date(2027, 1, 1), date(2027, 5, 3)),
    ],
)
@pytest.mark.article("民法典#201", "民法典#202", "民法典#203")
def test_days_and_months_end_as_the_civil_code_says(office, received, review, suit):
    with office.work(read_only=True) as work:
        workdays = countdowns.calendar(work)
        found = [law.last_day(kinds.period(code, received), received, workdays) for code in ("review", "suit")]
        assert all(workdays.is_workday(day) for day in found)
    expected = [day if workdays.is_workday(day) else workdays.nth_after(day, 1) for day in (review, suit)]
    assert found == expected
