"""Workers side by side: all are heard, none hides another, and none outlives its parent's will."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.products import Ask, crew, worker
from floe_ops.products.worker import Failure, Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from floe_ops.products.result import BuildResult


def scripted(results: dict[str, str], folder: Path) -> Callable[[Job, Connection, int], None]:
    """A worker that does what its product's name says."""

    def main(job: Job, line: Connection, _parent: int) -> None:
        assert line.recv() == worker.GO
        name = job.folder.name
        (folder / f"{name}.pid").write_text(str(os.getpid()), encoding="utf-8")
        line.send(("began", {"step": "run"}))
        if name.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("endless"):
            signal.pause()
        if name.startswith("wrong"):
            line.send(("failure", {"what": "it is wrong", "exit_code": 4}))
        else:
            line.send(("result", {"result": results["good"]}))

    return main


@pytest.fixture
def build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_result: Callable[..., BuildResult]
) -> Callable[..., dict[str, BuildResult | Failure]]:
    from floe_core.plugins import Lane

    texts = {"good": make_result(Lane.DUCKDB).model_dump_json()}
    monkeypatch.setattr(worker, "main", scripted(texts, tmp_path))

    def run(
        *names: str, told: Callable[[str, str, dict[str, Any]], None] = lambda *_said: None, **options: Any
    ) -> dict[str, BuildResult | Failure]:
        return crew.build_all([Job(tmp_path / name, Ask()) for name in names], told, **options)

    return run


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_that_fails_or_dies_hides_no_other(build: Callable[..., Any]) -> None:
    heard: list[tuple[str, str]] = []
    names = ("wrong", "killed", "good-1", "good-2")
    found = build(*names, told=lambda name, kind, _said: heard.append((name, kind)), at_once=2)
    assert list(found) == list(names)
    assert found["wrong"] == Failure("it is wrong", exit_code=4)
    assert "ended by signal 9" in found["killed"].why
    assert {found["good-1"].product, found["good-2"].product} == {"tiny"}
    assert ("killed", "failure") in heard


def test_no_more_than_asked_for_work_at_once(build: Callable[..., Any]) -> None:
    working: set[str] = set()
    most = 0

    def told(name: str, kind: str, _said: dict[str, Any]) -> None:
        nonlocal most
        (working.add if kind == "began" else working.discard)(name)
        most = max(most, len(working))

    build("good-1", "good-2", "good-3", told=told, at_once=1)
    assert most == 1


def test_an_interrupt_ends_all_of_them_soon(build: Callable[..., Any], tmp_path: Path) -> None:
    begun: list[str] = []

    def told(name: str, kind: str, _said: dict[str, Any]) -> None:
        if kind == "began":
            begun.append(name)
        if len(begun) == 2:
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        build("endless-1", "endless-2", "endless-3", told=told, at_once=2)
    assert time.monotonic() - started < 10
    pids = [int((tmp_path / f"{name}.pid").read_text(encoding="utf-8")) for name in begun]
    assert not [pid for pid in pids if alive(pid)]
