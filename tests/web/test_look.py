import re

import pytest
from jinja2 import Environment, nodes

from approval.paths import STATIC, TEMPLATES
from tests.web.conftest import ITEM

SHEET = (STATIC / "app.css").read_text(encoding="utf-8")
ENGLISH = {"Accept-Language": "en"}


def _macros(name):
    tree = Environment(autoescape=True).parse((TEMPLATES / name).read_text(encoding="utf-8"))
    return {macro.name for macro in tree.find_all(nodes.Macro)}


def test_the_style_page_shows_every_component(client):
    tree = Environment(autoescape=True).parse((TEMPLATES / "styles/show.html").read_text(encoding="utf-8"))
    called = {call.node.name for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name)}
    assert _macros("parts/look.html") <= called
    assert {"questions", "problems", "countdown", "pages", "text"} <= called
    assert client.get("/styles").status_code == 200


def test_the_style_page_asks_every_kind_of_question_right_and_wrong(client):
    page = client.get("/styles", headers=ENGLISH).text
    for control in ('type="radio"', 'type="checkbox"', 'type="date"', "<select", "<textarea", 'inputmode="decimal"'):
        assert control in page
    assert page.count('class="wrong"') == 10
    assert "Sample question" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_production_has_no_style_page(open_app):
    production = open_app(environment="production", origin="https://approval.example").test_client()
    assert production.get("/styles").status_code == 404


def test_every_class_that_a_component_wears_has_a_look(client):
    bootstrap = (STATIC / "vendor/bootstrap/bootstrap.min.css").read_text(encoding="utf-8")
    worn = {name for group in re.findall(r'class="([^"]*)"', client.get("/styles").text) for name in group.split()}
    plain = {"stage-next"}  # told by its absence of marks
    unknown = {name for name in worn - plain if f".{name}" not in SHEET and f".{name}" not in bootstrap}
    assert not unknown


def test_every_colour_is_a_token_that_exists():
    used, known = set(re.findall(r"var\((--[\w-]+)\)", SHEET)), set(re.findall(r"(--[\w-]+):", SHEET))
    assert used <= known


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((ink, ground) for ink in ("ink", "soft", "accent", "seal") for ground in ("paper", "ground")),
        *(("accent-deep", "accent-pale"), ("yes", "yes-pale"), ("no", "no-pale"), ("open", "open-pale")),
        *((ground, "paper") for ground in ("accent", "seal", "yes", "no")),
    ],
)
def test_text_stands_out_from_its_ground(ink, ground):
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", SHEET))
    light, dark = sorted((_luminance(tokens[ink]), _luminance(tokens[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_large_print_is_chosen_and_remembered(client):
    assert 'class="large"' not in client.get("/").text
    back = client.get("/reading/large", query_string={"next": f"/items/{ITEM}"})
    assert (back.status_code, back.location) == (303, f"/items/{ITEM}")
    page = client.get("/verify").text
    assert '<html lang="zh-CN" class="large">' in page
    assert "/reading/plain?next=/verify" in page
    client.get("/reading/plain")
    assert 'class="large"' not in client.get("/").text


def test_large_print_is_at_least_eighteen_points():
    percent = int(re.search(r"html\.large \{ font-size: (\d+)%; \}", SHEET)[1])
    assert percent / 100 * 16 * 0.75 >= 18


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", ""])
def test_choosing_a_reading_sends_nobody_to_another_site(client, elsewhere):
    assert client.get("/reading/large", query_string={"next": elsewhere}).location == "/"


def test_there_are_two_readings(client):
    assert client.get("/reading/huge").status_code == 404


def test_the_choice_of_reading_is_a_cookie_of_our_own(open_app):
    client = open_app(origin="https://approval.example").test_client()
    cookie = client.get("/reading/large").headers["Set-Cookie"]
    for told in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert told in cookie


def test_the_header_leads_everyone_where_they_may_go(client, signed_in):
    chen, wang = signed_in("chen").get("/verify").text, signed_in("wang").get("/verify").text
    stranger = client.get("/verify").text
    told = [[f'href="{path}"' in page for path in ("/my/cases", "/window/tasks")] for page in (stranger, chen, wang)]
    assert told == [[False, False], [True, False], [True, True]]
    for page in (stranger, chen, wang):
        for path in ("/?serves=person", "/?serves=organization", "/reading/large?next=/verify"):
            assert f'href="{path}"' in page
        assert 'action="/search"' in page


def test_a_process_without_the_public_door_offers_no_search(open_app):
    page = open_app(doors="portal").test_client().get("/sign-in").text
    assert "/search" not in page
    assert "serves=" not in page


def test_scripts_are_our_own_and_may_not_make_code(client):
    page = client.get("/").text
    assert re.findall(r'<script src="([^"]+)" defer></script>', page) == ["/static/vendor/htmx/htmx.min.js"]
    assert '"allowEval": false' in page
    assert '"includeIndicatorStyles": false' in page


def test_check_marks_may_be_drawn(client):
    assert "img-src 'self' data:" in client.get("/").headers["Content-Security-Policy"]
