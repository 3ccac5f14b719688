from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from floe_ops.audits.collected import outside_of_a_run
from floe_ops.proving import Choice
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from pathlib import Path

HANGING = """
import os, pathlib, threading
def test_hangs(tmp_path_factory):
    pathlib.Path("pid.new").write_text(str(os.getpid()))
    os.replace("pid.new", "pid")
    try:
        threading.Event().wait(60)
    finally:
        pathlib.Path("cleaned").touch()
"""


def test_a_choice_in_words_and_as_options() -> None:
    assert (Choice().title, Choice().words()) == ("the whole suite", [])
    both = Choice("WU5", "duckdb")
    assert (both.title, both.words()) == ("WU5 (duckdb lane)", ["--unit", "WU5", "--lane", "duckdb"])
    beside = Choice("WU6", side_by_side=True).words()
    assert beside[:4] == ["--unit", "WU6", "-p", "xdist"]
    assert beside[-1] == "loadfile", "a module's tests share what its fixtures made"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_suite_ends_with_the_task_and_its_fixtures_still_clean_up(tmp_path: Path, sign: signal.Signals) -> None:
    (tmp_path / "tests" / "e2e").mkdir(parents=True)
    (tmp_path / "tests" / "e2e" / "test_hanging.py").write_text(HANGING, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = ["-q"]\n', encoding="utf-8")
    environ = {**outside_of_a_run(os.environ), "FLOE_ROOT": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = [sys.executable, "-c", "from floe_ops.proving import Choice, prove; prove(Choice())"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as task:
        waiting = Retrying(
            retry=retry_if_result(lambda there: not there),
            stop=stop_after_delay(30),
            wait=wait_exponential(0.05, max=0.5),
        )
        waiting((tmp_path / "pid").is_file)
        suite = psutil.Process(int((tmp_path / "pid").read_text(encoding="utf-8")))
        assert suite.ppid() == task.pid
        os.kill(task.pid, sign)
        _gone, alive = psutil.wait_procs([suite], timeout=15)
    assert alive == []
    assert (tmp_path / "cleaned").is_file()
