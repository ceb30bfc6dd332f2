"""The press: whatever a template does, the asker gets a document or a refusal, in time, and so does the next one."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from approval import documents
from approval.documents import frames, presses
from approval.domain.errors import Unavailable
from approval.paths import WORKFLOWS

LICENCE = (WORKFLOWS / "food-business-licence" / "licence.html").read_text(encoding="utf-8")
FIELDS = (
    "operator", "uscc", "representative", "business_form_name", "residence", "premises", "activities",
    "complaints_phone",
)  # fmt: skip
VALUES = {
    "licence": {
        "number": "JY13505030000018",
        "identifier": "1.2.156",
        "check_code": "ABCD",
        "fields": dict.fromkeys(FIELDS, "示例数据"),
        "issuer": {"name": "泉州市市场监督管理局"},
        "issued_on": date(2026, 3, 9),
        "valid_from": date(2026, 3, 9),
        "valid_until": date(2031, 3, 8),
    },
    "verify_url": "https://example.invalid/verify/ABC",
    "qr": "https://example.invalid/verify/ABC#code",
    "sample": True,
}
LONG = {"x": "a" * 10_000}
LOOPS = "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}"


def text(pdf):
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def child():
    documents.fault("")
    return presses._press._child.pid


def alive(pid):
    try:
        # One that died and that nobody waited for is dead enough.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_licence_is_drawn_with_its_dates_and_its_code():
    drawn = "".join(text(documents.render(LICENCE, VALUES)).split())
    assert "2026年3月9日至2031年3月8日" in drawn
    assert "https://example.invalid/verify/ABC" in drawn
    with pytest.raises(Unavailable, match="qr"):
        documents.render("{{ qr }}", {})


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (LOOPS, "took more than"),
        ("{{ x | center(900000000) }}", "MemoryError"),
        ("{{ '%900000000d' | format(1) }}", "took more than|MemoryError"),
        ("<table><tr><td colspan=99999999>a</table>", "took more than"),
        ("<style" * 60_000, "took more than"),
        ("<div>" * 3000, "took more than|RecursionError"),
        ("{% if x %}" * 500 + "{% endif %}" * 500, "RecursionError"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
        ("{{ 'a' * 300000000 }}", "SecurityError"),
        ("{{ nobody }}", "nobody"),
        ("{% if %}", "TemplateSyntaxError"),
    ],
)
def test_whatever_a_template_does_ends_as_a_refusal_in_time(template, told):
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        documents.render(template, LONG, seconds=0.5, megabytes=600)
    assert list(refused.value.facts) == ["template"]
    assert any(word in refused.value.facts["template"] for word in told.split("|"))
    assert time.monotonic() - began < 5


def test_after_a_template_that_hung_the_next_one_is_drawn():
    with pytest.raises(Unavailable, match="took more than"):
        documents.render(LOOPS, LONG, seconds=0.3)
    assert text(documents.render("<p>{{ x }}</p>", {"x": "证照"})).strip() == "证照"


@pytest.mark.parametrize(
    "template",
    [
        "{{" + "(" * 100_000,
        "{% if x %}" * 2000,
        "{{ " + "1" * 5000 + " }}",
        "{" * 1_000_000,
        "{{ '%900000000d' | format(1) }}",
        "{{ a | unheard_of }}",
    ],
)
def test_a_template_that_cannot_be_read_has_a_fault(template):
    assert documents.fault(template, seconds=0.5).message


def test_a_character_without_a_glyph_is_refused_by_name_wherever_it_comes_from():
    for template, values in [("{{ x }}", {"x": "\ud800🍜"}), ("🍜{{ '\\ud800' }}", {})]:
        with pytest.raises(Unavailable) as refused:
            documents.render(template, values)
        assert refused.value.facts == {"glyphs": "\ud800🍜"}


def test_the_child_is_kept_and_a_dead_one_is_replaced():
    first = child()
    assert child() == first
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert documents.fault("{{ a }}") is None
    assert child() != first


def test_a_killed_child_leaves_no_file_behind():
    documents.render("<p>a</p>", {})
    folder = Path(presses._press._folder)
    assert list(folder.glob("**/*")), "it keeps copies of our fonts there"
    with pytest.raises(Unavailable):
        documents.render(LOOPS, LONG, seconds=0.1)
    assert not folder.exists()


def test_an_interrupted_asker_leaves_no_answer_for_the_next():
    def interrupt(*_):
        raise KeyboardInterrupt

    child()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            documents.render(LOOPS, LONG)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert documents.fault("\n{{").line == 2


def test_askers_at_once_get_their_own_answers():
    with ThreadPoolExecutor(4) as askers:
        lines = list(askers.map(lambda line: documents.fault("\n" * line + "{{").line, range(40)))
    assert lines == list(range(1, 41))


def test_a_fork_has_a_child_of_its_own_and_leaves_the_other_alone():
    before = child()
    fork = os.fork()
    if fork == 0:
        code = 1
        with suppress(BaseException):
            code = 0 if child() != before else 2
            presses._press.close()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert child() == before


def test_the_secrets_of_the_office_stay_outside(monkeypatch):
    monkeypatch.setenv("APPROVAL_SECRET_KEY", "kept")
    presses._press.close()
    assert b"APPROVAL_" not in Path(f"/proc/{child()}/environ").read_bytes()


def test_a_child_whose_asker_was_killed_ends_by_itself():
    asker = subprocess.run(
        [sys.executable, "-c", _ABANDON.format(template=LOOPS)], capture_output=True, check=False, timeout=30
    )
    assert asker.returncode == -signal.SIGKILL
    pid, until = int(asker.stdout), time.monotonic() + 10
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(pid)


_ABANDON = """
import os, signal, threading, time
from approval import documents
from approval.documents import frames, presses
documents.fault("")
print(presses._press._child.pid, flush=True)
asking = lambda: documents.render({template!r}, {{"x": "a" * 10000}}, seconds=1)
threading.Thread(target=asking, daemon=True).start()
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_missing_glyphs_are_told_without_drawing():
    assert documents.missing_glyphs(["陈示例 䶮𬭊\n", "🍜a🍜", "\ue000"]) == "\ue000🍜"
    assert documents.missing_glyphs([]) == ""


def test_a_child_whose_asker_was_killed_meanwhile_leaves_without_a_word():
    with a_child() as child:
        assert frames.read(child.stdout) == b"ready"
        child.stdout.close()
        frames.write(child.stdin, json.dumps({"template": "{{ 1 }}", "seconds": 20, "megabytes": 2048}).encode())
        frames.write(child.stdin, b"")
        assert (child.wait(30), child.stderr.read()) == (0, b"")


def test_a_child_whose_asker_was_killed_before_it_was_ready_leaves_without_a_word():
    with a_child() as child:
        child.stdout.close()
        assert (child.wait(30), child.stderr.read()) == (0, b"")


def a_child() -> subprocess.Popen[bytes]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-m", "approval.documents"], bufsize=0, **pipes)
