from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.errors import UsageError
from floe_ops.targets import lease

Owner = Callable[[], "subprocess.Popen[bytes]"]


def test_without_a_run_the_desk_owns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOE_RUN_PID", raising=False)
    assert lease.from_environment() == lease.DESK


def test_a_run_owns_what_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_RUN_PID", str(os.getpid()))
    assert lease.from_environment() == str(os.getpid())


@pytest.mark.parametrize("named", ["abc", "-1", "0x10", "4194999999", "../../etc/passwd"])
def test_a_run_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("FLOE_RUN_PID", named)
    with pytest.raises(UsageError) as caught:
        lease.from_environment()
    assert named in caught.value.where


def test_owners_live_as_long_as_their_processes(tmp_path: Path, owner: Owner) -> None:
    first, second = owner(), owner()
    for process in (first, second):
        lease.add(tmp_path, str(process.pid))
    assert lease.living(tmp_path) == {str(first.pid), str(second.pid)}
    first.kill()
    first.wait()
    assert lease.living(tmp_path) == {str(second.pid)}
    lease.remove(tmp_path, str(second.pid))
    assert lease.living(tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_only_waits_to_be_reaped_is_gone(tmp_path: Path, owner: Owner) -> None:
    process = owner()
    lease.add(tmp_path, str(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert lease.living(tmp_path) == set()


def test_a_process_id_given_out_again_is_not_the_owner(tmp_path: Path) -> None:
    lease.add(tmp_path, str(os.getpid()))
    path = tmp_path / str(os.getpid())
    path.write_text(repr(float(path.read_text(encoding="utf-8")) - 100), encoding="utf-8")
    assert lease.living(tmp_path) == set()


@pytest.mark.parametrize("content", ["", "yesterday"])
def test_a_damaged_file_is_no_owner(tmp_path: Path, content: str) -> None:
    (tmp_path / str(os.getpid())).write_text(content, encoding="utf-8")
    assert lease.living(tmp_path) == set()


def test_the_desk_stays_until_it_is_cleared(tmp_path: Path) -> None:
    lease.add(tmp_path / "owners", lease.DESK)
    assert lease.living(tmp_path / "owners") == {lease.DESK}
    lease.clear(tmp_path / "owners")
    assert lease.living(tmp_path / "owners") == set()


def test_the_watcher_ends_its_supervisor_when_the_last_owner_is_gone(tmp_path: Path, owner: Owner) -> None:
    folder = tmp_path / "a place"
    first, second = owner(), owner()
    for process in (first, second):
        lease.add(folder / "owners", str(process.pid))
    # a shell in supervisord's place: it says so when it is told to end
    watcher = [sys.executable, "-m", "floe_ops.targets.local.watcher", f"{folder}/owners", f"{folder}/lock"]
    script = f"trap 'echo told; kill $!; exit 0' TERM; {shlex.join(watcher)} & while :; do wait; done"
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True) as shell:
        try:
            first.kill()
            first.wait()
            with pytest.raises(subprocess.TimeoutExpired):
                shell.communicate(timeout=1.5)
            second.kill()
            second.wait()
            assert shell.communicate(timeout=10)[0] == "told\n"
        finally:
            shell.kill()  # a shell left behind would be the next test's ResourceWarning
