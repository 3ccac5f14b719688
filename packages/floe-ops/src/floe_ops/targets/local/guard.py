"""Become a service, tied to the life of supervisord: `python -I -S guard.py SPEC.json`.

The spec is a file that only the owner can read: `{"argv": [...], "env": {...}, "cwd": "…", "starts": "…"}`. Secrets
reach the service by its environment and nothing else of the caller's environment does. On Linux the kernel
kills the service when supervisord dies, even by kill -9; elsewhere the next start finds and ends what is left
(see `remains`). Standard library only: this runs before each start of each service.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1


def bind_to_parent() -> None:
    """Have the kernel kill this process, and what it becomes, when its parent dies; Linux only."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died in between, so no signal will come
        sys.exit(1)


def main(spec_file: str) -> None:
    """Replace this process by the service that `spec_file` describes."""
    spec = json.loads(Path(spec_file).read_text(encoding="utf-8"))
    bind_to_parent()
    os.umask(0o077)
    with Path(spec["starts"]).open("a", encoding="utf-8") as starts:
        starts.write(f"{os.getpid()} {time.time():.3f}\n")
    os.chdir(spec["cwd"])
    os.execve(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606  # nosec B606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1])
