"""Proof sheets of countdowns (时限计算书): composed from the ledger, named by the decision, counted again by anyone."""

import hashlib
import json
from typing import Any, NamedTuple

import rfc8785

from approval.domain import sheets
from approval.domain.errors import NotFound, SheetUnreadable
from approval.models.cases import Case
from approval.office import Work
from approval.services import access, countdowns, items


class Verdict(NamedTuple):
    """What counting a sheet again came to (复算结论): it holds when nothing in it came out otherwise.

    `faults` name what did; `digest` is the SHA-256 of the canonical JSON, as the decision names it.
    """

    holds: bool
    due: str
    digest: str
    faults: list[str]


def of_case(work: Work, case: Case, kind: str) -> dict[str, Any]:
    """Compose the proof sheet of a case's countdown (办件的时限计算书); raises `NotFound` when it never began."""
    entries, calendar = countdowns.ledger(work, case, kind)
    if not entries:
        raise NotFound(countdown=kind)
    manifest = items.pack_of(work, case).manifest
    about = {"case": case.number, "item": manifest.name.zh, "kind": kind, "department": manifest.department}
    return sheets.compose(about, entries, calendar)


def read(work: Work, number: str, kind: str, *, inside: bool = False) -> dict[str, Any]:
    """Bring a proof sheet to whoever may see the case (查阅时限计算书), or `inside` to its officers; as `access`."""
    found = access.timed_case(work, number) if inside else access.case(work, number)
    return of_case(work, found, kind)


def canonical(sheet: dict[str, Any]) -> bytes:
    """Write a sheet as canonical JSON (规范化 JSON, RFC 8785): the same sheet, the same bytes."""
    return rfc8785.dumps(sheet)


def digest(sheet: dict[str, Any]) -> str:
    """Digest a sheet (时限计算书摘要): SHA-256 of its canonical JSON, 64 hexadecimal characters."""
    return hashlib.sha256(canonical(sheet)).hexdigest()


def verify(document: bytes, digest: str = "") -> Verdict:
    """Count a sheet again from its bytes alone (复算), without any office, and compare everything that it says.

    `digest` is the one that a decision names, where there is one. Raises `SheetUnreadable` for what is no sheet.
    """
    try:
        said = json.loads(document)
        recomputed = sheets.recompute(said)
        written = rfc8785.dumps(said)
    except (ValueError, RecursionError) as reason:
        raise SheetUnreadable(why=str(reason)) from None
    faults = sorted(name for name in said.keys() | recomputed.keys() if said.get(name) != recomputed.get(name))
    if written != document:
        faults.append("canonical")
    own = hashlib.sha256(document).hexdigest()
    if digest and digest.lower() != own:
        faults.append("sha256")
    return Verdict(not faults, recomputed["due"], own, faults)
