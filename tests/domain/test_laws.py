"""Citations in both forms, and what an act and its editions must say."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approval.domain import laws
from approval.domain.laws import Act, ArticleText, Citation, Edition, Library

NAMES = {
    "行政许可法": "行政许可法",
    "中华人民共和国行政许可法": "行政许可法",
    "国务院令第716号": "在线政务规定",
    "食品经营许可和备案管理办法": "食品经营许可和备案管理办法",
}
PARTS = st.integers(1, 99)
ACT = Act("sample", "示例法", "中华人民共和国示例法", "Sample Law", "示例机关", "主席令第一号", ("示例令第1号",))
EDITION = Edition(date(2026, 1, 1), None, "主席令第一号", (ArticleText("1", "示例。", paraphrase=False),))


@st.composite
def numbers(draw):
    article = str(draw(st.integers(1, 999)))
    article += draw(st.one_of(st.just(""), PARTS.map("-{}".format)))
    parts = draw(st.lists(st.integers(0, 99), max_size=3))
    while parts and not parts[-1]:
        parts.pop()
    return ".".join([article, *map(str, parts)])


CITATIONS = st.builds(
    Citation, st.sampled_from(["行政许可法", "食品经营许可和备案管理办法", "某市示例条例"]), numbers()
)


@given(st.integers(1, 999))
def test_a_chinese_numeral_is_read_as_it_is_said(number):
    assert laws.count(laws.numeral(number)) == number


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "一"), (10, "十"), (15, "十五"), (20, "二十"), (100, "一百"), (101, "一百零一"), (110, "一百一十"),
     (115, "一百一十五"), (999, "九百九十九")],
)  # fmt: skip
def test_a_chinese_numeral_is_said_as_statutes_say_it(number, said):
    assert laws.numeral(number) == said


@given(CITATIONS)
def test_a_citation_comes_back_from_either_form(citation):
    assert laws.parse(citation.canonical) == citation
    assert laws.parse(citation.human) == citation
    assert laws.find(f"依照{citation.human}的规定办理。", NAMES) == [citation]


@given(st.text(max_size=80))
def test_no_text_in_the_world_crashes_the_search(text):
    for citation in laws.find(text, NAMES, default="行政许可法"):
        assert laws.parse(citation.canonical) == citation


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("行政许可法第三十二条第一款第四项", ["行政许可法#32.1.4"]),
        ("《中华人民共和国行政许可法》第三十四条：两名以上", ["行政许可法#34"]),
        ("行政许可法第三十二条第一款第四、五项", ["行政许可法#32.1.4", "行政许可法#32.1.5"]),
        ("行政许可法第三十二条第一款第五项、第四十二条", ["行政许可法#32.1.5", "行政许可法#42"]),
        ("行政许可法第三十九条第（四）项", ["行政许可法#39.0.4"]),
        ("国务院令第716号第十三条", ["在线政务规定#13"]),
        ("消防法第十五条；明火", ["消防法#15"]),
        ("依据某市示例条例第一百零一条之二", ["某市示例条例#101-2"]),
        ("中华人民共和国食品安全法第35条", ["食品安全法#35"]),
        ("食品经营许可和备案管理办法：有效期五年", ["食品经营许可和备案管理办法#"]),
        ("行政许可法#32.1.4，以及行政许可法#34", ["行政许可法#32.1.4", "行政许可法#34"]),
        ("第三十八条说明理由", []),
        ("受办分离：由不同的人承担", []),
        ("行政许可法第零条", []),
    ],
)
def test_what_people_write_is_found(text, cited):
    assert [citation.canonical for citation in laws.find(text, NAMES)] == cited


def test_an_article_without_an_act_belongs_to_the_default_and_never_to_an_act_far_away():
    text = "消防法第十五条。第三十八条另说。"
    assert laws.find(text, NAMES) == [Citation("消防法", "15")]
    assert laws.find(text, NAMES, default="行政许可法") == [Citation("消防法", "15"), Citation("行政许可法", "38")]


@pytest.mark.parametrize(
    "text", ["", "行政许可法", "行政许可法#0", "行政许可法#32.", "见行政许可法第三十二条规定", "#32"]
)
def test_what_is_not_one_citation_is_none(text):
    assert laws.parse(text) is None


def test_a_part_a_whole_and_the_act_touch_one_another_and_neighbours_do_not():
    item, article = Citation("行政许可法", "32.1.4"), Citation("行政许可法", "32")
    assert [each.number for each in item.broader()] == ["32.1.4", "32.1", "32"]
    assert [each.number for each in Citation("行政许可法", "39.0.4").broader()] == ["39.0.4", "39"]
    assert item.overlaps(article)
    assert article.overlaps(item)
    assert item.overlaps(Citation("行政许可法", ""))
    assert not item.overlaps(Citation("行政许可法", "32.1.5"))
    assert not item.overlaps(Citation("行政许可法", "3"))
    assert not item.overlaps(Citation("消防法", "32.1.4"))


def test_a_library_holds_a_citation_by_the_narrowest_text_it_has():
    library = Library(NAMES, frozenset({Citation("行政许可法", "32")}))
    assert library.known("行政许可法第三十二条第一款第四项、第三十四条") == [Citation("行政许可法", "32")]
    assert library.held(Citation("行政许可法", "")) == Citation("行政许可法", "")
    assert library.held(Citation("某法", "")) is None


def test_a_whole_act_and_edition_have_no_faults():
    assert [*ACT.faults(), *EDITION.faults()] == []
    assert {"示例法", "中华人民共和国示例法", "示例令第1号"} <= ACT.names


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"code": "New Law"}, "code"), ({"code": "new"}, "code"), ({"short": "a#b"}, "short"), ({"zh": ""}, "zh"),
        ({"en": "x" * 81}, "en"), ({"issuer": "\u202e"}, "issuer"), ({"document": " "}, "document"),
        ({"aliases": ("",)}, "aliases"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_act_is_told_by_its_place(change, where):
    told = Act(**{name: change.get(name, getattr(ACT, name)) for name in ACT.__dataclass_fields__}).faults()
    assert [missing.where for missing in told] == [f"answers.{where}"]


@pytest.mark.parametrize(
    ("number", "text", "until", "where"),
    [
        ("0", "示例。", None, "number"), ("1.0", "示例。", None, "number"), ("1'; --", "示例。", None, "number"),
        ("1", " ", None, "text"), ("1", "\u202e", None, "text"), ("1", "x" * 20_001, None, "text"),
        ("1", "示例。", date(2025, 12, 31), "valid_until"), ("1", "示例。", date.min, "valid_until"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_edition_is_told_by_its_place(number, text, until, where):
    edition = Edition(date(2026, 1, 1), until, "令", (ArticleText(number, text, paraphrase=False),))
    assert [missing.where for missing in edition.faults()] == [f"answers.{where}"]


def test_an_edition_says_from_when():
    missing = list(Edition(date.min, None, "令", EDITION.articles).faults())
    assert [each.where for each in missing] == ["answers.valid_from"]
