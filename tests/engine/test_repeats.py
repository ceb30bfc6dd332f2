import itertools

import pytest

from approval import engine
from approval.domain.errors import PackRefused
from tests.engine.drawing import NOW, Walk, bpmn, call, define, el, els, extension, guard, path, process, timer

VOTES = ("agree", "reject", "agree")


def several(inside="", *, sequential=False, collection="=departments", item="department", more=""):
    marker = f'<zeebe:loopCharacteristics inputCollection="{collection}" inputElement="{item}"{more}/>'
    return el(
        "multiInstanceLoopCharacteristics", "loop", extension(marker) + inside, isSequential=str(sequential).lower()
    )


def loop(inside="", **attributes):
    words = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<standardLoopCharacteristics{words}>{inside}</standardLoopCharacteristics>"


def consultation(marker, *more):
    return define(els("s", "s"), el("userTask", "ask", marker), els("u", "z"), els("e", "e"), path("s ask z e"), *more)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_department_is_heard_in_every_order_of_answers(order):
    walk = Walk(consultation(several()), departments=["甲", "乙", "丙"])
    items = {task.data["department"]: task.id for task in walk.now.tasks}
    assert list(items) == ["甲", "乙", "丙"]
    for number in order:
        assert "z" not in walk.open
        walk.take(
            engine.complete(
                walk.definition, walk.now.state, list(items.values())[number], {"vote": VOTES[number]}, now=NOW
            )
        )
    assert walk.open == ["z"]
    assert [each["vote"] for each in walk.now.data["ask"]] == list(VOTES)


def test_three_of_five_in_favour_are_enough():
    enough = '<completionCondition>=count(ask[item.vote = "agree"]) &gt;= 3</completionCondition>'
    walk = Walk(consultation(several(enough)), departments=[1, 2, 3, 4, 5])
    for vote in ("agree", "reject", "agree"):
        assert "z" not in walk.do("ask", vote=vote).open
    assert walk.do("ask", vote="agree").open == ["z"]
    assert [each and each["vote"] for each in walk.now.data["ask"]] == ["agree", "reject", "agree", "agree", None]
    assert walk.do("z").now.finished


@pytest.mark.parametrize(
    "condition",
    [
        "=nrOfCompletedInstances / nrOfInstances &gt;= 0.5 and nrOfActiveInstances = 2",
        "=numberOfCompletedInstances = 2 and numberOfInstances = 4",
    ],
)
def test_the_counts_of_every_dialect_are_known_to_the_condition(condition):
    enough = f"<completionCondition>{condition}</completionCondition>"
    walk = Walk(consultation(several(enough)), departments=[1, 2, 3, 4])
    assert walk.do("ask").open == ["ask"] * 3
    assert walk.do("ask").open == ["z"]


def test_one_after_the_other_and_each_knows_its_item():
    walk = Walk(consultation(several(sequential=True)), departments=["甲", "乙"])
    (task,) = walk.now.tasks
    assert (task.data["department"], task.data["loopCounter"]) == ("甲", 1)
    (task,) = walk.do("ask", vote="agree").now.tasks
    assert (task.data["department"], task.data["loopCounter"]) == ("乙", 2)
    assert walk.do("ask", vote="reject").open == ["z"]
    assert walk.now.data["ask"] == [{"vote": "agree"}, {"vote": "reject"}]


def test_what_each_adds_is_collected():
    more = ' outputCollection="votes" outputElement="=ask.vote"'
    walk = Walk(consultation(several(more=more)), departments=[1, 2])
    walk.do("ask", vote="agree").do("ask", vote="reject")
    assert walk.now.data["votes"] == ["agree", "reject"]


def test_nobody_to_ask_is_nobody_asked():
    walk = Walk(consultation(several()), departments=[])
    assert (walk.open, walk.now.data["ask"]) == (["z"], [])


@pytest.mark.parametrize("departments", ["甲", None, 3])
def test_a_collection_that_is_no_list_stops_the_case(departments):
    with pytest.raises(engine.NoWayOn, match="not a list"):
        Walk(consultation(several()), departments=departments)


def test_the_limit_of_all_takes_them_all_away():
    definition = consultation(several(), guard("t", "ask", timer("P1D")), els("u", "late"), path("t late e"))
    walk = Walk(definition, departments=[1, 2, 3]).do("ask")
    assert [(each.element, each.task) for each in walk.now.timers] == [("t", None)]
    assert walk.fire("t").open == ["late"]
    assert walk.do("late").now.finished


def test_a_sub_process_for_each_keeps_what_was_found_in_it():
    inner = els("s", "s2") + els("u", "a b") + els("e", "e2") + path("s2 a b e2") + several()
    definition = define(els("s", "s"), el("subProcess", "sp", inner), els("u", "z"), els("e", "e"), path("s sp z e"))
    walk = Walk(definition, departments=["甲", "乙"])
    assert walk.open == ["a", "a"]
    walk.do("a", n=1).do("b", n=1)
    assert walk.open == ["a"]
    assert walk.now.tasks[0].data["department"] == "乙"
    walk.do("a", n=2).do("b", n=2)
    assert walk.now.data["sp"] == [{"a": {"n": 1}, "b": {"n": 1}}, {"a": {"n": 2}, "b": {"n": 2}}]


