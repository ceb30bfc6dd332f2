import sys

import pytest

from approval import engine
from approval.domain.errors import PackRefused
from approval.engine import checks
from tests.engine.drawing import bpmn, call, define, el, els, errand, extension, guard, path, process, rule, timer

PLAIN = (els("s", "s"), els("u", "a"), els("e", "e"), path("s a e"))
ERROR = '<error id="E" errorCode="refused"/>'
MULTI = "<multiInstanceLoopCharacteristics/>"


def faults(*args, **kwargs):
    with pytest.raises(PackRefused) as caught:
        define(*args, **kwargs)
    return caught.value.facts["faults"]


def around(inner):
    """Draw one element between start and end."""
    name = inner.split('id="')[1].split('"')[0]
    return (els("s", "s"), inner, els("e", "e"), path(f"s {name} e"))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (el("scriptTask", "t", "<script>import os; os.system('true')</script>"), "scripts are not run"),
        (el("receiveTask", "t"), "message catch event"),
        (el("complexGateway", "t"), "exclusive, parallel or inclusive"),
        (el("transaction", "t"), "compensation"),
        (el("adHocSubProcess", "t"), "order is drawn"),
        (el("userTask", "t", MULTI), "multi-instance"),
        (el("userTask", "t", "<standardLoopCharacteristics/>"), "loop markers"),
        (el("userTask", "t", "<ioSpecification/>"), "no effect"),
        (el("userTask", "t", '<dataInputAssociation id="q"/>'), "no effect"),
        (el("userTask", "t", isForCompensation="true"), "isForCompensation"),
        (el("userTask", "t", extension("<zeebe:ioMapping/>")), "no effect"),
        (el("userTask", "t", extension('<zeebe:assignmentDefinition assignee="x"/>')), "lane"),
        (el("userTask", "t", extension("<camunda:formData/>")), "Zeebe"),
        ('<userTask id="t" camunda:assignee="x"/>', "Zeebe"),
        (el("serviceTask", "t"), "zeebe:taskDefinition type"),
        (el("serviceTask", "t", extension('<zeebe:taskDefinition type="=x"/>')), "plain text"),
        (el("businessRuleTask", "t"), "zeebe:calledDecision"),
        (rule("t", "nothing"), "no decision 'nothing'"),
        (rule("t", "nothing", "a-b"), "resultVariable"),
        (call("t", "nowhere"), "no process 'nowhere'"),
        (call("t", "p"), "calls itself"),
        (el("userTask", "t-1"), "underscore"),
        (el("intermediateThrowEvent", "t", "<linkEventDefinition/>"), "kind link"),
        (el("intermediateThrowEvent", "t", "<signalEventDefinition/>"), "kind signal"),
        (el("intermediateThrowEvent", "t", "<compensateEventDefinition/>"), "kind compensate"),
        (el("intermediateThrowEvent", "t", "<escalationEventDefinition/>"), "kind escalation"),
        (el("intermediateCatchEvent", "t", '<messageEventDefinition messageRef="no"/>'), "messageRef"),
        (el("intermediateCatchEvent", "t", "<conditionalEventDefinition/>"), "kind conditional"),
        (el("intermediateCatchEvent", "t", timer("P1D") + timer("P2D")), "one definition"),
        (el("intermediateCatchEvent", "t"), "kind none"),
        (el("intermediateCatchEvent", "t", timer("R3/PT1H", "timeCycle")), "cycles"),
        (el("intermediateCatchEvent", "t", timer("1 day")), "not an ISO 8601 duration"),
        (el("intermediateCatchEvent", "t", timer("P")), "not an ISO 8601 duration"),
        (el("intermediateCatchEvent", "t", timer("P99999Y")), "too long"),
        (el("intermediateCatchEvent", "t", timer("=PT1H")), "quotes"),
        (el("intermediateCatchEvent", "t", timer("=1 +")), "Incomplete"),
        (el("intermediateCatchEvent", "t", timer("2026-01-01", "timeDate")), "offset"),
        (el("intermediateCatchEvent", "t", timer("=today()", "timeDate")), "clock"),
        (el("subProcess", "t", triggeredByEvent="true"), "triggeredByEvent"),
        (el("eventBasedGateway", "t", instantiate="true"), "instantiate"),
        (el("subProcess", "t", '<dataInputAssociation id="q"/>'), "no effect"),
        (el("subProcess", "t", MULTI), "multi-instance"),
        (el("userTask", "t", timer("P1D")), "timerEventDefinition is not supported"),
        (el("userTask", "t", extension('<zeebe:formDefinition formKey="x"/>')), "formId"),
        (el("userTask", "t", extension("<zeebe:taskHeaders/>")), "zeebe:taskHeaders"),
    ],
)
def test_what_is_not_understood_is_refused_with_element_and_line(inside, why):
    found = [fault for fault in faults(*around(inside)) if why in fault.why]
    assert found, faults(*around(inside))
    assert (found[0].file, found[0].element, found[0].line) in {
        ("p.bpmn", inside.split('id="')[1].split('"')[0], 4), ("p.bpmn", "q", 4), ("p.bpmn", "p", 2),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "element", "why"),
    [
        ((*PLAIN, els("u", "lost")), "lost", "no flow leads here"),
        ((els("s", "s"), els("u", "a"), path("s a")), "a", "no flow leaves it"),
        ((*PLAIN, els("u", "a")), "a", "used twice"),
        ((*PLAIN, path("a nowhere")), "a__nowhere", "nowhere"),
        ((els("s", "s s2"), els("u", "a"), els("e", "e"), path("s a e"), path("s2 a")), "p", "exactly one start"),
        ((els("u", "a"), els("e", "e"), path("a e")), "p", "exactly one start"),
        ((els("s", "s"), els("u", "a b"), els("e", "e"), path("s a e"), path("a b e")), "a", "several flows"),
        ((els("s", "s"), els("x", "g"), els("u", "a b"), els("e", "e"), path("s g a e"), path("g b e")),
         "g__a", "needs a condition"),
        ((els("s", "s"), els("x", "g"), els("u", "a"), els("e", "e"), path("s g {x} a e")), "g__a", "never be asked"),
        ((els("s", "s"), els("u", "a"), els("e", "e"), path("s {x} a e")), "s__a", "never be asked"),
        ((els("s", "s"), els("p", "g"), els("u", "a b"), els("e", "e"), path("s g {x} a e"), path("g b e")),
         "g__a", "never be asked"),
        ((els("s", "s"), el("exclusiveGateway", "g", default="q"), els("u", "a"), els("e", "e"), path("s g a e")),
         "g", "'q'"),
        ((*PLAIN, el("boundaryEvent", "t", timer("P1D"), attachedToRef="s")), "t", "attach it"),
        ((*PLAIN, el("boundaryEvent", "t", "<errorEventDefinition/>", attachedToRef="a"), path("t e")),
         "t", "errors come out"),
        ((els("s", "s"), els("b", "g"), els("u", "a"), els("e", "e"), path("s g a e")), "g", "event of its own"),
        ((els("s", "s"), els("u", "a"), el("endEvent", "bad", '<errorEventDefinition errorRef="E"/>'),
         path("s a bad")), "bad", "nobody catches"),
        ((els("s", "s"), els("x", "m g"), els("e", "e"), path("s m g {x} m"), path("g {y} e")),
         "m", "waits for nobody"),
        ((*PLAIN, el("startEvent", "s9", "<messageEventDefinition/>")), "s9", "kind message"),
    ],
)  # fmt: skip
def test_what_is_drawn_wrong_is_refused(parts, element, why):
    found = faults(*parts, also=ERROR)
    assert any(fault.element == element and why in fault.why and fault.line > 0 for fault in found), found


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("${seats > 3}", "as FEEL after an equals sign"),
        ("seats > 3", "as FEEL after an equals sign"),
        ("__import__('os').system('true')", "as FEEL"),
        ("=seats >", "condition"),
        ("=now() > t", "clock"),
        ("", "as FEEL"),
    ],
)
def test_conditions_are_feel(condition, why):
    assert [fault.element for fault in faults(*choice(f"<![CDATA[{condition}]]>")) if why in fault.why] == ["f"]


