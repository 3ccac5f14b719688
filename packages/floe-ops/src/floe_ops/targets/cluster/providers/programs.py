"""Run a program of a provider: its output to us, its failure as an error that repeats its last words."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, NotReadyError

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
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            list(words), capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise MissingToolError(what, where=str(words[0]), why="there is no such program") from error
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(what, where=" ".join(words), why=f"it did not end within {timeout_s:g} s") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise FloeError(
            what,
            where=" ".join(words),
            why=f"it ended with {done.returncode}: " + "\n         ".join(lines[-SHOWN_LINES:]),
            remedy="see `invoke platform.doctor --target cluster`",
        )
    return done.stdout
