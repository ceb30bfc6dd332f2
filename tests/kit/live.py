"""A live office: gunicorn and a worker as processes of their own, which a test may kill."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from approval.cli import demo, offices
from approval.office import Office, open_office
from approval.paths import WORKFLOWS
from approval.services import packs
from approval.settings import Settings
from tests.kit.samples import ITEM

PATIENCE = 60.0
_QUICK = {"APPROVAL_SWEEP_SECONDS": "1", "APPROVAL_SILENT_SECONDS": "2"}

T = TypeVar("T")


class LiveOffice:
    """An office that stands at `origin`; `web` and `worker` are its processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.origin = settings.origin
        self.office: Office = open_office(settings)
        log = settings.instance / "processes.log"
        told = {f"APPROVAL_{field.name.upper()}": str(getattr(settings, field.name)) for field in fields(settings)}
        port = int(self.origin.rsplit(":", 1)[1])
        self.web = Process(demo._gunicorn(port), {**told, **_QUICK}, log)
        self.worker = Process([sys.executable, "-m", "approval", "worker"], {**told, **_QUICK}, log)
        self._log = log

    def open(self) -> None:
        """Start both processes, and wait until the first page is served."""
        self.web.start()
        self.worker.start()
        self.await_web()

    def await_web(self) -> None:
        wait_for(self._answers, f"no page at {self.origin}: {self.faults()}")

    def close(self) -> None:
        self.web.stop()
        self.worker.stop()
        self.office.close()

    def do(self, act: Callable[[Office], T]) -> T:
        """Do something in this office from the test's process.

        In a thread of its own: Playwright's event loop runs in the test's, and sealing starts one too.
        """
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(act, self.office).result(PATIENCE)

    def faults(self) -> str:
        """What the processes said, if anything went wrong in them."""
        said = self._log.read_text() if self._log.exists() else ""
        return said if "Traceback" in said else ""

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.origin}/verify", timeout=PATIENCE):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False


def found(settings: Settings) -> None:
    """Found the demonstration city as `approval dev` does, and deploy the default pack."""
    with offices.prepare(settings) as office:
        offices.found_demo(office)
        with office.work() as work:
            packs.deploy(work, packs.read(packs.from_folder(WORKFLOWS / ITEM)))


class Process:
    """A process of the office, with its children."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Pull the plug: kill -9 of the process and its children."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        self._process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def wait_for(condition: Callable[[], Any], why: str) -> Any:
    """Wait until something holds, and return what it said."""
    until = time.monotonic() + PATIENCE
    while not (said := condition()):
        assert time.monotonic() < until, why
        time.sleep(0.05)
    return said
