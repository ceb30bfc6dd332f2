"""The library of laws: what was in force on a day, who cites it, and publishing without changing anything."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from approval.domain.errors import AnswersInvalid, NotAllowed, NotFound, NotSignedIn, Overtaken, PackRefused
from approval.domain.laws import Act, ArticleText, Citation, Edition
from approval.models.laws import LawArticle, LawVersion
from approval.services import cases, citations, dossiers, grounds, laws, packs
from approval.settings import Settings
from tests.kit import races, walks
from tests.kit.samples import ACCEPT, ITEM, at

SILENCE = Citation("行政许可法", "32.1.4")
ACT = Act("sample", "示例法", "示例法", "Sample Law", "示例机关", "令第1号")


def edition(text, since, until=None, number="32.1.4"):
    return Edition(since, until, "示例修正", (ArticleText(number, text, paraphrase=False),))


def publish(office, given, *, by="admin", code="licensing", seen=None):
    with office.work(by=walks.signed_in(office, by)) as work:
        return laws.publish(work, code, given, seen=laws.count(work, code) if seen is None else seen).ordinal


def said(office, day, citation=SILENCE):
    with office.work(read_only=True) as work:
        found = laws.text(work, citation, on=day)
        return found.text if found else None


def rows(office):
    with office.work(read_only=True) as work:
        return [(row.act_code, row.ordinal, row.number, row.text) for row in work.session.scalars(select(LawArticle))]


def test_bringing_the_shipped_acts_again_changes_nothing(office):
    before = rows(office)
    assert len(before) > 30
    with office.work() as work:
        laws.bring(work)
    assert rows(office) == before


def test_the_library_and_the_shipped_acts_tell_the_same(office):
    with office.work(read_only=True) as work:
        assert laws.library(work) == laws.shipped()


def test_every_citation_of_the_shipped_packs_is_known(pack):
    library = laws.shipped()
    cited = [one for basis in citations.of_pack(pack.digest, lambda: pack.files) for one in library.find(basis.text)]
    assert {citation.canonical for citation in cited} >= {"行政许可法#32.1.4", "消防法#15", "食品安全法#35"}
    assert [citation for citation in cited if library.held(citation) is None] == []


def test_a_text_is_in_force_from_its_first_day_to_the_day_before_the_next(office):
    before = said(office, date(2026, 11, 30))
    publish(office, edition("新的条文。", date(2026, 12, 1), date(2026, 12, 31)))
    assert said(office, date(2026, 11, 30)) == before
    assert said(office, date(2026, 12, 1)) == "新的条文。"
    assert said(office, date(2026, 12, 31)) == "新的条文。"
    # The item ended; what it is a part of stands on, and an older text does not come back.
    assert said(office, date(2027, 1, 1)) == said(office, date(2027, 1, 1), Citation("行政许可法", "32"))
    assert said(office, date(2004, 6, 30)) is None
    assert said(office, date(2004, 7, 1)) == before


def test_an_amendment_changes_only_the_articles_it_names(office):
    food = Citation("食品安全法", "35")
    assert said(office, date(2021, 4, 28), food) != said(office, date(2021, 4, 29), food)
    other = Citation("食品安全法", "45")
    assert said(office, date(2021, 4, 28), other) == said(office, date(2021, 4, 29), other)


def test_a_part_without_a_text_of_its_own_is_told_by_the_article(office):
    assert said(office, date(2026, 1, 1), Citation("消防法", "15.1")) == said(
        office, date(2026, 1, 1), Citation("消防法", "15")
    )
    assert said(office, date(2026, 1, 1), Citation("消防法", "99")) is None
    assert said(office, date(2026, 1, 1), Citation("某法", "1")) is None


def test_publishing_adds_and_neither_changes_nor_deletes(office):
    before = rows(office)
    publish(office, edition("新的条文。", date(2026, 12, 1)))
    publish(office, edition("更正的条文。", date(2026, 12, 1)))
    assert set(before) < set(rows(office))
    assert said(office, date(2026, 12, 1)) == "更正的条文。"
    with office.work(read_only=True) as work:
        history = laws.history(work, laws.act(work, "licensing"), "32.1.4")
        assert [each.text for each in history][:2] == ["更正的条文。", "新的条文。"]
        assert len(history) == 3


def test_the_same_content_is_the_same_version_and_an_earlier_wording_counts_again(office):
    one = publish(office, edition("甲", date(2026, 12, 1)))
    assert publish(office, edition("甲", date(2026, 12, 1)), seen=0) == one
    publish(office, edition("乙", date(2026, 12, 1)))
    publish(office, edition("甲", date(2026, 12, 1)))
    assert said(office, date(2026, 12, 1)) == "甲"


def test_what_an_administrator_published_outlasts_the_next_bringing(office):
    publish(office, edition("官方文本。", date(2004, 7, 1)))
    with office.work() as work:
        laws.bring(work)
    assert said(office, date(2026, 1, 1)) == "官方文本。"


def test_of_two_administrators_at_once_one_is_overtaken(office):
    admin = walks.signed_in(office, "admin")
    with office.work(read_only=True) as work:
        seen = laws.count(work, "licensing")

    def act(text):
        def publishing():
            with office.work(by=admin) as work:
                return laws.publish(work, "licensing", edition(text, date(2026, 12, 1)), seen=seen).ordinal

        return publishing

    outcomes = races.at_once(act("甲"), act("乙"))
    assert sorted(type(each) is Overtaken for each in outcomes) == [False, True], outcomes
    with office.work(read_only=True) as work:
        assert laws.count(work, "licensing") == seen + 1


def test_only_an_administrator_publishes(office):
    given = edition("甲", date(2026, 12, 1))
    with pytest.raises(NotAllowed):
        publish(office, given, by="cai")
    with office.work() as work:
        visitor = work.acting_as(replace(work.actor, system=False))
        with pytest.raises(NotSignedIn):
            laws.publish(visitor, "licensing", given, seen=0)
        with pytest.raises(NotSignedIn):
            laws.publish_act(visitor, ACT)


def test_what_is_wrong_is_told_and_nothing_is_kept(office):
    before = rows(office)
    with pytest.raises(AnswersInvalid) as refused:
        publish(office, Edition(date.min, None, "", (ArticleText("x", "", paraphrase=False),)))
    assert {missing.where.removeprefix("answers.") for missing in refused.value.facts["missing"]} == {
        "valid_from",
        "document",
        "number",
        "text",
    }
    with pytest.raises(NotFound):
        publish(office, edition("甲", date(2026, 12, 1)), code="nothing", seen=0)
    assert rows(office) == before


def test_an_act_is_taken_in_once_and_its_names_are_its_own(office):
    with office.work(by=walks.signed_in(office, "admin")) as work:
        kept = laws.publish_act(work, ACT)
        assert laws.publish_act(work, ACT) is kept
        for change, where in (
            ({"code": "licensing"}, {"code", "short"}),
            ({"code": "other", "short": "行政许可法"}, {"short"}),
        ):
            with pytest.raises(AnswersInvalid) as refused:
                laws.publish_act(work, replace(ACT, **change))
            assert {missing.where.removeprefix("answers.") for missing in refused.value.facts["missing"]} == where
    with office.work(read_only=True) as work:
        assert "示例法" in laws.library(work).names


def test_a_change_tells_the_items_and_the_open_cases_it_touches(office, pack):
    number = walks.file(office)
    changed = pack.files["item.toml"].replace("行政许可法第三十二条第一款第四项".encode(), "本市规定".encode())
    shared = {path: content for path, content in pack.files.items() if path != "_shared/accept.bpmn"}
    accept = pack.files["_shared/accept.bpmn"].replace("行政许可法第三十二条".encode(), b"")
    with office.work(by=walks.signed_in(office, "admin")) as work:
        (touched,) = laws.touched(work, SILENCE)
        assert (touched.version.item_code, touched.in_force, touched.running) == (ITEM, True, 1)
        assert touched.cases == [number]
        assert {"limits.acceptance", "accept"} <= set(touched.places)
        assert laws.touched(work, Citation("行政许可法", "70")) == []
        # A newer version that cites it no more leaves the case pinned to the one that does.
        packs.deploy(work, packs.read({**shared, "item.toml": changed, "_shared/accept.bpmn": accept}))
        (still,) = laws.touched(work, SILENCE)
        assert (still.version.ordinal, still.in_force, still.cases) == (1, False, [number])
    with office.work(by=walks.signed_in(office, "chen")) as work:
        cases.withdraw(work, number, "不办了。")
    with office.work(read_only=True) as work:
        assert laws.touched(work, SILENCE) == []


def test_the_case_shows_the_text_that_was_in_force_on_the_day_of_the_act(office, clock):
    publish(office, edition("次日起的条文。", date(2026, 9, 22), number="32.1.5"))
    early = walks.walk(office, walks.file(office), ACCEPT)
    late = walks.file(office)
    clock.now = at("2026-09-22 09:00")
    walks.walk(office, late, ACCEPT)
    for number, new in ((early, False), (late, True)):
        with office.work(by=walks.signed_in(office, "wang"), read_only=True) as work:
            dossier = dossiers.read(work, walks.case(work, number))
            by_line = grounds.of_case(work, dossier)
        (line,) = [each.sequence for each in dossier.journal if each.tag == "case:accepted"]
        found = {ground.citation.canonical: ground for ground in by_line[line]}
        assert {"行政许可法#32.1.5", "行政许可法#42.1"} <= found.keys()
        assert (found["行政许可法#32.1.5"].article.text == "次日起的条文。") is new


def unknown(checked):
    return [fault for fault in checked.warnings if "library of laws" in fault.why]


def cited(pack, *lines, top=""):
    manifest = pack.files["item.toml"].decode()
    return packs.check(
        {**pack.files, "item.toml": f"{top}\n{manifest}\n[cites]\n{chr(10).join(lines)}\n".encode()}, Settings()
    )


def test_an_element_may_cite_and_an_unknown_citation_is_a_warning(pack):
    assert unknown(packs.check(pack.files, Settings())) == []
    checked = cited(pack, 'document_review = ["行政许可法#34", "某市条例#7"]')
    assert checked.manifest.cites["document_review"] == ("行政许可法#34", "某市条例#7")
    (warning,) = unknown(checked)
    assert (warning.element, warning.level) == ("document_review", "warning")
    assert "某市条例第七条" in warning.why


@pytest.mark.parametrize(
    ("line", "top", "element"),
    [
        ('nowhere = ["行政许可法#34"]', "", "cites.nowhere"),
        ('document_review = ["三十四条"]', "", "cites.document_review"),
        ("document_review = 5", "", "cites.document_review"),
        ('document_review = ["某市条例#7"]', 'law = "strict"', "document_review"),
        ("", 'law = "loose"', "law"),
    ],
)
def test_a_pack_that_cites_wrongly_is_refused(pack, line, top, element):
    with pytest.raises(PackRefused) as refused:
        cited(pack, line, top=top)
    assert element in {fault.element for fault in refused.value.facts["faults"]}
    assert {fault.level for fault in refused.value.facts["faults"]} == {"error"}


def test_a_notice_of_a_pack_may_cite(pack):
    files = {**pack.files, "notices/receipt.html": "<p>某市条例第七条</p>".encode()}
    (warning,) = unknown(packs.check(files, Settings()))
    assert warning.file == "notices/receipt.html"


def test_a_strict_pack_that_cites_what_is_known_is_taken(pack):
    assert cited(pack, 'document_review = ["行政许可法#34"]', top='law = "strict"').manifest.law == "strict"


def test_the_editions_of_an_act_are_listed_the_last_in_force_first(office):
    with office.work(read_only=True) as work:
        listed = laws.versions(work, laws.act(work, "licensing"))
        assert [each.valid_from for each in listed] == [date(2019, 4, 23), date(2004, 7, 1)]
        assert len(work.session.scalars(select(LawVersion)).all()) > len(listed)
        numbers = [each.number for each in laws.articles(work, laws.act(work, "licensing"), on=date(2026, 1, 1))]
        assert numbers[:6] == ["29", "30", "31", "32", "32.1.1", "32.1.2"]
