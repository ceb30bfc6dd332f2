"""Scripts (脚本): FEEL and Python are read, every other language is refused with what to write instead."""

from dataclasses import replace
from textwrap import dedent
from typing import Any, Final, NamedTuple

from approval.engine.diagrams import Flow, Node, Scope
from approval.engine.dialects import BPMN, ZEEBE, attribute, dialect, extensions
from approval.engine.pages import Page
from approval.expressions.formulas import Formula

PYTHON: Final = {"python", "py", "text/python", "application/python", "text/x-python"}
FEEL: Final = {"feel", "application/feel", "text/feel"}


class Deed(NamedTuple):
    """What an activity does when it is reached (动作): its kind here, and what it calls or evaluates."""

    kind: str
    calls: str | None = None
    variable: str | None = None
    script: Formula | None = None


def script(page: Page, node: Any) -> Deed:
    """Read a script task (读脚本): FEEL and Python run here, other languages are refused."""
    variable = attribute(node, "resultVariable") or attribute(node, "resultVariableName")
    for each in extensions(node, "script"):
        if dialect(each.tag) == ZEEBE:
            formula = page.formula(node, each.get("expression", ""), "script")
            return Deed("scriptTask", None, each.get("resultVariable") or None, formula)
    child = node.find(f"{BPMN}script")
    text = code_of(child) if child is not None else ""
    if not text:
        page.warn(node, "it has no script and does nothing")
        return Deed("scriptTask", None, variable)
    language = spoken(page, node, node.get("scriptFormat", ""), text)
    if language == "juel":
        return Deed("scriptTask", None, variable, page.formula(node, text, "script", language))
    return Deed("scriptTask", None, variable, page.script(node, text, language) if language else None)


def code_of(node: Any) -> str:
    """Return the code an element holds (代码文本), without the margin that a file's own indentation gave it."""
    return dedent(str(node.xpath("string()"))).strip()


def spoken(page: Page, node: Any, written: str, text: str) -> str | None:
    """Return the language a script's format names (脚本语言): python, feel or juel; any other is refused.

    Without a format it is Python, as in SpiffArena, unless the text says otherwise.
    """
    language = written.strip().lower()
    if not language:
        return "feel" if text.startswith("=") else "juel" if text.startswith(("${", "#{")) else "python"
    for known, names in (("python", PYTHON), ("feel", FEEL), ("juel", {"juel"})):
        if language in names:
            return known
    advice = 'write it in Python or FEEL (scriptFormat="python" or "feel"), or as a businessRuleTask'
    page.fault(node, f"scripts in {written} are not run; {advice}")
    return None


def beside(page: Page, scope: Scope, element: Any) -> None:
    """Draw the scripts that SpiffArena keeps inside a task (前后脚本) as script tasks before and after it."""
    for kind, suffix in (("preScript", "before"), ("postScript", "after")):
        text = "\n".join(filter(None, map(code_of, extensions(element, kind))))
        if not text:
            continue
        node = scope.nodes[element.get("id", "")]
        if node.loop or node.compensates or node.triggered:
            page.fault(element, f"{kind}: put the script into a scriptTask; beside this task it would run only once")
            continue
        name = f"{node.id}_{suffix}"
        while name in scope.nodes:
            name += "_"
        formula = page.script(element, text, "python")
        default = node.default if suffix == "after" else None
        scope.nodes[name] = Node(
            name, "scriptTask", "", node.file, node.line, node.process, node.lane, script=formula, default=default
        )
        ends = (name, node.id) if suffix == "before" else (node.id, name)
        for flow in [*scope.entering(node.id)] if suffix == "before" else [*scope.leaving(node.id)]:
            moved = replace(flow, target=name) if suffix == "before" else replace(flow, source=name)
            scope.flows[flow.id] = moved
        if suffix == "after":
            scope.nodes[node.id] = replace(node, default=None)
        scope.flows[f"{name}_flow"] = Flow(f"{name}_flow", *ends, None, node.line)
