"""Small drawings for the engine's tests: elements are XML, flows are words."""

import re
from datetime import UTC, datetime

from approval import engine

NOW = datetime(2026, 3, 1, 1, tzinfo=UTC)
NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
)
KINDS = {
    "s": "startEvent", "e": "endEvent", "u": "userTask", "m": "manualTask", "x": "exclusiveGateway",
    "p": "parallelGateway", "i": "inclusiveGateway", "b": "eventBasedGateway",
}  # fmt: skip


def el(kind, name, inside="", /, **attributes):
    words = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<{kind} id="{name}"{words}>{inside}</{kind}>'


def els(kind, names):
    return "".join(el(KINDS[kind], name) for name in names.split())


def path(names):
    """Draw flows along names: `a -> b` with ids `a__b`; a condition follows in braces: `a {x = 1} b`."""
    flows = []
    words = re.findall(r"\{[^}]*\}|\S+", names)
    here, condition = words[0], ""
    for word in words[1:]:
        if word.startswith("{"):
            text = word[1:-1].replace("<", "&lt;")
            condition = f"<conditionExpression>={text}</conditionExpression>"
        else:
            flows.append(
                f'<sequenceFlow id="{here}__{word}" sourceRef="{here}" targetRef="{word}">{condition}</sequenceFlow>'
            )
            here, condition = word, ""
    return "\n".join(flows)


def extension(inside):
    return f"<extensionElements>{inside}</extensionElements>"


def errand(name, errand="seal"):
    return el("serviceTask", name, extension(f'<zeebe:taskDefinition type="{errand}"/>'))


def call(name, process):
    return el("callActivity", name, extension(f'<zeebe:calledElement processId="{process}"/>'))


def rule(name, decision, variable=""):
    result = f' resultVariable="{variable}"' if variable else ""
    return el("businessRuleTask", name, extension(f'<zeebe:calledDecision decisionId="{decision}"{result}/>'))


def timer(text, kind="timeDuration"):
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def guard(name, host, definition, *, interrupting=True):
    return el("boundaryEvent", name, definition, attachedToRef=host, cancelActivity=str(interrupting).lower())


def process(name, *parts):
    return f'<process id="{name}" isExecutable="true">\n' + "\n".join(parts) + "\n</process>"


def bpmn(*parts, also=""):
    whole = parts[0] if parts[0].startswith("<process") else process("p", *parts)
    return f'<definitions id="drawing" {NAMESPACES}>\n{whole}\n{also}</definitions>'.encode()


def define(*parts, also="", **files):
    """Define from one process given by its parts, or from several, each in a file of its own."""
    if parts[0].startswith("<process"):
        drawn = {f"p{number}.bpmn": bpmn(part, also=also) for number, part in enumerate(parts)}
    else:
        drawn = {"p.bpmn": bpmn(*parts, also=also)}
    return engine.load({**drawn, **files})


class Walk:
    """A case walked by element names; it keeps the last progress and every trail."""

    def __init__(self, definition, **facts):
        self.definition = definition
        self.trail = []
        self.take(engine.start(definition, facts, now=NOW))

    def take(self, progress):
        self.now = progress
        self.trail.append(progress.trail)
        return self

    @property
    def open(self):
        return sorted(item.element for item in (*self.now.tasks, *self.now.errands))

    def item(self, element):
        return next(
            item.id for item in (*self.now.tasks, *self.now.errands, *self.now.timers) if item.element == element
        )

    def do(self, element, **outcome):
        return self.take(engine.complete(self.definition, self.now.state, self.item(element), outcome, now=NOW))

    def fire(self, *elements):
        ids = [self.item(element) for element in elements]
        return self.take(engine.catch_up(self.definition, self.now.state, ids, now=NOW))

    def tell(self, message, **payload):
        return self.take(engine.deliver(self.definition, self.now.state, message, payload, now=NOW))

    def back(self, element, target):
        return self.take(engine.move(self.definition, self.now.state, self.item(element), target, now=NOW))
