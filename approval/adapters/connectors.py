"""Connectors (外部系统连接): systems outside that procedures may call, by JSON over HTTP, once for each key.

They are listed in a file of the administrator's (`APPROVAL_CONNECTORS`): nothing a procedure says makes an address.

    [credit]                                  # called by the errand `call:credit`
    url = "https://credit.example/check"      # http or https; a redirect is not followed
    timeout = 10                              # seconds
    token_file = "/run/secrets/credit"        # optional: sent as a bearer token
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from approval.domain.errors import Objected, Unavailable
from approval.domain.ports import Connector
from approval.settings import SettingsRefused

LARGEST_ANSWER = 64 * 1024
_SCHEMES = frozenset({"http", "https"})
_KEYS = frozenset({"url", "timeout", "token_file"})
_TIMEOUT = 10.0
_LONGEST_CODE = 80


@dataclass(frozen=True)
class HttpConnector:
    """One system that answers JSON with JSON (HTTP 接口)."""

    name: str
    url: str
    timeout: float = _TIMEOUT
    token: str = ""

    def call(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send the body under its key; see the port."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 -- see `read`
        try:
            with opener().open(request, timeout=self.timeout) as response:
                status, content = _received(response)
        except (URLError, HTTPException, OSError) as reason:
            raise Unavailable(connector=self.name, why=type(reason).__name__) from reason
        if len(content) > LARGEST_ANSWER:
            raise Unavailable(connector=self.name, why="the answer is too large")
        answer = _understood(content)
        if answer is None or status >= HTTPStatus.MULTIPLE_CHOICES:
            if answer and status == HTTPStatus.UNPROCESSABLE_ENTITY and isinstance(code := answer.get("error"), str):
                raise Objected(connector=self.name, error=code[:_LONGEST_CODE])
            raise Unavailable(connector=self.name, status=status)
        return answer


def read(path: str) -> dict[str, Connector]:
    """Read the list of systems (读取外部系统清单); none where no file is named. Raises `SettingsRefused`."""
    if not path:
        return {}
    try:
        listed = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return {name: _connector(name, entry) for name, entry in listed.items()}
    except (OSError, ValueError, TypeError, KeyError) as reason:
        raise SettingsRefused(f"APPROVAL_CONNECTORS={path!r}: {type(reason).__name__}: {reason}") from None


def _connector(name: str, entry: Any) -> HttpConnector:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise ValueError(f"{name}: a table of {', '.join(sorted(_KEYS))}")
    address = urlsplit(entry["url"])
    if address.scheme not in _SCHEMES or not address.hostname:
        raise ValueError(f"{name}: {entry['url']!r} is no address of http or https")
    token = Path(entry["token_file"]).read_text(encoding="utf-8").strip() if "token_file" in entry else ""
    return HttpConnector(name, entry["url"], float(entry.get("timeout", _TIMEOUT)), token)


def opener() -> OpenerDirector:
    """Make what opens addresses of http and https (连接器): no redirects, no proxies of the environment, no files."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _received(response: HTTPResponse) -> tuple[int, bytes]:
    return response.status, response.read(LARGEST_ANSWER + 1)


def _understood(content: bytes) -> dict[str, Any] | None:
    """Read an answer; None is what is no JSON object."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
