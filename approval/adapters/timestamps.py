"""Timestamps (时间戳): the authority that puts the time under a PDF, asked by RFC 3161 over HTTP."""

from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import Request

from approval.adapters.connectors import LARGEST_ANSWER, opener
from certificates import TimestampUnavailable

_SECONDS = 10.0
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


@dataclass(frozen=True)
class HttpTimestamper:
    """One timestamping authority (时间戳服务机构) at an address of http or https; redirects are not followed."""

    url: str

    def __call__(self, query: bytes) -> bytes:
        """Ask for a timestamp; see the port. What the reply is worth is judged by the strong-house."""
        request = Request(self.url, query, _HEADERS, method="POST")  # noqa: S310 -- see Settings.check
        try:
            with opener().open(request, timeout=_SECONDS) as response:
                status, reply = response.status, bytes(response.read(LARGEST_ANSWER + 1))
        except (URLError, HTTPException, OSError) as reason:
            raise TimestampUnavailable(url=self.url, why=type(reason).__name__) from reason
        if status != HTTPStatus.OK or len(reply) > LARGEST_ANSWER:
            raise TimestampUnavailable(url=self.url, status=status, size=len(reply))
        return reply
