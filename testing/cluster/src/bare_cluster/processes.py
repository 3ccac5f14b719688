"""Who a cluster's processes are, and what became of its daemons: two small files beside the logs."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil
from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bare_cluster.layout import Layout

CLOCK_STEP_S = 2.0  # a start time is derived from the boot time, which moves when the clock is set
Stage = Literal["link", "api", "started"]
"""What the first process waits for: its link to the machine, the API server, nothing any more."""


@dataclass(frozen=True)
class Process:
    """A process, told from a later one of the same number by its start (seconds since the epoch)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process:
        """The living process `pid`."""
        return cls(pid, float(psutil.Process(pid).create_time()))

    @property
    def lives(self) -> bool:
        """Whether it is still there, and not only waits to be reaped."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) <= CLOCK_STEP_S
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def kill(self) -> None:
        """End it at once; no error when it is gone."""
        if self.lives:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Daemon:
    """One daemon.

    Attributes:
        name: Of the program; of its log too.
        pid: Its number inside of the namespaces.
        code: None while it runs; how it ended, negative for a signal.
    """

    name: str
    pid: int
    code: int | None = None


@dataclass(frozen=True)
class Daemons:
    """What the first process says of its start."""

    stage: Stage
    daemons: tuple[Daemon, ...]

    @property
    def ended(self) -> list[Daemon]:
        """Those that ended; nothing starts them again, so that it is seen."""
        return [each for each in self.daemons if each.code is not None]


def note(layout: Layout, guardian: Process, first: Process) -> None:
    """Keep who the guardian and the first process of the namespaces are."""
    text = json.dumps({"guardian": asdict(guardian), "first": asdict(first)})
    write_private(layout.processes, text)


def first(layout: Layout) -> Process | None:
    """The first process of the last start, living or not; None before one was noted."""
    noted = _read(layout.processes)
    return Process(**noted["first"]) if noted else None


def note_groups(layout: Layout, groups: Iterable[Path]) -> None:
    """Keep where the cluster's control groups are: who cleans up after it may lie in other ones."""
    write_private(layout.groups, json.dumps([str(each) for each in groups]))


def groups(layout: Layout) -> list[Path]:
    """The control groups of the last start; none before they were noted."""
    try:
        return [Path(each) for each in json.loads(layout.groups.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []


def note_daemons(path: Path, told: Daemons) -> None:
    """Keep what became of the daemons."""
    write_private(path, json.dumps(asdict(told)))


def daemons(layout: Layout) -> Daemons | None:
    """What was told last; None before anything was."""
    told = _read(layout.daemons)
    return Daemons(told["stage"], tuple(Daemon(**each) for each in told["daemons"])) if told else None


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
