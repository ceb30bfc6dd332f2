"""DMN 1.1 to 1.5 files (决策模型) read into plain data for feel.decisions.mjs, every fault collected on the way."""

from collections.abc import Iterable
from typing import Any, Final

from approval.domain.errors import Fault, PackRefused
from approval.expressions import markup
from approval.expressions.boxes import Boxes

NAMESPACES: Final = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
}


def recognised(root: Any) -> bool:
    """Say whether a root element is DMN of a version that is read here (识别 DMN)."""
    namespace, _, name = str(root.tag)[1:].partition("}")
    return name == "definitions" and namespace in NAMESPACES


class Reading(Boxes):
    """One pass over a file (读取决策模型) that collects every fault instead of stopping at the first."""

    def __init__(self, file: str, root: Any) -> None:
        if not recognised(root):
            why = "this is not DMN: its root must be definitions of DMN 1.1 to 1.5"
            raise PackRefused(faults=[Fault(file, "", root.sourceline, why)])
        super().__init__(file, root)
        self.model: dict[str, dict[str, Any]] = {
            kind: {} for kind in ("types", "inputs", "decisions", "knowledge", "services")
        }
        for node in root.iterchildren(tag=f"{self.space}*"):
            self._element(node)
        self.owner = ""
        self._requirements(root)

    def _element(self, node: Any) -> None:
        kind = markup.local(node)
        self.owner = node.get("id", "")
        if kind == "itemDefinition":
            self.model["types"][node.get("name", "")] = self._type(node)
        elif kind == "import":
            self.fault(node, "nothing is imported here; put what it needs into this file")
        elif kind in {"inputData", "decision", "businessKnowledgeModel", "decisionService"}:
            if not self.owner:
                self.fault(node, f"a {kind} needs an id")
            shelves = {"inputData": "inputs", "decision": "decisions", "decisionService": "services"}
            shelf = self.model[shelves.get(kind, "knowledge")]
            if any(self.owner in each for name, each in self.model.items() if name != "types"):
                self.fault(node, "two elements have this id")
            shelf[self.owner] = getattr(self, f"_{kind}")(node)

    def _variable(self, node: Any) -> dict[str, Any]:
        variable = self._one(node, "variable")
        declared = {} if variable is None else variable.attrib
        name = self._named(declared.get("name") or node.get("name") or self.owner, declared.get("typeRef"))
        return {"name": name, "type": declared.get("typeRef")}

    def _inputData(self, node: Any) -> dict[str, Any]:  # noqa: N802 -- named after the element it reads
        return self._variable(node)

    def _decision(self, node: Any) -> dict[str, Any]:
        logic = self._logic(node, self._held(node))
        return {**self._variable(node), "label": node.get("name", ""), "needs": self._needs(node), "logic": logic}

    def _businessKnowledgeModel(self, node: Any) -> dict[str, Any]:  # noqa: N802
        body = self._one(node, "encapsulatedLogic")
        if body is None:
            self.fault(node, "its logic is missing")
        logic = {"kind": "literal", "text": "null"} if body is None else self._logic_of(body)
        return {**self._variable(node), "needs": self._needs(node), "logic": logic}

    def _decisionService(self, node: Any) -> dict[str, Any]:  # noqa: N802
        found = {each: self._hrefs(node, each) for each in ("outputDecision", "inputData", "inputDecision")}
        if not found["outputDecision"]:
            self.fault(node, "a decision service needs an output decision")
        inputs = found["inputData"] + found["inputDecision"]
        return {
            **self._variable(node),
            "label": node.get("name", ""),
            "outputs": found["outputDecision"],
            "inputs": inputs,
        }

    def _hrefs(self, node: Any, *names: str) -> list[str]:
        return [each.get("href", "").rpartition("#")[2] for each in self._all(node, *names)]

    def _needs(self, node: Any) -> list[str]:
        wanted = self._all(node, "informationRequirement", "knowledgeRequirement")
        return [
            href
            for requirement in wanted
            for href in self._hrefs(requirement, "requiredInput", "requiredDecision", "requiredKnowledge")
        ]

    def _requirements(self, root: Any) -> None:
        """Judge what refers to what; what is required must be here, and nothing may require itself."""
        if not self.model["decisions"]:
            self.fault(root, "there is no decision in this file")
        needs = self.needs()
        nodes = {node.get("id"): node for node in root.iterchildren(tag=f"{self.space}*")}
        for owner, wanted in needs.items():
            for name in wanted:
                if name not in needs:
                    self.fault_of(owner, nodes[owner], f"it requires {name!r}, which is not in this file")
            if owner in self.model["decisions"] and owner in reach(needs, wanted):
                self.fault_of(owner, nodes[owner], "it requires itself, directly or through others")

    def needs(self) -> dict[str, list[str]]:
        """Return what each element requires (依赖关系), by id."""
        return {
            id_: each.get("needs", each.get("outputs", []))
            for kind, shelf in self.model.items()
            if kind != "types"
            for id_, each in shelf.items()
        }

    def _type(self, node: Any) -> dict[str, Any]:
        parts = self._all(node, "itemComponent")
        allowed = self._one(node, "allowedValues", "typeConstraint")
        reference = self._one(node, "typeRef")
        for part in parts:
            self._named(part.get("name", ""), None)
        return {
            "base": (reference.text or "").strip() or None if reference is not None else None,
            "list": node.get("isCollection") == "true",
            "allowed": self._tests(allowed),
            "components": {part.get("name", ""): self._type(part) for part in parts} or None,
        }


def reach(needs: dict[str, list[str]], wanted: Iterable[str]) -> set[str]:
    """Return everything that some elements require (依赖闭包), they themselves included."""
    reached: set[str] = set()
    ahead = list(wanted)
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += needs.get(name, [])
    return reached
