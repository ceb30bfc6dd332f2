"""People on the command line: list them, set a password."""

import click
from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.models.people import Person
from approval.office import open_office
from approval.services import people as services


@click.group()
def people() -> None:
    """List people and set passwords (人员)."""


@people.command(name="list")
def list_() -> None:
    """List people with their posts, never their identity numbers."""
    with open_office() as office, office.work(by=SYSTEM, read_only=True) as work:
        for person in work.session.scalars(select(Person).order_by(Person.code)):
            posts = " ".join(f"{post.department_code}:{post.role}" for post in person.posts)
            click.echo(f"{person.code}\t{person.name}\t{posts}")


@people.command()
@click.argument("code")
@click.password_option()
def password(code: str, password: str) -> None:
    """Set a person's password and end all their sessions."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        services.set_password(work, code, password)