def choice(condition, **attributes):
    expression = el("conditionExpression", "ce", condition, **attributes)
    flow = el("sequenceFlow", "f", expression, sourceRef="g", targetRef="b")
    fork = el("exclusiveGateway", "g", default="g__a")
    return (els("s", "s"), fork, els("u", "a b"), els("e", "e"), path("s g a e"), path("b e"), flow)


def test_a_condition_in_another_language_is_refused():
    assert any("python" in fault.why for fault in faults(*choice("=1 = 1", language="python")))


@pytest.mark.parametrize(
    "parts",
    [
        (els("s", "s"), el("exclusiveGateway", "g", default="g__b"), els("p", "j"), els("u", "a b"), els("e", "e"),
         path("s g {x} a j e"), path("g b j")),
        (els("s", "s"), els("p", "f j"), els("u", "a b"), guard("t", "b", timer("P1D")), els("e", "e e2"),
         path("s f a j e"), path("f b j"), path("t e2")),
    ],
)  # fmt: skip
def test_a_join_that_may_wait_for_ever_is_refused(parts):
    assert [(fault.element, "for ever" in fault.why) for fault in faults(*parts)] == [("j", True)]


def test_all_faults_of_all_files_are_told_at_once():
    found = faults(
        process("p", els("s", "s"), el("scriptTask", "x1"), call("c", "q"), els("e", "e"), path("s x1 c e")),
        process("q", els("s", "s"), el("scriptTask", "x2"), errand("a"), el("serviceTask", "n"), els("e", "e"),
        path("s x2 a n e")),
        **{"t.dmn": b"<definitions/>"},
    )  # fmt: skip
    assert {(fault.file, fault.element) for fault in found} >= {
        ("p0.bpmn", "x1"),
        ("p1.bpmn", "x2"),
        ("p1.bpmn", "n"),
        ("t.dmn", ""),
    }


