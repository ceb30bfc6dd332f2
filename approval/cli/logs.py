"""The public log on the command line (透明日志): check it as its operator or as a stranger, prove, copy."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

import click

import certificates
from approval.domain.errors import NotFound, Unavailable
from approval.office import open_office
from approval.services import logs
from certificates import Finding, LogKey, NotLogged

_TIMEOUT = 10.0


@click.group()
def log() -> None:
    """Check, prove and copy the public log (透明日志)."""


@log.command()
@click.option("--public", default="", help="Check the public files in this folder or at this address, nothing else.")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="The key that you pinned, with --public.")
@click.option("--since", type=click.Path(path_type=Path, exists=True), help="A checkpoint that you kept.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def verify(public: str, key: Path | None, since: Path | None, as_json: bool) -> None:
    """Check the log: with every row as its operator, or from its public files alone as a stranger."""
    seen = since.read_text(encoding="utf-8") if since else None
    if public:
        if key is None:
            raise click.UsageError("--public needs --key: without a pinned key anybody could have signed")
        checkpoint, found = certificates.audit_public(_fetch(public), LogKey.parse(key.read_text()), seen)
        size = checkpoint.size
    else:
        with open_office() as office, office.work(read_only=True, steady=True) as work:
            found = logs.verify(work, seen)
            head = certificates.log_head(work.session)
            size = head.size if head else 0
    _tell(found, size, as_json=as_json)


@log.command()
@click.argument("number")
def proof(number: str) -> None:
    """Prove, as JSON, that the sealing of the licence NUMBER stands in the log."""
    with open_office() as office, office.work(read_only=True) as work:
        licence = certificates.find_by_number(work.session, number)
        shown = logs.of_licence(work, licence) if licence else None
        if licence is None or shown is None:
            raise NotFound(licence=number)
        said = {
            "content": logs.sealing(work, licence).decode(),
            "salt": shown.salt.hex(),
            "index": shown.index,
            "path": [hash_.hex() for hash_ in shown.path],
            "checkpoint": shown.note,
        }
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))


@log.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("origin")
def key(folder: Path, origin: str) -> None:
    """Make a key for the log in FOLDER, under the name ORIGIN, such as example.gov.cn/log, and show its public half."""
    certificates.make_log_key(folder, origin)
    click.echo(str(certificates.open_log_key(folder)))


@log.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def publish(folder: Path) -> None:
    """Copy the public files into FOLDER, for any web server."""
    with open_office() as office, office.work(read_only=True, steady=True) as work:
        head = certificates.log_head(work.session)
        for path in ("key", *(certificates.log_paths(head.size) if head else ())):
            place = folder / path
            # The checkpoint comes last, so that a copy is never ahead of its tiles.
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f"{place.name}.new")
            draft.write_bytes(head.note.encode() if head and path == "checkpoint" else logs.public_file(work, path))
            draft.replace(place)
    click.echo(f"{folder}: {head.size if head else 0}")


def _tell(found: list[Finding], size: int, *, as_json: bool) -> None:
    if as_json:
        faults = [{"trouble": finding.trouble, "where": finding.where} for finding in found]
        click.echo(json.dumps({"ok": not found, "size": size, "findings": faults}, ensure_ascii=False, indent=2))
    else:
        for finding in found:
            click.echo(f"✗ {finding.trouble} {finding.where}")
        click.echo(f"{'✗' if found else '✓'} {size}")
    raise click.exceptions.Exit(1 if found else 0)


def _fetch(public: str) -> Callable[[str], bytes]:
    if not public.startswith(("http://", "https://")):

        def read(path: str) -> bytes:
            try:
                return (Path(public) / path).read_bytes()
            except FileNotFoundError:
                raise NotLogged(path=path) from None

        return read
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)

    def ask(path: str) -> bytes:
        try:
            # The opener knows http and https and nothing else.
            answer = opener.open(Request(f"{public.rstrip('/')}/{path}"), timeout=_TIMEOUT)  # noqa: S310
        except URLError as reason:
            raise Unavailable(address=public, why=str(reason.reason)) from None
        if answer is None or answer.status != 200:  # noqa: PLR2004 -- anything but 200 is not the file
            raise NotLogged(path=path)
        return bytes(answer.read())

    return ask
