"""Incidents on the command line: what waits for an administrator, and trying it again."""

from uuid import UUID

import click

from approval.domain.actors import SYSTEM
from approval.office import open_office
from approval.services import incidents as waiting
from approval.services import operations

_MOST = 1000


@click.group()
def incidents() -> None:
    """List and retry what waits for an administrator (异常)."""


@incidents.command(name="list")
def list_() -> None:
    """List what waits: id, case, what, why, attempts, since when."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        for one in waiting.listed(work, limit=_MOST):
            since = one.opened_at.astimezone(office.settings.tz).isoformat(timespec="minutes")
            click.echo(f"{one.id}\t{one.case.number}\t{one.kind} {one.name}\t{one.reason}\t{one.attempts}\t{since}")


@incidents.command()
@click.argument("incident", type=click.UUID, required=False)
@click.option("--all", "every", is_flag=True, help="Retry everything that waits.")
@click.option("--reason", required=True, help="Why it will go well now (理由); it stands in the journal.")
def retry(incident: UUID | None, every: bool, reason: str) -> None:
    """Try one INCIDENT again, or --all of them, once the cause is gone."""
    if (incident is None) is not every:
        raise click.UsageError("name an incident, or --all")
    with open_office() as office, office.work(by=SYSTEM) as work:
        if incident is not None:
            operations.retry(work, incident, reason)
        count = 1 if incident is not None else operations.retry_all(work, reason)
    click.echo(f"重新办理 / opened again: {count}")
