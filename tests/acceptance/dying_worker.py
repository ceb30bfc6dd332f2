"""A worker, on a machine of any name, that loses its power between drawing a licence and storing it."""

import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

from approval import worker
from approval.services import errands

marks = Path(sys.argv[1])
deaths = int(sys.argv[2])
machine = sys.argv[3]
whole = errands.CARRIED["draw_rendition"]


def make(office, sheet):
    pdf = whole.make(office, sheet)
    with marks.open("a") as file:
        file.write("drawn\n")
        file.flush()
        os.fsync(file.fileno())
    if len(marks.read_text().splitlines()) <= deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return pdf


socket.gethostname = lambda: machine
errands.CARRIED["draw_rendition"] = replace(whole, make=make)
worker.main()