def test_a_process_is_called_for_each():
    asked = process("opinion", els("s", "s"), els("u", "look"), els("e", "e"), path("s look e"))
    caller = call("c", "opinion").replace("</callActivity>", several() + "</callActivity>")
    outer = process("p", els("s", "s"), caller, els("u", "z"), els("e", "e"), path("s c z e"))
    walk = Walk(define(outer, asked), departments=["甲", "乙"])
    walk.do("look", vote="agree").do("look", vote="reject")
    assert [each["look"]["vote"] for each in walk.now.data["c"]] == ["agree", "reject"]


def test_a_task_is_done_again_while_its_condition_holds():
    again = loop("<loopCondition>=ask.again = true</loopCondition>")
    walk = Walk(consultation(again))
    assert walk.do("ask", again=True).open == ["ask"]
    assert walk.do("ask", again=False).open == ["z"]


def test_a_condition_may_be_asked_first():
    walk = Walk(consultation(loop("<loopCondition>=wanted</loopCondition>", testBefore="true")), wanted=False)
    assert walk.open == ["z"]


def test_a_loop_ends_at_its_maximum():
    walk = Walk(consultation(loop(loopMaximum="2")))
    assert walk.do("ask").open == ["ask"]
    assert walk.do("ask").open == ["z"]


@pytest.mark.parametrize("marker", [loop(), loop(loopMaximum="-1"), several(collection=" ")])
def test_a_marker_that_says_nothing_is_refused(marker):
    with pytest.raises(PackRefused):
        consultation(marker)


def test_a_loop_of_2000_rounds_leaves_nothing_behind(patient):
    again = loop("<loopCondition>=n &lt; 2000</loopCondition>")
    counted = el("scriptTask", "count", "<script>n = n + 1</script>" + again, scriptFormat="python")
    walk = Walk(define(els("s", "s"), counted, els("u", "z"), els("e", "e"), path("s count z e")), n=0)
    assert (walk.open, walk.now.data["n"]) == (["z"], 2000)
    assert len(walk.now.state) < 300


def test_a_case_of_6000_steps_is_still_open():
    definition = define(
        els("s", "s"), els("x", "m"), els("u", "a"), el("exclusiveGateway", "g", default="g__e"), els("e", "e"),
        path("s m a g e"), path("g {a.again = true} m"),
    )  # fmt: skip
    walk, sizes = Walk(definition), set()
    for _ in range(2000):
        sizes.add(len(walk.do("a", again=True).now.state) // 20)
    assert walk.open == ["a"]
    assert len(sizes) <= 2
    assert walk.do("a", again=False).now.finished


def test_200_branches_run_side_by_side():
    names = [f"t{number}" for number in range(200)]
    definition = engine.load(
        {
            "p.bpmn": bpmn(
                els("s", "s"), els("p", "f j"), els("u", " ".join(names)), els("e", "e"), path("s f"), path("j e"),
                *(path(f"f {name} j") for name in names),
            )
        }
    )  # fmt: skip
    walk = Walk(definition)
    assert len(walk.open) == 200
    for name in names:
        walk.do(name, n=name)
    assert walk.now.finished
    assert {walk.now.data[name]["n"] for name in names} == set(names)


def test_a_task_that_takes_two_tokens_is_nobodys_turn_before_the_second():
    definition = define(
        els("s", "s"), els("p", "f"), els("u", "a b"), el("userTask", "t", startQuantity="2"), els("e", "e"),
        path("s f a t e"), path("f b t"),
    )  # fmt: skip
    walk = Walk(definition)
    assert walk.do("a").open == ["b"]
    assert walk.do("b").open == ["t"]
    assert walk.do("t").now.finished


def test_instances_within_instances_do_not_multiply_without_end():
    each = several(collection="=many").replace('id="loop"', 'id="inner"')
    inner = els("s", "s2") + el("userTask", "a", each) + els("e", "e2") + path("s2 a e2")
    definition = define(
        els("s", "s"), el("subProcess", "sp", inner + several(collection="=many")), els("e", "e"), path("s sp e")
    )
    with pytest.raises(engine.NoWayOn, match="at once"):
        Walk(definition, many=list(range(2000)))


def test_scripts_that_go_round_for_ever_are_stopped_long_before_steps_are(patient):
    definition = define(
        els("s", "s"), els("x", "m"), el("scriptTask", "n", "<script>n = n + 1</script>", scriptFormat="python"),
        el("exclusiveGateway", "g", default="g__e"), els("e", "e"), path("s m n g e"), path("g {n > 0} m"),
    )  # fmt: skip
    with pytest.raises(engine.NoWayOn, match="for ever"):
        Walk(definition, n=1)
