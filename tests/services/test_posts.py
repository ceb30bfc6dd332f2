"""Posts: who works where is given and taken by administrators, of whom one always stays."""

import pytest
from sqlalchemy import select

from approval.domain.actors import Post
from approval.domain.errors import AnswersInvalid, IllegalStep, NotAllowed, NotFound
from approval.models.people import Person, Session
from approval.services import people, posts
from tests.kit import races, walks
from tests.kit.samples import id_number

PASSWORD = "correct horse 电池"
WINDOW, BOSS = Post("SPJ", "window"), Post("SPJ", "administrator")


@pytest.fixture
def admin(office):
    return walks.signed_in(office, "admin")


def person(office, code):
    return walks.signed_in(office, code).person


def do(office, by, act, *given):
    with office.work(by=by) as work:
        act(work, *given)


def held(office, code):
    return {tuple(post) for post in walks.signed_in(office, code).posts}


def second(office, post=BOSS):
    with office.work() as work:
        people.enrol(work, "second", "第二管理", id_number(7), posts=(post,), password=PASSWORD)
    return walks.signed_in(office, "second")


def test_only_administrators_may_touch_people(office):
    chen = person(office, "chen")
    before = walks.everything(office)
    acts = [
        posts.roster,
        lambda work: posts.find(work, chen),
        lambda work: posts.enrol(work, "new", "新人", id_number(7), PASSWORD),
        lambda work: posts.give(work, chen, WINDOW),
        lambda work: posts.take(work, chen, WINDOW),
        lambda work: posts.disable(work, chen),
        lambda work: posts.enable(work, chen),
        lambda work: posts.set_password(work, chen, PASSWORD),
        lambda work: posts.names(work, [chen]),
        lambda work: posts.who(work, str(chen)),
    ]
    for act in acts:
        with pytest.raises(NotAllowed), office.work(by=walks.signed_in(office, "wang")) as work:
            act(work)
    assert walks.everything(office) == before


def test_a_post_is_given_once_and_taken_away(office, admin):
    chen = person(office, "chen")
    do(office, admin, posts.give, chen, WINDOW)
    do(office, admin, posts.give, chen, WINDOW)
    assert held(office, "chen") == {("SPJ", "window")}
    do(office, admin, posts.take, chen, WINDOW)
    do(office, admin, posts.take, chen, WINDOW)
    assert held(office, "chen") == set()


@pytest.mark.parametrize(
    ("post", "wrong"),
    [
        (Post("NASA", "window"), {"answers.department"}),
        (Post("SPJ", "applicant"), {"answers.role"}),
        (Post("", "emperor"), {"answers.department", "answers.role"}),
    ],
)
def test_a_post_that_no_item_knows_is_refused(office, admin, post, wrong):
    with pytest.raises(AnswersInvalid) as refusal:
        do(office, admin, posts.give, person(office, "chen"), post)
    assert {entry.where for entry in refusal.value.facts["missing"]} == wrong


def test_whoever_is_enrolled_can_sign_in(office, admin):
    do(office, admin, posts.enrol, "new", "新人", id_number(7), PASSWORD)
    with office.work() as work:
        assert people.sign_in(work, "new", PASSWORD)


def test_all_that_is_wrong_with_an_enrolment_is_told_at_once(office, admin):
    before = walks.everything(office)
    with pytest.raises(AnswersInvalid) as refusal:
        do(office, admin, posts.enrol, "<b>", "", "350502199001010000", "short")
    told = {entry.where: entry.why for entry in refusal.value.facts["missing"]}
    assert told == {
        "answers.code": "wrong-form",
        "answers.name": "required",
        "answers.id_number": "wrong-form",
        "answers.password": "too-short",
    }
    assert walks.everything(office) == before


def test_a_name_or_a_number_that_somebody_has_is_refused(office, admin):
    with office.work(read_only=True) as work:
        taken = work.session.scalars(select(Person.id_number).where(Person.code == "chen")).one()
    with pytest.raises(AnswersInvalid) as refusal:
        do(office, admin, posts.enrol, "chen", "又一个", taken, PASSWORD)
    assert {entry.where for entry in refusal.value.facts["missing"]} >= {"answers.code"}
    with pytest.raises(AnswersInvalid) as refusal:
        do(office, admin, posts.enrol, "chen2", "又一个", taken, PASSWORD)
    assert [(entry.where, entry.why) for entry in refusal.value.facts["missing"]] == [("answers.id_number", "taken")]


