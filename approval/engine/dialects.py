"""What each vendor adds to BPMN (方言): every word we know of, and whether it is read, without effect, or refused.

These tables are what the reader obeys and what docs/bpmn.md is printed from. Namespaces that are not named here
belong to drawing tools and change nothing about how a case runs.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from approval.expressions import markup

BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CLASSIC: Final = "Camunda 7, Flowable, Activiti"
ZEEBE: Final = "Camunda 8 (Zeebe)"
SPIFF: Final = "SpiffArena"
NAMESPACES: Final = {
    "http://camunda.org/schema/1.0/bpmn": CLASSIC,
    "http://operaton.org/schema/1.0/bpmn": CLASSIC,
    "http://flowable.org/bpmn": CLASSIC,
    "http://activiti.org/bpmn": CLASSIC,
    "http://activiti.com/modeler": CLASSIC,
    "http://camunda.org/schema/zeebe/1.0": ZEEBE,
    "http://spiffworkflow.org/bpmn/schema/1.0/core": SPIFF,
}
LENIENT: Final = {"http://flowable.org/bpmn", "http://activiti.org/bpmn"}
LISTENERS: Final = "listeners are not run; draw what it does as a serviceTask or scriptTask before or after this"


class Word(NamedTuple):
    """A vendor's element or attribute (方言词): `effect` is read, harmless, warned or refused; `words` say why."""

    effect: str
    words: str = ""


def _all(effect: str, names: str, words: str = "") -> dict[str, Word]:
    return dict.fromkeys(names.split(), Word(effect, words))


ATTRIBUTES: Final[dict[str, dict[str, Word]]] = {
    CLASSIC: {
        **_all(
            "read",
            "assignee candidateGroups dueDate followUpDate priority",
            "who a task is for: a lane by its name; until when",
        ),
        **_all("read", "formKey formRef", "the form of a task"),
        **_all("read", "type topic class delegateExpression expression", "which errand it is"),
        **_all("read", "resultVariable resultVariableName decisionRef", "what a decision or errand leaves"),
        **_all("read", "collection elementVariable", "the items of a multi-instance activity"),
        **_all(
            "harmless",
            "async asyncBefore asyncAfter asyncLeave asyncLeaveExclusive exclusive jobPriority taskPriority retries "
            "historyTimeToLive isStartableInTasklist versionTag candidateStarterGroups candidateStarterUsers "
            "modelerTemplate modelerTemplateVersion modelerTemplateIcon formRefBinding formRefVersion category "
            "decisionRefBinding decisionRefVersion decisionRefVersionTag decisionRefTenantId calledElementBinding "
            "calledElementVersion calledElementVersionTag calledElementTenantId calledElementType sameDeployment "
            "fallbackToDefaultTenant inheritBusinessKey inheritVariables businessKey variableName variableEvents "
            "formFieldValidation formHandlerClass extensionId includeInSchema autoStoreVariables diagramelementid "
            "processInstanceName isEagerExecutionFetching doNotIncludeVariables owner completeAsync "
            "useLocalScopeForOutParameters terminateMultiInstance",
        ),
        **_all("warned", "candidateUsers", "candidate users are not kept; name an assignee, a group or a lane"),
        **_all("warned", "initiator", "this variable is not set here; give it as a fact"),
        **_all(
            "warned",
            "errorCodeVariable errorMessageVariable escalationCodeVariable elementIndexVariable errorVariable "
            "processInstanceIdVariableName activeTaskIdVariableName idVariableName",
            "this variable is not set here; do not read it",
        ),
        **_all("warned", "mapDecisionResult", "the result has the shape that the decision's hit policy gives it"),
        **_all("warned", "useLocalScopeForResultVariable storeResultVariableAsTransient", "results are kept"),
        **_all("warned", "businessCalendarName", "due dates are reckoned on the office's own calendar"),
        **_all("warned", "terminateAll", "it ends what it is drawn in, not what called that"),
        **_all("warned", "scope", "a signal reaches everybody who waits for its name"),
        **_all("refused", "endDate", "write when a cycle ends into it: R/PT1H/2027-01-01T00:00:00Z"),
        **_all("refused", "messageExpression signalExpression", "write the name as plain text"),
        **_all("refused", "ruleVariablesInput rules exclude", "these rules are not run; use a DMN decision"),
        **_all("refused", "skipExpression", "draw the way around it with an exclusive gateway"),
        **_all("refused", "triggerable", "follow the errand with an intermediate message catch event"),
        **_all("refused", "resource", "write the script into the file"),
        **_all("refused", "variableMappingClass variableMappingDelegateExpression", "map with in and out elements"),
        **_all("refused", "caseRef caseBinding caseDefinitionKey", "CMMN cases are not run; call a process"),
    },
    ZEEBE: _all("harmless", "modelerTemplate modelerTemplateVersion modelerTemplateIcon retryCounter"),
    SPIFF: {
        **_all("harmless", "isOutputSynthetic category"),
        **_all("refused", "scriptsOnInstances", "put the script into a scriptTask"),
    },
}
ELEMENTS: Final[dict[str, dict[str, Word]]] = {
    CLASSIC: {
        **_all("read", "properties", "name and value pairs for the pack"),
        **_all("read", "formData formProperty", "the fields of a task's form, as a form-js schema"),
        **_all("read", "inputOutput", "values in and out, as text, lists, maps, JUEL or FEEL and Python scripts"),
        **_all("read", "in out", "values into and out of a called process"),
        **_all("read", "field string expression connector", "what a mapped errand is given"),
        **_all(
            "harmless",
            "failedJobRetryTimeCycle potentialStarter customResource constraint attributes localization versionTag",
        ),
        **_all("warned", "errorEventDefinition mapException", "an errand says itself which error it ends with"),
        **_all("warned", "variableAggregation", "results are collected under the activity's own id"),
        **_all("warned", "value", "a data object has no value to begin with; give it as a fact"),
        **_all("refused", "executionListener taskListener eventListener", LISTENERS),
        **_all("refused", "collection", "name the collection in the collection attribute"),
        **_all("refused", "httpRequestHandler httpResponseHandler", "let the errand do this"),
        **_all(
            "refused",
            "eventType triggerEventType sendSynchronously eventCorrelationParameter eventInParameter "
            "eventOutParameter startEventCorrelationConfiguration triggerEventCorrelationParameter",
            "event registries are not run; use messages",
        ),
        **_all("refused", "script", "put the script into a scriptTask"),
    },
    ZEEBE: {
        **_all("read", "taskDefinition taskHeaders", "which errand it is; headers become properties"),
        **_all("read", "ioMapping", "values in and out"),
        **_all(
            "read",
            "assignmentDefinition taskSchedule priorityDefinition",
            "who a task is for: a lane by its name; until when",
        ),
        **_all("read", "formDefinition userTaskForm", "the form of a task; an embedded one too"),
        **_all("read", "calledDecision calledElement script", "what it calls or evaluates"),
        **_all("read", "loopCharacteristics", "the items of a multi-instance activity and what is collected"),
        **_all("read", "subscription", "the correlation key of a message"),
        **_all("read", "properties", "name and value pairs for the pack"),
        **_all("read", "adHoc", "that a sub-process is ad-hoc; all its activities are offered"),
        **_all("harmless", "userTask versionTag conditionalFilter"),
        **_all("warned", "linkedResources", "linked resources are not loaded"),
        **_all("refused", "executionListeners taskListeners", LISTENERS),
    },
    SPIFF: {
        **_all("read", "serviceTaskOperator calledDecisionId", "which errand or decision it calls"),
        **_all("read", "properties", "the form (formJsonSchemaFilename), and pairs for the pack"),
        **_all("read", "instructionsForEndUser", "a property of that name"),
        **_all("harmless", "unitTests allowGuest guestConfirmation signalButtonLabel taskMetadataValues category"),
        **_all("warned", "messagePayload messageVariable", "a message carries what its sender gives it"),
        **_all(
            "warned",
            "processVariableCorrelation processVariableCorrelations",
            "correlation properties are not compared; a message goes to whoever waits for its name",
        ),
        **_all("read", "preScript postScript", "scriptTasks before and after a task, with ids of their own"),
    },
}
# The classic engines pass over elements they do not know, and house forms put many there.
UNKNOWN: Final = {
    CLASSIC: Word("warned", "it is not known here and has no effect"),
    ZEEBE: Word("refused", "it is not understood; remove it, or draw what it does"),
    SPIFF: Word("refused", "it is not understood; remove it, or draw what it does"),
}


