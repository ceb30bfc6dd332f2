"""The decision: granted or refused with reasons, by hands kept apart, with no objection lost on the way."""

import pytest

from approval.domain.actors import Post
from approval.domain.errors import AnswersInvalid, IllegalStep, NotAllowed
from approval.services import decisions, journal, people, recommendations
from tests.kit import walks
from tests.kit.samples import (
    ACCEPT,
    ADVISE,
    COUNTERSIGN,
    FIRE,
    MATERIALS,
    RESTAURANT,
    REVIEW,
    SIGN,
    VISIT,
    id_number,
    uploads,
)

REFUSE = ("sign_off", "cai", {"result": "refuse", "reason": "不具备安全条件。", "article": "食品安全法第三十三条"})
OBJECT = ("fire_opinion", "su", {"result": "disagree", "reason": "疏散出口被占用。", "basis": "消防法第十五条"})
OVERCOME = ("settle_objection", "xu", {"result": "overcome", "reason": "出口已经清理。"})
UPHOLD = ("settle_objection", "xu", {"result": "uphold", "reason": "异议成立。"})


@pytest.fixture
def advised(office):
    """A case that waits for its signature."""
    return walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE)


@pytest.fixture
def restaurant(office):
    """A case that waits for documents to be reviewed and for the fire department."""
    agent = walks.signed_in(office, "lin", "restaurant")
    number = walks.file(office, RESTAURANT, uploads(*MATERIALS, "authorisation"), by=agent)
    return walks.walk(office, number, ACCEPT)


@pytest.mark.article("行政许可法#38.1")
def test_what_is_granted_stops_the_clock_and_tells_the_remedies(office, advised):
    walks.walk(office, advised, SIGN)
    stands = walks.outcome(office, advised)
    assert (stands["status"], stands["decision"]) == ("granted", "granted")
    assert stands["journal"][-3:] == ["task:completed", "case:granted", "licence:issued"]
    (facts,) = walks.told(office, "granted")
    assert (facts["review_body"], facts["court"]) == ("泉州市人民政府", "泉州市丰泽区人民法院")


@pytest.mark.article("行政许可法#38.2")
def test_what_is_refused_gives_reasons_article_and_remedies_and_no_licence(office, advised):
    walks.walk(office, advised, REFUSE)
    stands = walks.outcome(office, advised)
    assert (stands["status"], stands["decision"], stands["licence"]) == ("concluded", "refused", None)
    (facts,) = walks.told(office, "refused")
    assert (facts["reason"], facts["article"]) == (REFUSE[2]["reason"], REFUSE[2]["article"])
    assert (facts["review_body"], facts["court"]) == ("泉州市人民政府", "泉州市丰泽区人民法院")


@pytest.mark.parametrize("reason", [None, "", " ", "\u3000\n"])
def test_a_refusal_without_a_reason_stays_undone(office, advised, reason):
    before = walks.everything(office)
    with pytest.raises(AnswersInvalid) as refused:
        walks.walk(office, advised, ("sign_off", "cai", {**REFUSE[2], "reason": reason, "article": reason}))
    assert {missing.where for missing in refused.value.facts["missing"]} == {"answers.reason", "answers.article"}
    assert walks.everything(office) == before


def test_the_verb_itself_refuses_without_a_reason_whatever_the_form_asked(office, advised):
    with office.work() as work, pytest.raises(AnswersInvalid):
        decisions.refuse(work, walks.case(work, advised))


def test_nothing_is_decided_before_it_is_accepted(office):
    number = walks.file(office)
    with pytest.raises(IllegalStep), office.work() as work:
        decisions.grant(work, walks.case(work, number))


@pytest.mark.article("行政许可法#34")
def test_whoever_reviewed_does_not_sign(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, ("decision_review", "cai", ADVISE[2]))
    with pytest.raises(NotAllowed) as refused:
        walks.walk(office, number, SIGN)
    assert refused.value.facts["done"] == ["decision_review"]
    assert walks.outcome(office, number)["status"] == "accepted"


def test_whoever_took_the_case_in_does_not_decide_it(office):
    with office.work() as work:
        posts = (Post("SPJ", "window"), Post("SCJ", "signer"))
        people.enrol(work, "both", "两岗示例", id_number(2), posts=posts)
    number = walks.walk(office, walks.file(office), ("formal_check", "both", ACCEPT[2]), REVIEW, ADVISE)
    with pytest.raises(NotAllowed):
        walks.walk(office, number, ("sign_off", "both", SIGN[2]))
    assert walks.walk(office, number, SIGN)


@pytest.mark.article("行政许可法#34")
def test_a_site_is_visited_by_two_different_officers(office, restaurant):
    walks.walk(office, restaurant, REVIEW, FIRE, VISIT)
    with pytest.raises(NotAllowed) as refused:
        walks.walk(office, restaurant, ("site_visit_countersign", "wu", COUNTERSIGN[2]))
    assert "第三十四条" in refused.value.facts["basis"]
    walks.walk(office, restaurant, COUNTERSIGN)
    assert walks.open_elements(office, restaurant) == {"decision_review"}


