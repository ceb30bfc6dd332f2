"""Materials on pages: drawn anew, saved under harmless names, seen by whom they concern, refused when too large."""

import ast
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from pypdf import PdfWriter
from sqlalchemy import select
from werkzeug.http import parse_options_header
from werkzeug.test import EnvironBuilder

import approval.web
from approval.cli import demo
from approval.domain.errors import Unavailable
from approval.domain.materials import Upload
from approval.models.cases import Case
from approval.models.drafts import Draft, DraftMaterial
from approval.models.materials import Material
from approval.services import materials
from approval.services.rehearsals import SAMPLE_PDF
from approval.settings import Settings, SettingsRefused
from tests.kit.pages import tokenless
from tests.web.conftest import ITEM, send

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = [
    ("../../etc/passwd", "passwd"),
    ("a%00.pdf", "a%00.pdf"),
    ("x|y.pdf", "x|y.pdf"),
    ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
    ("𠮷野䶮𬭊.pdf", "𠮷野䶮𬭊.pdf"),
    ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
    ("CON.pdf", "CON.pdf"),
    ("", "unnamed"),
    ('"><script>alert(1)</script>.pdf', "script>.pdf"),
    ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
]


def pdf(pages):
    made, written = PdfWriter(), BytesIO()
    for _ in range(pages):
        made.add_blank_page(595, 842)
    made.write(written)
    return written.getvalue()


@pytest.fixture
def plan(office, city):
    """Change what the filed case's layout plan is, and give its id."""

    def change(filename="plan.pdf", content=SAMPLE_PDF):
        with office.work() as work:
            case = work.session.scalars(select(Case).where(Case.number == city.filed)).one()
            current = [each for each in materials.of_case(work, case) if each.requirement == "layout_plan"]
            # As it would be had it been handed in so: the name made harmless, the bytes whatever they are.
            materials.keep(work, case, [Upload("layout_plan", "plan.pdf", content)])
            found = next(each for each in materials.of_case(work, case) if each.requirement == "layout_plan")
            found.filename = materials.plain_name(filename)
            assert current[0].replaced_at or current[0] is found
            return found.id

    return change


def test_a_material_is_shown_page_by_page_without_a_script(signed_in, plan, city):
    at = f"/materials/{plan(content=pdf(3))}"
    chen = signed_in("chen")
    first, last = chen.get(at).text, chen.get(f"{at}?page=99").text
    assert "第 1 页，共 3 页" in first
    assert f'rel="next" href="{at}?page=2"' in first
    assert 'rel="prev"' not in first
    assert f'src="{at}/pages/1.png"' in first
    assert 'alt="plan.pdf，第 1 页"' in first
    assert f'href="{at}/pages/1.png?size=large"' in first
    assert f'href="{at}/file"' in first
    assert f'href="/my/cases/{city.filed}"' in first
    assert "第 3 页，共 3 页" in last
    assert 'rel="next"' not in last
    english = chen.get(at, headers={"Accept-Language": "en"}).text
    assert "Page 1 of 3" in english
    assert "<script" not in re.sub('<script (type="module" )?src="/static/', "", first)


def test_a_page_is_a_picture_and_never_the_original(signed_in, plan):
    at = f"/materials/{plan()}/pages/1.png"
    chen = signed_in("chen")
    reply = chen.get(at)
    assert (reply.status_code, reply.content_type) == (200, "image/png")
    assert Image.open(BytesIO(reply.data)).width == 1200
    assert b"%PDF" not in reply.data
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    widths = [Image.open(BytesIO(chen.get(f"{at}?size={size}").data)).width for size in ("small", "large", "9999999")]
    assert widths == [600, 2400, 1200]


def test_no_page_is_there_but_those_that_are(signed_in, plan):
    at, chen = f"/materials/{plan()}/pages", signed_in("chen")
    assert {chen.get(f"{at}/{page}.png").status_code for page in ("0", "2", "-1", "x", "99999999999999999999")} == {404}


@pytest.mark.parametrize(("filename", "shown"), NAMES)
def test_a_strange_name_is_shown_harmlessly_and_saved_under_a_sound_one(signed_in, plan, filename, shown):
    at, chen = f"/materials/{plan(filename)}", signed_in("chen")
    page = chen.get(at).text
    assert f'<bdi class="text-break">{shown.replace(">", "&gt;")}</bdi>' in page
    assert "<script>alert" not in page
    saved = chen.get(f"{at}/file")
    assert saved.data == SAMPLE_PDF
    assert saved.content_type == "application/octet-stream"
    assert "Set-Cookie" not in saved.headers
    disposition = saved.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert disposition.isascii()
    assert not set("/\\<>|\r\n") & set(disposition)
    assert dict(parse_options_header(disposition)[1])["filename"] == materials.download_name(Named(shown))
    assert "; filename*=UTF-8''" in disposition
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert saved.headers["Content-Security-Policy"].startswith("sandbox")


