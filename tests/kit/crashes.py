"""A crash drill: cases walk through real processes that are killed at random, and then everything is counted.

The filer, the web server and the workers are processes of their own and die by SIGKILL; whoever files and completes
sends again, under the same token, until there is an answer. The system outside stands in the drill's own process.

`python -m tests.kit.crashes COUNT` is the filer.
"""

import json
import random
import re
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from http.client import HTTPException
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from approval.cli import demo, offices
from approval.domain.actors import SYSTEM
from approval.models.cases import Case, JournalEntry, Notice
from approval.models.incidents import Incident
from approval.models.tasks import Errand, Progress, Task, Timer
from approval.office import Office, open_office
from approval.settings import Settings
from tests.kit import drills
from tests.kit.browsers import PASSWORD
from tests.kit.live import PATIENCE, Process, free_port, wait_for

# What one case leaves in its journal, whatever died meanwhile.
_LINES = Counter({
    "case:filed": 1, "task:claimed": 2, "task:completed": 2, "case:accepted": 1, "errand:answered": 1,
    "timer:fired": 1, "case:granted": 1, "case:delivered": 1, "case:concluded": 1, "procedure:finished": 1,
})  # fmt: skip
_NOTICES = Counter(["receipt", "accepted", "granted", "delivered"])
_CLERKS = {"formal_check": ("wang", "complete"), "review": ("huang", "pass")}
_IN_CHILDBED = 0.15
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Toll:
    """What a drill cost (代价): who died how often, how long it took, how often the system outside was asked."""

    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    asked: int = 0
    retried: int = 0


class Receiver:
    """A system outside that does what is asked once for each key, however often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.effects: dict[str, str] = {}
        self._lock = threading.Lock()
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = receiver.answer(self.headers["Idempotency-Key"], body["case"])
                time.sleep(random.uniform(0, 0.02))  # the effect is there, and the answer may come too late
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Whoever asked is dead."""

        self._server = Server(("127.0.0.1", 0), Answering)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def answer(self, key: str, case: str) -> dict[str, str]:
        with self._lock:
            self.asked += 1
            return {"case": self.effects.setdefault(key, case)}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Clerk:
    """Somebody at a browser who sends a form again when no answer came."""

    def __init__(self, origin: str, code: str, toll: Toll) -> None:
        self._origin, self._toll = origin, toll
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = self._csrf("/verify")
        self._ask("/sign-in", {"name": code, "password": PASSWORD})
        self._token = self._csrf("/verify")

    def complete(self, task: UUID, result: str) -> None:
        path = f"/window/tasks/{task}"
        self._ask(f"{path}/claim", {})
        answers = {"shown": "result", "answers.result": result, "done_token": f"token-{task}"}
        self._ask(path, answers)

    def _ask(self, path: str, fields: dict[str, str]) -> None:
        until = time.monotonic() + 3 * PATIENCE
        while True:
            data = urllib.parse.urlencode({"csrf_token": self._token, **fields}).encode()
            try:
                with self._browser.open(self._origin + path, data, timeout=30):
                    return
            except urllib.error.HTTPError as refused:
                # A claim is refused once the completion of the same task went through: it was sent before the crash.
                if refused.code == 409:
                    return
                if (refused.code < 500 and refused.code != 400) or time.monotonic() > until:
                    raise
                # The page is too old: its session ended with an answer that never came.
                self._token = self._csrf("/verify")
            except (urllib.error.URLError, HTTPException, OSError):
                if time.monotonic() > until:
                    raise
            self._toll.retried += 1
            time.sleep(0.1)

    def _csrf(self, path: str) -> str:
        def page() -> str:
            try:
                with self._browser.open(self._origin + path, timeout=30) as reply:
                    found = _CSRF.search(reply.read().decode())
                    return found[1] if found else ""
            except (urllib.error.URLError, HTTPException, OSError):
                return ""

        return str(wait_for(page, f"no form at {path}"))


