import pytest

from approval.domain.errors import PackRefused
from approval.expressions import tables
from approval.expressions.feel import ExpressionRefused

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">'


def dmn(rows, *, policy="", inputs=("area", "kind"), outputs=("visit",), extra="", tail=""):
    def cell(tag, text):
        return f"<{tag}><text><![CDATA[{text}]]></text></{tag}>"

    columns = "".join(f'<input id="i{n}">{cell("inputExpression", text)}</input>' for n, text in enumerate(inputs))
    columns += "".join(f'<output id="o{n}" name="{name}">{extra}</output>' for n, name in enumerate(outputs))
    rules = "".join(
        f'<rule id="r{number}">'
        + "".join(cell("inputEntry", text) for text in tests)
        + "".join(cell("outputEntry", text) for text in results)
        + cell("annotationEntry", f"第{number}条")
        + "</rule>\n"
        for number, (tests, results) in enumerate(rows, start=1)
    )
    return (
        f'{HEAD}\n<decision id="site_visit" name="现场核查">\n'
        f'<decisionTable id="t" {policy}>{columns}\n{rules}</decisionTable></decision>{tail}</definitions>'
    ).encode()


def table(*args, **kwargs):
    return tables.load("rules.dmn", dmn(*args, **kwargs))["site_visit"]


def faults(source):
    with pytest.raises(PackRefused) as caught:
        tables.load("rules.dmn", source)
    return caught.value.facts["faults"]


NUMBERS = [(["< 100", "-"], ["1"]), (["< 200", "-"], ["2"]), (["< 50", "-"], ["3"])]


def test_the_answer_cites_its_rule():
    visit = table([([">= 500", "-"], ["true"]), (["< 500", '"热食"'], ["true"]), (["< 500", 'not("热食")'], ["false"])])
    decided = visit.decide({"area": 80, "kind": "热食"})
    assert decided == (True, (("r2", "第2条", "site_visit"),))


def test_cells_may_ask_for_other_names():
    visit = table([(["< limit", "? = wanted"], ["limit - area"])])
    assert visit.decide({"area": 3, "kind": "a", "limit": 10, "wanted": "a"}).result == 7


def test_several_outputs_come_by_name():
    visit = table([(["-", "-"], ["true", '"双人"'])], outputs=("visit", "team"))
    assert visit.decide({}).result == {"visit": True, "team": "双人"}


def test_no_match_is_an_error():
    with pytest.raises(tables.DecisionRefused, match=r"no rule matches.*area.*7") as caught:
        table([(["> 10", "-"], ["true"])]).decide({"area": 7})
    assert caught.value.facts["decision"] == "site_visit"


def test_a_default_answers_when_no_rule_does():
    default = "<defaultOutputEntry><text>false</text></defaultOutputEntry>"
    assert table([(["> 10", "-"], ["true"])], extra=default).decide({"area": 7}) == (False, ())


def test_overlapping_rules_of_a_unique_table_are_an_error():
    with pytest.raises(tables.DecisionRefused, match=r"overlap.*r1.*r2"):
        table(NUMBERS).decide({"area": 80})


@pytest.mark.parametrize(
    ("policy", "result"),
    [
        ('hitPolicy="FIRST"', 1),
        ('hitPolicy="RULE ORDER"', [1, 2, 3]),
        ('hitPolicy="COLLECT"', [1, 2, 3]),
        ('hitPolicy="COLLECT" aggregation="SUM"', 6),
        ('hitPolicy="COLLECT" aggregation="MIN"', 1),
        ('hitPolicy="COLLECT" aggregation="MAX"', 3),
        ('hitPolicy="COLLECT" aggregation="COUNT"', 3),
    ],
)
def test_each_hit_policy_is_itself(policy, result):
    assert table(NUMBERS, policy=policy).decide({"area": 20}).result == result


@pytest.mark.parametrize(("policy", "result"), [("PRIORITY", 3), ("OUTPUT ORDER", [3, 1, 2])])
def test_ranked_policies_follow_the_output_values(policy, result):
    values = "<outputValues><text>3, 1, 2</text></outputValues>"
    assert table(NUMBERS, policy=f'hitPolicy="{policy}"', extra=values).decide({"area": 20}).result == result


def test_rules_of_an_any_table_must_agree():
    agreeing = table([(["< 9", "-"], ["1"]), (["< 8", "-"], ["1"])], policy='hitPolicy="ANY"')
    assert agreeing.decide({"area": 1}) == (1, (("r1", "第1条", "site_visit"), ("r2", "第2条", "site_visit")))
    with pytest.raises(tables.DecisionRefused, match="disagree"):
        table(NUMBERS, policy='hitPolicy="ANY"').decide({"area": 1})


def test_collecting_nothing_is_an_empty_list():
    assert table(NUMBERS, policy='hitPolicy="COLLECT"').decide({"area": 999}) == ([], ())


def test_an_input_outside_its_allowed_values_is_refused():
    source = dmn([(["-", "-"], ["1"])]).replace(
        b"</inputExpression></input>",
        b'</inputExpression><inputValues><text>"a","b"</text></inputValues></input>',
        1,
    )
    visit = tables.load("rules.dmn", source)["site_visit"]
    assert visit.decide({"area": "a"}).result == 1
    with pytest.raises(tables.DecisionRefused, match="allowed"):
        visit.decide({"area": "c"})


def test_a_dead_cell_refuses_and_the_next_question_is_answered():
    visit = table([(["-", "-"], ["if area = 1 then (for i in 1..100000000 return i) else 2"])])
    with pytest.raises(ExpressionRefused):
        visit.decide({"area": 1})
    assert visit.decide({"area": 2}).result == 2


def test_all_faults_are_told_at_once_with_element_and_line():
    source = dmn([(["> >", "-"], ["1 +"]), (["-"], ["1"])], policy='hitPolicy="SOMETIMES"')
    found = faults(source)
    assert [(fault.element, fault.line) for fault in found] == [("t", 3), ("r1", 4), ("r1", 4), ("r2", 5)]
    assert "SOMETIMES" in found[0].why
    assert {fault.file for fault in found} == {"rules.dmn"}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"<a/>", "DMN 1.1 to 1.5"),
        (f"{HEAD}</definitions>".encode(), "no decision"),
        (
            f'{HEAD}<decision id="x"><literalExpression/></decision></definitions>'.encode(),
            "FEEL expression is missing",
        ),
        (dmn(NUMBERS, tail='<businessKnowledgeModel id="k"/>'), "logic is missing"),
        (dmn(NUMBERS).replace(b"<inputEntry>", b'<inputEntry expressionLanguage="python">', 1), "python"),
        (dmn([]), "no rules"),
        (dmn(NUMBERS, policy='hitPolicy="PRIORITY"'), "outputValues"),
        (dmn(NUMBERS, policy='aggregation="SUM"'), "COLLECT"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + dmn(NUMBERS), "DOCTYPE"),
        (dmn(NUMBERS)[:-20], "not XML"),
        (b"", "not XML"),
        (b"<a>" * 101 + b"</a>" * 101, "deeper"),
        (b"<a>" + b"<b/>" * 50_001 + b"</a>", "more than"),
        (b" " * (2 * 2**20 + 1), "larger"),
    ],
)
def test_what_cannot_be_read_is_refused(source, why):
    assert any(why in fault.why for fault in faults(source))


def test_utf_16_is_read_like_any_other_text():
    text = dmn([(["-", "-"], ['"核查"'])]).decode()
    source = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    assert tables.load("rules.dmn", source)["site_visit"].decide({}).result == "核查"
