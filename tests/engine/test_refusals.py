import sys

import pytest

from approval import engine
from approval.domain.errors import PackRefused
from approval.engine import checks, pools
from tests.engine.drawing import bpmn, call, define, el, els, errand, guard, path, process, rule, timer
from tests.engine.reading import drawn, errors, judged, read

PLAIN = (els("s", "s"), els("u", "a"), els("e", "e"), path("s a e"))
ERROR = '<error id="E" errorCode="refused"/><message id="M" name="paid"/>'
UNDO = "<compensateEventDefinition/>"


def faults(*args, **kwargs):
    with pytest.raises(PackRefused) as caught:
        define(*args, **kwargs)
    return caught.value.facts["faults"]


def around(inner):
    """Draw one element between start and end."""
    name = inner.split('id="')[1].split('"')[0]
    return (els("s", "s"), inner, els("e", "e"), path(f"s {name} e"))


def catch(definition):
    return el("intermediateCatchEvent", "t", definition)


def throw(definition):
    return el("intermediateThrowEvent", "t", definition)


def several(inside="", **attributes):
    words = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return el("userTask", "t", f"<multiInstanceLoopCharacteristics{words}>{inside}</multiInstanceLoopCharacteristics>")


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        (el("complexGateway", "t"), "exclusive, parallel or inclusive"),
        (el("serviceTask", "t"), "must name its errand"),
        (el("sendTask", "t"), "must name its message"),
        (el("sendTask", "t", messageRef="no"), "no message 'no'"),
        (el("receiveTask", "t", messageRef="no"), "no message 'no'"),
        (el("businessRuleTask", "t"), "must name its decision"),
        (el("callActivity", "t"), "must name the process"),
        (rule("t", "nothing"), "no decision 'nothing'"),
        (rule("t", "nothing", "a-b"), "result variable"),
        (call("t", "nowhere"), "no process 'nowhere'"),
        (throw("<linkEventDefinition/>"), "needs a name"),
        (throw('<linkEventDefinition name="x"/>'), "no link catch event is named 'x'"),
        (throw("<timerEventDefinition/>"), "kind timer"),
        (throw("<signalEventDefinition/>"), "needs a signalRef"),
        (throw('<signalEventDefinition signalRef="no"/>'), "no signal 'no'"),
        (throw('<escalationEventDefinition escalationRef="no"/>'), "no escalation 'no'"),
        (throw(UNDO), "nothing says how anything is undone"),
        (throw('<compensateEventDefinition activityRef="no"/>'), "no activity 'no'"),
        (throw("<eventDefinitionRef>no</eventDefinitionRef>"), "no event definition 'no'"),
        (catch('<messageEventDefinition messageRef="no"/>'), "no message 'no'"),
        (catch("<messageEventDefinition/>"), "needs a messageRef"),
        (catch("<conditionalEventDefinition/>"), "needs a condition"),
        (catch("<cancelEventDefinition/>"), "kind cancel"),
        (catch(""), "needs an event definition"),
        (catch("<timerEventDefinition/>"), "one of timeDuration"),
        (catch(timer("1 day")), "not an ISO 8601 duration"),
        (catch(timer("P")), "not an ISO 8601 duration"),
        (catch(timer("-PT1H")), "not an ISO 8601 duration"),
        (catch(timer("P99999Y")), "too long"),
        (catch(timer("=PT1H")), "quotes"),
        (catch(timer("=1 +")), "Incomplete"),
        (catch(timer("=P5D")), "quotes"),
        (catch(timer("=R3/PT10S", "timeCycle")), "quotes"),
        (catch(timer("PT1H " * 300)), "longer"),
        (catch(timer("2026-01-01", "timeDate")), "offset"),
        (catch(timer("tomorrow", "timeDate")), "not an ISO 8601 moment"),
        (catch(timer("=today()", "timeDate")), "clock"),
        (catch(timer("R0/PT1H", "timeCycle")), "never due"),
        (catch(timer("R/PT0S", "timeCycle")), "without a pause"),
        (catch(timer("PT1H", "timeCycle")), "neither"),
        (catch(timer("0 0 25 * * *", "timeCycle")), "outside"),
        (catch(timer("0 0 0 31 2 *", "timeCycle")), "no day that will come"),
        (catch(timer("0 0 9 ? * 2", "timeCycle")), "by name"),
        (el("eventBasedGateway", "t", eventGatewayType="Parallel"), "parallel gateway"),
        (el("userTask", "t", timer("P1D")), "timerEventDefinition is not supported"),
        (el("userTask", "t", startQuantity="0"), "startQuantity"),
        (el("userTask", "t", completionQuantity="-1"), "completionQuantity"),
        (el("userTask", "t", "<standardLoopCharacteristics/>"), "never ends"),
        (el("userTask", "t", '<standardLoopCharacteristics loopMaximum="-1"/>'), "loopMaximum"),
        (several(), "say how often"),
        (several("<loopCardinality>-1</loopCardinality>"), "negative"),
        (several("<loopCardinality>2</loopCardinality>", behavior="Some"), "All, None or One"),
        (several("<loopCardinality>2</loopCardinality>", behavior="Complex"), "use a completionCondition"),
        (several("<loopCardinality>2</loopCardinality>", behavior="One", oneBehaviorEventRef="no"), "definition 'no'"),
        (el("subProcess", "t", els("s", "i") + el("startEvent", "j", timer("P1D")) + path("i j")), "no flow may lead"),
        (el("subProcess", "t", el("startEvent", "i", timer("P1D"))), "only an event sub-process"),
        (el("subProcess", "t", els("s", "i"), triggeredByEvent="true"), "exactly one start event"),
        (el("subProcess", "t", el("startEvent", "i", timer("P1D")), triggeredByEvent="true"), "not reached by flows"),
        (
            el(
                "subProcess",
                "t",
                el("startEvent", "i", '<errorEventDefinition errorRef="E"/>', isInterrupting="false"),
                triggeredByEvent="true",
            ),
            "always interrupts",
        ),
        (el("userTask", "t", isForCompensation="true"), "not reached by flows"),
        (el("userTask", "t", isForCompensation="true"), "no compensation event leads to it"),
        (el("receiveTask", "t", instantiate="true"), "has no flow into it"),
    ],
)
def test_what_cannot_run_is_refused_with_element_line_and_advice(inside, why):
    found = [fault for fault in errors(drawn(*around(inside), also=ERROR)) if why in fault.why]
    assert found, errors(drawn(*around(inside), also=ERROR))
    assert {fault.element for fault in found} <= {inside.split('id="')[1].split('"')[0], "i", "j"}
    assert {(fault.file, fault.line) for fault in found} == {("p.bpmn", 4)}


