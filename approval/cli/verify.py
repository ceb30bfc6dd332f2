"""Verifying licences on the command line: by file, by number, by the token of the QR code."""

import json
from pathlib import Path

import click

from approval.domain.actors import VISITOR
from approval.domain.countdown import legal_day
from approval.office import Office, open_office, wall_clock
from approval.services import licences
from approval.settings import Settings
from approval.web import verdicts
from certificates import CertificateError, Check, OfflineKit, Verification, verify_file_offline

_MARKS = {True: "✓", False: "✗", None: "?"}


@click.command()
@click.argument("what")
@click.option(
    "--kit", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Verify by this kit, without an office."
)
@click.option("--root", metavar="SHA256", help="The root's fingerprint as published; a kit with another is refused.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def verify(what: str, kit: Path | None, root: str | None, as_json: bool) -> None:
    """Verify WHAT: the FILE of a licence (PDF or sealed JSON), its NUMBER, or the TOKEN of its QR code.

    With --kit, a file fetched from an office's /verify/kit.json, neither office nor network is needed: WHAT is then
    a PDF, what a wallet shows (SD-JWT VC or W3C credential), or what the QR code says. Ends with 0 only for a licence
    that is genuine and in force.
    """
    if kit:
        verification = examine_offline(kit, what, root)
    else:
        with open_office() as office:
            verification = examine(office, what)
    click.echo(as_text(verification) if not as_json else json.dumps(verification.data(), ensure_ascii=False, indent=2))
    raise click.exceptions.Exit(0 if verification.holds else 1)


def examine(office: Office, what: str) -> Verification:
    """Ask every question about a file, a token or a number."""
    with office.work(by=VISITOR, read_only=True) as work:
        if Path(what).is_file():
            return licences.verify(work, document=Path(what).read_bytes())
        by_token = licences.verify(work, token=what.rsplit("/", 1)[-1])
        # The operator of the office may ask by number alone; a visitor's page also asks the check code.
        return by_token if by_token.licence else licences.verify_as_operator(work, what)


def examine_offline(kit: Path, what: str, root: str | None) -> Verification:
    """Ask what can be asked without an office (离线查验); the legal day is that of the settings' zone."""
    try:
        opened = OfflineKit.read(kit.read_bytes())
    except CertificateError as refused:
        raise click.ClickException(str(refused)) from None
    if root and root.replace(":", "").lower() != opened.fingerprint:
        raise click.ClickException(f"the kit's root is {opened.fingerprint}, not the one that was asked for")
    if not root:
        click.echo(f"root certificate {opened.fingerprint}: compare it with the published one", err=True)
    now = wall_clock()
    upload = Path(what).read_bytes() if Path(what).is_file() else what.encode()
    return verify_file_offline(upload, opened, today=legal_day(now, Settings.from_env().tz), now=now)


def as_text(verification: Verification) -> str:
    """Say a verification in lines: the bottom line, then every check by name."""
    told = verdicts.OUTCOMES[verification.outcome]
    lines = [
        f"  {_MARKS[check.holds]} {check.question:<30}{verdicts.QUESTIONS[check.question]}  {_detail(check)}".rstrip()
        for check in verification.checks
    ]
    return "\n".join([f"{verification.outcome.upper()} {told.title}：{told.advice}", *lines])


def _detail(check: Check) -> str:
    return f"{check.at.isoformat()} {check.detail}" if check.at else check.detail
