"""People on the command line: list them, set a password, issue and revoke a demo certificate."""

from collections.abc import Iterable
from pathlib import Path

import click
from sqlalchemy import select

import certificates
from approval.domain.actors import SYSTEM
from approval.models.people import Person
from approval.office import Office, open_office
from approval.services import identities
from approval.services import people as services


@click.group()
def people() -> None:
    """List people, set passwords, issue and revoke demo certificates (人员)."""


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


@people.command()
@click.argument("code")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Write the PKCS#12 here.")
@click.password_option(help="Password of the file.")
def certificate(code: str, out: Path, password: str) -> None:
    """Issue a person a certificate with a key (签发证书), by the demo authority; earlier ones stay good."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        certificates.write_private(out, identities.issue(work, code, password))


@people.command(name="bind-certificate")
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def bind_certificate(code: str, file: Path) -> None:
    """Let a person sign in with a certificate of an authority we trust (登记证书): PEM, those above it after it.

    Look at the person and their certificate yourself first: whoever holds its key will be this person.
    """
    with open_office() as office, office.work(by=SYSTEM) as work:
        subject = identities.bind_certificate(work, code, file.read_bytes())
        click.echo(f"已登记 / bound: {code} ← {subject.issuer} {subject.identifier} {subject.name}")


@people.command(name="revoke-certificate")
@click.argument("code")
def revoke_certificate(code: str) -> None:
    """Revoke all certificates that the demo authority issued to a person (吊销证书), and end their sessions."""
    with open_office() as office, office.work(by=SYSTEM) as work:
        click.echo(f"已吊销 / revoked: {identities.revoke(work, code)}")


def furnish(office: Office, codes: Iterable[str], password: str) -> None:
    """Give every demo person a certificate that has none yet: `people/<code>.p12` in the instance folder.

    The file is written before the binding is kept: after a power cut between the two it is made again.
    """
    folder = office.settings.instance / "people"
    folder.mkdir(mode=0o700, exist_ok=True)
    with office.work(by=SYSTEM) as work:
        identities.found_authority(work)
        for code in codes:
            file = folder / f"{code}.p12"
            if not (file.is_file() and identities.is_bound(work, code)):
                certificates.write_private(file, identities.issue(work, code, password))
