"""Who the platform runs for: one file an owner, named by its process id.

A platform that a Nox run started belongs to that run and ends with it; one that a person started at a desk has the
owner `desk` and stays. Several runs may share one; it ends when the last owner is gone. A file holds the time at
which its process started, so that a process id given out again is not taken for the owner.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
from floe_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

DESK = "desk"
CLOCK_STEP_S = 2.0  # a start time is derived from the boot time, which moves when the clock is set


def from_environment() -> str:
    """The owner that this process acts for: the run in `FLOE_RUN_PID`, else the desk.

    Raises:
        UsageError: `FLOE_RUN_PID` is no number or names no living process.
    """
    named = os.environ.get("FLOE_RUN_PID", "")
    if not named:
        return DESK
    if named.isdecimal() and started(int(named)) is not None:
        return named
    raise UsageError(
        "the run that the platform should belong to is not there",
        where=f"FLOE_RUN_PID={named}",
        why="it names no living process",
        remedy="unset FLOE_RUN_PID to start a platform that stays",
    )


def add(folder: Path, owner: str) -> None:
    """Note `owner` as one more for whom the platform runs."""
    folder.mkdir(parents=True, exist_ok=True)
    since = "" if owner == DESK else repr(started(int(owner)))
    (folder / owner).write_text(since, encoding="utf-8")


def remove(folder: Path, owner: str) -> None:
    """Forget `owner`; no error when it is none."""
    (folder / owner).unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Forget all owners."""
    for owner in living(folder):
        remove(folder, owner)


def living(folder: Path) -> set[str]:
    """The owners that are still there; the files of those that are gone are deleted."""
    if not folder.is_dir():
        return set()
    found = set()
    for path in folder.iterdir():
        if _lives(path):
            found.add(path.name)
        else:
            path.unlink(missing_ok=True)
    return found


def _lives(path: Path) -> bool:
    if path.name == DESK:
        return True
    try:
        noted = float(path.read_text(encoding="utf-8"))
        since = started(int(path.name))
    except (ValueError, FileNotFoundError):
        return False
    return since is not None and abs(since - noted) <= CLOCK_STEP_S


def started(pid: int) -> float | None:
    """When the process started, in seconds since the epoch; None when it is gone or only waits to be reaped."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None