CHOICE = (els("s", "s"), els("x", "g"), els("u", "a b"), els("e", "e"))


@pytest.mark.parametrize(
    ("parts", "element", "why"),
    [
        ((*PLAIN, els("u", "lost")), "lost", "no flow leads here"),
        ((*PLAIN, els("u", "a")), "a", "used twice"),
        ((*PLAIN, path("a nowhere")), "a__nowhere", "'nowhere', which is not in the file"),
        ((*PLAIN, el("subProcess", "q", els("u", "in")), path("a q e"), path("a in")), "a__in", "across a border"),
        ((*CHOICE, path("s g a e"), path("g b e")), "g__a", "needs a condition"),
        ((*CHOICE, path("s g {false} a e"), path("g {false} b e")), "g", "no way out"),
        ((els("s", "s"), els("x", "g"), path("s g")), "g", "no flow leaves this gateway"),
        ((els("s", "s"), el("exclusiveGateway", "g", default="q"), els("u", "a"), els("e", "e"), path("s g a e")),
         "g", "'q'"),
        ((*PLAIN, el("boundaryEvent", "t", timer("P1D"), attachedToRef="s")), "t", "attached to 's'"),
        ((*PLAIN, el("boundaryEvent", "t", timer("P1D"), attachedToRef="no")), "t", "attached to 'no'"),
        ((*PLAIN, guard("t", "a", "<cancelEventDefinition/>")), "t", "only a transaction"),
        ((*PLAIN, guard("t", "a", "<errorEventDefinition/>", interrupting=False)), "t", "always interrupts"),
        ((*PLAIN, guard("t", "a", UNDO)), "t", "no compensation handler"),
        ((*PLAIN, guard("t", "a", UNDO), path("t e")), "t", "no flow leaves a compensation event"),
        ((els("s", "s"), els("u", "a"), el("endEvent", "e", "<cancelEventDefinition/>"), path("s a e")), "e",
         "only a transaction"),
        ((els("s", "s"), els("b", "g"), els("u", "a"), els("e", "e"), path("s g a e")), "g", "events and receive"),
        ((els("s", "s"), els("x", "m g"), els("e", "e"), path("s m g {x} m"), path("g {y} e")),
         "m", "waits for nobody"),
        ((*PLAIN, el("startEvent", "s9", '<errorEventDefinition errorRef="E"/>'), path("s9 a")), "s9",
         "only an event sub-process"),
        ((els("u", "a b"), path("a b a")), "p", "nothing can begin"),
        ((els("s", "s"), els("u", "a b"), path("s a b a")), "s", "no way leads to an end"),
        ((*PLAIN, '<laneSet id="ls"><lane id="l" name="window"><flowNodeRef>no</flowNodeRef></lane></laneSet>'),
         "l", "names 'no'"),
        ((els("s", "s"), call("a", "p"), els("e", "e"), path("s a e")), "p", "calls itself"),
        ((els("s", "s"), el("intermediateThrowEvent", "t", '<linkEventDefinition name="x"/>'),
          el("intermediateCatchEvent", "c", '<linkEventDefinition name="x"/>'),
          el("intermediateCatchEvent", "d", '<linkEventDefinition name="x"/>'), path("s t")), "d", "c is a link"),
    ],
)  # fmt: skip
def test_what_is_drawn_wrong_is_refused(parts, element, why):
    found = errors(drawn(*parts, also=ERROR))
    assert any(fault.element == element and why in fault.why and fault.line > 0 for fault in found), found


