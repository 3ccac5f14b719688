"""What an earlier platform left running when its supervisord was killed, where no parent-death signal exists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil

from floe_ops.targets.local.supervisor import end_processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets.local.layout import Layout

CLOCK_STEP_S = 5.0  # between the guard's note and the kernel's start time, and for a clock that was set


def end(layout: Layout) -> None:
    """Kill every service of an earlier start that outlived its supervisord.

    Raises:
        NotReadyError: One of them cannot be killed.
    """
    end_processes(list(find(layout)))


def find(layout: Layout) -> Iterator[psutil.Process]:
    """The services of the layout that run, by what the guard noted: process id, start time and program."""
    for spec in layout.specs.glob("*.json"):
        try:
            program = json.loads(spec.read_text(encoding="utf-8"))["argv"][0]
            starts = (layout.starts / spec.stem).read_text(encoding="utf-8").split("\n")
            pid, started = starts[-2].split()
            process = psutil.Process(int(pid))
            same = abs(process.create_time() - float(started)) <= CLOCK_STEP_S
            if same and process.status() != psutil.STATUS_ZOMBIE and process.cmdline()[:1] == [program]:
                yield process
        except (OSError, ValueError, IndexError, KeyError, psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # never started, or gone
