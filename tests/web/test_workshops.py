"""Packs in the making, in the browser: put together, checked with all faults at once, published."""

import json
import re
import zipfile
from html import unescape
from io import BytesIO
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from approval.domain.actors import Post
from approval.domain.errors import Fault
from approval.models.items import ItemVersion, PackDraft
from approval.paths import WORKFLOWS
from approval.services import packs, people, workshops
from approval.services.workshops import Verdict
from tests.kit import walks
from tests.kit.samples import id_number
from tests.web.conftest import ITEM, PASSWORD, send

FILES = packs.from_folder(WORKFLOWS / ITEM)
STRICTER = FILES | {"item.toml": FILES["item.toml"].replace(b'"safety_rules"', b'"stricter_rules"', 1)}


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


@pytest.fixture
def instant(monkeypatch):
    """Checking takes seconds; where the check is not the point, what is read without playing does."""

    def judge(files, settings, library):
        try:
            return Verdict(packs.digest(files), packs.read(files), [])
        except packs.PackRefused as refused:
            return Verdict(packs.digest(files), None, refused.facts["faults"])

    monkeypatch.setattr(workshops, "judge", judge)


def zipped(files):
    return BytesIO(workshops.zipped(files))


def closed(reply):
    """Close what a test client keeps a large body in, and forgets."""
    reply.request.environ["wsgi.input"].close()
    return reply


def begin(admin, files=FILES, title=""):
    reply = send(admin, "/admin/drafts", form="/admin/packs", title=title, zip=(zipped(files), "pack.zip"))
    assert reply.status_code == 303
    return urlsplit(reply.location).path


def put(admin, draft, name, content=b"{}", path=""):
    return closed(send(admin, f"{draft}/files", form=draft, file=(BytesIO(content), name), place=path))


def publish(admin, draft):
    digest = re.search(r'name="digest" value="(\w+)"', admin.get(draft).text)
    assert digest
    return send(admin, f"{draft}/publish", form=draft, digest=digest[1])


def marks(page, file):
    return json.loads(re.search(f"file={file}\" data-marks='([^']+)'", page)[1])


def test_a_zip_becomes_a_draft_and_the_draft_a_zip(admin):
    draft = begin(admin)
    assert packs.from_zip(admin.get(f"{draft}/pack.zip").data, packs.Settings()) == FILES


def test_a_draft_without_a_file_is_empty_and_named(admin):
    reply = send(admin, "/admin/drafts", form="/admin/packs", title="新许可 <script>alert(1)</script>")
    page = admin.get(reply.location).text
    assert "新许可 &lt;script&gt;" in page
    assert "<script>alert" not in page


def bomb():
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.md", bytes(64 * 2**20))
    return written.getvalue()


def escaping():
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("../../etc/passwd", b"x")
    return written.getvalue()


HOSTILE = {"text": b"not a zip", "bomb": bomb(), "path": escaping(), "zeros": bytes(5 * 2**20)}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_zip_is_refused_with_its_reason_and_makes_no_draft(admin, office, content):
    reply = closed(send(admin, "/admin/drafts", form="/admin/packs", zip=(BytesIO(content), "x.zip")))
    assert reply.status_code == 422
    assert "有错误：" in reply.text
    with office.work(read_only=True) as work:
        assert not work.session.scalars(select(PackDraft)).all()


def test_files_are_put_in_under_their_own_name_or_a_given_path(admin):
    draft = begin(admin, {})
    assert put(admin, draft, "guide.md").status_code == 303
    assert put(admin, draft, "x.json", path="forms/filing.json").status_code == 303
    page = admin.get(draft).text
    assert "<code>guide.md</code>" in page
    assert "<code>forms/filing.json</code>" in page
    assert send(admin, f"{draft}/remove", form=draft, place="guide.md").status_code == 303
    assert "<code>guide.md</code>" not in admin.get(draft).text


