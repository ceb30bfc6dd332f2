"""Decisions on the command line: a DMN file asked without an office."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from approval.domain.errors import Refusal
from approval.expressions import tables


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--decision", help="Its id or name; without it, the only decision that no other requires.")
@click.option("--data", default="{}", help="A JSON object with what the decision asks for, or @FILE with it.")
@click.option("--json", "as_json", is_flag=True, help="Tell a refusal as JSON too, on stderr.")
def decide(file: Path, decision: str | None, data: str, as_json: bool) -> None:
    """Ask a decision of a DMN FILE (决策) and print {"result", "rows"}, the rows that matched."""
    given = _object(data)
    try:
        decided = tables.pick(file.name, file.read_bytes(), decision).decide(given)
    except Refusal as refusal:
        if not as_json:
            raise
        told = {"refused": refusal.code, "sentence": refusal.__doc__, **refusal.facts}
        click.echo(orjson.dumps(told, default=_named).decode(), err=True)
        sys.exit(1)
    rows = [row._asdict() for row in decided.rules]
    click.echo(orjson.dumps({"result": decided.result, "rows": rows}).decode())


def _named(fault: Any) -> Any:
    return fault._asdict()


def _object(data: str) -> dict[str, Any]:
    try:
        text = Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
        given = orjson.loads(text)
    except (OSError, ValueError) as problem:
        raise click.BadParameter(str(problem), param_hint="--data") from None
    if not isinstance(given, dict):
        raise click.BadParameter("write a JSON object, {…}", param_hint="--data")
    return given
