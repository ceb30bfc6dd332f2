"""Countdowns on the command line: count a proof sheet again without an office, take the yearly notice over."""

import json
from pathlib import Path

import click

from approval.domain import holidays
from approval.domain.actors import SYSTEM
from approval.office import open_office
from approval.services import countdowns, sheets

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def countdown() -> None:
    """Count time limits again, keep the working-day calendar (办理时限)."""


@countdown.command()
@click.argument("file", type=_FILE)
@click.option("--sha256", default="", help="The digest that the decision names; a sheet of another one fails.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def verify(file: Path, sha256: str, as_json: bool) -> None:
    """Count the proof sheet in FILE again, from the file alone; ends with 0 only when all of it adds up."""
    verdict = sheets.verify(file.read_bytes(), sha256)
    if as_json:
        click.echo(json.dumps(verdict._asdict(), ensure_ascii=False, indent=2))
    else:
        click.echo("✓ 相符 / adds up" if verdict.holds else f"✗ 不符 / does not add up: {', '.join(verdict.faults)}")
        click.echo(f"due {verdict.due}\nsha256 {verdict.digest}")
    raise click.exceptions.Exit(0 if verdict.holds else 1)


@countdown.command()
@click.argument("file", type=_FILE)
@click.option("--basis", default="", help="The number of the notice, where the file does not say it.")
def calendar(file: Path, basis: str) -> None:
    """Take a year's notice of holidays over from FILE (TOML, or CSV of day and kind), and recount what runs."""
    notice = holidays.read(file.read_text(encoding="utf-8"), table=file.suffix.lower() == ".csv", basis=basis)
    with open_office() as office, office.work(by=SYSTEM) as work:
        known = holidays.enter(countdowns.calendar(work), notice)
        moved = countdowns.import_calendar(work, known.data())
    click.echo(f"{notice.year}: {notice.basis}\n{moved} 个到期日变动 / due days moved")
