"""Strangers' files are read in a child that may be killed (隔离校验): a hang or a flood dies with it."""

import multiprocessing
import resource
from collections.abc import Mapping
from multiprocessing.connection import Connection

from approval.domain.errors import Fault, PackRefused
from approval.engine.definitions import load


def check(
    sources: Mapping[str, bytes], *, process: str | None = None, seconds: float = 20, megabytes: int = 1024
) -> None:
    """Judge uploaded files (校验上传的流程) as `load` does, in a child process with limits.

    `seconds` is the wall time it may take, `megabytes` its address space. Raises PackRefused with all faults,
    or with one that says that the limits were reached.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_judge, args=(dict(sources), process, megabytes, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        faults = ours.recv() if ours.poll(seconds) else None
    except EOFError:
        faults = None
    finally:
        child.kill()
        child.join()
        ours.close()
    if faults is None:
        why = f"judging these files took more than {seconds:g} s or {megabytes} MB"
        raise PackRefused(faults=[Fault(", ".join(sorted(sources)), "", 0, why)])
    if faults:
        raise PackRefused(faults=[Fault(*fault) for fault in faults])


def _judge(sources: dict[str, bytes], process: str | None, megabytes: int, answer: Connection) -> None:
    limit = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        load(sources, process)
    except PackRefused as refusal:
        answer.send([tuple(fault) for fault in refusal.facts["faults"]])
    else:
        answer.send([])
