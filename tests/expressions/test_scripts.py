import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from approval.domain.errors import Unavailable
from approval.expressions import scripts
from approval.expressions.feel import ValueRefused
from approval.expressions.scripts import ScriptRefused

ESCAPES = {
    "classes": "x = ().__class__.__base__.__subclasses__()",
    "import": "x = __import__('os').system('touch {file}')",
    "importing os": "import os\nx = os.system('touch {file}')",
    "importing sys": "from sys import modules as x",
    "importing importlib": "import importlib",
    "open": "x = open('{file}', 'w').write('x')",
    "pathlib": "from pathlib import Path\nx = Path('{file}').write_text('x')",
    "getattr": "x = getattr((), '__cl' + 'ass__').__name__",
    "format": "x = '{{0.__class__.__init__.__globals__}}'.format(len)",
    "f-string": "x = f'{{().__class__}}'",
    "globals": "x = globals()",
    "builtins": "x = __builtins__['eval']('1')",
    "eval": "x = eval('1')",
    "exec": "exec('x = 1')",
    "a generator's frame": "x = (i for i in [1]).gi_frame.f_back.f_globals",
    "an exception's frame": "try:\n  1/0\nexcept Exception as e:\n  x = e.__traceback__.tb_frame",
    "a decorator": "@(lambda f: f.__globals__)\ndef x(): pass",
    "a walrus": "x = [y := ().__class__, y.__bases__]",
    "a class": "class A:\n  def __init__(self): pass\nx = A.__init__.__globals__",
    "code": "def f(): pass\nx = f.__code__.co_code",
    "a lambda's code": "x = (lambda: 0).func_globals",
    "json": "import json\nx = json.codecs.open('{file}', 'w')",
    "re": "import re\nx = re.enum.sys.modules",
    "a match": "match ():\n  case object(__class__=c):\n    x = c",
}

BOMBS = {
    "power": "x = 9**9**9",
    "nested comprehensions": "x = [[[i for i in range(9999)] for j in range(9999)] for k in range(9999)]",
    "an endless loop": "while True: pass",
    "an endless loop that holds on": "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
    "memory": "x = 'a'\nwhile True: x += x",
    "a long list": "x = list(range(10**9))",
    "recursion": "def f(n): return f(n + 1)\nx = f(1)",
    "a factorial": "import math\nx = math.factorial(10**7)",
    "padding": "x = f'{1:>1000000000}'",
    "a product": "import itertools\nx = list(itertools.product(range(1000), repeat=5))",
    "printing": "while True: print('x' * 1000)",
    "joining": "x = 'a'.join(['b' * 1000] * 10**6)",
}

DEEP = {
    "unary": "x = " + "-" * 15_000 + "1",
    "attributes": "x = a" + ".b" * 9000,
    "nots": "x = " + "not " * 4500 + "1",
    "lambdas": "x = " + "lambda:" * 2500 + "1",
    "sums": "x = 1" + "+1" * 9000,
    "choices": "x = " + "1 if a else " * 1500 + "1",
    "branches": "if a: pass\n" + "elif a: pass\n" * 1400,
    "brackets": "x = " + "(" * 90 + "1" + ")" * 90,
    "length": "x = '" + "a" * 20_001 + "'",
}


@pytest.mark.parametrize("name", sorted(ESCAPES))
def test_no_escape_leads_out(name, tmp_path):
    file = tmp_path / "escaped"
    text = ESCAPES[name].format(file=file)
    with pytest.raises((ScriptRefused, ValueRefused)):
        scripts.run(text, {})
    # And past our own words, in the sandbox itself.
    with suppress(ScriptRefused):
        scripts._INTERPRETER.feed(text, {})
    assert not file.exists()
    assert scripts.run("x = 1", {}) == {"x": 1}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_bomb_costs_less_than_a_second_and_harms_nobody(name):
    def cost():
        assert scripts.run("x = 1", {}) == {"x": 1}
        started = time.monotonic()
        with pytest.raises(ScriptRefused, match="more time or memory") as caught:
            scripts.run(BOMBS[name], {})
        assert "raised" not in caught.value.facts
        return time.monotonic() - started

    # Once more where the machine was busy with something else.
    assert any(cost() < 1 for _ in range(3))
    assert scripts.run("x = 1", {}) == {"x": 1}


@pytest.mark.parametrize("name", sorted(DEEP))
def test_a_text_that_would_hurt_the_parser_is_refused(name):
    started = time.monotonic()
    with pytest.raises(ScriptRefused, match=r"deep|longer|time or memory"):
        scripts.check(DEEP[name])
    assert time.monotonic() - started < 1


