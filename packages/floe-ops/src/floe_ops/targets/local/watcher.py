"""End the platform when its last owner is gone: `python -m floe_ops.targets.local.watcher OWNERS LOCK`.

Runs under supervisord like a service. On Linux it learns of an owner's death from the kernel at once (pidfd),
elsewhere by looking every second.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from floe_ops.targets import lease

LOOK_EVERY_S = 1.0  # owners may come and go meanwhile
LOOK_SOON_S = 0.2


def watch(owners: Path, lock: Path, supervisor: int) -> None:
    """Return once `supervisor` was told to end because no owner is left; runs as long as there is one."""
    while not _end(owners, lock, supervisor):
        _wait_for_a_death(lease.living(owners))


def _end(owners: Path, lock: Path, supervisor: int) -> bool:
    """End supervisord if nobody owns the platform; False also while somebody is starting or joining it."""
    if lease.living(owners):
        return False
    try:
        with FileLock(lock, timeout=0):
            if lease.living(owners):
                return False
            os.kill(supervisor, signal.SIGTERM)
            return True
    except Timeout:
        return False


def _wait_for_a_death(owners: set[str]) -> None:
    pids = [int(owner) for owner in owners if owner != lease.DESK]
    if not pids or not hasattr(os, "pidfd_open"):
        threading.Event().wait(LOOK_EVERY_S)
        return
    poll = select.poll()
    fds: list[int] = []
    try:
        for pid in pids:
            with suppress(OSError):  # gone already, or a sandbox without pidfd: then look again soon
                fds.append(os.pidfd_open(pid))
                poll.register(fds[-1], select.POLLIN)
        poll.poll((LOOK_EVERY_S if len(fds) == len(pids) else LOOK_SOON_S) * 1000)
    finally:
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), Path(sys.argv[2]), os.getppid())