def test_who_may_not_see_a_case_does_not_learn_that_its_material_exists(signed_in, plan, client):
    known = plan()
    unknown = "00000000-0000-4000-8000-000000000000"
    assert [client.get(f"/materials/{known}{part}").status_code for part in ("", "/pages/1.png", "/file")] == [401] * 3
    lin = signed_in("lin")
    for part in ("", "/pages/1.png", "/file"):
        replies = [lin.get(f"/materials/{which}{part}") for which in (known, unknown)]
        assert [reply.status_code for reply in replies] == [404, 404]
        same = [tokenless(reply.text).replace(str(known), "").replace(unknown, "") for reply in replies]
        assert same[0] == same[1]
    assert lin.get(f"/materials/{known}?for=restaurant").status_code == 404
    wang = signed_in("wang")
    assert [wang.get(f"/materials/{known}{part}").status_code for part in ("", "/pages/1.png", "/file")] == [200] * 3
    assert "/my/cases/" not in re.sub(r'href="/my/cases"', "", wang.get(f"/materials/{known}").text)


def test_an_officer_sees_what_was_replaced_and_that_it_was(signed_in, plan):
    before, now = plan("old.pdf"), plan("new.pdf", pdf(2))
    wang = signed_in("wang")
    assert "后来被新的替换" in wang.get(f"/materials/{before}").text
    assert "后来被新的替换" not in wang.get(f"/materials/{now}").text
    assert wang.get(f"/materials/{before}/pages/1.png").status_code == 200


def test_what_cannot_be_drawn_is_told_and_can_still_be_saved(signed_in, plan):
    at, chen = f"/materials/{plan(content=b'%PDF-1.7 broken')}", signed_in("chen")
    page = chen.get(at)
    assert page.status_code == 200
    assert "现在不能预览" in page.text
    assert "<img" not in page.text
    assert chen.get(f"{at}/pages/1.png").status_code == 404
    assert chen.get(f"{at}/file").data == b"%PDF-1.7 broken"


def test_a_page_that_cannot_be_drawn_in_time_is_unavailable_and_no_fault(signed_in, plan, monkeypatch):
    at, chen = f"/materials/{plan()}", signed_in("chen")

    def busy(*_):
        raise Unavailable(preview="every child is busy")

    monkeypatch.setattr(materials.previews, "_asked", busy)
    assert chen.get(f"{at}/pages/1.png").status_code == 503
    page = chen.get(at)
    assert (page.status_code, "现在不能预览" in page.text) == (200, True)


def test_drawing_holds_no_transaction(signed_in, plan, office, monkeypatch):
    at, chen = f"/materials/{plan()}", signed_in("chen")
    held, works = [], 0
    work_of = office.work

    def draw(file, *_):
        held.append(works)
        return PNG

    @contextmanager
    def counted(**how):
        nonlocal works
        with work_of(**how) as work:
            works += 1
            yield work
        works -= 1

    monkeypatch.setattr(office, "work", counted)
    monkeypatch.setattr(materials.previews, "draw", draw)
    assert chen.get(f"{at}/pages/1.png").data == PNG
    assert held == [0]


def test_the_viewer_shows_a_first_page_that_leads_to_the_others(app, plan, office):
    at = plan()
    with office.work(read_only=True) as work, app.test_request_context("/?for=restaurant"):
        macros = app.jinja_env.get_template("parts/materials.html").module
        drawn = macros.viewer(work.session.get(Material, at), 3)
    assert f'href="/materials/{at}?for=restaurant"' in drawn
    assert f'src="/materials/{at}/pages/1.png?size=small&amp;for=restaurant"' in drawn
    assert 'loading="lazy"' in drawn
    assert 'alt="plan.pdf，第 1 页"' in drawn
    assert "共 3 页" in drawn
    assert drawn.count("d-print-none") == 2, "on paper there is only the name and the size"


