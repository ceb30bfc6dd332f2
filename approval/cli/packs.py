"""Packs on the command line: check, play, deploy, list."""

from pathlib import Path

import click

from approval.domain.actors import SYSTEM
from approval.office import open_office
from approval.services import items, packs, rehearsals
from approval.services.packs import Pack
from approval.services.rehearsals import Played
from approval.settings import Settings

_folder = click.argument("folder", type=click.Path(path_type=Path, exists=True))


@click.group()
def pack() -> None:
    """Check, play, deploy and list packs (事项包); FOLDER may also be a zip."""


@pack.command()
@_folder
def check(folder: Path) -> None:
    """Check a pack and play all its scenarios; every fault is told at once."""
    _checked(folder)


@pack.command()
@_folder
@click.argument("scenario", required=False)
def play(folder: Path, scenario: str | None) -> None:
    """Play the scenarios of a pack, or the one named, telling each step."""
    settings = Settings.from_env()
    understood = packs.check(_files(folder, settings), settings)
    for one in rehearsals.scenarios(understood):
        if scenario in {None, Path(one.file).stem}:
            click.echo(f"── {one.title}")
            rehearsals.rehearse(understood, one, settings, say=tell)


@pack.command()
@_folder
def deploy(folder: Path) -> None:
    """Check a pack and publish it; the same bytes are the same version."""
    understood = _checked(folder)
    with open_office() as office, office.work(by=SYSTEM) as work:
        version = packs.deploy(work, understood)
        click.echo(f"{version.item_code} 第 {version.ordinal} 版已发布 / version {version.ordinal} published")


@pack.command(name="list")
def list_() -> None:
    """List what is published."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        for version in items.published(work):
            click.echo(f"{version.item_code}\t{version.ordinal}\t{version.name_zh}\t{version.digest[:12]}")


def tell(played: Played) -> None:
    """Tell one step of a rehearsal in a line."""
    click.echo(f"   · {played.who}{f'（{played.department}）' if played.department else ''}：{played.what}")


def _checked(folder: Path) -> Pack:
    settings = Settings.from_env()
    understood = packs.check(_files(folder, settings), settings)
    played = rehearsals.check(understood, settings)
    click.echo(
        f"{understood.manifest.code}: 无缺陷，{played} 个情景全部符合 / no faults, {played} scenarios as expected"
    )
    return understood


def _files(folder: Path, settings: Settings) -> dict[str, bytes]:
    return packs.from_folder(folder, settings) if folder.is_dir() else packs.from_zip(folder.read_bytes(), settings)
