"""One build of a product and lane at a time; who waits, knows for whom."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from floe_core.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 120.0


@contextmanager
def held(lock: Path, product: str, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the file `lock` while the block runs; the system lets go of it when the process dies.

    Raises:
        NotReadyError: Another process held it for `wait_s` seconds; names its pid.
    """
    holder = lock.with_suffix(".holder")
    try:
        with FileLock(lock, timeout=wait_s):
            holder.write_text(f"{os.getpid()}", encoding="utf-8")
            yield
            holder.unlink(missing_ok=True)
    except Timeout as error:
        pid = holder.read_text(encoding="utf-8") if holder.is_file() else "unknown"
        raise NotReadyError(
            f"another build of {product} does not end",
            where=str(lock),
            why=f"the process {pid} has held it for {wait_s:g} s",
            remedy=f"let it end, or end it: kill {pid}",
        ) from error
