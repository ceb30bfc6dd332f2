"""Event definitions read into events (读事件): what an event waits for or throws, its references resolved."""

import re
from typing import Any, Final

from approval.engine.diagrams import EVENTS, Event, Timing
from approval.engine.dialects import BPMN, extension, extensions
from approval.engine.pages import Page, text_of
from approval.expressions import markup

LONGEST: Final = 1_000
_COUNTDOWN: Final = re.compile(r'=\s*countdown\(\s*"([^"]+)"\s*\)\s*')
_QUOTED: Final = re.compile(r"""(["'])([^"']*)\1""")
_NAMES: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_WEEKDAY: Final = re.compile(r"(\S+ +){5}[\d,/#-]*\d[\d,/#-]*( +\S+)?")
_ATTRIBUTES: Final = {"error": "errorCode", "escalation": "escalationCode", "message": "name", "signal": "name"}


def events(page: Page, node: Any, kind: str, definitions: list[Any]) -> tuple[Event, ...]:
    """Return the events of an event element (读事件) with these definitions; none for a plain one."""
    read = tuple(one(page, definition, kind) for definition in definitions)
    if not read and "none" not in EVENTS[kind]:
        page.fault(node, f"a {kind} needs an event definition: {', '.join(sorted(EVENTS[kind]))}")
    return read


def defined(page: Page, node: Any) -> list[Any]:
    """Return the event definitions (事件定义) of an element, written in it or referred to."""
    found = []
    for child in node.iterchildren(f"{BPMN}*"):
        if markup.local(child).endswith("EventDefinition"):
            found.append(child)
        elif markup.local(child) == "eventDefinitionRef":
            found += definition(page, child, text_of(child))
    return found


def definition(page: Page, node: Any, reference: str) -> list[Any]:
    """Return the root's event definition that a reference names (引用的事件定义), in a list, if it is there."""
    found = page.definitions.get(reference, page.definitions.get(reference.partition(":")[2]))
    if found is None:
        page.fault(node, f"there is no event definition {reference!r} in the file; correct the reference")
    return [] if found is None else [found]


def one(page: Page, node: Any, kind: str) -> Event:
    """Read one event definition (读一个事件定义) of an element of this kind."""
    what = markup.local(node).removesuffix("EventDefinition")
    what = "compensation" if what == "compensate" else what
    if what not in EVENTS[kind]:
        allowed = ", ".join(sorted(EVENTS[kind]))
        page.fault(node, f"a {kind} of kind {what} is not supported; it may be: {allowed}")
        return Event()
    if extensions(node, "in") or extensions(node, "out"):
        page.warn(node, "in and out have no effect at an event; it carries what its sender gives it")
    if what in _ATTRIBUTES:
        return referred(page, node, what, catching=kind in {"boundaryEvent", "startEvent", "intermediateCatchEvent"})
    reads = {"timer": _timer, "conditional": _conditional, "link": _link, "compensation": _compensation}
    return reads[what](page, node) if what in reads else Event(what)


def _timer(page: Page, node: Any) -> Event:
    return Event("timer", timing=_timing(page, node))


def _conditional(page: Page, node: Any) -> Event:
    condition = node.find(f"{BPMN}condition")
    if condition is None:
        page.fault(node, "a conditional event needs a condition")
        return Event("conditional")
    return Event("conditional", condition=page.expression(condition, "condition"))


def _link(page: Page, node: Any) -> Event:
    if not node.get("name"):
        page.fault(node, "a link event needs a name that its partner has too")
    return Event("link", node.get("name"))


def _compensation(page: Page, node: Any) -> Event:
    if node.get("waitForCompletion", "true") in {"false", "0"}:
        page.warn(node, "waitForCompletion=false is not followed: the throw waits until everything is undone")
    return Event("compensation", target=node.get("activityRef") or None)


def referred(page: Page, node: Any, what: str, *, catching: bool) -> Event:
    """Read an event with the message, signal, error or escalation it refers to (引用事件)."""
    reference = node.get(f"{what}Ref")
    if not reference:
        if what not in {"error", "escalation"} or (what == "error" and not catching):
            page.fault(node, f"it needs a {what}Ref: say which {what} it is")
        return Event(what)
    target = page.named(what, reference)
    if target is None and what == "error" and page.lenient:
        return Event(what, reference)
    if target is None:
        page.fault(node, f"there is no {what} {reference!r} in the file; correct the {what}Ref or add the {what}")
        return Event(what, reference)
    name = (target.get(_ATTRIBUTES[what]) or target.get("name") or target.get("id", "")).strip()
    if name.startswith("=") or "${" in name or "#{" in name:
        page.fault(node, f"the {what}'s name {name!r} is an expression; write it as plain text")
    key = extension(target, "subscription", "correlationKey") if what == "message" else None
    return Event(what, name, key=page.value(target, key, "correlation key") if key else None)


def _timing(page: Page, node: Any) -> Timing | None:
    kinds = {markup.local(child): child for child in node.iterchildren(f"{BPMN}*") if "time" in markup.local(child)}
    if len(kinds) != 1 or not set(kinds) <= {"timeDuration", "timeDate", "timeCycle"}:
        page.fault(node, "a timer needs one of timeDuration, timeDate and timeCycle")
        return None
    kind, child = kinds.popitem()
    text = text_of(child)
    if len(text) > LONGEST:
        page.fault(node, f"its timer is longer than {LONGEST} characters; write it shorter")
        return None
    if countdown := _COUNTDOWN.fullmatch(text):
        return Timing(kind, text, countdown[1])
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[2]
    elif "${" in text or "#{" in text:
        read = page.value(child, text, "timer")
        text = f"={read.text}" if read else ""
    elif page.language == "python" and _NAMES.fullmatch(text) and not text.startswith(("P", "R")):
        text = f"={text}"
    if page.quartz and kind == "timeCycle" and _WEEKDAY.fullmatch(text):
        page.fault(node, "engines count weekdays from different days; write them by name, such as MON-FRI")
    return Timing(kind, text, None) if text else None