def test_two_who_enrol_the_same_person_at_once_enrol_one(office, admin):
    other = second(office)
    outcomes = races.at_once(
        *(lambda by=by: do(office, by, posts.enrol, "new", "新人", id_number(8), PASSWORD) for by in (admin, other))
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AnswersInvalid", "NoneType"]


def test_somebody_disabled_is_out_at_once_and_cannot_come_back_until_enabled(office, admin):
    do(office, admin, posts.set_password, person(office, "wang"), PASSWORD)
    wang = person(office, "wang")
    with office.work() as work:
        assert people.sign_in(work, "wang", PASSWORD)
    do(office, admin, posts.disable, wang)
    with office.work() as work:
        assert not work.session.scalars(select(Session).where(Session.person_id == wang)).all()
        assert people.sign_in(work, "wang", PASSWORD) is None
    with pytest.raises(NotFound):
        walks.signed_in(office, "wang")
    do(office, admin, posts.enable, wang)
    with office.work() as work:
        assert people.sign_in(work, "wang", PASSWORD)


def test_a_new_password_ends_all_sessions(office, admin):
    wang = person(office, "wang")
    do(office, admin, posts.set_password, wang, PASSWORD)
    with office.work() as work:
        people.sign_in(work, "wang", PASSWORD)
    with pytest.raises(AnswersInvalid):
        do(office, admin, posts.set_password, wang, "short")
    do(office, admin, posts.set_password, wang, PASSWORD + "!")
    with office.work() as work:
        assert not work.session.scalars(select(Session).where(Session.person_id == wang)).all()


def test_the_last_administrator_stays(office, admin):
    before = walks.everything(office)
    for act in (lambda work: posts.disable(work, admin.person), lambda work: posts.take(work, admin.person, BOSS)):
        with pytest.raises(IllegalStep), office.work(by=admin) as work:
            act(work)
    assert walks.everything(office) == before


def test_one_who_is_disabled_does_not_count_as_an_administrator(office, admin):
    other = second(office)
    do(office, admin, posts.disable, other.person)
    with pytest.raises(IllegalStep):
        do(office, admin, posts.take, admin.person, BOSS)
    do(office, admin, posts.take, other.person, BOSS)


def test_an_administrator_may_leave_when_another_stays(office, admin):
    other = second(office, Post("XFJ", "administrator"))
    do(office, other, posts.disable, admin.person)
    with pytest.raises(IllegalStep):
        do(office, other, posts.take, other.person, Post("XFJ", "administrator"))


def test_of_two_posts_of_the_last_administrator_one_may_go(office, admin):
    do(office, admin, posts.give, admin.person, Post("XFJ", "administrator"))
    do(office, admin, posts.take, admin.person, BOSS)
    with pytest.raises(IllegalStep):
        do(office, admin, posts.take, admin.person, Post("XFJ", "administrator"))


def test_two_administrators_who_disable_each_other_at_once_leave_one(office, admin):
    other = second(office)
    outcomes = races.at_once(
        lambda: do(office, admin, posts.disable, other.person),
        lambda: do(office, other, posts.disable, admin.person),
    )
    assert min(type(outcome).__name__ for outcome in outcomes) in {"IllegalStep", "Overtaken"}
    with office.work(read_only=True) as work:
        active = select(Person.code).where(Person.disabled_at.is_(None), Person.code.in_(("admin", "second")))
        assert len(work.session.scalars(active).all()) == 1


@pytest.mark.parametrize(
    ("search", "found"),
    [("wang", {"wang"}), ("WANG", {"wang"}), ("陈", {"chen"}), ("%", set()), ("_", set()), ("3505", set())],
)
def test_people_are_found_by_name_and_never_by_number(office, admin, search, found):
    with office.work(by=admin, read_only=True) as work:
        assert {each.code for each in posts.roster(work, search)} == found


def test_people_come_in_pages(office, admin):
    with office.work(by=admin, read_only=True) as work:
        first, rest = posts.roster(work, limit=3), posts.roster(work, limit=100, offset=3)
        assert len(first) == 3
        assert not {each.code for each in first} & {each.code for each in rest}


def test_an_identity_number_is_masked(office, admin):
    with office.work(by=admin, read_only=True) as work:
        chen = posts.roster(work, "chen")[0]
        shown = posts.masked(chen)
        assert len(shown) == len(chen.id_number)
        assert chen.id_number[6:14] not in shown


def test_records_are_told_by_name(office, admin):
    with office.work(by=admin, read_only=True) as work:
        assert posts.who(work, admin.label) == admin.name
        assert posts.who(work, "system") == "系统"
        assert posts.who(work, "visitor") == "visitor"
