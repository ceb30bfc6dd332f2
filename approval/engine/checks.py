"""Strangers' files are read in a child that may be killed (隔离校验): a hang or a flood dies with it."""

import resource
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import orjson

from approval.domain.errors import Fault, PackRefused
from approval.engine.definitions import LIMITS, Limits, judge
from approval.expressions.markup import Limits as XmlLimits

SECONDS: Final = 10.0
MEGABYTES: Final = 512


def check(
    sources: Mapping[str, bytes],
    *,
    process: str | None = None,
    errands: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
    limits: Limits = LIMITS,
) -> list[Fault]:
    """Judge uploaded files (校验上传的流程) in a child process with limits, and return the warnings.

    They are judged as `load` does, decisions alone too. `errands` is the table that gives foreign topics and classes
    the names of our errands, `seconds` the wall time it may take, `megabytes` its address space, `limits` how much
    the files may hold. Raises PackRefused with all faults, warnings among them, or with one that says that time or
    memory ran out or how reading failed.
    """
    files = {name: source.hex() for name, source in sources.items()}
    asked: dict[str, Any] = {"sources": files, "process": process, "errands": dict(errands or {})}
    asked["limits"] = [*limits.xml, limits.nodes]
    try:
        child = subprocess.run(  # noqa: S603 -- our own interpreter and our own module
            [sys.executable, "-m", __name__, str(megabytes)],
            input=orjson.dumps(asked),
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as problem:
        why = _last_words(problem) or f"judging these files took more than {seconds:g} s or {megabytes} MB"
        raise PackRefused(faults=[Fault(", ".join(sorted(sources)), "", 0, why)]) from None
    faults = [Fault(*fault) for fault in orjson.loads(child.stdout)]
    if any(fault.level == "error" for fault in faults):
        raise PackRefused(faults=faults)
    return faults


def _last_words(problem: subprocess.SubprocessError) -> str:
    """Say what the child died of, or nothing when a limit took it: its time, its memory or a kill."""
    if not isinstance(problem, subprocess.CalledProcessError) or problem.returncode < 0:
        return ""
    last = problem.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return "" if last.startswith("MemoryError") else f"these files could not be read: {last[:200]}"


def _judge(megabytes: int) -> None:
    limit = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = orjson.loads(sys.stdin.buffer.read())
    sources = {name: bytes.fromhex(source) for name, source in asked["sources"].items()}
    *xml, nodes = asked["limits"]
    limits = Limits(XmlLimits(*xml), nodes)
    faults = judge(sources, asked["process"], errands=asked["errands"], limits=limits)
    sys.stdout.buffer.write(orjson.dumps([tuple(fault) for fault in faults]))


if __name__ == "__main__":
    _judge(int(sys.argv[1]))
