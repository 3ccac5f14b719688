"""The system calls that Python 3.11 has no name for."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

NEW_MOUNTS: Final = 0x00020000  # sched.h
NEW_CGROUPS: Final = 0x02000000
NEW_NAMES: Final = 0x04000000
NEW_IPC: Final = 0x08000000
NEW_PIDS: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000

BIND: Final = 0x1000  # mount.h
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000
SHARED: Final = 0x100000
DETACH: Final = 2
PR_SET_PDEATHSIG: Final = 1  # prctl(2)

_LIBC = ctypes.CDLL(None, use_errno=True)


def unshare(namespaces: int) -> None:
    """Leave the namespaces named by these bits for new ones.

    Raises:
        OSError: The kernel refuses.
    """
    _check(_LIBC.unshare(namespaces), "unshare")


def enter(namespace: int, kind: int) -> None:
    """Enter the namespace of that kind to which the file descriptor leads; for NEW_PIDS, children will be in it.

    Raises:
        OSError: The kernel refuses.
    """
    _check(_LIBC.setns(namespace, kind), "setns")


def die_with_parent() -> None:
    """Have the kernel kill this process as soon as the one that forked it is gone, in whatever namespace that is."""
    _check(_LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Make a mount; `source` is taken as it is, a link of /proc too.

    Raises:
        OSError: The kernel refuses.
    """
    words = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    _check(_LIBC.mount(*words, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def unmount(target: str) -> None:
    """Unmount, now for every path and later for who has files open in it.

    Raises:
        OSError: The kernel refuses.
    """
    _check(_LIBC.umount2(os.fsencode(target), DETACH), f"umount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
