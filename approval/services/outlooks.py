"""Outlooks (办理预览): the notices that completing a task would issue, before anybody does. Nothing of it stays."""

from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from dataclasses import replace
from threading import Lock
from typing import Any, Final, cast
from uuid import UUID

from approval import documents
from approval.domain.actors import Actor
from approval.domain.errors import Unavailable
from approval.jobs import Waiting
from approval.office import Office
from approval.services import access, drawings, issuances, tasks
from approval.services.drawings import Sheet
from certificates import Authority, Sealer

MARK: Final = "预览 · 尚未签发"
_UNSAID: Final = "——"
_TURN: Final = Lock()
_PATIENCE: Final = 10.0


class _Enough(Exception):  # noqa: N818 -- no error: it leaves no trace of what was tried
    """What was to be seen was seen, or the next step would leave the house."""


class _Unsealing:
    """Seals nothing: what would be sealed ends the trial instead (预览不用印)."""

    def sealer(self, _department: str) -> Sealer:
        raise _Enough


def look(office: Office, actor: Actor, task_id: UUID, given: Mapping[str, Any]) -> list[Sheet]:
    """Try completing a task and bring the notices that it would issue (预览文书), by the very steps that would do it.

    Everything is undone: no number is used up, nothing is sealed, nobody is told. One at a time in a process, because
    it holds what a completion holds. Raises as `tasks.complete`, and `Unavailable` while others look.
    """
    if not _TURN.acquire(timeout=_PATIENCE):
        raise Unavailable(preview=str(task_id))
    try:
        return _look(office, actor, task_id, given)
    finally:
        _TURN.release()


def _look(office: Office, actor: Actor, task_id: UUID, given: Mapping[str, Any]) -> list[Sheet]:
    trial, found = copy(office), list[Sheet]()
    trial.authority, trial.carrier = cast("Authority", _Unsealing()), Waiting()
    with suppress(_Enough), office.work(by=actor) as work:
        case = access.task(work, task_id).case
        before = {formal.id for formal in issuances.of_case(work, case)}
        with suppress(_Enough):
            tasks.complete(replace(work, office=trial, if_undone=[]), task_id, given)
        issued = (formal.id for formal in issuances.of_case(work, case) if formal.id not in before)
        found += [_unissued(sheet) for sheet in (drawings.gather(work, formal_id) for formal_id in issued) if sheet]
        raise _Enough
    return found


def draw(sheet: Sheet) -> bytes:
    """Draw a notice that was not issued (制作预览), with a mark across it; raises `Unavailable`."""
    return documents.render(sheet.template, sheet.values, mark=MARK)


def _unissued(sheet: Sheet) -> Sheet:
    values = {**sheet.values, "verify_url": _UNSAID, "qr": _UNSAID}
    return replace(sheet, values={**values, "notice": {**sheet.values["notice"], "number": _UNSAID}})
