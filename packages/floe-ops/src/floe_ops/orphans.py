"""A process that ends when the one that started it is gone, however that ended."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import threading
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

POLL_S = 0.2
PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with(parent: int) -> None:
    """Send SIGTERM to this process as soon as `parent`, which started it, is gone.

    On Linux the kernel does it; elsewhere a thread looks at the parent's number five times a second.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went before the call above
            os.kill(os.getpid(), signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def exit_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that `finally` blocks and context managers end what they started."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
