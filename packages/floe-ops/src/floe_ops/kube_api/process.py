"""One program that runs as long as its context: its output in a file, its last words in every error."""

from __future__ import annotations

import os
import subprocess  # nosec B404 - starting processes is what this module is for
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, NotReadyError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from floe_ops import orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LAST_LINES = 4


class PortTakenError(NotReadyError):
    """Somebody else listens on a port that was free a moment ago."""


@dataclass(frozen=True)
class Daemon:
    """A running program."""

    name: str
    program: str
    process: subprocess.Popen[bytes]
    log: Path

    def until(self, answers: Callable[[], str], deadline_s: float) -> None:
        """Wait until `answers` has nothing to object.

        Args:
            answers: Asks the program once; returns what is wrong, and nothing when it is ready.
            deadline_s: How long to wait, in seconds.

        Raises:
            NotReadyError: The program ended, or did not become ready in time; the reason and its last words are told.
        """

        def look() -> str:
            if self.process.poll() is not None:
                raise self._ended()
            return answers()

        looking = Retrying(
            stop=stop_after_delay(deadline_s),
            wait=wait_exponential(multiplier=0.05, max=0.25),
            retry=retry_if_result(bool),
        )
        try:
            looking(look)
        except RetryError as error:
            raise NotReadyError(
                f"{self.name} is not ready after {deadline_s:g} s",
                where=self.program,
                why=f"{error.last_attempt.result()}; its last words: {self.said()}",
                remedy="try again; on a machine that is busy with other things, later",
            ) from None

    def said(self) -> str:
        """The last lines of its output."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n    | ".join(["", *lines[-LAST_LINES:]]) if lines else "none"

    def _ended(self) -> NotReadyError:
        said = self.said()
        kind = PortTakenError if "address already in use" in said else NotReadyError
        return kind(
            f"{self.name} ended with code {self.process.returncode}",
            where=self.program,
            why=f"its last words: {said}",
            remedy="correct what it complains about, or report it: nobody chose its settings but this program",
        )


@contextmanager
def running(name: str, command: list[str], folder: Path) -> Iterator[Daemon]:
    """Start `command` with its output in `folder`, and kill it with the block.

    It gets an environment of its own. On Linux it ends with this process too, however that ends, and with the thread
    that started it.

    Raises:
        MissingToolError: The program cannot be started.
    """
    log = folder / f"{name}.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # nosec B603 - the pinned tool, no shell
                command,
                cwd=folder,
                env={"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for this process, which then ends its programs in their order
                preexec_fn=orphans.killed_with_this(),  # noqa: PLW1509 - one system call, prepared before the fork
            )
    except OSError as error:
        raise MissingToolError(
            f"cannot start {name}", where=command[0], why=str(error), remedy="run `invoke platform.doctor`"
        ) from error
    try:
        yield Daemon(name, command[0], process, log)
    finally:
        process.kill()  # what it holds goes with its folder, so there is nothing to end in order
        process.wait()
