"""Verifying licences on the command line: by file, by number, by the token of the QR code."""

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from approval.domain.actors import VISITOR
from approval.office import Office, open_office
from approval.services import licences
from approval.web import words
from certificates import Verification

_MARKS = {True: "✓", False: "✗", None: "?"}


@click.command()
@click.argument("what")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def verify(what: str, as_json: bool) -> None:
    """Verify WHAT: the FILE of a licence (PDF or sealed JSON), its NUMBER, or the TOKEN of its QR code.

    Ends with 0 only for a licence that is genuine and in force.
    """
    with open_office() as office:
        verification = examine(office, what)
    click.echo(
        as_text(verification) if not as_json else json.dumps(as_data(verification), ensure_ascii=False, indent=2)
    )
    raise click.exceptions.Exit(0 if verification.holds else 1)


def examine(office: Office, what: str) -> Verification:
    """Ask every question about a file, a token or a number."""
    with office.work(by=VISITOR, read_only=True) as work:
        if Path(what).is_file():
            return licences.verify(work, document=Path(what).read_bytes())
        by_token = licences.verify(work, token=what.rsplit("/", 1)[-1])
        # The operator of the office may ask by number alone; a visitor's page also asks the check code.
        return by_token if by_token.licence else licences.verify_as_operator(work, what)


def as_text(verification: Verification) -> str:
    """Say a verification in lines: the bottom line, then every check by name."""
    told = words.OUTCOMES[verification.outcome]
    lines = [
        f"  {_MARKS[check.holds]} {check.question:<30}{words.QUESTIONS[check.question]}  {check.detail}".rstrip()
        for check in verification.checks
    ]
    return "\n".join([f"{verification.outcome.upper()} {told.title}：{told.advice}", *lines])


def as_data(verification: Verification) -> dict[str, Any]:
    """Say a verification as JSON values."""
    licence = verification.licence and dataclasses.asdict(verification.licence)
    return {
        "outcome": verification.outcome,
        "holds": verification.holds,
        "checks": [dataclasses.asdict(check) for check in verification.checks],
        "licence": {
            name: value.isoformat() if isinstance(value, date) else value for name, value in (licence or {}).items()
        }
        or None,
    }
