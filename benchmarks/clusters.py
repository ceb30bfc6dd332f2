"""A PostgreSQL cluster of a benchmark's own, with fsync on, gone when it ends; server processes refuse to be root."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cluster() -> Iterator[str | None]:
    """Yield the URL of an empty database on a fresh cluster; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        yield None
        return
    tools, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="approval-cluster-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    start = f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=100"
    _run(tools / "initdb", "-D", folder / "data", "-U", "approval", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    _run(tools / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", start, "start")
    try:
        yield f"postgresql://approval@127.0.0.1:{port}/postgres"
    finally:
        _run(tools / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(*words: object) -> None:
    as_owner = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    command = [*as_owner, *map(str, words)]
    # Output goes nowhere: the server would inherit a pipe and keep it open for ever.
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
