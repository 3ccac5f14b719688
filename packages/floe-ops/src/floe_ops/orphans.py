"""A process that ends when the one that started it is gone, however that ended, and cleans up once.

An interrupt comes as several signals: from the terminal, from Nox, from the kernel. The first one starts the clean-up,
and those after it must not cut it short. (Not SIG_IGN: children inherit that, a handler they do not.)
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import threading
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

POLL_S = 0.2
PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)


def end_with(parent: int) -> None:
    """Send SIGTERM to this process as soon as `parent`, which started it, is gone.

    On Linux the kernel does it; elsewhere a thread looks at the parent's number five times a second.
    """
    if platform.system() == "Linux":
        _bind(signal.SIGTERM)
        if os.getppid() != parent:  # it went before the call above
            os.kill(os.getpid(), signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def killed_with_this() -> Callable[[], None] | None:
    """A `preexec_fn` for Popen: the kernel kills the child as soon as this process is gone; None where it cannot."""
    if platform.system() != "Linux":
        return None
    parent = os.getpid()

    def bind() -> None:
        _bind(signal.SIGKILL)
        if os.getppid() != parent:  # it went before the call above: there is nobody left to end us
            os._exit(1)

    return bind


def _bind(sign: signal.Signals) -> None:
    """Ask the kernel for `sign` when the parent is gone."""
    _LIBC.prctl(PR_SET_PDEATHSIG, sign)


def exit_on_sigterm() -> None:
    """Turn the first SIGTERM into SystemExit, so that `finally` blocks and context managers end what they started."""
    signal.signal(signal.SIGTERM, _exit)
    _first_interrupt_wins()


def interrupt_on_sigterm() -> None:
    """Turn the first SIGTERM into KeyboardInterrupt, after which pytest still tears its fixtures down."""
    signal.signal(signal.SIGTERM, _interrupt)
    _first_interrupt_wins()


def _first_interrupt_wins() -> None:
    """A SIGTERM that follows Ctrl-C is as late as one that follows a SIGTERM; a second Ctrl-C still interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, _late)
    raise SystemExit(128 + number)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, _late)
    raise KeyboardInterrupt


def _late(_number: int, _frame: FrameType | None) -> None:
    """The clean-up has begun."""
