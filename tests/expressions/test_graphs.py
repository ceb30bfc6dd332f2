"""Decisions that need others: requirement graphs, functions, boxed expressions, types."""

import pytest

from approval.domain.errors import NotFound, PackRefused
from approval.expressions import tables
from approval.expressions.tables import DecisionRefused

VERSIONS = {
    "1.1": "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "1.2": "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "1.3": "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "1.4": "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "1.5": "https://www.omg.org/spec/DMN/20230324/MODEL/",
}


def dmn(*elements, version="1.3"):
    head = f'<definitions xmlns="{VERSIONS[version]}" id="d" name="d" namespace="x">'
    return "\n".join([head, *elements, "</definitions>"]).encode()


def text(words):
    return f"<text><![CDATA[{words}]]></text>"


def needs(*hrefs):
    kinds = {"i": "requiredInput", "d": "requiredDecision", "k": "requiredKnowledge", "s": "requiredKnowledge"}
    return "".join(
        f"<{'knowledge' if href[0] in 'ks' else 'information'}Requirement><{kinds[href[0]]} href='#{href}'/>"
        f"</{'knowledge' if href[0] in 'ks' else 'information'}Requirement>"
        for href in hrefs
    )


def given(id_, name, type_="string"):
    return f'<inputData id="{id_}" name="{name}"><variable name="{name}" typeRef="{type_}"/></inputData>'


def decision(id_, name, body, *hrefs, type_="Any"):
    if not body.startswith("<"):
        body = f"<literalExpression>{text(body)}</literalExpression>"
    variable = f'<variable name="{name}" typeRef="{type_}"/>'
    return f'<decision id="{id_}" name="{name}">{variable}{needs(*hrefs)}{body}</decision>'


def table(column, *rules, output="level"):
    rows = "".join(
        f'<rule id="{rule}"><inputEntry>{text(test)}</inputEntry><outputEntry>{text(found)}</outputEntry></rule>'
        for rule, test, found in rules
    )
    return (
        f"<decisionTable><input><inputExpression>{text(column)}</inputExpression></input>"
        f'<output name="{output}"/>{rows}</decisionTable>'
    )


def decide(source, name, **data):
    return tables.pick("x.dmn", source, name).decide(data)


RISK = table("Floor Area * 2", ("low", "< 200", '"低"'), ("high", ">= 200", '"高"'))
VISIT = table("Fire Risk", ("no", '"低"', "false"), ("yes", '"高"', "true"), output="visit")
GRAPH = [
    given("i_area", "Floor Area", "number"),
    decision("d_risk", "Fire Risk", RISK, "i_area"),
    decision("d_visit", "Visit", VISIT, "d_risk"),
]


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_decision_asks_what_it_needs_and_cites_all_rows_its_own_first(version):
    visit = tables.load("x.dmn", dmn(*GRAPH, version=version))["d_visit"]
    decided = visit.decide({"Floor Area": 150})
    assert decided.result is True
    assert [(rule.decision, rule.id) for rule in decided.rules] == [("d_visit", "yes"), ("d_risk", "high")]


def test_what_a_required_decision_refuses_is_told_of_it():
    source = dmn(GRAPH[0], decision("d_risk", "Fire Risk", table("Floor Area", ("a", "< 9", "1")), "i_area"), GRAPH[2])
    with pytest.raises(DecisionRefused, match="no rule matches") as caught:
        decide(source, "d_visit", **{"Floor Area": 10})
    assert caught.value.facts["decision"] == "d_risk"
    assert caught.value.facts["asked"] == {"Floor Area": 10}


@pytest.mark.parametrize("named", ["d_risk", "level", "Risk"])
def test_camundas_ways_to_name_a_required_decision_are_understood(named):
    source = dmn(
        decision("d_risk", "Risk", table("area", ("a", "> 5", '"高"'))),
        decision("d_2", "Two", f'{named} + "!"', "d_risk"),
    )
    assert decide(source, "d_2", area=10, level="stale").result == "高!"


@pytest.mark.parametrize("elements", [("d_a", "d_b"), ("d_b", "d_a")])
def test_decisions_that_need_themselves_are_refused(elements):
    first, second = elements
    source = dmn(decision(first, first, "1", second), decision(second, second, "1", first))
    with pytest.raises(PackRefused) as caught:
        tables.load("x.dmn", source)
    assert [fault.element for fault in caught.value.facts["faults"]] == list(elements)
    assert all("requires itself" in fault.why for fault in caught.value.facts["faults"])


def test_what_is_required_must_be_there():
    with pytest.raises(PackRefused) as caught:
        tables.load("x.dmn", dmn(decision("d", "D", "1", "d_gone")))
    assert "'d_gone'" in caught.value.facts["faults"][0].why


