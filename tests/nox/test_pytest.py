"""pytest as the session `tests` starts it: it ends with the session, and its fixtures still clean up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from floe_ops.audits.collected import outside_of_a_run
from tenacity import retry, stop_after_delay, wait_fixed

ROOT = Path(__file__).resolve().parents[2]
HANGING = """
import os, pathlib, threading, pytest
@pytest.fixture
def left():
    yield
    pathlib.Path(f"cleaned-{os.getpid()}").touch()
@pytest.mark.parametrize("number", [1, 2])
def test_hangs(left, number):
    assert "FLOE_PARENT_PID" not in os.environ
    pathlib.Path(f"pid-{os.getpid()}").touch()
    threading.Event().wait(60)
"""
SESSION = """
import os, signal, subprocess, sys
if sys.argv[1] == "background":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts a job that ends in &; children inherit it
words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[2:]]
child = subprocess.Popen(words, env={**os.environ, "FLOE_PARENT_PID": str(os.getpid())})
child.wait()
"""


@retry(stop=stop_after_delay(30), wait=wait_fixed(0.05), reraise=True)
def _running(folder: Path, count: int) -> list[psutil.Process]:
    pids = [int(path.name.partition("-")[2]) for path in folder.glob("pid-*")]
    assert len(pids) == count
    return [psutil.Process(pid) for pid in pids]


@pytest.mark.parametrize(
    ("killed", "started", "workers", "seconds"),
    [
        ("session", "background", 0, 10),
        ("session", "foreground", 2, 30),  # xdist gives a worker five seconds for its test, and then ten to clean up
        ("pytest", "background", 2, 10),
    ],
)
def test_what_loses_its_parent_ends_and_cleans_up(
    tmp_path: Path, killed: str, started: str, workers: int, seconds: int
) -> None:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "test_hanging.py").write_text(HANGING)
    words = [sys.executable, "-c", SESSION, started, *(("-p", "xdist", "-n", str(workers)) if workers else ())]
    environ = {**outside_of_a_run(os.environ), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, cwd=tmp_path, env=environ, stdout=quiet, stderr=quiet) as session:
        running = _running(tmp_path, workers or 1)
        (own,) = psutil.Process(session.pid).children()
        (session if killed == "session" else own).kill()
    _gone, alive = psutil.wait_procs([own, *running], timeout=seconds)
    assert alive == []
    assert {path.name for path in tmp_path.glob("cleaned-*")} == {f"cleaned-{one.pid}" for one in running}