@pytest.mark.parametrize(
    ("name", "path", "content"),
    [
        ("a.md", "../../etc/passwd.md", b"x"),
        ("a.md", "/etc/passwd.md", b"x"),
        ("evil.py", "", b"x"),
        ("<img src=x onerror=alert(1)>.exe", "", b"x"),
        ("a.md", "", bytes(5 * 2**20)),
    ],
)
def test_a_file_that_may_not_come_in_is_told_beside_the_field(admin, name, path, content):
    draft = begin(admin, {})
    reply = put(admin, draft, name, content, path)
    assert reply.status_code == 422
    assert "<title>有错误：" in reply.text
    assert 'href="#file"' in reply.text
    assert "<img src=x" not in reply.text
    assert packs.from_zip(admin.get(f"{draft}/pack.zip").data, packs.Settings()) == {}


def test_putting_in_nothing_is_told(admin):
    draft = begin(admin, {})
    reply = send(admin, f"{draft}/files", form=draft)
    assert (reply.status_code, "请选择文件" in reply.text) == (422, True)


EVIL = '<bpmn:scriptTask id="evil" name="&lt;script&gt;alert(1)&lt;/script&gt;"/><bpmn:serviceTask'


def test_all_faults_are_told_with_file_element_line_and_source_and_marked_on_the_diagram(admin):
    draft = begin(
        admin,
        FILES
        | {
            "process.bpmn": FILES["process.bpmn"].replace(b"<bpmn:serviceTask", EVIL.encode(), 1),
            "forms/filing.json": b"{",
            "item.toml": FILES["item.toml"].replace(b'court = "', b'kort = "', 1),
        },
    )
    reply = send(admin, f"{draft}/check", form=draft)
    assert reply.status_code == 303
    page = admin.get(draft).text
    stops, hints = page.split('<details class="warnings">')
    assert "处提示，不影响发布" in hints
    assert "add a default flow" in hints
    assert "add a default flow" not in stops
    rows = [unescape(row) for row in re.findall(r'<tr role="row">(.*?)</tr>', stops, re.DOTALL)[1:]]
    files = {re.search(r"<code>([^<]+)</code>", row)[1] for row in rows}
    assert files == {"process.bpmn", "forms/filing.json", "item.toml"}
    evil = next(row for row in rows if "evil" in row)
    assert '<a href="#diagram-1" data-shows="evil">' in evil
    assert '<bpmn:scriptTask id="evil"' in evil
    assert re.search(r'data-label="行">\d+<', evil)
    assert "alert(1)</script>" not in page
    assert marks(page, "process.bpmn")["evil"]["state"] == "fault"
    assert "发布</button>" not in page


def test_a_pack_that_nobody_can_read_still_shows_its_diagram(admin):
    draft = begin(admin, {"process.bpmn": FILES["process.bpmn"]})
    send(admin, f"{draft}/check", form=draft)
    assert f'data-diagram="{draft}/procedure.bpmn?file=process.bpmn"' in admin.get(draft).text
    assert admin.get(f"{draft}/procedure.bpmn?file=process.bpmn").data == FILES["process.bpmn"]


def test_a_doctype_is_a_fault_and_its_bytes_are_never_a_page(admin):
    source = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    draft = begin(admin, FILES | {"process.bpmn": source})
    send(admin, f"{draft}/check", form=draft)
    page = admin.get(draft).text
    assert "a DOCTYPE is not accepted" in page
    assert "root:" not in page
    served = admin.get(f"{draft}/procedure.bpmn")
    assert served.data == source
    assert served.headers["Content-Type"] == "application/xml"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in served.headers["Content-Security-Policy"]


@pytest.mark.parametrize("file", ["item.toml", "../process.bpmn", "nothing.bpmn", ""])
def test_only_diagrams_are_handed_out_as_such(admin, file):
    draft = begin(admin)
    assert admin.get(f"{draft}/procedure.bpmn?file={file}").status_code == 404


def test_what_a_file_is_called_comes_out_escaped(admin):
    draft = begin(admin, {"<svg onload=alert(1)>.md": b"", "a'\"b.bpmn": b"<x/>"})
    send(admin, f"{draft}/check", form=draft)
    page = admin.get(draft).text
    assert "<svg onload" not in page
    assert "&lt;svg onload=alert(1)&gt;.md" in page
    assert "a&#39;&#34;b.bpmn" in page


