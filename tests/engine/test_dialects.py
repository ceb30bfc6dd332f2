import pytest

from approval.engine.diagrams import Event
from approval.expressions import formulas
from approval.expressions.formulas import Formula
from tests.engine.drawing import el, els, extension, path
from tests.engine.reading import SPIFF, VENDORS, drawn, errors, judged, node, read

TRANSLATED = {
    "camunda": 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"',
    "flowable": 'xmlns:flowable="http://flowable.org/bpmn"',
    "activiti": 'xmlns:activiti="http://activiti.org/bpmn"',
}


def around(inner, also="", namespaces=VENDORS):
    return drawn(els("s", "s"), inner, els("e", "e"), path("s t e"), also=also, namespaces=namespaces)


def several(inside):
    return f"<multiInstanceLoopCharacteristics>{inside}</multiInstanceLoopCharacteristics>"


def spiff(inner, **kwargs):
    return around(inner, namespaces=f"{VENDORS} {SPIFF}", **kwargs)


@pytest.mark.parametrize("vendor", TRANSLATED)
def test_the_classic_family_says_the_same_in_its_own_namespace(vendor):
    task = (
        f'<userTask id="t" {vendor}:assignee="${{boss}}" {vendor}:candidateGroups="window, fire"'
        f' {vendor}:dueDate="P3D" {vendor}:priority="50" {vendor}:formKey="embedded:app:forms/intake.html"/>'
    )
    found = node(around(task))
    assert dict(found.assignment) == {
        "assignee": Formula("boss"),
        "groups": Formula('["window", "fire"]'),
        "due": Formula('"P3D"'),
        "priority": Formula("50"),
    }
    assert (found.lane, found.form) == ("window", "intake")


def test_camunda_8_says_who_when_and_on_which_form():
    found = node(around(el("userTask", "t", extension(
        "<zeebe:userTask/>"
        '<zeebe:assignmentDefinition assignee="= boss" candidateGroups="= groups"/>'
        '<zeebe:taskSchedule dueDate="= due" followUpDate="2026-03-01T09:00:00Z"/>'
        '<zeebe:priorityDefinition priority="= 10 + 1"/>'
        '<zeebe:formDefinition formKey="camunda-forms:bpmn:intake"/>'
        '<zeebe:taskHeaders><zeebe:header key="a" value="b"/></zeebe:taskHeaders>'
    ))))  # fmt: skip
    assert dict(found.assignment) == {
        "assignee": Formula("boss"),
        "groups": Formula("groups"),
        "due": Formula("due"),
        "follow_up": Formula('"2026-03-01T09:00:00Z"'),
        "priority": Formula("10 + 1"),
    }
    assert (found.lane, found.form, found.properties) == (None, "intake", {"a": "b"})


def test_spiffarena_says_form_instructions_operator_and_decision():
    found = node(spiff(el("userTask", "t", extension(
        '<spiffworkflow:properties><spiffworkflow:property name="formJsonSchemaFilename" value="intake-schema.json"/>'
        "</spiffworkflow:properties><spiffworkflow:instructionsForEndUser>Look</spiffworkflow:instructionsForEndUser>"
    ))))  # fmt: skip
    assert (found.form, found.properties["instructionsForEndUser"]) == ("intake", "Look")
    found = node(spiff(el("serviceTask", "t", extension(
        '<spiffworkflow:serviceTaskOperator id="http/Get" resultVariable="page"><spiffworkflow:parameters>'
        '<spiffworkflow:parameter id="url" type="str" value="&quot;x&quot; + y"/></spiffworkflow:parameters>'
        "</spiffworkflow:serviceTaskOperator>"
    ))), names={"http/Get": "fetch"})  # fmt: skip
    assert (found.calls, found.variable, dict(found.inputs)) == (
        "fetch", "page", {"url": Formula('"x" + y', "python")},
    )  # fmt: skip
    rule = "<spiffworkflow:calledDecisionId>fee</spiffworkflow:calledDecisionId>"
    assert node(spiff(el("businessRuleTask", "t", extension(rule)))).calls == "fee"