def drill(settings: Settings, *, cases: int, workers: int = 1, seed: int = 1, lives: tuple[float, float]) -> Toll:
    """Let so many cases walk while processes are killed, and prove the end of each.

    A process lives for a number of seconds drawn from `lives` after it got to work, and a few die while they start.
    """
    settings = replace(settings, origin=f"http://127.0.0.1:{free_port()}", errand_attempts=1000)
    receiver, toll = Receiver(), Toll()
    listed = settings.instance / "connectors.toml"
    settings.instance.mkdir(parents=True, exist_ok=True)
    listed.write_text(f'[register]\nurl = "{receiver.url}"\ntimeout = 5\n')
    settings = replace(settings, connectors=str(listed))
    with offices.prepare(settings) as office:
        offices.found_demo(office)
        drills.deploy(office)
    began = time.monotonic()
    office = open_office(settings)
    try:
        with _alive(settings, cases, workers, random.Random(seed), lives) as mortals:
            _walk(office, settings.origin, mortals, cases, toll)
        toll.seconds, toll.asked = time.monotonic() - began, receiver.asked
        prove(office, receiver, cases)
    finally:
        office.close()
        receiver.close()
    return toll


def prove(office: Office, receiver: Receiver, cases: int) -> None:
    """Require of every case that it ended, and that everything in and outside the database happened exactly once."""
    with office.work(by=SYSTEM, read_only=True) as work:
        ends = Counter(work.session.scalars(select(Case.status)))
        assert ends == {"concluded": cases}, ends
        lines: dict[UUID, list[tuple[int, str]]] = {}
        for case, sequence, tag in work.session.execute(
            select(JournalEntry.case_id, JournalEntry.sequence, JournalEntry.tag).order_by(JournalEntry.sequence)
        ):
            lines.setdefault(case, []).append((sequence, tag))
        assert len(lines) == cases
        for case, written in lines.items():
            assert [sequence for sequence, _ in written] == list(range(1, len(written) + 1)), f"a gap: {case} {written}"
            assert Counter(tag for _, tag in written) == _LINES, f"{case}: {written}"
        for kind, each in ((Task, 2), (Errand, 1), (Timer, 1)):
            done = work.session.scalar(select(func.count()).select_from(kind).where(kind.progress == Progress.DONE))
            every = work.session.scalar(select(func.count()).select_from(kind))
            assert (done, every) == (each * cases,) * 2, f"{kind.__name__}: {done} done of {every}"
        told = Counter(tuple(row) for row in work.session.execute(select(Notice.case_id, Notice.code)))
        assert set(told.values()) == {1}
        assert len(told) == len(_NOTICES) * cases
        assert work.session.scalar(select(func.count()).select_from(Incident)) == 0
        keys = {str(item) for item in work.session.scalars(select(Errand.item))}
        numbers = sorted(work.session.scalars(select(Case.number)))
    assert set(receiver.effects) == keys, "the system outside was asked under other keys than ours"
    assert sorted(receiver.effects.values()) == numbers, "each case had its one effect outside"


class Mortal:
    """A process that is killed some time after it got to work, now and then before, and starts again at once."""

    def __init__(self, process: Process, log: Path, sign: str, dice: random.Random, lives: tuple[float, float]) -> None:
        self._process, self._log, self._sign = process, log, sign
        self._dice, self._lives = dice, lives

    def start(self) -> None:
        self._before = self._log.stat().st_size if self._log.exists() else 0
        self._process.start()
        self._until = self._dice.uniform(0, 2) + time.monotonic() if self._dice.random() < _IN_CHILDBED else None

    def stop(self) -> None:
        self._process.stop()

    def _at_work(self) -> bool:
        """Say whether it has come so far: a server when it answers, others when their log says so."""
        if not self._sign.startswith("http"):
            return self._sign in self._log.read_bytes()[self._before :].decode(errors="replace")
        try:
            with urllib.request.urlopen(f"{self._sign}/verify", timeout=0.5):
                return True
        except (urllib.error.URLError, HTTPException, OSError):
            return False

    def die_in_time(self) -> bool:
        """Kill it if its time has come, and start it again."""
        if self._until is None:
            if self._at_work():
                self._until = time.monotonic() + self._dice.uniform(*self._lives)
            return False
        if time.monotonic() < self._until:
            return False
        self._process.kill()
        self.start()
        return True