def test_no_door_hands_a_file_on_that_was_not_opened():
    for path in Path(approval.web.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                said = {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
                handed_in = {"cases.file", "cases.correct", "cases.supply"}
                assert not said & handed_in, f"{path.name}: a case is filed from a draft"
                opened = {"materials.examine", "evidence.examine"}
                assert "Upload" not in said or said & opened, f"{path.name}:{node.lineno}"


class Named(NamedTuple):
    filename: str
    media_type: str = "application/pdf"
    size: int = 0
    sha256: str = ""


@pytest.fixture
def draft(signed_in, office):
    chen = signed_in("chen")
    send(chen, f"/items/{ITEM}/begin", form="/verify", applicant="")
    with office.work(read_only=True) as work:
        return chen, str(work.session.scalars(select(Draft.id)).one())


def put(client, draft, name, content, requirement="layout_plan"):
    file = (BytesIO(content), name)
    return send(client, f"/drafts/{draft}/materials/{requirement}", form=f"/drafts/{draft}/materials", file=file)


def test_a_file_of_a_draft_is_shown_to_its_owner_alone(draft, signed_in):
    chen, draft_id = draft
    assert put(chen, draft_id, "布局图.pdf", pdf(2)).status_code == 303
    at = f"/drafts/{draft_id}/materials/layout_plan"
    assert "第 1 页，共 2 页" in chen.get(at).text
    assert f'src="{at}/pages/1.png"' in chen.get(at).text
    assert chen.get(f"{at}/pages/2.png").data.startswith(PNG)
    assert chen.get(f"{at}/file").data == pdf(2)
    for name in ("lin", "wang"):
        stranger = signed_in(name)
        assert [stranger.get(at + part).status_code for part in ("", "/pages/1.png", "/file")] == [404] * 3
    assert chen.get(f"/drafts/{draft_id}/materials/x_ray/file").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.pdf", b"%PDF-1.7 nothing", "打不开这个文件"),
        ("a.pdf", pdf(201), "页数太多"),
        ("a.pdf", b"<html>" + SAMPLE_PDF, "文件格式不对"),
        ("a.pdf", b"MZ\x90\x00", "文件格式不对"),
        ("a.pdf", b"", "文件是空的"),
        ("../../etc/passwd", SAMPLE_PDF, "文件格式不对"),
    ],
)
def test_what_does_not_open_does_not_come_in(draft, office, name, content, told):
    chen, draft_id = draft
    reply = put(chen, draft_id, name, content)
    assert reply.status_code == 422
    assert told in reply.text
    with office.work(read_only=True) as work:
        assert not work.session.scalars(select(DraftMaterial)).all()


class Stream(BytesIO):
    """A body that tells how much of it was read when the reply was made."""

    taken = 0

    def read(self, size=-1):
        chunk = super().read(size)
        self.taken += len(chunk)
        return chunk

    readline = None


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/verify"), ("POST", "/sign-in"), ("GET", "/"), ("PUT", "/nowhere"), ("GET", "/static/app.css")],
)
def test_fifty_megabytes_are_refused_by_their_announcement(app, method, path):
    body = Stream(b"x" * 1000)
    environ = EnvironBuilder(path, method=method, content_type="multipart/form-data; boundary=b").get_environ()
    environ |= {"wsgi.input": body, "CONTENT_LENGTH": "50000000"}
    replied = []

    def start(status, headers, _exc=None):
        replied.append((status, body.taken))

    page = app(environ, start)
    text = b"".join(page).decode()
    assert replied == [("413 REQUEST ENTITY TOO LARGE", 0)]
    assert "内容太大" in text
    assert "每个文件最大 20 MB，一次提交的全部内容最大 24 MB" in text
    page.close()
    assert body.taken == 1000, "what still comes is read away, so that the browser gets to see the page"


def test_without_an_announcement_no_more_is_read_than_the_limit(open_app):
    app = open_app(request_bytes=100_000)
    body = Stream(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 3_000_000)
    environ = EnvironBuilder("/verify", method="POST", content_type="multipart/form-data; boundary=b").get_environ()
    environ |= {"wsgi.input": body, "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    replied = []
    page = app(environ, lambda status, _headers, _exc=None: replied.append((status, body.taken)))
    assert "内容太大" in b"".join(page).decode()
    ((status, taken),) = replied
    assert status.startswith("413")
    assert taken <= 200_000


def test_the_largest_material_fits_into_a_request_and_fifty_megabytes_do_not(app):
    settings = app.extensions["office"].settings
    assert settings.material_bytes + 2**20 < settings.request_bytes < 50_000_000
    with pytest.raises(SettingsRefused, match="APPROVAL_REQUEST_BYTES"):
        Settings.from_env({"APPROVAL_REQUEST_BYTES": str(settings.material_bytes)})


def test_too_much_text_is_refused_with_words(client):
    reply = send(client, "/sign-in", name="x" * 2**20, password="y")
    assert (reply.status_code, "内容太大" in reply.text) == (413, True)
    for texts, status in ((["x" * (2**20 + 1)], 413), (["x"] * 1001, 413), (["x" * 2**19], 400)):
        parts = "".join(f'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n{text}\r\n' for text in texts)
        body = BytesIO(f"{parts}--b--\r\n".encode())
        kind = "multipart/form-data; boundary=b"
        reply = client.post("/verify", input_stream=body, content_type=kind, content_length=len(body.getvalue()))
        assert reply.status_code == status


def test_a_visitor_of_the_real_server_sees_the_page_and_no_broken_line(app, office, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"APPROVAL_INSTANCE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    server = subprocess.Popen(demo._gunicorn(port), env=environment, start_new_session=True)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                line = socket.create_connection(("127.0.0.1", port), timeout=20)
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.1)
        with line:
            head = "POST /verify HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 50000000\r\n\r\n"
            line.sendall(head.encode())
            for _ in range(500):  # as browsers do: first everything is sent, then the reply is read
                line.sendall(b"x" * 100_000)
            reply = b""
            while "</html>" not in reply.decode(errors="replace"):
                chunk = line.recv(65536)
                assert chunk, reply
                reply += chunk
        assert reply.startswith(b"HTTP/1.1 413 ")
        assert "内容太大" in reply.decode()
    finally:
        server.terminate()
        server.wait(20)
