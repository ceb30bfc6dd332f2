"""A small item to drill the office with: two people, two departments, a wait, a call outside, and every legal act.

formal_check → accept → ( ask: call:register ‖ pause: a timer ) → review → grant → deliver → conclude
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select

from approval.domain.actors import SYSTEM
from approval.models.items import ItemVersion
from approval.models.tasks import Errand, Progress, Task
from approval.office import Office
from approval.services import cases, packs, tasks
from tests.kit import walks

ITEM = "drill"
CALL = "call:register"
CHECK = ("formal_check", "wang", {"result": "complete"})
REVIEW = ("review", "huang", {"result": "pass"})

_ITEM = """
code = "drill"
item_number = "XK00109000"
item_number_pattern = "^[A-Z]{2}\\\\d{7}[0-9A-Z]$"
kind = "XK"
case_kind = "promised"
level = "市级"
online_depth = "全程网办"
visits = 0
themes = []
serves = ["person", "organization"]
valid_from = 2026-01-01
materials = []
apart = []
conditions = []

[name]
zh = "演练事项（示例数据）"
en = "Drill (sample data)"

[department]
code = "SCJ"
joint = ["SPJ"]

[facts]
size = "answers.size"

[lanes]
"综合窗口" = { department = "SPJ", role = "window" }
"审查岗" = { department = "SCJ", role = "examiner" }

[limits.acceptance]
days = 5
basis = "示例依据"

[limits.decision]
days = 20
basis = "示例依据"

[limits.delivery]
days = 10
basis = "示例依据"

[[legal_basis]]
law = "示例法"
article = "第一条"
text = "示例。"
valid_from = 2026-01-01

[fee]
amount = "0.00"
basis = "不收费"

[forms]
filing = "filing"

[service]
place = "示例"
hours = "示例"
phone = "0595-00000001"
supervision_phone = "0595-00000002"
review_body = "示例"
court = "示例"
"""

_BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
    id="drill_definitions" targetNamespace="https://one-stop-approval.example/drill">
  <bpmn:process id="drill" name="演练" isExecutable="true">
    <bpmn:laneSet id="lanes">
      <bpmn:lane id="window_lane" name="综合窗口">
        <bpmn:flowNodeRef>formal_check</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="examiner_lane" name="审查岗">
        <bpmn:flowNodeRef>{review}</bpmn:flowNodeRef>{more_lanes}
      </bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="received" />
    {check}
    {accept}
    <bpmn:parallelGateway id="fork" />
    {ask}
    <bpmn:intermediateCatchEvent id="pause">
      <bpmn:timerEventDefinition id="pause_timer">
        <bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{wait}</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:parallelGateway id="join" />
    {tasks}
    {grant}
    {deliver}
    {conclude}
    <bpmn:endEvent id="ended" />
    {flows}
  </bpmn:process>
</bpmn:definitions>
"""


def files(
    *, wait: str = "PT1S", call: str = CALL, review: str = "review", more: tuple[str, ...] = (), facts: str = ""
) -> dict[str, bytes]:
    """Write the pack; `more` are further tasks of the examiner after `review`, for later versions of the item."""
    row = ("received", "formal_check", "accept_case", "fork", "ask", "join", review, *more)
    row += ("grant_case", "deliver_result", "conclude_case", "ended")
    flows = [*pairwise(row), ("fork", "pause"), ("pause", "join")]
    bpmn = _BPMN.format(
        wait=wait,
        review=review,
        more_lanes="".join(f"<bpmn:flowNodeRef>{name}</bpmn:flowNodeRef>" for name in more),
        check=_task("formal_check", "check"),
        tasks="".join(_task(name, "opinion") for name in (review, *more)),
        accept=_service("accept_case", "accept"),
        ask=_service("ask", call),
        grant=_service("grant_case", "grant"),
        deliver=_service("deliver_result", "deliver"),
        conclude=_service("conclude_case", "conclude"),
        flows="".join(f'<bpmn:sequenceFlow id="{a}_to_{b}" sourceRef="{a}" targetRef="{b}" />' for a, b in flows),
    )
    written = {
        "item.toml": _ITEM.replace('size = "answers.size"', f'size = "answers.size"\n{facts}'),
        "process.bpmn": bpmn,
        "forms/filing.json": _form("filing", "size", "small", "large"),
        "forms/check.json": _form("check", "result", "complete", "incomplete"),
        "forms/opinion.json": _form("opinion", "result", "pass", "fail"),
    }
    return {path: text.encode() for path, text in written.items()}