def test_the_same_outcome_key_in_two_files_is_refused():
    found = faults(
        process("p", els("s", "s"), els("u", "a"), call("c", "q"), els("e", "e"), path("s a c e")),
        process("q", els("s", "s"), els("u", "a"), els("e", "e"), path("s a e")),
    )
    assert any(fault.element == "a" and "kept by id" in fault.why for fault in found)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (bpmn(*PLAIN)[:-40], "not XML"),
        (b"", "not XML"),
        (b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + bpmn(*PLAIN), "DOCTYPE"),
        (b'<!DOCTYPE d [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><d>&b;</d>', "DOCTYPE"),
        (bpmn(*PLAIN).replace(b"20100524", b"20990101"), "neither BPMN 2.0"),
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "executable"),
        (bpmn(*PLAIN).replace(b'isExecutable="true"', b""), "executable"),
        (b"<a>" * 200 + b"</a>" * 200, "deeper"),
    ],
)
def test_files_that_are_no_procedure_are_refused(source, why):
    with pytest.raises(PackRefused, match=why):
        engine.load({"p.bpmn": source})


def test_two_outermost_processes_need_a_choice():
    other = process("pb", els("s", "s"), els("u", "a2"), els("e", "e"), path("s a2 e"))
    files = {"a.bpmn": bpmn(process("pa", *PLAIN)), "b.bpmn": bpmn(other)}
    with pytest.raises(PackRefused, match="pa, pb"):
        engine.load(files)
    assert engine.load(files, "pb").process == "pb"
    with pytest.raises(PackRefused, match="nobody"):
        engine.load(files, "nobody")


