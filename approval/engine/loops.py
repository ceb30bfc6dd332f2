"""Loop markers read into loops (读循环): the standard loop, and multi-instance in every dialect's way of writing it."""

from typing import Any, Final

from approval.engine import triggers
from approval.engine.diagrams import Event, Loop
from approval.engine.dialects import BPMN, attribute, extension
from approval.engine.pages import REFUSED, Page, number, text_of
from approval.expressions.formulas import Formula

MOST: Final = 10_000


def loop(page: Page, node: Any) -> Loop | None:
    """Return the loop of an activity (读循环), or None where it has no marker."""
    standard = node.find(f"{BPMN}standardLoopCharacteristics")
    several = node.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if standard is not None and several is not None:
        page.fault(node, "it has two loop markers; keep one")
    if standard is not None:
        return _standard(page, standard)
    return None if several is None else _several(page, node, several)


def _standard(page: Page, marker: Any) -> Loop:
    condition, most = marker.find(f"{BPMN}loopCondition"), marker.get("loopMaximum")
    if most is not None and not 1 <= (number(most) or 0) <= MOST:
        page.fault(marker, f"loopMaximum is {most!r}; it must be a whole number from 1 to {MOST}")
    if condition is None and most is None:
        page.fault(marker, "this loop never ends; give it a loopCondition or a loopMaximum")
    return Loop(
        "standard",
        condition=None if condition is None else page.expression(condition, "loop condition"),
        before=marker.get("testBefore") in {"true", "1"},
        most=number(most) if most else None,
    )


def _several(page: Page, node: Any, marker: Any) -> Loop:
    cardinality, condition = marker.find(f"{BPMN}loopCardinality"), marker.find(f"{BPMN}completionCondition")
    collection = _collection(page, node, marker)
    if cardinality is None and collection is None:
        page.fault(marker, "say how often: give it a loopCardinality or a collection")
    if cardinality is not None and (number(text_of(cardinality)) or 0) < 0:
        page.fault(marker, f"its loopCardinality is {text_of(cardinality)}; it cannot be negative")
    output = extension(marker, "loopCharacteristics", "outputElement")
    written = _text(marker, "outputDataItem", "name", "id")
    when = marker.get("behavior", "All").lower()
    return Loop(
        "sequential" if marker.get("isSequential") in {"true", "1"} else "parallel",
        condition=None if condition is None else page.expression(condition, "completion condition"),
        cardinality=None if cardinality is None else page.expression(cardinality, "loopCardinality"),
        collection=collection,
        item=extension(marker, "loopCharacteristics", "inputElement")
        or attribute(marker, "elementVariable")
        or _text(marker, "inputDataItem", "name", "id"),
        collected=extension(marker, "loopCharacteristics", "outputCollection")
        or _named(page, node, _text(marker, "loopDataOutputRef")),
        output=page.value(marker, output, "outputElement") if output else Formula(written) if written else None,
        when=when,
        throws=_throws(page, marker, when),
    )


def _collection(page: Page, node: Any, marker: Any) -> Formula | None:
    if text := extension(marker, "loopCharacteristics", "inputCollection"):
        return page.formula(marker, text, "inputCollection") or REFUSED
    if text := attribute(marker, "collection"):
        return page.variable(marker, text, "collection") or REFUSED
    reference = _named(page, node, _text(marker, "loopDataInputRef"))
    return (page.variable(marker, reference, "loopDataInputRef") or REFUSED) if reference else None


def _named(page: Page, node: Any, reference: str | None) -> str | None:
    """Return the name of the data object, property or data input that a reference means; else it is itself a name."""
    if reference is None:
        return None
    for owner in (node, *node.iterancestors()):
        for each in owner.iter(*(f"{BPMN}{kind}" for kind in ("dataObjectReference", "dataObject", "property",
                                                              "dataInput", "dataOutput"))):  # fmt: skip
            if each.get("id") == reference:
                return str(each.get("name") or _named(page, node, each.get("dataObjectRef")) or reference)
    return reference


def _text(marker: Any, kind: str, *names: str) -> str | None:
    """Return what a child says in the first of these attributes, or in its text when none is asked for."""
    child = marker.find(f"{BPMN}{kind}")
    if child is None:
        return None
    return next((child.get(name) for name in names if child.get(name)), text_of(child)) or None


def _throws(page: Page, marker: Any, when: str) -> tuple[Event, ...]:
    if when not in {"all", "none", "one"}:
        page.fault(marker, f"its behavior is {when!r}; it may be All, None or One: use a completionCondition instead")
    reference = marker.get(f"{when}BehaviorEventRef")
    found = triggers.definition(page, marker, reference) if reference else []
    return tuple(triggers.one(page, each, "intermediateThrowEvent") for each in found)
