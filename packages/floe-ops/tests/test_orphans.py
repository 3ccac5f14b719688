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


# Cleans up after the first signal, and says so; then it waits for the others, and starts a child that must be endable.
CLEANS = """
import os, signal, subprocess, sys
from floe_ops import orphans
{install}()
try:
    print("ready", flush=True)
    signal.pause()
except (SystemExit, KeyboardInterrupt) as ending:
    print("cleaning", flush=True)
    sys.stdin.readline()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    child.terminate()
    print(type(ending).__name__, child.wait(), flush=True)
    raise
"""


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("install", ["exit_on_sigterm", "interrupt_on_sigterm"])
def test_the_first_signal_wins_and_the_clean_up_is_not_interrupted(install: str, first: signal.Signals) -> None:
    code = CLEANS.format(install=f"orphans.{install}")
    words = [sys.executable, "-c", code]
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(words, text=True, stdin=pipe, stdout=pipe, stderr=quiet) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(first)
        assert process.stdout.readline() == "cleaning\n"
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
        said, _ = process.communicate("go on\n", timeout=10)
    exits = first == signal.SIGTERM and install == "exit_on_sigterm"
    assert said == f"{'SystemExit' if exits else 'KeyboardInterrupt'} {-signal.SIGTERM}\n"
    assert process.returncode == (128 + signal.SIGTERM if exits else -signal.SIGINT)


def test_a_child_killed_with_this_process_cannot_refuse() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    code = (
        "import subprocess, sys; from floe_ops import orphans\n"
        f"words = [sys.executable, '-c', {deaf!r}]\n"
        "child = subprocess.Popen(words, stdout=subprocess.PIPE, preexec_fn=orphans.killed_with_this())\n"
        "child.stdout.readline(); print(child.pid, flush=True); child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        _gone, alive = psutil.wait_procs([child], timeout=5)
    assert alive == []
