"""The spool: trace requests that no collector has taken yet, as files in one folder.

`<time>-<random>.pb` holds an `ExportTraceServiceRequest` as protobuf, `*.json` the same as OTLP/JSON
(written by programs that have only the standard library). A file appears whole or not at all, is deleted
only after a collector took it (so it may arrive twice, never get lost), and one that nobody can read is set
aside as `*.bad` and blocks no other. Several processes may write and flush at once; a killed flush leaves
nothing locked.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from floe_telemetry_otlp import wire
from floe_telemetry_otlp.messages import JSON, PROTOBUF, UnreadableError, spans_in

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 64 * 1024 * 1024  # bytes; the oldest go first
GIVE_UP_AFTER = 3  # requests in a row that a collector broke over: then it is the collector, not the file
GRACE_S = 5.0  # an unreadable JSON file younger than this may still be in the making
ABANDONED_S = 600.0  # a temporary file older than this belongs to a writer that was killed


@dataclass(frozen=True)
class FlushResult:
    """What a flush did.

    Attributes:
        sent: Files that the collector took.
        left: Files that wait for the next flush.
        dropped: Files set aside because they are corrupt or the collector refuses them for good.
        spans: Spans in the files sent.
        notes: One sentence for each thing that a person should know.
    """

    sent: int = 0
    left: int = 0
    dropped: int = 0
    spans: int = 0
    notes: tuple[str, ...] = ()


def flush(endpoint: str, folder: Path, *, timeout_s: float = 5.0, deadline_s: float = 15.0) -> FlushResult:
    """Send all of `folder` to the collector at the base URL `endpoint`; see `Spool.flush`."""
    return Spool(folder).flush(wire.traces_url(endpoint), timeout_s=timeout_s, deadline_s=deadline_s)


class Spool:
    """The folder of waiting requests.

    Args:
        folder: Where the files lie; made on first use.
        limit: Bytes that the folder may hold; beyond it the oldest files are dropped.
    """

    def __init__(self, folder: Path, *, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit

    def write(self, body: bytes) -> int:
        """Keep one protobuf request; returns how many older spans had to go to stay within the limit.

        Raises:
            OSError: The file cannot be written (disk full, read-only); nothing half-written stays.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.pb"
        making = self.folder / f".{name}.tmp"
        try:
            making.write_bytes(body)
            making.rename(self.folder / name)
        except OSError:
            making.unlink(missing_ok=True)
            raise
        return self._trim()

    def pending(self) -> list[Path]:
        """The waiting files, oldest first."""
        return [path for path, _ in self._files(".pb", ".json")]

    def flush(self, url: str, *, timeout_s: float = 5.0, deadline_s: float = 15.0) -> FlushResult:
        """Post every waiting file to `url` in order and delete what was taken.

        Stops at a collector that does not answer, after three requests in a row that it broke over, and at
        the deadline; waits for another process that is flushing, up to the same deadline.

        Args:
            url: The full URL for traces.
            timeout_s: Seconds that one request may take.
            deadline_s: Seconds that the whole flush may take, give or take one request.
        """
        from filelock import FileLock, Timeout

        if not self.pending():
            return FlushResult()
        end = time.monotonic() + deadline_s
        try:
            with FileLock(self.folder / ".lock", timeout=deadline_s):
                self._sweep()
                return self._flush(url, timeout_s, end)
        except (Timeout, OSError) as error:
            why = "another process is flushing" if isinstance(error, Timeout) else _os_reason(error)
            return FlushResult(left=len(self.pending()), notes=(f"the spool was not sent: {why}",))

    def _flush(self, url: str, timeout_s: float, end: float) -> FlushResult:
        sent = dropped = spans = in_a_row = 0
        notes: list[str] = []
        for path in self.pending():
            if time.monotonic() > end or in_a_row >= GIVE_UP_AFTER:
                break
            outcome = self._send(path, url, timeout_s)
            if outcome.note:
                notes.append(outcome.note)
            sent += outcome.state == "accepted"
            spans += outcome.spans if outcome.state == "accepted" else 0
            dropped += outcome.state == "refused"
            in_a_row = in_a_row + 1 if outcome.state == "failing" else 0
            if outcome.state == "unavailable":
                break
        return FlushResult(sent, len(self.pending()), dropped, spans, tuple(notes))

    def _send(self, path: Path, url: str, timeout_s: float) -> _Outcome:
        """Send one file; it is gone afterwards when accepted and set aside when refused."""
        try:
            return self._sent(path, url, timeout_s)
        except FileNotFoundError:
            return _Outcome("skipped")
        except OSError as error:
            return _Outcome("skipped", note=f"{path.name} stays: {_os_reason(error)}")

    def _sent(self, path: Path, url: str, timeout_s: float) -> _Outcome:
        body = path.read_bytes()
        try:
            spans = spans_in(_content_type(path), body)
        except UnreadableError as error:
            return self._unreadable(path, error)
        answer = wire.post(url, body, content_type=_content_type(path), timeout_s=timeout_s)
        if answer.state == "accepted":
            path.unlink(missing_ok=True)
            return _Outcome("accepted", spans - answer.rejected, answer.reason)
        if answer.state == "refused":
            return self._set_aside(path, answer.reason)
        return _Outcome(answer.state, note=answer.reason)

    def _unreadable(self, path: Path, error: UnreadableError) -> _Outcome:
        if path.suffix == ".json" and time.time() - path.stat().st_mtime < GRACE_S:
            return _Outcome("skipped", note=f"{path.name} stays: it may still be in the making ({error})")
        return self._set_aside(path, str(error))

    def _set_aside(self, path: Path, reason: str) -> _Outcome:
        path.rename(path.with_name(path.name + ".bad"))
        return _Outcome("refused", note=f"{path.name} was set aside as {path.name}.bad: {reason}")

    def _files(self, *suffixes: str) -> list[tuple[Path, int]]:
        """Files with their sizes, oldest first; a file that another process took meanwhile is left out."""
        found: list[tuple[int, str, Path, int]] = []
        try:
            listed = list(self.folder.iterdir())
        except OSError:
            return []  # absent, unreadable or no folder: there is nothing that could be sent
        for path in listed:
            if path.suffix in suffixes and not path.name.startswith("."):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                found.append((stat.st_mtime_ns, path.name, path, stat.st_size))
        return [(path, size) for _, _, path, size in sorted(found)]

    def _trim(self) -> int:
        """Delete the oldest files beyond the limit, set-aside ones first; returns the spans lost."""
        files = [*self._files(".bad"), *self._files(".pb", ".json")]
        excess = sum(size for _, size in files) - self.limit
        lost = 0
        for path, size in files:
            if excess <= 0:
                break
            excess -= size
            lost += _lost_with(path)
            path.unlink(missing_ok=True)
        return lost

    def _sweep(self) -> None:
        """Delete what writers that were killed left behind."""
        for path in self.folder.glob(".*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > ABANDONED_S:
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue


@dataclass(frozen=True)
class _Outcome:
    state: wire.State | Literal["skipped"]
    spans: int = 0
    note: str = ""


def _lost_with(path: Path) -> int:
    try:
        return spans_in(_content_type(path), path.read_bytes())
    except (OSError, UnreadableError):
        return 0


def _content_type(path: Path) -> str:
    return JSON if path.suffix == ".json" else PROTOBUF


def _os_reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
