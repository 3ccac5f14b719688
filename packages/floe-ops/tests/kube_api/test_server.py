"""Starts that fail; one that works is in tests/e2e/test_rbac_k8s_e2e.py, with the real programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from floe_core.errors import NotReadyError
from floe_ops.kube_api import api_server, server
from floe_ops.kube_api.process import PortTakenError

Make = Callable[[str], Path]


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def test_a_start_that_fails_leaves_nothing(program: Make, tmp_path: Path) -> None:
    before = len(children())
    state = tmp_path / "state"
    broken = program('echo "$1: unknown flag"; exit 2')
    with pytest.raises(NotReadyError, match="etcd ended with code 2") as caught, api_server(state, broken):
        pass
    assert "etcd: unknown flag" in caught.value.why
    assert not list(state.glob("kube-api.*"))
    assert len(children()) == before


def test_one_that_does_not_answer_is_ended(program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "READY_S", 0.3)
    before = len(children())
    with pytest.raises(NotReadyError) as caught, api_server(tmp_path / "state", program("exec sleep 60")):
        pass
    assert "/health does not answer: ConnectionError" in caught.value.why
    assert len(children()) == before


def test_taken_ports_are_tried_anew_and_then_told(program: Make, tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    taken = program(f"echo x >> {tries}; echo bind: address already in use; exit 1")
    with pytest.raises(PortTakenError), api_server(tmp_path / "state", taken):
        pass
    assert len(tries.read_text(encoding="utf-8").split()) == server.TRIES
    assert not list((tmp_path / "state").glob("kube-api.*"))


def test_what_a_killed_start_left_goes_with_the_next_and_what_is_in_use_stays(program: Make, tmp_path: Path) -> None:
    state = tmp_path / "state"
    killed, running = state / "kube-api.killed", state / "kube-api.running"
    for folder in (killed, running):
        (folder / "data").mkdir(parents=True)
    code = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print(1, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(running / server.OWNED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"1\n"
        with pytest.raises(NotReadyError), api_server(state, program("exit 1")):
            pass
        assert list(state.glob("kube-api.*")) == [running]
        owner.kill()
    with pytest.raises(NotReadyError), api_server(state, program("exit 1")):
        pass
    assert not list(state.glob("kube-api.*"))
