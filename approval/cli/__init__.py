"""The command line (命令行): what an operator does with the office, one room a noun."""

import logging
import sys

import click

from approval.cli import clients, clocks, countdowns, demo, incidents, logs, offices, packs, people, verify
from approval.domain.errors import Incomplete, PackRefused, Refusal
from approval.settings import SettingsRefused
from certificates import CertificateError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="one-stop-approval")
def approval() -> None:
    """Run a city's one-stop administrative approval (一站式行政审批)."""


approval.add_command(demo.dev)
approval.add_command(offices.init)
approval.add_command(offices.migrate)
approval.add_command(offices.worker)
approval.add_command(offices.doctor)
approval.add_command(clients.clients)
approval.add_command(clocks.clock)
approval.add_command(countdowns.countdown)
approval.add_command(incidents.incidents)
approval.add_command(logs.log)
approval.add_command(packs.pack)
approval.add_command(people.people)
approval.add_command(verify.verify)


def main() -> None:
    """Run a command; a Refusal is said in one sentence and ends with 1, never with a trace."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Our own words; libraries speak up when something is wrong.
    logging.getLogger("approval").setLevel(logging.INFO)
    try:
        approval()
    except (Refusal, CertificateError, SettingsRefused) as refused:
        click.echo(f"{refused.__class__.__name__}: {_sentence(refused)}", err=True)
        for line in _lines(refused):
            click.echo(f"  {line}", err=True)
        sys.exit(1)


def _sentence(refused: Exception) -> str:
    if isinstance(refused, PackRefused | Incomplete):
        return (refused.__doc__ or "").strip().splitlines()[0]
    return str(refused)


def _lines(refused: Exception) -> list[str]:
    if isinstance(refused, PackRefused):
        return [f"{fault.file}:{fault.line} {fault.element}: {fault.why}" for fault in refused.facts["faults"]]
    if isinstance(refused, Incomplete):
        return [f"{missing.where}: {missing.why} {missing.label}" for missing in refused.facts["missing"]]
    return []
