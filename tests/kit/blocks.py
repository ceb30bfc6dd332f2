"""An item made of the procedures that packs share: accept → the ones a test wants, in turn → decision → delivery.

`files("hearing_procedure")` is a pack that hears; the conditions of the decision stay the pack's own.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from approval.domain.actors import SYSTEM
from approval.domain.materials import Upload
from approval.office import Office
from approval.paths import WORKFLOWS
from approval.services import cases, packs
from approval.services.packs import Pack
from approval.services.pledges import NONE, Promise
from approval.settings import Settings
from tests.kit import drills, walks

ITEM = "large-event"
ACCEPT = ("formal_check", "wang", {"result": "complete"})
GRANT = ("decision", "cai", {"result": "grant"})
REFUSE = ("decision", "cai", {"result": "refuse", "reason": "不符合安全条件。", "article": "示例法第一条"})
_LANES = {
    "申请人": ("", "applicant"),
    "综合窗口": ("SPJ", "window"),
    "审查岗": ("SCJ", "examiner"),
    "核查岗": ("SCJ", "inspector"),
    "主持人": ("SCJ", "presider"),
    "签批岗": ("SCJ", "signer"),
    "消防岗": ("XFJ", "examiner"),
    "城管岗": ("CGJ", "examiner"),
    "住建岗": ("ZJJ", "examiner"),
}
_LIMITS = {
    "acceptance": 5,
    "decision": 20,
    "delivery": 10,
    "correction": 30,
    "rectification": 10,
    "opinion": 5,
    "opinion:XFJ": 3,
    "finding": 2,
    "special": 10,
    "public_notice": 5,
    "hearing_request": 5,
    "hearing": 20,
    "statement": 7,
    "deferral": 10,
    "commitment_check": 30,
}
_BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
    id="event_definitions" targetNamespace="https://one-stop-approval.example/event">
  <bpmn:process id="event" name="大型活动" isExecutable="true">
    <bpmn:laneSet id="lanes">
      <bpmn:lane id="examiner_lane" name="审查岗">{examined}</bpmn:lane>
      <bpmn:lane id="signer_lane" name="签批岗"><bpmn:flowNodeRef>decision</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="filed" />
    {calls}
    {asked}
    <bpmn:userTask id="decision" name="决定"><bpmn:extensionElements>
      <zeebe:formDefinition formId="sign-off" /></bpmn:extensionElements></bpmn:userTask>
    <bpmn:exclusiveGateway id="decided" default="decided_to_refuse_event" />
    {services}
    <bpmn:endEvent id="ended" />
    <bpmn:endEvent id="refused" />
    {flows}
    <bpmn:sequenceFlow id="decided_to_grant_event" sourceRef="decided" targetRef="grant_event">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">=decision.result = "grant"</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="decided_to_refuse_event" sourceRef="decided" targetRef="refuse_event" />
    <bpmn:sequenceFlow id="refused_flow" sourceRef="refuse_event" targetRef="refused" />
  </bpmn:process>
</bpmn:definitions>
"""
_CONDITIONS = """
[[conditions]]
zh = "有安全工作方案。"
en = "There is a safety plan."
"""
_LICENCE = """
[licence]
code = "DX"
type = "11100000000013338W077"
name = { zh = "大型活动许可证（示例）", en = "Event licence (sample)" }
template = "licence.html"
validity_years = 1
number = "DX{region}{serial:06d}{check}"
basis = "示例依据"
public = []

[licence.fields]
region = '"350502"'
size = "answers.size"
"""
_DECISIONS = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="asked" name="asked" namespace="https://example/asked">
  {decisions}
