"""The log of the program inside of pods."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

STDERR = 2


def say(text: str) -> None:
    """Write each line of `text` with the time in UTC."""
    sys.stderr.write(_stamped(text))
    sys.stderr.flush()


def end_on_sigterm() -> None:
    """From now on SIGTERM ends the process at once, with a line; as process 1 of a container it would be ignored."""
    start = time.monotonic()

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        text = f"ended by SIGTERM after {time.monotonic() - start:.1f} s; what was made stays, and may be made again"
        os.write(STDERR, _stamped(text).encode())  # a handler may not wait for the stream that it interrupts
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def _stamped(text: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "".join(f"{now} {line}".rstrip() + "\n" for line in text.splitlines())