def dialect(name: str) -> str:
    """Return the dialect (方言) that a tag or attribute name belongs to, or nothing."""
    return NAMESPACES.get(name[1:].partition("}")[0], "") if name.startswith("{") else ""


def attribute(node: Any, name: str) -> str | None:
    """Return a vendor's attribute (方言属性) of an element, whoever the vendor; its text is never empty."""
    for key, value in node.attrib.items():
        if key.endswith(f"}}{name}") and dialect(key):
            return str(value).strip() or None
    return None


def extensions(node: Any, name: str) -> list[Any]:
    """Return the vendors' elements (方言元素) of this name inside an element's extensionElements."""
    return [
        child
        for child in node.findall(f"{BPMN}extensionElements/*")
        if markup.local(child) == name and dialect(child.tag)
    ]


def extension(node: Any, name: str, attribute: str) -> str | None:
    """Return one attribute of the first vendor element (方言元素属性) of this name, unless it is empty."""
    found = extensions(node, name)
    value = found[0].get(attribute) if found else None
    return value.strip() or None if value else None


def notes(root: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield what to say about the vendors' words of a file (方言检查): element, level and sentence."""
    for node in root.iter(f"{BPMN}*"):
        for key, value in node.attrib.items():
            vendor = dialect(key)
            if vendor and value.strip() not in {"", "false"}:
                name = key.partition("}")[2]
                word = ATTRIBUTES[vendor].get(
                    name, Word("warned", "this attribute is not known here and has no effect")
                )
                yield from _said(node, f"the attribute {name}", word)
        for child in node.findall(f"{BPMN}extensionElements/*") if node.tag != f"{BPMN}extensionElements" else ():
            if vendor := dialect(child.tag):
                name = markup.local(child)
                word = ELEMENTS[vendor].get(name, UNKNOWN[vendor])
                yield from _said(child, name, word)


def _said(node: Any, name: str, word: Word) -> Iterator[tuple[Any, str, str]]:
    if word.effect in {"warned", "refused"}:
        yield node, "error" if word.effect == "refused" else "warning", f"{name}: {word.words}"
