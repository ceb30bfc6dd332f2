"""Connectors: JSON out, JSON in, the key with every question, and no address but those that are listed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from approval.adapters import connectors
from approval.domain.errors import Objected, Unavailable
from approval.settings import SettingsRefused


@contextmanager
def served(answer) -> Iterator[tuple[str, list]]:
    """Serve `answer(headers, body) -> (status, bytes, headers)` on loopback."""
    asked = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((dict(self.headers), json.loads(body)))
            status, content, headers = answer(*asked[-1])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ask", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def listed(tmp_path, url, more=""):
    path = tmp_path / "connectors.toml"
    path.write_text(f'[credit]\nurl = "{url}"\ntimeout = 2\n{more}')
    return connectors.read(str(path))["credit"]


def test_a_system_is_asked_with_its_key_and_its_answer_comes_back(tmp_path):
    (tmp_path / "token").write_text("a token\n")
    with served(lambda *_: (200, '{"等级": "A"}'.encode(), {})) as (url, asked):
        credit = listed(tmp_path, url, f'token_file = "{tmp_path / "token"}"')
        assert credit.call("key-1", {"case": "350500"}) == {"等级": "A"}
    ((headers, body),) = asked
    assert body == {"case": "350500"}
    assert headers["Idempotency-Key"] == "key-1"
    assert headers["Authorization"] == "Bearer a token"
    assert headers["Content-Type"] == "application/json"


def test_what_the_other_side_declines_by_a_code_is_told_by_it(tmp_path):
    with served(lambda *_: (422, b'{"error": "unknown-applicant"}', {})) as (url, _), pytest.raises(Objected) as told:
        listed(tmp_path, url).call("key", {})
    assert told.value.facts["error"] == "unknown-applicant"


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, b"{}"),
        (200, b"not JSON"),
        (200, b"[1]"),
        (200, b'"' + b"x" * 70_000 + b'"'),
        (422, b'{"error": 1}'),
        (404, b""),
    ],
)
def test_anything_else_is_no_answer(tmp_path, status, content):
    with served(lambda *_: (status, content, {})) as (url, _), pytest.raises(Unavailable):
        listed(tmp_path, url).call("key", {})


def test_a_redirect_is_not_followed(tmp_path):
    with served(lambda *_: (200, b"{}", {})) as (elsewhere, asked):
        with served(lambda *_: (302, b"", {"Location": elsewhere})) as (url, _), pytest.raises(Unavailable):
            listed(tmp_path, url).call("key", {})
        assert asked == []


def test_nobody_there_is_no_answer(tmp_path):
    with served(lambda *_: (200, b"{}", {})) as (url, _):
        pass
    with pytest.raises(Unavailable):
        listed(tmp_path, url).call("key", {})


@pytest.mark.parametrize(
    "text",
    [
        '[credit]\nurl = "file:///etc/passwd"',
        '[credit]\nurl = "ftp://example/x"',
        '[credit]\nurl = "https:///x"',
        "[credit]\ntimeout = 1",
        '[credit]\nurl = "https://example/x"\nsecret = "x"',
        'credit = "https://example/x"',
        '[credit]\nurl = "https://example/x"\ntoken_file = "/nowhere"',
        "not TOML",
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(tmp_path, text):
    path = tmp_path / "connectors.toml"
    path.write_text(text)
    with pytest.raises(SettingsRefused):
        connectors.read(str(path))


def test_no_list_names_no_system():
    assert connectors.read("") == {}
