from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

# A parent that starts a child bound to it, prints the child's number and stays until it is killed.
CHILD = "import signal, sys; from floe_ops import orphans; orphans.end_with(int(sys.argv[1])); print(); signal.pause()"
PARENT = f"""
import os, subprocess, sys
words = [sys.executable, "-u", "-c", {CHILD!r}, str(os.getpid())]
started = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
started.stdout.readline()
print(started.pid, flush=True)
started.wait()
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_parent_even_when_that_is_killed(sign: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        os.kill(parent.pid, sign)
        gone, alive = psutil.wait_procs([child], timeout=5)
    assert (len(gone), alive) == (1, [])


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    code = "import signal; from floe_ops import orphans; orphans.end_with(1 << 22); signal.pause()"
    done = subprocess.run([sys.executable, "-c", code], timeout=10, check=False)
    assert done.returncode == -signal.SIGTERM
