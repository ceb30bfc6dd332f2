"""Clients on the command line: let a department's system in, list them, end one."""

import click

from approval.domain.actors import SYSTEM
from approval.office import open_office
from approval.services import clients as services


@click.group()
def clients() -> None:
    """Let the systems of departments ask over the interface (接入系统)."""


@clients.command()
@click.argument("department")
@click.argument("code")
@click.argument("name")
def enrol(department: str, code: str, name: str) -> None:
    """Enrol the system CODE of a DEPARTMENT, and print its key, which is not kept and not shown again."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        click.echo(services.enrol(work, department, code, name))


@clients.command(name="list")
def list_() -> None:
    """List the systems, ended ones too."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        for client in services.enrolled(work):
            ended = f"ended {client.ended_at.isoformat()}" if client.ended_at else ""
            click.echo(f"{client.department_code}\t{client.code}\t{client.name}\t{ended}".rstrip())


@clients.command()
@click.argument("code")
def end(code: str) -> None:
    """End a system's access, from now on."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        services.end(work, code)
