"""Events on the disk: one line each in one file, or one file each.

Lines: one write under a lock that every writer takes, synced before `deliver` returns. A write that fails is taken
back. Only a writer that is killed inside of the write itself can leave the beginning of a line, without its line
break; the next writer cuts that off, so what ends with a line break is always a whole event. Files: written aside,
synced, then renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import ExitCode
from floe_core.plugins import LineageError
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_lineage_openlineage.plugin import FileTransport

BLOCK = 64 * 1024


class FileDelivery:
    """Writes events to the disk."""

    def __init__(self, config: FileTransport) -> None:
        self._config = config
        self._path = config.path.expanduser().absolute()

    def deliver(self, event: Mapping[str, Any], text: str) -> None:
        """Write one event; when this returns it survives a crash of the machine.

        Raises:
            LineageError: The file cannot be written, or other writers hold it too long.
        """
        with self._told():
            if self._config.layout == "lines":
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._append(text.encode() + b"\n")
            else:
                self._path.mkdir(parents=True, exist_ok=True)
                self._put(_file_name(event, text), text.encode() + b"\n")

    def probe(self, timeout_s: float) -> str:
        """See whether the place can be written to; nothing of it stays.

        Raises:
            LineageError: It cannot.
        """
        del timeout_s  # a local file answers at once
        lines = self._config.layout == "lines"
        folder = self._path.parent if lines else self._path
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            if lines and self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC))
        return f"{folder} can be written to"

    def _append(self, line: bytes) -> None:
        new = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._lock(descriptor)
            end = _whole(descriptor)
            try:
                _write(descriptor, line)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync_folder(self._path.parent)

    def _lock(self, descriptor: int) -> None:
        """Wait until no other writer holds the file; the lock goes with the descriptor, also when we are killed."""
        limit = self._config.lock_timeout_s
        waiting = Retrying(
            retry=retry_if_exception_type(BlockingIOError),
            wait=wait_exponential(multiplier=0.005, max=0.1),
            stop=stop_after_delay(limit),
        )
        try:
            waiting(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except RetryError:
            raise LineageError(
                "the lineage event could not be written",
                where=str(self._path),
                why=f"another process held the file for more than {limit:g} s",
                remedy="end that process, or name another file",
                exit_code=ExitCode.TIMEOUT,
            ) from None

    def _put(self, name: str, content: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self._path, prefix=".", suffix=".part")
        try:
            try:
                _write(descriptor, content)
                os.fchmod(descriptor, 0o644)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            Path(temporary).replace(self._path / name)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LineageError(
                "the lineage event could not be written",
                where=str(self._path),
                why=error.strerror or type(error).__name__,
                remedy="make the folder writable, or correct plugins.lineage_backend.config.transport.path",
            ) from error


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _whole(descriptor: int) -> int:
    """The length of the file, after the beginning of a line that a killed writer left was cut off."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - BLOCK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def _file_name(event: Mapping[str, Any], text: str) -> str:
    """Sorts by time; the same event has the same name, another one another."""
    moment = "".join(one for one in str(event["eventTime"]) if one.isalnum())
    kind = str(event.get("eventType", "OTHER")).lower()
    return f"{moment}-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
