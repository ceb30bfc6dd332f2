"""Errands (自动事务): what a procedure asks the office to do, by name.

An *act* (法律行为) happens at once, in the Work of whoever moved the procedure on. A *carried* errand leaves
the transaction: a worker looks, makes the thing outside any transaction, and keeps it with the errand's end.
A *family* (自动事务族) is errands of one kind, told apart by what stands after the colon: `call:credit`,
`suspend:hearing`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from approval.models.cases import Case
from approval.models.tasks import Errand
from approval.office import Office, Work

Act = Callable[[Work, Case], dict[str, Any]]
ActOf = Callable[[Work, Case, str], dict[str, Any]]
Seen = Mapping[str, Any]
"""What a procedure sees where it asks for an act (流程变量): facts and outcomes, by name."""
SeeingAct = Callable[[Work, Case, Seen], dict[str, Any]]

PARTIES_HEARD: Final = "parties_heard"
"""What the office tells a procedure once every interested party has spoken, or may no more (利害关系人答复完毕)."""
MESSAGES: Final = frozenset({PARTIES_HEARD})
"""The messages that the office sends to procedures which wait for them (对内消息)."""


@dataclass(frozen=True)
class Carried:
    """An errand for a worker (后台自动事务), in three parts so that no slow part holds a transaction open.

    `look(work, case, errand)` gathers, `make(office, gathered)` does the slow part, `keep(work, case, made)` stores
    it and returns the outcome for the procedure. `make` may happen twice, `keep` happens once.
    """

    look: Callable[[Work, Case, Errand], Any]
    make: Callable[[Office, Any], Any]
    keep: Callable[[Work, Case, Any], dict[str, Any]]


ACTS: dict[str, Act] = {}
ACT_FAMILIES: dict[str, tuple[ActOf, Callable[[], Collection[str]]]] = {}
SEEING_ACTS: dict[str, SeeingAct] = {}
CARRIED: dict[str, Carried] = {}
FAMILIES: dict[str, Callable[[str], Carried]] = {}


def act(name: str) -> Callable[[Act], Act]:
    """Register a verb as the act that procedures call by this name (登记法律行为)."""

    def register(verb: Act) -> Act:
        ACTS[name] = verb
        return verb

    return register


def acts(family: str, members: Callable[[], Collection[str]]) -> Callable[[ActOf], ActOf]:
    """Register a verb as a family of acts (登记同族法律行为); `members` tells what may stand after the colon."""

    def register(verb: ActOf) -> ActOf:
        ACT_FAMILIES[family] = (verb, members)
        return verb

    return register


def seeing(name: str) -> Callable[[SeeingAct], SeeingAct]:
    """Register a verb as an act that goes by what its procedure sees (登记依据流程变量的法律行为)."""

    def register(verb: SeeingAct) -> SeeingAct:
        SEEING_ACTS[name] = verb
        return verb

    return register


def act_of(name: str) -> SeeingAct | None:
    """Find the act of a name (查找法律行为), on its own or of a family; None for any other name."""
    family, colon, member = name.partition(":")
    if colon and family in ACT_FAMILIES:
        verb, members = ACT_FAMILIES[family]
        return partial(_of_family, verb, member) if member in members() else None
    if name in SEEING_ACTS:
        return SEEING_ACTS[name]
    return partial(_unseeing, ACTS[name]) if name in ACTS else None


def carried(name: str) -> Carried | None:
    """Find the carried errand of a name (查找后台自动事务), on its own or of a family; None for any other name."""
    family, _colon, member = name.partition(":")
    if member and family in FAMILIES:
        return FAMILIES[family](member)
    return CARRIED.get(name)


def known(name: str) -> bool:
    """Tell whether a procedure may ask for an errand of this name (可用的自动事务)."""
    return act_of(name) is not None or carried(name) is not None


def _of_family(verb: ActOf, member: str, work: Work, case: Case, _seen: Seen) -> dict[str, Any]:
    return verb(work, case, member)


def _unseeing(verb: Act, work: Work, case: Case, _seen: Seen) -> dict[str, Any]:
    return verb(work, case)