def deploy(office: Office, **bends: Any) -> UUID:
    """Publish the item, or its next version, and return the version's id."""
    with office.work(by=SYSTEM) as work:
        return packs.deploy(work, packs.read(files(**bends))).id


def file(office: Office, token: str | None = None, size: str = "small") -> str:
    """File a case by chen and return its number; it takes a token like any other."""
    with office.work(by=walks.signed_in(office, "chen")) as work:
        return cases.file(work, ITEM, {"size": size}, [], token=token).number


def errand(office: Office, number: str) -> UUID:
    """Find the newest call of a case."""
    with office.work(by=SYSTEM, read_only=True) as work:
        case = walks.case(work, number)
        theirs = select(Errand.id).where(Errand.case_id == case.id, Errand.closed_at.is_(None))
        return work.session.scalars(theirs).one()


def tasks_of(office: Office, number: str) -> list[tuple[str, str]]:
    """List the tasks of a case as (element, progress), oldest first."""
    with office.work(by=SYSTEM, read_only=True) as work:
        return sorted((task.element, task.progress) for task in tasks.of_case(work, walks.case(work, number)))


def open_tasks(office: Office, number: str) -> set[str]:
    return {element for element, progress in tasks_of(office, number) if progress == Progress.OPEN}


def version_of(office: Office, number: str) -> int:
    with office.work(by=SYSTEM, read_only=True) as work:
        return walks.case(work, number).item_version.ordinal


def version(office: Office, ordinal: int) -> UUID:
    wanted = select(ItemVersion.id).where(ItemVersion.item_code == ITEM, ItemVersion.ordinal == ordinal)
    with office.work(by=SYSTEM, read_only=True) as work:
        return work.session.scalars(wanted).one()


def row_of(office: Office, number: str, element: str) -> UUID:
    with office.work(by=SYSTEM, read_only=True) as work:
        case = walks.case(work, number)
        theirs = select(Task.id).where(Task.case_id == case.id, Task.element == element)
        return work.session.scalars(theirs.order_by(Task.opened_at.desc(), Task.id)).all()[0]


class Register:
    """A system outside that remembers what it was asked, and answers a key it knows with its first answer."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked: list[str] = []
        self.effects: dict[str, dict[str, Any]] = {}

    def call(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(key)
        if self.failures:
            raise self.failures.pop(0)
        return self.effects.setdefault(key, {"entry": len(self.effects) + 1, "of": body["case"]})


def _task(element: str, form: str) -> str:
    return (
        f'<bpmn:userTask id="{element}" name="{element}"><bpmn:extensionElements>'
        f'<zeebe:formDefinition formId="{form}" /></bpmn:extensionElements></bpmn:userTask>'
    )


def _service(element: str, name: str) -> str:
    return (
        f'<bpmn:serviceTask id="{element}" name="{element}"><bpmn:extensionElements>'
        f'<zeebe:taskDefinition type="{name}" /></bpmn:extensionElements></bpmn:serviceTask>'
    )


def _form(form: str, key: str, *values: str) -> str:
    question = {
        "type": "radio",
        "id": key,
        "key": key,
        "label": key,
        "values": [{"label": value, "value": value} for value in values],
        "validate": {"required": True},
        "properties": {"en": key, **{f"en.{value}": value for value in values}},
    }
    return json.dumps({"schemaVersion": 16, "type": "default", "id": form, "components": [question]})