def test_functions_are_called_in_feel_and_boxed():
    rate = (
        '<businessKnowledgeModel id="k_fee" name="Fee Of"><variable name="Fee Of"/><encapsulatedLogic>'
        '<formalParameter name="floor area" typeRef="number"/>'
        f"{table('floor area', ('small', '< 100', '50'), ('large', '>= 100', 'floor area'), output='fee')}"
        "</encapsulatedLogic></businessKnowledgeModel>"
    )
    boxed = (
        f"<invocation><literalExpression>{text('Fee Of')}</literalExpression><binding><parameter name='floor area'/>"
        f"<literalExpression>{text('area')}</literalExpression></binding></invocation>"
    )
    source = dmn(rate, decision("d_1", "One", "Fee Of(area) + 1", "k_fee"), decision("d_2", "Two", boxed, "k_fee"))
    assert decide(source, "d_1", area=120).result == 121
    decided = decide(source, "d_2", area=9)
    assert decided == (50, (("small", "", "k_fee"),))


def test_boxed_expressions_are_evaluated():
    def literal(words):
        return f"<literalExpression>{text(words)}</literalExpression>"

    def entry(name, body):
        return f"<contextEntry>{f'<variable name={name!r}/>' if name else ''}{body}</contextEntry>"

    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in [('"甲"', "1"), ('"乙"', "2")])
    relation = f'<relation><column name="who"/><column name="how many"/>{rows}</relation>'
    loop = f'<for iteratorVariable="n"><in>{literal("[1..3]")}</in><return>{literal("n * 2")}</return></for>'
    some = f'<some iteratorVariable="n"><in>{literal("numbers")}</in><satisfies>{literal("n > 5")}</satisfies></some>'
    every = (
        f'<every iteratorVariable="n"><in>{literal("numbers")}</in><satisfies>{literal("n > 5")}</satisfies></every>'
    )
    kept = f"<filter><in>{literal('people')}</in><match>{literal('how many > 1')}</match></filter>"
    choice = (
        f"<conditional><if>{literal('one')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>"
    )
    double = f'<functionDefinition><formalParameter name="n"/>{literal("n * 2")}</functionDefinition>'
    entries = [("people", relation), ("numbers", loop), ("one", some), ("all of them", every), ("kept", kept)]
    entries += [("choice", choice), ("double", double), ("pair", f"<list>{literal('1')}{literal('double(4)')}</list>")]
    whole = "".join(entry(*each) for each in entries) + entry(
        "",
        literal(
            "{total: sum(people.how many), kept: kept.who, pair: pair, one: one, all: all of them, choice: choice}"
        ),
    )
    assert decide(dmn(decision("d", "D", f"<context>{whole}</context>")), "d").result == {
        "total": 3,
        "kept": ["乙"],
        "pair": [1, 8],
        "one": True,
        "all": False,
        "choice": 1,
    }


def test_a_decision_service_is_asked_and_called():
    service = (
        '<decisionService id="s_all" name="All"><variable name="All"/><outputDecision href="#d_sum"/>'
        '<inputDecision href="#d_base"/><inputData href="#i_n"/></decisionService>'
    )
    source = dmn(
        given("i_n", "n", "number"),
        decision("d_base", "base", "n * 100", "i_n"),
        decision("d_sum", "sum of it", "base + n", "d_base", "i_n"),
        decision("d_call", "call", "All(2, 5)", "s_all"),
        service,
    )
    assert decide(source, "d_sum", n=1).result == 101
    assert decide(source, "s_all", n=1, base=10).result == 11
    assert decide(source, "call").result == 7


@pytest.mark.parametrize(
    ("type_", "value", "expression", "result"),
    [
        ("date", "2026-03-01", 'string(x + duration("P1M"))', "2026-04-01"),
        ("dateTime", "2026-03-01T08:00:00+08:00", "x.hour", 8),
        ("time", "08:30:00", "x.minute", 30),
        ("days and time duration", "P2DT3H", "x.days", 2),
        ("years and months duration", "P1Y2M", "x.months", 2),
        ("number", 3, "x + 1", 4),
        ("integer", 3, "x + 1", 4),
        ("number", [3], "x + 1", 4),
        ("tList", 3, "count(x)", 1),
        ("number", None, "x = null", True),
    ],
)
def test_data_take_the_type_they_are_declared_with(type_, value, expression, result):
    listed = '<itemDefinition name="tList" isCollection="true"><typeRef>number</typeRef></itemDefinition>'
    source = dmn(listed, given("i_x", "x", type_), decision("d", "D", expression, "i_x"))
    assert decide(source, "d", x=value).result == result


