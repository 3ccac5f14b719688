"""End what a deployment of Dagster would leave behind: `python -m floe_ops.targets.local.sweeper MARK`.

A code server starts each run as a process of its own, which goes on when the server is killed. This one waits, under
the same supervisord, until it is told to end or supervisord is gone, and then ends every process with the mark.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import psutil

from floe_ops import orphans

MARK = "FLOE_DEPLOYMENT"
"""The variable that marks a code server and all that it starts; its value names the deployment."""

GRACE_S = 3.0
"""Seconds for a run to write down that it was interrupted."""


def marked(mark: str, *, spared: int = 0) -> list[psutil.Process]:
    """The processes with the mark that may be looked at, but for this one and the children of `spared`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.pid != os.getpid() and process.ppid() != spared:
                found.append(process)
    return found


def sweep(mark: str, *, spared: int = 0) -> None:
    """Ask every marked process to end, and kill what is still there after `GRACE_S`; says nothing of what is gone."""
    left = marked(mark, spared=spared)
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(left, timeout=GRACE_S)
    for process in marked(mark, spared=spared):  # looked for again: one may have started another meanwhile
        with suppress(psutil.Error):
            process.kill()


def main(mark: str) -> None:
    """Wait for the end, then sweep; the code servers themselves are supervisord's to end while it lives."""
    supervisor = os.getppid()
    orphans.exit_on_sigterm()
    orphans.end_with(supervisor)
    try:
        threading.Event().wait()
    finally:
        sweep(mark, spared=supervisor)


if __name__ == "__main__":
    main(sys.argv[1])
