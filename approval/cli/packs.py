"""Packs on the command line: check, play, decide, deploy, list."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from approval.cli import decisions
from approval.domain.actors import SYSTEM
from approval.domain.errors import Fault, PackRefused
from approval.office import open_office
from approval.services import items, packs, rehearsals, trials
from approval.services.packs import Pack
from approval.services.rehearsals import Played
from approval.settings import Settings

_folder = click.argument("folder", type=click.Path(path_type=Path, exists=True))
_path = click.argument("path", type=click.Path(path_type=Path, exists=True))
_json = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")


class _Json(click.ParamType[dict[str, Any]]):
    """A JSON object given on the command line, or @FILE that holds one."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        try:
            text = Path(value[1:]).read_bytes() if value.startswith("@") else value.encode(errors="replace")
            # Stricter than Python's own: no NaN, no Infinity, nothing nested without end.
            read = orjson.loads(text)
        except (OSError, ValueError) as problem:
            self.fail(f"not JSON: {problem}", param, ctx)
        if not isinstance(read, dict):
            self.fail("a JSON object is needed", param, ctx)
        return read


@click.group()
def pack() -> None:
    """Check, play, deploy and list packs (事项包), and ask their decisions; FOLDER may also be a zip."""


@pack.command()
@_path
@_json
def check(path: Path, as_json: bool) -> None:
    """Check a pack and play all its scenarios, or check one BPMN or DMN file; every fault is told at once."""
    with _told_as_json(as_json):
        if _alone(path):
            warnings = packs.check_file(path.name, path.read_bytes(), Settings.from_env())
            said = f"{path.name}: 无缺陷 / no faults"
        else:
            understood, played = _checked(path)
            warnings = list(understood.warnings)
            told = f"无缺陷，{played} 个情景全部符合 / no faults, {played} scenarios as expected"
            said = f"{understood.manifest.code}: {told}"
        if as_json:
            _answer({"ok": True, "faults": _told(warnings)})
            return
        click.echo(said)
        for fault in warnings:
            click.echo(f"  {fault.file}:{fault.line} {fault.element}: {fault.why}", err=True)


@pack.command()
@_path
@click.argument("scenario", required=False)
@click.option("--data", type=_Json(), default="{}", help="The facts a bare procedure starts with, or @FILE.")
@click.option("--answers", type=click.Path(path_type=Path, exists=True), help="A JSON file of outcomes by element id.")
@click.option("--until-idle", is_flag=True, help="Leave incidents aside and go on until nothing can move.")
@_json
def play(  # noqa: PLR0917 -- click calls it by name
    path: Path, scenario: str | None, data: dict[str, Any], answers: Path | None, until_idle: bool, as_json: bool
) -> None:
    """Play the scenarios of a pack, or the one named; or play one BPMN file with answers or defaults."""
    with _told_as_json(as_json):
        if not _alone(path):
            _play_scenarios(path, scenario, as_json=as_json)
            return
        given = _Json().convert(f"@{answers}", None, None) if answers else {}
        trial = trials.play_file(
            path.name, path.read_bytes(), Settings.from_env(), data, answers=given, until_idle=until_idle
        )
        if as_json:
            _answer(trial.told())
        else:
            _recount(trial)


@pack.command()
@_folder
def deploy(folder: Path) -> None:
    """Check a pack and publish it; the same bytes are the same version."""
    understood, _ = _checked(folder)
    with open_office() as office, office.work(by=SYSTEM) as work:
        version = packs.deploy(work, understood)
        click.echo(f"{version.item_code} 第 {version.ordinal} 版已发布 / version {version.ordinal} published")


@pack.command(name="list")
def list_() -> None:
    """List what is published."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        for version in items.published(work):
            click.echo(f"{version.item_code}\t{version.ordinal}\t{version.name_zh}\t{version.digest[:12]}")


pack.add_command(decisions.decide)


def tell(played: Played) -> None:
    """Tell one step of a rehearsal in a line."""
    click.echo(f"   · {played.who}{f'（{played.department}）' if played.department else ''}：{played.what}")


@contextmanager
def _told_as_json(as_json: bool) -> Iterator[None]:
    """Answer with the faults as JSON, where that was asked for and the pack is refused."""
    try:
        yield
    except PackRefused as refused:
        if not as_json:
            raise
        _answer({"ok": False, "faults": _told(refused.facts["faults"])})
        sys.exit(1)


def _checked(folder: Path) -> tuple[Pack, int]:
    settings = Settings.from_env()
    understood = packs.check(_files(folder, settings), settings)
    return understood, rehearsals.check(understood, settings)


def _play_scenarios(folder: Path, scenario: str | None, *, as_json: bool) -> None:
    settings = Settings.from_env()
    understood = packs.check(_files(folder, settings), settings)
    chosen = [one for one in rehearsals.scenarios(understood) if scenario in {None, Path(one.file).stem}]
    outcomes = {}
    for one in chosen:
        if not as_json:
            click.echo(f"── {one.title}")
        outcomes[Path(one.file).stem] = rehearsals.rehearse(
            understood, one, settings, say=(lambda _: None) if as_json else tell
        )
    if as_json:
        _answer({"scenarios": outcomes})


def _recount(trial: trials.Trial) -> None:
    click.echo("已办结 / completed" if trial.completed else "未办结 / not completed")
    click.echo(f"  {' → '.join(trial.trace)}")
    for each in trial.waiting:
        click.echo(f"  等待 / waits: {each['element']} {each['name']} ({each['for']})")
    for incident in trial.incidents:
        click.echo(f"  异常 / incident: {incident['element']}: {incident['why']}")


def _answer(answer: dict[str, Any]) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, default=str))


def _told(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [fault._asdict() for fault in faults]


def _alone(path: Path) -> bool:
    """Tell one procedure or decision from a pack."""
    return path.is_file() and path.suffix.lower() != ".zip"


def _files(folder: Path, settings: Settings) -> dict[str, bytes]:
    return packs.from_folder(folder, settings) if folder.is_dir() else packs.from_zip(folder.read_bytes(), settings)
