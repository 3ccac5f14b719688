"""Programs that end, hang and refuse to end: none outlives its block, and each is told with its last words."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from floe_core.errors import MissingToolError, NotReadyError
from floe_ops import orphans
from floe_ops.kube_api.process import PortTakenError, running
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

Make = Callable[[str], Path]


def is_there(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(pid: int, within: float) -> bool:
    """Whether a process ends in that many seconds; this is asked from 50 ms on."""
    looking = Retrying(
        stop=stop_after_delay(within),
        wait=wait_exponential(multiplier=0.05, max=0.25),
        retry=retry_if_result(bool),
        retry_error_callback=lambda _: True,
    )
    return not looking(lambda: is_there(pid))


def test_a_program_lives_as_long_as_its_block(program: Make, tmp_path: Path) -> None:
    with running("one", [str(program("exec sleep 60"))], tmp_path) as daemon:
        daemon.until(lambda: "", 1.0)
        assert is_there(daemon.process.pid)
    assert not is_there(daemon.process.pid)


def test_it_ends_when_the_block_fails(program: Make, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), running("one", [str(program("exec sleep 60"))], tmp_path) as daemon:
        raise ZeroDivisionError
    assert not is_there(daemon.process.pid)


def test_one_that_does_not_listen_is_killed(program: Make, tmp_path: Path) -> None:
    deaf = program("trap '' TERM; echo deaf; while :; do sleep 1; done")
    with running("one", [str(deaf)], tmp_path) as daemon:
        daemon.until(lambda: "" if "deaf" in daemon.said() else "silent", 10.0)
    assert daemon.process.returncode == -signal.SIGKILL


def test_one_that_ended_is_told_with_code_and_last_words(program: Make, tmp_path: Path) -> None:
    def ask() -> str:
        raise AssertionError("a program that is gone is not asked")

    with running("one", [str(program("echo bad flag >&2; exit 3"))], tmp_path) as daemon:
        daemon.process.wait(10)
        with pytest.raises(NotReadyError, match="ended with code 3") as caught:
            daemon.until(ask, 10.0)
    assert "bad flag" in caught.value.why
    assert not isinstance(caught.value, PortTakenError)


def test_a_taken_port_is_an_error_of_its_own(program: Make, tmp_path: Path) -> None:
    with running("one", [str(program("echo listen: address already in use; exit 1"))], tmp_path) as daemon:
        daemon.process.wait(10)
        with pytest.raises(PortTakenError):
            daemon.until(lambda: "never", 10.0)


def test_one_that_is_never_ready_is_told_with_its_answer(program: Make, tmp_path: Path) -> None:
    with (
        running("one", [str(program("echo waiting; exec sleep 60"))], tmp_path) as daemon,
        pytest.raises(NotReadyError, match=r"not ready after 0\.3 s") as caught,
    ):
        daemon.until(lambda: "it says 500", 0.3)
    assert "it says 500" in caught.value.why


def test_nothing_of_the_callers_environment_reaches_it(
    program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "planted")
    with running("one", [str(program("env; echo done"))], tmp_path) as daemon:
        daemon.process.wait(10)
        assert "PLANTED" not in daemon.log.read_text(encoding="utf-8")


def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="cannot start one"), running("one", ["/nowhere/one"], tmp_path):
        pass


def test_it_ends_with_a_parent_that_is_killed_where_the_kernel_sees_to_it(program: Make, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from floe_ops.kube_api.process import running\n"
        "with running('one', [sys.argv[1]], pathlib.Path(sys.argv[2])) as daemon:\n"
        "    print(daemon.process.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(program("exec sleep 5")), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_there(pid)
        parent.kill()
    assert ended(pid, within=2 if orphans.killed_with_this() else 30)
