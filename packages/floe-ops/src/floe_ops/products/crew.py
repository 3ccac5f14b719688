"""Products side by side: one worker a product, forked after the imports, one more at work than there are cores.

The parent has no thread of its own while it forks: the display is drawn by the loop that listens to the workers.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from floe_core.errors import ExitCode

from floe_ops.products import places, worker
from floe_ops.products.result import BuildResult
from floe_ops.products.worker import Failure, Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from floe_ops.products.build import Ask
    from floe_ops.targets import Platform

END_S = 1.8
"""How long workers may take to end before they are killed."""
LOOK_S = 0.1
"""How often the display is drawn anew while nothing is told."""


@dataclass
class Worker:
    """One product's process, seen from the parent.

    Attributes:
        name: The product.
        process: Its process.
        line: Where its messages come from.
        outcome: What it came to; None while it works.
    """

    name: str
    process: BaseProcess
    line: Connection
    outcome: BuildResult | Failure | None = None
    let_go: bool = field(default=False)

    def go(self) -> None:
        """Let it begin."""
        self.let_go = True
        try:
            self.line.send(worker.GO)
        except OSError:  # it died while it waited; its end says so
            return


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def warm_up(product: Path, ask: Ask, platform: Platform | None) -> None:
    """Import in this process what its workers will need, so that forked ones share it.

    Raises:
        FloeError: The product, which stands for its platform, cannot be compiled, or dbt does not work at all.
    """
    collecting = gc.isenabled()
    gc.disable()  # next to nothing of what is imported is garbage, and looking for it takes a tenth of the time
    try:
        from floe_core.compilation import compile_product

        from floe_ops.products import warm
        from floe_ops.products.build import environment

        with environment(platform.environment() if platform is not None else {}):
            warm.up(compile_product(product), ask.lane, places.warm(ask.lane, ask.home))
    finally:
        if collecting:
            gc.enable()


def build_all(
    jobs: Iterable[Job],
    told: Callable[[str, str, dict[str, Any]], None],
    *,
    idle: Callable[[], None] = lambda: None,
    at_once: int | None = None,
) -> dict[str, BuildResult | Failure]:
    """Build every product; one that fails keeps no other from being built.

    Args:
        jobs: What to build.
        told: Called with the product, the kind of a message and what it says.
        idle: Called about ten times a second.
        at_once: How many work at the same time; by default one more than there are cores, because each waits for
            the disk or for its longest query now and then.

    Raises:
        KeyboardInterrupt: This process was told to end; the workers have ended.
    """
    with _started(jobs) as workers:
        limit = at_once or cores() + 1
        while open_ones := [one for one in workers if one.outcome is None]:
            working = [one for one in open_ones if one.let_go]
            for one in [one for one in open_ones if not one.let_go][: max(0, limit - len(working))]:
                one.go()
            ready = wait([one.line for one in open_ones], timeout=LOOK_S)
            for one in open_ones:
                if one.line in ready:
                    _hear(one, told)
            idle()
        return {one.name: one.outcome for one in workers if one.outcome is not None}


def _hear(one: Worker, told: Callable[[str, str, dict[str, Any]], None]) -> None:
    """Take one message of a worker, or its end."""
    try:
        kind, said = one.line.recv()
    except (EOFError, OSError):
        one.process.join(END_S)
        one.outcome = _gone(one)
        told(one.name, "failure", {"what": one.outcome.what})
        return
    if kind == "result":
        one.outcome = BuildResult.model_validate_json(said["result"])
    elif kind == "failure":
        one.outcome = Failure(**said)
    told(one.name, kind, said)


def _gone(one: Worker) -> Failure:
    code = one.process.exitcode
    how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
    return Failure(
        f"the worker of {one.name} ended before it was done",
        where=f"process {one.process.pid}",
        why=f"it ended {how}; somebody killed it, or the machine had no memory left",
        remedy=f"run it again: invoke dbt.demo --product {one.name} --retry",
        exit_code=int(ExitCode.WRONG),
    )


@contextmanager
def _started(jobs: Iterable[Job]) -> Iterator[list[Worker]]:
    """The workers, which wait to be let go; none of them is left when the block ends, however it ends."""
    # Elsewhere than on Linux, system libraries do not survive a fork.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    workers: list[Worker] = []
    try:
        for job in jobs:
            mine, theirs = context.Pipe()
            words = (job, theirs, os.getpid())
            process = context.Process(target=worker.main, args=words, name=job.folder.name, daemon=True)
            process.start()
            theirs.close()
            workers.append(Worker(job.folder.name, process, mine))
        yield workers
    finally:
        _end(workers)


def _end(workers: list[Worker]) -> None:
    alive = [one for one in workers if one.process.is_alive()]
    for one in alive:
        if one.outcome is None:
            one.process.terminate()
    deadline = time.monotonic() + END_S
    for one in alive:
        one.process.join(max(0.0, deadline - time.monotonic()))
        if one.process.is_alive():
            one.process.kill()
            one.process.join()
    for one in workers:
        one.line.close()