def test_plain_bpmn_performers_are_an_assignment():
    owner = "<potentialOwner><resourceAssignmentExpression><formalExpression>group(window), user(ann)"
    owner += "</formalExpression></resourceAssignmentExpression></potentialOwner>"
    found = node(around(el("userTask", "t", owner)))
    assert (dict(found.assignment), found.lane) == (
        {"assignee": Formula('"ann"'), "groups": Formula('["window"]')}, "window",
    )  # fmt: skip


ERRANDS = [
    ('<serviceTask id="t" camunda:type="external" camunda:topic="seal"/>', "seal"),
    ('<serviceTask id="t" camunda:type="external" camunda:topic="stamp"/>', "sealing"),
    ('<serviceTask id="t" camunda:class="org.example.Stamp"/>', "sealing"),
    ('<serviceTask id="t" camunda:delegateExpression="${stamper}"/>', "sealing"),
    ('<serviceTask id="t" flowable:expression="#{stamper.run(x)}"/>', "sealing"),
    ('<serviceTask id="t" flowable:type="mail"/>', "post"),
    ('<serviceTask id="t" flowable:type="external-worker" flowable:topic="seal"/>', "seal"),
    (el("serviceTask", "t", extension('<zeebe:taskDefinition type="stamp" retries="3"/>')), "sealing"),
    (el("businessRuleTask", "t", extension('<zeebe:taskDefinition type="seal"/>')), "seal"),
    (el("scriptTask", "t", extension('<zeebe:taskDefinition type="seal"/>')), "seal"),
    ('<sendTask id="t" camunda:topic="seal"/>', "seal"),
    ('<serviceTask id="t" camunda:asyncBefore="true">' + extension(
        "<camunda:connector><camunda:connectorId>http-connector</camunda:connectorId></camunda:connector>"
    ) + "</serviceTask>", "fetch"),
    ('<intermediateThrowEvent id="t"><messageEventDefinition id="d" camunda:topic="seal"/></intermediateThrowEvent>',
     "seal"),
]  # fmt: skip
NAMES = {
    "stamp": "sealing", "org.example.Stamp": "sealing", "stamper": "sealing", "stamper.run(x)": "sealing",
    "mail": "post", "http-connector": "fetch",
}  # fmt: skip


@pytest.mark.parametrize(("drawing", "errand"), ERRANDS)
def test_topics_types_classes_and_beans_become_errands_through_the_table(drawing, errand):
    found = node(around(drawing), names=NAMES)
    assert (found.calls, found.kind) == (errand, found.kind if found.kind in {"serviceTask", "sendTask"} else "?")


@pytest.mark.parametrize(
    ("drawing", "why"),
    [
        ('<serviceTask id="t" camunda:class="org.example.Stamp"/>', "'org.example.Stamp' to an errand"),
        ('<serviceTask id="t" activiti:delegateExpression="${stamper}"/>', "'${stamper}' to an errand"),
        ('<serviceTask id="t" camunda:expression="${stamper.run(x)}"/>', "'${stamper.run(x)}' to an errand"),
        ('<serviceTask id="t" flowable:type="shell"/>', "'shell' to an errand"),
        ('<serviceTask id="t" camunda:type="external" camunda:topic="${x}"/>', "plain text"),
        (el("serviceTask", "t", extension('<zeebe:taskDefinition type="=x"/>')), "plain text"),
        ('<serviceTask id="t" flowable:type="mail" flowable:skipExpression="${x}"/>', "exclusive gateway"),
        (el("userTask", "t", extension('<camunda:taskListener event="create" class="x.Y"/>')), "listeners are not run"),
        (el("userTask", "t", extension('<flowable:executionListener event="start" expression="${x}"/>')), "listeners"),
        (el("userTask", "t", extension("<zeebe:executionListeners/>")), "listeners"),
        (el("userTask", "t", extension("<zeebe:somethingNew/>")), "not understood"),
        (el("userTask", "t", extension('<zeebe:formDefinition formId=""/>')), "formId"),
        ('<userTask id="t" camunda:formKey="${x}"/>', "plain text"),
        (el("callActivity", "t", extension('<zeebe:calledElement processId="= x"/>')), "plain text"),
        ('<callActivity id="t" calledElement="${x}"/>', "plain text"),
        (el("userTask", "t", extension('<zeebe:ioMapping><zeebe:input source="= 1" target="a-b"/></zeebe:ioMapping>')),
         "underscores"),
        (el("scriptTask", "t", "<script>x</script>", scriptFormat="groovy"), "groovy are not run"),
        (el("scriptTask", "t", "<script>x</script>", scriptFormat="javascript"), "Python or FEEL"),
        (el("adHocSubProcess", "t", extension('<zeebe:adHoc activeElementsCollection="= x"/>') + els("u", "a")),
         "offered"),
    ],
)  # fmt: skip
def test_what_a_vendor_would_run_and_we_do_not_is_refused_with_advice(drawing, why):
    found = errors(around(drawing))
    assert [fault.element for fault in found if why in fault.why] == ["t"], found


