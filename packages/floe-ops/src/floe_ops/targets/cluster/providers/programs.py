"""Run a program of a provider: its output to us, its failure as an error that repeats its last words."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, NotReadyError

from floe_ops import orphans

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_LINES = 12


def run(words: Sequence[str], timeout_s: float, *, what: str) -> str:
    """Run `words` to their end and return their standard output.

    Raises:
        MissingToolError: There is no such program.
        NotReadyError: It did not end in time; it is killed.
        FloeError: It failed; repeats its last lines.
    """
    done = finish(words, timeout_s, what=what)
    if done.returncode:
        raise FloeError(
            what,
            where=" ".join(words),
            why=last_words(done),
            remedy="see `invoke platform.doctor --target cluster`",
        )
    return done.stdout


def finish(words: Sequence[str], timeout_s: float, *, what: str) -> subprocess.CompletedProcess[str]:
    """Run `words` to their end, however that is; they are killed with this process.

    Raises:
        MissingToolError: There is no such program.
        NotReadyError: It did not end in time; it is killed.
    """
    try:
        return subprocess.run(  # noqa: S603 - our own words
            list(words),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            preexec_fn=orphans.killed_with_this(),
        )
    except OSError as error:
        why = "there is no such program" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise MissingToolError(what, where=str(words[0]), why=why) from error
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(what, where=" ".join(words), why=f"it did not end within {timeout_s:g} s") from error


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """How a program ended, and the last lines that it said about it."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return f"it ended with {done.returncode}: " + "\n         ".join(lines[-SHOWN_LINES:])
