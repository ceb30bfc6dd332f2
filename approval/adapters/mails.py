"""Mail (电子邮件): letters handed to the server of `APPROVAL_SMTP`, over TLS unless that is this machine's own.

smtps://user:password@mail.example           TLS from the first byte, port 465
smtp://user:password@mail.example:587        STARTTLS, and nothing is said before it; port 587
smtp+plain://127.0.0.1:25                    no TLS: a relay on this machine only
"""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from approval.domain.errors import Unavailable, Unconfirmed
from approval.domain.ports import Letter

_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_TAKEN = 250
_SECONDS = 20.0
_LONGEST_ANSWER = 200


class Server(NamedTuple):
    """A mail server (邮件服务器) as its URL names it."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def read(url: str) -> Server:
    """Read the URL of a mail server (读取邮件服务器), which the settings have checked."""
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    return Server(
        parts.scheme, parts.hostname or "", port, unquote(parts.username or ""), unquote(parts.password or "")
    )


@dataclass(frozen=True)
class Mail:
    """Sends letters as plain text from one address (邮件投递)."""

    url: str
    sender: str

    def send(self, letter: Letter) -> dict[str, str]:
        """Send a letter; see the port. Its id makes the Message-ID, so that a reader too sees what came twice."""
        server, message = read(self.url), self._composed(letter)
        try:
            connection = _connected(server)
            try:
                _say(connection.mail, self.sender)
                _say(connection.rcpt, letter.to)
                code, answer = _delivered(connection, message.as_bytes())
                with suppress(smtplib.SMTPException, OSError):  # what was taken stays taken
                    connection.quit()
            finally:
                connection.close()
        except (smtplib.SMTPException, OSError) as reason:
            raise Unavailable(mail=f"{type(reason).__name__}: {reason}"[:_LONGEST_ANSWER]) from reason
        if code != _TAKEN:
            raise Unavailable(mail=f"{code} {_plain(answer)}")
        return {"message_id": str(message["Message-ID"]), "answer": f"{code} {_plain(answer)}"}

    def _composed(self, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = letter.to
        # Whatever an author put into a name, a header has one line.
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = format_datetime(letter.at)
        message["Message-ID"] = f"<{letter.id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, cte="base64")
        return message


def _connected(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    connection: smtplib.SMTP
    if server.scheme == "smtps":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    try:
        if server.scheme == "smtp":
            connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _say(command: Callable[[str], tuple[int, bytes]], address: str) -> None:
    code, answer = command(address)
    if code // 100 != 2:  # noqa: PLR2004 -- 2yz is yes (RFC 5321)
        raise smtplib.SMTPResponseException(code, _plain(answer))


def _delivered(connection: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    """Send the text itself; once the server has asked for it, silence says nothing about whether it was taken."""
    code, answer = connection.docmd("DATA")
    if code != 354:  # noqa: PLR2004 -- start mail input (RFC 5321)
        return code, answer
    try:
        # No line of base64 begins with a dot, so that none ends the text before its end.
        connection.send(content + b".\r\n")
        return connection.getreply()
    except (smtplib.SMTPException, OSError) as reason:
        raise Unconfirmed(mail=type(reason).__name__) from reason


def _plain(answer: bytes) -> str:
    return answer.decode(errors="replace")[:_LONGEST_ANSWER]
