"""Wirings (部件衔接): what the parts of a pack name of one another, and what could only fail once a case runs."""

import re
from collections.abc import Iterable, Iterator, Mapping

from approval import documents, engine
from approval.domain import manifests
from approval.domain.answers import Form
from approval.domain.errors import Fault
from approval.domain.manifests import CaseKind, LicenceRule, Manifest
from approval.domain.texts import LONGEST_CODE
from approval.expressions import feel
from approval.services import countdowns, errands, kinds, statutes, types
from approval.services.pledges import CHECKS
from certificates import CertificateError, LicenceType

# What the guide of every item tells (行政许可法第三十条), and where a refusal says to turn to (第三十八条第二款).
_SERVICE = frozenset({"place", "hours", "phone", "supervision_phone", "review_body", "court"})
_CATCHING = frozenset({"intermediateCatchEvent", "receiveTask"})
_OF_LICENCES = frozenset({"issue_licence", "draw_rendition"})
_DEFERRAL, _TELL = "deferral", "tell_deferral"
# What acts count by, beside the limits that timers name.
_COUNTED = {"announce": "public_notice", "tell_hearing_rights": "hearing_request", "announce_hearing": "hearing"}
_REVIEW, _FORWARD = "tier_review", "forward"
_ANSWER = re.compile(r"\banswers\.([^\W\d]\w*)")


def faults(
    manifest: Manifest | None,
    definition: engine.Definition | None,
    forms: Mapping[str, Form] | None,
    files: Mapping[str, bytes],
) -> Iterator[Fault]:
    """Find what one part of a pack names and another lacks (部件衔接校验); a part that is None is not asked."""
    if manifest:
        yield from _names(manifest, definition, forms)
        yield from _item_number(manifest)
        yield from _case_kind(manifest, definition)
        yield from _pledges(manifest, definition)
        yield from _of_departments(manifest, definition)
        yield from _expressions(manifest, (forms or {}).get(manifest.filing_form))
        if manifest.licence:
            yield from _licence(manifest.licence, files)
    yield from _notices(files)
    if definition:
        yield from _posts(definition)
    for form in (forms or {}).values():
        for question in form.fields:
            if question.hidden_when:
                yield from _expression(form.id, question.key, question.hidden_when)
            if question.supersedes and question.supersedes not in (forms or {}):
                yield Fault(form.id, question.key, 0, f"supersedes a form that is not there: {question.supersedes!r}")


def _names(
    manifest: Manifest, definition: engine.Definition | None, forms: Mapping[str, Form] | None
) -> Iterator[Fault]:
    named: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        "case kind": ({manifest.case_kind}, set(CaseKind)),
        "exclusion": (manifest.exclusions, {cause.code for cause in statutes.exclusions()}),
        "service": (_SERVICE, {name for name, text in manifest.service.items() if text.strip()}),
    }
    if forms is not None:
        named["form"] = ({manifest.filing_form, *(definition.forms if definition else ())}, forms)
    if definition:
        named |= {
            "lane": (definition.lanes, manifest.lanes),
            "errand": (definition.errands.values(), filter(errands.known, definition.errands.values())),
            "limit": (_limits(definition) | {"acceptance", "decision", "delivery"}, manifest.limits),
            "task": (set().union(*(rule.tasks for rule in manifest.apart)), definition.tasks),
        }
        if manifest.licence is None:
            named["licence of"] = (_OF_LICENCES & set(definition.errands.values()), ())
    for kind, (asked, known) in named.items():
        for name in sorted(set(asked) - set(known)):
            yield Fault(manifests.FILE, name, 0, f"{kind} {name!r} is named but stands nowhere")


def _limits(definition: engine.Definition) -> set[str]:
    """Name the limits that a procedure needs (所需时限): those its timers mean, and those its acts count by."""
    asked = set(definition.errands.values())
    return set(definition.countdowns) | {limit for act, limit in _COUNTED.items() if act in asked}


