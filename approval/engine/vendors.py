"""What a vendor says at an activity (方言翻译): what it calls, who it is for, its form, its values in and out."""

import re
from typing import Any, Final

from approval.engine import fillings
from approval.engine.dialects import BPMN, attribute, extension, extensions
from approval.engine.pages import Page, text_of
from approval.engine.scripts import Deed
from approval.expressions import markup
from approval.expressions.formulas import Formula

MAPPED: Final = "map {0!r} to an errand in the pack's [errands] table, or use an external task whose topic names one"
_GROUPS: Final = re.compile(r"(user|group)\(([^()]*)\)")


def deed(page: Page, node: Any, kind: str, told: Any) -> Deed | None:
    """Return what an element calls or evaluates (读动作), or None where it says nothing of the kind.

    `told` is where vendors of the classic family write it: the message event definition of a throwing event,
    otherwise the element itself.
    """
    variable = attribute(told, "resultVariable") or attribute(told, "resultVariableName")
    job = extension(node, "taskDefinition", "type")
    operators = extensions(node, "serviceTaskOperator")
    service = "sendTask" if kind in {"sendTask", "intermediateThrowEvent", "endEvent"} else "serviceTask"
    if job or operators:
        name = job or operators[0].get("id", "")
        variable = variable or (operators[0].get("resultVariable") if operators else None)
        return Deed(service, _plain(page, node, page.names.get(name, name)), variable or None)
    if found := _decision(node, told):
        result = extension(node, "calledDecision", "resultVariable")
        return Deed("businessRuleTask", _plain(page, node, found), result or variable)
    if topic := attribute(told, "topic"):
        return Deed(service, _plain(page, node, page.names.get(topic, topic)), variable)
    if mapped := page.names.get(node.get("id", "")):
        return Deed(service, mapped, variable)
    return _coded(page, node, told, service, variable)


def _coded(page: Page, node: Any, told: Any, service: str, variable: str | None) -> Deed | None:
    """Read what runs code elsewhere: a class, a bean, a built-in type, a connector or an expression."""
    connector = next((each for group in extensions(told, "connector") for each in group.iterchildren("*")
                      if markup.local(each) == "connectorId"), None)  # fmt: skip
    name = (
        attribute(told, "class")
        or attribute(told, "delegateExpression")
        or attribute(told, "type")
        or (text_of(connector) if connector is not None else None)
    )
    expression = attribute(told, "expression")
    key = (name or expression or "").strip()
    if not key:
        return None
    for each in (key, key[2:-1].strip()):
        if each in page.names:
            return Deed(service, page.names[each], variable)
    if expression and not name and "(" not in expression:
        return Deed("scriptTask", None, variable, page.formula(node, expression, "expression"))
    page.fault(node, f"no code is run from here; {MAPPED.format(key)}")
    return Deed(service)


def _plain(page: Page, node: Any, name: str) -> str | None:
    if name.startswith("=") or "${" in name or "#{" in name:
        page.fault(node, f"write what it calls as plain text: {name!r} is an expression")
        return None
    return name


def _decision(node: Any, told: Any) -> str | None:
    """Return the id of the decision an element names in any dialect."""
    called = extensions(node, "calledDecisionId")
    found = extension(node, "calledDecision", "decisionId") or attribute(told, "decisionRef")
    if not found and called:
        found = text_of(called[0])
    if not found and attribute(told, "type") == "dmn":
        fields = dict(fillings.fields(told))
        found = next((fields[name] for name in ("decisionTableReferenceKey", "decisionServiceReferenceKey",
                                                "decisionTaskReferenceKey") if name in fields), None)  # fmt: skip
    return found or None


def assignment(page: Page, node: Any) -> tuple[tuple[str, Formula], ...]:
    """Return who a human task is meant for (读分派), and until when, where a dialect writes it at the task."""
    owners = _owners(node)
    assignee = extension(node, "assignmentDefinition", "assignee") or attribute(node, "assignee")
    groups = extension(node, "assignmentDefinition", "candidateGroups") or attribute(node, "candidateGroups")
    if extension(node, "assignmentDefinition", "candidateUsers"):
        page.warn(node, "candidate users are not kept; name an assignee, a group or a lane")
    due = extension(node, "taskSchedule", "dueDate") or attribute(node, "dueDate")
    follow = extension(node, "taskSchedule", "followUpDate") or attribute(node, "followUpDate")
    priority = extension(node, "priorityDefinition", "priority") or attribute(node, "priority")
    assignee, groups = assignee or owners.get("user"), groups or owners.get("group")
    found = [("assignee", page.value(node, assignee, "assignee") if assignee else None),
             ("groups", page.items(node, groups, "candidateGroups") if groups else None),
             ("due", page.value(node, due, "due date") if due else None),
             ("follow_up", page.value(node, follow, "follow-up date") if follow else None),
             ("priority", _number(page, node, priority) if priority else None)]  # fmt: skip
    return tuple((name, formula) for name, formula in found if formula is not None)


def lane(node: Any) -> str | None:
    """Return the first group written plainly at a task (候选组), which stands for a lane where none is drawn."""
    groups = extension(node, "assignmentDefinition", "candidateGroups") or attribute(node, "candidateGroups")
    groups = groups or _owners(node).get("group")
    if not groups or groups.startswith("=") or "${" in groups or "#{" in groups:
        return None
    return groups.split(",")[0].strip() or None


def _number(page: Page, node: Any, text: str) -> Formula | None:
    return Formula(text) if text.isdecimal() else page.value(node, text, "priority")


def _owners(node: Any) -> dict[str, str]:
    """Read the performers of plain BPMN as engines write them: `user(ann), group(window)`, bare names are groups."""
    found: dict[str, list[str]] = {}
    for kind, unless in (("humanPerformer", "user"), ("performer", "user"), ("potentialOwner", "group")):
        for expression in node.iterfind(f"{BPMN}{kind}//{BPMN}formalExpression"):
            text = text_of(expression)
            for part in text.split(",") if "${" not in text else [text]:
                known = _GROUPS.fullmatch(part.strip())
                kept = (known[2] if known else part).strip()
                found.setdefault(known[1] if known else unless, []).append(kept)
    return {name: ", ".join(each for each in parts if each) for name, parts in found.items()}


def properties(node: Any) -> dict[str, str]:
    """Return the name and value pairs a drawing gives an element (扩展属性), headers and instructions included."""
    found = {}
    for group in (*extensions(node, "properties"), *extensions(node, "taskHeaders")):
        for each in group.iterchildren("*"):
            name = each.get("name") or each.get("key") or each.get("id")
            if name:
                found[name] = each.get("value", "")
    for each in extensions(node, "instructionsForEndUser"):
        found["instructionsForEndUser"] = text_of(each)
    return found