KINDS = '"甲", "乙"'


@pytest.mark.parametrize("value", ["丙", 7, {"kind": "甲"}])
def test_data_outside_their_type_are_refused(value):
    allowed = f"<allowedValues>{text(KINDS)}</allowedValues>"
    kind = f'<itemDefinition name="tKind"><typeRef>string</typeRef>{allowed}</itemDefinition>'
    source = dmn(kind, given("i_kind", "kind", "tKind"), decision("d", "D", "kind", "i_kind"))
    assert decide(source, "d", kind="甲").result == "甲"
    with pytest.raises(DecisionRefused, match="outside its allowed values or type"):
        decide(source, "d", kind=value)


def test_parts_of_a_structure_may_have_names_of_several_words():
    loan = (
        '<itemDefinition name="tShop"><itemComponent name="floor area"><typeRef>number</typeRef></itemComponent>'
        '<itemComponent name="opened-on"><typeRef>date</typeRef></itemComponent></itemDefinition>'
    )
    source = dmn(
        loan, given("i_shop", "Shop", "tShop"), decision("d", "D", "Shop.floor area + Shop.opened-on.year", "i_shop")
    )
    assert decide(source, "d", Shop={"floor area": 1, "opened-on": "2026-01-01"}).result == 2027


def test_a_result_that_is_not_of_its_type_is_null_as_the_standard_says():
    assert decide(dmn(decision("d", "D", '"text"', type_="number")), "d").result is None


def test_a_column_of_dates_takes_iso_text():
    columns = table("day", ("a", '< date("2026-01-01")', "1"), ("b", '>= date("2026-01-01")', "2"))
    source = dmn(decision("d", "D", columns.replace("<inputExpression>", '<inputExpression typeRef="date">')))
    assert decide(source, "d", day="2026-02-01").result == 2


def test_one_decision_is_picked_by_id_or_name_or_as_the_only_one_nobody_needs():
    source = dmn(*GRAPH)
    assert tables.pick("x", source).id == "d_visit"
    assert tables.pick("x", source, "Fire Risk").id == "d_risk"
    with pytest.raises(NotFound, match="d_risk Fire Risk"):
        tables.pick("x", source, "nothing")
    with pytest.raises(NotFound):
        tables.pick("x", dmn(decision("d_1", "A", "1"), decision("d_2", "B", "1")))


def test_a_fault_elsewhere_does_not_stop_a_picked_decision():
    source = dmn(decision("d_1", "A", "1 +"), decision("d_2", "B", "2"), decision("d_3", "C", "A", "d_1"))
    assert decide(source, "d_2").result == 2
    for name in ("d_1", "d_3"):
        with pytest.raises(PackRefused):
            tables.pick("x", source, name)
    with pytest.raises(PackRefused):
        tables.load("x", source)


@pytest.mark.parametrize(
    ("element", "why"),
    [
        ('<import namespace="y" importType="z"/>', "nothing is imported"),
        (decision("d", "D", "<functionDefinition kind='Java'><literalExpression/></functionDefinition>"), "Java"),
        (decision("d", "D", "today()"), "clock"),
        (decision("d", "D", "<relation><column name='a'/><row/></relation>"), "as many cells"),
        (decision("same", "A", "1") + decision("same", "B", "1"), "two elements have this id"),
    ],
)
def test_what_is_not_decided_here_is_refused(element, why):
    with pytest.raises(PackRefused) as caught:
        tables.load("x.dmn", dmn(element))
    assert any(why in fault.why for fault in caught.value.facts["faults"])


def test_a_function_that_calls_itself_for_ever_is_stopped():
    body = f"<literalExpression>{text('f(n + 1)')}</literalExpression>"
    knowledge = (
        f'<businessKnowledgeModel id="k_f" name="f"><variable name="f"/><encapsulatedLogic><formalParameter name="n"/>'
        f"{body}</encapsulatedLogic></businessKnowledgeModel>"
    )
    with pytest.raises(tables.feel.ExpressionRefused, match="time or memory"):
        decide(dmn(knowledge, decision("d", "D", "f(1)", "k_f")), "d")


def test_one_text_that_is_too_much_is_told_alone():
    source = dmn(
        *(decision(f"d_{n}", f"D{n}", f"{n} + 1") for n in range(9)), decision("d_deep", "Deep", "-" * 9000 + "1")
    )
    with pytest.raises(PackRefused) as caught:
        tables.load("x.dmn", source)
    assert [fault.element for fault in caught.value.facts["faults"]] == ["d_deep"]
    assert "time or memory" in caught.value.facts["faults"][0].why
