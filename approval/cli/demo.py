"""`approval dev`: the demonstration city, the main job once on real input, and the pages served."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

import click
from sqlalchemy import func, select

import certificates
from approval.cli import offices, verify
from approval.cli import packs as pack_words
from approval.domain.actors import SYSTEM
from approval.domain.errors import Unavailable
from approval.models.cases import Case
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, ErrandProgress
from approval.office import Office
from approval.paths import WORKFLOWS
from approval.services import licences, packs, rehearsals
from approval.settings import Settings

_TOKEN = "walk"  # noqa: S105 -- the filing token that makes the walk happen once
_PATIENCE = 60.0


@click.command()
@click.option("--port", default=8000, show_default=True)
@click.option("--serve/--no-serve", default=True, help="Serve the pages after the walk.")
def dev(port: int, serve: bool) -> None:
    """Found a demonstration city, play the main job once, and serve http://127.0.0.1:PORT."""
    os.environ.setdefault("APPROVAL_CLOCK", "movable")
    settings = Settings.from_env()
    if settings.production:
        raise Unavailable(dev="production does not run the demonstration; see docs/start.md")
    with offices.prepare(settings) as office:
        offices.found_demo(office)
        _deploy_all(office)
        for part in settings.development_parts:
            click.echo(f"! 仅供开发 / development only: {part}", err=True)
        children = [_Child("worker", [sys.executable, "-m", "approval", "worker"])]
        if serve:
            children.append(_Child("web", _gunicorn(port)))
        try:
            _walk(office)
            if serve:
                click.echo(f"已启动 / serving http://127.0.0.1:{port}  (Ctrl-C 停止 / stops)")
                _mind(children)
        finally:
            for child in children:
                child.stop()


def _gunicorn(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "approval.app:create_app()"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8"),
        *("--no-control-socket", "--log-level", "warning"),
    ]


def _deploy_all(office: Office) -> None:
    """Deploy every pack of the garden that is not deployed as it lies there; checking one takes seconds."""
    for bed in sorted(WORKFLOWS.iterdir()):
        if bed.name.startswith("_") or not bed.is_dir():
            continue
        files = packs.from_folder(bed)
        with office.work(by=SYSTEM, read_only=True) as work:
            known = work.session.scalar(select(ItemVersion.id).where(ItemVersion.digest == packs.digest(files)))
        if known is None:
            click.echo(f"校验并发布事项包 / checking and publishing {bed.name} …")
            pack = packs.check(files, office.settings)
            rehearsals.check(pack, office.settings)
            with office.work(by=SYSTEM) as work:
                packs.deploy(work, pack)


def _walk(office: Office) -> None:
    """Play the scenario marked `walk` on the real office once, with the worker drawing the licence."""
    with office.work(by=SYSTEM, read_only=True) as work:
        if work.session.scalar(select(Case.id).where(Case.filing_token == _TOKEN)) is not None:
            return
    for bed in sorted(WORKFLOWS.iterdir()):
        if bed.name.startswith("_") or not bed.is_dir():
            continue
        pack = packs.read(packs.from_folder(bed))
        for scenario in rehearsals.scenarios(pack):
            if scenario.walk:
                click.echo(f"── {pack.manifest.name.zh}：{scenario.title}")
                number = rehearsals.play(
                    office, scenario, pack.manifest.code, token=_TOKEN, say=pack_words.tell, settle=_await_worker
                )
                _show(office, number)


def _await_worker(office: Office, number: str, say: Callable[[rehearsals.Played], None]) -> None:
    """Wait until the worker has run every errand of the case; raises `Unavailable` when it does not."""
    waiting = (
        select(func.count())
        .select_from(Errand)
        .join(Case)
        .where(Case.number == number, Errand.progress != ErrandProgress.DONE)
    )
    for errand in _errands(office, number):
        say(rehearsals.Played("后台", "", errand))
    until = time.monotonic() + _PATIENCE
    while True:
        with office.work(by=SYSTEM, read_only=True) as work:
            if not work.session.scalar(waiting):
                return
        if time.monotonic() > until:
            raise Unavailable(worker=f"errands of {number} still wait after {_PATIENCE:.0f} s")
        time.sleep(0.1)


def _errands(office: Office, number: str) -> list[str]:
    with office.work(by=SYSTEM, read_only=True) as work:
        asked = select(Errand.errand).join(Case).where(Case.number == number, Errand.progress == ErrandProgress.OPEN)
        return list(work.session.scalars(asked))


def _show(office: Office, number: str) -> None:
    """Put the sealed PDF where a person finds it, and verify that very file."""
    with office.work(by=SYSTEM, read_only=True) as work:
        case = work.session.scalars(select(Case).where(Case.number == number)).one()
        licence = licences.of_case(work, case)
        assert licence is not None
        pdf = certificates.get_rendition(work.session, licence.id)
        assert pdf is not None
        path = office.settings.instance.resolve() / f"{licence.number}.pdf"
    path.write_bytes(pdf)
    click.echo(f"   证照 / licence  {path}")
    click.echo(f"   查验 / verify   approval verify {path}")
    click.echo(verify.as_text(verify.examine(office, str(path))))


class _Child:
    """A child process that is started again when it dies."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self._command = command
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        # A session of its own, so that Ctrl-C reaches the parent first and children end in order.
        return subprocess.Popen(self._command, start_new_session=True, env=os.environ)  # noqa: S603 -- our own words

    def mind(self) -> None:
        """Start the child again if it is dead."""
        if self._process.poll() is not None:
            click.echo(f"! {self.name} 已退出，重新启动 / died and starts again", err=True)
            self._process = self._start()

    def stop(self) -> None:
        """Ask the child to end, and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _mind(children: list[_Child]) -> None:
    """Watch the children until a signal says stop."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            for child in children:
                child.mind()
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("停止 / stopping")