@pytest.mark.parametrize(
    ("parts", "element", "why"),
    [
        ((*CHOICE, path("s g {x > 1} a e"), path("g {x &lt; 1} b e")), "g", "add a default flow"),
        ((els("s", "s"), els("u", "a b"), els("e", "e"), path("s a {x > 1} b e")), "a", "add a default flow"),
        ((els("s", "s"), els("p", "g"), els("u", "a b"), els("e", "e"), path("s g {x} a e"), path("g b e")),
         "g__a", "never asked"),
        ((els("s", "s"), els("u", "a"), els("e", "e"), path("s {x} a e")), "s__a", "never asked"),
        ((els("s", "s"), els("u", "a"), el("endEvent", "bad", '<errorEventDefinition errorRef="E"/>'),
          path("s a bad")), "bad", "nobody catches the error 'refused'"),
        ((*PLAIN, '<laneSet id="ls"><lane id="l"><flowNodeRef>a</flowNodeRef></lane></laneSet>'), "l", "has no name"),
        ((els("s", "s"), el("receiveTask", "t"), els("e", "e"), path("s t e")), "t", "give it a messageRef"),
        ((els("s", "s"), el("scriptTask", "t"), els("e", "e"), path("s t e")), "t", "does nothing"),
        ((els("s", "s"), el("receiveTask", "t", messageRef="M", startQuantity="2"), path("s t")), "t", "fewer tokens"),
    ],
)  # fmt: skip
def test_what_runs_and_is_worth_a_look_is_a_warning(parts, element, why):
    found = judged(drawn(*parts, also=ERROR))
    assert [(fault.element, fault.level, why in fault.why) for fault in found] == [(element, "warning", True)], found


@pytest.mark.parametrize(("length", "refused"), [(80, []), (81, ["a" * 81])])
def test_an_id_fits_its_column(length, refused):
    flows = "".join(
        f'<sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}"/>'
        for number, (source, target) in enumerate([("s", "a" * length), ("a" * length, "e")])
    )
    found = errors(drawn(els("s", "s"), els("u", "a" * length), els("e", "e"), flows))
    assert [fault.element for fault in found] == refused


def test_a_fault_says_the_name_that_is_drawn():
    found = errors(drawn(els("s", "s"), el("complexGateway", "t", name="意见汇总"), els("e", "e"), path("s t e")))
    assert [(fault.element, fault.name) for fault in found] == [("t", "意见汇总")]


@pytest.mark.parametrize("condition", ["=seats >", "=now() > t", "= )"])
def test_conditions_that_cannot_be_evaluated_are_refused(condition):
    expression = el("conditionExpression", "ce", f"<![CDATA[{condition}]]>")
    flow = el("sequenceFlow", "f", expression, sourceRef="g", targetRef="b")
    fork = el("exclusiveGateway", "g", default="g__a")
    found = errors(drawn(els("s", "s"), fork, els("u", "a b"), els("e", "e"), path("s g a e"), path("b e"), flow))
    assert [fault.element for fault in found if "condition" in fault.why] == ["f"]


FORK = (els("s", "s"), els("p", "f j"), els("u", "a b"), els("e", "e e2"))
BRANCHES = {
    "exclusive": (els("s", "s"), el("exclusiveGateway", "g", default="g__b"), els("p", "j"), els("u", "a b"),
                  els("e", "e"), path("s g {x} a j e"), path("g b j")),
    "inclusive": (els("s", "s"), els("i", "g"), els("p", "j"), els("u", "a b"), els("e", "e"),
                  path("s g {x} a j e"), path("g {y} b j")),
    "conditional flows": (els("s", "s"), els("u", "t a b"), els("p", "j"), els("e", "e"),
                          path("s t {x} a j e"), path("t {y} b j")),
    "a deadline": (*FORK, guard("t", "b", timer("P1D")), path("s f a j e"), path("f b j"), path("t e2")),
}  # fmt: skip


