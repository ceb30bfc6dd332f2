import time

import pytest

from approval.expressions import formulas
from approval.expressions.feel import ExpressionRefused
from approval.expressions.formulas import Formula

SEEN = {
    "a": 1, "b": False, "x": 5, "y": "z", "integerVariable": 2, "items": [1, 2, 3], "blank": "", "none": [], "n": None,
    "form": {"area": 120, "applicant": {"name": "张三"}}, "test": "abc", "i": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("= x > 3", True),
        ("a == 1 && !b", True),
        ('x > 3 and y == "z"', True),
        ("a eq 1 or b", True),
        ("integerVariable<3", True),
        ("true", True),
        ("True", True),
        ("not b", True),
        ("not a == 2", True),
        ("n is None", True),
        ("x is not None", True),
        ("nobody == null", True),
        ("nobody != null && nobody.name == 'x'", False),
        ("1 < x < 9", True),
        ('y in ("z", "w")', True),
        ("y not in ['z']", False),
        ("items[0] == 1", True),
        ("items[-1] == 3", True),
        ("items[i] == 2", True),
        ('form["area"] >= 100', True),
        ("form.applicant.name == '张三'", True),
        ("x if b else y", "z"),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("2 ** 3", 8),
        ("return x == 5;", True),
        ("count(items) > 2", True),
        ('contains(test, "a")', True),
        ("some v in items satisfies v > 2", True),
        ("${x > 3 ? 'big' : 'small'}", "big"),
        ("#{y eq 'z'}", True),
        ("${!b and not b}", True),
        ("${-7 % 3}", -1),
        ("${x div 2}", 2.5),
        ("${empty n && empty blank && empty none && not empty items}", True),
        ("${form['area'] == 120}", True),
        ("${y == '}'}", False),
        ("Hello ${form.applicant.name}, ${x}${n}!", "Hello 张三, 5!"),
    ],
)
def test_every_dialect_becomes_feel(written, value):
    formula = formulas.read(written)
    assert formula.language == "feel"
    assert formulas.evaluate(formula, SEEN) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("len(items) > 2", True),
        ("any(v > 2 for v in items)", True),
        ('"a" in test', True),
        ('test.startswith("ab")', True),
        ('form.get("area") == 120', True),
        ("form['applicant']['name'].strip()\n  == '张三'", True),
    ],
)
def test_what_is_no_plain_comparison_is_python(written, value):
    formula = formulas.read(written)
    assert formula.language == "python"
    assert formulas.holds(formula, SEEN) is value


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("https://www.omg.org/spec/DMN/20230324/FEEL/", "if x > 3 then true else false"),
        ("http://www.omg.org/spec/FEEL/20140401", "x between 1 and 9"),
        ("feel", "x > 3"),
        ("juel", "x gt 3"),
        ("http://www.w3.org/1999/XPath", "${x gt 3}"),
        ("http://www.java.com/java", "return x > 3;"),
        ("http://www.python.org/", "x > 3 and len(items) == 3"),
    ],
)
def test_declared_languages_are_believed(language, text):
    assert formulas.holds(formulas.read(text, language), SEEN)


@pytest.mark.parametrize(
    ("written", "language", "why"),
    [
        ('test.contains("a")', None, r"contains\(test,"),
        ('${test.contains("a")}', None, r"contains\(test,"),
        ("${order.isEmpty()}", None, "empty order"),
        ("${bean.decide(x)}", None, "methods cannot be called"),
        ("${fn:length(x)}", None, "not expected there"),
        ("${''.getClass().forName('java.lang.Runtime')}", None, "methods cannot be called"),
        ("x > 3", "javascript", "javascript is not evaluated here"),
        ("x > 3", "groovy", "groovy is not evaluated here"),
        ("x === 3", None, "not expected"),
        ("$x > 3", None, "not understood"),
        ("x ==", None, "not expected"),
        ("", None, "not expected"),
        ("${x", None, "not closed"),
        ("1 < x < 3", "juel", "one comparison after another"),
        ("().__class__.__base__", None, "two underscores"),
        ("exec('1')", None, "exec cannot be used"),
        ("= today() > x", None, "clock"),
        ("(" * 80 + "x" + ")" * 80, None, "too deeply"),
        ("!" * 200 + "x", None, "too deeply"),
        ("${" + "%".join("x" * 30) + "}", None, "too long once translated"),
        ("${" + "empty " * 30 + "x}", None, "too (long|deep)"),
        ("x" * 10_001, None, "longer than"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(written, language, why):
    started = time.monotonic()
    with pytest.raises(ExpressionRefused, match=why):
        formulas.read(written, language)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("formula", [Formula("missing > 3"), Formula("items"), Formula("len(items)", "python")])
def test_a_condition_says_yes_or_no_or_is_refused(formula):
    with pytest.raises(ExpressionRefused, match="true or false"):
        formulas.holds(formula, SEEN)


def test_a_conditional_event_waits_for_names_that_are_not_there_yet():
    for written in ("missing > 3", "len(missing) > 3"):
        formula = formulas.read(written)
        assert not formulas.happens(formula, {})
        assert formulas.happens(formula, {"missing": 9 if formula.language == "feel" else [0] * 9})
    with pytest.raises(ExpressionRefused, match="time or memory"):
        formulas.happens(Formula("9**9**9 > x", "python"), {"x": 1})


def test_script_tasks_speak_python_or_feel():
    python = formulas.read_script("total = fee * 2")
    assert formulas.run(python, {"fee": 4}) == {"total": 8}
    feel = formulas.read_script("={total: fee * 2}")
    assert formulas.run(feel, {"fee": 4}) == {"total": 8}
    with pytest.raises(ExpressionRefused, match="must be a context"):
        formulas.run(formulas.read_script("=fee"), {"fee": 4})
    for language in ("javascript", "groovy", "juel"):
        with pytest.raises(ExpressionRefused, match="write Python or FEEL"):
            formulas.read_script("x", language)
