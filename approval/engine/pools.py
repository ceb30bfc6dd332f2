"""Which of several processes cases start in (选择流程): several pools, or none marked executable, are a choice."""

from collections.abc import Mapping, Sequence

from approval.domain.errors import Fault
from approval.engine.diagrams import Scope


def choose(
    scopes: Mapping[str, Scope], partners: Sequence[str] = (), process: str | None = None
) -> tuple[str | None, list[Fault]]:
    """Return the process that cases start in (选择流程), and what is to be said about it.

    A given `process` is that one. Otherwise the only executable one that no other calls; failing that, one that
    is executable, then one with a plain start, then the first pool or process as drawn, with a warning that
    names the choice. `partners` are the processes of the pools in the order they are drawn.
    """
    called = {node.calls for scope in scopes.values() for node in scope.nodes.values() if node.kind == "callActivity"}
    pools = [scope for scope in scopes.values() if scope.process == scope.id and scope.nodes]
    if process is not None:
        if any(scope.id == process for scope in pools):
            return process, []
        named = ", ".join(scope.id for scope in pools) or "none"
        return None, [Fault("", process, 0, f"there is no process of this id with anything in it; there is: {named}")]
    outermost = [scope for scope in pools if scope.id not in called] or pools
    if not outermost:
        return None, [Fault("", "", 0, "there is no process with anything in it; draw one")]
    order = {name: place for place, name in reversed(list(enumerate(partners)))}
    chosen = min(
        outermost,
        key=lambda scope: (not scope.executable, not scope.entries(), order.get(scope.id, len(order))),
    )
    said = []
    executable = [scope.id for scope in outermost if scope.executable]
    if executable != [chosen.id]:
        others = ", ".join(scope.id for scope in outermost if scope is not chosen)
        why = f"cases start in {chosen.id!r}"
        why += f", chosen among several; name another to start in: {others}" if others else ""
        why += "" if chosen.executable else "; it is not marked executable (isExecutable)"
        said.append(Fault(chosen.file, chosen.id, chosen.line, why, chosen.name, "warning"))
    return chosen.id, said
