"""A real image registry on loopback, for as long as a block runs: crane's own, in memory, on a free port."""

from __future__ import annotations

import re
import subprocess
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from floe_core.errors import MissingToolError, NotReadyError

from floe_ops import orphans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_S = 10.0
_STOP_S = 5.0
_SERVING = re.compile(rb"serving on port (\d+)")


@contextmanager
def serving(crane: Path) -> Iterator[str]:
    """Serve a registry and yield its `host:port`; it ends with the block, and on Linux with this process too.

    Raises:
        MissingToolError: crane cannot be started.
        NotReadyError: it did not say within 10 s that it serves.
    """
    with tempfile.TemporaryFile() as log:
        process = _start(crane, log)
        try:
            yield f"127.0.0.1:{_port(process, log)}"
        finally:
            _stop(process)


def _start(crane: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the pinned tool, arguments fixed here
            [str(crane), "registry", "serve", "--address", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - nothing but one system call, prepared before the fork
        )
    except OSError as error:
        raise MissingToolError(
            "cannot start the local registry", where=str(crane), why=str(error), remedy="run `invoke platform.doctor`"
        ) from error


def _port(process: subprocess.Popen[bytes], log: IO[bytes]) -> int:
    """The port that the registry says it serves on; polled from 50 ms on."""
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

    def said() -> int | None:
        log.seek(0)
        found = _SERVING.search(log.read())
        if found is None and process.poll() is not None:
            raise NotReadyError("the local registry ended at once", why=_last(log), remedy="run it again")
        return int(found[1]) if found else None

    waiting = Retrying(
        retry=retry_if_result(lambda port: port is None),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        stop=stop_after_delay(READY_S),
    )
    try:
        port = waiting(said)
    except RetryError:
        port = None
    if port is None:
        raise NotReadyError("the local registry does not serve", why=_last(log), remedy="run it again")
    return port


def _last(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace").strip()[-300:] or "it said nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