@contextmanager
def _alive(
    settings: Settings, cases: int, workers: int, dice: random.Random, lives: tuple[float, float]
) -> Iterator[dict[str, Mortal]]:
    told = {f"APPROVAL_{each.name.upper()}": str(getattr(settings, each.name)) for each in fields(settings)}
    told |= {"APPROVAL_SWEEP_SECONDS": "1", "APPROVAL_SILENT_SECONDS": "5"}
    web = [part.replace("warning", "info") for part in demo._gunicorn(int(settings.origin.rsplit(":", 1)[1]))]
    commands: dict[str, tuple[list[str], str, str]] = {
        "filer": ([sys.executable, "-m", "tests.kit.crashes", str(cases)], "", "filing"),
        "web": (web, "", settings.origin),
    }
    for number in range(1, workers + 1):
        commands[f"worker-{number}"] = ([sys.executable, "-m", "approval", "worker"], f"worker-{number}", "is at work")
    mortals = {}
    for name, (command, executor, sign) in commands.items():
        log = settings.instance / f"{name}.log"
        log.touch()
        process = Process(command, told | {"APPROVAL_EXECUTOR": executor}, log)
        mortals[name] = Mortal(process, log, sign, dice, lives)
    for mortal in mortals.values():
        mortal.start()
    try:
        yield mortals
    finally:
        for mortal in mortals.values():
            mortal.stop()


def _walk(office: Office, origin: str, mortals: dict[str, Mortal], cases: int, toll: Toll) -> None:
    """Complete what there is to complete, and kill, until every case has ended."""
    stop, failures = threading.Event(), []

    def work_at(element: str) -> None:
        try:
            _work_at(office, origin, element, toll, stop)
        except BaseException as reason:
            failures.append(reason)
            raise

    clerks = [threading.Thread(target=work_at, args=(element,)) for element in _CLERKS for _ in range(2)]
    for clerk in clerks:
        clerk.start()
    seen, moved, filing = 0, time.monotonic(), True
    try:
        while (ended := _ended(office)) < cases:
            assert not failures, failures
            if ended > seen:
                seen, moved = ended, time.monotonic()
            assert time.monotonic() - moved < 3 * PATIENCE, f"{ended} of {cases} ended, then nothing: {toll}"
            time.sleep(0.1)
            filing = filing and _filed(office) < cases
            for name, mortal in mortals.items():
                if (filing or name != "filer") and mortal.die_in_time():
                    toll.kills[name] += 1
    finally:
        stop.set()
        for clerk in clerks:
            clerk.join(3 * PATIENCE)


def _work_at(office: Office, origin: str, element: str, toll: Toll, stop: threading.Event) -> None:
    code, result = _CLERKS[element]
    clerk, dice = Clerk(origin, code, toll), random.Random()
    waiting = select(Task.id).where(Task.element == element, Task.progress == Progress.OPEN)
    while not stop.is_set():
        with office.work(by=SYSTEM, read_only=True) as work:
            found = list(work.session.scalars(waiting.order_by(Task.opened_at).limit(20)))
        if not found:
            stop.wait(0.1)
        elif not stop.is_set():
            clerk.complete(dice.choice(found), result)


def _ended(office: Office) -> int:
    return _count(office, Case.ended_at.is_not(None))


def _filed(office: Office) -> int:
    return _count(office, Case.filing_token.is_not(None))


def _count(office: Office, condition: object) -> int:
    with office.work(by=SYSTEM, read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Case).where(condition)) or 0


def _file(cases: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open_office(Settings.from_env()) as office:
        sys.stdout.write("filing\n")
        sys.stdout.flush()
        # The one that was filed last is filed again: nobody knows whether its answer came.
        for number in range(max(0, _filed(office) - 1), cases):
            drills.file(office, token=f"case-{number}")
    signal.pause()


if __name__ == "__main__":
    _file(int(sys.argv[1]))
