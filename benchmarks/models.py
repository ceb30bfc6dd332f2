"""Models to measure with: the same drawing for us and for plain SpiffWorkflow, and a pack around ours.

A drawing is a round: a row of human tasks, with `branches` of them side by side where that is asked for, and an
exclusive gateway that goes round again while the first task of the row says so. A round has as many nodes as asked.
"""

import json
from dataclasses import dataclass
from itertools import pairwise

ITEM = "measured"
LANE = "审查岗"
FORM = "opinion"

_MANIFEST = """
code = "measured"
item_number = "XK00109001"
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
name = { zh = "测量事项（示例数据）", en = "Measured (sample data)" }
department = { code = "SCJ", joint = [] }
facts = { size = "answers.size" }
lanes = { "审查岗" = { department = "SCJ", role = "examiner" } }
limits = { acceptance = { days = 5, basis = "示例" }, decision = { days = 20, basis = "示例" }, \
delivery = { days = 10, basis = "示例" } }
legal_basis = [{ law = "示例法", article = "第一条", text = "示例。", valid_from = 2026-01-01 }]
fee = { amount = "0.00", basis = "不收费" }
forms = { filing = "filing" }

[service]
place = "示例"
hours = "示例"
phone = "0595-00000001"
supervision_phone = "0595-00000002"
review_body = "示例"
court = "示例"
"""


@dataclass(frozen=True)
class Model:
    """A drawing to measure: its name, how many nodes it has, and how many of its tasks stand side by side."""

    name: str
    nodes: int
    branches: int = 0

    @property
    def tasks(self) -> list[str]:
        """The tasks in the order they are drawn."""
        # Start, merge, choice and end are nodes too, and so are a fork and its join.
        return [f"t{number}" for number in range(self.nodes - 4 - (2 if self.branches else 0))]

    def flows(self) -> list[tuple[str, str]]:
        """The sequence flows but the one that goes round again."""
        names = self.tasks
        row = names[: len(names) - self.branches]
        last = ["fork"] if self.branches else ["choice"]
        flows = list(pairwise(["start", "merge", *row, *last]))
        for name in names[len(row) :]:
            flows += [("fork", name), (name, "join")]
        return [*flows, *([("join", "choice")] if self.branches else []), ("choice", "end")]

    def bpmn(self, condition: str, inside: str = "", lane: bool = False) -> bytes:
        """Draw it with the condition in the words of whoever runs it, and something inside every task."""
        tasks = "".join(f'<userTask id="{name}" name="{name}">{inside}</userTask>' for name in self.tasks)
        flows = "".join(f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in self.flows())
        lanes = "".join(f"<flowNodeRef>{name}</flowNodeRef>" for name in self.tasks)
        drawn = f'<laneSet id="lanes"><lane id="lane" name="{LANE}">{lanes}</lane></laneSet>' if lane else ""
        fork = '<parallelGateway id="fork"/><parallelGateway id="join"/>' if self.branches else ""
        return (
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="x">'
            f'<process id="measured" isExecutable="true">{drawn}<startEvent id="start"/>'
            f'<exclusiveGateway id="merge"/>{tasks}{fork}<exclusiveGateway id="choice" default="choice_end"/>'
            f'<endEvent id="end"/>{flows}<sequenceFlow id="again" sourceRef="choice" targetRef="merge">'
            f'<conditionExpression xsi:type="tFormalExpression">{condition}</conditionExpression></sequenceFlow>'
            "</process></definitions>"
        ).encode()

    def ours(self) -> bytes:
        """Draw it for our engine: FEEL, a lane, and a form at every task."""
        form = f'<extensionElements><zeebe:formDefinition formId="{FORM}"/></extensionElements>'
        return self.bpmn('=t0.result = "again"', form, lane=True)

    def theirs(self) -> bytes:
        """Draw it for plain SpiffWorkflow: a Python condition over the data of the tasks."""
        return self.bpmn("result == 'again'")

    def pack(self) -> dict[str, bytes]:
        """Write the pack around it."""
        written = {
            "item.toml": _MANIFEST,
            "forms/filing.json": _form("filing", "size", "small", "large"),
            "forms/opinion.json": _form(FORM, "result", "again", "pass"),
        }
        return {"process.bpmn": self.ours(), **{path: text.encode() for path, text in written.items()}}


def _form(form: str, key: str, *values: str) -> str:
    question = {
        "type": "radio", "id": key, "key": key, "label": key, "validate": {"required": True},
        "values": [{"label": value, "value": value} for value in values],
        "properties": {"en": key, **{f"en.{value}": value for value in values}},
    }  # fmt: skip
    return json.dumps({"schemaVersion": 16, "type": "default", "id": form, "components": [question]})
