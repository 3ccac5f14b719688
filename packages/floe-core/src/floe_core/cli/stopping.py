"""Ctrl-C and SIGTERM: a command is given the chance to end in order, and a bounded time to do so."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GRACE_S: Final = 10.0
"""How long the work may take to end after a signal."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """The process was told to end.

    A KeyboardInterrupt, because dbt and DuckDB end their work in order for that one.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells count: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextmanager
def stoppable(grace_s: float = GRACE_S) -> Iterator[None]:
    """Raise `Stopped` in this block at the first signal; a second one, or `grace_s` seconds, end the process at once.

    Outside of the main thread nothing changes, because Python takes signals there only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    timers: list[threading.Timer] = []

    def first(number: int, _frame: FrameType | None) -> None:
        for one in wanted:
            signal.signal(one, lambda number, _frame: os._exit(128 + number))
        timer = threading.Timer(grace_s, os._exit, (128 + number,))
        timer.daemon = True
        timer.start()
        timers.append(timer)
        raise Stopped(number)

    # What whoever started us has switched off stays so: SIGHUP under nohup, SIGINT behind a shell's &.
    wanted = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, first) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for timer in timers:
            timer.cancel()
