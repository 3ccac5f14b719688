"""The trace of a process: started once, continued from `TRACEPARENT`, flushed at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def started() -> Iterator[None]:
    """Spans made inside of this block are exported or spooled; nests, and costs nothing outside of a run."""
    yield
