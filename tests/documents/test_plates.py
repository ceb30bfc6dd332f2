"""Plates: a licence drawn from one is the licence that WeasyPrint would have drawn; what is not sure goes its way."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
import segno
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import ImageChops, ImageDraw
from pypdf import PdfReader

from approval.documents import __main__ as press
from approval.documents import codes, drawing, filling, plates
from approval.domain.errors import Unavailable
from approval.paths import WORKFLOWS
from tests.services.test_archive import PIXEL, faults

LICENCE = (WORKFLOWS / "food-business-licence" / "licence.html").read_text(encoding="utf-8")
FIELDS = {
    "operator": "示例小馆",
    "uscc": "91350500MA0000001C",
    "representative": "陈示例",
    "business_form_name": "餐饮服务经营者",
    "residence": "示例市示例区示例路 1 号",
    "premises": "示例市示例区示例路 1 号",
    "activities": "热食类食品制售",
    "complaints_phone": "0595-00000000",
}
ATTACHED = {"licence.json": '{"名称": "示例"}', "licence.jwt": "a.b.c"}
WRAPS = "示例市示例区示例街道示例社区" * 5
NARROW = "<style>@page { size: 12cm 6cm; margin: 5mm } p, div, td { margin: 0; padding: 0 } %s</style>%s"


def values(**changes):
    shown = {
        "number": "JY13505030000018",
        "identifier": "1.2.156.3005.2.11100000000013338W032.113505000038000042.00000001.001.X",
        "check_code": "ABCDEF",
        "fields": {name: changes.get(name, value) for name, value in FIELDS.items()},
        "issuer": {"name": changes.get("issuer", "示例市市场监督管理局")},
        "issued_on": changes.get("day", "2026-03-09"),
        "valid_from": changes.get("day", "2026-03-09"),
        "valid_until": changes.get("until", "2031-03-08"),
    }
    shown |= {name: changes[name] for name in ("number", "identifier", "check_code") if name in changes}
    address = changes.get("address", "https://approval.example.invalid/verify/ABCDEFGHJKMNPQRSTVWX")
    return {"licence": shown, "verify_url": address, "qr": f"{address}#{'aB3' * 90}", "sample": True}


def as_a_whole(template, given_values, attached=ATTACHED):
    filled = given_values | ({"qr": codes.svg(given_values["qr"])} if "qr" in given_values else {})
    return drawing.draw(filling.fill(template, filled), attached)


@pytest.fixture
def layouts(monkeypatch):
    """Begin without plates, and count what is laid out, for a plate or as a whole."""
    plates._plates.clear()
    plates._failed.clear()
    counted = []
    for name in ("lay_out", "draw"):
        known = getattr(drawing, name)
        monkeypatch.setattr(drawing, name, lambda *asked, known=known, name=name: counted.append(name) or known(*asked))
    monkeypatch.setattr(press, "draw", drawing.draw)
    return counted


def printed(template, given_values, attached=ATTACHED, mark=""):
    question = {"template": template, "values": dict(given_values), "attached": dict(attached), "mark": mark}
    return press._rendered(question)


def characters(pdf):
    page = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    texts = [page.get_text_range(index, 1) for index in range(page.count_chars())]
    return [(text, page.get_charbox(index)) for index, text in enumerate(texts) if text.strip()]


def picture(pdf, scale=2):
    return pypdfium2.PdfDocument(pdf)[0].render(scale=scale).to_pil().convert("L")


def code_box(pdf):
    """Where the QR code stands in the licence, in points from the top left."""
    height = pypdfium2.PdfDocument(pdf)[0].get_height()
    left, bottom, side = (
        (10 + 1.8 + 1.4 + 0.35 + 18) * 72 / 25.4,
        (10 + 1.8 + 1.4 + 0.35 + 11) * 72 / 25.4,
        36 * 72 / 25.4,
    )
    return left, height - bottom - side, left + side, height - bottom


def assert_same(one, other, without=None):
    """Compare two drawings: characters, where each stands, and pixels."""
    assert len(PdfReader(BytesIO(one)).pages) == len(PdfReader(BytesIO(other)).pages)
    here, there = characters(one), characters(other)
    assert [text for text, _ in here] == [text for text, _ in there]
    for (_, box), (_, like) in zip(here, there, strict=True):
        assert box == pytest.approx(like, abs=0.05)
    pictures = [picture(one), picture(other)]
    for drawn in pictures if without else ():
        ImageDraw.Draw(drawn).rectangle([2 * edge for edge in without], fill=255)
    differs = ImageChops.difference(*pictures)
    assert sum(differs.histogram()[8:]) == 0, differs.getbbox()
    titles = [PdfReader(BytesIO(pdf)).metadata.title for pdf in (one, other)]
    assert titles[0] == titles[1]


def assert_licence(given_values):
    drawn = printed(LICENCE, given_values)
    assert_same(drawn, as_a_whole(LICENCE, given_values), without=code_box(drawn))
    return drawn


@pytest.mark.parametrize(
    "changes",
    [
        {"operator": "乙"},
        {"operator": "示例市䶮𬭊㭎㛃饮食店", "representative": "𬭊䶮"},
        {
            "operator": "Café & <Söhne> \"G\" 'A'",
            "activities": "A类 food: 热食, cold 冷食; AVAVA To fi ffi",
        },
        {"number": "JY2", "check_code": "W1W1W1", "day": "2030-12-31", "until": "2035-12-30"},
        {"issuer": "示例区行政审批服务管理局", "complaints_phone": "1"},
        {"identifier": "2.3.156.3005.2.11100000000013338W032.113505000038000042.AW000001.002.W"},
        {"address": "https://approval.example.net:8443/verify/XYZWABCDEFGHJKMNPQRS"},
        {"representative": "a b c d", "business_form_name": "。，、《》（）“”——……"},
    ],
)
def test_a_licence_from_a_plate_is_what_weasyprint_would_have_drawn(layouts, changes):
    printed(LICENCE, values())
    assert layouts == ["lay_out"]
    drawn = printed(LICENCE, values(**changes))
    assert layouts == ["lay_out"], "it was laid out anew"
    assert_same(drawn, as_a_whole(LICENCE, values(**changes)), without=code_box(drawn))


def test_what_a_plate_was_made_from_is_drawn_from_it_too(layouts):
    assert_licence(values())
    assert layouts[0] == "lay_out"


# Latin and Chinese, in the characters that names and numbers have.
TEXTS = st.text(st.sampled_from("示例市场监督管理局证照编号，。（）、·AVTofi019-/&<'\" 　䶮"), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS, TEXTS)
@example("A", "   ", "&amp;lt;")
@example("示例" * 18, "1 2", "x")
def test_whatever_the_texts_are_they_stand_where_weasyprint_puts_them(one, two, three):
    template = NARROW % (
        "b { letter-spacing: 1mm } .r { text-align: right }.c { text-align: center; font-size: 9pt; text-indent: 4mm }",
        "<p>甲 {{ a }}<b>{{ b }}</b>：{{ c }}</p><p class=r>{{ b }}<p class=c>{{ c }}<p>{{ a }}<br>{{ b }} 乙</p>",
    )
    given_values = {"a": one, "b": two, "c": three}
    assert_same(printed(template, given_values, {}), as_a_whole(template, given_values, {}))


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("", "<p>{{ a }}</p>"),
        ("p { letter-spacing: 2mm }", "<p>{{ a }}</p>"),
        ("p { letter-spacing: -0.2mm }", "<p>{{ a }}</p>"),
        ("p { text-align: center }", "<p>{{ a }}</p>"),
        ("p { text-align: right }", "<p>{{ a }}<b>乙</b></p>"),
        ("p { text-align: center; text-indent: 9mm }", "<p>{{ a }}</p>"),
        ("b { padding: 0 3mm; margin-left: 1mm }", "<p>甲<b>{{ a }}</b>乙</p>"),
        (
            "b { position: absolute; top: 1cm; left: 0; right: 1cm; text-align: right }",
            "<div>甲<p><b>{{ a }}</b></p></div>",
        ),
        ("table { table-layout: fixed; width: 100% }", "<table><tr><td>甲<td>{{ a }}</table>"),
        ("p { transform: rotate(9deg); color: #9c1f1f }", "<p>{{ a }}</p>"),
        ("p { white-space: nowrap; word-spacing: 1mm }", "<p>{{ a }} {{ a }}</p>"),
        ("", "<ul><li>{{ a }}</ul>"),
        ("", "<p>{{ a }}<br>乙<br>{{ a }}</p>"),
        ("", "<p id=a>{{ a }}</p>"),
        ("p { font-weight: 600; font-style: italic; font-size: 7.3pt }", "<p>{{ a }}</p>"),
        ("", f"<p>{{{{ a }}}}</p><img src='{PIXEL}'>"),
    ],
)
def test_texts_that_stand_free_need_no_new_layout(layouts, style, body):
    template = NARROW % (style, body)
    printed(template, {"a": "示例"})
    for text in ("W", "示例数据 AV To 1"):
        del layouts[:]
        drawn = printed(template, {"a": text})
        assert layouts == []
        assert_same(drawn, as_a_whole(template, {"a": text}))


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("table { border-collapse: collapse }", "<table><tr><td>{{ a }}<td>乙</table>"),
        ("table { width: 100% }", "<table><tr><td>{{ a }}<td>乙</table>"),
        ("aside { float: right; width: 10cm; height: 1cm }", "<aside></aside><p>{{ a }}</p>"),
        ("aside { float: right }", "<aside>{{ a }}</aside>"),
        ("aside { position: absolute; right: 0; top: 0 }", "<aside>{{ a }}</aside>"),
        ("p { width: 1cm; max-lines: 1; continue: discard }", "<p>{{ a }} 示例数据示例数据</p>"),
        ("b { float: left }", "<p><b>{{ a }}</b>乙</p>"),
        ("b { float: right }", "<p>{{ a }}<b>乙</b></p>"),
        ("b { display: inline-block }", "<p>甲<b>{{ a }}</b>乙</p>"),
        ("b { display: inline-block; width: 1cm; height: 1cm; background: red }", "<p>{{ a }}<b></b></p>"),
        ("div { display: flex; justify-content: space-between }", "<div><p>{{ a }}</p><p>乙</p></div>"),
        ("div { display: flex; flex-direction: row-reverse }", "<div>{{ a }}<p>乙</p>{{ a }}</div>"),
        ("div { display: grid; grid-template-columns: auto auto }", "<div><p>{{ a }}</p><p>乙</p></div>"),
        ("div { columns: 2 }", "<div><p>{{ a }}</p><p>乙</p></div>"),
        ("b { position: absolute; right: 0; top: 0 }", "<p><b>{{ a }}</b></p>"),
        ("p { text-decoration: underline }", "<p>{{ a }}</p>"),
        ("b { background: yellow }", "<p>甲<b>{{ a }}</b>乙</p>"),
        ("b { border-bottom: 1px solid }", "<p><b>{{ a }}</b>乙</p>"),
        ("p { text-transform: uppercase }", "<p>{{ a }}</p>"),
        ("p { text-align: justify }", "<p>{{ a }}</p>"),
        ("p { opacity: 0.5 }", "<p>{{ a }}</p>"),
        ("p::before { content: '甲' }", "<p>{{ a }}</p>"),
        ("p::first-letter { color: red }", "<p>{{ a }}</p>"),
        ("p::first-line { color: red }", "<p>{{ a }}</p>"),
        ("p { string-set: x content(text) } @page { @top-left { content: string(x) } }", "<p>{{ a }}</p>"),
        ("", "<p>{{ a }}<img src='" + PIXEL + "' width=9></p>"),
        ("", "<h1>{{ a }}</h1>"),
        ("", "<p><a href='https://example.invalid'>{{ a }}</a></p>"),
        ("", "<pre>\n{{ a }}\n</pre>"),
        ("", "<svg viewBox='0 0 90 20' width=300><text y=15>{{ a }}</text></svg>"),
        ("", "<p>{{ a }}</p><p style='break-before: page'>{{ a }}</p>"),
        ("", "<p title='{{ a }}'>{{ a }}</p>"),
        ("", "<p>1 < {{ a }}</p>"),
        ("", "<textarea>{{ a }}</textarea>"),
        ("p { width: 1cm; line-clamp: 1 }", "<p>{{ a }} 示例数据示例数据</p>"),
        ("p { width: 1cm; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }", "<p>{{ a }}示例数据</p>"),
        ("p { visibility: hidden }", "<p>{{ a }}</p>"),
        ("p { display: none }", "<p>{{ a }}</p>"),
        ("p { direction: rtl }", "<p>{{ a }}</p>"),
    ],
)
def test_what_is_not_known_to_stand_free_is_laid_out_each_time(layouts, style, body):
    template = NARROW % (style, body)
    printed(template, {"a": "示例"})
    for text in ("W", "示例数据 aV", "fi <1>"):
        del layouts[:]
        drawn = printed(template, {"a": text})
        assert layouts
        assert_same(drawn, as_a_whole(template, {"a": text}))


def test_a_text_that_comes_to_more_lines_or_fewer_is_laid_out_anew(layouts):
    for changes in ({}, {"premises": WRAPS}, {"premises": WRAPS * 2}, {"premises": WRAPS, "activities": WRAPS}):
        del layouts[:]
        assert_licence(values(**changes))
        assert layouts[0] == "lay_out"
    del layouts[:]
    other = values(premises="另一市另一区" * 12, operator="另一家")
    drawn = printed(LICENCE, other)
    assert layouts == [], "there is a plate with two lines there"
    assert_same(drawn, as_a_whole(LICENCE, other), without=code_box(drawn))


def test_a_line_that_is_almost_full_is_broken_where_weasyprint_breaks_it(layouts):
    template = NARROW % ("p { width: 100pt; font-size: 10pt }", "<p>{{ a }}</p><p>乙{{ a }}</p>")
    for length in (1, 8, 9, 10, 11, 12, 19, 20, 21):
        for text in ("示" * length, "示" * (length - 1) + "。", "a " * length, "x" * length):
            given_values = {"a": text.strip()}
            assert_same(printed(template, given_values, {}), as_a_whole(template, given_values, {}))


def test_two_lines_do_not_become_one_where_no_break_was_forced(layouts):
    template = NARROW % ("p { width: 30mm }", "<p>{{ a }}<b>{{ b }}</b></p>")
    for a, b in (("示例数据示例数据", "示例数据"), ("示", "例"), ("示例数据示例", "示例"), ("示例数据示例数据", "例")):
        assert_same(printed(template, {"a": a, "b": b}), as_a_whole(template, {"a": a, "b": b}))
    assert layouts.count("lay_out") == 4


def test_two_templates_in_turn_do_not_mix(layouts):
    other = LICENCE.replace("发证机关", "颁发机关").replace("#9c1f1f", "#1f1f9c")
    for number in range(3):
        given_values = values(operator=f"示例 {number}")
        for template in (LICENCE, other):
            drawn = printed(template, given_values)
            assert_same(drawn, as_a_whole(template, given_values), without=code_box(drawn))
    assert layouts.count("lay_out") == 2


def test_the_code_is_the_one_that_the_address_makes(layouts):
    given_values = values()
    for _ in range(2):
        drawn = printed(LICENCE, given_values)
        code = segno.make(given_values["qr"], error="l", micro=False, mask=codes._MASK)
        left, top, right, bottom = (8 * edge for edge in code_box(drawn))
        shown, side = picture(drawn, scale=8), len(code.matrix) + 2 * codes.QUIET
        assert abs((right - left) - (bottom - top)) < 1e-6
        module = (right - left) / side
        for i, row in enumerate(code.matrix):
            for j, dark in enumerate(row):
                at = left + (j + codes.QUIET + 0.5) * module, top + (i + codes.QUIET + 0.5) * module
                assert (shown.getpixel(tuple(map(int, at))) < 128) == bool(dark), (i, j)
        given_values = values(address="https://b.invalid/verify/XYZ")


def test_a_code_keeps_its_shape_in_any_box_and_can_be_printed_twice(layouts):
    template = NARROW % ("svg { width: 40mm; height: 25mm }", "<p>{{ a }}</p>{{ qr }}{{ qr }}")
    for text in ("甲", "乙"):
        drawn = printed(template, {"a": text, "qr": "https://a.invalid/x"})
        whole = as_a_whole(template, {"a": text, "qr": "https://a.invalid/x"})
        differs = ImageChops.difference(picture(drawn, 8), picture(whole, 8))
        # What is smoothed at the edges of the modules differs, and no module does.
        assert sum(differs.histogram()[200:]) < 0.001 * differs.width * differs.height
    assert layouts.count("lay_out") == 1


@pytest.mark.parametrize(
    "template",
    [
        "{{ qr | length }}",
        "<p title='{{ qr }}'>a",
        "{{ qr[:40] }}",
        "{{ qr | replace('a', 'b') }}",
        "<title>{{ qr }}</title>",
        "{{ qr | string }}",
        "{% set c %}{{ qr }}{% endset %}{{ c | length }}",
        "{% set c = qr %}{{ c }}",
        "{% macro m() %}{{ qr }}{% endmacro %}{{ m() | length }}",
        "{% block b %}{{ qr }}{% endblock %}{{ self.b() | length }}",
        "{% filter upper %}{{ qr }}{% endfilter %}",
        "{% if qr is string %}{{ qr }}{% endif %}",
    ],
)
def test_a_template_that_does_more_with_the_code_than_print_it_is_drawn_as_a_whole(layouts, template):
    drawn = printed(template, {"qr": "https://a.invalid/x"})
    assert "draw" in layouts
    assert_same(drawn, as_a_whole(template, {"qr": "https://a.invalid/x"}))


def test_the_document_says_what_it_is_and_holds_its_data(layouts):
    for operator in ("甲", "乙"):
        drawn = printed(LICENCE, values(operator=operator, number=f"JY-{operator}&<1>"))
        assert list(faults(drawn)) == []
        whole = as_a_whole(LICENCE, values(operator=operator, number=f"JY-{operator}&<1>"))
        with pikepdf.open(BytesIO(drawn)) as here, pikepdf.open(BytesIO(whole)) as there:
            assert here.Root.Lang == there.Root.Lang
            assert here.Root.Outlines.First.Title == there.Root.Outlines.First.Title
            assert str(here.docinfo.Title) == f"食品经营许可证 JY-{operator}&<1>"
            for one in (here, there):
                with one.open_metadata() as metadata:
                    assert metadata["dc:title"] == f"食品经营许可证 JY-{operator}&<1>"
                assert {
                    name: file.get_file().read_bytes().decode() for name, file in one.attachments.items()
                } == ATTACHED
            assert [spec.AFRelationship for spec in here.Root.AF] == ["/Data", "/Data"]
            assert here.check_pdf_syntax() == []
    assert layouts.count("lay_out") == 1


def test_fonts_hold_the_glyphs_that_are_shown_and_few_others(layouts):
    printed(LICENCE, values())
    pdf = PdfReader(BytesIO(printed(LICENCE, values(operator="䶮"))))
    fonts = [font.get_object() for font in pdf.pages[0]["/Resources"]["/Font"].values()]
    assert len(fonts) == 2
    for font in fonts:
        assert "Noto-Sans-SC" in font["/BaseFont"]
        file = font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"]
        assert len(file.get_data()) < 60_000
    assert "䶮" in pdf.pages[0].extract_text()


def test_a_character_that_the_fonts_lack_is_refused_by_name(layouts):
    printed(LICENCE, values())
    with pytest.raises(Unavailable) as refused:
        printed(LICENCE, values(operator="示例🍜"))
    assert refused.value.facts == {"glyphs": "🍜"}


def test_a_copy_with_a_mark_across_it_is_drawn_as_a_whole(layouts):
    printed(LICENCE, values())
    drawn = printed(LICENCE, values(), mark="仅供示例")
    assert layouts == ["lay_out", "draw"]
    assert "仅供示例" in PdfReader(BytesIO(drawn)).pages[0].extract_text()


@pytest.mark.parametrize(
    "said", ["target-text('#n', content)", "target-text('#n', first-letter)", "'见' target-text('#n')"]
)
def test_what_a_style_sheet_quotes_from_the_page_is_never_that_of_another_licence(layouts, said):
    template = f"<style>.c::after {{ content: {said} }}</style><p id=n>{{{{ a }}}}</p><p class=c>抄录</p>"
    printed(template, {"a": "张三"})
    drawn = printed(template, {"a": "李四"})
    text = PdfReader(BytesIO(drawn)).pages[0].extract_text()
    assert ("李四" in text, "张" in text) == (True, False)


def test_plates_are_few_and_the_latest(layouts):
    for number in range(plates._MOST_PLATES + 3):
        printed(f"<p class=a{number}>{{{{ a }}}}</p>", {"a": "甲"})
    assert len(plates._plates) == plates._MOST_PLATES
    del layouts[:]
    printed(f"<p class=a{number}>{{{{ a }}}}</p>", {"a": "乙"})
    assert layouts == []
    printed("<p class=a0>{{ a }}</p>", {"a": "乙"})
    assert layouts == ["lay_out"]


def test_what_no_plate_can_be_made_of_is_tried_a_few_times_only(layouts):
    for text in "甲乙丙丁戊":
        printed("<p style='opacity: 0.5'>{{ a }}</p>", {"a": text})
    assert layouts.count("lay_out") == plates._TRIES
    assert layouts.count("draw") == 5
