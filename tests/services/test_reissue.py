"""Reissuing one licence, or all of a type as one job that any worker goes on with after whatever stopped it."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

import certificates
from approval.domain.actors import VISITOR
from approval.domain.errors import AlreadyDone, AnswersInvalid, NotAllowed, NotFound, NotSignedIn
from approval.models.licences import Drawing, Reissue
from approval.models.people import Department
from approval.services import journal, licences, registrations, reissues, renditions, types, workers
from certificates import Act, IllegalAct, Licence, Outcome, State
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ADVISE, REVIEW, SIGN, at

FOOD = "11100000000013338W032"
WHY = {"reason": "证照样式调整。", "basis": "《食品经营许可和备案管理办法》第二十九条"}


@pytest.fixture
def issued(office):
    """Issue so many licences, one a case."""

    def issue(count, *, drawn=False):
        for _ in range(count):
            walks.walk(office, walks.file(office), ACCEPT, REVIEW, ADVISE, SIGN)
        if drawn:
            walks.run_errands(office)
        with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
            return sorted(licence.number for licence in licences.mine(work))

    return issue


def begin(office, by="cai", **more):
    with office.work(by=walks.signed_in(office, by)) as work:
        return reissues.begin(work, FOOD, "SCJ", **{**WHY, **more}).id


def standing(office, job):
    with office.work(by=walks.signed_in(office, "cai"), read_only=True) as work:
        found = reissues.obtain(work, job)
        return found.total, found.done, found.failed, found.ended_at is not None


def held(office, who="chen"):
    with office.work(by=walks.signed_in(office, who), read_only=True) as work:
        return sorted((one.number, one.version, one.state) for one in licences.mine(work))


def test_one_licence_is_reissued_and_drawn_and_the_old_print_is_told_apart(office, issued):
    (number,) = issued(1, drawn=True)
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        old = licences.mine(work)[0]
        before, token = licences.own_rendition(work, number), old.token
    with office.work(by=walks.signed_in(office, "cai")) as work:
        new = reissues.again(work, number, token="t", reason="遗失。", basis="第二十九条")
        assert (new.version, new.succession, new.valid_until) == (2, Act.REISSUE, old.valid_until)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        assert reissues.again(work, number, token="t", reason="遗失。", basis="第二十九条").version == 2
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.own_rendition(work, number) is None
    assert workers.draw(office) == 1
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        assert licences.own_rendition(work, number) not in {None, before}
        case = licences.origin(licences.mine(work)[0])
        lines = [line.tag for line in journal.read(work, work.session.get_one(walks.Case, case))]
        assert (lines.count("licence:reissued"), lines.count("licence:drawn")) == (1, 2)
        assert work.session.scalar(select(func.count()).select_from(Drawing)) == 0
    assert [facts["licence"] for facts in walks.told(office, "licence-reissued")] == [number]
    with office.work(by=VISITOR, read_only=True) as work:
        assert licences.verify(work, token=token).outcome is Outcome.SUPERSEDED


def test_what_may_be_done_at_the_window_names_it_only_for_a_valid_licence(office, issued):
    (number,) = issued(1)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licence = licences.in_charge(work, number)
        assert Act.REISSUE in licences.possible(work, licence)
        licences.perform(work, number, Act.SUSPEND, **WHY)
        assert Act.REISSUE not in licences.possible(work, licence)
        with pytest.raises(IllegalAct):
            reissues.again(work, number, **WHY)


@pytest.mark.parametrize(("by", "refusal"), [("wang", NotFound), ("chen", NotFound)])
def test_nobody_but_a_signer_of_its_department_reissues(office, issued, by, refusal):
    (number,) = issued(1)
    with office.work(by=walks.signed_in(office, by)) as work, pytest.raises(refusal):
        reissues.again(work, number, **WHY)
    with office.work(by=walks.signed_in(office, by)) as work, pytest.raises(NotAllowed):
        reissues.begin(work, FOOD, "SCJ", **WHY)
    with office.work(by=VISITOR) as work, pytest.raises(NotSignedIn):
        reissues.begin(work, FOOD, "SCJ", **WHY)


def test_all_of_a_type_are_reissued_once_each_in_steps(office, issued, monkeypatch):
    monkeypatch.setattr(reissues, "_A_WORK", 2)
    numbers = issued(5)
    job = begin(office)
    assert standing(office, job) == (5, 0, 0, False)
    assert office.do(lambda work: reissues.step(work, job))
    assert standing(office, job) == (5, 2, 0, False)
    assert workers.reissue(office) > 0
    assert standing(office, job) == (5, 5, 0, True)
    assert held(office) == [(number, 2, State.VALID) for number in numbers]
    assert workers.reissue(office) == 0
    assert not office.do(lambda work: reissues.step(work, job))


def test_a_power_cut_between_two_steps_leaves_none_out_and_does_none_twice(office, issued, monkeypatch):
    monkeypatch.setattr(reissues, "_A_WORK", 2)
    numbers = issued(4)
    job = begin(office)
    remake, count = reissues._remake, iter(range(99))

    def cut(*given, **named):
        if next(count) == 3:
            raise KeyboardInterrupt
        return remake(*given, **named)

    monkeypatch.setattr(reissues, "_remake", cut)
    with pytest.raises(KeyboardInterrupt):
        workers.reissue(office)
    assert standing(office, job) == (4, 2, 0, False)
    workers.reissue(office)
    assert held(office) == [(number, 2, State.VALID) for number in numbers]
    assert standing(office, job) == (4, 4, 0, True)


def test_what_is_not_valid_is_left_out_and_what_fails_is_told(office, issued, monkeypatch):
    first, second, third = issued(3)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, first, Act.SUSPEND, **WHY)
    job = begin(office)
    succeed = certificates.succeed

    def refused(session, number, *given, **named):
        if number == second:
            raise certificates.SealRefused(why="away")
        return succeed(session, number, *given, **named)

    monkeypatch.setattr(certificates, "succeed", refused)
    workers.reissue(office)
    assert standing(office, job) == (2, 1, 1, True)
    assert held(office) == [(first, 1, State.SUSPENDED), (second, 1, State.VALID), (third, 2, State.VALID)]
    with office.work(read_only=True) as work:
        assert work.session.get_one(Reissue, job).failures == [{"number": second, "why": "seal-refused"}]


def test_a_licence_given_back_while_a_job_is_under_way_is_reissued_too(office, issued):
    first, second = issued(2)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, first, Act.SUSPEND, **WHY)
    job = begin(office)
    assert standing(office, job) == (1, 0, 0, False)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        licences.perform(work, first, Act.RESUME, **WHY)
    workers.reissue(office)
    assert standing(office, job) == (2, 2, 0, True)
    assert held(office) == [(first, 2, State.VALID), (second, 2, State.VALID)]


def test_a_job_that_cannot_go_on_holds_up_nobody(office, issued, monkeypatch, caplog):
    issued(1)
    job = begin(office)

    def broken(*_given, **_named):
        raise RuntimeError("out of order")

    monkeypatch.setattr(reissues, "step", broken)
    assert workers.reissue(office) == 0
    assert str(job) in caplog.text


def test_one_job_at_a_time_and_it_can_be_halted(office, issued):
    issued(1)
    job = begin(office)
    with pytest.raises(AlreadyDone):
        begin(office)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        reissues.halt(work, job)
    assert workers.reissue(office) == 0
    with office.work(by=walks.signed_in(office, "cai")) as work:
        assert reissues.go_on(work, job).halted_at is None
        assert [one.id for one in reissues.listed(work)] == [job]
    workers.reissue(office)
    assert standing(office, job) == (1, 1, 0, True)
    with office.work(by=walks.signed_in(office, "cai")) as work, pytest.raises(AlreadyDone):
        reissues.halt(work, job)
    with office.work(by=walks.signed_in(office, "wang")) as work, pytest.raises(NotFound):
        reissues.obtain(work, job)


def test_of_two_who_begin_at_once_one_does(office, issued):
    issued(1)
    results = races.at_once(*[lambda: begin(office)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["AlreadyDone", "UUID"]


@pytest.mark.parametrize("missing", ["reason", "basis"])
def test_reason_and_article_are_asked_for(office, issued, missing):
    issued(1)
    with pytest.raises(AnswersInvalid) as refused:
        begin(office, **{missing: " "})
    assert [each.where for each in refused.value.facts["missing"]] == [f"answers.{missing}"]


def test_a_type_that_was_never_issued_is_not_found(office):
    with pytest.raises(NotFound):
        begin(office)


def test_the_new_form_and_the_department_s_new_name_are_on_the_new_version(office, issued):
    (number,) = issued(1, drawn=True)
    with office.work(by=walks.signed_in(office, "admin")) as work:
        definition, template = types.newest(work, FOOD)
        public = tuple(field._replace(public=field.name == "operator") for field in definition.fields)
        registrations.publish(work, replace(definition, fields=public), template + "<!-- 2 -->", tried=[])
        work.session.get_one(Department, "SCJ").zh = "泉州市市场监督管理局（新名称）"
    begin(office)
    workers.reissue(office)
    assert workers.draw(office) == 1
    with office.work(by=walks.signed_in(office, "chen"), read_only=True) as work:
        licence = licences.own(work, number)
        assert (licence.issuer_name, licence.public_fields) == ("泉州市市场监督管理局（新名称）", ["operator"])
        assert licences.verify(work, token=licence.token).outcome is Outcome.VALID


def test_a_licence_that_cannot_be_drawn_is_tried_later_and_told(office, issued, clock):
    (number,) = issued(1)
    with office.work(by=walks.signed_in(office, "admin")) as work:
        definition, template = types.newest(work, FOOD)
        registrations.publish(work, definition, template + "{{ licence.nothing }}", tried=[])
    begin(office)
    workers.reissue(office)
    assert (workers.draw(office), workers.draw(office)) == (0, 0)
    with office.work(read_only=True) as work:
        waiting, failed = renditions.left(work, FOOD, "SCJ")
        assert (waiting, [each for each, _ in failed]) == (1, [number])
        assert "nothing" in failed[0][1]
    with office.work(by=walks.signed_in(office, "admin")) as work:
        registrations.publish(work, definition, template, tried=[])
    clock.now = at("2026-12-31 10:00")
    assert workers.draw(office) == 1
    with office.work(read_only=True) as work:
        assert renditions.left(work, FOOD, "SCJ") == (0, [])


def test_a_licence_whose_seal_is_away_is_tried_later_and_holds_up_no_other(office, issued, clock, monkeypatch):
    monkeypatch.setattr(renditions, "_AT_ONCE", 1)
    first, _ = issued(2)
    begin(office)
    workers.reissue(office)
    compose = certificates.compose_code

    def away(session, licence, *given):
        if licence.number == first:
            raise certificates.SealRefused(why="the seal's certificate does not hold now")
        return compose(session, licence, *given)

    with monkeypatch.context() as seal:
        seal.setattr(certificates, "compose_code", away)
        assert [workers.draw(office) for _ in range(3)].count(1) == 1
    with office.work(read_only=True) as work:
        assert [number for number, _ in renditions.left(work, FOOD, "SCJ")[1]] == [first]
    clock.now = at("2026-12-31 10:00")
    assert workers.draw(office) == 1


def test_a_licence_that_failed_too_often_waits_for_a_person(office, issued, clock):
    issued(1)
    begin(office)
    workers.reissue(office)
    with office.work() as work:
        drawing = work.session.scalars(select(Drawing)).one()
        drawing.attempts = office.settings.errand_attempts - 1
        renditions._put_off(work, drawing.licence_id, "away")
        assert (drawing.try_at, drawing.why) == (None, "away")
    clock.now = at("2027-12-31 10:00")
    assert workers.draw(office) == 0


def test_versions_name_the_case_they_came_from(office, issued):
    (number,) = issued(1)
    with office.work(by=walks.signed_in(office, "cai")) as work:
        first = licences.in_charge(work, number)
        case = licences.origin(first)
        assert [licences.origin(reissues.again(work, number, **WHY)) for _ in range(2)] == [case, case]
        assert [one.version for one in certificates.versions(work.session, number)] == [3, 2, 1]
        assert work.session.scalar(select(func.count()).select_from(Licence)) == 3


def test_of_two_who_reissue_one_at_once_each_makes_a_version_of_its_own(office, issued):
    (number,) = issued(1)

    def again(token):
        with office.work(by=walks.signed_in(office, "cai")) as work:
            return reissues.again(work, number, token=token, **WHY).version

    assert sorted(races.at_once(lambda: again("one"), lambda: again("two"))) == [2, 3]
    with office.work(read_only=True) as work:
        assert len(walks.told(office, "licence-reissued")) == 2, "no notice of a version that there is not"
        assert [one.version for one in certificates.versions(work.session, number)] == [3, 2, 1]
