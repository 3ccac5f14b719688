"""Starts the programs that make images, each bound to this process and to a limit."""

from __future__ import annotations

import os
import subprocess  # nosec B404 - programs are what this is for
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError

from floe_ops import orphans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LIMIT_S = 900.0
"""Seconds that any one step is given: a first download on a slow line included."""


def run(
    words: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever its exit code, and keep what it says.

    Args:
        words: The program and its arguments; no shell reads them.
        folder: Where it runs.
        environment: All of its variables; this process's own by default.

    Raises:
        NotReadyError: It did not end within `LIMIT_S`.
    """
    try:
        return subprocess.run(  # noqa: S603 # nosec B603 - our own words, no shell
            words,
            cwd=folder,
            env={**(os.environ if environment is None else environment)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            preexec_fn=orphans.killed_with_this(),
        )
    except subprocess.TimeoutExpired:
        raise NotReadyError(
            f"{words[0]} did not end while an image was made", why=f"over {LIMIT_S:.0f} s", remedy="try again"
        ) from None