def test_too_many_elements_are_refused():
    with pytest.raises(PackRefused, match="more than 2"):
        engine.load({"p.bpmn": bpmn(*PLAIN)}, elements=2)


def test_utf_16_is_read_like_any_other_text():
    text = bpmn(els("s", "s"), el("userTask", "a", name="受理"), els("e", "e"), path("s a e")).decode()
    source = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    assert engine.load({"p.bpmn": source}).names["a"] == "受理"


def test_the_same_sources_are_one_definition():
    assert define(*PLAIN) is define(*PLAIN)
    assert define(*PLAIN).digest != define(*PLAIN, also=ERROR).digest


def test_a_fact_may_not_hide_an_outcome():
    with pytest.raises(PackRefused, match="rename") as caught:
        engine.start(define(*PLAIN), {"a": 1}, now=None)
    assert caught.value.facts["faults"][0].element == "a"


def test_a_diagram_and_notes_do_not_matter():
    notes = '<textAnnotation id="n"/><association id="as" sourceRef="a" targetRef="n"/><documentation>x</documentation>'
    notes += '<dataObjectReference id="do"/><group id="gr"/>'
    assert (
        define(
            *PLAIN, notes, also='<collaboration id="co"><participant id="pa" processRef="p"/></collaboration>'
        ).process
        == "p"
    )


@pytest.mark.parametrize("encoding", ["gbk", "GB2312", "gb18030"])
def test_chinese_encodings_are_read_too(encoding):
    text = bpmn(els("s", "s"), el("userTask", "a", name="受理"), els("e", "e"), path("s a e")).decode()
    declared = f"<?xml version='1.0' encoding='{encoding}' standalone='yes'?>{text}"
    assert engine.load({"p.bpmn": declared.encode(encoding)}).names["a"] == "受理"
    with pytest.raises(PackRefused, match="encoding"):
        engine.load({"p.bpmn": declared.encode("utf-8") + b"\xff\xff"})


@pytest.mark.parametrize("encoding", ["utf-7", "big5", "shift_jis", "klingon", "idna", "hex"])
def test_another_encoding_is_refused_by_name(encoding):
    source = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + bpmn(*PLAIN)
    with pytest.raises(PackRefused, match="encoding"):
        engine.load({"p.bpmn": source})


def test_a_doctype_hides_in_no_encoding():
    source = "<?xml version='1.0' encoding='gbk'?><!DOCTYPE d [<!ENTITY x '受'>]><d>&x;</d>".encode("gbk")
    with pytest.raises(PackRefused, match="DOCTYPE"):
        engine.load({"p.bpmn": source})


def test_an_id_fits_its_column():
    fits, long = "a" * 80, "a" * 81
    assert define(els("s", "s"), els("u", fits), els("e", "e"), sequence(fits)).tasks
    assert [fault.element for fault in faults(els("s", "s"), els("u", long), els("e", "e"), sequence(long))] == [long]


def sequence(name):
    return "".join(
        f'<sequenceFlow id="{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate([("s", name), (name, "e")])
    )


@pytest.mark.parametrize(
    ("died", "why"),
    [
        ("raise SystemExit(3)", "could not be read"),
        ("raise ValueError('no such thing')", "could not be read: ValueError: no such thing"),
        ("raise MemoryError", "took more than"),
        ("import os; os.kill(os.getpid(), 9)", "took more than"),
        ("import time; time.sleep(60)", "took more than"),
    ],
)
def test_what_befell_the_child_is_said_as_it_was(died, why, tmp_path, monkeypatch):
    child = tmp_path / "python"
    child.write_text(f"#!{sys.executable}\n{died}\n")
    child.chmod(0o755)
    monkeypatch.setattr(checks.sys, "executable", str(child))
    with pytest.raises(PackRefused, match=why):
        checks.check({"p.bpmn": b""}, seconds=1)
