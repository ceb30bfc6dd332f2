"""Calls (外部调用): the errand `call:<name>` asks a system outside, and its answer is the errand's outcome.

The engine's id of the errand is the key of the question: however often a worker has to ask, and even after the step
is returned to, a system that keeps to the port does what is asked once.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from approval.domain.errors import Unavailable
from approval.models.cases import Case
from approval.models.tasks import Errand
from approval.office import Office, Work
from approval.services import journal
from approval.services.errands import FAMILIES, Carried


class _Call(NamedTuple):
    name: str
    key: str
    body: Mapping[str, Any]


def _look(name: str, _work: Work, case: Case, errand: Errand) -> _Call:
    body = {"case": case.number, "element": errand.element, "data": errand.given or {}}
    return _Call(name, str(errand.item), body)


def _make(office: Office, call: _Call) -> dict[str, Any]:
    connector = office.outside.get(call.name)
    if connector is None:
        raise Unavailable(connector=call.name, why="APPROVAL_CONNECTORS names no such system")
    return connector.call(call.key, call.body)


def _keep(name: str, work: Work, case: Case, answer: dict[str, Any]) -> dict[str, Any]:
    journal.write(work, case, "errand:answered", connector=name)
    return answer


FAMILIES["call"] = lambda name: Carried(partial(_look, name), _make, partial(_keep, name))
