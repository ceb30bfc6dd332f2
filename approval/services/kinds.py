"""Kinds of formal notices (文书种类): what is prescribed, as shipped data, and the frame that holds them all."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from approval.domain import notices
from approval.domain.notices import Kind, Period
from approval.paths import WORKFLOWS

FOLDER = WORKFLOWS / "_notices"
OVERRIDES = "notices/"
"""Where a pack keeps templates of its own, `notices/<kind>.html`."""
_BODY = "{# body #}"


@cache
def catalogue() -> Mapping[str, Kind]:
    """Bring every kind of notice there is (文书目录), by its code."""
    found = {}
    for file in sorted(FOLDER.glob(f"*/{notices.FILE}")):
        code, template = file.parent.name, (file.parent / "template.html").is_file()
        found[code] = notices.read(code, file.read_bytes(), template=template)
    return found


@cache
def _periods() -> tuple[Period, ...]:
    return notices.read_periods((FOLDER / "periods.toml").read_bytes())


def period(code: str, day: date) -> Period:
    """Find the period in force on a day (现行期间): `review`, `suit` or `announcement`."""
    return next(
        one
        for one in _periods()
        if one.code == code and one.valid_from <= day and (one.valid_until is None or day <= one.valid_until)
    )


def of_event(event: str, day: date) -> Kind | None:
    """Find the kind that an event wants (事项对应的文书), if one is prescribed for it on a day."""
    return next((kind for kind in catalogue().values() if event in kind.events and kind.in_force(day)), None)


def framed(body: str) -> str:
    """Put a body into the frame (套用版式) that gives every notice its organ, number, seal line and code."""
    return (FOLDER / "frame.html").read_text(encoding="utf-8").replace(_BODY, body)