def test_after_a_disagreement_on_site_the_same_officer_still_signs_only_one_part(office, restaurant):
    disagree = ("site_visit_countersign", "zheng", {"result": "disagree", "reason": "漏查洗手设施。"})
    walks.walk(office, restaurant, REVIEW, FIRE, VISIT, disagree)
    with pytest.raises(NotAllowed):
        walks.walk(office, restaurant, ("site_visit", "zheng", VISIT[2]))
    walks.walk(office, restaurant, VISIT, COUNTERSIGN)


def test_no_decision_while_a_department_still_owes_its_opinion(office, restaurant):
    walks.walk(office, restaurant, REVIEW)
    assert walks.open_elements(office, restaurant) == {"fire_opinion", "fire_opinion_late"}


def test_an_objection_is_settled_before_anybody_reviews(office, restaurant):
    walks.walk(office, restaurant, REVIEW, OBJECT, VISIT, COUNTERSIGN)
    assert walks.open_elements(office, restaurant) == {"settle_objection"}


@pytest.mark.article("消防法#15", "行政许可法#38")
def test_an_upheld_objection_cannot_be_granted_over(office, restaurant):
    walks.walk(office, restaurant, REVIEW, OBJECT, VISIT, COUNTERSIGN, UPHOLD, ADVISE, SIGN)
    stands = walks.outcome(office, restaurant)
    assert (stands["status"], stands["decision"], stands["licence"]) == ("accepted", None, None)
    assert walks.open_elements(office, restaurant) == {"decision_review"}


def test_an_objection_survives_a_return_to_the_examiner(office, restaurant):
    back = ("decision_review", "xu", {"result": "return", "opinion": "请补充审查。"})
    again = ("reexamination", "huang", {"result": "pass", "opinion": "材料符合。"})
    walks.walk(office, restaurant, REVIEW, OBJECT, VISIT, COUNTERSIGN, OVERCOME, back, again)
    assert walks.open_elements(office, restaurant) == {"settle_objection"}
    walks.walk(office, restaurant, UPHOLD, ADVISE, SIGN)
    assert walks.outcome(office, restaurant)["decision"] is None


def test_an_objection_that_was_overcome_lets_the_case_be_granted_and_stays_on_record(office, restaurant):
    walks.walk(office, restaurant, REVIEW, OBJECT, VISIT, COUNTERSIGN, OVERCOME, ADVISE, SIGN)
    stands = walks.outcome(office, restaurant)
    assert stands["decision"] == "granted"
    assert {"fire_opinion", "settle_objection"} <= set(stands["trail"])


def test_a_decision_stands_only_once(office, advised):
    walks.walk(office, advised, SIGN)
    for verb in (decisions.grant, decisions.accept, decisions.ask_correction, decisions.terminate):
        with pytest.raises(IllegalStep), office.work() as work:
            verb(work, walks.case(work, advised))


# Recommendations (办理建议).

AGAINST = ("decision_review", "xu", {"result": "refuse", "opinion": "场所不符合要求。"})
BACK = ("decision_review", "xu", {"result": "return", "opinion": "请补充审查。"})
AGAIN = ("reexamination", "huang", {"result": "fail", "opinion": "布局不符合要求。"})


def recommended(office, number):
    with office.work(read_only=True) as work:
        found = recommendations.of_case(work, walks.case(work, number))
        return {one.task.element: str(one.stance) for one in found}, recommendations.divided(found)


def unlike(office, number):
    with office.work(read_only=True) as work:
        lines = journal.read(work, walks.case(work, number))
        return [line.facts["tasks"] for line in lines if line.tag == recommendations.UNLIKE]


def test_a_grant_against_a_recommendation_says_why_and_is_noted(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, AGAINST)
    assert recommended(office, number) == ({"document_review": "for", "decision_review": "against"}, True)
    with pytest.raises(AnswersInvalid) as refused:
        walks.complete(office, number, SIGN)
    assert [missing.where for missing in refused.value.facts["missing"]] == ["answers.remark"]
    element, by, given = SIGN
    walks.complete(office, number, (element, by, given | {"remark": "现场整改已经完成。"}))
    assert walks.outcome(office, number)["decision"] == "granted"
    assert unlike(office, number) == [["decision_review"]]


def test_a_refusal_against_recommendations_is_noted(office, advised):
    walks.complete(office, advised, REFUSE)
    assert unlike(office, advised) == [["decision_review", "document_review"]]


def test_what_everybody_recommends_is_signed_without_a_word(office, advised):
    assert recommended(office, advised) == ({"document_review": "for", "decision_review": "for"}, False)
    walks.complete(office, advised, SIGN)
    assert unlike(office, advised) == []


def test_who_examined_again_recommends_what_they_said_last(office):
    number = walks.walk(office, walks.file(office), ACCEPT, REVIEW, BACK, AGAIN)
    assert recommended(office, number) == ({"reexamination": "against"}, False)


def test_an_objection_that_was_settled_divides_nobody(office, restaurant):
    walks.walk(office, restaurant, REVIEW, OBJECT, VISIT, COUNTERSIGN)
    assert recommended(office, restaurant)[0]["fire_opinion"] == "against"
    walks.walk(office, restaurant, OVERCOME, ADVISE)
    stances, divided = recommended(office, restaurant)
    assert (stances["fire_opinion"], divided) == ("against", False), "it is shown as settled, and divides nobody"
    walks.walk(office, restaurant, SIGN)
    assert unlike(office, restaurant) == []