def test_scripts_beside_a_task_become_tasks_of_their_own():
    words = "<spiffworkflow:preScript>a = 1</spiffworkflow:preScript>"
    words += "<spiffworkflow:postScript>b = 2</spiffworkflow:postScript>"
    source = spiff(el("userTask", "t", extension(words)))
    assert errors(source) == []
    scope = read(source).scopes["p"]
    assert [(flow.source, flow.target) for flow in scope.flows.values()] == [
        ("s", "t_before"), ("t_after", "e"), ("t_before", "t"), ("t", "t_after"),
    ]  # fmt: skip
    assert scope.nodes["t_after"].script == Formula("b = 2", "python")
    several_times = el("userTask", "t", extension(words) + several("<loopCardinality>2</loopCardinality>"))
    assert {fault.element for fault in errors(spiff(several_times))} == {"t"}


@pytest.mark.parametrize(
    ("drawing", "script"),
    [
        (el("scriptTask", "t", "<script>x = 1</script>", scriptFormat="python"), Formula("x = 1", "python")),
        (el("scriptTask", "t", "<script>\n    x = 1\n    y = 2\n</script>"), Formula("x = 1\ny = 2", "python")),
        (el("scriptTask", "t", "<script>1 + 1</script>", scriptFormat="feel"), Formula("1 + 1")),
        (el("scriptTask", "t", extension('<zeebe:script expression="= 1 + 1" resultVariable="r"/>')), Formula("1 + 1")),
        ('<serviceTask id="t" camunda:expression="${a}" camunda:resultVariable="r"/>', Formula("a")),
    ],
)
def test_scripts_are_python_or_feel(drawing, script):
    found = node(around(drawing))
    assert (found.kind, found.script) == ("scriptTask", script)


@pytest.mark.parametrize(
    "drawing",
    [
        '<businessRuleTask id="t" camunda:decisionRef="fee" camunda:resultVariable="r"/>',
        el("businessRuleTask", "t", extension('<zeebe:calledDecision decisionId="fee" resultVariable="r"/>')),
        '<serviceTask id="t" flowable:type="dmn" flowable:resultVariableName="r">' + extension(
            '<flowable:field name="decisionTableReferenceKey"><flowable:string>fee</flowable:string></flowable:field>'
        ) + "</serviceTask>",
    ],
)  # fmt: skip
def test_decisions_are_named_in_every_dialect(drawing):
    found = node(around(drawing))
    assert (found.kind, found.calls, found.variable) == ("businessRuleTask", "fee", "r")


