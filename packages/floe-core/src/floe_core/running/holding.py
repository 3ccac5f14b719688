"""One build of a product at a time; whoever comes second is told whom to wait for."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def held(lock: Path, product: str) -> Iterator[None]:
    """Hold the file `lock` while the block runs; the kernel lets go of it when the process dies, however it dies.

    Raises:
        NotReadyError: Another process holds it; names that process.
        WrongStateError: The file cannot be made.
    """
    handle = _opened(lock)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(lock, product) from None
        me = {"pid": os.getpid(), "command": " ".join(sys.argv)[:200], "since": datetime.now(UTC).isoformat()}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(me).encode(), 0)
        try:
            yield
        finally:  # whoever comes next must not be told to end a process of this number, which may be another's by then
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _opened(lock: Path) -> int:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WrongStateError(
            "the product's target folder cannot be written",
            where=str(lock.parent),
            why=(error.strerror or type(error).__name__).lower(),
            remedy="give yourself the right to write there, or copy the product elsewhere",
        ) from None


def _taken(lock: Path, product: str) -> NotReadyError:
    try:
        holder = json.loads(lock.read_text(encoding="utf-8"))
        who, pid = f"process {holder['pid']} ({holder['command']}) since {holder['since']}", str(holder["pid"])
    except (OSError, ValueError, KeyError, TypeError):  # it has the lock and has not written its name yet
        who, pid = "a process that has just begun", "its number"
    return NotReadyError(
        f"another build of {product} is running",
        where=str(lock),
        why=f"it is held by {who}",
        remedy=f"let it end, or end it: kill {pid}",
    )
