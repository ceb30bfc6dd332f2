"""Random walks: what is not written into a state must change nothing about the way on."""

import random

import pytest

from approval import engine
from approval.engine import states
from tests.engine.drawing import NOW, Walk, call, define, el, els, errand, guard, path, process, timer

MESSAGES = '<message id="M" name="paid"/><error id="E" errorCode="bad"/>'
INNER = "\n".join([
    els("s", "s2"), els("p", "f2"), els("u", "i1 i2"), els("e", "e2"),
    el("endEvent", "all2", "<terminateEventDefinition/>"), path("s2 f2 i1 all2"), path("f2 i2 e2"),
])  # fmt: skip


def everything():
    called = process(
        "q", els("s", "s"), els("u", "look"), el("exclusiveGateway", "gq", default="gq__e"), els("e", "e"),
        el("endEvent", "bad", '<errorEventDefinition errorRef="E"/>'), path("s look gq e"), path("gq {look.n = 0} bad"),
    )  # fmt: skip
    outer = process(
        "p", els("s", "s"), els("x", "again m1 m2 m3"), els("p", "f j"), els("i", "ij"), errand("a"),
        els("u", "b c h late o1 o2 z"),
        el("inclusiveGateway", "if", default="if__o2"), call("c1", "q"), call("c2", "q"), el("subProcess", "sp", INNER),
        guard("e1", "c1", '<errorEventDefinition errorRef="E"/>'), guard("e2x", "c2", "<errorEventDefinition/>"),
        guard("t1", "b", timer("P1D"), interrupting=False), guard("t2", "sp", timer("P2D")), els("b", "race"),
        el("intermediateCatchEvent", "paid", '<messageEventDefinition messageRef="M"/>'),
        el("intermediateCatchEvent", "soon", timer("PT1H")), el("exclusiveGateway", "g", default="g__e"),
        els("e", "e elate"),
        path("s again f a c1 m1 j if {a.n = 1} o1 ij race paid m3 z g e"), path("f b c2 m2 j"), path("f sp c j"),
        path("if o2 ij"), path("if {b.n > 1} h ij"), path("race soon m3"), path("e1 m1"), path("e2x m2"),
        path("t1 late elate"), path("t2 c"), path("g {z.n = 0} again"),
    )  # fmt: skip
    return define(outer, called, also=MESSAGES)


def wander(definition, seed):
    """Walk by the dice and tell what was seen, without ids."""
    dice = random.Random(seed)
    walk = Walk(definition)
    seen = []
    for _ in range(60):
        items = [*walk.now.tasks, *walk.now.errands]
        choices = sorted((item.element, number) for number, item in enumerate([*items, *walk.now.timers]))
        if "race" in {name for trail in walk.trail for name in trail} and dice.random() < 0.3:
            choices.append(("paid", -1))
        if walk.now.finished:
            break
        element, number = dice.choice(choices)
        if number < 0:
            if not any(timer.element == "soon" for timer in walk.now.timers):
                continue
            walk.tell("paid", n=1)
        elif number >= len(items):
            walk.fire(element)
        else:
            outcome = {"n": dice.randrange(3)}
            walk.take(engine.complete(definition, walk.now.state, items[number].id, outcome, now=NOW))
        timers = sorted((timer.element, timer.interrupting) for timer in walk.now.timers)
        seen.append((walk.now.trail, walk.open, timers, walk.now.data, walk.now.finished))
    return seen


def alive(monkeypatch):
    """Let no case ever be read back from its state: the run that wrote it goes on itself."""
    runs, dump = {}, states.dump

    def keep(definition, run):
        state = dump(definition, run)
        runs[state] = run
        return state

    def resume(_, state, now, *, facts=None):
        run = runs.pop(state)
        run.facts.update(facts or {})
        run.now, run.trail, run.thrown = now, [], []
        return run

    monkeypatch.setattr(states, "dump", keep)
    monkeypatch.setattr(states, "load", resume)


@pytest.mark.parametrize("seed", range(60))
def test_a_state_holds_all_that_matters(seed, monkeypatch):
    definition = everything()
    reloaded = wander(definition, seed)
    alive(monkeypatch)
    assert wander(definition, seed) == reloaded
    assert len(reloaded) > 5