def test_camunda_parameters_are_text_lists_maps_and_expressions():
    found = node(around('<serviceTask id="t" camunda:topic="seal">' + extension(
        '<camunda:inputOutput><camunda:inputParameter name="a">Dear ${who}!</camunda:inputParameter>'
        '<camunda:inputParameter name="b"><camunda:list><camunda:value>x</camunda:value>'
        "<camunda:value>${y}</camunda:value></camunda:list></camunda:inputParameter>"
        '<camunda:inputParameter name="c"><camunda:map><camunda:entry key="k">1</camunda:entry></camunda:map>'
        "</camunda:inputParameter>"
        '<camunda:outputParameter name="d"><camunda:script scriptFormat="feel">a + 1</camunda:script>'
        "</camunda:outputParameter></camunda:inputOutput>"
        '<camunda:field name="f" stringValue="g"/>'
    ) + "</serviceTask>"))  # fmt: skip
    inputs = dict(found.inputs)
    assert formulas.evaluate(inputs.pop("a"), {"who": "Li"}) == "Dear Li!"
    assert inputs == {
        "b": Formula('["x", y]'),
        "c": Formula('{"k": "1"}'),
        "f": Formula('"g"'),
    }
    assert dict(found.outputs) == {"d": Formula("a + 1")}


def test_zeebe_mappings_reach_into_parts():
    found = node(around(el("serviceTask", "t", extension(
        '<zeebe:taskDefinition type="seal"/><zeebe:ioMapping>'
        '<zeebe:input source="= a" target="order.id"/><zeebe:input source="= b" target="order.name"/>'
        '<zeebe:output source="= c" target="order.sum"/><zeebe:output source="plain" target="d"/></zeebe:ioMapping>'
    ))))  # fmt: skip
    inputs, outputs = dict(found.inputs), dict(found.outputs)
    assert inputs["order"].text == "context merge([{id: a}, {name: b}])"
    assert outputs["order"].text == "context merge([if order = null then {} else order, {sum: c}])"
    assert outputs["d"] == Formula('"plain"')


