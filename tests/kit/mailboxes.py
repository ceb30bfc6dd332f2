"""A mail server on the loopback: real SMTP, with STARTTLS or TLS, that can be told to fail at any word."""

import email
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Thread


@dataclass
class Mailbox:
    """What came, and what the server does: `answers` maps a command to another reply, `None` closes the line.

    `END` stands for the dot that ends a message; what was taken before is in `taken`.
    """

    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    answers: dict[str, str | None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    on_taken: Callable[[], None] = lambda: None

    @property
    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(content, policy=default) for _, _, content in self.taken]

    @contextmanager
    def served(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> Iterator[int]:
        """Serve until the block ends; yields the port."""
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(0.1)
        going = [True]

        def accept() -> None:
            while going:
                with suppress(TimeoutError):
                    line, _ = listening.accept()
                    with suppress(OSError):
                        self._talk(line, tls, implicit=implicit)

        thread = Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            going.clear()
            thread.join()
            listening.close()

    def _talk(self, line: socket.socket, tls: ssl.SSLContext | None, *, implicit: bool) -> None:
        line.settimeout(10)
        talk = _Talk(self, tls.wrap_socket(line, server_side=True) if implicit and tls else line, tls, implicit)
        try:
            talk.go_on()
        finally:
            talk.close()


@dataclass
class _Talk:
    """One connection, word by word."""

    box: Mailbox
    line: socket.socket
    tls: ssl.SSLContext | None
    secure: bool
    sender: str = ""
    receivers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.line.makefile("rwb")

    def close(self) -> None:
        with suppress(OSError, ValueError):
            self.file.close()
        self.line.close()

    def go_on(self) -> None:
        self.reply("220 box.example ESMTP")
        while said := self.file.readline():
            word, _, rest = said.decode().strip().partition(" ")
            self.box.said.append(word.upper())
            if word.upper() in self.box.answers:
                told = self.box.answers[word.upper()]
            else:
                told = getattr(self, word.lower(), self.what)(rest)
            if told is None:
                return
            self.reply(told)
            if told.startswith("354"):
                if (told := self.end()) is None:
                    return
                self.reply(told)
            elif told.startswith("220"):
                self.encrypt()

    def reply(self, text: str) -> None:
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def ehlo(self, _: str) -> str:
        return "250-box.example\r\n250 STARTTLS" if self.tls and not self.secure else "250 box.example"

    def starttls(self, _: str) -> str:
        return "220 go ahead" if self.tls else "502 no"

    def encrypt(self) -> None:
        assert self.tls
        self.file.close()
        self.line = self.tls.wrap_socket(self.line, server_side=True)
        self.file, self.secure = self.line.makefile("rwb"), True

    def mail(self, rest: str) -> str:
        self.sender = rest
        return "250 ok"

    def rcpt(self, rest: str) -> str:
        self.receivers.append(rest)
        return "250 ok"

    def data(self, _: str) -> str:
        return "354 go on"

    def end(self) -> str | None:
        content = b""
        while (row := self.file.readline()) not in {b".\r\n", b""}:
            content += row.removeprefix(b".")
        self.box.taken.append((self.sender, list(self.receivers), content))
        self.box.encrypted.append(self.secure)
        self.box.on_taken()
        return self.box.answers.get("END", "250 queued as 1")

    def quit(self, _: str) -> str:
        return "221 bye"

    def what(self, _: str) -> str:
        return "500 what"


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1, and the context that serves with it."""
    key, cert = folder / "mail.key", folder / "mail.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=box.example", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
