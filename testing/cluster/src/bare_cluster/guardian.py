"""Makes a cluster's namespaces and watches over them: `python -m bare_cluster.guardian STATE`.

It leaves whoever called it, makes the control groups, and forks the first process into new namespaces; the kernel ends
all processes in them with that one, and that one with the guardian. The guardian ends it when its last owner is gone,
and in the end removes the link to the machine and the control groups.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from filelock import FileLock, Timeout
from floe_ops.targets import lease

from bare_cluster import cgroups, kernel, layout, network, processes, settings
from bare_cluster.processes import Process

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bare_cluster.layout import Layout

LOOK_EVERY_S = 1.0  # owners may come and go meanwhile
LOOK_SOON_S = 0.2


def main(state: str) -> None:
    """Leave the caller, then be there as long as the cluster is."""
    if os.fork():
        os._exit(0)
    os.setsid()
    place = layout.at(state)
    with suppress(Timeout), FileLock(place.alive, timeout=0):  # another guardian is there: it does the work
        _guard(place)


def _guard(place: Layout) -> None:
    chosen = settings.read(place)
    if chosen is None:
        raise SystemExit(f"there is no {place.settings}")
    found = cgroups.hierarchies()
    groups = cgroups.folders(chosen.group, found)
    processes.note_groups(place, groups)
    cgroups.remove(groups)
    try:
        child = _fork(place.state, cgroups.make(chosen.group, found))
        processes.note(place, Process.of(os.getpid()), Process.of(child))
        _watch(place, child)
    finally:
        network.disconnect(chosen.network)  # the kernel would, but takes its time
        cgroups.remove(groups)


def _fork(state: Path, groups: list[Path]) -> int:
    """The first process, once it is in its namespaces."""
    there, tell = os.pipe()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    kernel.unshare(kernel.NEW_PIDS)  # for children only
    child = os.fork()
    if child == 0:
        os.close(there)  # so that telling fails where the guardian is gone already
        kernel.die_with_parent()
        _become_first(state, groups, tell)
    kernel.enter(own, kernel.NEW_PIDS)  # children to come are the machine's again
    os.close(own)
    os.close(tell)
    with os.fdopen(there, "rb") as pipe:
        if not pipe.read():
            raise SystemExit("the first process could not make its namespaces")
    return child


def _become_first(state: Path, groups: list[Path], tell: int) -> NoReturn:
    cgroups.join(groups)
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_CGROUPS | kernel.NEW_NAMES | kernel.NEW_IPC | kernel.NEW_NETWORK)
    os.write(tell, b"in")
    os.execv(sys.executable, [sys.executable, "-m", "bare_cluster.node", str(state)])  # noqa: S606  # nosec B606 - ourselves


def _watch(place: Layout, child: int) -> None:
    """Return when the first process has ended, by itself or because nobody owns the cluster any more."""
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        owners = lease.living(place.owners)
        if not owners and _unwanted(place):
            os.kill(child, signal.SIGKILL)
        _wait_for_a_death({child, *(int(owner) for owner in owners if owner != lease.DESK)})


def _unwanted(place: Layout) -> bool:
    """Whether there is still no owner while nobody is starting or joining the cluster."""
    try:
        with FileLock(place.lock, timeout=0):
            return not lease.living(place.owners)
    except Timeout:
        return False


def _wait_for_a_death(pids: Collection[int]) -> None:
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
    main(sys.argv[1])