def test_a_script_returns_what_it_assigned_or_changed_and_nothing_else():
    text = (
        'import json\ntotal = fee * 2\nvotes.append("同意")\nform["seen"] = True\n_f = lambda: 1\nif False: never = 1'
    )
    seen = {"fee": Decimal("12.50"), "votes": ["不同意"], "form": {}, "other": 1}
    assert scripts.run(text, seen) == {"total": 25, "votes": ["不同意", "同意"], "form": {"seen": True}}
    assert seen["votes"] == ["不同意"]


def test_names_of_builtins_may_be_facts():
    assert scripts.run("locals = 3\nx = type + id", {"type": 1, "id": 2}) == {"locals": 3, "x": 3}


def test_decimals_dates_and_chinese_survive():
    text = "import datetime as d\nlater = day + d.timedelta(days=30)\ncost = price * 3\nwhen = moment\nword = 名 + '！'"
    seen = {
        "day": date(2026, 1, 31),
        "price": Decimal("0.10"),
        "moment": datetime(2026, 3, 1, tzinfo=UTC),
        "名": "办件",
    }
    assert scripts.run(text, seen) == {
        "later": "2026-03-02",
        "cost": 0.3,
        "when": "2026-03-01T00:00:00+00:00",
        "word": "办件！",
    }


@pytest.mark.parametrize(
    ("text", "raised", "line"),
    [
        ('x = 1\nraise ValueError("补正")', "ValueError", 2),
        ("x = 1 / 0", "ZeroDivisionError", 1),
        ("\n\nx = nobody", "NameError", 3),
        ("x = {}['a']", "KeyError", 1),
        ("assert 1 == 2", "AssertionError", 1),
    ],
)
def test_an_exception_of_the_authors_own_is_named(text, raised, line):
    with pytest.raises(ScriptRefused) as caught:
        scripts.run(text, {})
    assert (caught.value.facts["raised"], caught.value.facts["line"]) == (raised, line)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = {1, 2}", "a set"),
        ("x = lambda: 1", "underscore"),
        ("x = len", "builtin"),
        ("class A: pass\nx = A()", "A that cannot"),
        ("x = 2**64", "int"),
        ("x = float('nan')", "float"),
        ("x = {1: 2}", "dict"),
        ("x = b'1'", "bytes"),
        ("import datetime\nx = datetime.datetime(2026, 1, 1)", "zone"),
        ("x = []\nfor i in range(90): x = [x]", "nested"),
    ],
)
def test_what_cannot_be_kept_is_refused(text, why):
    with pytest.raises(ValueRefused, match=why):
        scripts.run(text, {})


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("x = 1\ny = (", 2, "not Python"),
        ("x = 1\nimport os", 2, "os cannot be imported; a script may import"),
        ("x = 1\nclass A(B): pass", 2, "class inheritance"),
        ("x = 1\n\nx.__class__", 3, "two underscores"),
        ("x = 1\ny = yield 3", 2, "yield"),
    ],
)
def test_what_cannot_run_is_refused_before_it_is_used(text, line, why):
    with pytest.raises(ScriptRefused, match=why) as caught:
        scripts.check(text)
    assert caught.value.facts["line"] == line


@pytest.mark.parametrize("text", ["", "# nothing", 'x = """a\nb"""\nif x:\n\ty = 1\n', "def f():\n  return 1\nx = f()"])
def test_what_can_run_passes_the_check(text):
    scripts.check(text)


@pytest.mark.parametrize(
    "text",
    [
        "import datetime\nx = datetime.datetime.now()",
        "import datetime\nx = datetime.date.today()",
    ],
)
def test_the_clock_cannot_be_read(text):
    with pytest.raises(ScriptRefused, match="give it as a fact"):
        scripts.run(text, {})


def test_a_value_that_python_does_not_know_is_refused():
    with pytest.raises(ValueRefused, match="object"):
        scripts.run("x = a", {"a": object()})


def test_threads_share_the_interpreters():
    seen = []

    def work(number):
        seen.extend(scripts.evaluate("n * 2", {"n": number}) == number * 2 for _ in range(20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 120
    assert all(seen)


def test_a_dead_interpreter_is_replaced():
    with scripts._INTERPRETER._session() as session:
        session.feed_run("1")
        os.kill(session.worker_pid, 9)
    assert scripts.evaluate("1 + 1", {}) == 2


def test_a_fork_is_told_that_it_cannot_run_scripts():
    assert scripts.evaluate("1 + 1", {}) == 2
    child = os.fork()
    if child == 0:
        try:
            scripts.evaluate("1 + 1", {})
        except Unavailable:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert scripts.evaluate("1 + 1", {}) == 2


def test_interpreters_do_not_outlive_whoever_is_killed():
    code = (
        "from approval.expressions import scripts\n"
        "with scripts._INTERPRETER._session() as s:\n"
        "    s.feed_run('1'); print(s.worker_pid, flush=True); s.feed_run('while True: pass')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        orphan = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(orphan, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the interpreter is still there")