</definitions>
"""
_DECISION = (
    '<decision id="{0}" name="{0}"><variable id="{0}_v" name="{0}" /><literalExpression id="{0}_e"><text>{1}</text>'
    "</literalExpression></decision>"
)


def files(
    *blocks: str,
    consulted: Iterable[str] = ("消防岗", "城管岗", "住建岗"),
    after: Iterable[str] = (),
    more: str = "",
    materials: str = "",
    licence: bool = False,
    forwards: bool = False,
    case_kind: str = "",
) -> dict[str, bytes]:
    """Write a pack; `blocks` are called before the decision, `after` once the case is concluded.

    `materials` and `more` are TOML; with `licence` it ends in one, with `forwards` a lower tier examines first.
    """
    case_kind = case_kind or ("joint" if {"consult", "joint_visit_procedure"} & set(blocks) else "promised")
    tier = ["examination", "forward_case"] if forwards else []
    called = [f"call_{name}" for name in blocks]
    row = ["filed", "call_accept", "consulted", "visitors", *tier, *called, "decision", "decided"]
    rest = [
        "grant_event",
        *(["issue_event"] if licence else []),
        "deliver_result",
        "conclude_case",
        *(f"call_{name}" for name in after),
        "ended",
    ]
    acts = {"grant_event": "grant", "refuse_event": "refuse", "deliver_result": "deliver", "conclude_case": "conclude"}
    acts |= {"issue_event": "issue_licence"} if licence else {}
    acts |= {"forward_case": "forward"} if forwards else {}
    asked = ("consulted", "visitors")
    bpmn = _BPMN.format(
        calls="".join(_call(name) for name in ("accept", *blocks, *after)),
        asked="".join(_ask(name) for name in asked) + (drills._task("examination", "opinion") if forwards else ""),
        examined="<bpmn:flowNodeRef>examination</bpmn:flowNodeRef>" if forwards else "",
        services="".join(drills._service(name, act) for name, act in acts.items()),
        flows="".join(
            f'<bpmn:sequenceFlow id="{a}_to_{b}" sourceRef="{a}" targetRef="{b}" />'
            for a, b in [*pairwise(row), *pairwise(rest)]
        ),
    )
    lanes = json.dumps(list(consulted), ensure_ascii=False)
    shared = WORKFLOWS / "_shared"
    pack = {f"_shared/{path.relative_to(shared)}": path.read_bytes() for path in shared.rglob("*") if path.is_file()}
    return pack | {
        "item.toml": (_item(case_kind, materials) + (_LICENCE if licence else "") + more).encode(),
        "licence.html": b"<p>{{ licence.number }}</p>",
        "process.bpmn": bpmn.encode(),
        "rules/asked.dmn": _DECISIONS.format(
            decisions="".join(_DECISION.format(each, lanes) for each in asked)
        ).encode(),
        "forms/opinion.json": drills._form("opinion", "result", "pass", "fail").encode(),
        "forms/filing.json": drills._form("filing", "size", "small", "large").encode(),
    }


def deploy(office: Office, *blocks: str, **bends: Any) -> None:
    """Check and publish the item as an administrator would."""
    with office.work(by=SYSTEM) as work:
        packs.deploy(work, _checked(frozenset(files(*blocks, **bends).items())))


def file(
    office: Office, uploads: Iterable[Upload] = (), *, promise: Promise = NONE, by: str = "chen", size: str = "small"
) -> str:
    """File a case by chen and return its number."""
    with office.work(by=walks.signed_in(office, by)) as work:
        return cases.file(work, ITEM, {"size": size}, uploads, promise=promise).number


def accepted(office: Office, *blocks: str, **bends: Any) -> str:
    """Publish the item and bring a case as far as its acceptance."""
    deploy(office, *blocks, **bends)
    return walks.walk(office, file(office), ACCEPT)


@cache
def _checked(pack: frozenset[tuple[str, bytes]]) -> Pack:
    # It takes a third of a second, and many tests publish the same.
    return packs.check(dict(pack), Settings())


def _item(case_kind: str, materials: str) -> str:
    lanes = "\n".join(
        f'"{name}" = {{ role = "{role}" }}'
        if not department
        else f'"{name}" = {{ department = "{department}", role = "{role}" }}'
        for name, (department, role) in _LANES.items()
    )
    limits = "\n".join(f'[limits."{name}"]\ndays = {days}\nbasis = "示例依据"\n' for name, days in _LIMITS.items())
    head, _, tail = drills._ITEM.partition("[lanes]")
    rest = tail[tail.index("[[legal_basis]]") :]
    swaps: Mapping[str, str] = {
        'code = "drill"': f'code = "{ITEM}"',
        'case_kind = "promised"': f'case_kind = "{case_kind}"',
        'joint = ["SPJ"]': 'joint = ["SPJ", "XFJ", "CGJ", "ZJJ"]',
        "conditions = []": "",
        "materials = []": "" if materials else "materials = []",
        'size = "answers.size"': 'deferred = "deferred"\ncommitted = "committed"\nsize = "answers.size"',
    }
    for old, new in swaps.items():
        assert old in head
        head = head.replace(old, new)
    return f"{head}[lanes]\n{lanes}\n\n{limits}\n{_CONDITIONS}\n{materials}\n{rest}\n"


def _call(process: str) -> str:
    return (
        f'<bpmn:callActivity id="call_{process}" name="{process}"><bpmn:extensionElements>'
        f'<zeebe:calledElement processId="{process}" /></bpmn:extensionElements></bpmn:callActivity>'
    )


def _ask(decision: str) -> str:
    return (
        f'<bpmn:businessRuleTask id="{decision}" name="{decision}"><bpmn:extensionElements>'
        f'<zeebe:calledDecision decisionId="{decision}" resultVariable="{decision}" /></bpmn:extensionElements>'
        "</bpmn:businessRuleTask>"
    )
