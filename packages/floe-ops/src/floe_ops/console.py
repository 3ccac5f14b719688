"""What people watch: one console, progress for anything over two seconds, timings at the end.

Colour and live displays only on a terminal; plain lines elsewhere, so that logs stay readable.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

LOG_WIDTH = 160


@cache
def out() -> Console:
    """The console on standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=_width(sys.stdout))


@cache
def err() -> Console:
    """The console on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, width=_width(sys.stderr))


def _width(stream: TextIO) -> int | None:
    """A terminal's own width, and one that suits tables in logs elsewhere (rich would take 80)."""
    return None if stream.isatty() else LOG_WIDTH


def say(message: str) -> None:
    """Print one plain line now; `message` is taken literally, never as markup."""
    out().print(message, markup=False)
    sys.stdout.flush()


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show `title` while its block runs and `title … 1.2 s` when it ends; yields a function that updates the detail.

    On a terminal a spinner; elsewhere one line at the end (and one at the start when `title` ends with an ellipsis).
    """
    from rich.markup import escape

    start = time.monotonic()
    console = out()

    def elapsed() -> str:
        return f"{time.monotonic() - start:.1f} s"

    try:
        if console.is_terminal:
            with console.status(escape(title)) as status:
                yield lambda detail: status.update(escape(f"{title}: {detail}"))
        else:
            say(f"… {title}")
            yield lambda _detail: None
    except BaseException:
        console.print(f"✗ {title}  {elapsed()}", style="red", markup=False)
        raise
    console.print(f"✓ {title}  {elapsed()}", style="green", markup=False)
