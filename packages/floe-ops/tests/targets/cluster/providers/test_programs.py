from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
from floe_ops.targets import lease
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = "from floe_ops.targets.cluster.providers.programs import run; run(['sleep', '300'], 300, what='x')"


def until(look: Callable[[], bool]) -> bool:
    looking = Retrying(
        stop=stop_after_delay(20),
        wait=wait_fixed(0.05),
        retry=retry_if_result(lambda seen: not seen),
        retry_error_callback=lambda _state: False,
    )
    return bool(looking(look))


def sleepers(parent: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children() if child.name() == "sleep"]


def test_a_program_ends_with_the_process_that_runs_it_also_by_a_kill() -> None:
    with subprocess.Popen([sys.executable, "-c", RUN]) as running:
        assert until(lambda: bool(sleepers(running.pid)))
        child = sleepers(running.pid)[0].pid
        running.kill()
    assert until(lambda: lease.started(child) is None)
