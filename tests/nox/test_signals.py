"""However a run ends, nothing of it goes on: SIGTERM, SIGINT, kill -9; with and without -j."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tenacity import retry, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from tests.nox.conftest import Checkout


@retry(stop=stop_after_delay(20), wait=wait_fixed(0.05), reraise=True)
def _hanging(path: Path) -> list[int]:
    pids = [int(pid) for pid in path.read_text().split()]
    assert len(pids) == 2
    return pids


@retry(stop=stop_after_delay(10), wait=wait_fixed(0.05), reraise=True)
def _gone(pids: list[int]) -> None:
    alive = [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]
    assert alive == []


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_survives(checkout: Checkout, tmp_path: Path, sign: signal.Signals, jobs: str) -> None:
    marker = tmp_path / "hanging"
    words = checkout.words("final", options=("-j", jobs))
    parent = subprocess.Popen(
        words,
        env=checkout.env(HANG="dagster_migrate", HANGING=str(marker)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        pids = [*_hanging(marker), *(child.pid for child in psutil.Process(parent.pid).children(recursive=True))]
        os.kill(parent.pid, sign)
        parent.wait(timeout=20)
        _gone(pids)
    finally:
        parent.kill()
        parent.wait()

    if sign != signal.SIGKILL:
        assert parent.returncode == 130
        assert checkout.statuses()["dagster_migrate"] == "failed"
        assert checkout.statuses()["final"] == "blocked"
