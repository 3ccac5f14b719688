"""Stages of a command for who watches, on standard error, and how long each took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_ops import console

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stages:
    """The stages of one command, in their order; `seconds` by title as they end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.monotonic()

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Show `title` while its block runs; on a terminal with a spinner, elsewhere as one line at its end."""
        from rich.markup import escape

        start, err = time.monotonic(), console.err()
        try:
            if err.is_terminal:
                with err.status(escape(title)):
                    yield
            else:
                yield
        except BaseException:
            err.print(f"✗ {title}  {time.monotonic() - start:.1f} s", style="red", markup=False)
            raise
        self.seconds[title] = round(time.monotonic() - start, 2)
        err.print(f"✓ {title}  {self.seconds[title]:.1f} s", style="green", markup=False)

    @property
    def total(self) -> float:
        """Seconds since the command began."""
        return round(time.monotonic() - self._start, 2)