def _case_kind(manifest: Manifest, definition: engine.Definition | None) -> Iterator[Fault]:
    """Find what a kind of case (办件类型) wants and the pack lacks."""
    promised = manifest.limits.get("promised")
    if manifest.case_kind == CaseKind.INSTANT and (promised is None or promised.days > 1):
        yield Fault(manifests.FILE, "limits.promised.days", 0, "an item decided on the spot promises a day at most")
    if manifest.case_kind == CaseKind.JOINT:
        working = {
            lane.department for name, lane in manifest.lanes.items() if not definition or name in _asked(definition)
        }
        if definition and _asks_many(definition):  # which lanes those are is worked out case by case
            working = {lane.department for lane in manifest.lanes.values()}
        if not manifest.joint or (idle := sorted(set(manifest.joint) - working)):
            why = f"nothing asks {', '.join(idle)}" if manifest.joint else "a joint item names its joint departments"
            yield Fault(manifests.FILE, "department.joint", 0, why)
    if manifest.case_kind == CaseKind.FORWARDED:
        if _REVIEW not in manifest.limits:
            yield Fault(manifests.FILE, f"limits.{_REVIEW}", 0, "is missing: how long the lower tier examines")
        if definition and _FORWARD not in definition.errands.values():
            yield Fault(manifests.FILE, "case_kind", 0, f"nothing in the procedure asks for the errand {_FORWARD!r}")


def _asked(definition: engine.Definition) -> set[str]:
    return {post.lane for post in definition.tasks.values() if post.lane}


def _asks_many(definition: engine.Definition) -> bool:
    return any("groups" in dict(node.assignment) for node in definition.nodes.values() if node.id in definition.tasks)


def _pledges(manifest: Manifest, definition: engine.Definition | None) -> Iterator[Fault]:
    """Find promises (容缺、告知承诺) that nobody would ask to be kept."""
    asked = set(definition.errands.values()) if definition else None
    if any(material.deferral for material in manifest.materials):
        if _DEFERRAL not in manifest.limits:
            yield Fault(manifests.FILE, f"limits.{_DEFERRAL}", 0, "is missing: until when deferred materials come")
        if asked is not None and _TELL not in asked:
            yield Fault(
                manifests.FILE, "materials", 0, f"the procedure lets materials come later but never asks {_TELL!r}"
            )
    if manifest.commitment and asked is not None and not asked >= CHECKS:
        yield Fault(manifests.FILE, "commitment", 0, f"nobody would check it: {', '.join(sorted(CHECKS - asked))}")
    promised = {
        "deferred": asked is not None and _TELL in asked,
        "committed": asked is not None and bool(CHECKS & asked),
    }
    for name in sorted(name for name, wanted in promised.items() if wanted and manifest.facts.get(name) != name):
        yield Fault(manifests.FILE, f"facts.{name}", 0, f'the procedure asks for what was promised: {name} = "{name}"')


def _of_departments(manifest: Manifest, definition: engine.Definition | None) -> Iterator[Fault]:
    """Find limits of single departments (部门时限) that nobody would be held to, or that no ledger could keep."""
    departments = {lane.department for lane in manifest.lanes.values()}
    for name in manifest.limits:
        base, _colon, department = name.partition(":")
        if department and (department not in departments or base not in manifest.limits):
            yield Fault(manifests.FILE, f"limits.{name}", 0, "is of no limit, or of a department without a lane")
    for name in sorted(_of_many(definition)) if definition else ():
        if name in countdowns.BEGUN_BY_LAW:
            yield Fault(manifests.FILE, f"limits.{name}", 0, "counts for the whole case, not for each that is asked")
        elif any(len(f"{name}:{department}") > LONGEST_CODE for department in departments):
            yield Fault(manifests.FILE, f"limits.{name}"[:LONGEST_CODE], 0, "is too long beside a department's code")


def _of_many(definition: engine.Definition) -> set[str]:
    """Name the countdowns of tasks that many are asked at once (按部门分别计算的时限)."""
    many = {node.id for node in definition.nodes.values() if "groups" in dict(node.assignment)}
    guards = [node for node in definition.nodes.values() if node.attached in many]
    return {
        event.timing.countdown for node in guards for event in node.events if event.timing and event.timing.countdown
    }


