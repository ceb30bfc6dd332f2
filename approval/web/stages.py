"""Stages (办理阶段): where a case stands on the line from filing to delivery, in plain words."""

from collections.abc import Iterable
from typing import Any

from approval.domain.cases import DECISIONS, Status
from approval.models.cases import Case
from approval.models.tasks import Task
from approval.services.packs import Pack
from approval.web import words

_ACCEPTANCE, _EXAMINATION, _DECISION, _DELIVERY = 1, 2, 3, 4
# The stage, as packs count them, whose steps decide; an accepted case is examined until all it waits for does.
_DECIDING = "5"


def texts(pack: Pack, waiting_for: Iterable[Task]) -> list[dict[str, str]]:
    """Say in plain words what a case waits for (进展说明), as its pack says it to citizens."""
    posts = [pack.definition.tasks[task.element] for task in waiting_for]
    said = [
        (post.properties.get("citizenText") or post.name, post.properties.get("citizenTextEn", "")) for post in posts
    ]
    return [{"zh": chinese, "en": english} for chinese, english in dict.fromkeys(said)]


def stage(found: Case, pack: Pack, waiting_for: Iterable[Task]) -> dict[str, Any]:
    """Find the stage a case is in (办理阶段): its number, and whether it goes on, is over, or was stopped there."""
    status = Status(found.status)
    if status in {Status.FILED, Status.CORRECTING}:
        return {"at": _ACCEPTANCE, "state": "current"}
    if status == Status.ACCEPTED:
        ahead = [pack.definition.tasks[task.element].properties.get("citizenStage") for task in waiting_for]
        return {"at": _DECISION if ahead and set(ahead) == {_DECIDING} else _EXAMINATION, "state": "current"}
    if status in DECISIONS:
        return {"at": _DELIVERY, "state": "current"}
    if status == Status.CONCLUDED:
        return {"at": _DELIVERY, "state": "done"}
    return {"at": _EXAMINATION if found.accepted_at else _ACCEPTANCE, "state": "stopped"}


def line(found: Case, pack: Pack, waiting_for: Iterable[Task]) -> list[dict[str, Any]]:
    """Draw the line of stages (阶段线) for the macro `stages`."""
    here = stage(found, pack, waiting_for)
    states = ["done"] * here["at"] + [here["state"]] + ["next"] * (_DELIVERY - here["at"])
    return [{"name": name, "state": state} for name, state in zip(words.STAGES, states, strict=True)]