def test_call_activities_map_in_and_out():
    other = '<process id="q" isExecutable="false">' + els("s", "qs") + els("e", "qe") + path("qs qe") + "</process>"
    found = node(around('<callActivity id="t" calledElement="q">' + extension(
        '<camunda:in source="a" target="b"/><camunda:in sourceExpression="${c}" target="d"/>'
        '<camunda:in variables="all"/><camunda:in businessKey="${k}"/><camunda:out source="x" target="y"/>'
    ) + "</callActivity>", also=other))  # fmt: skip
    assert (found.calls, found.inputs, found.outputs) == (
        "q", (("b", Formula("a")), ("d", Formula("c"))), (("y", Formula("x")),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "marker",
    [
        '<multiInstanceLoopCharacteristics camunda:collection="${people}" camunda:elementVariable="person"/>',
        '<multiInstanceLoopCharacteristics flowable:collection="people" flowable:elementVariable="person"/>',
        several('<loopDataInputRef>people</loopDataInputRef><inputDataItem id="i" name="person"/>'),
        several(extension('<zeebe:loopCharacteristics inputCollection="= people" inputElement="person"/>')),
    ],
)
def test_collections_are_named_in_every_dialect(marker):
    loop = node(around(el("userTask", "t", marker))).loop
    assert (loop.kind, loop.collection, loop.item) == ("parallel", Formula("people"), "person")


def test_what_instances_leave_is_collected():
    zeebe = extension('<zeebe:loopCharacteristics inputCollection="= p" outputCollection="all" outputElement="= x.y"/>')
    marker = f'<multiInstanceLoopCharacteristics isSequential="true">{zeebe}</multiInstanceLoopCharacteristics>'
    loop = node(around(el("userTask", "t", marker))).loop
    assert (loop.kind, loop.collected, loop.output) == ("sequential", "all", Formula("x.y"))
    marker = (
        "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality><loopDataOutputRef>o</loopDataOutputRef>"
        '<outputDataItem id="vote"/></multiInstanceLoopCharacteristics>'
    )
    data = '<dataObjectReference id="o" name="votes" dataObjectRef="do"/><dataObject id="do"/>'
    loop = node(drawn(els("s", "s"), el("userTask", "t", marker), data, els("e", "e"), path("s t e"))).loop
    assert (loop.cardinality, loop.collected, loop.output) == (Formula("3"), "votes", Formula("vote"))


def test_fields_drawn_into_a_task_make_a_form():
    fields = (
        '<camunda:formData><camunda:formField id="seats" label="Seats" type="long" defaultValue="3">'
        '<camunda:validation><camunda:constraint name="required"/><camunda:constraint name="min" config="1"/>'
        '</camunda:validation></camunda:formField><camunda:formField id="kind" type="enum">'
        '<camunda:value id="a" name="A"/></camunda:formField></camunda:formData>'
    )
    reader = read(around(el("userTask", "t", extension(fields))))
    assert reader.scopes["p"].nodes["t"].form == "t"
    seats, kind = reader.forms["t"]["components"]
    assert (seats["type"], seats["label"], seats["validate"]) == ("number", "Seats", {"required": True, "min": 1})
    assert (kind["type"], kind["values"]) == ("select", [{"value": "a", "label": "A"}])


def test_activiti_form_properties_are_fields_too():
    fields = '<activiti:formProperty id="days" name="天数" type="long" required="true" writable="false"/>'
    fields += '<activiti:formProperty id="secret" type="string" readable="false"/>'
    (days,) = read(around(el("userTask", "t", extension(fields)))).forms["t"]["components"]
    assert (days["key"], days["label"], days["readonly"], days["validate"]) == (
        "days",
        "天数",
        True,
        {"required": True},
    )


def test_a_form_inside_the_process_is_kept():
    form = '<extensionElements><zeebe:userTaskForm id="f">{"type": "default"}</zeebe:userTaskForm></extensionElements>'
    assert read(around(els("u", "t") + form)).forms == {"f": {"type": "default"}}
    assert any("form-js" in fault.why for fault in errors(around(els("u", "t") + form.replace("}", ""))))


def test_messages_carry_their_correlation_key():
    message = (
        f'<message id="m" name="paid">{extension("""<zeebe:subscription correlationKey="= case.id"/>""")}</message>'
    )
    caught = el("intermediateCatchEvent", "t", '<messageEventDefinition messageRef="m"/>')
    assert node(around(caught, also=message)).event == Event("message", "paid", key=Formula("case.id"))


def test_words_of_drawing_tools_do_not_matter():
    task = '<userTask id="t" modeler:x="1" bioc:stroke="red" other:y="2">'
    task += extension('<other:thing xmlns:other="urn:other"/>') + "</userTask>"
    source = around(task, namespaces=f'{VENDORS} xmlns:other="urn:other"')
    assert judged(source) == []


@pytest.mark.parametrize(
    "attribute",
    ['asyncBefore="true"', 'exclusive="false"', 'jobPriority="1"', 'modelerTemplate="x"'],
)
def test_attributes_about_threads_and_queues_do_not_matter(attribute):
    assert judged(around(f'<userTask id="t" camunda:{attribute}/>')) == []


def test_what_has_no_effect_here_is_said():
    button = extension('<flowable:button label="x"/>')
    found = judged(around(f'<userTask id="t" camunda:candidateUsers="ann" camunda:unheardOf="1">{button}</userTask>'))
    assert [(fault.level, fault.element) for fault in found] == [("warning", "t")] * 3


def test_spiffarena_timers_and_conditions_are_python():
    timer = "<timerEventDefinition><timeDuration>&quot;PT1H&quot;</timeDuration></timerEventDefinition>"
    found = node(spiff(el("intermediateCatchEvent", "t", timer)))
    assert found.event.timing.text == "PT1H"
    assert found.event.kind == "timer"
    loop = "<standardLoopCharacteristics><loopCondition>x == 1</loopCondition></standardLoopCharacteristics>"
    assert node(spiff(el("userTask", "t", loop))).loop.condition == Formula("x == 1", "python")


def test_juel_timers_become_feel():
    timer = "<timerEventDefinition><timeDate>${due}</timeDate></timerEventDefinition>"
    assert node(around(el("intermediateCatchEvent", "t", timer))).event.timing.text == "=due"