def _posts(definition: engine.Definition) -> Iterator[Fault]:
    """Find tasks that are nobody's and events that nobody tells."""
    for node in definition.nodes.values():
        if node.id in definition.tasks and not node.lane and "groups" not in dict(node.assignment):
            yield Fault(node.file, node.id, node.line, "no lane holds this task: nobody would get it")
        awaited = node.kind in _CATCHING and node.event.kind == "message"
        known = awaited and node.event.name in errands.MESSAGES
        if node.event.kind in {"message", "signal"} and not known:
            yield Fault(node.file, node.id, node.line, f"nobody here sends a {node.event.kind}; use a task or a timer")


def _licence(rule: LicenceRule, files: Mapping[str, bytes]) -> Iterator[Fault]:
    try:
        LicenceType(rule.type, rule.name.zh, rule.number, rule.validity_years, rule.public)
    except CertificateError as reason:
        yield Fault(manifests.FILE, "licence", 0, str(reason))
    try:
        template = files[rule.template].decode()
    except KeyError:
        yield Fault(manifests.FILE, "licence.template", 0, f"{rule.template!r} is not in the pack")
    except UnicodeDecodeError as reason:
        yield Fault(rule.template, "", 0, str(reason))
    else:
        if why := documents.fault(template):
            yield Fault(rule.template, "", why.line, why.message)
        else:
            yield from _blanks(rule, template)


def _notices(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Find templates of formal notices that belong to no kind, or cannot be read."""
    for path in sorted(path for path in files if path.startswith(kinds.OVERRIDES)):
        code = path.removeprefix(kinds.OVERRIDES).removesuffix(".html")
        kind = kinds.catalogue().get(code)
        if kind is None or not kind.template or not path.endswith(".html"):
            yield Fault(path, "", 0, f"no kind of notice that is drawn is called {code!r}")
            continue
        try:
            template = files[path].decode()
        except UnicodeDecodeError:
            yield Fault(path, "", 0, "the template is not UTF-8")
            continue
        if why := documents.fault(kinds.framed(template)):
            yield Fault(path, "", why.line, why.message)


def _blanks(rule: LicenceRule, template: str) -> Iterator[Fault]:
    """Find the names in a template that no licence would fill: what else goes wrong may be the samples' fault."""
    why = types.trial(template, rule.fields)
    if why.startswith("UndefinedError"):
        yield Fault(rule.template, "", 0, why)


def _expressions(manifest: Manifest, filing: Form | None) -> Iterator[Fault]:
    asked = {question.key for question in filing.fields} if filing else set()
    for where, text in _written(manifest).items():
        yield from _expression(manifests.FILE, where, text)
        # FEEL takes a name that nobody gave for null, and a licence would be sealed with nothing in it.
        for name in sorted(set(_ANSWER.findall(text)) - asked) if filing else ():
            yield Fault(manifests.FILE, where, 0, f"the filing form does not ask for {name!r}")


def _written(manifest: Manifest) -> dict[str, str]:
    written = {f"facts.{name}": text for name, text in manifest.facts.items()}
    written |= {f"materials.{material.code}.when": material.when for material in manifest.materials if material.when}
    if manifest.commitment:
        written["commitment.when"] = manifest.commitment.when
    if manifest.licence:
        written |= {f"licence.fields.{name}": text for name, text in manifest.licence.fields.items()}
        written |= {"licence.of": manifest.licence.of} if manifest.licence.of else {}
    return written


def _expression(file: str, where: str, text: str) -> Iterator[Fault]:
    try:
        feel.check(text)
    except feel.ExpressionRefused as refused:
        yield Fault(file, where, 0, str(refused.facts["why"]))


def _item_number(manifest: Manifest) -> Iterator[Fault]:
    # The pattern is the author's: it runs where time and memory are limited.
    asked = {"number": manifest.item_number, "pattern": manifest.item_number_pattern}
    try:
        if feel.evaluate("matches(number, pattern)", asked) is not True:
            yield Fault(manifests.FILE, "item_number", 0, f"does not fit {manifest.item_number_pattern}")
    except feel.ExpressionRefused as refused:
        yield Fault(manifests.FILE, "item_number_pattern", 0, str(refused.facts["why"]))
