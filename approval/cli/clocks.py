"""The clock on the command line: a demonstration or a test moves time on."""

from datetime import datetime, timedelta

import click

from approval.domain.actors import SYSTEM
from approval.office import open_office
from approval.services import clocks


@click.group()
def clock() -> None:
    """Move the clock of a demonstration (可拨动时钟); needs APPROVAL_CLOCK=movable, which `approval dev` sets."""


@clock.command()
@click.option("--days", default=0, help="Calendar days to move on.")
@click.option("--hours", default=0, help="Hours to move on.")
@click.option("--to", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="The legal day and time to move on to.")
def move(days: int, hours: int, to: datetime | None) -> None:
    """Move time on for every process of the office, and say what it is then; it never goes back."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        zone = office.settings.tz
        by = to.replace(tzinfo=zone) - work.now if to else timedelta(days=days, hours=hours)
        click.echo(clocks.move(work, by).astimezone(zone).isoformat(timespec="seconds"))


@clock.command()
def show() -> None:
    """Say what time it is in the office."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        click.echo(work.now.astimezone(office.settings.tz).isoformat(timespec="seconds"))
