"""Two at once: real threads, started at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

_PATIENCE = 60


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all acts at once; what an act raises stands in the place of what it returns."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait(_PATIENCE)
        try:
            return act()
        except Exception as reason:  # noqa: BLE001 -- the loser's refusal is what a race is about
            return reason

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(_PATIENCE) for future in [pool.submit(run, act) for act in acts]]