def test_what_was_checked_is_published_once_and_the_same_bytes_say_so(admin, instant, office):
    draft = begin(admin, STRICTER)
    send(admin, f"{draft}/check", form=draft)
    page = admin.get(publish(admin, draft).location).text
    assert "已经发布为第 2 版" in page
    assert "内容与第 2 版完全相同" in admin.get(publish(admin, draft).location).text
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(ItemVersion)).all()) == 2


@pytest.mark.long
def test_the_whole_check_is_made_before_anything_is_published(admin):
    draft = begin(admin)
    assert "发布</button>" not in admin.get(draft).text
    assert send(admin, f"{draft}/check", form=draft).location.endswith("#verdict")
    page = admin.get(draft).text
    assert "没有缺陷" in page
    assert "add a default flow" in page
    assert "内容与第 1 版完全相同" in admin.get(publish(admin, draft).location).text


def test_what_changed_since_it_was_seen_is_not_published(admin, instant, office):
    draft = begin(admin)
    send(admin, f"{draft}/check", form=draft)
    seen = packs.digest(FILES)
    put(admin, draft, "guide.md", b"# changed")
    page = admin.get(draft).text
    assert "需要重新校验" in page
    assert "发布</button>" not in page
    assert send(admin, f"{draft}/publish", form=draft, digest=seen).status_code == 409
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(ItemVersion)).all()) == 1


def test_a_draft_that_changes_while_it_is_checked_is_not_published(admin, office, monkeypatch):
    draft = begin(admin, STRICTER)
    draft_id = draft.rpartition("/")[2]

    def judge(files, settings, library):
        with office.work(by=walks.signed_in(office, "admin")) as work:  # somebody else, who waits for nobody
            workshops.put(work, UUID(draft_id), "guide.md", b"# changed")
        return Verdict(packs.digest(files), packs.read(files), [])

    monkeypatch.setattr(workshops, "judge", judge)
    reply = send(admin, f"{draft}/publish", form=draft, digest=packs.digest(STRICTER))
    assert reply.status_code == 409
    with office.work(read_only=True) as work:
        assert len(work.session.scalars(select(ItemVersion)).all()) == 1


def test_a_department_that_the_city_lacks_is_a_fault_of_the_draft(admin, instant):
    draft = begin(admin, FILES | {"item.toml": FILES["item.toml"].replace(b'["SPJ", "XFJ"]', b'["SPJ", "NASA"]', 1)})
    send(admin, f"{draft}/check", form=draft)
    assert "NASA" in admin.get(publish(admin, draft).location).text


def test_a_discarded_draft_is_nowhere(admin):
    draft = begin(admin)
    assert "删除草稿" in admin.get(f"{draft}/discard").text
    assert send(admin, f"{draft}/discard", form=f"{draft}/discard").location == "/admin/packs"
    assert admin.get(draft).status_code == 404
    for act in ("check", "publish", "files", "remove", "discard"):
        assert send(admin, f"{draft}/{act}", form="/admin/packs").status_code == 404


def test_what_one_administrator_began_another_goes_on_with(admin, app, office):
    with office.work() as work:
        posts = (Post("XFJ", "administrator"),)
        people.enrol(work, "second", "第二管理", id_number(7), posts=posts, password=PASSWORD)
    draft = begin(admin, {})
    other = app.test_client()
    send(other, "/sign-in", name="second", password=PASSWORD)
    assert put(other, draft, "guide.md").status_code == 303
    assert "guide.md" in admin.get(draft).text


def test_faults_without_a_place_are_shown_too(admin, office):
    draft = begin(admin, {"item.toml": b"x = 1"})
    with office.work(by=walks.signed_in(office, "admin")) as work:
        found = Verdict("0" * 64, None, [Fault("", "", 0, "of <b>everything</b>")])
        workshops.note(work, UUID(draft.rpartition("/")[2]), found)
    page = admin.get(draft).text
    assert "整个事项包" in page
    assert "of &lt;b&gt;everything" in page