@pytest.mark.parametrize("parts", BRANCHES.values(), ids=BRANCHES)
def test_a_join_that_may_wait_for_ever_is_refused(parts):
    assert [(fault.element, "for ever" in fault.why) for fault in errors(drawn(*parts))] == [("j", True)]


def test_all_faults_of_all_files_are_told_at_once():
    found = faults(
        process("p", els("s", "s"), el("complexGateway", "x1"), call("c", "q"), els("e", "e"), path("s x1 c e")),
        process("q", els("s", "s"), el("complexGateway", "x2"), errand("a"), el("serviceTask", "n"), els("e", "e"),
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
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "process"),
        (b"<a>" * 200 + b"</a>" * 200, "deeper"),
    ],
)
def test_files_that_are_no_procedure_are_refused(source, why):
    with pytest.raises(PackRefused, match=why):
        engine.load({"p.bpmn": source})


OTHER = process("pb", els("s", "s2"), els("u", "a2"), els("e", "e2"), path("s2 a2 e2"))
POOLS = (
    '<collaboration id="c"><participant id="x" processRef="pb"/><participant id="y" processRef="p"/></collaboration>'
)


def chosen(source, name=None):
    reader = read(source)
    assert not reader.faults
    found, said = pools.choose(reader.scopes, reader.partners, name)
    return found, [(fault.level, fault.element) for fault in said]


def test_several_pools_and_none_executable_are_a_choice():
    both = drawn(*PLAIN, also=OTHER)
    plain = b'isExecutable="true"'
    assert chosen(drawn(*PLAIN)) == ("p", [])
    assert chosen(both) == ("p", [("warning", "p")])
    assert chosen(drawn(*PLAIN, also=OTHER + POOLS)) == ("pb", [("warning", "pb")])
    assert chosen(both.replace(plain, b"", 1)) == ("pb", [])
    assert chosen(both.replace(plain, b"")) == ("p", [("warning", "p")])
    assert chosen(both, "pb") == ("pb", [])
    assert chosen(both, "nobody") == (None, [("error", "nobody")])


def test_a_process_that_another_calls_is_not_where_cases_start():
    caller = (els("s", "s"), call("a", "pb"), els("e", "e"), path("s a e"))
    assert chosen(drawn(*caller, also=OTHER)) == ("p", [])
    assert chosen(drawn(*caller, also=OTHER + POOLS)) == ("p", [])


def test_a_process_started_by_a_message_gives_way_to_one_with_a_plain_start():
    start = el("startEvent", "s", '<messageEventDefinition messageRef="m"/>')
    also = OTHER + '<message id="m" name="m"/>'
    assert chosen(drawn(start, els("e", "e"), path("s e"), also=also)) == ("pb", [("warning", "pb")])


def test_too_many_elements_are_refused():
    assert any("more than 2" in fault.why for fault in errors(drawn(*PLAIN), elements=2))


def test_utf_16_is_read_like_any_other_text():
    text = bpmn(els("s", "s"), el("userTask", "a", name="受理"), els("e", "e"), path("s a e")).decode()
    source = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    assert read(source).scopes["p"].nodes["a"].name == "受理"


def test_the_same_sources_are_one_definition():
    assert define(*PLAIN) is define(*PLAIN)
    assert define(*PLAIN).digest != define(*PLAIN, also=ERROR).digest


def test_a_fact_may_not_hide_an_outcome():
    with pytest.raises(PackRefused, match="rename") as caught:
        engine.start(define(*PLAIN), {"a": 1}, now=None)
    assert caught.value.facts["faults"][0].element == "a"


def test_a_diagram_and_notes_do_not_matter():
    notes = '<textAnnotation id="n"/><association id="as" sourceRef="a" targetRef="n"/><documentation>x</documentation>'
    notes += '<dataObjectReference id="do"/><group id="gr"/><dataStoreReference id="ds"/><property id="pr"/>'
    pool = '<collaboration id="co"><participant id="pa" processRef="p"/></collaboration>'
    assert judged(drawn(*PLAIN, notes, also=pool)) == []


@pytest.mark.parametrize("encoding", ["gbk", "GB2312", "gb18030"])
def test_chinese_encodings_are_read_too(encoding):
    text = bpmn(els("s", "s"), el("userTask", "a", name="受理"), els("e", "e"), path("s a e")).decode()
    declared = f"<?xml version='1.0' encoding='{encoding}' standalone='yes'?>{text}"
    assert read(declared.encode(encoding)).scopes["p"].nodes["a"].name == "受理"
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
